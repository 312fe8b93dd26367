"""Trained policies on disk: `policy.safetensors` and `config.json`, all that playing needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from stable_baselines3.common.policies import ActorCriticPolicy, MultiInputActorCriticPolicy

from ombo_agents.heuristics.exploration import ExplorationPolicy
from ombo_agents.policy import Observation
from ombo_gym.controls.base import Control
from ombo_gym.game import Game

POLICY, CONFIG = "policy.safetensors", "config.json"
CONTROLS = {"exploration": "exploration"}  # agent -> the control it acts through


class TrainedExploration(ExplorationPolicy):
    """A network that sets exploration weights from what the control shows; acts by its mean.

    Args:
        game: The campaigns it is built for.
        network: A stable-baselines3 actor-critic policy.
    """

    horizon_aware = True

    def __init__(self, game: Game, network: ActorCriticPolicy) -> None:
        super().__init__(game)
        # In float64 a row's action does not depend on how many others are computed with it.
        self._network = network.double().eval()

    def choose(self, seen: Observation) -> NDArray[np.float32]:  # noqa: D102
        network = self._network
        with torch.no_grad():
            tensors, _ = network.obs_to_tensor(seen)
            features: Any = network.extract_features(tensors, network.pi_features_extractor)  # type: ignore[arg-type]
            actions = network.action_net(network.mlp_extractor.forward_actor(features.double()))
        return np.clip(actions.numpy(), -1.0, 1.0).astype(np.float32)


def build_network(control: Control, hidden: list[int], **arguments: Any) -> ActorCriticPolicy:
    """An untrained network for a control, with the layers that `scripts.train` uses."""
    return MultiInputActorCriticPolicy(
        control.observation_space,
        control.action_space,
        lambda _: 0.0,
        net_arch=hidden,
        **arguments,
    )


def save(folder: Path, network: ActorCriticPolicy, config: dict[str, Any]) -> None:
    """Writes a network's weights and what it was trained on.

    Args:
        folder: Made if it is not there.
        network: To be written.
        config: JSON-able; must hold `agent` and `hidden`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, folder / POLICY)
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n")


def read_config(folder: Path) -> dict[str, Any]:
    """What a policy was trained on.

    Raises:
        ValueError: The folder holds no trained policy that this version can play.
    """
    try:
        config: dict[str, Any] = json.loads((folder / CONFIG).read_text())
        agent, hidden = config["agent"], config["hidden"]
        known = agent in CONTROLS and all(isinstance(n, int) and n > 0 for n in hidden)
    except (OSError, ValueError) as error:  # ValueError: not JSON, or not even text
        raise ValueError(f"{folder}: expected a readable {CONFIG}, got {error}") from error
    except (KeyError, TypeError):
        known = False
    if not known:
        raise ValueError(
            f"{folder}/{CONFIG}: expected an 'agent' among {sorted(CONTROLS)} and its 'hidden' "
            "layers, for instance [64, 64]; train it again"
        )
    return config


def fits(folder: Path, game: Game) -> bool:
    """Whether a trained policy can play these campaigns, by what it sees and acts on."""
    config = read_config(folder)
    return game.control_name in ("designs", CONTROLS[config["agent"]])


def load(folder: Path, game: Game) -> TrainedExploration:
    """Reads a trained policy back, without unpickling anything.

    Args:
        folder: That `save` wrote.
        game: The campaigns it will play; another horizon, batch size or design space than in
            training is fine.

    Raises:
        ValueError: The folder is incomplete, or its network has other inputs than these campaigns
            show.
    """
    config = read_config(folder)
    network = build_network(game.make_control(CONTROLS[config["agent"]]), config["hidden"])
    if not (folder / POLICY).is_file():
        raise ValueError(f"{folder}: expected {POLICY} beside {CONFIG}; train it again")
    try:
        network.load_state_dict(load_file(folder / POLICY))
    except SafetensorError as error:
        raise ValueError(f"{folder}: {POLICY} is damaged ({error}); train it again") from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{folder}: the network does not fit these campaigns: {reason}") from error
    return TrainedExploration(game, network)
