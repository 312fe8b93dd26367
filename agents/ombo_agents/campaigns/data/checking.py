"""What was understood of a sheet, in words."""

from __future__ import annotations

import html
import math
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.data.campaign_data import CampaignData
from ombo_agents.campaigns.data.controls import controls_in_words, together
from ombo_agents.campaigns.data.number_words import in_digits
from ombo_agents.campaigns.data.reading import FAILED, MEASURED, PENDING, Rows
from ombo_agents.campaigns.data.scores import contribution
from ombo_agents.campaigns.data.settings import Settings
from ombo_agents.campaigns.data.unlikely import unlikely_in_words
from ombo_agents.campaigns.files.plate_columns import is_plate
from ombo_agents.campaigns.files.sheets import match
from ombo_agents.campaigns.space.candidate_list import CandidateFactor
from ombo_agents.campaigns.space.factors import Factor, ParameterFactor, kind_of
from ombo_agents.campaigns.space.mixture import MixtureFactor
from ombo_agents.campaigns.space.sequence import SequenceFactor
from ombo_agents.campaigns.space.space import MOST_LISTED, SAMPLED, keys_of
from ombo_gym.design_spaces.parameters import Number
from ombo_gym.spreadsheets.spreadsheet import shown

_SHOWN = 10  # rows that are listed
_WIDE = 1000  # ratio of the ends, above which a linear scale is likely to be an oversight


def report(data: CampaignData) -> str:
    """A line for each column, for what stands aside, and for what may surprise."""
    lines = column_lines(data)
    width = max(map(len, lines))
    source = data.sheets[0].table.path.name
    head = f"{source}: {_counts(data.rows)}"
    body = [f"  {name:<{width}}  {line}" for name, line in lines.items()]
    return "\n".join([head, *body, *notes(data)])


def column_lines(data: CampaignData) -> dict[str, str]:
    """What each column is taken for, by its name in the sheet."""
    rows, settings = data.rows, data.settings
    lines = _kind_lines(data)
    for j, target in enumerate(settings.targets):
        values = rows.targets[rows.mask(MEASURED), j]
        bounds = int((rows.censored[:, j] != 0).sum())
        limits = f"; {bounds} only as bounds" if bounds else ""
        known = "no result yet"
        if len(values):
            known = f"{len(values)} measured from {values.min():.6g} to {values.max():.6g}{limits}"
        lines[data.target_columns[j]] = (
            f"the target, {'maximised' if target.goal == 'max' else 'minimised'}: {known}"
        )
    return lines


def summary(data: CampaignData) -> str:
    """How many rows are what, which are no wells or unlikely, and what blocks do not tell."""
    source, rows = data.sheets[0].table.path.name, data.rows
    lines = [*_asides(rows), *unlikely_in_words(data), *_ties_in_words(rows)]
    return "\n".join([f"{source}: {_counts(rows)}", *lines])


def _asides(rows: Rows) -> list[str]:
    """Rows that are no wells of the campaign."""
    found = controls_in_words(rows.control_places, rows.control_reasons)
    if rows.remark_places:
        found.append(
            f"passed over, neither a design nor a result stands there: "
            f"{together(rows.remark_places)}"
        )
    return found


def _kind_lines(data: CampaignData) -> dict[str, str]:
    header = data.sheets[0].table.header
    lines: dict[str, str] = {}
    for factor in data.space.factors:
        for name in factor.columns:
            column = (match(header, name) or [name])[0]
            lines[column] = _kind(factor, name)
    settings = data.settings
    for named, what in (
        (settings.round_column, "the round"),
        (settings.block, "the block, whose offset is taken out"),
        (settings.cost, "what wells cost"),
    ):
        if named is not None:
            lines[(match(header, named) or [named])[0]] = what
    return lines


