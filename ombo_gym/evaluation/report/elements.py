"""Pieces of the page: tables, pictures, intervals. Everything from outside passes `escape`."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from matplotlib.figure import Figure

from ombo_gym.evaluation.figure_style import DARK, LIGHT, Theme, is_trained
from ombo_gym.evaluation.figures import svg
from ombo_gym.evaluation.formats import MINUS, MISSING, SEEN, SEEN_MEANS, compact, number
from ombo_gym.evaluation.statistics import Interval

WIDE = 420  # points: pictures that a phone scrolls rather than shrinks


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    text: set[int],
    caption: str = "",
    name: str = "",
    sortable: bool = False,
    anchor: str = "",
) -> str:
    """A table from ready HTML cells.

    Args:
        heads: The columns' names, as text; an empty one holds drawings.
        rows: Cells as HTML; the first names its row.
        text: Columns of words: set left, and sorted as words. The others hold numbers.
        caption: HTML below the table.
        name: What the table shows, for screen readers.
        sortable: Whether the script puts buttons into its heads.
        anchor: The table's id.
    """
    head = "".join(
        f'<th scope="col"{_kind(i, content, text)}>{escape(content)}</th>'
        for i, content in enumerate(heads)
    )
    kinds = [_kind(i, content, text) for i, content in enumerate(heads)]
    body = "\n".join(
        "<tr>"
        + f'<th scope="row"{kinds[0]}>{row[0]}</th>'
        + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds[1:], row[1:], strict=True))
        + "</tr>"
        for row in rows
    )
    hidden = f'<caption class="unseen">{escape(name)}</caption>' if name else ""
    below = f'<p class="caption">{caption}</p>' if caption else ""
    attributes = (f' id="{anchor}"' if anchor else "") + (" data-sortable" if sortable else "")
    region = f' role="region" aria-label="{escape(name)}"' if name else ""
    return (
        f'<div class="table" tabindex="0"{region}><table{attributes}>{hidden}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{below}"
    )


def _kind(column: int, head: str, text: set[int]) -> str:
    if column in text:
        return ' class="t"'
    return "" if head else ' class="drawn"'


def details(title: str, content: str, *, opened: bool = False, anchor: str = "") -> str:
    """A part that opens and closes; `title` is HTML."""
    attributes = (f' id="{anchor}"' if anchor else "") + (" open" if opened else "")
    return f"<details{attributes}><summary>{title}</summary>\n{content}\n</details>"


def picture(figure: Figure, text: str, *, salt: str, caption: str = "") -> str:
    """A drawing (in `LIGHT`) as SVG inside the page, in the page's colours, light or dark.

    Args:
        figure: Drawn with the theme `LIGHT`, whose colours become the page's (`palette`).
        text: What it shows, for screen readers.
        salt: Another one for every picture of a page: keeps ids apart.
        caption: Text above the drawing.
    """
    root = ElementTree.fromstring(svg(figure, salt=salt, outlines=False))
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in ("metadata", "title") or "style" in _local(child.tag):
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        attributes = {_local(key): value for key, value in element.attrib.items()}
        if element.tag == "g":
            attributes.pop("id", None)
        for key in ("d", "x", "y", "transform", "points"):
            if key in attributes:
                attributes[key] = _rounded(attributes[key])
        if "style" in attributes:
            attributes["style"] = _page_style(attributes["style"])
        element.attrib = attributes
        element.tail = None
        if not (element.text or "").strip():
            element.text = None
    box = root.attrib["viewBox"]
    kind = "picture wide" if float(box.split()[2]) > WIDE else "picture"
    root.attrib = {"class": kind, "viewBox": box, "role": "img", "aria-label": text}
    root.attrib["style"] = f"max-width:{1.5 * float(box.split()[2]):.0f}px"
    drawn = ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)
    figcaption = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure>{figcaption}{drawn}</figure>"


def palette() -> str:
    """The colours of pictures as CSS variables, for light and for dark pages."""

    def colours(theme: Theme) -> str:
        return "".join(f"--c{i}:{colour};" for i, colour in enumerate(_colours(theme)))

    return (
        f":root{{{colours(LIGHT)}}}\n"
        f"@media (prefers-color-scheme: dark){{:root{{{colours(DARK)}}}}}\n"
    )


def _colours(theme: Theme) -> list[str]:
    return [theme.background, theme.ink, theme.faint, theme.grid, *theme.trained, *theme.others]


VARIABLES = {colour: f"var(--c{i})" for i, colour in enumerate(_colours(LIGHT))}


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _rounded(numbers: str) -> str:
    """Coordinates with as many digits as can be seen."""
    short = re.sub(r"\d+\.\d+", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), numbers)
    return re.sub(r"\s+", " ", short).strip()


def _page_style(style: str) -> str:
    """An element's style with the page's colours and font."""
    parts = [part.strip() for part in style.split(";")]
    kept = [part for part in parts if part and not part.startswith("font-family")]
    return re.sub(
        r"#[0-9a-f]{6}", lambda found: VARIABLES.get(found[0], found[0]), "; ".join(kept)
    ).replace(": ", ":")


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
        line = f'<path d="M{left:.1f} 6H{right:.1f}"/>'
    kind = "whisker trained" if trained else "whisker"
    return (
        f'<svg class="{kind}" viewBox="0 0 100 12" width="96" height="12" aria-hidden="true">'
        f'{line}<circle cx="{mean:.1f}" cy="6" r="2.5"/></svg>'
    )


def policy_name(policy: str, *, seen: bool = False) -> str:
    """A policy as it was typed; trained ones stand out.

    Args:
        policy: Its name.
        seen: Whether what stands beside it is of problems that it has met in training.
    """
    kind = ' class="trained"' if is_trained(policy) else ""
    mark = f' <em class="seen" title="{SEEN_MEANS}">{SEEN}</em>' if seen else ""
    return f"<code{kind}>{escape(policy)}</code>{mark}"


def setting(value: Any) -> str:
    """A setting of config.json as HTML."""
    if value in ({}, [], None):
        return MISSING
    if isinstance(value, list) and isinstance(value[0], dict):
        return f"<ol>{''.join(f'<li>{setting(item)}</li>' for item in value)}</ol>"
    if isinstance(value, dict):
        return "<br>".join(
            f"{escape(str(key))}: {escape(compact(item))}" for key, item in value.items()
        )
    if isinstance(value, list):
        return ", ".join(f"<code>{escape(compact(item))}</code>" for item in value)
    return escape(compact(value))


def ends(interval: Interval, decimals: int) -> str:
    """The ends of an interval, in brackets."""
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return f'<span class="interval">{MISSING}</span>'
    low, high = number(interval.low, decimals), number(interval.high, decimals)
    return f'<span class="interval">[{low}, {high}]</span>'


def estimate(interval: Interval, decimals: int) -> str:
    """A number and its interval."""
    if not math.isfinite(interval.estimate):
        return MISSING
    return f"{number(interval.estimate, decimals)} {ends(interval, decimals)}"


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


def probability(value: float) -> str:
    """A p value: three decimals, and small ones as such."""
    if not math.isfinite(value):
        return MISSING
    return "&lt; 0.001" if value < 0.001 else f"{value:.3f}"
