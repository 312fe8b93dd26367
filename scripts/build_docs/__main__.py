"""Writes the generated part of docs/: `python -m scripts.build_docs`.

`docs/environments` holds a page per registered id, in the skeleton of Gymnasium's: its text is the
problem's docstring, its facts come from the environment with default arguments, and its picture is
the last frame of a campaign. `docs/policies.md` comes from the registry of policies and their files
of settings, `docs/images/concepts` from `drawings.py`. `--check` writes nothing and exits with an
error where a file is not what would be written, or a picture is missing. What a picture of a
campaign holds is not compared: fonts differ between machines.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import tyro

from ombo_gym.registration import PROBLEMS
from scripts.build_docs.drawings import DRAWINGS
from scripts.build_docs.page import DocsError, index, page
from scripts.build_docs.picture import draw
from scripts.build_docs.policies import page as policies_page

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ENVIRONMENTS = Path("environments")  # in the folder of pages
_POLICIES, _DRAWINGS = Path("policies.md"), Path("images/concepts")


@dataclasses.dataclass(frozen=True)
class Args:
    """Write the generated part of docs/: environments, policies and drawings."""

    check: bool = False
    """Write nothing; exit with an error where a file or picture is missing or not current."""
    pictures: bool = False
    """Draw all pictures of campaigns anew, not only those that are missing."""


def main(args: Args, docs: Path = DOCS) -> None:
    """Writes or checks all files and pictures.

    Raises:
        DocsError: Something is not current, or cannot be written for an extra that is missing.
    """
    texts = build()
    if args.check:
        if wrong := not_current(texts, docs):
            raise DocsError("not current, run `python -m scripts.build_docs`: " + ", ".join(wrong))
        print(f"{len(texts)} files are current")
        return
    for path in map(picture_of, PROBLEMS):
        if args.pictures or not (docs / path).exists():
            (docs / path).parent.mkdir(parents=True, exist_ok=True)
            (docs / path).write_bytes(draw(path.stem))
            print(f"{path}: {(docs / path).stat().st_size / 1024:.0f} KiB")
    for path, text in texts.items():
        (docs / path).parent.mkdir(parents=True, exist_ok=True)
        (docs / path).write_text(text, encoding="utf-8")
    for path in left_over(texts, docs):
        (docs / path).unlink()
    print(f"{len(texts)} files in {docs}")


def build() -> dict[Path, str]:
    """What all files should say, by their path in the folder of pages.

    Raises:
        DocsError: A problem cannot be made, for an extra that is missing.
    """
    pages = {page_of(name): page(name) for name in PROBLEMS}
    drawn = {_DRAWINGS / f"{name}.svg": drawing().svg() for name, drawing in DRAWINGS.items()}
    return {ENVIRONMENTS / "README.md": index(), **pages, _POLICIES: policies_page(), **drawn}


def not_current(texts: dict[Path, str], docs: Path = DOCS) -> list[str]:
    """Files that are not what they should be or should not be there, and missing pictures."""
    wrong = [path for path, text in texts.items() if _read(docs / path) != text]
    missing = [path for path in map(picture_of, PROBLEMS) if not (docs / path).exists()]
    return [str(path) for path in [*wrong, *missing, *left_over(texts, docs)]]


def left_over(texts: dict[Path, str], docs: Path = DOCS) -> list[Path]:
    """Files of environments that are no longer registered."""
    known = {*texts, *map(picture_of, PROBLEMS)}
    folder = docs / ENVIRONMENTS
    present = [*folder.glob("*.md"), *folder.glob("images/*.png")]
    return sorted(
        path for path in (each.relative_to(docs) for each in present) if path not in known
    )


def page_of(name: str) -> Path:
    """Where a problem's page is."""
    return ENVIRONMENTS / f"{name}.md"


def picture_of(name: str) -> Path:
    """Where a problem's picture is."""
    return ENVIRONMENTS / "images" / f"{name}.png"


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    try:
        main(tyro.cli(Args))
    except DocsError as error:
        raise SystemExit(f"error: {error}") from error
