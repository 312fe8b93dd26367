"""Writes the environments' pages, `docs/environments`: `python -m scripts.build_docs`.

A page per registered id, in the skeleton of Gymnasium's: its text is the problem's docstring, its
facts come from the environment with default arguments. Each shows the last frame of a campaign.
`--check` writes nothing and exits with an error where a page is not what would be written, or a
picture is missing. What a picture holds is not compared: fonts differ between machines.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import tyro

from ombo_gym.registration import PROBLEMS
from scripts.build_docs.page import DocsError, index, page
from scripts.build_docs.picture import draw

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "environments"


@dataclasses.dataclass(frozen=True)
class Args:
    """Write docs/environments: a page and a picture for every environment."""

    check: bool = False
    """Write nothing; exit with an error where a page or picture is missing or not current."""
    pictures: bool = False
    """Draw all pictures anew, not only those that are missing."""


def main(args: Args) -> None:
    """Writes or checks all pages and pictures."""
    pages = build()
    if args.check:
        if wrong := not_current(pages):
            raise DocsError("not current, run `python -m scripts.build_docs`: " + ", ".join(wrong))
        print(f"{len(pages)} pages are current")
        return
    (FOLDER / "images").mkdir(parents=True, exist_ok=True)
    for name in PROBLEMS:
        path = picture_of(name)
        if args.pictures or not path.exists():
            path.write_bytes(draw(name))
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB")
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
    for path in left_over(pages):
        path.unlink()
    print(f"{len(pages)} pages in {FOLDER.relative_to(ROOT)}")


def build() -> dict[Path, str]:
    """What all pages should say.

    Raises:
        DocsError: A problem cannot be made, for an extra that is missing.
    """
    pages = {page_of(name): page(name) for name in PROBLEMS}
    return {FOLDER / "README.md": index(), **pages}


def not_current(pages: dict[Path, str]) -> list[str]:
    """Pages that are not what they should be or should not be there, and missing pictures."""
    wrong = [path for path, text in pages.items() if not path.exists() or _read(path) != text]
    missing = [path for path in map(picture_of, PROBLEMS) if not path.exists()]
    return [str(path.relative_to(FOLDER)) for path in [*wrong, *missing, *left_over(pages)]]


def left_over(pages: dict[Path, str]) -> list[Path]:
    """Files of environments that are no longer registered."""
    known = {*pages, *map(picture_of, PROBLEMS)}
    there = [*FOLDER.glob("*.md"), *FOLDER.glob("images/*.png")]
    return sorted(path for path in there if path not in known)


def page_of(name: str) -> Path:
    """Where a problem's page is."""
    return FOLDER / f"{name}.md"


def picture_of(name: str) -> Path:
    """Where a problem's picture is."""
    return FOLDER / "images" / f"{name}.png"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    try:
        main(tyro.cli(Args))
    except DocsError as error:
        raise SystemExit(f"error: {error}") from error
