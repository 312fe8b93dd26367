"""The guides' code runs as it stands there: a file of one's own, and a script that uses it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.test_readme import ROOT, run

GUIDES = ROOT / "docs" / "guides"


def blocks(guide: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (GUIDES / guide).read_text(), re.DOTALL)


@pytest.mark.parametrize(
    ("guide", "file"), [("own_utility.md", "hits.py"), ("own_design_space.md", "circle.py")]
)
def test_one_file_is_enough(guide: str, file: str, tmp_path: Path) -> None:
    definition, use = blocks(guide)
    (tmp_path / file).write_text(definition)
    run(["-W", "error", "-c", use], tmp_path)


def test_every_policy_that_suits_the_circle_plays_it_and_a_spec_of_it_survives_json(
    tmp_path: Path,
) -> None:
    definition, use = blocks("own_design_space.md")
    (tmp_path / "circle.py").write_text(definition)
    script = use.partition("policy =")[0] + (
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
        "    print(name, 1 - infos['best_value'].mean())\n"
    )
    printed = run(["-c", script], tmp_path)
    regret = {name: float(value) for name, value in map(str.split, printed.splitlines())}
    assert np.isfinite(list(regret.values())).all()
    assert regret["ucb"] < regret["random"] / 2
