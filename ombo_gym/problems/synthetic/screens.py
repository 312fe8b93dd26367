"""Random functions over any design space, made like what laboratories measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.arguments import members, shown
from ombo_gym.design_spaces import (
    BoxDesigns,
    CandidateDesigns,
    CategoricalDesigns,
    CategoryPool,
    Designs,
    DesignSpace,
    FiniteDesigns,
    design_space_of,
)
from ombo_gym.design_spaces.finite import in_strides
from ombo_gym.design_spaces.layout import Layout
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.problems.core.checks import is_number, is_whole
from ombo_gym.problems.core.mutation_search import climb_by_mutation
from ombo_gym.problems.core.pattern_search import pattern_search
from ombo_gym.problems.synthetic.screen_functions import (
    Coordinates,
    draw_functions,
    values_of,
)
from ombo_gym.randomness import BatchedGenerator, KeyedGenerator, Stream

_REFERENCE = 256  # designs that values are scaled over
_LISTED = 4096  # designs that a percentile start is sliced from, at most
_EXACT = 2**16  # designs up to which the optimum is that of all
_MOST_PARAMETERS = 256
_MOST_LEVELS = 2**13  # of all categories together
_LARGEST_POOL = 2**16
_LARGEST_FEATURES = 2**24  # of all candidates together
_MOST_NOISE = 100.0
_PATTERN = {"scatter": 4096, "climbers": 8, "max_iterations": 200}
_MUTATION = {"scatter": 4096, "climbers": 16, "mutants": 32, "iterations": 40}


class Screens(Problem):
    """Random functions over a design space of your own, made like what laboratories measure.

    What policies are trained on before they meet real campaigns. Over one design space, which the
    arguments say, every campaign draws a function of its own: main effects of few or many
    parameters, interactions of a few pairs, a smooth and a rugged part of all parameters in shares
    that vary, bent to one side or the other, and in a third of functions designs that do not work
    and give 0. [Where measured tables lie](../results/calibration.md) among such functions is what
    the ranges were chosen by.

    A value has no unit and is maximised. Over the design space its standard deviation is 1; few
    designs are below 0, and designs that do not work have 0 exactly. Every design can be measured.
    `reference` is 0. Measurements are exact unless `noise_std`, which players are told, or
    `max_noise` says otherwise.

    A category is seen by a function as a random point of three dimensions, so that some of the
    levels are alike, whatever descriptors they have; ordered levels and ranges are seen as numbers
    on their scale. Each part is a sum of 32 cosines (random Fourier features): a closed form, so
    that true values are exact and repeatable.

    The optimum, score 1, is that of all designs where there are at most 65,536 of them; else it is
    searched for, from below. It is known when it is asked for. A percentile start is sliced from
    4,096 designs, evenly spread over those there are, or 1,024 random ones of a space without an
    end of designs.

    Args:
        parameters: Of a design. A whole number d: the box [-1, 1]^d. A list of whole numbers: the
            levels of categories. A dict: [parameters](../guides/space_file.md) by name, ranges,
            ordered levels and choices.
        pool: How many candidates, drawn once for all campaigns, are all the designs that there are;
            None: whatever the parameters allow.
        max_noise: Every function has Gaussian noise of its own, of a standard deviation between 0
            and this, which players are not told.

    Raises:
        ValueError: An argument that is none of that, or more parameters, levels or candidates than
            there is room for.

    References:
        Rahimi and Recht, Random Features for Large-Scale Kernel Machines, NeurIPS 2007.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> parameters = {"T": {"range": [20, 120]}, "base": ["KOH", "DBU"], "eq": [1, 2, 4]}
        >>> env = gym.make("Ombo/Screens-v0", parameters=parameters, horizon=3, batch_size=8)
        >>> observation, info = env.reset(seed=0, options={"optimum": True})
    """

    domain: ClassVar[str] = "synthetic"
    rounds: ClassVar[tuple[int, int]] = (1, 20)
    start: ClassVar[dict[str, Any]] = {"kind": "random", "size": 4}

    def __init__(
        self,
        *,
        parameters: int | Sequence[int] | Mapping[str, Any] = (4, 12, 15),
        pool: int | None = None,
        max_noise: float = 0.0,
    ) -> None:
        if not is_number(max_noise) or not 0 <= max_noise <= _MOST_NOISE:
            raise ValueError(
                f"max_noise: expected a number from 0 to {_MOST_NOISE:g}, got {shown(max_noise)}"
            )
        self._max_noise = float(max_noise)
        space = _space(parameters)
        self._columns = _Columns(space)
        self._coordinates = self._columns.coordinates
        self.design_space: DesignSpace = space
        self._pool: NDArray[np.float64] | None = None  # (n, P) columns of the candidates
        if pool is not None:
            candidates = _candidates(space, pool)
            self._pool = self._columns.of(candidates)
            self.design_space = _as_pool(space, candidates)
        self._reference = self._columns_of(_evenly(self.design_space, _REFERENCE))
        size = self.design_space.size
        self.optimum_exact = size is not None and size <= _EXACT

    @property
    @override
    def noisy(self) -> bool:
        return self._max_noise > 0

    def _columns_of(self, designs: Designs) -> NDArray[np.float64]:
        """Numbers and codes of each parameter, (..., *shape) -> (..., P)."""
        return self._columns.of(designs) if self._pool is None else self._pool[designs[..., 0]]

    @override
    def draw(self, rngs: BatchedGenerator) -> Instances:
        noise = self._max_noise * rngs.random((1,))  # (R, 1)
        return {"noise": noise, **draw_functions(rngs, self._coordinates, self._reference)}

    @override
    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        functions = {name: array for name, array in instances.items() if name != "noise"}
        return values_of(functions, self._coordinates, self._columns_of(designs))

    @override
    def measure(
        self,
        instances: Instances,
        designs: Designs,
        true_values: NDArray[np.float64],
        rngs: BatchedGenerator,
    ) -> NDArray[np.float64]:
        if not self.noisy:
            return true_values
        return true_values + instances["noise"] * rngs.standard_normal(true_values.shape[1:])

    @override
    def visible(self, instances: Instances, percentile: float) -> Sequence[Designs] | None:
        size = self.design_space.size
        if size is None or size <= _LISTED:
            return super().visible(instances, percentile)
        listing = _evenly(self.design_space, _LISTED)
        num_campaigns = len(instances["noise"])
        values = self.evaluate(instances, np.broadcast_to(listing, (num_campaigns, *listing.shape)))
        cuts = np.percentile(values, percentile, axis=1, keepdims=True)
        return [listing[below] for below in values <= cuts]

    @override
    def visible_sizes(self, percentile: float) -> tuple[int, int]:
        size = min(self.design_space.size or _LISTED, _LISTED)
        return size, size

    @override
    def optimum(self, instances: Instances) -> NDArray[np.float64]:
        """Of each instance, (R,): of all designs where there are few, else by a search."""
        rows = range(len(instances["noise"]))
        return np.array(
            [
                self._best({name: array[i : i + 1] for name, array in instances.items()})
                for i in rows
            ]
        )

    def _best(self, instance: Instances) -> float:
        """The best value of one instance."""
        space = self.design_space
        if self.optimum_exact:
            return float(self.evaluate(instance, _evenly(space, _EXACT)[None]).max())

        def evaluate(designs: Designs) -> NDArray[np.float64]:
            return self.evaluate(instance, designs)

        if isinstance(space, BoxDesigns):
            return float(pattern_search(evaluate, 1, space.dim, **_PATTERN)[1][0])
        return float(climb_by_mutation(evaluate, space, _fixed(), **_MUTATION)[0])


class _Columns:
    """Takes designs apart: numbers from -1 to 1, and codes of categories.

    Attributes:
        coordinates: What functions see of the columns.
    """

    def __init__(self, space: DesignSpace) -> None:
        self._layout: Layout | None = None
        self._tables: list[NDArray[np.float64] | None] = []  # coordinates of ordered levels
        if isinstance(space, BoxDesigns):
            counts, self._tables = [0] * space.dim, [None] * space.dim
        elif space.parameters is None:
            assert isinstance(space, CategoricalDesigns)
            counts = space.categories.tolist()
            self._tables = [None] * len(counts)
        else:
            varying = list(space.parameters.varying.values())
            counts = [(each.count or 0) if each.category else 0 for each in varying]
            self._tables = [None if each.category else each.coordinates for each in varying]
            if not isinstance(space, CategoricalDesigns):
                self._layout = Layout(space.parameters)
        self.coordinates = Coordinates(tuple(counts))

    def of(self, designs: Designs) -> NDArray[np.float64]:
        """(..., *shape) -> (..., P)."""
        parts = (
            [designs[..., i] for i in range(designs.shape[-1])]
            if self._layout is None
            else self._layout.columns(designs)
        )
        columns = np.empty((*designs.shape[:-1], len(parts)))
        for i, (part, table) in enumerate(zip(parts, self._tables, strict=True)):
            columns[..., i] = part if table is None else table[part]
        return columns


def _space(parameters: Any) -> DesignSpace:
    """The design space that an argument means."""
    if is_whole(parameters):
        if not 1 <= parameters <= _MOST_PARAMETERS:
            raise ValueError(
                f"parameters: expected a box of 1 to {_MOST_PARAMETERS} dimensions, got "
                f"{shown(parameters)}"
            )
        return BoxDesigns(int(parameters))
    space: DesignSpace
    if isinstance(parameters, Mapping):
        space = design_space_of(parameters)
    else:
        counts = members(parameters)
        if not counts or not all(is_whole(n) and n > 1 for n in counts):
            raise ValueError(
                "parameters: expected a whole number, a list of at least one whole number above 1, "
                f"or a dict of parameters by name, got {shown(parameters)}"
            )
        _check_size(len(counts), sum(map(int, counts)))
        return CategoricalDesigns([int(n) for n in counts])
    coordinates = _Columns(space).coordinates
    _check_size(len(coordinates.counts), coordinates.num_levels)
    return space


def _check_size(num_parameters: int, num_levels: int) -> None:
    if num_parameters > _MOST_PARAMETERS or num_levels > _MOST_LEVELS:
        raise ValueError(
            f"parameters: expected at most {_MOST_PARAMETERS} parameters and {_MOST_LEVELS:,} "
            f"levels of categories in all, got {num_parameters:,} and {num_levels:,}"
        )


def _candidates(space: DesignSpace, pool: Any) -> Designs:
    """Different designs of a space, (pool, *shape), the same whenever they are asked for."""
    most = min(_LARGEST_POOL, space.size or _LARGEST_POOL)
    if not is_whole(pool) or not 2 <= pool <= most:
        raise ValueError(
            f"pool: expected a whole number of candidates from 2 to {most:,}, got {shown(pool)}"
        )
    width = len(space.feature_groups)
    if not _of_categories(space) and pool * width > _LARGEST_FEATURES:
        raise ValueError(
            f"pool: expected at most {_LARGEST_FEATURES:,} features of all candidates together, "
            f"got {pool:,} candidates with {width:,} each; take fewer"
        )
    candidates: Designs = space.sample_distinct(_fixed(), int(pool))[0]
    return candidates


def _of_categories(space: DesignSpace) -> bool:
    """Whether a pool of the designs works features out where they are looked at."""
    return isinstance(space, CategoricalDesigns) and not space.is_level.any()


def _as_pool(space: DesignSpace, candidates: Designs) -> CandidateDesigns:
    """The candidates, as surrogates see designs of the space."""
    if _of_categories(space):
        return CategoryPool(candidates)
    categories = space.category_features
    return CandidateDesigns(
        space.features(candidates),
        scale="none",
        groups=space.feature_groups.tolist(),
        is_category=None if categories is None else categories.tolist(),
    )


def _evenly(space: DesignSpace, count: int) -> Designs:
    """Designs from all over a space, (m, *shape): all where there are no more than `count`."""
    if isinstance(space, FiniteDesigns) and space.listable:
        return space.decode(in_strides(space.size, count=min(count, space.size)))
    designs: Designs = space.sample(_fixed(), count)[0]
    return designs


def _fixed() -> BatchedGenerator:
    """Randomness that is the same in every process."""
    return KeyedGenerator(np.zeros(1, np.uint64), Stream.CANDIDATES)
