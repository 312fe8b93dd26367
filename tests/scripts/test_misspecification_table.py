"""The misspecification table: losses are paired, and its page says what the campaigns say."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest

import ombo_gym  # noqa: F401
from ombo_gym.spec import campaign_spec
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate
from scripts import misspecification_table
from scripts.misspecification_page import planning, summary, write_page
from scripts.misspecification_table import ENV, OWN, Args, main, models


def test_models_differ_in_what_they_know_and_in_nothing_else() -> None:
    found = models(OWN)
    assert list(found)[:2] == ["own", "fitted"] and len(found) == 6
    starts, scales = [], {}
    for name, surrogate in found.items():
        env = gym.make(ENV, surrogate=surrogate)
        observation, _ = env.reset(seed=3)
        starts.append(observation["measurements"])
        posterior = Posterior(
            make_surrogate(campaign_spec(env)),
            observation["designs"][None, :4].astype(float),
            observation["measurements"][None, :4],
        )
        scales[name] = (float(posterior.lengthscale[0]), float(posterior.outputscale[0]))
    for values in starts:
        np.testing.assert_array_equal(values, starts[0])
    assert scales["own"] == (OWN, 1.0) and scales["fitted"][1] != 1.0
    for factor in (0.25, 0.5, 2, 4):
        assert scales[f"lengthscale x {factor:g}"] == (pytest.approx(factor * OWN), 1.0)


def campaigns() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        (utility, horizon, policy, model, seed, rng.normal())
        for utility in ("best", "last_mean")
        for horizon in (1, 2)
        for policy in ("rollout", "greedy", "ucb", "explore_then_exploit", "random")
        for model in (("own",) if policy == "random" else ("own", "fitted", "lengthscale x 4"))
        for seed in rng.permutation(5)
    ]
    return pd.DataFrame(rows, columns=["utility", "horizon", "policy", "model", "seed", "value"])


def test_losses_and_differences_are_paired(tmp_path: Path) -> None:
    played = campaigns()
    table, planned = summary(played), planning(played)

    def values(policy: str, model: str) -> np.ndarray:
        chosen = played[(played["utility"] == "best") & (played["horizon"] == 2)]
        chosen = chosen[(chosen["policy"] == policy) & (chosen["model"] == model)]
        return chosen.sort_values("seed")["value"].to_numpy()

    row = table[(table["utility"] == "best") & (table["horizon"] == 2)]
    row = row[(row["policy"] == "ucb") & (row["model"] == "fitted")].iloc[0]
    assert row["value"] == pytest.approx(values("ucb", "fitted").mean())
    differences = values("ucb", "own") - values("ucb", "fitted")
    assert row["loss"] == pytest.approx(differences.mean())
    assert row["loss_high"] - row["loss_low"] == pytest.approx(
        2 * 2.776445 * differences.std(ddof=1) / np.sqrt(5), rel=1e-6
    )
    found = planned[(planned["utility"] == "best") & (planned["rival"] == "ucb")]
    found = found[found["model"] == "fitted"].iloc[0]
    assert found["horizon"] == 2
    assert found["difference"] == pytest.approx(
        (values("rollout", "fitted") - values("ucb", "fitted")).mean()
    )
    write_page(played, tmp_path, "some command")
    page = (tmp_path / "misspecification.md").read_text()
    assert f"{row['value']:.2f}, loss {row['loss']:.2f} [{row['loss_low']:.2f}" in page
    assert "some command" in page and "nan" not in page


def test_it_plays_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misspecification_table, "HORIZONS", (1, 2))
    monkeypatch.setattr(misspecification_table, "UTILITIES", ("best",))
    monkeypatch.setattr(
        misspecification_table, "POLICIES", ("greedy", "ucb", "explore_then_exploit", "rollout")
    )
    args = Args(tmp_path / "out", tmp_path / "runs", campaigns=3, jobs=1, resume=True)
    main(args)
    cells = {file: file.stat().st_mtime_ns for file in (tmp_path / "runs" / "cells").iterdir()}
    page = (tmp_path / "out" / "misspecification.md").read_text()
    main(args)
    assert cells == {f: f.stat().st_mtime_ns for f in (tmp_path / "runs" / "cells").iterdir()}
    assert (tmp_path / "out" / "misspecification.md").read_text() == page
    table = pd.read_csv(tmp_path / "out" / "misspecification.csv")
    assert len(table) == 2 * (4 * 6 + 2) and (table.loc[table["model"] == "own", "loss"] == 0).all()
