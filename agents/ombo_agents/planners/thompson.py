"""Thompson sampling from posteriors that are known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, xlog1py, xlogy
from typing_extensions import override

from ombo_agents.planners.belief_mdp.arms import BanditBeliefMDP
from ombo_agents.planners.belief_mdp.base import Floats
from ombo_agents.planners.belief_mdp.counting import orders
from ombo_agents.planners.belief_mdp.landscapes import LandscapeBeliefMDP
from ombo_agents.planners.belief_mdp.make import why_not_known
from ombo_agents.policy import DesignsPolicy
from ombo_gym.observations import Observation, next_plates
from ombo_gym.priors import BernoulliArms, FiniteLandscapes
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec

_MAX_NODES, _MAX_BATCHES = 1024, 10_000  # up to which `distribution` knows the probabilities


class BanditThompson(DesignsPolicy):
    """Every pull is of the arm that is best in a draw of its own from the Beta posteriors.

    Args:
        spec: Of campaigns on Bernoulli arms, as of `Ombo/Bandit-v0`.

    Reference:
        Thompson, 1933; Kandasamy et al., AISTATS 2018, for batches.
    """

    horizon_aware = False
    exchangeable = True

    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec)
        assert isinstance(spec.prior, BernoulliArms)
        self._belief_mdp = BanditBeliefMDP(spec.prior)

    def _posterior(self, observation: Observation) -> tuple[Floats, Floats]:
        return self._belief_mdp.posterior(
            self._belief_mdp.states(self._belief_mdp.items(observation))
        )

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        a, b = self._posterior(observation)
        parameters = iter(zip(a, b, strict=True))
        # (B, q, K)
        sampled = rngs.draw(lambda rng: rng.beta(*next(parameters), size=(q, a.shape[1])))
        # (B, q, L)
        known = np.broadcast_to(self._belief_mdp.known, (len(a), q, len(self._belief_mdp.known)))
        best: NDArray[np.int64] = np.concatenate([sampled, known], axis=2).argmax(axis=2)
        return best[..., None]

    @override
    def distribution(self, observation: Observation) -> tuple[NDArray[Any], Floats] | None:
        a, b = self._posterior(observation)
        are_whole = (a == np.round(a)).all() and (b == np.round(b)).all()
        nodes = int((a + b).sum(axis=1).max(initial=0)) // 2 + 1  # enough for polynomials
        arms, sizes = self._belief_mdp.num_designs, next_plates(self.spec, observation)  # (B,)
        largest = int(sizes.max(initial=1))
        if not are_whole or nodes > _MAX_NODES or comb(arms + largest - 1, largest) > _MAX_BATCHES:
            return None
        chances = chances_of_being_best(a, b, self._belief_mdp.known, nodes)  # (B, M)
        listed, probabilities = [], []
        for q in np.unique(sizes).tolist():
            batches = list(combinations_with_replacement(range(arms), q))
            counts = np.stack([np.bincount(batch, minlength=arms) for batch in batches])  # (A, M)
            num_orders = np.array([orders(batch) for batch in batches])  # (A,)
            of_batches = num_orders * np.prod(chances[:, None] ** counts, axis=2)  # (B, A)
            probabilities.append(np.where((sizes == q)[:, None], of_batches, 0.0))
            listed.append(_padded(batches, self.spec.batch_size))
        actions = self.space.actions(np.concatenate(listed)[..., None])
        return actions, np.concatenate(probabilities, axis=1)


def _padded(batches: Sequence[Sequence[int]], slots: int) -> NDArray[np.int64]:
    """Batches with slots behind the plate, which are of no matter, (A, slots)."""
    padded = np.zeros((len(batches), slots), np.int64)
    padded[:, : len(batches[0])] = batches
    return padded


def chances_of_being_best(a: Floats, b: Floats, known: Floats, nodes: int) -> Floats:
    """Probability that each arm has the largest success probability, (B, K + L).

    By Gauss-Legendre quadrature, which is exact for integer parameters and enough nodes: densities
    and distribution functions are polynomials then. Among equal known arms the first counts.

    Args:
        a: (B, K) of the Beta distributions.
        b: (B, K).
        known: (L,) known success probabilities.
        nodes: Of the quadrature.
    """
    floor = float(known.max(initial=0.0))
    x, weights = np.polynomial.legendre.leggauss(nodes)
    x, weights = floor + (1 - floor) * (x + 1) / 2, weights * (1 - floor) / 2
    below = betainc(a[..., None], b[..., None], x)  # (B, K, nodes)
    powers = xlogy(a[..., None] - 1, x) + xlog1py(b[..., None] - 1, -x)
    density = np.exp(powers - betaln(a, b)[..., None])  # (B, K, nodes)
    arms = a.shape[1]
    chances = np.zeros((len(a), arms + len(known)))  # (B, K + L)
    for arm in range(arms):
        others = np.delete(below, arm, axis=1).prod(axis=1)
        chances[:, arm] = (density[:, arm] * others) @ weights
    if len(known):
        chances[:, arms + int(known.argmax())] = betainc(a, b, floor).prod(axis=1)
    normalized: Floats = chances / chances.sum(axis=1, keepdims=True)
    return normalized


class LandscapeThompson(DesignsPolicy):
    """Every slot takes the best design that is left in a landscape drawn from the posterior.

    Args:
        spec: Of campaigns on finitely many landscapes, as of `Ombo/Landscapes-v0`.
    """

    horizon_aware = False
    exchangeable = True

    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec)
        assert isinstance(spec.prior, FiniteLandscapes)
        self._belief_mdp = LandscapeBeliefMDP(spec.prior)

    def _posterior(self, observation: Observation) -> tuple[Floats, NDArray[np.bool_]]:
        """Probabilities of the landscapes, (B, H), and which designs are measured, (B, M)."""
        states = self._belief_mdp.states(self._belief_mdp.items(observation))
        return self._belief_mdp.posterior(states)[0], states > 0

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        posterior, measured = self._posterior(observation)
        edges = np.cumsum(posterior, axis=1)  # (B, H)
        uniforms = rngs.random((q,))  # (B, q)
        campaigns, used = np.arange(len(measured)), measured.copy()  # (B,), (B, M)
        batch = np.zeros((len(measured), q, 1), np.int64)
        for slot in range(q):
            landscape = (uniforms[:, slot, None] * edges[:, -1:] >= edges).sum(axis=1)  # (B,)
            values = np.where(used, -np.inf, self._belief_mdp.matrix[landscape])  # (B, M)
            batch[:, slot, 0] = values.argmax(axis=1)
            used[campaigns, batch[:, slot, 0]] = True
        return batch

    @override
    def distribution(self, observation: Observation) -> tuple[NDArray[Any], Floats] | None:
        if (next_plates(self.spec, observation) > 1).any():
            return None
        posterior, measured = self._posterior(observation)
        values = np.where(measured[:, None], -np.inf, self._belief_mdp.matrix)  # (B, H, M)
        designs = np.arange(self._belief_mdp.num_designs)  # (M,)
        is_best = values.argmax(axis=2)[..., None] == designs  # (B, H, M)
        probabilities = (is_best * posterior[..., None]).sum(axis=1)  # (B, M)
        batches = _padded(designs[:, None].tolist(), self.spec.batch_size)  # (M, q)
        return self.space.actions(batches[..., None]), probabilities


def exact_thompson(spec: CampaignSpec) -> DesignsPolicy | None:
    """Thompson sampling from the exact posterior; None where that is not known."""
    if why_not_known(spec) is not None:
        return None
    return (
        BanditThompson(spec) if isinstance(spec.prior, BernoulliArms) else LandscapeThompson(spec)
    )
