"""Which instances a prior is learnt from, how many, and how much is kept of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ombo_agents.cli.train import Args, main
from ombo_agents.learned.priors import families, train_prior, training
from ombo_agents.learned.priors.families import family_of
from ombo_agents.learned.priors.training import learn
from ombo_gym.surrogates.learned_file import read_tensors
from ombo_gym.tasks import Task
from tests.agents.priors.test_learning_priors import small_family


def test_some_instances_of_a_collection_are_drawn_by_the_seed_and_named_by_their_numbers() -> None:
    every = family_of("LCBench:train")
    some = family_of("LCBench:train", 0, 5)
    numbers = [int(name.rpartition(" ")[2]) for name in some.names]
    assert numbers == sorted(set(numbers)) and len(numbers) == 5 and max(numbers) > 4
    np.testing.assert_array_equal(some.values, every.values[numbers])
    assert some.names == tuple(every.names[number] for number in numbers)
    assert family_of("LCBench:train", 0, 5).names == some.names
    assert family_of("LCBench:train", 1, 5).names != some.names
    assert family_of("LCBench:train", 0, 99).names == every.names


def test_some_draws_of_a_family_without_end_or_of_a_large_collection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert len(family_of([Task("Ombo/GP-v0", {"dim": 1})], 0, 4).values) == 4
    monkeypatch.setattr(families, "_DRAWN", 20)
    monkeypatch.setattr(families, "_PROBES", 10)
    sequences = {"length": 4, "categories": 3, "motifs": 1, "motif_length": 2}
    assert len(family_of("Ehrlich:train", 0, 5, sequences).values) == 5
    assert len(family_of("Ehrlich:train", 0, None, sequences).values) == 32


def test_arguments_of_the_environment_go_with_its_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "_DRAWN", 20)
    monkeypatch.setattr(families, "_PROBES", 10)
    family = family_of("Coating:train", 0, 3, {"task": "mirror", "layers": 5})
    assert family.space.shape == (5,)
    kept = {"task": "mirror", "layers": 5, "split": "train"}
    assert family.origin["tasks"] == [{"env": "Ombo/Coating-v0", "env_kwargs": kept}]


@pytest.mark.parametrize(
    ("tasks", "env_kwargs", "words"),
    [
        ("ML-screens-v0:train", {"dim": 3}, "env_kwargs: expected tasks such as LCBench:train"),
        ("LCBench:train", {"split": "test"}, "env_kwargs: expected arguments beside the split"),
        ("SnAr:all", {"kinetics": "perturbed"}, "never sees those of a test"),
        ("Tuning:all", {"benchmark": "nasbench201"}, "never sees those of a test"),
        ("Tuning:test", {"benchmark": "nasbench201"}, "never sees those of a test"),
    ],
)
def test_what_would_be_of_a_test_or_of_nothing_is_refused(
    tasks: str, env_kwargs: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        family_of(tasks, 0, None, env_kwargs)


@pytest.mark.parametrize("name", ["instances", "loadings"])
@pytest.mark.parametrize("number", [0, -1, 2.5, True])
def test_numbers_that_are_none_are_refused(name: str, number: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected a whole number of at least 1"):
        train_prior("LCBench:train", tmp_path, **{name: number})


def test_a_folder_has_neither_instances_nor_arguments(tmp_path: Path) -> None:
    given: list[dict[str, Any]] = [{"instances": 3}, {"env_kwargs": {"dim": 2}}]
    for each in given:
        with pytest.raises(ValueError, match="goes with tasks of environments"):
            train_prior(tmp_path, tmp_path, space="space.yaml", target="y", **each)


def test_as_many_loadings_are_kept_as_were_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning = "ombo_agents.learned.priors.learning"
    monkeypatch.setattr(f"{learning}._CURVATURES", (0.0,))
    monkeypatch.setattr(f"{learning}._GRIDS", {"residual": (0.1,)})
    monkeypatch.setattr("ombo_gym.surrogates.learned_scale._GRIDS", ((9, 9), (5, 5)))
    family = small_family(instances=4, designs=40)
    for most, kept in ((1, 1), (32, 2)):  # which differ in two directions
        learn(family, "interp", most_loadings=most).save(tmp_path / str(most))
        tensors = read_tensors(tmp_path / str(most) / "prior.safetensors")
        assert tensors["coefficients"].shape[1] == kept + 2


def test_the_command_passes_them_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def family(*given: Any) -> Any:
        asked.extend(given)
        raise ValueError("enough")

    monkeypatch.setattr(training, "family_of", family)
    flags: dict[str, Any] = {"instances": 7, "loadings": 3, "env_kwargs": '{"dim": 2}'}
    with pytest.raises(ValueError, match="enough"):
        main(Args(out=tmp_path, agent="prior", tasks="GP:train", seed=4, **flags))
    assert asked == ["GP:train", 4, 7, {"dim": 2}]
    with pytest.raises(ValueError, match="--instances: it goes with --agent prior"):
        main(Args(out=tmp_path, instances=7))
