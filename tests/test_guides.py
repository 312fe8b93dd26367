"""The code on the pages of docs/ and in the README runs as it stands there; commands parse."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tyro

from ombo_agents.cli.main import COMMANDS
from tests.pages import PAGES, ROOT, read, run, write_files

CONTENT = {str(path.relative_to(ROOT)): read(path) for path in PAGES}
LINES = [(name, command) for name, page in CONTENT.items() for command in page.commands]


FORKS = """
import gc, json, os, sys, traceback
import matplotlib.pyplot, ombo_agents, ombo_gym, pandas, pytest, stable_baselines3, torch
import ombo_agents.cli.main, ombo_gym.evaluation.evaluate, ombo_gym.testing  # once for all
from ombo_gym.evaluation import resampling
from ombo_gym.surrogates import anisotropic_fit
import torch._dynamo  # which torch's first optimizer imports, for a second
gc.freeze()  # what is shared is not gone through in forks
results = {}
for name, (folder, code, briefly) in json.load(open("jobs.json")).items():
    if not (child := os.fork()):
        os.chdir(folder)
        sys.path.insert(0, folder)
        for stream, file in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(f"{folder}/{file}", os.O_WRONLY | os.O_CREAT), stream)
        if briefly:
            anisotropic_fit._EVALUATIONS, resampling.RESAMPLES = 2, 100
        status = 1
        try:
            exec(code, {"__name__": "__main__"})
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)  # to take down all that was imported would take longer than most pages
    results[name] = os.waitpid(child, 0)[1]
json.dump(results, open("results.json", "w"))
"""


@dataclass(frozen=True)
class Job:
    """A program and the folder that it is run in.

    Attributes:
        folder: Where it runs, and what it printed is left.
        code: The program.
        briefly: Fits of surrogates and intervals are rough, where code only has to run.
    """

    folder: Path
    code: str
    briefly: bool = False


def run_all(jobs: dict[str, Job], folder: Path) -> dict[str, str]:
    """Runs programs, each in a process of its own; what they printed, by their names.

    The processes are forks of one that has imported what takes seconds to import.
    """
    listed = {name: (str(job.folder), job.code, job.briefly) for name, job in jobs.items()}
    (folder / "jobs.json").write_text(json.dumps(listed))
    run(["-W", "error::DeprecationWarning:__main__", "-c", FORKS], folder)
    status = json.loads((folder / "results.json").read_text())
    failed = {name: (jobs[name].folder / "stderr").read_text() for name in jobs if status[name]}
    assert not failed, "\n\n".join(f"{name}:\n{text}" for name, text in failed.items())
    return {name: (job.folder / "stdout").read_text() for name, job in jobs.items()}


def folder_of(name: str, *guides: str, within: Path) -> Path:
    """A folder with what pages define."""
    folder = within / name.replace("/", "-").replace(".", "-")
    folder.mkdir()
    for guide in guides:
        write_files(CONTENT[guide], folder)
    return folder


def jobs_of_pages(within: Path) -> dict[str, Job]:
    """All blocks of a page in one process, each as a program of its own."""
    return {
        name: Job(
            folder_of(name, name, within=within),
            "\n".join(f"exec({script!r}, {{'__name__': '__main__'}})" for script in page.scripts),
            briefly=True,
        )
        for name, page in CONTENT.items()
        if page.scripts
    }


@pytest.mark.parametrize(("name", "words"), LINES, ids=str)
def test_commands_parse(name: str, words: list[str]) -> None:
    command, *flags = words[1:]
    assert isinstance(tyro.cli(COMMANDS[command].Args, args=flags), COMMANDS[command].Args)


def test_there_is_something_to_run() -> None:
    assert sum(len(page.scripts) for page in CONTENT.values()) > 20 and len(LINES) > 15


@pytest.mark.parametrize("name", CONTENT)
def test_imports_are_from_the_public_faces(name: str) -> None:
    page = CONTENT[name]
    for code in [*page.files.values(), *page.scripts]:
        for node in ast.walk(ast.parse(code)):
            module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            if module.startswith(("ombo_gym", "ombo_agents")):
                assert module.count(".") < 2, module


PLAYS_ONE = """
import gymnasium as gym
import ombo_agents
import ombo_gym
env, names = {env!r}, {names!r}
envs = gym.make_vec(env, num_envs=3, horizon=2, batch_size=3, autoreset_mode="Disabled")
for name in names:
    policy = ombo_agents.make(name, envs)
    observation, infos = envs.reset(seed=0)
    for _ in range(2):
        observation, *_ = envs.step(policy.act(observation, envs.np_random))
    assert not observation["rounds_left"].any()
