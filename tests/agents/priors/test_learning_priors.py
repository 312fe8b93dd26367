"""Learning a prior from a family: what is learnt, by what it is chosen, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray

import ombo_agents
from ombo_agents.cli.train import Args, main
from ombo_agents.learned.priors import training
from ombo_agents.learned.priors.bases import (
    Interpolated,
    Standardised,
    Tables,
    mean_spread_loadings,
    standardised,
)
from ombo_agents.learned.priors.designs import hopeful, portfolio
from ombo_agents.learned.priors.families import Family, family_of
from ombo_agents.learned.priors.judging import Judgement, by_kinship, folds_of
from ombo_gym.design_spaces import BoxDesigns
from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.tasks import Task, problems_met

Floats = NDArray[np.float64]


@pytest.fixture(autouse=True)
def _few_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less to choose from, for the sake of time."""
    monkeypatch.setattr("ombo_agents.learned.priors.learning._CURVATURES", (0.0, 1.0))
    monkeypatch.setattr(
        "ombo_agents.learned.priors.learning._GRIDS", {"residual": (0.1, 0.5), "even": (1.0,)}
    )
    monkeypatch.setattr("ombo_agents.learned.priors.judging._TIMES", 2)
    monkeypatch.setattr("ombo_gym.surrogates.learned_scale._GRIDS", ((9, 9), (5, 5)))


