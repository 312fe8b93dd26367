"""D-optimal designs for a linear model, given what was measured before."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.design_of_experiments.listed_exchanges import (
    PriorCovariances,
    d_optimal_listed,
)
from ombo_agents.policy import DesignsPolicy
from ombo_agents.round_history import by_count
from ombo_agents.settings import number, whole
from ombo_gym.design_spaces import Designs, DesignSpace, repeated
from ombo_gym.design_spaces.finite import LOOKED_AT
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats

Floats = NDArray[np.float64]

_MIN_GAIN = 1e-9  # by which an exchange must raise the determinant, relatively
_PENALTY = 1e12  # more than any variance: what bears it is chosen when nothing else is left
_STEP = 0.2  # of neighbours' numbers from -1 to 1: standard deviation


class DOptimal(DesignsPolicy):
    """The batch that tells most of a linear model's coefficients, after all rows of the dataset.

    On categories (ordered ones too) the model has an intercept and a main effect for each category
    of each position; in a pool it is linear in the features, beside categories in the numbers. The
    batch makes the determinant of X'X + ridge I large, X with all measured rows: the determinant of
    the posterior precision of coefficients with a weak normal prior, so that it works before there
    are as many rows as coefficients. It is filled with the candidates of largest predictive
    variance one by one, and then candidates are exchanged for slots, the best exchange first, until
    none helps. Candidates are all of a pool of up to 100,000 (of a larger one 100,000 at a time)
    and all designs of another space of up to 16,384, but for those of up to 1,024 designs, of which
    `candidates` uniform ones are; so they are in larger spaces, where further passes exchange
    designs for their neighbours.

    Values are not looked at. Boxes are left to `sobol` and `latin_hypercube`: a linear model's
    D-optimal designs in a box are its corners.

    Args:
        spec: Of the campaigns it is built for.
        candidates: To choose from, where not all designs are; 4 q where that is more.
        ridge: Precision of the prior, in units of a measurement's.
        passes: How often a batch is improved by further candidates, in a large space.

    Raises:
        ValueError: An argument out of range.

    Reference:
        Fedorov, Theory of optimal experiments, 1972 (exchanges); DuMouchel and Jones, A simple
        Bayesian modification of D-optimal designs, Technometrics 36, 1994.
    """

    horizon_aware = False

    def __init__(self, spec: CampaignSpec, *, candidates: int, ridge: float, passes: int) -> None:
        super().__init__(spec)
        self.ridge = number("ridge", ridge)
        self.passes = whole("passes", passes, at_least=0)
        self.candidates = whole("candidates", candidates)

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        space = self.space
        batch = np.zeros((len(rngs), q, *space.shape), space.dtype)
        if space.shared_candidates(0) is not None:
            return self._of_listed(observation, batch, q)
        count = max(self.candidates, 4 * q)
        lists_all = space.size is not None and space.size <= count
        if space.size is not None:
            count = min(count, space.size)
        grouped = by_count(observation, entries_per_row=count, entries_per_campaign=3 * count**2)
        for env_indices, num_observed in grouped:
            own_rngs = rngs.take(env_indices)
            measured = observation["designs"][env_indices, :num_observed]  # (R, n, *shape)
            candidates = space.sample_distinct(own_rngs, count)  # (R, M, *shape), in random order
            best = self._best_batch(candidates, measured, q, None)  # (R, q, *shape)
            for _ in range(0 if lists_all else self.passes):
                parents = best[:, np.arange(count - q) % q]  # (R, M - q, *shape)
                neighbours = space.mutate(parents, own_rngs, mutations=1.0, step=_STEP)
                candidates = np.concatenate([best, neighbours], axis=1)
                best = self._best_batch(candidates, measured, q, np.arange(q))
            batch[env_indices] = best
        return batch

    def _of_listed(self, observation: Observation, batch: Designs, q: int) -> Designs:
        """Batches of all designs that there are, or of many, in place of `batch` (B, q, *shape)."""
        space, repeats = self.space, self.spec.repeats
        codes = np.zeros(0, np.int64)
        size = min(space.size or 0, LOOKED_AT)
        grouped = by_count(observation, entries_per_row=1, entries_per_campaign=2 * (q + 4) * size)
        for env_indices, num_observed in grouped:
            now = space.shared_candidates(num_observed)
            assert now is not None
            if not np.array_equal(now, codes):
                codes, designs = now, space.decode(now)
                listed = regressors(space, designs[None])[0]  # (M, p)
            measured = observation["designs"][env_indices, :num_observed]  # (R, n, *shape)
            usable = np.ones((len(env_indices), len(codes)), bool)  # (R, M)
            if repeats is Repeats.NEVER_AGAIN:
                usable = ~space.marked(measured)[:, codes]
            prior = PriorCovariances(listed, regressors(space, measured), self.ridge)
            picks, _ = d_optimal_listed(prior, usable, q, repeats)
            batch[env_indices] = designs[picks]
        return batch

    def _best_batch(
        self, candidates: Designs, measured: Designs, q: int, initial: NDArray[np.intp] | None
    ) -> Designs:
        """The best batches among candidates, (R, M, *shape) -> (R, q, *shape)."""
        space, repeats = self.space, self.spec.repeats
        usable = ~repeated(candidates)  # (R, M)
        if repeats is Repeats.NEVER_AGAIN and measured.shape[1]:
            usable &= ~space.among(candidates, measured)
        covariance = predictive_covariance(
            regressors(space, candidates), regressors(space, measured), self.ridge
        )
        picks, _ = d_optimal_batch(covariance, usable, q, repeats, initial=initial)
        return candidates[np.arange(len(candidates))[:, None], picks]


def regressors(space: DesignSpace, designs: Designs) -> Floats:
    """An intercept and the effects of designs, (R, n, *shape) -> (R, n, p).

    Over all designs the effects have mean 0 and variance 1; those of one position are uncorrelated.
    """
    return np.concatenate([np.ones((*designs.shape[:2], 1)), space.effects(designs)], axis=2)


def predictive_covariance(candidates: Floats, measured: Floats, ridge: float) -> Floats:
    """Posterior covariance of the model's values at candidates, in units of a measurement's.

    Args:
        candidates: (R, M, p).
        measured: (R, n, p).
        ridge: Precision of the prior.

    Returns:
        (R, M, M).
    """
    n, p = measured.shape[1:]
    covariance: Floats
    if n > p:
        precision = np.matmul(measured.swapaxes(1, 2), measured) + ridge * np.eye(p)  # (R, p, p)
        solved = np.linalg.solve(precision, candidates.swapaxes(1, 2))  # (R, p, M)
        covariance = np.matmul(candidates, solved)
        return covariance
    covariance = np.matmul(candidates, candidates.swapaxes(1, 2)) / ridge  # (R, M, M) of the prior
    if n:
        cross = np.matmul(measured, candidates.swapaxes(1, 2))  # (R, n, M)
        gram = np.matmul(measured, measured.swapaxes(1, 2)) + ridge * np.eye(n)  # (R, n, n)
        covariance = (
            covariance - np.matmul(cross.swapaxes(1, 2), np.linalg.solve(gram, cross)) / ridge
        )
    return covariance


def d_optimal_batch(
    covariance: Floats,
    usable: NDArray[np.bool_],
    batch_size: int,
    repeats: Repeats,
    *,
    initial: NDArray[np.intp] | None = None,
) -> tuple[NDArray[np.intp], Floats]:
    """Batches that raise the determinant most, by filling slots and exchanging them.

    Args:
        covariance: (R, M, M) of the candidates, see `predictive_covariance`.
        usable: (R, M) candidates that may be chosen, while there are such.
        batch_size: q.
        repeats: Unless they are allowed, a batch holds a candidate once, while there are others.
        initial: (q,) candidates to begin with; None: the largest variance, slot by slot.

    Returns:
        (R, q) candidates, and (R,) the log of what they multiply the determinant by.
    """
    given_batch, row = covariance.copy(), np.arange(len(covariance))  # (R, M, M) given the slots
    chosen = np.zeros(usable.shape, bool)  # (R, M), where a batch holds a candidate once
    batch = np.empty((len(covariance), batch_size), np.intp)  # (R, q)
    gain = np.zeros(len(covariance))  # (R,)
    for slot in range(batch_size):
        scores = (
            np.diagonal(given_batch, axis1=1, axis2=2)
            - _PENALTY * (~usable)
            - 2 * _PENALTY * chosen
        )
        pick = scores.argmax(axis=1) if initial is None else np.full(len(row), initial[slot])
        batch[:, slot] = pick
        gain += np.log1p(given_batch[row, pick, pick])
        _include(given_batch, pick, 1.0)
        if repeats is not Repeats.ALLOWED:
            chosen[row, pick] = True
    for _ in range(4 * batch_size):
        variance = np.diagonal(given_batch, axis1=1, axis2=2)  # (R, M)
        slot_variance = variance[row[:, None], batch]  # (R, q)
        cross = given_batch[row[:, None], batch]  # (R, q, M)
        factors = (1 + variance[:, None]) * (1 - slot_variance[..., None]) + cross**2
        factors = np.where((usable & ~chosen)[:, None], factors, 0.0).reshape(len(row), -1)
        exchange = factors.argmax(axis=1)  # (R,) slot * M + candidate
        improved = np.flatnonzero(factors[row, exchange] > 1 + _MIN_GAIN)  # rows
        if not improved.size:
            break
        slot, new = np.divmod(exchange[improved], usable.shape[1])
        old = batch[improved, slot]
        exchanged = given_batch[improved]  # (improved, M, M)
        _include(exchanged, old, -1.0)
        _include(exchanged, new, 1.0)
        given_batch[improved] = exchanged
        batch[improved, slot] = new
        gain[improved] += np.log(factors[improved, exchange[improved]])
        if repeats is not Repeats.ALLOWED:
            chosen[improved, old], chosen[improved, new] = False, True
    return batch, gain


def _include(covariance: Floats, picks: NDArray[np.intp], sign: float) -> None:
    """Conditions (R, M, M) in place on a measurement of one candidate a row; sign -1: undoes it."""
    row = np.arange(len(picks))
    column = covariance[row, :, picks]  # (R, M)
    scale = sign / (1 + sign * column[row, picks])
    covariance -= scale[:, None, None] * column[:, :, None] * column[:, None, :]
