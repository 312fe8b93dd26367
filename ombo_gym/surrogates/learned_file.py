"""Files of tensors (safetensors) with NumPy alone: nothing is unpickled, no code is run.

A file is the length of a header, eight bytes, the header, JSON that says what each tensor is and
where it lies, and the tensors' numbers one after the other.

Reference:
    https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U8": "|u1",
}
_LARGEST_FILE = 2**30  # bytes
_LARGEST_HEADER = 2**20


class DamagedFile(ValueError):
    """A file that is not what was written."""


def read_tensors(file: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a file by name, read-only.

    Raises:
        DamagedFile: It is missing, too large or no such file, or a number in it is NaN or infinity;
            says which file and why.
    """
    try:
        if not file.is_file():  # a pipe would never end
            raise DamagedFile("there is no such file")
        if (size := file.stat().st_size) > _LARGEST_FILE:
            raise DamagedFile(f"it has {size:,} bytes, more than {_LARGEST_FILE:,}")
        return _tensors(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no JSON, or no text
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DamagedFile(f"{file}: expected a file of tensors, got {reason}") from None


def _tensors(content: bytes) -> dict[str, NDArray[Any]]:
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(_LARGEST_HEADER, len(content) - 8):
        raise DamagedFile("a header that is cut off")
    header = json.loads(content[8 : 8 + length])
    if not isinstance(header, dict):
        raise DamagedFile("a header that is no list of tensors")
    numbers = content[8 + length :]
    entries = {name: each for name, each in header.items() if name != "__metadata__"}
    return {name: _tensor(name, entry, numbers) for name, entry in entries.items()}


def _tensor(name: str, entry: Any, numbers: bytes) -> NDArray[Any]:
    """One tensor, where its header and what lies there agree."""
    if not isinstance(entry, Mapping):
        raise DamagedFile(f"a header that says nothing of {name!r}")
    dtype, shape, ends = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise DamagedFile(f"{name!r} of a type that is none of {sorted(_DTYPES)}")
    if not _whole(shape) or not _whole(ends) or len(ends) != 2:
        raise DamagedFile(f"{name!r} without a shape or a place")
    kind = np.dtype(_DTYPES[dtype])
    begin, end = ends
    if not begin <= end <= len(numbers) or end - begin != prod(shape) * kind.itemsize:
        raise DamagedFile(f"{name!r} cut off, or of another size than its shape {tuple(shape)}")
    tensor = np.frombuffer(numbers[begin:end], kind).reshape(shape)
    if kind.kind == "f" and not np.isfinite(tensor).all():
        raise DamagedFile(f"{name!r} that holds NaN or infinity")
    return tensor


def _whole(given: Any) -> TypeGuard[list[int]]:
    return isinstance(given, list) and all(type(each) is int and each >= 0 for each in given)
