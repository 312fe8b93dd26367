"""Files that appear whole or not at all, so that a full disk or a kill leaves what was there."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_UNFINISHED = ".tmp"  # the end of a temporary file's name


def write_atomically(file: Path, content: bytes | str | Callable[[BinaryIO], object]) -> None:
    """Writes a file in one step: whoever reads it, at any moment, finds the old content or the new.

    The content goes to a temporary file in the same folder, is brought to the disk, and then takes
    the file's name. When anything goes wrong on the way (a full disk, a signal), the temporary file
    is removed and the old file is as it was; a kill leaves a temporary file behind, which
    `remove_unfinished` takes away.

    Args:
        file: In a folder that exists; a symbolic link is replaced, not followed.
        content: Bytes, text (written as UTF-8), or a function that is called with the opened binary
            file and writes there.

    Raises:
        OSError: What the system says of `file`: no space, no permission, a folder of that name.
    """
    # Not the whole name: the longest that a file may have would have no place for the rest.
    temporary = file.with_name(f".{file.name[:48]}.{secrets.token_hex(4)}{_UNFINISHED}")
    try:
        with open(temporary, "xb") as opened:
            if callable(content):
                content(opened)
            else:
                opened.write(content.encode() if isinstance(content, str) else content)
            opened.flush()
            os.fsync(opened.fileno())  # or a power cut could leave the name without the content
        os.replace(temporary, file)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            # Of the file that the caller asked for: nobody knows the temporary one.
            raise OSError(error.errno, error.strerror, str(file)) from error
        raise


def check_takes_files(file: Path) -> None:
    """Makes sure, before anything is worked out for it, that a file's folder takes new files.

    Raises:
        ValueError: It does not; says why.
    """
    try:
        with tempfile.TemporaryFile(dir=file.parent):
            pass
    except OSError as error:
        raise ValueError(
            f"{file}: expected a folder that can be written to, got {error.strerror} for "
            f"{file.parent}; give another folder"
        ) from None


def remove_unfinished(folder: Path, *, older_than: float) -> None:
    """Removes what `write_atomically` was writing when it was killed.

    Args:
        folder: Need not exist; folders inside it are not looked at.
        older_than: Seconds since a temporary file was last written to; younger ones may be
            somebody's who is still writing.
    """
    for temporary in folder.glob(f".*{_UNFINISHED}"):
        with contextlib.suppress(OSError):  # another run was faster, or it is not ours to remove
            if time.time() - temporary.stat().st_mtime > older_than:
                temporary.unlink()