"""


EVALUATES = """
import runpy, sys
sys.argv[1:] = "--env valley:My/Valley-v0 --policies middle:Middle,ucb --horizons 2 --campaigns 5 "\
    "--backend sequential --out out".split()
runpy.run_module("scripts.evaluate", run_name="__main__")
"""
CHECKS = """
import pytest, sys
from ombo_gym.surrogates import anisotropic_fit
anisotropic_fit._EVALUATIONS = 2  # what is checked holds however good a fit is
few = ["-k", "not draw and not frames"]  # pictures take as long as all the rest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *few, {file!r}]))
"""
CIRCLE = """
from ombo_gym import CampaignSpec
spec = envs.campaign_spec
assert CampaignSpec.from_json(spec.to_json()) == spec
few = CampaignVectorEnv(5, Bearing(), horizon=3, batch_size=2, autoreset_mode="Disabled")
for name in ("random", "genetic", "local_search", "greedy", "ucb", "thompson", "cmaes",
             "expected_improvement", "max_value_entropy", "rollout", "binoculars"):
    played = envs if name in ("random", "ucb") else few  # whose regrets are compared
    policy = ombo_agents.make(name, spec)
    observation, infos = played.reset(seed=0)
    for _ in range(3 if played is envs else 2):
        actions = policy.act(observation, np.random.default_rng(0))
        assert actions in played.action_space, name
        observation, rewards, *_, infos = played.step(actions)
    print(name, 1 - infos["best_value"].mean())
"""

TESTS = {  # of guides, each of what the guide defines
    "own_problem": "test_valley.py",
    "own_policy": "test_middle.py",
    "own_utility": "test_hits.py",
    "own_parameter": "test_arrhenius.py",
}


def policies_of_one_file(name: str) -> dict[str, list[str]]:
    """Policies `module:Class` in a page's commands, by environment.

    But `trained:Trained`, whose model the page trains and plays itself.
    """
    named: dict[str, list[str]] = {}
    for words in CONTENT[name].commands:
        policies = words[words.index("--policies") + 1].split(",")
        env = words[words.index("--env") + 1]
        own = [policy for policy in policies if ":" in policy and policy != "trained:Trained"]
        named.setdefault(env, []).extend(own)
    return named


def jobs_of_what_guides_define(within: Path) -> dict[str, Job]:
    """Problems, policies and so on, played and checked beyond what the pages do with them."""
    guides = {
        name: f"docs/guides/{name}.md" for name in (*TESTS, "own_surrogate", "own_design_space")
    }
    jobs = {}
    for name, count in (("own_policy", 5), ("own_surrogate", 1)):
        named = policies_of_one_file(guides[name])
        assert sum(map(len, named.values())) == count
        for i, (env, policies) in enumerate(named.items()):
            folder = folder_of(f"{name}-{i}", guides[name], within=within)
            jobs[f"{name} in {env}"] = Job(folder, PLAYS_ONE.format(env=env, names=policies))
    both = folder_of("both", guides["own_problem"], guides["own_policy"], within=within)
    jobs["evaluation"] = Job(both, EVALUATES)
    for name, file in TESTS.items():
        folder = folder_of(f"{name}-checked", guides[name], within=within)
        jobs[f"{name} is checked"] = Job(folder, CHECKS.format(file=file))
    circle = folder_of("circle", guides["own_design_space"], within=within)
    script = CONTENT[guides["own_design_space"]].scripts[0].partition("policy =")[0]
    jobs["circle"] = Job(circle, script + CIRCLE)
    return jobs


@pytest.mark.long
def test_code_runs_and_what_the_guides_define_plays_and_keeps_the_promises(tmp_path: Path) -> None:
    """One test, because what all of it imports is imported once."""
    jobs = {**jobs_of_pages(tmp_path), **jobs_of_what_guides_define(tmp_path)}
    printed = run_all(jobs, tmp_path)
    assert "middle:Middle" in printed["evaluation"]
    assert (jobs["evaluation"].folder / "out" / "report.html").is_file()
    for name in TESTS:
        assert " passed" in printed[f"{name} is checked"]
    lines = printed["circle"].splitlines()
    regret = {name: float(value) for name, value in map(str.split, lines)}
    assert len(regret) == 11 and np.isfinite(list(regret.values())).all()
    assert regret["ucb"] < regret["random"] / 2
