"""Bernoulli bandits: designs are arms, and a batch is a number of pulls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import CandidateDesigns, Designs
from ombo_gym.priors import BernoulliArms
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.problems.core.checks import is_whole, numbers
from ombo_gym.randomness import BatchedGenerator
from ombo_gym.spec import Repeats

_MOST_ARMS = 4096


class Bandit(Problem):
    """Arms whose success probabilities are drawn from Beta priors, or known: planning, solved.

    A design is an arm, named by its number from 0, and a batch is q pulls, which are made before
    any of them is seen: pulling an arm several times is meaningful. What is measured is a success
    (1) or a failure (0), and that is all the noise there is. The true value of a design, which
    utilities use, is its success probability, from 0 to 1. Every arm can be pulled at any time.

    Each campaign draws the probabilities of the unknown arms from their priors. It starts with
    nothing measured; `reference` is 0. The optimum, which is score 1, is the largest probability
    among the arms.

    The posterior is known exactly, so that utility `recommendation` can be had, and small campaigns
    are solved by dynamic programming: `ombo_agents` has the optimal policy (`bayes_optimal`), and
    `scripts.exact` evaluates any other exactly.

    Args:
        arms: K, the number of unknown arms; they come first.
        prior: [a, b] of the Beta prior of all unknown arms, or a pair for each of them.
        known: Success probabilities of further arms, which are known beforehand.

    Raises:
        ValueError: An argument out of range.

    References:
        Gittins, Glazebrook and Weber, Multi-armed Bandit Allocation Indices, Wiley, 2011.

    Example:
        >>> import gymnasium as gym, numpy as np, ombo_gym
        >>> env = gym.make("Ombo/Bandit-v0", arms=1, known=[0.6], horizon=4, batch_size=5)
        >>> observation, info = env.reset(seed=0)
        >>> pulls = np.array([0, 0, 1, 1, 1])  # two of the unknown arm
        >>> observation, reward, *_, info = env.step(pulls)
    """

    domain: ClassVar[str] = "synthetic"
    rounds: ClassVar[tuple[int, int]] = (1, 20)
    start: ClassVar[dict[str, Any]] = {"kind": "none"}
    optimum_known = optimum_exact = True
    repeats = Repeats.ALLOWED

    def __init__(
        self,
        *,
        arms: int = 2,
        prior: Sequence[Any] = (1, 1),
        known: Sequence[float] = (),
    ) -> None:
        if not is_whole(arms) or arms < 0:
            raise ValueError(f"arms: expected a whole number of at least 0, got {arms!r}")
        if arms > _MOST_ARMS:
            raise ValueError(f"arms: expected at most {_MOST_ARMS:,}, got {arms:,}")
        self.prior: BernoulliArms = BernoulliArms(
            beta=_checked_priors(prior, int(arms)), known=_checked_known(known)
        )
        arms_in_all = len(self.prior.beta) + len(self.prior.known)
        if not arms_in_all:
            raise ValueError("arms: expected at least one arm, unknown or known, got none")
        # Arms are equally far from each other: one says nothing of another.
        self.design_space = CandidateDesigns(np.sqrt(0.5) * np.eye(arms_in_all), scale="none")

    @override
    def draw(self, rngs: BatchedGenerator) -> Instances:
        a, b = self.prior.beta.T
        unknown = rngs.draw(lambda rng: rng.beta(a, b))  # (R, K)
        known = np.broadcast_to(self.prior.known, (len(unknown), len(self.prior.known)))
        return {"probabilities": np.concatenate([unknown, known], axis=1)}  # (R, K + L)

    @override
    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        return np.take_along_axis(instances["probabilities"], designs[..., 0], axis=1)

    @override
    def measure(
        self,
        instances: Instances,
        designs: Designs,
        true_values: NDArray[np.float64],
        rngs: BatchedGenerator,
    ) -> NDArray[np.float64]:
        successes = rngs.random(true_values.shape[1:]) < true_values
        return successes.astype(np.float64)

    @override
    def optimum(self, instances: Instances) -> NDArray[np.float64]:
        best: NDArray[np.float64] = instances["probabilities"].max(axis=1)
        return best


def _checked_priors(prior: Any, arms: int) -> NDArray[np.float64]:
    """Beta parameters of every unknown arm, (K, 2)."""
    priors = numbers(prior)
    if priors.shape == (2,):
        priors = np.tile(priors, (arms, 1))
    if priors.size == 0:
        priors = priors.reshape(0, 2)
    if priors.shape != (arms, 2) or not (np.isfinite(priors) & (priors > 0)).all():
        raise ValueError(
            f"prior: expected positive numbers [a, b], or such a pair for each of the {arms} "
            f"unknown arms, got {prior!r}"
        )
    return priors


def _checked_known(known: Any) -> NDArray[np.float64]:
    probabilities = numbers(known)
    if probabilities.ndim != 1 or not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError(f"known: expected a list of probabilities from 0 to 1, got {known!r}")
    return probabilities
