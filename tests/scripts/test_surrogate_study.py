"""The study of surrogates: its data, its scores, what is kept, and the page, in small."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, spearmanr

from scripts.studies.surrogates import STUDY, forest, linear, models, plan, quality, recipes
from scripts.studies.surrogates import data_sets as drawing
from scripts.studies.surrogates.cells import Cell, Cells
from scripts.studies.surrogates.data_sets import DataSets, draw_data_sets, spec_with
from scripts.studies.surrogates.differences import complete, difference, losses
from scripts.studies.surrogates.models import MODELS, Model
from scripts.studies.surrogates.page import page
from scripts.studies.surrogates.prediction import Prediction
from scripts.studies.surrogates.settings import STARTS, Setting, settings

GP = "Ombo/GP-v0"
LOWER_HALF = {"start": {"kind": "percentile", "percentile": 50, "size": 16}}
BY_NAME = {model.name: model for model in MODELS}


def small(count: int = 3, added: int = 20) -> DataSets:
    return draw_data_sets(GP, {"start": STARTS["random"]}, added=added, count=count)


# --- data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("env_id", [GP, "Ombo/Antibody-v0", "Ombo/Materials-v0"])
def test_data_begin_with_the_start_of_the_campaign_and_hold_out_other_designs(env_id: str) -> None:
    data = draw_data_sets(env_id, LOWER_HALF, added=20, count=2)
    env = gym.make(env_id, **LOWER_HALF)
    for number in range(2):
        observation, _ = env.reset(seed=number)
        np.testing.assert_array_equal(data.designs[number, :16], observation["designs"][:16])
        np.testing.assert_array_equal(
            data.measurements[number, :16], observation["measurements"][:16]
        )
        rows = [*data.designs[number], *data.held_out[number]]
        assert len({row.tobytes() for row in rows}) == len(rows)
    assert data.designs.shape[1] == 36 and data.held_out.shape[1] >= 100
    # The start is of the lower half, and what is held out is of everything.
    middle = np.median(data.held_out_values, axis=1, keepdims=True)
    assert (data.measurements[:, :16] <= middle).mean() > 0.8
    assert (data.measurements[:, 16:] > middle).mean() > 0.25


def test_small_data_are_the_first_of_large_ones_and_have_the_same_held_out_designs() -> None:
    data = small()
    first = data.first(5)
    np.testing.assert_array_equal(first.designs, data.designs[:, :21])
    np.testing.assert_array_equal(first.measurements, data.measurements[:, :21])
    np.testing.assert_array_equal(first.held_out_values, data.held_out_values)


def test_measurements_are_noisy_and_held_out_values_are_not() -> None:
    arguments = {"start": STARTS["random"]}
    noisy = draw_data_sets(GP, {**arguments, "noise_std": 0.5}, added=20, count=2)
    exact = small(2)
    np.testing.assert_array_equal(noisy.held_out_values, exact.held_out_values)
    errors = noisy.held_out_measurements - noisy.held_out_values
    assert errors.std() == pytest.approx(0.5, rel=0.2)
    np.testing.assert_array_equal(exact.held_out_measurements, exact.held_out_values)


def test_every_problem_has_both_starts_but_dear_simulators() -> None:
    by_start = {start: [s for s in settings() if s.start == start] for start in STARTS}
    assert len(by_start["random"]) == len(by_start["lower half"]) + 3 >= 30
    assert len({setting.problem for setting in by_start["random"]}) == len(by_start["random"])


# --- predictions and their quality ----------------------------------------------------------------


def test_quality_is_that_of_the_formulas() -> None:
    data, rng = small(2), np.random.default_rng(0)
    shape = data.held_out_values.shape
    mean, sd = rng.normal(size=shape), rng.uniform(0.5, 2.0, shape)
    found = quality.quality(Prediction(mean, sd, np.ones(2)), data)
    for row in range(2):
        values = data.held_out_values[row]
        assert found["spearman"][row] == pytest.approx(spearmanr(mean[row], values).statistic)
        unit, measured = values.std(), data.held_out_measurements[row]
        density = norm.pdf(measured / unit, mean[row] / unit, sd[row] / unit)
        assert found["log_score"][row] == pytest.approx(np.log(density).mean())
        marginal = norm.pdf((measured - values.mean()) / unit)
        guarded = np.log(0.99 * density + 0.01 * marginal).mean()
        assert found["guarded_log_score"][row] == pytest.approx(guarded)
        inside = np.abs(measured - mean[row]) < 1.6448536 * sd[row]
        assert found["coverage"][row] == pytest.approx(inside.mean())


def test_the_log_score_has_no_units_and_a_constant_prediction_has_no_rank() -> None:
    data = small(2)
    mean, sd = data.held_out_values + 0.3, np.full(data.held_out_values.shape, 0.4)
    in_metres = quality.quality(Prediction(mean, sd, np.ones(2)), data)
    larger = replace(
        data,
        held_out_values=1000 * data.held_out_values,
        held_out_measurements=1000 * data.held_out_measurements,
    )
    in_millimetres = quality.quality(Prediction(1000 * mean, 1000 * sd, np.ones(2)), larger)
    pd.testing.assert_frame_equal(in_metres, in_millimetres)
    constant = quality.quality(Prediction(0 * mean, sd, np.ones(2)), data)
    assert (constant["spearman"] == 0).all()


def test_certain_and_wrong_predictions_lose_a_bounded_amount_of_the_guarded_score() -> None:
    data = small(1)
    mean = data.held_out_values.copy()
    mean[0, 0] += 1.0
    found = quality.quality(Prediction(mean, np.full(mean.shape, 1e-6), np.ones(1)), data)
    assert found["log_score"][0] < -1e6 and found["guarded_log_score"][0] > 10


@pytest.mark.parametrize("name", [model.name for model in MODELS if model.name != "prior"])
def test_predictions_follow_the_units_of_measurements_and_know_their_errors(name: str) -> None:
    setting, data = Setting(GP, "{}", "random"), small(2)
    model = BY_NAME[name]
    found = model.predict(setting, data)
    larger = replace(data, measurements=5 + 100 * data.measurements)
    scaled = model.predict(setting, larger)
    np.testing.assert_allclose(scaled.mean, 5 + 100 * found.mean, rtol=0.02, atol=2.0)
    np.testing.assert_allclose(scaled.sd, 100 * found.sd, rtol=0.2, atol=2.0)
    assert (found.sd > 0).all() and (found.seconds > 0).all()
    rated = quality.quality(found, data)
    assert (rated["coverage"] > 0.5).all()
    assert (rated["spearman"] > (0.0 if name == "linear" else 0.3)).all()


def test_a_recipe_predicts_measurements_with_their_noise() -> None:
    arguments = {"start": STARTS["random"], "noise_std": 0.5}
    data = draw_data_sets(GP, arguments, added=20, count=4)
    spec = spec_with(GP, arguments, "prior")
    assert (recipes.predict(spec, data).sd > 0.5).all()


def test_the_prior_is_known_where_functions_are_drawn_from_it() -> None:
    assert BY_NAME["prior"].suits(Setting(GP, '{"dim": 6}', "random"))
    assert not BY_NAME["prior"].suits(Setting("Ombo/Antibody-v0", "{}", "random"))
    assert BY_NAME["fit"].suits(Setting("Ombo/Antibody-v0", "{}", "random"))


# --- what is kept ---------------------------------------------------------------------------------


def test_what_is_kept_of_a_model_depends_on_that_model_and_on_the_data_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    setting, data = Setting(GP, "{}", "random"), small(2)
    names = ["fit", "random forest", "linear", "SingleTaskGP"]
    keys = {name: BY_NAME[name].key(setting, data) for name in names}
    assert len(set(keys.values())) == len(names)
    other = small(2)
    assert keys == {name: BY_NAME[name].key(setting, other) for name in names}
    other.measurements[0, 0] += 1e-9
    assert not set(keys.values()) & {BY_NAME[name].key(setting, other) for name in names}
    monkeypatch.setattr(models, "_recipe_code", lambda: "changed")
    changed = {name: BY_NAME[name].key(setting, data) for name in names}
    assert changed.pop("fit") != keys.pop("fit") and changed == keys


def test_the_code_behind_recipes_is_that_of_surrogates() -> None:
    code = models._recipe_code()
    posterior = import_module("ombo_gym.surrogates.posterior").__file__
    fit = import_module("ombo_gym.surrogates.anisotropic_fit").__file__
    digest = import_module("ombo_gym.evaluation.module_text").digest_of
    for file in (posterior, fit):
        assert digest(Path(file).read_bytes()) in code


def test_cells_are_fitted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell(BY_NAME["linear"], Setting(GP, "{}", "random"), 4)
    assert Cells(tmp_path, added=4, count=2).read(cell) is None
    made = Cells(tmp_path, added=4, count=2).make(cell)
    assert Cells(tmp_path, added=4, count=3).read(cell) is None  # of other data
    monkeypatch.setattr(linear, "predict", None)
    monkeypatch.setattr("scripts.studies.surrogates.cells.draw_data_sets", None)
    again = Cells(tmp_path, added=4, count=2)
    pd.testing.assert_frame_equal(again.make(cell), made)
    pd.testing.assert_frame_equal(again.read(cell), made)
    assert made["data_set"].tolist() == [0, 1] and set(made["start"]) == {"random"}


# --- comparisons ----------------------------------------------------------------------------------


def compared(model: str, problem: str, values: list[float], *, added: int = 20) -> pd.DataFrame:
    measures = dict.fromkeys(("spearman", "guarded_log_score", "log_score", "coverage"), values)
    return pd.DataFrame(measures).assign(
        model=model,
        problem=problem,
        start="random",
        added=added,
        data_set=range(len(values)),
        seconds=0.1,
    )


def test_differences_are_paired_by_data_set_and_clustered_by_problem() -> None:
    frame = pd.concat(
        [
            compared("fit", "P", [0.1, 0.9, 0.5]),
            compared("fit", "Q", [0.4, 0.4, 0.4]),
            compared("fit", "R", [1.0, 1.0, 1.0]),
            compared("SingleTaskGP", "P", [0.0, 0.8, 0.4])[::-1],
            compared("SingleTaskGP", "Q", [0.3, 0.5, 0.7]),
        ]
    )
    found = difference(frame, "SingleTaskGP")
    assert found is not None and (found.settings, found.problems) == (2, 2)
    interval = found.by_measure["spearman"]
    assert interval.estimate == pytest.approx((0.1 - 0.1) / 2)
    assert interval.high == pytest.approx(12.7062 * 0.1, rel=1e-4)  # of two problems
    assert found.median_log_score == pytest.approx(0.0)
    lost = losses(frame, "SingleTaskGP", "spearman")
    assert lost.empty
    worse = pd.concat([frame, compared("linear", "P", [0.3, 1.0, 0.7])])
    assert losses(worse, "linear", "spearman").to_dict() == {"P": pytest.approx(-1 / 6)}
    assert set(complete(worse, ["fit", "linear"])["problem"]) == {"P"}
    assert difference(frame, "linear") is None


def test_gains_in_campaigns_are_those_of_fit_over_isotropic() -> None:
    rows = [
        (GP, json.dumps({"dim": 6, "start": start, "surrogate": {"kernel": kernel}}), 2, "ucb", s)
        for start in STARTS.values()
        for kernel in ("isotropic", "fit")
        for s in (1, 0)
    ]
    played = pd.DataFrame(rows, columns=["env", "env_kwargs", "horizon", "policy", "seed"])
    scores = [0.1, 0.2, 0.4, 0.3, 0.5, float("nan"), 0.1, 0.9]
    found = plan.gains(played.assign(score=scores)).set_index(["start", "seed"])["gain"]
    assert found.to_dict() == pytest.approx(
        {("lower half", 1): -0.4, ("random", 0): 0.1, ("random", 1): 0.3}
    )


def test_the_page_says_in_its_first_lines_who_is_above_and_where_fit_loses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("scripts.studies.surrogates.page.cells", lambda: [None] * 5)
    qualities = pd.concat(
        [
            compared("fit", "P", [0.50, 0.70]),
            compared("fit", "Q", [0.30, 0.31]),
            compared("SingleTaskGP", "P", [0.30, 0.49]),
            compared("SingleTaskGP", "Q", [0.40, 0.41]),
        ]
    )
    costs = pd.Series({"fit": 0.004, "SingleTaskGP": 0.6})
    gains = pd.DataFrame(
        [("P", "random", 1, "ucb", s, g) for s, g in enumerate((0.1, 0.3))]
        + [("Q", "random", 1, "ucb", s, 0.2) for s in range(2)],
        columns=["problem", "start", "horizon", "policy", "seed", "gain"],
    )
    wrong = compared("isotropic", "R", [-1e6, 0.0])
    found = plan.Found(pd.concat([qualities, wrong]), costs, gains)
    text = page(found, plan.Args(command="a command")).text
    head = " ".join(text.splitlines()[:12])
    assert "2 settings (problem x start x size) of 2 problems: undecided in Spearman" in head
    assert "is below it, in Spearman: Q -0.10;" in head
    assert "(mean log score below -10) are `isotropic`: R." in head
    assert "4.0 ms of processor time" in head and "1/150 of" in head
    assert "+0.200 [+0.200, +0.200] after a start of kind random" in head
    assert "    a command\n" in text and "nan" not in text and "5 of 5 cells" in text


# --- end to end -----------------------------------------------------------------------------------


def test_the_study_makes_its_page_and_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = ((GP, {}), ("Ombo/Materials-v0", {"dataset": "perovskite"}))
    monkeypatch.setattr("scripts.studies.surrogates.settings.PROBLEMS", problems)
    monkeypatch.setattr(drawing, "HELD_OUT", 20)
    few = [BY_NAME[name] for name in ("fit", "isotropic", "prior", "linear")]
    small_plan = {"MODELS": few, "COST_TOGETHER": 3, "COST_ALONE": 1}
    small_plan |= {"PROBLEMS": problems, "ADDED": (4,), "POLICIES": ("ucb",), "HORIZONS": (2,)}
    for name, value in small_plan.items():
        monkeypatch.setattr(plan, name, value)
    args = plan.Args(out=tmp_path / "docs", runs=tmp_path / "runs", jobs=1, resume=True)
    args = replace(args, data_sets=2, campaigns=2)
    with pytest.raises(ValueError, match="expected predictions to be kept"):
        STUDY.run(replace(args, models="none"))
    with pytest.raises(ValueError, match=r"names among .*'linear'.*got .'tree'"):
        STUDY.run(replace(args, models="fit,tree"))
    STUDY.run(args)
    text = (tmp_path / "docs" / "surrogates.md").read_text()
    assert "14 of 14 cells" in text and "nan" not in text and "    make study" in text
    assert "of 2 problems" in text and "| lower half | `ucb` |" in text
    assert max(map(len, text.splitlines()[:10])) <= 110
    table = pd.read_csv(tmp_path / "docs" / "surrogates.csv")
    assert len(table) == 14 and set(table["model"]) == {model.name for model in few}
    monkeypatch.setattr(Model, "predict", None)
    STUDY.run(replace(args, models="none"))
    assert (tmp_path / "docs" / "surrogates.md").read_text() == text


def test_a_forest_that_agrees_is_not_certain() -> None:
    features = np.zeros((1, 6, 2))
    values = np.array([[1.0, 1.0, 1.0, 1.0, 1.0, 2.0]])
    found = forest.predict(features, values, np.zeros((1, 3, 2)))
    assert (found.sd >= forest.LEAST_SD * values.std()).all()
