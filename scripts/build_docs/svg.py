"""A small drawing in SVG whose colours follow the reader's light or dark theme."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

Point = tuple[float, float]

_STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #24292f; }
.dim { fill: #57606a; }
.on { fill: #ffffff; }
.box { fill: #f6f8fa; stroke: #8c959f; }
.accent { fill: #00796b; stroke: #00796b; }
.warm { fill: #bf5700; stroke: #bf5700; }
.grey { fill: #8c959f; stroke: #8c959f; }
.line { fill: none; stroke: #57606a; }
.accent-line { fill: none; stroke: #00796b; }
.warm-line { fill: none; stroke: #bf5700; }
.band { fill: #00796b; fill-opacity: 0.16; stroke: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .dim { fill: #9ea7b3; }
  .on { fill: #0d1117; }
  .box { fill: #22272e; stroke: #768390; }
  .accent { fill: #4db6ac; stroke: #4db6ac; }
  .warm { fill: #ffa657; stroke: #ffa657; }
  .line { stroke: #9ea7b3; }
  .accent-line { stroke: #4db6ac; }
  .warm-line { stroke: #ffa657; }
  .band { fill: #4db6ac; }
}
"""


class Drawing:
    """Shapes on a canvas, in pixels from the upper left corner.

    Args:
        width: Of the canvas.
        height: Of the canvas.
        title: What it shows, for readers who cannot see it.
    """

    def __init__(self, width: int, height: int, title: str) -> None:
        self._size = width, height
        self._title = title
        self._shapes: list[str] = []

    def text(
        self,
        where: Point,
        words: str,
        *,
        size: int = 14,
        anchor: str = "middle",
        bold: bool = False,
        kind: str = "",
    ) -> None:
        """Writes words, their baseline at a point."""
        weight = ' font-weight="600"' if bold else ""
        css = f' class="{kind}"' if kind else ""
        self._shapes.append(
            f'<text x="{_px(where[0])}" y="{_px(where[1])}" font-size="{size}" '
            f'text-anchor="{anchor}"{weight}{css}>{escape(words)}</text>'
        )

    def box(
        self,
        corner: Point,
        size: Point,
        title: str = "",
        lines: Sequence[str] = (),
        *,
        kind: str = "box",
    ) -> None:
        """A rounded rectangle with a title and lines below it, centred."""
        (x, y), (width, height) = corner, size
        self._shapes.append(
            f'<rect x="{_px(x)}" y="{_px(y)}" width="{_px(width)}" height="{_px(height)}" '
            f'rx="8" class="{kind}"/>'
        )
        words = [*([title] if title else []), *lines]
        first = y + height / 2 - 9 * (len(words) - 1) + 5
        on = "on" if kind != "box" else ""
        for number, line in enumerate(words):
            is_title = bool(title) and number == 0
            self.text(
                (x + width / 2, first + 18 * number),
                line,
                size=14 if is_title else 13,
                bold=is_title,
                kind=on or ("" if is_title else "dim"),
            )

    def dot(self, where: Point, radius: float = 5, *, kind: str = "accent") -> None:
        """A disc."""
        x, y = map(_px, where)
        self._shapes.append(f'<circle cx="{x}" cy="{y}" r="{_px(radius)}" class="{kind}"/>')

    def line(
        self,
        points: Sequence[Point],
        *,
        kind: str = "line",
        dashed: bool = False,
        wide: float = 1.6,
    ) -> None:
        """A line through points."""
        path = " ".join(f"{_px(x)},{_px(y)}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self._shapes.append(
            f'<polyline points="{path}" class="{kind}" stroke-width="{wide}"{dash}/>'
        )

    def area(self, points: Sequence[Point], *, kind: str = "band") -> None:
        """A filled polygon."""
        path = " ".join(f"{_px(x)},{_px(y)}" for x, y in points)
        self._shapes.append(f'<polygon points="{path}" class="{kind}"/>')

    def arrow(self, start: Point, end: Point, *, kind: str = "line") -> None:
        """A straight arrow, level or upright."""
        (x, y), (to_x, to_y) = start, end
        level = abs(to_x - x) >= abs(to_y - y)
        back = 8 if (to_x > x if level else to_y > y) else -8
        head = (
            [(to_x - back, to_y - 5), (to_x, to_y), (to_x - back, to_y + 5)]
            if level
            else [(to_x - 5, to_y - back), (to_x, to_y), (to_x + 5, to_y - back)]
        )
        self.line([start, end], kind=kind)
        self.line(head, kind=kind)

    def svg(self) -> str:
        """The whole file."""
        width, height = self._size
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                f'width="{width}" height="{height}" role="img">',
                f"<title>{escape(self._title)}</title>",
                f"<style>{_STYLE}</style>",
                *self._shapes,
                "</svg>",
                "",
            ]
        )


def _px(number: float) -> str:
    return f"{number:.0f}"
