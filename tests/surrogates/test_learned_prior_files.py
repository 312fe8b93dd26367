"""Reading a prior: what is damaged, missing or of something else is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.learned_file import DamagedFile, read_tensors
from ombo_gym.surrogates.learned_prior import read_prior
from ombo_gym.surrogates.surrogate import make_surrogate
from tests.surrogates.learned_cases import SCALE, config_of, tensors_of, write_prior

SPACE = BoxDesigns(2)


def test_tensors_are_those_that_the_library_wrote(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    written: dict[str, Any] = {
        "a": rng.normal(size=(3, 2)),
        "b": rng.normal(size=4).astype(np.float32),
        "c": rng.integers(-9, 9, (2, 1, 2)),
        "empty": np.zeros((0, 2)),
    }
    (tmp_path / "x.safetensors").write_bytes(save(written))
    read = read_tensors(tmp_path / "x.safetensors")
    assert read.keys() == written.keys()
    for name, each in written.items():
        np.testing.assert_array_equal(read[name], each)


@pytest.mark.parametrize("size", [0, 5, 8, 60, 300])
def test_a_file_that_is_cut_off_is_refused(size: int, tmp_path: Path) -> None:
    whole = save({"a": np.ones(40), "b": np.ones(3)})
    (tmp_path / "x").write_bytes(whole[:size])
    with pytest.raises(DamagedFile, match="expected a file of tensors, got"):
        read_tensors(tmp_path / "x")


def _file(header: dict[str, Any], numbers: bytes = b"\0" * 16) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"dtype": "F64", "shape": [3], "data_offsets": [0, 16]}, "of another size"),
        ({"dtype": "F64", "shape": [2], "data_offsets": [8, 24]}, "cut off"),
        ({"dtype": "F64", "shape": [-2], "data_offsets": [0, 16]}, "without a shape"),
        ({"dtype": "C64", "shape": [2], "data_offsets": [0, 16]}, "of a type"),
        ({"dtype": "F64", "shape": [2**40, 2**40], "data_offsets": [0, 16]}, "of another size"),
        ([1, 2], "says nothing of"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(entry: Any, reason: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(_file({"a": entry}))
    with pytest.raises(DamagedFile, match=reason):
        read_tensors(tmp_path / "x")


def test_nan_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(save({"a": np.array([1.0, np.nan])}))
    with pytest.raises(DamagedFile, match="'a' that holds NaN or infinity"):
        read_tensors(tmp_path / "x")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 7}, "expected the format 1, got 7"),
        ({"kind": "forest"}, "expected a kind among"),
        ({"kernel": None}, "expected a kernel among"),
        ({"kernel": ["rbf"]}, "expected a kernel among"),
        ({"scale": {**SCALE, "log_scale": 1e4}}, "expected log_scale from -100 to 100"),
        ({"noise": -1.0}, "expected a positive noise, got -1.0"),
        ({"calibration": "1"}, "expected a finite number as calibration"),
        ({"scale": {"offset": 1.0}}, "expected a scale with"),
        ({"design_space": None}, "expected the design_space"),
        ({"agent": "exploration"}, "whose config.json is another agent's"),
    ],
)
def test_a_configuration_that_is_none_is_refused(
    change: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    write_prior(tmp_path, SPACE, "interp", **change)
    with pytest.raises(ValueError, match=reason):
        read_prior(tmp_path, SPACE)


@pytest.mark.parametrize("missing", ["lengthscales", "anchors", "coefficients", "portfolio"])
def test_a_tensor_that_is_missing_is_named(missing: str, tmp_path: Path) -> None:
    write_prior(tmp_path, SPACE, "interp")
    tensors = tensors_of(SPACE, "interp")
    del tensors[missing]
    (tmp_path / "prior.safetensors").write_bytes(save(tensors))
    with pytest.raises(ValueError, match=f"no .*{missing}.*train it again"):
        read_prior(tmp_path, SPACE)


def test_designs_outside_the_space_are_refused(tmp_path: Path) -> None:
    write_prior(tmp_path, SPACE, "interp")
    tensors = tensors_of(SPACE, "interp")
    tensors["promising"] = np.full((2, 2), 1.5)
    (tmp_path / "prior.safetensors").write_bytes(save(tensors))
    with pytest.raises(ValueError, match="'promising' that are none of the design space"):
        read_prior(tmp_path, SPACE)


def test_a_prior_of_another_space_is_refused(tmp_path: Path) -> None:
    write_prior(tmp_path, SPACE, "interp")
    for other in (BoxDesigns(3), CategoricalDesigns([2, 2])):
        with pytest.raises(ValueError, match=r"is of other designs, box 2-D: .*train one for"):
            read_prior(tmp_path, other)


def test_a_prior_is_read_again_when_its_files_change(tmp_path: Path) -> None:
    write_prior(tmp_path, SPACE, "interp")
    first = read_prior(tmp_path, SPACE)
    assert read_prior(str(tmp_path), BoxDesigns(2)) is first
    config = config_of(SPACE, "interp", residual_variance=0.123456)
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert read_prior(tmp_path, SPACE).residual_variance == 0.123456


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        ({"kernel": "learned"}, '\'surrogate: "learned" needs a path|needs a path'),
        ({"kernel": "learned", "path": 3}, "needs a path"),
        ({"kernel": "learned", "path": "/no/such/folder"}, "expected config.json in the folder"),
        ({"kernel": "fit", "path": "x"}, "'path' goes with the kernel"),
        ({"kernel": "learned", "path": "x", "lengthscale": 1.0}, "'lengthscale' goes with"),
    ],
)
def test_recipes_without_a_prior_are_refused(recipe: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make_surrogate(CampaignSpec(SPACE, surrogate=recipe))


def test_a_recipe_with_a_prior_goes_through_json(tmp_path: Path) -> None:
    recipe = {"kernel": "learned", "path": str(write_prior(tmp_path, SPACE, "interp"))}
    spec = CampaignSpec(SPACE, surrogate=recipe)
    again = CampaignSpec.from_json(spec.to_json())
    assert again == spec and make_surrogate(again).learned is make_surrogate(spec).learned
