"""The code on the pages of docs/ and in the README runs as it stands there; commands parse."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tyro

from ombo_agents.cli.main import COMMANDS
from tests.pages import PAGES, ROOT, Page, read, run, write_files

CONTENT = {str(path.relative_to(ROOT)): read(path) for path in PAGES}
LINES = [(name, command) for name, page in CONTENT.items() for command in page.commands]


@pytest.mark.parametrize("name", [name for name, page in CONTENT.items() if page.scripts])
def test_code_runs(name: str, tmp_path: Path) -> None:
    """All blocks of a page in one process, each as a program of its own."""
    write_files(CONTENT[name], tmp_path)
    programs = [f"exec({script!r}, {{'__name__': '__main__'}})" for script in CONTENT[name].scripts]
    run(["-W", "error::DeprecationWarning:__main__", "-c", "\n".join(programs)], tmp_path)


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


@pytest.mark.parametrize(
    ("name", "count"), [("docs/guides/own_policy.md", 3), ("docs/guides/own_surrogate.md", 1)]
)
def test_policies_of_one_file_play_as_their_commands_say(
    name: str, count: int, tmp_path: Path
) -> None:
    page = CONTENT[name]
    write_files(page, tmp_path)
    named: dict[str, list[str]] = {}
    for words in page.commands:
        policies = words[words.index("--policies") + 1].split(",")
        env = words[words.index("--env") + 1]
        named.setdefault(env, []).extend(policy for policy in policies if ":" in policy)
    assert sum(map(len, named.values())) == count
    for env, names in named.items():
        run(["-c", PLAYS_ONE.format(env=env, names=names)], tmp_path)


def test_own_problem_and_own_policy_are_evaluated_beside_ours(tmp_path: Path) -> None:
    for guide in ("own_problem", "own_policy"):
        write_files(CONTENT[f"docs/guides/{guide}.md"], tmp_path)
    flags = "--policies middle:Middle,ucb --horizons 2 --campaigns 20 --out out".split()
    printed = run(["-m", "scripts.evaluate", "--env", "valley:My/Valley-v0", *flags], tmp_path)
    assert "middle:Middle" in printed
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    ("guide", "file"), [("own_problem", "test_valley.py"), ("own_policy", "test_middle.py")]
)
def test_own_promises_are_checked(guide: str, file: str, tmp_path: Path) -> None:
    write_files(CONTENT[f"docs/guides/{guide}.md"], tmp_path)
    few = ["-k", "not draw and not frames"]  # pictures take as long as all the rest
    run(["-m", "pytest", "-q", "-p", "no:cacheprovider", *few, file], tmp_path)


def in_the_circle(page: Page, more: str) -> str:
    """The guide's own script up to its policy, and more after it."""
    return page.scripts[0].partition("policy =")[0] + more


def test_every_policy_that_suits_the_circle_plays_it_and_a_spec_of_it_survives_json(
    tmp_path: Path,
) -> None:
    page: Any = CONTENT["docs/guides/own_design_space.md"]
    write_files(page, tmp_path)
    script = in_the_circle(
        page,
        "from ombo_gym import CampaignSpec\n"
        "spec = envs.campaign_spec\n"
        "assert CampaignSpec.from_json(spec.to_json()) == spec\n"
        "for name in ('random', 'genetic', 'local_search', 'greedy', 'ucb', 'thompson', 'cmaes',\n"
        "             'expected_improvement', 'max_value_entropy', 'rollout', 'binoculars'):\n"
        "    policy = ombo_agents.make(name, spec)\n"
        "    observation, infos = envs.reset(seed=0)\n"
        "    for _ in range(3):\n"
        "        actions = policy.act(observation, np.random.default_rng(0))\n"
        "        assert actions in envs.action_space, name\n"
        "        observation, rewards, *_, infos = envs.step(actions)\n"
        "    print(name, 1 - infos['best_value'].mean())\n",
    )
    printed = run(["-c", script], tmp_path)
    regret = {name: float(value) for name, value in map(str.split, printed.splitlines())}
    assert np.isfinite(list(regret.values())).all()
    assert regret["ucb"] < regret["random"] / 2
