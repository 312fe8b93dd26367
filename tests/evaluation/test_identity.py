"""Stale results: what has changed is played again, and nothing else is."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Any

import gymnasium as gym
import pytest

import ombo_agents
import ombo_gym
from ombo_gym.evaluation import identity
from ombo_gym.evaluation import run as run_module
from ombo_gym.evaluation.cells import Cell, Played, play
from ombo_gym.evaluation.identity import Identities, fingerprint
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run

GP, BANDIT = "Ombo/GP-v0", "Ombo/Bandit-v0"
FOLDERS = {
    "ombo_gym": Path(ombo_gym.__file__).parent,
    "ombo_agents": Path(ombo_agents.__file__).parent,
}
POLICIES = ("random", "genetic", "ucb", "thompson")
PLANS = [
    EvaluationPlan(env=env, policies=POLICIES, horizons=[1], campaigns=2, told=["true"])
    for env in (GP, BANDIT)
]
EVERYTHING = {(policy, env) for policy in POLICIES for env in (GP, BANDIT)}


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A copy of the sources of both packages."""
    folder = tmp_path_factory.mktemp("sources")
    keep = shutil.ignore_patterns("*.npz", "__pycache__", "*.js", "*.css")
    return {
        name: Path(shutil.copytree(source, folder / name, ignore=keep))
        for name, source in FOLDERS.items()
    }


@pytest.fixture
def sources(copies: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Path]]:
    """Identities are taken from the copy, which a test may edit, while the packages play."""
    before = {file: file.read_bytes() for path in copies.values() for file in path.rglob("*.*")}
    found = identity._whereabouts
    monkeypatch.setattr(identity, "_whereabouts", lambda top: copies.get(top) or found(top))
    yield copies
    for path in copies.values():
        for file in path.rglob("*.*"):
            if file not in before:
                file.unlink()
            elif file.read_bytes() != before[file]:
                file.write_bytes(before[file])


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., set[tuple[str, str]]]:
    """Resumes plans, and says which policies were played where.

    What a cell leaves is no matter here: that of the first time stands for the others.
    """
    results: dict[Cell, Played] = {}

    def resume(*plans: EvaluationPlan) -> set[tuple[str, str]]:
        cells: list[Cell] = []

        def recording(cell: Cell) -> Played:
            cells.append(cell)
            same = replace(cell, fingerprint="")
            if same not in results:
                results[same] = play(cell)
            return results[same]

        monkeypatch.setattr(run_module, "play", recording)
        run(plans or PLANS, folder=tmp_path / "cells", resume=True)
        return {(cell.policy, cell.env) for cell in cells}

    return resume


def edit(file: Path, old: str = "", new: str = "\n_EDITED = 1\n") -> None:
    """Replaces text of a file, or adds some at the end."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1) if old else text + new, "utf-8")


# --- registered policies --------------------------------------------------------------------------


EDITS = [
    ("ombo_agents", "model_free/genetic.py", {"genetic"}),
    ("ombo_agents", "model_free/random.py", {"random"}),
    ("ombo_agents", "bayesian/schedules.py", {"ucb"}),
    ("ombo_agents", "planners/thompson.py", {"thompson"}),
    ("ombo_agents", "hyperparameters/genetic.toml", {"genetic"}),
    ("ombo_agents", "policy.py", set(POLICIES)),
    ("ombo_gym", "surrogates/posterior.py", {"ucb", "thompson"}),
    ("ombo_gym", "acquisition/upper_confidence_bound.py", {"ucb"}),
    ("ombo_gym", "campaign.py", set(POLICIES)),
    ("ombo_gym", "starts.py", set(POLICIES)),
    ("ombo_gym", "utilities.py", set(POLICIES)),
]
OF_NO_CELL = [  # edited together, as none of them plays any cell again
    ("ombo_agents", "bayesian/turbo.py"),
    ("ombo_agents", "hyperparameters/turbo.toml"),
    ("ombo_agents", "learned/storage.py"),
    ("ombo_agents", "cli/evaluate.py"),
    ("ombo_gym", "evaluation/run.py"),
    ("ombo_gym", "evaluation/report/page.py"),
    ("ombo_gym", "rendering/view.py"),
    ("ombo_gym", "problems/chemistry/snar.py"),
]


def test_an_edited_file_plays_exactly_the_cells_again_that_need_it(
    sources: dict[str, Path], played: Callable[..., set[tuple[str, str]]]
) -> None:
    """One file after the other; what was edited before has been played since."""
    assert played() == EVERYTHING
    for package, file in OF_NO_CELL:
        edit(sources[package] / file, new="\n# edited\n")
    assert played() == set()
    for package, file, again in EDITS:
        edit(sources[package] / file, new="\n# edited\n")
        expected = {(policy, env) for policy, env in EVERYTHING if policy in again}
        assert played() == expected, file
    edit(sources["ombo_gym"] / "problems" / "synthetic" / "bandit.py")
    assert played() == {(policy, BANDIT) for policy in POLICIES}
    assert played() == set()


def test_a_new_policy_or_environment_plays_nothing_again_and_another_entry_its_cells(
    sources: dict[str, Path], played: Callable[..., set[tuple[str, str]]]
) -> None:
    played()
    edit(
        sources["ombo_agents"] / "registry.py",
        '    "random": Entry(RandomPolicy),\n',
        '    "random": Entry(RandomPolicy),\n    "mine": Entry(Mine),\n',
    )
    edit(
        sources["ombo_gym"] / "registration.py",
        '    "GP": ',
        '    "Mine": "ombo_gym.problems.mine:Mine",\n    "GP": ',
    )
    (sources["ombo_gym"] / "problems" / "mine.py").write_text("class Mine: ...\n")
    assert played() == set()
    edit(sources["ombo_agents"] / "registry.py", "Entry(Genetic)", "Entry(Evolution)")
    assert played() == {("genetic", GP), ("genetic", BANDIT)}


def test_a_policy_that_comes_trained_counts_with_its_checkpoint(sources: dict[str, Path]) -> None:
    before, of_ucb = fingerprint("meta", GP), fingerprint("ucb", GP)
    edit(sources["ombo_agents"] / "learned/checkpoints/meta/config.json", new=" ")
    assert fingerprint("meta", GP) != before and fingerprint("ucb", GP) == of_ucb


def test_offline_methods_do_not_share_each_other_s_files(sources: dict[str, Path]) -> None:
    before = {name: fingerprint(name, GP) for name in ("coms", "cbas", "mins")}
    edit(sources["ombo_agents"] / "offline" / "coms.py")
    after = {name: fingerprint(name, GP) for name in before}
    assert [name for name in before if before[name] != after[name]] == ["coms"]


def test_names_that_the_maker_reads_off_a_pattern_have_a_fingerprint_too(
    sources: dict[str, Path],
) -> None:
    before = fingerprint("rolling_3", BANDIT), fingerprint("rolling_2", BANDIT)
    edit(sources["ombo_agents"] / "planners" / "induction.py")
    after = fingerprint("rolling_3", BANDIT), fingerprint("rolling_2", BANDIT)
    assert before[0] != after[0] and before[1] != after[1]


# --- policies and problems of one's own -----------------------------------------------------------

OWN = """
from mine_helper import weight
from ombo_agents.model_free.random import RandomPolicy

