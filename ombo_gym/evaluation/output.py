"""An evaluation's folder: what was there stays, until all that is new is there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

_DRAFT = ".draft-"  # begins the names of folders that results are written to first
# What is written to or in, rather than replaced: a link would lead out of the folder.
_FOLDERS, _FILES = ("cells", "figures"), (".lock",)


def check_folder(out: Path) -> None:
    """Makes sure before hours of work that an evaluation's folder can be made and written to.

    Raises:
        ValueError: What is to be a folder in it is none, or a symbolic link.
        OSError: Nothing can be written there, or where it is to be made.
    """
    for name in (*_FOLDERS, *_FILES):
        path, kind = out / name, "a folder" if name in _FOLDERS else "a file"
        wrong_kind = path.exists() and path.is_dir() != (name in _FOLDERS)
        if path.is_symlink() or wrong_kind:
            found = "a symbolic link" if path.is_symlink() else "something else"
            raise ValueError(f"{path}: expected {kind} or nothing, got {found}; move it away")
    path = out.absolute()
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=existing, prefix=_DRAFT):
            pass
    except OSError as error:  # of the folder: nobody knows the temporary file
        raise OSError(error.errno, error.strerror, str(out)) from error


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A folder to write results to, whose files take their places in `out` when all are written.

    Whatever goes wrong before (a full disk, Ctrl-C), `out` is as it was. To be used by one run at
    a time. Pictures of an earlier run, of other problems, are removed.

    Args:
        out: The evaluation's folder.
    """
    for left_over in out.glob(f"{_DRAFT}*"):  # of a run that was killed
        if left_over.is_dir() and not left_over.is_symlink():
            shutil.rmtree(left_over, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(dir=out, prefix=_DRAFT))
    try:
        yield draft
        files = [path.relative_to(draft) for path in sorted(draft.rglob("*")) if path.is_file()]
        for file in files:
            (out / file).parent.mkdir(exist_ok=True)
            os.replace(draft / file, out / file)
        if files:
            remove_other_pictures(out / "figures", {file.name for file in files})
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def remove_other_pictures(figures: Path, names: Collection[str]) -> None:
    """Removes pictures of other names than these, which an earlier run has left."""
    for picture in [*figures.glob("*.png"), *figures.glob("*.svg")]:
        if picture.name not in names:
            picture.unlink()
