"""A grid is data: nothing in one starts code, and nothing outside of --out is written."""

from __future__ import annotations

import json
import sys

import gymnasium as gym
import pytest
import tyro
import yaml

from ombo_agents.cli.arguments import report_errors
from ombo_agents.learned.storage import build_network, save
from ombo_gym.evaluation.grid import read_grid
from ombo_gym.evaluation.run import run
from ombo_gym.spec import campaign_spec
from scripts import evaluate

MODULE = "a_module_that_marks"
NAME = f"{MODULE}:Anything"


@pytest.fixture
def marks(tmp_path, monkeypatch):
    """Whether the module was imported since it was last asked."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / f"{MODULE}.py").write_text(
        "from pathlib import Path\nname = 'best'\nAnything = 1\n"
    )

    def imported():
        return sys.modules.pop(MODULE, None) is not None

    yield imported
    imported()


def written(tmp_path, grid):
    file = tmp_path / "grid.yaml"
    file.write_text(grid if isinstance(grid, str) else yaml.safe_dump(grid))
    return file


def of(**entry):
    return {
        "horizons": [1],
        "campaigns": 1,
        "policies": ["random"],
        "problems": [{"env": "Ombo/GP-v0", **entry}],
    }


ROADS = {
    "policy": (of(policies=["random", NAME]), "policies: "),
    "policy alone": (of(policies=NAME), "policies: "),
    "policy of the grid": ({**of(), "policies": [NAME]}, "policies: "),
    "policy with a star": (of(policies=[f"{NAME}*"]), "policies: "),
    "utility": (of(utilities=[NAME]), "utilities: "),
    "utility alone": (of(utilities=NAME), "utilities: "),
    "utility with arguments": (of(utilities=[f"{NAME}:x=1"]), "utilities: "),
    "utility as keys": (of(utilities=[{"name": NAME, "x": 1}]), "utilities: "),
    "utility of the grid": ({**of(), "utilities": [NAME]}, "utilities: "),
    "env": (of(env=f"{MODULE}:Ombo/GP-v0"), "env: "),
    "problem": (of(env_kwargs={"problem": NAME}), "env_kwargs: problem: "),
    "control": (of(env_kwargs={"control": NAME}), "env_kwargs: control: "),
}


@pytest.mark.parametrize("road", ROADS)
def test_code_in_a_grid_is_refused_before_it_is_imported(road, marks, tmp_path):
    grid, place = ROADS[road]
    with pytest.raises(
        ValueError, match=r"names code of its own.*--allow-code.*allow_code=True"
    ) as refused:
        run(read_grid(written(tmp_path, grid)))
    assert f"problem 1 ({grid['problems'][0]['env']!r}): {place}" in str(refused.value)
    assert MODULE in str(refused.value)
    assert not marks()


@pytest.mark.parametrize("road", ROADS)
def test_code_in_a_grid_is_imported_where_it_is_allowed(road, marks, tmp_path):
    if "star" in road:
        return
    try:
        run(read_grid(written(tmp_path, ROADS[road][0]), allow_code=True))
    except (ValueError, TypeError):
        pass  # it holds nothing of use
    assert marks()


@pytest.mark.parametrize("place", ["grid", "problem"])
@pytest.mark.parametrize("allow_code", [False, True])
def test_a_grid_cannot_say_what_builds_policies(place, allow_code, tmp_path):
    grid = of(maker="cProfile:run") if place == "problem" else {**of(), "maker": "cProfile:run"}
    grid["problems"][0]["policies"] = ["print('played')"]
    with pytest.raises(
        ValueError, match="maker: a grid cannot say by which code policies are built"
    ):
        read_grid(written(tmp_path, grid), allow_code=allow_code)


@pytest.mark.parametrize(
    "policy", ["ucb:weight=2", "rolling_3", "explore_then_exploit:weights=3/1/0", "random"]
)
def test_names_with_settings_are_no_code(policy, tmp_path):
    (plan,) = read_grid(written(tmp_path, of(policies=[policy])))
    assert plan.policies == [policy]


def test_our_own_module_before_an_id_is_no_code(tmp_path):
    (plan,) = read_grid(written(tmp_path, of(env="ombo_gym:Ombo/GP-v0")))
    assert plan.env == "ombo_gym:Ombo/GP-v0"


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, (*path, key))
    elif isinstance(value, list):
        for i, each in enumerate(value):
            yield from leaves(each, (*path, i))
    else:
        yield path


RICH = {
    "campaigns": 1,
    "seed": 0,
    "block": 1,
    "told": ["true"],
    "policies": ["random"],
    "without": ["ucb"],
    "problems": [
        {
            "env": "Ombo/Landscapes-v0",
            "horizons": [1],
            "batch_size": 2,
            "utilities": ["best", {"name": "last_quantile", "quantile": 0.5}],
            "env_kwargs": {
                "name": "gp",
                "problem": "Landscapes",
                "control": "designs",
                "split": "all",
                "noise_std": 0.1,
                "surrogate": {"kernel": "fit", "max_data": 10},
                "start": {"kind": "random", "size": 3},
                "render_mode": "rgb_array",
            },
        },
        {"env": "Ombo/GP-v0", "plates": [2, 1], "utilities": "best"},
        {"env": "Ombo/Table-v0", "horizons": [1], "env_kwargs": {"csv": "x.csv", "value": "y"}},
    ],
}


@pytest.mark.parametrize("path", list(leaves(RICH)), ids=str)
@pytest.mark.parametrize("value", [NAME, f"{MODULE}.inside:Anything", {"name": NAME}, [NAME]])
def test_no_place_of_a_grid_leads_to_an_import(path, value, marks, tmp_path, monkeypatch):
    """Wherever the name of a module's object stands: in place of any value, in any wrapping."""
    grid = json.loads(json.dumps(RICH))
    inside = grid
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    if path[:2] != ("problems", 2):
        grid["problems"] = grid["problems"][:2]
    monkeypatch.chdir(tmp_path)
    try:
        run(read_grid(written(tmp_path, grid)))
    except (ValueError, TypeError, OSError):
        pass
    assert not marks()


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['touch marked']",
        "!!python/name:os.system",
        "!!python/module:os",
        "problems: [!!python/object:object {}]",
        "problems: [{env: !!python/tuple [1]}]",
        "!unknown x",
    ],
)
def test_tags_of_python_are_refused(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"grid\.yaml: expected YAML: could not determine"):
        read_grid(written(tmp_path, text))
    assert not (tmp_path / "marked").exists()


