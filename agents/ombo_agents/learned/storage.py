"""Trained policies on disk: `policy.safetensors` and `config.json`, all that playing needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from stable_baselines3.common.policies import ActorCriticPolicy, MultiInputActorCriticPolicy
from typing_extensions import override

from ombo_agents.bayesian.schedules import ExplorationPolicy
from ombo_agents.learned.direct import TrainedDirect
from ombo_agents.learned.encoder import DatasetEncoder, DirectPolicy
from ombo_agents.policy import Policy
from ombo_gym.controls import make_control
from ombo_gym.design_spaces import DesignSpace
from ombo_gym.observations import Observation
from ombo_gym.spec import CampaignSpec

POLICY, CONFIG = "policy.safetensors", "config.json"
CONTROLS = {"exploration": "exploration", "direct": "designs"}  # agent: the control it acts through


class TrainedExploration(ExplorationPolicy):
    """A network that sets exploration weights from what the control shows; acts by its mean.

    Args:
        spec: Of the campaigns it is built for.
        network: A stable-baselines3 actor-critic policy.
    """

    horizon_aware = True

    def __init__(self, spec: CampaignSpec, network: ActorCriticPolicy) -> None:
        super().__init__(spec)
        # In float64 a row's action does not depend on how many others are computed with it.
        self._network = network.double().eval()

    @override
    def choose(self, seen: Observation) -> NDArray[np.float32]:
        network: Any = self._network
        with torch.no_grad():
            fields = {name: seen[name] for name in network.observation_space}
            tensors, _ = network.obs_to_tensor(fields)
            features: Any = network.extract_features(tensors, network.pi_features_extractor)
            actions = network.action_net(network.mlp_extractor.forward_actor(features.double()))
        clipped: NDArray[np.float32] = np.clip(actions.numpy(), -1.0, 1.0).astype(np.float32)
        return clipped


def network_of(
    agent: str, space: DesignSpace, hidden: Sequence[int]
) -> tuple[type[ActorCriticPolicy], dict[str, Any]]:
    """The class of an agent's network, and what it is built with.

    Args:
        agent: One of `CONTROLS`.
        space: The design space; a network that sees no designs does not depend on it.
        hidden: Widths of its layers.
    """
    if agent == "exploration":
        return MultiInputActorCriticPolicy, {"net_arch": list(hidden)}
    encoder = {"space": space, "width": hidden[0]}
    return DirectPolicy, {
        "net_arch": list(hidden),
        "features_extractor_class": DatasetEncoder,
        "features_extractor_kwargs": encoder,
    }


def build_network(
    agent: str, spec: CampaignSpec, hidden: Sequence[int], **arguments: Any
) -> ActorCriticPolicy:
    """An untrained network for some campaigns, with the layers that `scripts.train` uses."""
    control = make_control(CONTROLS[agent], spec)
    network, layers = network_of(agent, spec.design_space, hidden)
    return network(
        control.observation_space, control.action_space, lambda _: 0.0, **{**layers, **arguments}
    )


def save(folder: Path, network: ActorCriticPolicy, config: dict[str, Any]) -> None:
    """Writes a network's weights and what it was trained on.

    Args:
        folder: Made if it is not there.
        network: To be written.
        config: JSON-able; must hold `agent` and `hidden`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_model(network, str(folder / POLICY))  # what actor and critic share, once
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
        if agent == "direct":  # embeddings are as wide as its first layer
            known = known and len(hidden) > 0
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


def shape_of(spec: CampaignSpec) -> dict[str, Any]:
    """What a network was made for: `fits` compares it where it proposes designs itself."""
    low, high = spec.batch_sizes
    return {
        "design_space": repr(spec.design_space),
        "batch_size": high if low == high else [low, high],
    }


def fits(folder: Path, spec: CampaignSpec) -> bool:
    """Whether a trained policy can play these campaigns, by what it sees and acts on."""
    config = read_config(folder)
    if CONTROLS[config["agent"]] == "designs":
        return spec.control == "designs" and _made_for(config) == _shape_of_one_size(spec)
    return spec.control in ("designs", CONTROLS[config["agent"]])


def _shape_of_one_size(spec: CampaignSpec) -> dict[str, Any] | None:
    """As `shape_of`; None where batches differ in size, which no such network proposes."""
    return shape_of(spec) if spec.batch_sizes[0] == spec.batch_sizes[1] else None


def _made_for(config: dict[str, Any]) -> dict[str, Any]:
    return {key: config.get(key) for key in ("design_space", "batch_size")}


def load(folder: Path, spec: CampaignSpec) -> Policy:
    """Reads a trained policy back, without unpickling anything.

    Args:
        folder: That `save` wrote.
        spec: Of the campaigns it will play. Another horizon than in training is fine; so are
            another batch size and design space for a policy that acts through a control.

    Raises:
        ValueError: The folder is incomplete, or its network has other inputs than these campaigns
            show, or another batch than they ask for.
    """
    config = read_config(folder)
    agent = config["agent"]
    if CONTROLS[agent] == "designs" and _made_for(config) != _shape_of_one_size(spec):
        raise ValueError(
            f"{folder}: a {agent!r} policy plays the design space and batch size of its training, "
            f"{_made_for(config)}, got {shape_of(spec)}; train one for these"
        )
    network = build_network(agent, spec, config["hidden"])
    if not (folder / POLICY).is_file():
        raise ValueError(f"{folder}: expected {POLICY} beside {CONFIG}; train it again")
    try:
        load_model(network, folder / POLICY)
    except SafetensorError as error:
        raise ValueError(f"{folder}: {POLICY} is damaged ({error}); train it again") from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{folder}: the network does not fit these campaigns: {reason}") from error
    if isinstance(network, DirectPolicy):
        return TrainedDirect(spec, network)
    return TrainedExploration(spec, network)
