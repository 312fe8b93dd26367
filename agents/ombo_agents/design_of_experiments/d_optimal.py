"""D-optimal designs for a linear model, given what was measured before."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.policy import DesignsPolicy
from ombo_agents.round_history import by_count
from ombo_agents.settings import number, whole
from ombo_gym.design_spaces import Designs, DesignSpace, repeated
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats

Floats = NDArray[np.float64]

_BETTER = 1e-9  # by which an exchange must raise the determinant, relatively
_OUT = 1e12  # more than any variance: what is below it is chosen when nothing else is left
_NEAR = 0.2  # how far numbers of neighbours move, from -1 to 1: standard deviation


class DOptimal(DesignsPolicy):
    """The batch that tells most of a linear model's coefficients, after all rows of the dataset.

    On categories (ordered ones too) the model has an intercept and a main effect for each category
    of each position; in a pool it is linear in the features, beside categories in the numbers. The
    batch makes the determinant of X'X + ridge I large, X with all measured rows: the determinant of
    the posterior precision of coefficients with a weak normal prior, so that it works before there
    are as many rows as coefficients. It is filled with the candidates of largest predictive
    variance one by one, and then candidates are exchanged for slots, the best exchange first, until
    none helps. Candidates are all designs of a small space and uniform ones of a large space;
    there, further passes exchange designs for their neighbours (in a pool, for other uniform ones).

    Values are not looked at. Boxes are left to `sobol` and `latin_hypercube`: a linear model's
    D-optimal designs in a box are its corners.

    Args:
        spec: Of the campaigns it is built for.
        candidates: To choose from, 4 q where that is more.
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
        count = max(self.candidates, 4 * q)
        all_of_them = space.size is not None and space.size <= count
        if space.size is not None:
            count = min(count, space.size)
        for rows, n in by_count(observation, count, fixed=3 * count**2):
            drawn, measured = rngs.take(rows), observation["designs"][rows, :n]
            choices = space.sample_distinct(drawn, count)  # in random order
            chosen = self._chosen(choices, measured, q, None)
            for _ in range(0 if all_of_them else self.passes):
                turns = np.arange(count - q) % q
                others = space.mutate(chosen[:, turns], drawn, mutations=1.0, step=_NEAR)
                choices = np.concatenate([chosen, others], axis=1)
                chosen = self._chosen(choices, measured, q, np.arange(q))
            batch[rows] = chosen
        return batch

    def _chosen(
        self, choices: Designs, measured: Designs, q: int, initial: NDArray[np.intp] | None
    ) -> Designs:
        """The best batches among candidates, (R, M, *shape) -> (R, q, *shape)."""
        space, repeats = self.space, self.spec.repeats
        usable = ~repeated(choices)
        if repeats is Repeats.NEVER_AGAIN and measured.shape[1]:
            usable &= ~space.among(choices, measured)
        covariance = predictive(regressors(space, choices), regressors(space, measured), self.ridge)
        found, _ = optimal(covariance, usable, q, repeats, initial=initial)
        return choices[np.arange(len(choices))[:, None], found]


def regressors(space: DesignSpace, designs: Designs) -> Floats:
    """An intercept and the effects of designs, (R, n, *shape) -> (R, n, p).

    Over all designs the effects have mean 0 and variance 1; those of one position are uncorrelated.
    """
    return np.concatenate([np.ones((*designs.shape[:2], 1)), space.effects(designs)], axis=2)


def predictive(candidates: Floats, measured: Floats, ridge: float) -> Floats:
    """Posterior covariance of the model's values at candidates, in units of a measurement's.

    Args:
        candidates: (R, M, p).
        measured: (R, n, p).
        ridge: Precision of the prior.

    Returns:
        (R, M, M).
    """
    n, p = measured.shape[1:]
    if n > p:
        precision = np.matmul(measured.swapaxes(1, 2), measured) + ridge * np.eye(p)
        return np.matmul(candidates, np.linalg.solve(precision, candidates.swapaxes(1, 2)))
    prior = np.matmul(candidates, candidates.swapaxes(1, 2)) / ridge
    if n == 0:
        return prior
    across = np.matmul(measured, candidates.swapaxes(1, 2))  # (R, n, M)
    among = np.matmul(measured, measured.swapaxes(1, 2)) + ridge * np.eye(n)
    return prior - np.matmul(across.swapaxes(1, 2), np.linalg.solve(among, across)) / ridge


def optimal(
    covariance: Floats,
    usable: NDArray[np.bool_],
    batch_size: int,
    repeats: Repeats,
    *,
    initial: NDArray[np.intp] | None = None,
) -> tuple[NDArray[np.intp], Floats]:
    """Batches that raise the determinant most, by filling slots and exchanging them.

    Args:
        covariance: (R, M, M) of the candidates, see `predictive`.
        usable: (R, M) candidates that may be chosen, while there are such.
        batch_size: q.
        repeats: Unless they are allowed, a batch holds a candidate once, while there are others.
        initial: (q,) candidates to begin with; None: the largest variance, slot by slot.

    Returns:
        (R, q) candidates, and (R,) the log of what they multiply the determinant by.
    """
    marginals, row = covariance.copy(), np.arange(len(covariance))
    chosen = np.zeros(usable.shape, bool)  # (R, M), where a batch holds a candidate once
    batch = np.empty((len(covariance), batch_size), np.intp)
    gain = np.zeros(len(covariance))
    for slot in range(batch_size):
        scores = np.diagonal(marginals, axis1=1, axis2=2) - _OUT * (~usable) - 2 * _OUT * chosen
        pick = scores.argmax(axis=1) if initial is None else np.full(len(row), initial[slot])
        batch[:, slot] = pick
        gain += np.log1p(marginals[row, pick, pick])
        _include(marginals, pick, 1.0)
        if repeats is not Repeats.ALLOWED:
            chosen[row, pick] = True
    for _ in range(4 * batch_size):
        variance = np.diagonal(marginals, axis1=1, axis2=2)  # (R, M)
        inside = variance[row[:, None], batch]  # (R, q)
        between = marginals[row[:, None], batch]  # (R, q, M)
        factors = (1 + variance[:, None]) * (1 - inside[..., None]) + between**2
        factors = np.where((usable & ~chosen)[:, None], factors, 0.0).reshape(len(row), -1)
        swap = factors.argmax(axis=1)
        improved = np.flatnonzero(factors[row, swap] > 1 + _BETTER)
        if not improved.size:
            break
        slot, new = np.divmod(swap[improved], usable.shape[1])
        old = batch[improved, slot]
        some = marginals[improved]
        _include(some, old, -1.0)
        _include(some, new, 1.0)
        marginals[improved] = some
        batch[improved, slot] = new
        gain[improved] += np.log(factors[improved, swap[improved]])
        if repeats is not Repeats.ALLOWED:
            chosen[improved, old], chosen[improved, new] = False, True
    return batch, gain


def _include(marginals: Floats, picks: NDArray[np.intp], sign: float) -> None:
    """Takes a measurement of one candidate a row into account, or (sign -1) out again."""
    row = np.arange(len(picks))
    column = marginals[row, :, picks]  # (R, M)
    scale = sign / (1 + sign * column[row, picks])
    marginals -= scale[:, None, None] * column[:, :, None] * column[:, None, :]
