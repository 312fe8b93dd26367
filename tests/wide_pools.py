"""Pools of thousands of candidates, and campaigns on them, from a spec and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import CandidateDesigns, DesignSpace
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior, condition_on_dataset
from ombo_gym.surrogates.surrogate import make_surrogate


def pool(size: int, *, features: int = 4, seed: int = 0) -> CandidateDesigns:
    """Normal features of mean squared distance 1."""
    normals = np.random.default_rng(seed).standard_normal((size, features))
    return CandidateDesigns(normals / np.sqrt(2 * features))


def heights(space: DesignSpace, codes: NDArray[Any]) -> NDArray[np.float64]:
    """A hill over the features of listed designs, (...,) -> (...)."""
    features = space.features(space.decode(codes))
    hill: NDArray[np.float64] = np.exp(-((features - 0.3) ** 2).sum(axis=-1))
    return hill


def spec_of(space: DesignSpace, **further: Any) -> CampaignSpec:
    """Of campaigns of two plates of four."""
    arguments: dict[str, Any] = {
        "plates": [4, 4],
        "start_capacity": 12,
        "repeats": Repeats.DISTINCT_IN_BATCH,
        "surrogate": {"kernel": "fit"},
        "noise_std": 0.0,
    }
    return CampaignSpec(space, **{**arguments, **further})


def observed(spec: CampaignSpec, datasets: Iterable[NDArray[Any]]) -> Observation:
    """Campaigns that have measured the heights of listed designs, (n,) codes each."""
    space, plates = spec.design_space, list(spec.plates or [])
    each = [
        spec.observation(
            space.decode(codes), heights(space, codes), plates_left=plates, from_start=len(codes)
        )
        for codes in datasets
    ]
    return {name: np.concatenate([one[name] for one in each]) for name in each[0]}


def some(space: DesignSpace, rows: int, count: int, seed: int = 1) -> NDArray[np.int64]:
    """Uniform designs by number, (rows, count)."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.choice(space.size or 0, count, replace=False) for _ in range(rows)])


def looked_at(spec: CampaignSpec, observation: Observation) -> list[CandidatePosterior]:
    """The groups of candidates that policies see."""
    rows = len(observation["rounds_left"])
    rngs = GeneratorBatch([np.random.default_rng([7, row]) for row in range(rows)], rows)
    return list(condition_on_dataset(observation, spec, make_surrogate(spec), rngs.take))
