"""Measured wells that are far from what the others say: typing errors, and wells that were lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.data.number_words import in_digits
from ombo_agents.campaigns.data.reading import FAILED
from ombo_agents.campaigns.data.values import posterior_of, predicted

if TYPE_CHECKING:
    from ombo_agents.campaigns.data.campaign_data import CampaignData
    from ombo_agents.campaigns.data.known import Known

_FEWEST, _MOST = 8, 500  # wells that are looked at
_FAR = 3.0  # standard deviations by which a well is worse than it can be
_FAR_ABOVE = 4.0  # likewise better: some wells are to be better than the others promise
_SUSPECT = 2.0  # from which a well is left out before others are judged
_SUSPECTS = 0.1  # of all wells, at least so many are
_MOST_SUSPECTS = 0.25
_ROUNDS = 4
_LISTED = 5  # wells that are named


@dataclass(frozen=True)
class Unlikely:
    """A well that is far from what the others predict.

    Attributes:
        row: In `CampaignData.rows`.
        value: Its score.
        mean, sd: What the others predict of the measurement.
    """

    row: int
    value: float
    mean: float
    sd: float


def unlikely_wells(data: CampaignData) -> tuple[Unlikely, ...]:
    """Wells that are at least 3 standard deviations worse than the others predict, or 4 better.

    One bad well makes the model believe in much noise, and so hides itself and others. Those that
    may be bad are left out, the model is fitted to the rest, and what the rest can explain is taken
    back, until nothing changes.
    """
    done = np.flatnonzero(np.isfinite(data.measured.values))
    if not _FEWEST <= len(done) <= _MOST:
        return ()
    plain = replace(data, settings=replace(data.settings, surrogate=None))
    try:
        known = plain.known([1])
    except ValueError:  # there is no design: said elsewhere
        return ()
    suspects = _suspects(known, done)
    found: tuple[Unlikely, ...] = ()
    for _ in range(_ROUNDS):
        found = _unexplained(known, done, suspects)
        if len(found) == len(suspects) or not found:
            break
        suspects = np.array([each.row for each in found])
    return found


def _suspects(known: Known, done: NDArray[np.intp]) -> NDArray[np.intp]:
    """Rows that the others predict worst."""
    values, started = known.values[done], int((done < known.num_start).sum())
    posterior = posterior_of(known.spec, known.designs[done], values, started)
    surprises = np.abs(posterior.leave_one_out_surprises[0])  # (n,)
    number = max(2, int(np.ceil(_SUSPECTS * len(done))), int((surprises > _SUSPECT).sum()))
    number = min(number, int(_MOST_SUSPECTS * len(done)))
    found: NDArray[np.intp] = done[np.argsort(-surprises, kind="stable")[:number]]
    return found


def _unexplained(
    known: Known, done: NDArray[np.intp], suspects: NDArray[np.intp]
) -> tuple[Unlikely, ...]:
    """The suspects that are far from what the rows that are none predict, in the order of rows."""
    rest = np.setdiff1d(done, suspects)
    started = int((rest < known.num_start).sum())
    posterior = posterior_of(known.spec, known.designs[rest], known.values[rest], started)
    mean, _, sd = predicted(posterior, known.spec, known.designs[suspects])
    errors = known.values[suspects] - mean
    far = (errors < -_FAR * sd) | (errors > _FAR_ABOVE * sd)
    found = [
        Unlikely(int(suspects[i]), float(known.values[suspects[i]]), float(mean[i]), float(sd[i]))
        for i in np.flatnonzero(far).tolist()
    ]
    return tuple(sorted(found, key=lambda each: each.row))


def unlikely_in_words(data: CampaignData) -> list[str]:
    """A sentence for each of the first unlikely wells."""
    wells, sign = data.unlikely, data.settings.sign
    found = []
    for well in wells[:_LISTED]:
        remedy = (
            "lost by accident? then leave it empty"
            if well.value < well.mean
            else "a hit, or a slip of the pen? look at it again"
        )
        mean = in_digits(sign * (well.mean + _offset(data, well)), 3)
        found.append(
            f"{data.rows.places[well.row]}: {_value(data, well)} where the other wells predict "
            f"{mean} (± {in_digits(well.sd, 2)}): {remedy}"
        )
    if (more := len(wells) - _LISTED) > 0:
        found.append(f"... and {more} more that the other wells do not predict")
    return found


def _value(data: CampaignData, well: Unlikely) -> str:
    """What the sheet says of a well."""
    rows = data.rows
    score = in_digits(data.settings.sign * well.value)
    if rows.status[well.row] == FAILED:
        return f"failed, counted as {score},"
    if rows.targets.shape[1] > 1:
        return f"a score of {score}"
    bound = {-1: "<", 1: ">"}.get(int(rows.censored[well.row, 0]), "")
    return f"{bound}{in_digits(rows.targets[well.row, 0])}"


def _offset(data: CampaignData, well: Unlikely) -> float:
    """Of its block, where what the sheet says has it in."""
    rows = data.rows
    if rows.status[well.row] == FAILED or rows.targets.shape[1] > 1:
        return 0.0
    return data.measured.offsets.get(rows.blocks[well.row], 0.0)
