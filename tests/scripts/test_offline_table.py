"""The offline table: what is remembered changes nothing, and the page says what the numbers say."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest

import ombo_agents
from scripts import offline_fits, offline_table
from scripts.offline_page import PUBLISHED, write_page
from scripts.offline_table import RANDOM, known_methods, summary


@pytest.mark.parametrize("name", ["gradient_mean", "reinforce", "random"])
def test_policies_that_remember_propose_the_same_from_one_fit(name, tmp_path, monkeypatch):
    monkeypatch.setattr(offline_fits, "folder", lambda offline: tmp_path)
    for q in (3, 5):
        for utility in ("last_max", "last_median"):
            env = gym.make(
                "Ombo/TFBinding-v0",
                horizon=1,
                batch_size=q,
                utility=utility,
                start={"kind": "percentile", "size": 20},
            )
            observation, _ = env.reset(seed=2)
            batch = {key: array[None] for key, array in observation.items()}
            expected, details = ombo_agents.make(name, env).explain(batch, _rng())
            for _ in range(2):
                found, queries = offline_fits.make(name, env).explain(batch, _rng())
                np.testing.assert_array_equal(found, expected)
                assert queries == details
    kept = list((tmp_path / "fits").glob("*")) if (tmp_path / "fits").exists() else []
    assert len(kept) == (0 if name == "random" else 3)  # a fit, and a search for each q


def _rng():
    return [np.random.default_rng(7)]


def test_everything_published_that_is_there_is_played_beside_random():
    methods = known_methods()
    assert methods[0] == RANDOM and "ensemble_greedy" in methods
    assert set(PUBLISHED) - {"cmaes"} <= set(methods)


def made_up_values(scores, trials=20):
    rows = [
        {
            "batch_size": q,
            "policy": name,
            "utility": utility,
            "campaign": trial,
            "value": score + 0.01 * ((trial * 7 + len(name)) % 5 - 2),
            "distinct": q,
        }
        for q in offline_table.BATCH_SIZES
        for name, pair in scores.items()
        for utility, score in zip(offline_table.UTILITIES, pair, strict=True)
        for trial in range(trials)
    ]
    return pd.DataFrame(rows)


def test_the_page_says_who_is_within_and_who_is_above_random():
    scores = {
        "random": (0.94, 0.44),
        "gradient_mean": (0.98, 0.6),
        "coms": (0.80, 0.44),
        "mins": (0.94, 0.40),
    }
    table = summary(made_up_values(scores), list(scores), 20)
    row = table[(table["batch_size"] == 128) & (table["method"] == "gradient_mean")].iloc[0]
    assert row["last_median_above"] == pytest.approx(0.16, abs=0.02)
    assert row["last_median_above_low"] < row["last_median_above"] < row["last_median_above_high"]
    assert row["last_max"] == pytest.approx(0.98, abs=0.01)
    page = write_page(table, 20, 0, "make offline-table")
    assert "Within two published standard deviations: `gradient_mean`, `mins`." in page
    assert "`coms`, which is below" in page
    assert page.count("Above random on both: `gradient_mean`.") == 3
    assert page.count("Not above random on either: `coms`, `mins`.") == 3
    assert page.count("Below random on one or both: `coms`, `mins`.") == 3
    assert "| `random` | 0.9" in page and "`bo_qei`" in page