def small_family(instances: int = 5, designs: int = 60, seed: int = 0) -> Family:
    """Parabolas in a box whose tops lie near each other, in units of their own."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (designs, 2)).astype(np.float32)
    tops = 0.5 + 0.1 * rng.normal(size=(instances, 2))
    values = -((x - tops[:, None]) ** 2).sum(axis=2)
    values = 100 + 30 * rng.random((instances, 1)) + 10 * values
    names = tuple(f"instance {i}" for i in range(instances))
    space, half = BoxDesigns(2), designs // 2
    return Family(space, x, values, np.arange(half), np.arange(half, designs), False, names)


def test_mean_and_loadings_have_the_instances_mean_and_covariance() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, 7))
    found = mean_spread_loadings(Tables(values), np.arange(5), np.arange(7), 1.0, 0.3)
    np.testing.assert_allclose(found[0], values.mean(axis=0))
    np.testing.assert_allclose(found[2:].T @ found[2:], np.cov(values.T), atol=1e-10)
    variance = values.var(axis=0, ddof=1)
    np.testing.assert_allclose(found[1] ** 2, 0.3 + 0.7 * variance / variance.mean())
    half = mean_spread_loadings(Tables(values), np.arange(5), np.arange(7), 0.5, 0.3)
    np.testing.assert_allclose(half[2:].T @ half[2:], 0.5 * np.cov(values.T), atol=1e-10)


def test_interpolations_go_through_what_was_measured() -> None:
    family = small_family()
    values = standardised(family.values, 0.0, family.train)
    kernel = Correlation("matern52", np.full((1, 2), 1.0))
    functions = Interpolated(family, values.values, kernel, 1e-6, np.random.default_rng(0))
    at_train = functions.at(functions.numbers, family.train)
    np.testing.assert_allclose(at_train, values.values[:, family.train], atol=0.05)
    unseen = functions.at(functions.numbers, family.probes)
    errors = unseen - values.values[:, family.probes]
    assert errors.std() < 0.25 * values.values[:, family.probes].std()


def test_instances_may_be_measured_at_designs_of_their_own() -> None:
    family = small_family(designs=80)
    values = family.values.copy()
    values[np.random.default_rng(1).random(values.shape) < 0.4] = np.nan
    gaps = Family(
        family.space, family.designs, values, family.train, family.probes, False, family.names
    )
    learned = training.learn(gaps, "interp")
    assert learned.config["held_out"]["log_score"]["interp"] > -1.2
    assert not gaps.shared and np.isfinite(learned.tensors["coefficients"]).all()


def test_scales_and_offsets_are_learnt_in_the_values_units() -> None:
    rng = np.random.default_rng(0)
    log_scales = rng.normal(1.0, 0.5, 200)
    offsets = 7.0 - 2.0 * (log_scales - 1.0) + 0.3 * rng.normal(size=200)
    prior = Standardised(np.zeros((200, 1)), offsets, np.exp(log_scales), 0.0).scale_prior()
    assert prior.log_scale == pytest.approx(1.0, abs=0.1)
    assert prior.log_scale_sd == pytest.approx(0.5, rel=0.15)
    assert prior.offset == pytest.approx(7.0, abs=0.2)
    assert prior.offset_slope == pytest.approx(-2.0, rel=0.1)
    assert prior.offset_sd == pytest.approx(0.3, rel=0.4)


def test_no_instance_is_left_out_and_learnt_from_at_once() -> None:
    family = small_family(instances=9)
    folds = folds_of(family, family.values, np.random.default_rng(0))
    assert sorted(np.concatenate([fold.held_out for fold in folds])) == list(range(9))
    for fold in folds:
        assert not set(fold.held_out) & set(fold.rest) and set(fold.met) == set(fold.held_out)
        for observed in fold.observed:
            assert not (observed[:, :, None] == fold.predicted[:, None]).any()


def test_relatives_are_left_out_together() -> None:
    rng = np.random.default_rng(0)
    families = rng.normal(size=(3, 40))
    values = families[[0, 1, 2, 0, 1, 2]] + 0.1 * rng.normal(size=(6, 40))
    order = by_kinship(values) % 3
    assert (order[::2] == order[1::2]).all()


def test_calibration_is_the_factor_that_makes_95_of_100_intervals_hold() -> None:
    errors = 3.0 * np.random.default_rng(0).normal(size=20_000)
    judged = Judgement(np.zeros(1), errors)
    calibrated = Judgement(np.zeros(1), errors / np.sqrt(judged.calibration))
    assert judged.coverage < 0.6 and calibrated.coverage == pytest.approx(0.95, abs=0.003)


def test_a_portfolio_takes_what_adds_most_on_average() -> None:
    values = np.array([[0.0, 10.0, 6.0, 0.0], [0.0, 0.0, 0.6, 1.0], [0.0, 1.0, 0.6, 0.0]])
    # Means over ranges: 0, .67, .6, .33; then the fourth fills what the second lacks.
    assert portfolio(values, 3).tolist() == [1, 3, 2]
    assert portfolio(values * [[1], [50], [3]] + 7, 3).tolist() == [1, 3, 2]
    assert hopeful(np.array([[0.0, 1.0], [1.5, 0.0], [0.0, 0.1]]), 2).tolist() == [0, 1]


def test_the_kind_of_best_log_score_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ombo_agents.learned.priors.deep._STEPS", 5)
    monkeypatch.setattr("ombo_agents.learned.priors.deep._FOLDS", 1)
    learned = training.learn(small_family())
    scores = learned.config["held_out"]["log_score"]
    assert scores.keys() == {"interp", "deep"}
    assert learned.config["kind"] == max(scores, key=scores.get)


def test_the_same_seed_learns_the_same_prior() -> None:
    first, again = (training.learn(small_family(), "interp").tensors for _ in range(2))
    assert all((first[name] == again[name]).all() for name in first)


def test_a_learned_prior_finds_the_top_sooner(tmp_path: Path) -> None:
    """Where all tops lie near each other, one batch after four random designs is enough."""
    training.learn(small_family(), "interp").save(tmp_path)
    surrogate = {"kernel": "learned", "path": str(tmp_path)}
    env = gym.make("Ombo/GP-v0", dim=2, surrogate=surrogate, batch_size=2)
    policy = ombo_agents.make("greedy", env)
    spec = env.unwrapped.campaign_spec  # type: ignore[attr-defined]
    designs = np.array([[-0.9, -0.9], [0.9, -0.8], [-0.8, 0.9]], np.float32)
    top = np.array([0.45, 0.55])
    values = 110 - 10 * ((designs - top) ** 2).sum(axis=1)
    batch = policy.act(
        spec.observation(designs, values, [2], from_start=3), np.random.default_rng(0)
    )
    assert np.abs(batch[0] - top).max() < 0.15


@pytest.mark.parametrize(
    ("tasks", "reason"),
    [
        ("LCBench:all", "never sees those of a test"),
        ("TFBinding:test", "never sees those of a test"),
        ("ML-families-v0:test", "learnt from training tasks"),
        ("ML-families-v0:train", "expected problems of one design space"),
        ("Nothing:train", "expected a protocol among"),
        ([Task("Ombo/LCBench-v0", {"dataset": "adult"})], "at least 3 training instances, got 1"),
    ],
)
def test_families_that_are_none_are_refused(tasks: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        family_of(tasks)


def test_a_family_is_the_training_instances_and_no_other() -> None:
    family = family_of("LCBench:train")
    env = gym.make("Ombo/LCBench-v0", split="train")
    expected = env.unwrapped.problem.measurements.values  # type: ignore[attr-defined]
    np.testing.assert_array_equal(family.values, expected)
    assert family.covered and family.shared


def test_families_without_end_are_drawn() -> None:
    family = family_of([Task("Ombo/GP-v0", {"dim": 1})])
    assert len(family.values) == 32 and not family.covered
    assert not set(family.train) & set(family.probes)


@pytest.mark.parametrize("kind", ["forest", "tables"])
def test_kinds_that_do_not_suit_are_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "family_of", lambda tasks, seed, *_: small_family(seed=seed))
    with pytest.raises(ValueError, match="expected one of"):
        training.train_prior("any", "unused", kind)


def test_the_command_writes_what_campaigns_play_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "family_of", lambda tasks, seed, *_: small_family(seed=seed))
    out = tmp_path / "prior"
    main(Args(out=out, agent="prior", tasks="any", kind="interp"))
    assert "learnt a prior (interp) from 5 instances" in capsys.readouterr().out
    config = json.loads((out / "config.json").read_text())
    assert config["agent"] == "prior" and config["instances"][0] == "instance 0"
    env = gym.make("Ombo/GP-v0", dim=2, surrogate={"kernel": "learned", "path": str(out)})
    env.reset(seed=0)


def test_what_a_prior_has_seen_is_written_down(tmp_path: Path) -> None:
    family = family_of([Task("Ombo/LCBench-v0", {"split": "train"})])
    assert problems_met(family.origin) == [("Ombo/LCBench-v0", {"split": "train"})]


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ({}, "expected --tasks"),
        ({"tasks": "LCBench:train", "horizon": "3"}, "--horizon: --agent prior takes"),
        ({"tasks": "LCBench:train", "steps": 10}, "--steps: --agent prior takes"),
    ],
)
def test_flags_that_a_prior_has_no_use_for_are_refused(
    flags: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=reason):
        main(Args(out=tmp_path, agent="prior", **flags))
    with pytest.raises(ValueError, match="--kind: it goes with --agent prior"):
        main(Args(out=tmp_path, kind="interp"))