def _kind(factor: Factor, name: str) -> str:
    if isinstance(factor, ParameterFactor):
        return kind_of(factor.parameter)
    if isinstance(factor, MixtureFactor):
        i = factor.names.index(name)
        step = f", in steps of {factor.step:g}" if factor.step else ""
        return (
            f"part of a mixture that sums to {factor.total:g}, from {factor.low[i]:g} to "
            f"{factor.high[i]:g}{step}"
        )
    if isinstance(factor, SequenceFactor):
        lengths = f"{factor.shortest} to {factor.longest}"
        return f"sequences of {lengths} letters of {factor.alphabet}"
    assert isinstance(factor, CandidateFactor)
    return f"{factor.count:,} candidates with {factor.table.shape[1]:,} descriptors"


def _counts(rows: Rows) -> str:
    total = len(rows.status) + len(rows.control_places)
    found = [_several(total, "row"), f"{int(rows.mask(MEASURED).sum())} measured"]
    for status in (FAILED, PENDING):
        if number := int(rows.mask(status).sum()):
            found.append(f"{number} {status}")
    if rows.control_places:
        found.append(_several(len(rows.control_places), "control"))
    return ", ".join(found)


def _several(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def notes(data: CampaignData) -> list[str]:
    """What stands aside, and what may surprise."""
    rows, settings, space = data.rows, data.settings, data.space
    notes = _how_it_was_read(data)
    if settings.scored:
        front = [rows.places[i] for i in pareto_front(rows, settings).tolist()]
        notes.append(f"score, maximised: {settings.formula}")
        if front:
            notes.append(f"not worse than any other in all targets: {'; '.join(front[:_SHOWN])}")
    if failed := int(rows.mask(FAILED).sum()):
        worth = settings.sign * data.measured.values[rows.mask(FAILED)][0]
        wells = f"failed: {_several(failed, 'well')}"
        which = _places(rows, rows.mask(FAILED))
        if not np.isfinite(worth):
            notes.append(f"{wells}, to be counted once another one is measured: {which}")
        elif settings.failed_value is None:
            notes.append(f"{wells} counted as {in_digits(worth)}, as the worst: {which}")
        else:
            notes.append(
                f"{wells} counted as {in_digits(worth)}, the value that was given: {which}"
            )
    notes += unlikely_in_words(data)
    counts = Counter(keys_of(rows.columns))
    if several := sum(count > 1 for count in counts.values()):
        notes.append(f"replicates: {_several(several, 'design')} measured more than once")
    if data.measured.noise_std is not None:
        notes.append(
            f"noise: a standard deviation of {in_digits(data.measured.noise_std, 3)}, from "
            "replicates"
        )
    notes += _asides(rows)
    for block, offset in data.measured.offsets.items():
        notes.append(f"block {block}: {in_digits(settings.sign * offset, 3, sign=True)}")
    notes += _ties_in_words(rows)
    if settings.cost is not None:
        notes.append(f"cost: {np.nansum(rows.costs):.6g} in all")
    breaking = ~space.keeps_rules(rows.columns)
    if breaking.any():
        places = _places(rows, breaking)
        notes.append(f"measured, though the constraints exclude it: {places}")
    off = ~space.on_grid(rows.columns)
    if off.any():
        nearest = " (taken for the nearest)" if space.snaps else ""
        notes.append(f"between steps or levels{nearest}: {_places(rows, off)}")
    for factor in space.factors:
        for name in _wide(factor):
            key = f"log: [{name}]" if isinstance(factor, CandidateFactor) else "scale: log"
            notes.append(
                f"{name}: positive numbers that span more than 3 decades; {key}, if ratios matter"
            )
    notes.append(_designs_in_words(data))
    for column, most in space.plate.items():
        what = "one value" if most == 1 else f"at most {most} values"
        notes.append(f"plate: {what} of {column}")
    for column, fewest in space.variety.items():
        notes.append(f"plate: at least {fewest} values of {column}")
    return notes


def _how_it_was_read(data: CampaignData) -> list[str]:
    """What of the first sheet's file was passed over or converted."""
    table, position = data.sheets[0].table, data.sheets[0].table.position
    found = []
    if position.windows_text:
        found.append(
            f"read as Windows text, since it is not UTF-8: {shown(position.windows_text)}; where "
            'that is not what you wrote, save the file as "CSV UTF-8"'
        )
    if position.other_sheets and not is_plate(table.header):
        others = ", ".join(map(repr, position.other_sheets))
        found.append(f"read from sheet {position.sheet!r}; there is also {others}")
    if position.header_row > 1:
        found.append(f"the header is in row {position.header_row}; what stands above is left out")
    used = {*data.target_columns, *data.names_in_sheet.values()}
    found += [
        f"{name}: cells in the percent format count as they are shown, 55% as 55"
        for name in table.header
        if name in position.fractions and name in used
    ]
    return found


def _places(rows: Rows, which: NDArray[np.bool_]) -> str:
    """Where some rows (n,) stand, the first of many."""
    return together([rows.places[row] for row in np.flatnonzero(which).tolist()])


def _ties_in_words(rows: Rows) -> list[str]:
    return [
        f"block: each has one value of {name}, so what is due to blocks and what to {name} cannot "
        "be told apart; measure one value in two blocks"
        for name in _tied_to_blocks(rows)
    ]


def _tied_to_blocks(rows: Rows) -> list[str]:
    """Columns that differ between blocks, and never within one nor between as many as agree."""
    known = rows.mask(MEASURED)
    blocks = np.array(rows.blocks, object)[known]
    found = []
    for name, column in rows.columns.items():
        pairs = set(zip(blocks.tolist(), column[known].tolist(), strict=True))
        if 1 < len({block for block, _ in pairs}) == len(pairs) == len({v for _, v in pairs}):
            found.append(name)
    return found


def _designs_in_words(data: CampaignData) -> str:
    space = data.space
    if space.parameters is not None:
        if space.size is None:
            return "designs: no end of them"
        large = space.size > 10**15
        return (
            f"designs: about 10^{math.log10(space.size):.0f}"
            if large
            else f"designs: {space.size:,}"
        )
    listed = space.listed()
    if listed is not None:
        return f"designs: {len(next(iter(listed.values()))):,} that keep the constraints"
    return (
        f"designs: more than {MOST_LISTED:,}, or no end of them; {SAMPLED:,} and those around the "
        "best are looked at for each plate"
    )


def _wide(factor: Factor) -> list[str]:
    """Columns that hardly anybody means linearly."""
    if isinstance(factor, ParameterFactor) and isinstance(factor.parameter, Number):
        low, high = factor.parameter.low, factor.parameter.high
        return (
            [factor.name] if factor.parameter.scale == "linear" and 0 < _WIDE * low < high else []
        )
    if isinstance(factor, CandidateFactor) and factor.scale is None:
        low_high = np.quantile(factor.table, [0.05, 1], axis=0)  # (2, k)
        wide = (factor.table.min(axis=0) > 0) & (_WIDE * low_high[0] < low_high[1])
        return [factor.descriptors[i] for i in np.flatnonzero(wide)[:_SHOWN].tolist()]
    return []


def pareto_front(rows: Rows, settings: Settings) -> NDArray[np.intp]:
    """Measured rows that no other row is better than, or as good and once better, by index."""
    index = np.flatnonzero(rows.mask(MEASURED))
    gains = np.stack(
        [contribution(rows.targets[index, j], t) for j, t in enumerate(settings.targets)], axis=1
    )  # (m, t)
    least = (gains[:, None] >= gains).all(axis=-1)  # (m, m), row at least as good as column
    better = (gains[:, None] > gains).any(axis=-1)
    found: NDArray[np.intp] = index[~(least & better).any(axis=0)]
    return found


def report_html(data: CampaignData) -> str:
    """The report for notebooks."""
    return f"<pre>{html.escape(report(data))}</pre>"
