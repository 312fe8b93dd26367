"""Files after some accident."""

from __future__ import annotations

import numpy as np


def fuzzed(content, rng):
    """What is left of a file after some accident."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(content) + 1)) if rng.random() < 0.5 else int(rng.integers(400))
        kind = rng.integers(4)
        if kind == 0:
            del content[at:]
        elif kind == 1:
            content[at : at + 8] = rng.bytes(8)
        elif kind == 2:
            content[at:at] = rng.bytes(int(rng.integers(1, 50)))
        else:
            content[at : at + 1] = rng.choice([b"9", b"[", b"{", b'"', b"-", b"\x00"])
        content = content or bytearray(b"{")
    return bytes(content)


def fuzz(folder, name, inputs, read):
    """Reads a file after so many accidents: it is read, or refused in one line."""
    content, file = (folder / name).read_bytes(), folder / name
    for i in range(inputs):
        file.write_bytes(fuzzed(content, np.random.default_rng(i)))
        try:
            read()
        except ValueError as error:
            assert "\n" not in str(error) and str(folder) in str(error), i
