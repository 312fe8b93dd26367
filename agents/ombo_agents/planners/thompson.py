"""Thompson sampling from posteriors that are known exactly."""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import comb, factorial, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, xlog1py, xlogy

from ombo_agents.planners.beliefs import BanditBeliefs, Floats, LandscapeBeliefs
from ombo_agents.policy import DesignsPolicy, Observation
from ombo_gym.game import Game
from ombo_gym.problems.bandit import Bandit
from ombo_gym.problems.landscapes import Landscapes
from ombo_gym.randomness import GeneratorRows

_MOST_NODES, _MOST_BATCHES = 1024, 10_000  # up to which probabilities are told


class BanditThompson(DesignsPolicy):
    """Every pull is of the arm that is best in a draw of its own from the Beta posteriors.

    Args:
        game: Of `Ombo/Bandit-v0`.

    Reference:
        Thompson, 1933; Kandasamy et al., AISTATS 2018, for batches.
    """

    horizon_aware = False
    exchangeable = True

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        assert isinstance(game.problem, Bandit)
        self._beliefs = BanditBeliefs(game.problem)

    def _posterior(self, observation: Observation) -> tuple[Floats, Floats]:
        return self._beliefs.weigh(self._beliefs.states(self._beliefs.items(observation)))

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        a, b = self._posterior(observation)
        parameters, q = iter(zip(a, b, strict=True)), self.batch_size
        sampled = draws.draw(lambda rng: rng.beta(*next(parameters), size=(q, a.shape[1])))
        known = np.broadcast_to(self._beliefs.known, (len(a), q, len(self._beliefs.known)))
        best: NDArray[np.int64] = np.concatenate([sampled, known], axis=2).argmax(axis=2)
        return best[..., None]

    def distribution(  # noqa: D102
        self, observation: Observation
    ) -> tuple[NDArray[Any], Floats] | None:
        a, b = self._posterior(observation)
        whole = (a == np.round(a)).all() and (b == np.round(b)).all()
        nodes = int((a + b).sum(axis=1).max(initial=0)) // 2 + 1  # enough for polynomials
        arms, q = self._beliefs.size, self.batch_size
        if not whole or nodes > _MOST_NODES or comb(arms + q - 1, q) > _MOST_BATCHES:
            return None
        chances = chances_of_being_best(a, b, self._beliefs.known, nodes)  # (B, M)
        batches = np.array(list(combinations_with_replacement(range(arms), q)), np.int64)
        counts = np.stack([np.bincount(batch, minlength=arms) for batch in batches])
        orders = [factorial(q) / prod(map(factorial, row)) for row in counts.tolist()]
        probabilities = np.array(orders) * np.prod(chances[:, None] ** counts, axis=2)
        return self.space.actions(batches[..., None]), probabilities


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
    density = np.exp(powers - betaln(a, b)[..., None])
    arms = a.shape[1]
    chances = np.zeros((len(a), arms + len(known)))
    for arm in range(arms):
        others = np.delete(below, arm, axis=1).prod(axis=1)
        chances[:, arm] = (density[:, arm] * others) @ weights
    if len(known):
        chances[:, arms + int(known.argmax())] = betainc(a, b, floor).prod(axis=1)
    return chances / chances.sum(axis=1, keepdims=True)


class LandscapeThompson(DesignsPolicy):
    """Every slot takes the best design that is left in a landscape drawn from the posterior.

    Args:
        game: Of `Ombo/Landscapes-v0`.
    """

    horizon_aware = False
    exchangeable = True

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        assert isinstance(game.problem, Landscapes)
        self._beliefs = LandscapeBeliefs(game.problem)

    def _posterior(self, observation: Observation) -> tuple[Floats, NDArray[np.bool_]]:
        """Probabilities of the landscapes, (B, H), and which designs are measured, (B, M)."""
        states = self._beliefs.states(self._beliefs.items(observation))
        return self._beliefs.weigh(states)[0], states > 0

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        posterior, taken = self._posterior(observation)
        edges = np.cumsum(posterior, axis=1)
        lots = draws.random((self.batch_size,))  # (B, q)
        rows = np.arange(len(taken))
        batch = np.zeros((len(taken), self.batch_size, 1), np.int64)
        for slot in range(self.batch_size):
            landscape = (lots[:, slot, None] * edges[:, -1:] >= edges).sum(axis=1)
            values = np.where(taken, -np.inf, self._beliefs.matrix[landscape])
            batch[:, slot, 0] = values.argmax(axis=1)
            taken[rows, batch[:, slot, 0]] = True
        return batch

    def distribution(  # noqa: D102
        self, observation: Observation
    ) -> tuple[NDArray[Any], Floats] | None:
        if self.batch_size > 1:
            return None
        posterior, taken = self._posterior(observation)
        values = np.where(taken[:, None], -np.inf, self._beliefs.matrix)  # (B, H, M)
        best = values.argmax(axis=2)[..., None] == np.arange(self._beliefs.size)
        probabilities = (best * posterior[..., None]).sum(axis=1)
        designs = np.arange(self._beliefs.size)[:, None, None]
        return self.space.actions(designs), probabilities


def exact_thompson(game: Game) -> DesignsPolicy | None:
    """Thompson sampling from the exact posterior; None where that is not known."""
    if game.campaigns.noise_std == 0:
        if isinstance(game.problem, Bandit):
            return BanditThompson(game)
        if isinstance(game.problem, Landscapes):
            return LandscapeThompson(game)
    return None
