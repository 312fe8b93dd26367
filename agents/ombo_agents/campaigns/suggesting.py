"""What goes on the next plate: the policy, what plates keep, what is said of each well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.bayesian.doe_then_ucb import DoeThenUcb
from ombo_agents.campaigns.encoding import restricted
from ombo_agents.campaigns.factors import Columns, Floats
from ombo_agents.campaigns.known import Known, observation_of
from ombo_agents.campaigns.plate import Plate, Well
from ombo_agents.campaigns.reading import MEASURED
from ombo_agents.campaigns.sheets import found_column, match
from ombo_agents.campaigns.space import count_of, keys_of
from ombo_agents.campaigns.values import posterior_of, predicted
from ombo_agents.registry import make, supports
from ombo_gym.arguments import batch_sizes_of_plates, whole
from ombo_gym.design_spaces import Designs
from ombo_gym.observations import as_last_round
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import Repeats
from ombo_gym.surrogates.posterior import Posterior

if TYPE_CHECKING:
    from ombo_agents.campaigns.campaign import Campaign

_INTERVAL = 1.2815515655446004  # standard deviations on either side of the mean that hold 80%
_REFERENCES = 512  # designs that a well's mean and sd are ranked among
_POOR = 0.2  # correlation, left one out, below which predictions are said to be poor


def chosen_policy(campaign: Campaign, known: Known, plates: Sequence[int]) -> tuple[str, str]:
    """What "auto" stands for, and why.

    It is what the last advice chose: for good, or, where that is a space-filling plate since the
    model was not to be trusted, for the data that it was given for. Without advice it is
    `doe_then_ucb`: where the first wells say little, since they are the lower part of what
    was measured or too few, the next plate is designed without a look at the values; all others are
    upper confidence bounds.

    Args:
        campaign: Whose origin counts.
        known: What a policy is shown.
        plates: To come.
    """
    if campaign.advice:
        last = campaign.advice[-1]
        current = last["rows"] == len(campaign.values)
        if (last["trusted"] or current) and supports(last["policy"], known.spec):
            name = str(last["policy"])
            wells = _several(last["rows"], "well")
            return (
                name,
                f"{name}: as advised after {wells}; {_several(len(plates), 'plate')} to come",
            )
    name = "doe_then_ucb"
    player = make(name, known.spec)
    assert isinstance(player, DoeThenUcb)
    designed = bool(player.designs_first(observation_of(known, plates))[0])
    if not designed:
        why = "upper confidence bounds, since the wells say enough to fit a model to"
    elif campaign.settings.origin.percentile is not None:
        why = "a designed plate, since the first wells are the lower part of what was measured"
    else:
        few = f"{_several(known.num_start, 'well')} say{'s' if known.num_start == 1 else ''}"
        why = f"a designed plate, since {few} too little to fit a model to"
    return name, f"{name}: {why}; {_several(len(plates), 'plate')} to come"


def _several(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def suggested(
    campaign: Campaign, plates_left: Sequence[int], *, policy: str, seed: int, repeats: Any
) -> Plate:
    """The next plate; arguments and errors as `Campaign.suggest`."""
    plates = batch_sizes_of_plates("plates_left", plates_left)
    seed = whole("seed", seed, least=0)
    known = campaign.known(plates, seed=seed, repeats=repeats)
    _check_enough(known, plates[0])
    full = posterior_of(known.spec, known.designs, known.values, known.num_start)
    name, reason = policy, policy
    if policy == "auto":
        name, reason = chosen_policy(campaign, known, plates)
    chosen = _wells_of(campaign, known, full, plates, name, seed)
    last = chosen
    if len(plates) > 1 and (chosen.counts_plates or campaign.space.plate):
        last = _wells_of(campaign, known, full, plates, name, seed, as_last=True)
    return _described(campaign, chosen, last.columns, full, reason)


@dataclass(frozen=True)
class _Wells:
    """What a policy chose, among what may be on one plate.

    Attributes:
        known: The campaign with the designs of the plate alone.
        designs: (q, *shape).
        columns: (q,) the same in the user's units.
        counts_plates: Whether the policy asks how many plates are left.
    """

    known: Known
    designs: Designs
    columns: Columns
    counts_plates: bool


def _wells_of(
    campaign: Campaign,
    known: Known,
    posterior: Posterior,
    plates: Sequence[int],
    name: str,
    seed: int,
    *,
    as_last: bool = False,
) -> _Wells:
    """What a policy puts on the next plate, or what it would were that the last."""
    if campaign.space.plate:
        seen = plates[:1] if as_last else plates
        known = _within_plate_rules(campaign, known, posterior, seen)
    player = make(name, known.spec)
    shown = observation_of(known, plates)
    actions = player.act(as_last_round(shown) if as_last else shown, np.random.default_rng(seed))
    designs = known.encoding.design_space.designs(actions)[0, : plates[0]]
    columns = known.encoding.decode(designs)
    if known.encoding.pool is not None:
        designs, columns = _repaired(campaign, known, posterior, designs, columns)
    return _Wells(known, designs, columns, getattr(player, "horizon_aware", True))


def _check_enough(known: Known, wells: int) -> None:
    """There are as many designs as wells, where none is to be measured again."""
    if known.spec.repeats is Repeats.ALLOWED:
        return
    size = known.encoding.design_space.size
    if size is None:
        return
    left = size
    if known.spec.repeats is Repeats.NEVER_AGAIN:
        left -= len(set(map(bytes, known.designs)))
    if left < wells:
        raise ValueError(
            f"plates: expected at most {left} wells on the next plate, as many designs as are "
            f"left, got {wells}; make the plate smaller, widen the space, or allow repeats"
        )


# --- what a plate has few values of ---------------------------------------------------------------


def _within_plate_rules(
    campaign: Campaign, known: Known, posterior: Posterior, plates: Sequence[int]
) -> Known:
    """The campaign with those candidates alone that fit on one plate.

    For each column that a plate has at most k values of, the values are chosen one by one so that
    the best candidates that have one of them (by posterior mean, and by mean and standard deviation
    where plates follow) are best together.
    """
    encoding, q = known.encoding, plates[0]
    assert encoding.pool is not None
    everything = np.arange(count_of(encoding.pool))[:, None]
    mean, sd, _ = predicted(posterior, known.spec, everything)
    score = mean + sd if len(plates) > 1 else mean
    fits = np.ones(len(everything), bool)
    free = _proposable(campaign, known)
    for column, most in campaign.space.plate.items():
        chosen = _best_values(encoding.pool[column], score, free, q, most)
        fits &= np.isin(encoding.pool[column], chosen)
        free &= fits
    if free.sum() < q:
        raise ValueError(
            f"shared, distinct: expected at least {q} designs that fit on one plate, got "
            f"{int(free.sum())} with {dict(campaign.space.plate)} values of a plate; make the "
            "plate smaller, or allow more values"
        )
    keep = free.copy()
    keep[known.designs[:, 0]] = True  # what is measured stays, to be learnt from
    smaller = restricted(encoding, keep)
    spec = replace(known.spec, design_space=smaller.design_space)
    designs = smaller.encode(known.rows.columns)
    return replace(known, encoding=smaller, spec=spec, designs=designs, fits=fits[keep])


def _proposable(campaign: Campaign, known: Known) -> NDArray[np.bool_]:
    """Which candidates of the pool may be proposed, (M,)."""
    pool = known.encoding.pool
    assert pool is not None
    free = campaign.space.keeps_rules(pool) & campaign.space.on_grid(pool)
    if known.fits is not None:
        free &= known.fits
    if known.spec.repeats is Repeats.NEVER_AGAIN:
        free[known.designs[:, 0]] = False
    return free


def _best_values(
    column: NDArray[Any], score: Floats, free: NDArray[np.bool_], q: int, most: int
) -> list[Any]:
    """At most so many values of a column whose best q candidates are best together."""
    values = list(dict.fromkeys(column[free].tolist()))
    members = {value: np.flatnonzero(free & (column == value)) for value in values}
    chosen: list[Any] = []
    rows = np.zeros(0, np.intp)
    low = float(score.min(initial=0.0))
    for _ in range(most):
        best, found = -np.inf, None
        for value in values:
            if value in chosen:
                continue
            top = np.sort(score[np.concatenate([rows, members[value]])])[::-1][:q]
            worth = float((top - low).sum()) - (q - len(top)) * float(np.ptp(score))
            if worth > best:
                best, found = worth, value
        if found is None:
            break
        chosen.append(found)
        rows = np.concatenate([rows, members[found]])
    return chosen


# --- what is proposed can be done -----------------------------------------------------------------


def _repaired(
    campaign: Campaign, known: Known, posterior: Posterior, designs: Any, columns: Columns
) -> tuple[Any, Columns]:
    """A plate without wells that cannot be: the most hopeful candidates take their place.

    Off the steps, or outside the constraints, are measured designs alone; a policy names them where
    it may repeat what was measured.
    """
    encoding = known.encoding
    assert encoding.pool is not None
    free = _proposable(campaign, known)
    index = designs[:, 0].copy()
    distinct = known.spec.repeats is not Repeats.ALLOWED
    seen: set[int] = set()
    bad = []
    for slot, code in enumerate(index.tolist()):
        if not free[code] or (distinct and code in seen):
            bad.append(slot)
        seen.add(code)
    if not bad:
        return designs, columns
    everything = np.arange(len(free))[:, None]
    mean, sd, _ = predicted(posterior, known.spec, everything)
    left = free.copy()
    left[index] = False
    spare = np.flatnonzero(left)
    best = spare[np.argsort(-(mean + sd)[spare], kind="stable")][: len(bad)]
    index[bad[: len(best)]] = best
    return index[:, None], encoding.decode(index[:, None])


# --- what is said of wells ------------------------------------------------------------------------


def _described(
    campaign: Campaign, chosen: _Wells, last: Columns, posterior: Posterior, reason: str
) -> Plate:
    known, designs, columns = chosen.known, chosen.designs, chosen.columns
    settings, space = campaign.settings, known.spec.design_space
    mean, sd, spread = predicted(posterior, known.spec, designs)
    shares = _explore_shares(known, posterior, mean, sd)
    features = space.features(designs)
    measured = np.flatnonzero(known.rows.mask(MEASURED))
    known_features = space.features(known.designs[measured])
    nearest = (
        (features**2).sum(-1)[:, None]
        - 2 * features @ known_features.T
        + (known_features**2).sum(-1)
    ).argmin(axis=1)
    keys = keys_of(known.rows.columns)
    already = set(keys)
    sheet = campaign.sheets[0].table
    targets = tuple(found_column(sheet, t.column, "the target") for t in settings.targets)
    wells = []
    named, named_last = (
        {name: each[name] for name in known.rows.columns} for each in (columns, last)
    )
    also = set(keys_of(named_last))
    for i, key in enumerate(keys_of(named)):
        role = "replicate" if key in already else "explore" if shares[i] > 0.5 else "exploit"
        row = int(measured[nearest[i]])
        ends = sorted(
            settings.sign * (mean[i] + side * spread[i]) for side in (-_INTERVAL, _INTERVAL)
        )
        wells.append(
            Well(
                design={name: _plain(columns[name][i]) for name in campaign.space.columns},
                mean=float(settings.sign * mean[i]),
                low=float(ends[0]),
                high=float(ends[1]),
                role=role,
                share=float(shares[i]),
                nearest=known.rows.places[row],
                nearest_value=float(settings.sign * known.measured.values[row]),
                also_if_last=key in also,
            )
        )
    quality = float(posterior.leave_one_out_correlation[0])
    return Plate(
        wells=tuple(wells),
        names=_names_in_sheet(campaign),
        targets=targets,
        measured_name=measured_name(campaign),
        reason=f"{reason}; {_quality_in_words(quality)}",
        quality=quality if np.isfinite(quality) else None,
        if_last=tuple(
            {name: _plain(last[name][i]) for name in campaign.space.columns}
            for i in range(count_of(last))
        ),
    )


def _quality_in_words(quality: float) -> str:
    if not np.isfinite(quality):
        return "too few wells to tell how well others predict one"
    poor = ": predictions say little" if quality < _POOR else ""
    return f"correlation of each well with what the others predict {quality:.2f}{poor}"


def _explore_shares(known: Known, posterior: Posterior, mean: Floats, sd: Floats) -> Floats:
    """How much of a well's choice is due to its uncertainty, (q,) from 0 to 1.

    The rank of its standard deviation among designs of the space, over the sum of that and of the
    rank of its mean.
    """
    rngs = GeneratorBatch([np.random.default_rng(0)], 1)
    some = known.spec.design_space.sample(rngs, _REFERENCES)[0]
    means, sds, _ = predicted(posterior, known.spec, some)
    by_mean = (means < mean[:, None]).mean(axis=1) + 1e-3
    by_sd = (sds < sd[:, None]).mean(axis=1) + 1e-3
    found: Floats = by_sd / (by_sd + by_mean)
    return found


def measured_name(campaign: Campaign) -> str:
    """What predictions are of: the score, or the target as the user's own sheet calls it."""
    settings = campaign.settings
    if settings.scored:
        return settings.measured_name
    return found_column(campaign.sheets[0].table, settings.targets[0].column, "the target")


def _names_in_sheet(campaign: Campaign) -> dict[str, str]:
    """What the user's own sheet calls the columns."""
    header = campaign.sheets[0].table.header
    return {name: (match(header, name) or [name])[0] for name in campaign.space.columns}


def _plain(value: Any) -> Any:
    """A number or text of a cell: whole numbers without a point."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        value = float(f"{value:.10g}")
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    return value
