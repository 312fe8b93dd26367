"""Covariance matrix adaptation, by pycma."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.nearest_candidates import nearest
from ombo_agents.policy import DesignsPolicy
from ombo_agents.round_history import by_history
from ombo_agents.settings import number, whole
from ombo_agents.unmeasured import fresh
from ombo_gym.design_spaces import Designs, repeated
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats

_MAX_FULL_DIM = 128  # up to which the whole covariance matrix is adapted; beyond, the diagonal
_MAX_DRAWS = 8  # of q samples, where not all of them are worth measuring
_MIN_GENERATION = 4  # designs


class CMAES(DesignsPolicy):
    """Samples q designs from pycma's search distribution, which is told of all rounds again.

    The mean starts at the recombination of the start's best rows (pycma's weights: logarithmic in
    rank), and each round is a generation, told in its order; where q is below 4, several rounds
    are one, sampled from one distribution. Generations may differ in size: each is weighed as its
    size asks for. Nothing but the ranks of values is used. Without a start the mean is the middle
    of the space.

    Numbers are searched as they are, with mirrors at the sides, ordered levels as numbers too;
    pools in standardised features, for the nearest candidates that were not measured. On categories
    the search is over logits, one for each category of a position, and a design is the largest of
    each position; what is told of a measured design are its own logits, 1 for its categories and 0
    elsewhere, not the sample that it came from, which a dataset does not hold. Where a measured
    design is worth nothing, samples that were measured are drawn again, and where a batch is to
    hold a design once, those that it holds.

    With one round it is a single sample around the best visible designs. That is not what
    Design-Bench calls CMA-ES, which runs for many generations on a learned model and proposes the
    last one.

    Args:
        spec: Of the campaigns it is built for.
        sigma: First step size: of numbers from -1 to 1, and of logits.
        elite: Best rows of the start that make the first mean.

    Raises:
        ValueError: An argument out of range.
        ImportError: pycma is missing.

    Reference:
        Hansen, The CMA evolution strategy: a tutorial, 2016; Ros and Hansen, A simple modification
        in CMA-ES achieving linear time and space complexity, 2008 (the diagonal).
    """

    horizon_aware = False

    def __init__(self, spec: CampaignSpec, *, sigma: float, elite: int) -> None:
        super().__init__(spec)
        try:
            import cma  # noqa: F401
        except ImportError as error:
            raise ImportError('cmaes needs cma: pip install "ombo-gym[agents]"') from error
        self.sigma = number("sigma", sigma)
        self.elite = whole("elite", elite)
        self._relaxation = self.space.relaxation(softened=False)
        # Steps that are too long to be samples are cut short, but in boxes, where all are samples.
        free = self.space.free
        self._check_points = None if free is None or not free.all() else False
        # By size of a generation; copying them for each campaign is five times as fast as new ones.
        self._templates: dict[int, Any] = {}

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        space = self.space
        batch = np.zeros((len(rngs), q, *space.shape), space.dtype)
        for history in by_history(self.spec, observation, q, entries_per_row=space.shape[0]):
            for env_index in history.env_indices:
                designs = observation["designs"][env_index, : history.num_observed]
                values = observation["measurements"][env_index, : history.num_observed]
                own_rngs = rngs.take(np.array([env_index]))
                batch[env_index] = self._sampled(designs, values, history.edges, own_rngs, q)
        return batch

    def _sampled(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        edges: tuple[int, ...],
        rngs: GeneratorBatch,
        q: int,
    ) -> Designs:
        """The batch of one campaign, (q, *shape)."""
        space, repeats = self.space, self.spec.repeats
        strategy = self.replayed(designs, values, edges, rngs.generators[0])
        if (pool := self._relaxation.pool) is not None:
            points = np.array(strategy.ask(q), np.float32)[None].astype(float)
            candidates: Designs = nearest(pool, points, designs[None], repeats)[0]
            return candidates
        batch = self._designs(strategy.ask(q))
        max_draws = _MAX_DRAWS if self.spec.replaces_repeats else 0
        for attempt in range(max_draws):
            unusable = repeated(batch[None])[0]  # (m,)
            if repeats is Repeats.NEVER_AGAIN:
                unusable |= space.among(batch[None], designs[None])[0]
            batch = batch[~unusable][:q]
            if len(batch) == q:
                break
            last = attempt == max_draws - 1
            more = fresh(space, rngs, q)[0] if last else self._designs(strategy.ask(q))
            batch = np.concatenate([batch, more])
        return batch[:q]

    def replayed(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        edges: tuple[int, ...],
        generator: np.random.Generator,
    ) -> Any:
        """The strategy of pycma after all rounds of a campaign.

        Args:
            designs: (n, *shape) measured.
            values: (n,).
            edges: Where rounds begin, see `ombo_agents.round_history.RoundHistory`.
            generator: What is asked from now on is drawn with it.
        """
        num_start = edges[0]
        points = self._relaxation.encode(designs).astype(np.float64)
        mean = np.zeros(self._relaxation.size)
        if num_start:
            best = np.argsort(-values[:num_start], kind="stable")[: self.elite]
            weights = np.log(len(best) + 0.5) - np.log(np.arange(len(best)) + 1)
            mean = (weights[:, None] * points[best]).sum(axis=0) / weights.sum()
        replayed = list(generations(edges))
        first_size = replayed[0][1] - replayed[0][0] if replayed else _MIN_GENERATION
        strategy = self._new_strategy(first_size)
        strategy.mean = mean
        strategy.opts["randn"].generator = np.random.default_rng(0)  # for samples nobody sees
        for begin, end in replayed:
            self._set_generation_size(strategy, end - begin)
            strategy.ask()  # pycma wants to be asked before it is told
            # It minimises.
            strategy.tell(
                list(points[begin:end]), (-values[begin:end]).tolist(), self._check_points
            )
        strategy.opts["randn"].generator = generator
        return strategy

    def _new_strategy(self, size: int) -> Any:
        """A strategy that was told nothing yet, for generations of a size."""
        if size not in self._templates:
            from cma import CMAEvolutionStrategy
            from cma.sigma_adaptation import CMAAdaptSigmaCSA

            options = {
                "randn": _StandardNormal(),
                "seed": np.nan,  # leaves numpy's global generator alone
                "popsize": size,
                "CMA_diagonal": self._relaxation.size > _MAX_FULL_DIM,
                # In small populations, and with a diagonal, pycma's defaults add samples of their
                # own to a generation, which a dataset does not show.
                "CMA_mirrors": 0,
                "AdaptSigma": CMAAdaptSigmaCSA,
                "verbose": -9,
                "verb_log": 0,
                "verb_disp": 0,
            }
            start = np.zeros(self._relaxation.size)
            self._templates[size] = CMAEvolutionStrategy(start, self.sigma, options)
        return deepcopy(self._templates[size])

    def _set_generation_size(self, strategy: Any, size: int) -> None:
        """Gives a strategy the weights and learning rates of generations of a size."""
        if strategy.popsize != size:
            strategy.sp = self._new_strategy(size).sp
            strategy.adapt_sigma.initialize_settings(strategy, reset=True)

    def _designs(self, samples: Any) -> Designs:
        return self._relaxation.decode(self._relaxation.mirrored(np.array(samples)))


def generations(edges: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Where generations begin and end in a dataset: rounds, so many that they hold 4 designs.

    Args:
        edges: Where rounds begin, and the end of the dataset; rounds that do not make up a whole
            generation are left out.
    """
    begin = edges[0]
    for _, end in pairwise(edges):
        if end - begin >= _MIN_GENERATION:
            yield begin, end
            begin = end


class _StandardNormal:
    """Normal numbers as pycma asks for them; a copied strategy has a copy of its own."""

    generator: np.random.Generator | None = None  # given when a campaign is told

    def __call__(self, *shape: int) -> NDArray[np.float64]:
        assert self.generator is not None
        return self.generator.standard_normal(shape)
