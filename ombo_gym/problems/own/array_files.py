"""Arrays as people have them: `.npy` files, shards of one array, arrays and lists in Python."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import as_array, shown

Array = NDArray[Any]

LARGEST = 1e38  # of a number: networks compute in float32
_MOST_GIVEN = 2**20  # numbers of an array that is given in Python: JSON keeps it
_MOST_BYTES = 2**30  # of an array
_TEXT = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class GivenArray:
    """An array (n, ...) in the pieces that it came in, of which files are not read yet.

    Attributes:
        argument: What messages call it.
        parts: (n_i, ...) each.
        names: Of each part, in messages.
        sources: The files, if any.
        written: The argument as JSON holds it: absolute paths, or lists.
    """

    argument: str
    parts: tuple[Array, ...]
    names: tuple[str, ...]
    sources: tuple[Path, ...]
    written: Any

    def __len__(self) -> int:
        """Number of rows, n."""
        return sum(map(len, self.parts))

    def whole(self, dtype: Any = None) -> Array:
        """All parts behind each other, in memory."""
        return np.concatenate([np.asarray(part, dtype) for part in self.parts])

    def check_kind(self, kinds: str, expected: str) -> None:
        """Refuses parts of other kinds of dtype, or of too many bytes.

        Raises:
            ValueError: Names the part, its dtype and what was expected.
        """
        for name, part in zip(self.names, self.parts, strict=True):
            if part.dtype.kind not in kinds or part.dtype.names is not None:
                raise ValueError(f"{name}: expected {expected}, got an array of {part.dtype}")

    def check_size(self, itemsize: int | None = None) -> None:
        """Refuses an array that would take too much memory, before any is taken.

        Args:
            itemsize: Bytes of an entry; None: as it is.

        Raises:
            ValueError: It would; says how much.
        """
        needed = sum(part.size * (itemsize or part.dtype.itemsize) for part in self.parts)
        if needed > _MOST_BYTES:
            shape = (len(self), *self.parts[0].shape[1:])
            raise ValueError(
                f"{self.argument}: expected an array that takes at most "
                f"{_MOST_BYTES / 2**20:,.0f} MiB of memory, got one of shape {shape} "
                f"({needed / 2**20:,.0f} MiB); leave rows or columns out"
            )


def read_array(argument: str, given: Any) -> GivenArray:
    """The array that is meant by an argument.

    Args:
        argument: Its name.
        given: The path of a `.npy` file, a list of such paths, or an array or nested list.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is none of that, a file that is damaged or holds Python objects, or an array
            in Python that is too large for JSON.
    """
    paths = [given] if _is_path(given) else given
    if isinstance(paths, list | tuple) and paths and all(map(_is_path, paths)):
        found = tuple(Path(path).absolute() for path in paths)
        parts = tuple(_load(argument, path) for path in found)
        written = [str(path) for path in found]
        names = tuple(f"{argument}: {path}" for path in found)
        return GivenArray(argument, parts, names, found, written[0] if _is_path(given) else written)
    array = as_array(given)
    if array.ndim == 0 or array.dtype.kind == "O" or _mixes_texts(given, array):
        raise ValueError(
            f"{argument}: expected the path of a .npy file, a list of such paths, or an array or "
            f"nested list of numbers or categories with as many entries in every row, got "
            f"{shown(given)}"
        )
    if array.size > _MOST_GIVEN:
        raise ValueError(
            f"{argument}: expected an array of at most {_MOST_GIVEN:,} entries in Python, got one "
            f"of shape {array.shape}; save it, np.save('{argument}.npy', {argument}), and give the "
            "path of the file"
        )
    return GivenArray(argument, (array,), (argument,), (), array.tolist())


def check_rows(x: GivenArray, y: GivenArray) -> None:
    """Refuses two arrays that do not have as many rows, shard by shard where both have shards.

    Raises:
        ValueError: They do not; names the first pair that differs.
    """
    pairs = [(x.argument, len(x), y.argument, len(y))]
    if len(x.parts) == len(y.parts) > 1:
        pairs = [
            (x.names[i], len(x.parts[i]), y.names[i], len(y.parts[i])) for i in range(len(x.parts))
        ]
    for x_name, x_rows, y_name, y_rows in pairs:
        if x_rows != y_rows:
            raise ValueError(
                f"x, y: expected as many values as designs, got {x_rows:,} rows in {x_name} and "
                f"{y_rows:,} in {y_name}"
            )


def check_finite(array: GivenArray) -> None:
    """Refuses NaN, infinity and numbers beyond what networks compute with.

    Raises:
        ValueError: There is one; names its row, from 0, and what to do.
    """
    first = 0
    for name, part in zip(array.names, array.parts, strict=True):
        if part.dtype.kind == "f":
            good = np.isfinite(part)
            if part.dtype.itemsize > 2:  # half precision ends before
                good &= np.abs(part) <= LARGEST
        else:
            good = np.ones(1, bool)
        if not good.all():
            place = np.argwhere(~good)[0].tolist()
            column = f", column {place[1]}" if len(place) > 1 else ""
            of_all = f" (row {first + place[0]} of all)" if first else ""
            raise ValueError(
                f"{name}: expected finite numbers within {LARGEST:g}, got {part[tuple(place)]} in "
                f"row {place[0]}{column}, counted from 0{of_all}; leave the row out, of x and y"
            )
        first += len(part)


def _is_path(given: Any) -> bool:
    return isinstance(given, str | os.PathLike)


def _mixes_texts(given: Any, array: Array) -> bool:
    """Whether numbers of a nested list were turned into texts, as numpy does beside texts."""
    if array.dtype.kind not in "US" or not isinstance(given, Sequence):
        return False
    return not all(isinstance(each, str) for each in np.array(given, object).ravel().tolist())


def _load(argument: str, path: Path) -> Array:
    """The array of a file, mapped into memory and not read."""
    if "\0" in str(path):
        raise ValueError(f"{argument}: expected the path of a file, got {str(path)!r}")
    if not path.exists():
        raise FileNotFoundError(
            f"{argument}: there is no file {path}; expected the path of a .npy file or a list of "
            "such paths (the letters of sequences are given as lists, [list(s) for s in sequences])"
        )
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        reason = f" ({error})"
        if "pickle" in str(error):  # numpy's words recommend what no file of others should be given
            text = path.suffix.lower() in _TEXT
            reason = "; a table as text is csv=, in place of x and y" if text else ""
        raise ValueError(
            f"{argument}: expected a file that numpy.save wrote, with numbers or categories and no "
            f"Python objects, {path} is none{reason}"
        ) from error
    if not isinstance(found, np.ndarray):
        raise ValueError(
            f"{argument}: expected a file with one array, as numpy.save writes it, got an archive, "
            f"{path}; save each of the arrays by itself"
        )
    if found.ndim == 0:
        raise ValueError(f"{argument}: expected an array with rows, got one number in {path}")
    return found
