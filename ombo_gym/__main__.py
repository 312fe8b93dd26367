"""Lists every environment: `python -m ombo_gym`."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from decimal import Decimal

from ombo_gym import __version__
from ombo_gym.catalogue import Entry, entries
from ombo_gym.command import until_nobody_reads

_HEADINGS = ("id", "domain", "designs", "size", "rounds", "optimum", "cost", "needs")
_RIGHT = {"size", "rounds", "cost"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the listing."""
    parser = argparse.ArgumentParser(
        prog="python -m ombo_gym", description="Lists every environment of ombo_gym."
    )
    parser.add_argument("--no-cost", action="store_true", help="do not measure what a design costs")
    parser.add_argument("--json", action="store_true", help="print JSON, seconds in full")
    options = parser.parse_args(arguments)
    found = list(entries(budget=None if options.no_cost else 0.2))
    if options.json:
        print(json.dumps([dataclasses.asdict(entry) for entry in found], indent=2))
        return
    lines = [_HEADINGS, *map(_cells, found)]
    kept = [i for i, heading in enumerate(_HEADINGS) if heading != "cost" or not options.no_cost]
    widths = [max(len(line[i]) for line in lines) for i in kept]
    for line in lines:
        cells = [
            line[i].rjust(width) if _HEADINGS[i] in _RIGHT else line[i].ljust(width)
            for i, width in zip(kept, widths, strict=True)
        ]
        print("  ".join(cells).rstrip())
    print(_footer(found, measured=not options.no_cost))


def _cells(entry: Entry) -> tuple[str, ...]:
    low, high = entry.rounds
    needs = f"[{entry.extra}]" if entry.extra else ""
    if not entry.installed:
        needs = f"{needs} not installed".strip()
    return (
        entry.id,
        entry.domain,
        entry.designs or "-",
        "-" if not entry.installed else _count(entry.size),
        f"{low}-{high}",
        entry.optimum,
        "-" if entry.seconds is None else _duration(entry.seconds),
        needs,
    )


def _count(size: int | None) -> str:
    if size is None:
        return "infinite"
    if size < 10**7:
        return f"{size:,}"
    return f"{Decimal(size):.1e}".replace("e+", "e")  # whole numbers may be too large for floats


def _duration(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.2g} us" if seconds < 1e-5 else f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.2g} ms" if seconds < 1e-2 else f"{seconds * 1e3:.0f} ms"


def _footer(found: Sequence[Entry], *, measured: bool) -> str:
    lines = [
        "",
        f"ombo-gym {__version__}: {len(found)} environments with their default arguments.",
        "Their pages: Environments on the documentation's site, docs/environments in a clone.",
        "rounds: horizons that make sense. optimum: searched means on request, from below; "
        "bound, from above.",
    ]
    if measured:
        lines.append("cost: of a design, here and now, on one process, in batches over campaigns.")
    extras = sorted({entry.extra for entry in found if entry.extra})
    if extras:
        lines.append(f'needs: pip install "ombo-gym[{",".join(extras)}]".')
    reasons = dict.fromkeys(entry.missing for entry in found if entry.missing)  # each once
    lines += [f"- {reason}" for reason in reasons]
    return "\n".join(lines)


if __name__ == "__main__":
    with until_nobody_reads():
        main()