def command(*arguments):
    with report_errors():
        evaluate.main(tyro.cli(evaluate.Args, args=list(map(str, arguments))))


def test_the_command_s_flag_allows_code_in_a_grid_and_its_own_policies_need_none(
    tmp_path, marks, monkeypatch
):
    monkeypatch.setattr("ombo_gym.evaluation.evaluate.write_report", lambda folder: None)
    file = written(tmp_path, of(policies=["random", "own_policy_of_a_grid:Mine"], told="true"))
    (tmp_path / "own_policy_of_a_grid.py").write_text(
        "from ombo_agents.model_free.random import RandomPolicy\nclass Mine(RandomPolicy): pass\n"
    )
    common = ("--backend", "sequential", "--out", tmp_path / "out")
    with pytest.raises(
        SystemExit, match=r"error: .*own_policy_of_a_grid:Mine names code of its own"
    ):
        command("--grid", file, *common)
    assert not (tmp_path / "out").exists() and "own_policy_of_a_grid" not in sys.modules
    command("--grid", file, "--allow-code", *common)
    command(
        *("--policies", "own_policy_of_a_grid:Mine", "--campaigns", 1, "--horizons", 1, *common)
    )


def test_names_of_a_plan_in_python_are_code_already(tmp_path):
    changed = read_grid(written(tmp_path, of()), policies=["statistics:NormalDist"])
    assert changed[0].policies == ["statistics:NormalDist"]


# --- where is written -----------------------------------------------------------------------


def everything(folder):
    return {path: path.is_file() and path.read_bytes() for path in sorted(folder.rglob("*"))}


def test_nothing_outside_of_the_folder_is_written_whatever_names_say(tmp_path, monkeypatch):
    """Names of policies and of runs, arguments of problems that stand in names of pictures."""
    work, runs = tmp_path / "work", tmp_path / "outside" / "..hidden"
    work.mkdir()
    monkeypatch.chdir(work)
    network = build_network("exploration", campaign_spec(gym.make("Ombo/GP-v0")), [4])
    save(runs, network, {"agent": "exploration", "hidden": [4]})
    grid = of(policies=["random", "../outside/..hidden", str(runs)], told="true")
    grid["problems"][0]["env_kwargs"] = {"noise_std": 0.1}
    file = written(tmp_path, grid)
    before = everything(tmp_path)
    command("--grid", file, "--backend", "sequential", "--out", tmp_path / "work" / "out")
    after = {path: held for path, held in everything(tmp_path).items() if work not in path.parents}
    assert after == before
    assert [path.name for path in work.iterdir()] == ["out"]
