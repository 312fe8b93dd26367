"""How long the surrogate that is fitted takes to fit."""

from __future__ import annotations

from time import process_time

import numpy as np

from ombo_gym import BoxDesigns, CampaignSpec, DesignSpace, MixedDesigns
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate
from scripts.benchmark.arguments import Args
from scripts.benchmark.rows import Row

OBSERVATIONS = 50
SPACES: dict[str, DesignSpace] = {
    "6-D": BoxDesigns(6),
    "20-D": BoxDesigns(20),
    "of 3 numbers and 2 categories": MixedDesigns(
        {"a": (0, 1), "b": (0, 1), "c": (0, 1), "d": list("wxyz"), "e": list("wxyz")}
    ),
}
_TARGET = 6.0  # milliseconds
_TRIES = 3  # of which the fastest is reported


def fits(args: Args) -> list[Row]:
    """CPU milliseconds of a fit to 50 observations, of many campaigns together."""
    return [
        Row(
            f"fit to {OBSERVATIONS} observations, {name}",
            1e3 * seconds_of_a_fit(space, args.fit_campaigns, args.seed),
            "ms",
            target=_TARGET,
            sense="<=",
        )
        for name, space in SPACES.items()
    ]


def seconds_of_a_fit(space: DesignSpace, campaigns: int, seed: int) -> float:
    """CPU seconds a campaign, of functions of the first and the last feature with some noise."""
    generators = [np.random.default_rng([seed, row]) for row in range(campaigns)]
    rngs = GeneratorBatch(generators, campaigns)
    features = space.features(space.sample(rngs, OBSERVATIONS))  # (R, n, k)
    values = np.sin(3 * features[..., 0]) + features[..., -1] ** 2  # (R, n)
    values += 0.1 * rngs.standard_normal((OBSERVATIONS,))
    surrogate, tries = make_surrogate(CampaignSpec(space)), []
    for _ in range(_TRIES):
        begun = process_time()
        Posterior(surrogate, features, values)
        tries.append(process_time() - begun)
    return min(tries) / campaigns
