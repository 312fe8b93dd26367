"""Values of Ehrlich functions by pytorch-holo, which tests compare ours with.

pytorch-holo asks for numpy < 2, so it is not installed beside the project: unpack its wheel, whose
Ehrlich function needs torch and botorch alone, and write the file anew with

    pip download --no-deps pytorch-holo==0.0.5 && unzip -d holo pytorch_holo-0.0.5-*.whl
    PYTHONPATH=holo python -m tests.problems.ehrlich_reference
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FILE = Path(__file__).with_name("ehrlich_reference.npz")
INSTANCES = 25  # of each setting
# categories, length, motifs, motif length, quantization, epistasis
SETTINGS = (
    (32, 32, 4, 4, 4, 0.0),
    (32, 32, 2, 4, 2, 0.0),
    (20, 64, 2, 4, 4, 0.5),
    (32, 128, 8, 8, 8, 0.0),
    (4, 15, 2, 4, 1, 0.0),
    (5, 15, 1, 3, 3, 0.0),
    (10, 30, 3, 5, 5, 1.0),
    (16, 64, 4, 6, 3, 2.5),
)
KINDS = ("of the chain", "mutated optimum", "uniform", "optimum")  # the sequences of an instance


def holo_ehrlich() -> Any:
    """pytorch-holo's class, without what else its packages import."""
    if "holo.test_functions" not in sys.modules:
        spec = find_spec("holo")
        if spec is None or spec.submodule_search_locations is None:
            raise ImportError("pytorch-holo is not there to import")
        package = ModuleType("holo.test_functions")  # its own needs pooch and pandas
        package.__path__ = [f"{spec.submodule_search_locations[0]}/test_functions"]
        sys.modules["holo.test_functions"] = package
    from holo.test_functions.closed_form._ehrlich import Ehrlich  # type: ignore[import-not-found]

    return Ehrlich


def instance(setting: tuple[Any, ...], seed: int) -> Any:
    """An Ehrlich function of pytorch-holo."""
    v, length, c, k, q, epistasis = setting
    return holo_ehrlich()(
        num_states=v,
        dim=length,
        num_motifs=c,
        motif_length=k,
        quantization=q,
        epistasis_factor=epistasis,
        random_seed=seed,
    )


def sequences_of(function: Any, rng: np.random.Generator) -> Array:
    """One sequence of each kind, (4, L)."""
    optimum = function.optimal_solution().numpy()
    mutated = optimum.copy()
    for position in rng.choice(np.arange(1, len(mutated)), rng.integers(1, 6), replace=False):
        # Mostly a letter is repeated: others are hardly ever feasible.
        mutated[position] = (
            mutated[position - 1] if rng.random() < 0.9 else rng.integers(function.num_states)
        )
    chain = function.initial_solution().numpy()
    return np.stack([chain, mutated, rng.integers(function.num_states, size=len(chain)), optimum])


def main() -> None:
    """Writes `FILE`: of every setting 25 instances with 4 sequences each."""
    import torch

    rng = np.random.default_rng(0)
    arrays: dict[str, Array] = {}
    for number, setting in enumerate(SETTINGS):
        arrays_by_name: dict[str, list[Array]] = {}
        for seed in range(INSTANCES):
            function = instance(setting, 1000 * number + seed)
            sequences = sequences_of(function, rng)
            for name, array in {
                "possible": np.packbits(function.transition_matrix.numpy() > 0),
                "motifs": torch.stack(list(function.motifs)).numpy().astype(np.uint8),
                "gaps": torch.stack(function.spacings).numpy().astype(np.uint8),
                "sequences": sequences.astype(np.uint8),
                "values": function.evaluate_true(torch.as_tensor(sequences)).numpy(),
            }.items():
                arrays_by_name.setdefault(name, []).append(array)
        arrays |= {f"{name}_{number}": np.stack(each) for name, each in arrays_by_name.items()}
    np.savez_compressed(FILE, **arrays)


if __name__ == "__main__":
    main()
