"""Pieces of the report's page: tables, pictures, numbers and its style, as HTML.

Everything that comes from outside passes `escape`.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

from ombo_gym.evaluation.figure_style import DARK, LIGHT, Theme, is_trained
from ombo_gym.evaluation.statistics import Interval

MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, text: set[int], caption: str = ""
) -> str:
    """A table from ready HTML cells; the columns in `text` are set left, numbers right."""

    def cell(tag: str, i: int, content: str) -> str:
        kind = "text" if i in text else "number" if heads[i] else "drawn"
        scope = ' scope="col"' if tag == "th" else ""
        if tag == "td" and i == 0:
            tag, scope = "th", ' scope="row"'
        return f'<{tag}{scope} class="{kind}">{content}</{tag}>'

    head = "".join(cell("th", i, escape(content)) for i, content in enumerate(heads))
    body = "\n".join(
        f"<tr>{''.join(cell('td', i, content) for i, content in enumerate(row))}</tr>"
        for row in rows
    )
    below = f'<p class="caption">{caption}</p>' if caption else ""
    return (
        f'<div class="table" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{below}"
    )


def picture(draw: Callable[[Theme], bytes], text: str) -> str:
    """One drawing inlined twice, for light and for dark pages."""
    light, dark = (
        "data:image/png;base64," + base64.b64encode(draw(theme)).decode("ascii")
        for theme in (LIGHT, DARK)
    )
    return (
        f'<figure><picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img src="{light}" alt="{escape(text)}"></picture></figure>'
    )


def whisker(row: Any, low: float, high: float, trained: bool) -> str:
    """The interval as a small drawing on the table's scale; the numbers stand beside it."""
    span = high - low
    if not (math.isfinite(span) and span > 0 and math.isfinite(row["mean"])):
        return ""
    mean, left, right = (
        4 + 92 * (value - low) / span if math.isfinite(value) else math.nan
        for value in (row["mean"], row["ci_low"], row["ci_high"])
    )
    line = ""
    if math.isfinite(left) and math.isfinite(right):
        line = f'<line x1="{left:.1f}" x2="{right:.1f}" y1="8" y2="8"/>'
    kind = "whisker trained" if trained else "whisker"
    return (
        f'<svg class="{kind}" viewBox="0 0 100 16" width="90" height="16" aria-hidden="true">'
        f'{line}<circle cx="{mean:.1f}" cy="8" r="3.5"/></svg>'
    )


def policy_name(policy: str) -> str:
    """A policy as it was typed; trained ones stand out."""
    kind = ' class="trained"' if is_trained(policy) else ""
    return f"<code{kind}>{escape(policy)}</code>"


def setting(value: Any) -> str:
    """A setting of config.json as HTML."""
    if isinstance(value, dict):
        return "<br>".join(
            f"{escape(str(key))}: {escape(compact(item))}" for key, item in value.items()
        )
    if isinstance(value, list):
        return ", ".join(f"<code>{escape(compact(item))}</code>" for item in value)
    return escape(compact(value))


def compact(value: Any) -> str:
    """A setting on one line, not yet escaped."""
    if isinstance(value, str):
        return value
    return f"{value:.6g}" if isinstance(value, float) else json.dumps(value)


def decimals(values: Iterable[float]) -> int:
    """Decimals that show four digits of the largest of these numbers."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return 3 if largest == 0 else min(8, max(0, 3 - math.floor(math.log10(largest))))


def number(value: float, decimals: int) -> str:
    """A number with a true minus sign, or a dash where there is none."""
    if not math.isfinite(value):
        return MISSING
    text = f"{value:.{decimals}f}"
    return text[1:] if float(text) == 0 and text[0] == "-" else text.replace("-", MINUS)


def ends(interval: Interval, decimals: int) -> str:
    """The ends of an interval, in brackets."""
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return f'<span class="interval">{MISSING}</span>'
    low, high = number(interval.low, decimals), number(interval.high, decimals)
    return f'<span class="interval">[{low}, {high}]</span>'


def signed(interval: Interval, decimals: int) -> str:
    """A difference with its sign and interval, coloured where the interval excludes 0."""
    if not math.isfinite(interval.estimate):
        return MISSING
    text = number(interval.estimate, decimals)
    if interval.estimate > 0 and float(text.replace(MINUS, "-")) != 0:
        text = f"+{text}"
    if interval.low > 0:
        text = f'<b class="up">{text}</b>'
    elif interval.high < 0:
        text = f'<b class="down">{text}</b>'
    return f"{text} {ends(interval, decimals)}"


def count_range(counts: Iterable[int]) -> str:
    """The smallest and the largest of some counts."""
    values = sorted({int(count) for count in counts})
    ends = [values[0]] if len(values) == 1 else [values[0], values[-1]]
    return " to ".join(f"{value:,}" for value in ends)


STYLE = """
:root {
  --page: #f6f8fa; --card: #ffffff; --ink: #1f2328; --faint: #57606a; --line: #d8dee4;
  --accent: #c05000; --up: #1a7f37; --down: #cf222e; --code: #eef1f4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --card: #161b22; --ink: #e6edf3; --faint: #9aa4af; --line: #2d333b;
    --accent: #ff8a3d; --up: #3fb950; --down: #ff7b72; --code: #21262d;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 1.5rem 1rem 3rem; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
header, main { max-width: 88rem; margin: 0 auto; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 0 0 .8rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; overflow-wrap: anywhere; }
.kicker { margin: 0; color: var(--faint); font-size: .85rem; }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: 1.2rem clamp(.8rem, 2.5vw, 1.6rem); margin: 0 0 1.2rem;
}
p, dl { max-width: 50rem; }
dt { font-weight: 600; }
dd { margin: 0 0 .4rem 1rem; }
.caption { color: var(--faint); font-size: .875rem; margin: .4rem 0 0; }
.grid {
  display: grid; gap: 0 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 34rem), 1fr));
}
.grid.wide { grid-template-columns: repeat(auto-fit, minmax(min(100%, 40rem), 1fr)); }
.grid > div, .pictures > * { min-width: 0; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.pictures > * { flex: 1 1 22rem; margin: 0; max-width: 36rem; }
img { display: block; width: 100%; height: auto; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--faint); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 400; }
tbody th, thead th:first-child { position: sticky; left: 0; background: var(--card); }
tr code { display: inline-block; max-width: 16rem; overflow-wrap: break-word; }
.number { text-align: right; }
.text { text-align: left; }
.interval { color: var(--faint); }
.interval, td b { white-space: nowrap; }
.up { color: var(--up); }
.down { color: var(--down); }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { font-size: .92em; overflow-wrap: anywhere; }
code.trained { color: var(--accent); font-weight: 700; }
pre { background: var(--code); border-radius: .4rem; padding: .8rem; margin: 0;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.whisker { display: block; margin: .2rem 0; }
.whisker line { stroke: var(--faint); stroke-width: 2; }
.whisker circle { fill: var(--faint); }
.whisker.trained line { stroke: var(--accent); }
.whisker.trained circle { fill: var(--accent); }
@media (max-width: 40rem) {
  body { padding: 1rem .5rem 2rem; }
  .drawn { display: none; }
  th, td { padding-right: .55rem; }
  tr code { max-width: 9.5rem; }
}
"""
