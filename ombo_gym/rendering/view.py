"""What a picture shows of one campaign, and the colours that all its parts share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs
from ombo_gym.problems.core.base import Instances, Problem

if TYPE_CHECKING:
    from ombo_gym.campaign import Campaigns

SIDE = 64  # points a side of the grid over a square
_MOST_DESIGNS = 512  # drawn of a start


@dataclass(frozen=True)
class CampaignView:
    """One campaign of B; nothing here is ever written to."""

    problem: Problem
    designs: Designs  # (n, *shape)
    values: NDArray[np.float64]  # (n,) as measured
    true_values: NDArray[np.float64]  # (n,)
    rounds: NDArray[np.int64]  # (n,) 0: the start
    round: int
    horizon: int
    optimum: float  # NaN unless known
    noise_std: float
    instance: Instances  # arrays with one row

    @classmethod
    def of(cls, campaigns: Campaigns, env_index: int) -> CampaignView:
        """The view of one of B campaigns."""
        count = campaigns.num_observed[env_index]
        return cls(
            campaigns.problem,
            campaigns.designs[env_index, :count],
            campaigns.measurements[env_index, :count],
            campaigns.true_values[env_index, :count],
            campaigns.rounds[env_index, :count],
            int(campaigns.round[env_index]),
            int(campaigns.horizon[env_index]),
            float(campaigns.optimum[env_index]),
            campaigns.noise_std,
            {name: array[env_index : env_index + 1] for name, array in campaigns.instances.items()},
        )

    @property
    def newest(self) -> NDArray[np.bool_]:
        """Which designs the last batch is, (n,); none before the first."""
        newest: NDArray[np.bool_] = (self.rounds == self.round) & (self.rounds > 0)
        return newest

    @cached_property
    def listing(self) -> Designs | None:
        """The designs of the landscape, (m, *shape): a pool, or a grid in up to two dimensions."""
        return self.problem.design_space.grid(SIDE)

    @cached_property
    def landscape(self) -> NDArray[np.float64]:
        """True values of the listing, (m,); (0,) where there is none or it costs too much."""
        if self.listing is None or not self.problem.cheap:
            return np.zeros(0)
        values: NDArray[np.float64]
        values = self.problem.true_values(self.instance, self.listing[None])[0][0]
        return values

    @cached_property
    def posterior_means(self) -> NDArray[np.float64] | None:
        """What the dataset says of every design, (size,), where that is known exactly."""
        prior = self.problem.prior
        if prior is None or not prior.exact or self.noise_std > 0:
            return None
        observed = np.ones((1, len(self.values)), bool)
        means: NDArray[np.float64]
        (means,) = prior.posterior_means(self.designs[None], self.values[None], observed)
        return means

    @cached_property
    def limits(self) -> tuple[float, float]:
        """The range of values, as far as it is known: it moves little from frame to frame."""
        known = np.concatenate([self.landscape, self.values, self.true_values, [self.optimum]])
        known = known[np.isfinite(known)]
        low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
        margin = 0.06 * (high - low) or 0.5
        return float(low - margin), float(high + margin)

    @cached_property
    def drawn(self) -> NDArray[np.intp]:
        """Designs to draw, (k,): all, but of a large start some, the best among them."""
        start = np.flatnonzero(self.rounds == 0)
        if len(start) <= _MOST_DESIGNS:
            return np.arange(len(self.rounds))
        sample = start[np.linspace(0, len(start) - 1, _MOST_DESIGNS).astype(int)]
        best = start[self.values[start].argmax()]
        return np.concatenate([np.union1d(sample, [best]), np.flatnonzero(self.rounds > 0)])

    def scatter(self, axes: Any, x: NDArray[Any], y: NDArray[Any], size: float = 36) -> None:
        """Dots of the drawn designs, dark for the start, bright for late rounds, ringed if newest.

        Args:
            axes: Where to.
            x: (n,)
            y: (n,)
            size: Of a dot, in square points; many dots are smaller.
        """
        started = self.rounds == 0
        for mask, ring in (
            (started, "w"),
            (~started & ~self.newest, "w"),
            (self.newest, "k"),
        ):
            indices = self.drawn[mask[self.drawn]]
            axes.scatter(
                x[indices],
                y[indices],
                s=size if len(indices) <= 200 else size / 3,
                c=self.colours(self.rounds[indices]),
                edgecolors=ring,
                linewidths=1.2 if ring == "k" else 0.5,
                clip_on=False,
                zorder=3,
            )

    def colours(self, rounds: NDArray[np.int64] | Sequence[int]) -> NDArray[np.float64]:
        """A colour for each round, (k, 4)."""
        from matplotlib import colormaps

        shares = np.asarray(rounds) / (1.15 * self.horizon)  # the palest are unseen on white
        colours: NDArray[np.float64] = colormaps["plasma"](shares)
        return colours
