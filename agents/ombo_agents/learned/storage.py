"""Trained policies on disk: `policy.safetensors` and `config.json`, all that playing needs."""

from __future__ import annotations

import ombo_agents.learned.requirements  # noqa: F401  # isort: skip

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from stable_baselines3.common.policies import ActorCriticPolicy, MultiInputActorCriticPolicy
from torch import nn
from typing_extensions import override

from ombo_agents.bayesian.schedules import ExplorationPolicy
from ombo_agents.learned.direct import TrainedDirect
from ombo_agents.learned.direct_network import DatasetExtractor, DirectPolicy, check_outputs
from ombo_agents.learned.meta.policy import Meta
from ombo_agents.learned.meta.rule import AGENT as META
from ombo_agents.learned.meta.rule import read_rule
from ombo_agents.learned.size_limits import check_network_size
from ombo_agents.policy import Policy
from ombo_gym.controls import make_control
from ombo_gym.design_spaces import DesignSpace
from ombo_gym.files import write_atomically
from ombo_gym.observations import Observation
from ombo_gym.spec import CampaignSpec

POLICY, CONFIG = "policy.safetensors", "config.json"
_FLOATS = ("F16", "BF16", "F32", "F64")  # that safetensors names
_LARGEST_CONFIG = 2**26  # bytes; a landscape written into it is large
CONTROLS = {"exploration": "exploration", "direct": "designs"}  # agent: the control it acts through


class TrainedExploration(ExplorationPolicy):
    """A network that sets exploration weights from what the control shows; acts by its mean.

    Args:
        spec: Of the campaigns it is built for.
        network: A stable-baselines3 actor-critic policy, which is played in float64.
    """

    horizon_aware = True

    def __init__(self, spec: CampaignSpec, network: ActorCriticPolicy) -> None:
        super().__init__(spec)
        self.network = network.double().eval()

    @override
    def choose(self, seen: Observation) -> NDArray[np.float32]:
        return mean_actions(self.network, seen)


def mean_actions(network: Any, seen: Observation) -> NDArray[np.float32]:
    """What an exploration policy does: the mean of a network's actions, (B, 2).

    Args:
        network: In float64, in which a row's action does not depend on how many others are computed
            with it.
        seen: What the control shows of B campaigns.

    Raises:
        ValueError: The network says what is no number.
    """
    with torch.no_grad():
        fields = {name: seen[name] for name in network.observation_space}
        tensors, _ = network.obs_to_tensor(fields)
        features: Any = network.extract_features(tensors, network.pi_features_extractor)
        actions = network.action_net(network.mlp_extractor.forward_actor(features.double()))
    check_outputs(actions)
    clipped: NDArray[np.float32] = np.clip(actions.numpy(), -1.0, 1.0).astype(np.float32)
    return clipped


def network_of(
    agent: str, space: DesignSpace | None, hidden: Sequence[int]
) -> tuple[type[ActorCriticPolicy], dict[str, Any]]:
    """The class of an agent's network, and what it is built with.

    Args:
        agent: One of `CONTROLS`.
        space: The design space; a network that sees no designs does not depend on it, and takes
            None.
        hidden: Widths of its layers.
    """
    if agent == "exploration":
        return MultiInputActorCriticPolicy, {"net_arch": list(hidden)}
    encoder = {"space": space, "width": hidden[0]}
    return DirectPolicy, {
        "net_arch": list(hidden),
        "features_extractor_class": DatasetExtractor,
        "features_extractor_kwargs": encoder,
    }


def build_network(
    agent: str, spec: CampaignSpec, hidden: Sequence[int], **arguments: Any
) -> ActorCriticPolicy:
    """An untrained network for some campaigns, with the layers that `scripts.train` uses."""
    control = make_control(CONTROLS[agent], spec)
    observations, actions = control.observation_space, control.action_space
    check_network_size(spec, observations, actions, hidden=hidden)
    network, layers = network_of(agent, spec.design_space, hidden)
    return network(observations, actions, lambda _: 0.0, **{**layers, **arguments})


def non_finite(network: nn.Module) -> str | None:
    """The first of a network's tensors that holds NaN or infinity; None where all are finite."""
    for name, weights in network.named_parameters():
        if not torch.isfinite(weights).all():
            return name
    return None


def as_text(config: dict[str, Any]) -> str:
    """A configuration as `config.json` holds it."""
    return json.dumps(config, indent=2) + "\n"


def save(folder: Path, network: ActorCriticPolicy, config: dict[str, Any]) -> None:
    """Writes a network's weights and what it was trained on, each in one step.

    Args:
        folder: Made if it is not there.
        network: To be written.
        config: JSON-able; must hold `agent` and `hidden`.

    Raises:
        OSError: The disk is full, or the folder cannot be written to; what was there is unharmed.
        TypeError: A configuration that is no JSON.
    """
    text = as_text(config)
    # What actor and critic share is one parameter, and is written once.
    weights = {name: each.detach().contiguous() for name, each in network.named_parameters()}
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / POLICY, safetensors.torch.save(weights))
    write_atomically(folder / CONFIG, text)