class Mine(RandomPolicy):
    weight = weight
"""


def test_an_own_policy_counts_with_what_it_imports_from_beside_it(
    tmp_path: Path,
    sources: dict[str, Path],
    played: Callable[..., set[tuple[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    (folder / "mine_policy.py").write_text(OWN)
    (folder / "mine_helper.py").write_text("weight = 1\n")
    (folder / "mine_unused.py").write_text("weight = 1\n")
    own = "mine_policy:Mine"
    plan = EvaluationPlan(
        env=GP, policies=[own, "genetic"], horizons=[1], campaigns=2, told=["true"]
    )
    assert played(plan) == {(own, GP), ("genetic", GP)}
    for file, again in (
        (folder / "mine_policy.py", {(own, GP)}),
        (folder / "mine_helper.py", {(own, GP)}),
        (folder / "mine_unused.py", set()),
        (sources["ombo_agents"] / "model_free" / "random.py", {(own, GP)}),
        (sources["ombo_agents"] / "model_free" / "genetic.py", {("genetic", GP)}),
    ):
        edit(file)
        assert played(plan) == again, file
        assert played(plan) == set()
    for name in ("mine_policy", "mine_helper"):
        sys.modules.pop(name, None)


def test_an_own_problem_counts_with_its_file_and_not_with_others(
    tmp_path: Path, sources: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_problem.py").write_text(
        "from ombo_gym.problems.synthetic.gp import GP\n\nclass Mine(GP): ...\n"
    )
    spec = gym.spec(GP)
    own = gym.envs.registration.EnvSpec(
        id="Mine/Own-v0",
        entry_point=spec.entry_point,
        vector_entry_point=spec.vector_entry_point,
        kwargs={"problem": "mine_problem:Mine"},
    )
    monkeypatch.setitem(gym.registry, own.id, own)
    prints = [fingerprint("random", own.id)]
    for file in (
        tmp_path / "mine_problem.py",
        sources["ombo_gym"] / "problems" / "synthetic" / "gp.py",
        sources["ombo_gym"] / "problems" / "synthetic" / "bandit.py",
    ):
        edit(file)
        prints.append(fingerprint("random", own.id))
    assert prints[0] != prints[1] != prints[2] == prints[3]


def test_another_control_counts_with_its_surrogate(sources: dict[str, Path]) -> None:
    def prints() -> list[str]:
        texts = ("{}", '{"control": "exploration"}')
        return [fingerprint("random", GP, env_kwargs=text) for text in texts]

    before = prints()
    edit(sources["ombo_gym"] / "surrogates" / "posterior.py")
    after = prints()
    assert before[0] == after[0] and before[1] != after[1]


# --- versions -------------------------------------------------------------------------------------


def test_another_version_of_a_library_plays_the_cells_again_that_import_it(
    played: Callable[..., set[tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    newer: set[str] = set()
    monkeypatch.setattr(
        identity, "version", lambda name: "99" if name in newer else metadata.version(name)
    )
    assert played() == EVERYTHING
    for library, again in (
        ("numpy", set(POLICIES)),
        ("scipy", {"thompson"}),
        *((name, set()) for name in ("torch", "gymnasium", "pandas")),
    ):
        newer.add(library)
        expected = {(policy, env) for policy, env in EVERYTHING if policy in again}
        assert played() == expected, library
    assert played() == set()


@pytest.mark.parametrize(
    ("what", "libraries"),
    [
        ("cmaes", {"cma"}),
        ("botorch_kg", {"torch", "botorch", "gpytorch"}),
        ("coms", {"torch"}),
        ("bo_qei", {"torch", "scipy"}),
        ("Ombo/Gait-v0", {"mujoco", "gymnasium"}),
        ("Ombo/Lander-v0", {"Box2D", "gymnasium"}),
        ("Ombo/WindFarm-v0", {"py_wake"}),
        ("Ombo/RNAFold-v0", {"RNA"}),
        ("Ombo/BBOB-v0", {"ioh"}),
        (GP, set()),
    ],
)
def test_simulators_and_numerical_libraries_count(
    monkeypatch: pytest.MonkeyPatch, what: str, libraries: set[str]
) -> None:
    monkeypatch.setattr(identity, "version", lambda name: "1")  # whether installed or not
    parts = Identities().env_parts(what) if "/" in what else Identities().policy_parts(what)
    versions = {name.removeprefix("version:") for name in parts if name.startswith("version:")}
    assert versions == {"numpy", *libraries}


# --- everything that runs counts ------------------------------------------------------------------

# But for what needs a learned prior, whose environments are played in tests/agents/priors.
PLAYED = [name for name in ombo_agents.names() if not name.startswith("portfolio")]
SLOW = {"coms", "cbas", "reinforce", "mins", "bo_qei", "ensemble_greedy"} | {
    name for name in ombo_agents.names() if name.startswith(("gradient", "botorch"))
}
NOT_COUNTED = {  # as files: of the first two what counts is, of the others nothing moves numbers
    *("ombo_agents.registry", "ombo_agents.hyperparameters"),
    *("ombo_gym.surrogates.surrogate", "ombo_gym.rendering.frame"),
    *("ombo_agents.given_settings", "ombo_gym.surrogates.kernel_checks"),
}


def module_of(file: str) -> str | None:
    """The module of the packages that a file is."""
    for package, folder in FOLDERS.items():
        if Path(file).is_relative_to(folder):
            names = [package, *Path(file).relative_to(folder).with_suffix("").parts]
            return ".".join(names).removesuffix(".__init__")
    return None


def modules_that_run(cell: Cell) -> set[str]:
    """Modules of which functions are called while a cell is played for the second time."""
    play(cell)
    files: set[str] = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":
            files.add(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        play(cell)
    finally:
        sys.setprofile(None)
    return {module for file in files if (module := module_of(file)) is not None}


def suited(policy: str) -> tuple[str, str] | None:
    """An environment that a policy suits, with its arguments."""
    for env_id, arguments in (
        (GP, {"start": {"kind": "random", "size": 4}}),
        ("Ombo/TFBind8-v0", {"start": {"kind": "random", "size": 6}}),
        ("Ombo/Landscapes-v0", {"name": "tent8", "start": {"kind": "random", "size": 2}}),
    ):
        env = gym.make(env_id, horizon=2, batch_size=2, **arguments)
        if ombo_agents.supports(policy, env):
            return env_id, json.dumps(arguments)
    return None


@pytest.mark.parametrize("policy", [name for name in PLAYED if name not in SLOW])
def test_every_function_that_a_cell_calls_is_in_a_file_that_counts(policy: str) -> None:
    chosen = suited(policy)
    assert chosen is not None
    env_id, env_kwargs = chosen
    cell = Cell(env_id, policy, "true", 2, 2, "best", 0, 0, 2, env_kwargs=env_kwargs)
    counted = Identities().policy_parts(policy).keys() | Identities().env_parts(env_id).keys()
    called = {name for name in modules_that_run(cell) if not name.startswith(identity.LEFT_OUT[0])}
    assert called - NOT_COUNTED - counted == set()


@pytest.mark.parametrize("policy", PLAYED)
def test_every_class_that_a_policy_is_made_of_is_in_a_file_that_counts(policy: str) -> None:
    chosen = suited(policy)
    assert chosen is not None
    env = gym.make(chosen[0], horizon=2, batch_size=2, **json.loads(chosen[1]))
    counted = Identities().policy_parts(policy).keys()
    parts = [ombo_agents.make(policy, env)]
    parts += vars(parts[0]).values()
    modules = {kind.__module__ for part in parts for kind in type(part).__mro__}
    assert {name for name in modules if name.startswith("ombo_agents")} - counted == set()
