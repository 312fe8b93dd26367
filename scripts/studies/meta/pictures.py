"""Pictures of the meta-policy: how its plates change with the rounds left, and its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from ombo_agents.learned.meta import Meta, Rule
from ombo_agents.learned.meta.context import KINDS
from ombo_gym.evaluation.figure_style import LIGHT
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, campaign_spec
from ombo_gym.surrogates.candidate_posterior import condition_on_dataset
from ombo_gym.surrogates.surrogate import make_surrogate
from scripts.studies.pictures import save_picture

Floats = NDArray[np.float64]

ROUNDS_LEFT = (5, 2, 1)
_PLATE = 8
_SHOWN: Mapping[str, tuple[str, dict[str, Any]]] = {  # a title, an environment, its arguments
    "a function of two numbers": ("Ombo/GP-v0", {"surrogate": {"kernel": "fit"}}),
    "a screen of reactions": ("Ombo/Screens-v0", {"parameters": [6, 8, 12]}),
    "DNA": ("Ombo/TFBinding-v0", {"split": "train"}),
}


def draw_proposals(rule: Rule, path: Path) -> None:
    """Plates with 5, 2 and 1 rounds left on the same dataset, among all candidates."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        len(_SHOWN), len(ROUNDS_LEFT), figsize=(11, 9), layout="constrained"
    )
    for row, (title, (env_id, arguments)) in zip(axes, _SHOWN.items(), strict=True):
        spec, observation = _dataset(env_id, arguments)
        means, sds = _beliefs(spec, observation)
        for ax, left in zip(row, ROUNDS_LEFT, strict=True):
            plate = _plate(spec, rule, observation, left)
            own_means, own_sds = _beliefs_at(spec, observation, plate)
            ax.scatter(means, sds, s=5, color=LIGHT.faint, alpha=0.35, linewidths=0)
            ax.scatter(own_means, own_sds, s=36, color=LIGHT.trained[0], edgecolors="white")
            ax.set_title(f"{title}, {left} round{'s' * (left > 1)} left", fontsize=10)
            ax.set_xlabel("expected value")
            ax.set_ylabel("standard deviation")
    save_picture(figure, path)


def _dataset(env_id: str, arguments: dict[str, Any]) -> tuple[CampaignSpec, Observation]:
    """A dataset of 16 random designs, of one campaign with a leading axis."""
    env = gym.make_vec(
        env_id,
        num_envs=1,
        autoreset_mode="Disabled",
        horizon=max(ROUNDS_LEFT),
        batch_size=_PLATE,
        utility="last_mean",
        start={"kind": "random", "size": 16},
        **arguments,
    )
    observation, _ = env.reset(seed=3)
    return campaign_spec(env), observation


def _plate(spec: CampaignSpec, rule: Rule, observation: Observation, left: int) -> NDArray[Any]:
    """What is proposed when so many rounds are left, (1, q, *shape)."""
    shown = {name: array.copy() for name, array in observation.items()}
    shown["rounds_left"][:] = left
    shown["plates"][:, left:] = 0
    actions = Meta(spec, rule).act(shown, [np.random.default_rng(0)])
    return spec.design_space.designs(actions)


def _beliefs(spec: CampaignSpec, observation: Observation) -> tuple[Floats, Floats]:
    """Means and standard deviations of all candidates that policies look at."""
    (group,) = _groups(spec, observation)
    return group.marginals.mean[0], group.marginals.sd[0]


def _beliefs_at(
    spec: CampaignSpec, observation: Observation, designs: NDArray[Any]
) -> tuple[Floats, Floats]:
    """The same of some designs (1, q, *shape)."""
    (group,) = _groups(spec, observation)
    found = group.posterior.at(spec.design_space.features(designs))
    return found.mean[0], found.sd[0]


def _groups(spec: CampaignSpec, observation: Observation) -> list[Any]:
    rngs = GeneratorBatch([np.random.default_rng(0)], 1)
    surrogate = make_surrogate(spec)
    return list(condition_on_dataset(observation, spec, surrogate, rngs.take, extra_per_slot=64))


def draw_training(configs: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Mean gain by step of the two lines of weights, a line a kind of campaign; first seed."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", sharey=True)
    titles = ("weights with rounds to come", "weights in the last round")
    for ax, title in zip(axes, titles, strict=True):
        for each in configs[0]["steps"]:
            if each["line"] == title:
                sizes = [next(iter(step.values())) for step in each["steps"]]
                points = sorted([(0.0, 0.0), *zip(sizes, each["gains"], strict=True)])
                ax.plot(
                    *zip(*points, strict=True),
                    marker="o",
                    markersize=4,
                    color=(*LIGHT.trained, *LIGHT.others)[each["kind"]],
                    label=KINDS[each["kind"]],
                )
        ax.axhline(0.0, color=LIGHT.faint, linewidth=1)
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("added to the exploration weight")
    axes[0].set_ylabel("mean gain in score")
    figure.legend(
        *axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False
    )
    save_picture(figure, path)