def read_config(folder: Path) -> dict[str, Any]:
    """What a policy was trained on.

    Raises:
        ValueError: The folder holds no trained policy that this version can play.
    """
    file = folder / CONFIG
    try:
        if not file.is_file():  # a pipe would never end
            raise FileNotFoundError("no such file")
        if (size := file.stat().st_size) > _LARGEST_CONFIG:
            raise ValueError(f"{size:,} bytes")
        config = json.loads(file.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError(f"{file}: expected JSON, got lists inside lists without end") from error
    except (OSError, ValueError) as error:  # ValueError: not JSON, or not even text
        reason = " ".join(str(error).split())
        raise ValueError(f"{folder}: expected a readable {CONFIG}, got {reason}") from error
    if isinstance(config, dict) and config.get("agent") == "prior":
        raise ValueError(
            f"{folder}: expected a trained policy, got a learned prior, which policies stand on: "
            f'give it as surrogate={{"kernel": "learned", "path": "{folder}"}}'
        )
    if isinstance(config, dict) and config.get("agent") == META:
        return config
    if not isinstance(config, dict) or not _names_a_network(config):
        raise ValueError(
            f"{folder}/{CONFIG}: expected an 'agent' among {sorted([*CONTROLS, META])} and, of a "
            "network, its 'hidden' layers, for instance [64, 64]; train it again"
        )
    return config


def _names_a_network(config: dict[str, Any]) -> bool:
    agent, hidden = config.get("agent"), config.get("hidden")
    if not isinstance(agent, str) or agent not in CONTROLS or not isinstance(hidden, list):
        return False
    # Embeddings of "direct" are as wide as the first layer.
    return all(type(n) is int and n > 0 for n in hidden) and bool(hidden or agent != "direct")


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
    if config["agent"] == META:
        return spec.control == "designs"
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
    if agent == META:
        return Meta(spec, read_rule(folder))
    if CONTROLS[agent] == "designs" and _made_for(config) != _shape_of_one_size(spec):
        raise ValueError(
            f"{folder}: a {agent!r} policy plays the design space and batch size of its training, "
            f"{_made_for(config)}, got {shape_of(spec)}; train one for these"
        )
    try:
        network = build_network(agent, spec, config["hidden"])
    except ValueError as error:  # layers that nobody can hold
        raise ValueError(f"{folder}/{CONFIG}: {error}") from error
    _load_weights(network, folder / POLICY)
    if isinstance(network, DirectPolicy):
        return TrainedDirect(spec, network)
    return TrainedExploration(spec, network)


def _load_weights(network: nn.Module, file: Path) -> None:
    """Reads a network's weights; nothing is read of a tensor that does not fit.

    Raises:
        ValueError: The file is missing or damaged, its tensors are not the network's, or one holds
            NaN or infinity.
    """
    if not file.is_file():
        raise ValueError(f"{file.parent}: expected {POLICY} beside {CONFIG}; train it again")
    parameters = network.state_dict()  # a tensor that is shared has several names
    try:
        with safe_open(file, framework="pt") as opened:
            names = set(opened.keys())
            for name in sorted(names):
                _check_tensor(file, name, opened.get_slice(name), parameters)
            held = {parameters[name].data_ptr() for name in names}
            for name, parameter in parameters.items():
                if parameter.data_ptr() not in held:
                    raise ValueError(f"{file}: the tensor {name} is missing; train it again")
            for name in sorted(names):
                parameters[name].copy_(opened.get_tensor(name))
    except SafetensorError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{file}: damaged ({reason}); train it again") from error
    if (name_of_nan := non_finite(network)) is not None:
        raise ValueError(
            f"{file}: the tensor {name_of_nan} holds NaN or infinity: training diverged; train it "
            "again with a smaller learning rate"
        )


def _check_tensor(file: Path, name: str, tensor: Any, parameters: dict[str, torch.Tensor]) -> None:
    """Refuses a tensor of a file that a network cannot hold.

    Raises:
        ValueError: Another name, shape or kind of numbers than the network's.
    """
    if name not in parameters:
        raise ValueError(
            f"{file}: the tensor {name[:100]!r} is none of the network that {CONFIG} describes"
        )
    shape, expected = tuple(tensor.get_shape()), tuple(parameters[name].shape)
    if shape != expected or tensor.get_dtype() not in _FLOATS:
        raise ValueError(
            f"{file}: the tensor {name} does not fit these campaigns and {CONFIG}: expected floats "
            f"of shape {expected}, got {tensor.get_dtype()} of shape {shape}; a network that was "
            "trained on other observations, such as an earlier version's, has to be trained again"
        )
