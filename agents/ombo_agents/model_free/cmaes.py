"""Covariance matrix adaptation, by pycma."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.model_free.rounds import reflected, rounds_played, start_size
from ombo_agents.offline.encoding import Encoding, PoolEncoding, encoding_of
from ombo_agents.policy import DesignsPolicy, Observation
from ombo_agents.settings import number, whole
from ombo_agents.unmeasured import fresh
from ombo_gym.design_spaces import (
    BoxDesigns,
    CategoricalDesigns,
    Designs,
    DesignSpace,
    repeated,
)
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows

_FULL = 128  # dimensions up to which the whole covariance matrix is adapted, beyond: its diagonal
_TRIES = 8  # times q samples are looked at where not all of them are worth measuring
_SMALLEST = 4  # designs of a generation


class CMAES(DesignsPolicy):
    """Samples q designs from pycma's search distribution, which is told of all rounds again.

    The mean starts at the recombination of the start's best rows (pycma's weights: logarithmic in
    rank), and each round is a generation, told in its order; where q is below 4, several rounds
    are one, sampled from one distribution. Nothing but the ranks of values is used. Without a start
    the mean is the middle of the space.

    Boxes are searched as they are, with mirrors at the sides; ordered levels as numbers; pools in
    standardised features, for the nearest candidates that were not measured. On categories the
    search is over logits, one for each category of a position, and a design is the largest of each
    position; what is told of a measured design are its own logits, 1 for its categories and 0
    elsewhere, not the sample that it came from, which a dataset does not hold. Where a measured
    design is worth nothing, samples that were measured are drawn again, and where a batch is to
    hold a design once, those that it holds.

    With one round it is a single sample around the best visible designs. That is not what
    Design-Bench calls CMA-ES, which runs for many generations on a learned model and proposes the
    last one.

    Args:
        game: The campaigns it is built for.
        sigma: First step size: in boxes of side 2, and in logits.
        elite: Best rows of the start that make the first mean.

    Raises:
        ValueError: An argument out of range.
        ImportError: pycma is missing.

    Reference:
        Hansen, The CMA evolution strategy: a tutorial, 2016; Ros and Hansen, A simple modification
        in CMA-ES achieving linear time and space complexity, 2008 (the diagonal).
    """

    horizon_aware = False
    coincides = True

    def __init__(self, game: Game, *, sigma: float, elite: int) -> None:
        super().__init__(game)
        try:
            import cma
            from cma.sigma_adaptation import CMAAdaptSigmaCSA
        except ImportError as error:
            raise ImportError('cmaes needs cma: pip install "ombo-gym[agents]"') from error
        self.elite = whole("elite", elite)
        self._start = start_size(game)
        self._encoding = _encoding_of(self.space)
        self._generation = -(-_SMALLEST // self.batch_size) * self.batch_size  # whole rounds
        # Steps that are too long to be samples are cut short, but in boxes, where all are samples.
        self._check = False if isinstance(self.space, BoxDesigns) else None
        options = {
            "randn": _Normals(),
            "seed": np.nan,  # leaves numpy's global generator alone
            "popsize": self._generation,
            "CMA_diagonal": self._encoding.size > _FULL,
            # In small populations, and with a diagonal, pycma's defaults add samples of their own
            # to a generation, which a dataset does not show.
            "CMA_mirrors": 0,
            "AdaptSigma": CMAAdaptSigmaCSA,
            "verbose": -9,
            "verb_log": 0,
            "verb_disp": 0,
        }
        # Copies of it are made for each campaign: five times as fast as making new ones.
        self._new = cma.CMAEvolutionStrategy(
            np.zeros(self._encoding.size), number("sigma", sigma), options
        )

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        batch = np.zeros((len(draws), self.batch_size, *self.space.shape), self.space.dtype)
        counts = observation["observed"].sum(axis=1, dtype=np.int64)
        for row, n in enumerate(counts):
            designs = observation["designs"][row, :n]
            values = observation["values"][row, :n].astype(np.float64)
            batch[row] = self._sampled(designs, values, draws.take(np.array([row])))
        return batch

    def _sampled(
        self, designs: Designs, values: NDArray[np.float64], draws: GeneratorRows
    ) -> Designs:
        """The batch of one campaign, (q, *shape)."""
        q, space, encoding = self.batch_size, self.space, self._encoding
        strategy = self.told(designs, values, draws.generators[0])
        if isinstance(encoding, PoolEncoding):
            taken = np.zeros(len(encoding.pool), bool)
            if self.distinct:
                taken[designs[:, 0]] = True
            points = np.array(strategy.ask(q), np.float32)
            return encoding.decode_untaken(points, taken, distinct=self.distinct)
        found = self._designs(strategy.ask(q))
        tries = _TRIES if self.once or not self.repeats else 0
        for attempt in range(tries):
            useless = repeated(found[None])[0]
            if not self.repeats:
                useless |= space.among(found[None], designs[None])[0]
            found = found[~useless][:q]
            if len(found) == q:
                break
            more = (
                self._designs(strategy.ask(q)) if attempt < tries - 1 else fresh(space, draws, q)[0]
            )
            found = np.concatenate([found, more])
        return found[:q]

    def told(
        self, designs: Designs, values: NDArray[np.float64], generator: np.random.Generator
    ) -> Any:
        """The strategy of pycma after all rounds of a campaign.

        Args:
            designs: (n, *shape) measured.
            values: (n,).
            generator: What is asked from now on is drawn with it.
        """
        played = rounds_played(len(values), self._start, self.batch_size)
        first = len(values) - played * self.batch_size
        points = self._encoding.encode(designs).astype(np.float64)
        mean = np.zeros(self._encoding.size)
        if first:
            best = np.argsort(-values[:first], kind="stable")[: self.elite]
            weights = np.log(len(best) + 0.5) - np.log(np.arange(len(best)) + 1)
            mean = (weights[:, None] * points[best]).sum(axis=0) / weights.sum()
        strategy = deepcopy(self._new)
        strategy.mean = mean
        generation = self._generation
        for at in range(first, len(values) - generation + 1, generation):
            strategy.ask()  # pycma wants to be asked before it is told
            told = slice(at, at + generation)
            # It minimises.
            strategy.tell(list(points[told]), (-values[told]).tolist(), self._check)
        strategy.opts["randn"].generator = generator
        return strategy

    def _designs(self, samples: Any) -> Designs:
        points = np.array(samples)
        if isinstance(self.space, BoxDesigns) or getattr(self.space, "ordinal", False):
            points = reflected(points)
        return self._encoding.decode(points.astype(np.float32))


class _Normals:
    """Normal numbers as pycma asks for them; a copied strategy has a copy of its own."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(0)  # for samples that nobody sees

    def __call__(self, *shape: int) -> NDArray[np.float64]:
        return self.generator.standard_normal(shape)


class _Logits(Encoding):
    """A logit for each category of each position; a point stands for the largest of them.

    Unlike logits relative to the first category, they are alike in all categories: so is a normal
    distribution with one variance.
    """

    def __init__(self, space: CategoricalDesigns) -> None:
        self.exist = np.arange(space.categories.max()) < space.categories[:, None]  # (L, most)
        self.size = int(self.exist.sum())

    def encode(self, designs: Designs) -> NDArray[np.float32]:
        one_hot = np.arange(self.exist.shape[1]) == designs[..., None]  # (n, L, most)
        return one_hot[:, self.exist].astype(np.float32)

    def decode(self, points: NDArray[np.float32]) -> Designs:
        logits = np.full((len(points), *self.exist.shape), -np.inf, np.float32)
        logits[:, self.exist] = points
        return logits.argmax(axis=2)


def _encoding_of(space: DesignSpace) -> Encoding:
    if isinstance(space, CategoricalDesigns) and not space.ordinal:
        return _Logits(space)
    return encoding_of(space)
