"""How much memory campaigns take, before any of it is taken."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ombo_gym.arguments import shown

if TYPE_CHECKING:
    from ombo_gym.spec import CampaignSpec

LIMIT = "OMBO_MAX_GIB"  # the environment variable that raises the limit, or lowers it
DEFAULT_GIB = 2.0
_GENERATOR = 2_000  # bytes of a campaign's generator and its seed
_GIB = 2**30


def largest_bytes() -> int | None:
    """How much the arrays of campaigns may take together; None: there is no limit.

    Raises:
        ValueError: The environment variable holds no positive number.
    """
    given = os.environ.get(LIMIT, str(DEFAULT_GIB))
    try:
        gib = float(given)
    except ValueError:
        gib = math.nan
    if not gib > 0:
        raise ValueError(f"{LIMIT}: expected a positive number of GiB, or inf, got {given!r}")
    return None if math.isinf(gib) else int(gib * _GIB)


def campaign_bytes(spec: CampaignSpec, *, wastes_repeats: bool = False) -> int:
    """What the arrays of one campaign take: its state, an observation, an action, their spaces.

    Args:
        spec: Of the campaign.
        wastes_repeats: Whether every batch is compared with the whole dataset.
    """
    space, capacity, q = spec.design_space, spec.capacity, spec.batch_size
    one = space.observation_space(1)
    assert one.dtype is not None
    entries = math.prod(space.shape)
    computed, observed = space.dtype.itemsize, one.dtype.itemsize
    # A space holds two bounds and two flags an entry, once for a campaign and once for the batch.
    row = entries * (computed + observed + 2 * (2 * observed + 2))  # designs
    row += 8 * 4 + 2 * (2 * 8 + 2)  # measurements twice, true values, rounds; bounds
    row += 2  # observed, from_start
    slot = entries * (computed + 2 * (2 * computed + 2)) + 8  # of an action; a true value in infos
    plate = 8 + 2 * 4 + 2 * (2 * 4 + 2)
    compared = q * capacity if wastes_repeats else 0
    return _GENERATOR + capacity * row + q * slot + spec.horizon * plate + compared


def check_memory(
    spec: CampaignSpec, num_campaigns: int = 1, *, wastes_repeats: bool = False
) -> None:
    """Refuses campaigns whose arrays would take more memory than is allowed.

    Args:
        spec: Of the campaigns.
        num_campaigns: B.
        wastes_repeats: As in `campaign_bytes`.

    Raises:
        ValueError: They would; names the arguments and says how much.
    """
    limit = largest_bytes()
    needed = num_campaigns * campaign_bytes(spec, wastes_repeats=wastes_repeats)
    if limit is None or needed <= limit:
        return
    names = ["horizon", "batch_size"] if spec.plates is None else ["plates"]
    names += ["start"] if spec.start_capacity else []
    names += ["num_envs"] if num_campaigns > 1 else []
    campaigns = "one campaign" if num_campaigns == 1 else f"{shown(num_campaigns)} campaigns"
    raise ValueError(
        f"{', '.join(names)}: expected campaigns that take at most {_gib(limit)} of memory, got "
        f"about {_gib(needed)} for "
        f"{campaigns} of up to {shown(spec.horizon)} rounds of up to "
        f"{shown(spec.batch_size)} designs after a start of up to {shown(spec.start_capacity)}; "
        f"ask for less, or raise the limit by the environment variable {LIMIT}, in GiB"
    )


def check_total_memory(groups: Sequence[tuple[CampaignSpec, int]], num_campaigns: int) -> None:
    """Refuses campaigns of several specs whose arrays would take more memory than is allowed.

    Args:
        groups: Specs, and how many campaigns of each are held.
        num_campaigns: How many may come on top, all of them of the largest.

    Raises:
        ValueError: They would; says how much.
    """
    limit = largest_bytes()
    sizes = [campaign_bytes(spec) for spec, _ in groups]
    held = sum(size * count for size, (_, count) in zip(sizes, groups, strict=True))
    needed = held + num_campaigns * max(sizes)
    if limit is None or needed <= limit:
        return
    raise ValueError(
        f"num_envs, tasks: expected campaigns that take at most {_gib(limit)} of memory, got about "
        f"{_gib(needed)} for {shown(num_campaigns)} rows of {len(groups)} kinds of campaigns; ask "
        f"for less, or raise the limit by the environment variable {LIMIT}, in GiB"
    )


def _gib(count: int) -> str:
    """So many bytes in a message."""
    if count < 10**3 * _GIB:
        return f"{count / _GIB:.3g} GiB"
    return f"{count // _GIB:,} GiB" if count < 10**6 * _GIB else "a million GiB or more"
