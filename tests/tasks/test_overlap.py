"""Which problems share instances, and which runs have seen which test problems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ombo_gym.evaluation.grid import held_out_problems
from ombo_gym.tasks import TaskDistribution, overlap, problems_met, seen
from tests.pages import ROOT

Named = tuple[str, dict[str, Any]]


def of(name: str, **arguments: Any) -> Named:
    return f"Ombo/{name}-v0", arguments


CRX, PAX4 = "CRX_REF_R1", "PAX4_REF_R1"
SHARED: list[tuple[Named, Named]] = [
    (of("Reaction"), of("Reaction", dataset="doyle")),
    (of("MPSA"), of("MPSA", noise_std=0.5)),
    (of("TFBinding"), of("TFBinding", split="test")),
    (of("TFBinding", factors=[CRX, PAX4]), of("TFBinding", split="test")),
    (of("TFBinding", split="test"), of("TFBind8")),
    (of("LCBench", dataset="airlines"), of("LCBench", split="test")),
    (of("Tuning"), of("Tuning", split="test")),
    (of("HPOB", space="5971"), of("HPOB", space="5971", dataset="43")),
    (of("Coating", layers=4), of("Coating", split="test")),
    (of("Coating", centre=550), of("Coating", split="test", task="mirror")),
    (of("RNAFold"), of("RNAFold", split="test", length=40)),
    (of("Molecule"), of("Molecule", split="test")),
    (of("Ehrlich", instances=[3]), of("Ehrlich", split="test")),
    (of("Ehrlich"), of("Ehrlich", length=15, categories=4, motifs=2)),
    (of("GP"), of("GP", dim=2, surrogate={"kernel": "fit"}, horizon=3)),
    (of("SnAr"), of("SnAr", kinetics="published")),
    (of("Gait", workers=2), of("Gait")),
    (("ombo_gym:Ombo/MPSA-v0", {}), of("MPSA")),
]
APART: list[tuple[Named, Named]] = [
    (of("Reaction"), of("Reaction", dataset="denmark")),
    (of("Reaction"), of("Materials")),
    (of("TFBinding", split="train"), of("TFBinding", split="test")),
    (of("TFBinding", factors=[PAX4]), of("TFBinding", split="test")),
    (of("TFBinding", split="train"), of("TFBind8")),
    (of("LCBench", split="train"), of("LCBench", dataset="airlines")),
    (of("Tuning"), of("Tuning", benchmark="nasbench201")),
    (of("HPOB", space="5971"), of("HPOB", space="5906")),
    (of("Coating", split="train"), of("Coating", split="test")),
    (of("Coating", centre=555), of("Coating", centre=560)),
    (of("RNAFold", split="train"), of("RNAFold", split="test")),
    (of("Molecule", split="train"), of("Molecule", split="test")),
    (of("Molecule", objective="qed"), of("Molecule")),
    (of("Ehrlich", instances=[3, 5]), of("Ehrlich", split="train")),
    (of("Ehrlich", instances=[3, 5]), of("Ehrlich", instances=[7])),
    (of("SnAr"), of("SnAr", kinetics="perturbed")),
    (of("GP"), of("GP", dim=3)),
    (of("Lander", split="train"), of("Lander", split="test")),
]


def test_problems_that_share_an_instance_are_told() -> None:
    assert [pair for pair in SHARED if not overlap(*pair)] == []
    assert [pair for pair in SHARED if not overlap(*pair[::-1])] == []


def test_problems_that_share_none_are_told_apart() -> None:
    assert [pair for pair in APART if overlap(*pair)] == []
    assert [pair for pair in APART if overlap(*pair[::-1])] == []


def test_functions_share_instances_where_both_numbers_agree() -> None:
    pytest.importorskip("ioh")
    one = of("BBOB", functions=[1, 2], instances=[1, 5])
    assert overlap(one, of("BBOB", function="Sphere", instances=[5]))
    assert overlap(one, of("BBOB", split="test", dim=3))
    assert not overlap(one, of("BBOB", functions=[3], instances=[5]))
    assert not overlap(one, of("BBOB", functions=[1], instances=[2]))
    assert not overlap(of("BBOB", split="train"), of("BBOB", split="test"))
    assert not overlap(
        of("PBO", split="train", split_by="function"), of("PBO", split="test", split_by="function")
    )


def test_a_run_has_seen_what_it_was_trained_and_validated_on(tmp_path: Path) -> None:
    test = [of("TFBinding", split="test"), of("MPSA"), of("Reaction", dataset="denmark")]
    trained = {"agent": "exploration", "env": "Ombo/TFBinding-v0", "env_kwargs": {"horizon": 3}}
    (tmp_path / "config.json").write_text(json.dumps(trained))
    assert problems_met(tmp_path) == [of("TFBinding", horizon=3)]
    assert seen(tmp_path, test) == seen(tmp_path / "config.json", test) == [test[0]]
    assert seen({**trained, "env_kwargs": {"split": "train"}}, test) == []
    tasks = [{"env": "Ombo/MPSA-v0"}, {"env": "Ombo/GP-v0"}]
    several = {"env": "Ombo/Tasks-v0", "env_kwargs": {"tasks": tasks, "control": "candidates"}}
    assert seen(several, test) == [test[1]]
    assert seen({"tasks": tasks, "validate": [{"env": "Ombo/Reaction-v0"}]}, test) == [test[1]]


@pytest.mark.parametrize("protocol", ["ML-families-v0", "ML-instances-v0", "ML-synthetic-v0"])
def test_a_run_on_a_protocol_has_seen_nothing_of_its_test(protocol: str) -> None:
    pytest.importorskip("ioh")
    test = [(t.env, dict(t.env_kwargs)) for t in TaskDistribution.named(f"{protocol}:test")]
    run = {"tasks": f"{protocol}:train", "validate": f"{protocol}:validation"}
    assert seen(run, test) == []
    assert len(seen({"tasks": f"{protocol}:test"})) >= len(set(map(str, test)))


def test_a_run_on_a_family_has_seen_test_problems_of_protocols() -> None:
    run = {"env": "Ombo/TFBinding-v0", "env_kwargs": {"split": "all"}}
    assert seen(run) == [of("TFBinding", split="test")]


@pytest.mark.parametrize("config", [{}, {"agent": "x"}, {"tasks": None}])
def test_a_run_that_names_nothing_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="config: expected an env, or tasks"):
        seen(config, [])


@pytest.mark.parametrize("tasks", [3, [3], {"task": []}, [{"horizon": 3}]])
def test_tasks_of_a_run_that_are_none_are_refused(tasks: Any) -> None:
    with pytest.raises(ValueError, match="tasks: expected tasks with an env"):
        seen({"tasks": tasks}, [])


def test_code_that_a_run_names_is_not_run() -> None:
    """A configuration is data, whoever wrote it."""
    task = {"env": "no.such.module:Class", "utilities": ["no.such.module:Worth"]}
    run = {"env": "no.such.module:Other", "tasks": [task, {"env": "Ombo/MPSA-v0"}]}
    assert seen(run, [of("MPSA"), ("no.such.module:Class", {})]) == [
        of("MPSA"),
        ("no.such.module:Class", {}),
    ]


def test_what_the_suite_trains_has_seen_none_of_its_test() -> None:
    plan = pytest.importorskip("scripts.studies.suite.plan", reason="training needs torch")
    held_out = held_out_problems(ROOT / "grids" / "suite.yaml")
    assert plan.TRAININGS and held_out
    for training in plan.TRAININGS:
        run = {"env": training.env, "env_kwargs": training.env_kwargs}
        assert seen(run, held_out) == [], training.name
    leak = {"env": "Ombo/TFBinding-v0", "env_kwargs": {"horizon": 3}}
    assert seen(leak, held_out) == [of("TFBind8"), of("TFBinding", split="test")]
