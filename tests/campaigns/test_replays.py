"""A campaign through spreadsheets proposes what the policy proposes inside the environment."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
from ombo_agents.campaigns import Campaign
from ombo_gym import campaign_spec

PLATES = [8, 8, 8, 8]
START = {"kind": "random", "size": 20}


def play(env: Any, space: Any, policy: str, seed: int, row_of: Any, index_of: Any) -> None:
    """Plays a campaign and asks the same of its spreadsheet, round by round."""
    spec = campaign_spec(env)
    player = ombo_agents.make(policy, env)
    observation, _ = env.reset(seed=seed)
    for number in range(len(PLATES)):
        n = 20 + 8 * number
        rows = [
            {
                **row_of(observation["designs"][i]),
                "value": repr(float(observation["measurements"][i])),
            }
            | {"round": max(0, (i - 20) // 8 + 1)}
            for i in range(n)
        ]
        campaign = Campaign.from_csv(rows, space, target="value", round_column="round")
        shown = {name: array[None] for name, array in observation.items()}
        action = player.act(shown, np.random.default_rng(number))[0]
        plate = campaign.suggest(PLATES[number:], policy=policy, seed=number, repeats=spec.repeats)
        proposed = spec.design_space.designs(action[None])[0]
        assert [index_of(well.design) for well in plate.wells] == proposed.tolist()
        observation, *_ = env.step(action)


@pytest.mark.parametrize(("policy", "seed"), [("ucb", 0), ("doe_then_ucb", 1), ("thompson", 2)])
def test_crossed_barrels(policy: str, seed: int, tmp_path: Path) -> None:
    env = gym.make("Ombo/CrossedBarrel-v0", plates=PLATES, start=START)
    pool: Any = campaign_spec(env).design_space
    with open(tmp_path / "barrels.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["barrel", "n", "theta", "r", "t"])
        rows = zip(pool.names, pool.given_features.tolist(), strict=True)
        writer.writerows([name, *map(repr, row)] for name, row in rows)
    (tmp_path / "space.yaml").write_text("candidates: barrels.csv\nid: barrel\nscale: none\n")
    index = {name: i for i, name in enumerate(pool.names)}
    play(
        env,
        tmp_path / "space.yaml",
        policy,
        seed,
        lambda design: {"barrel": pool.names[int(design[0])]},
        lambda well: [index[well["barrel"]]],
    )


def test_reactions_of_doyle() -> None:
    env = gym.make("Ombo/Reaction-v0", dataset="doyle", plates=PLATES, start=START)
    labels = [list(each) for each in campaign_spec(env).design_space.labels]  # type: ignore[attr-defined]
    names = ("ligand", "additive", "base", "halide")
    space = {name: each for name, each in zip(names, labels, strict=True)}
    play(
        env,
        space,
        "ucb",
        0,
        lambda design: {n: labels[i][int(design[i])] for i, n in enumerate(names)},
        lambda well: [labels[i].index(well[n]) for i, n in enumerate(names)],
    )
