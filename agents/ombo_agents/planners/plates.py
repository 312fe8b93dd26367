"""The sizes of the batches to come, which planners read, and who has the same before them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ombo_gym.observations import Observation
from ombo_gym.spec import CampaignSpec

Plates = tuple[int, ...]  # the next one first


def by_plates(observation: Observation) -> Iterator[tuple[Plates, NDArray[np.intp]]]:
    """Unfinished campaigns with the same plates to come, and which they are, (R,).

    Args:
        observation: Of B campaigns.
    """
    sizes = observation["plates"].astype(np.int64)  # (B, N)
    active = np.flatnonzero(sizes[:, 0] > 0)  # of a campaign that is over, there are none
    distinct, kind = np.unique(sizes[active], axis=0, return_inverse=True)
    for number, padded in enumerate(distinct.tolist()):
        yield tuple(size for size in padded if size), active[kind.ravel() == number]


def whole_campaign(spec: CampaignSpec) -> Plates:
    """The plates of a spec's longest campaign, the largest where their size varies."""
    return spec.plates or (spec.batch_size,) * spec.horizon


def why_not_alike(spec: CampaignSpec) -> str | None:
    """What it takes for all campaigns to begin alike and have the same plates; None: they do."""
    one_size = spec.horizons[0] == spec.horizons[1] and (
        spec.plates is not None or spec.batch_sizes[0] == spec.batch_sizes[1]
    )
    if one_size and not spec.start_capacity:
        return None
    return (
        'one horizon, one batch size (or plates) and start={"kind": "none"}, got horizon '
        f"{list(spec.horizons)}, batch_size {list(spec.batch_sizes)} and {spec.start_capacity} "
        "starting rows"
    )


def describe_plates(plates: Plates) -> str:
    """The plates as errors say them."""
    if len(set(plates)) == 1:
        return f"N = {len(plates)} rounds of q = {plates[0]}"
    return f"N = {len(plates)} rounds of {' + '.join(map(str, plates))} designs"
