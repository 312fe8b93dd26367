"""What the pictures show: which lines, whose names, and labels that do not collide."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ombo_gym.evaluation.figure_style import DARK, LIGHT, policy_styles
from ombo_gym.evaluation.figures import (
    exploration_schedule,
    horizon_curves,
    leaderboard_scores,
    performance_profiles,
    planning_curves,
    png,
    spread,
    svg,
)
from ombo_gym.evaluation.figures.series import all_series
from ombo_gym.evaluation.leaderboard import PlayedScores, leaderboard
from ombo_gym.evaluation.ranking import profiles
from ombo_gym.evaluation.tables import paired, summarise

MANY = [f"policy_{i}" for i in range(12)] + ["$\\frac$ odd", "_hidden", "runs/" + "x" * 60]


def dashed(ax):
    return [line for line in ax.lines if line.get_linestyle() == "--"]


def names(ax):
    return [text.get_text() for text in ax.texts]


def test_a_panel_per_utility_and_a_named_line_per_policy(campaigns_of):
    summary = summarise(campaigns_of(campaigns=20))
    figure = horizon_curves(summary)
    assert len(figure.axes) == 2
    for ax, utility in zip(figure.axes, ("last_mean", "best"), strict=True):
        assert utility in ax.get_title(loc="left")
        assert sorted(names(ax)) == sorted(summary["policy"].unique())
        solid = summary[(summary["utility"] == utility) & (summary["told_horizon"] == "true")]
        drawn = {tuple(np.asarray(line.get_ydata(), float)) for line in ax.lines}
        for _, rows in solid.groupby("policy"):
            assert tuple(rows.sort_values("horizon")["mean"]) in drawn


def test_a_dashed_line_only_where_being_told_one_changes_something(campaigns_of):
    summary = summarise(campaigns_of(campaigns=20, utilities=["best"]))
    (ax,) = horizon_curves(summary).axes
    assert len(dashed(ax)) == 2  # explore_then_exploit and the trained policy
    summary = summary[summary["told_horizon"] == "true"]
    figure = horizon_curves(summary)
    assert not dashed(figure.axes[0])
    assert "Dashed" not in figure.texts[0].get_text()


def test_trained_policies_are_thicker_and_no_two_policies_look_alike():
    styles = policy_styles([*MANY, "runs/other", *MANY])
    looks = {(style.trained, style.colour(DARK), style.marker) for style in styles.values()}
    assert len(styles) == len(MANY) + 1
    assert len(looks) == len(styles)
    assert styles["runs/other"].width > 2 * styles["policy_0"].width


@pytest.mark.parametrize("horizons", [(1, 2, 3, 5), (3,), (1, 20)])
@pytest.mark.parametrize("told", [("true", "one"), ("true",), ("one",)])
def test_many_oddly_named_policies_draw_without_a_warning(campaigns_of, horizons, told):
    campaigns = campaigns_of(MANY, horizons=horizons, utilities=["best"], campaigns=2, told=told)
    figure = horizon_curves(summarise(campaigns), theme=DARK)
    image = Image.open(io.BytesIO(png(figure, dpi=40)))
    assert image.width > 200
    (ax,) = figure.axes
    assert "$\\frac$ odd" in names(ax)
    heights = sorted(text.get_position()[1] for text in ax.texts)
    inches = np.diff(heights) * ax.get_position().height * figure.get_figheight()
    assert inches.min() > 0.17  # the names do not overlap
    assert max(len(name) for name in names(ax)) <= 26


def test_one_campaign_without_intervals_can_be_drawn(campaigns_of):
    png(horizon_curves(summarise(campaigns_of(campaigns=1))), dpi=40)


def test_the_same_figure_gives_the_same_bytes(campaigns_of):
    summary = summarise(campaigns_of(campaigns=3))
    assert png(horizon_curves(summary), dpi=40) == png(horizon_curves(summary), dpi=40)


def test_a_schedule_panel_per_horizon_with_its_mean_weights(exploration_of):
    frame = exploration_of(utilities=["best"])
    figure = exploration_schedule(frame)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["N = 1", "N = 2", "N = 3", "N = 5"]
    ours = frame[(frame["policy"] == "runs/demo") & (frame["horizon"] == 3)]
    drawn = [tuple(np.asarray(line.get_ydata(), float)) for line in figure.axes[2].lines]
    assert tuple(ours["weight_mean"]) in drawn
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(frame["policy"].unique())
    png(figure, dpi=40)


def test_schedules_of_two_utilities_and_told_one_have_their_own_panels_and_lines(exploration_of):
    frame = exploration_of(horizons=[2])
    frame.loc[frame["policy"] == "ucb", "told_horizon"] = "one"
    frame["policy"] = frame["policy"].replace("greedy", "_$greedy")
    figure = exploration_schedule(frame)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["N = 2, last_mean", "N = 2, best"]
    assert len(dashed(figure.axes[0])) == 1
    assert "_$greedy" in [text.get_text() for text in figure.legends[0].get_texts()]
    png(figure, dpi=40)


def test_nothing_to_draw_is_said(campaigns_of, exploration_of):
    with pytest.raises(ValueError, match="summary has no rows"):
        horizon_curves(summarise(campaigns_of(campaigns=1)).iloc[:0])
    with pytest.raises(ValueError, match="exploration has no rows"):
        exploration_schedule(exploration_of().iloc[:0])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.001, 0.05))
def test_spread_keeps_the_order_the_gap_and_the_panel(wanted, gap):
    places = spread(np.array(wanted), gap)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(places[order]) >= gap - 1e-9).all()
    assert places.min() >= -1e-9
    assert places.max() <= 1 + 1e-9


def test_spread_moves_no_more_than_needed():
    assert spread(np.array([0.5, 0.1]), 0.1) == pytest.approx([0.5, 0.1])
    assert spread(np.array([0.5, 0.5, 0.5]), 0.1) == pytest.approx([0.4, 0.5, 0.6])


def test_batch_sizes_and_budgets_with_two_horizons_are_curves_and_the_rest_stands_alone():
    settings = [(1, 4), (2, 4), (4, 4), (1, 16), (2, 8), (3, 5)]
    rows = pd.DataFrame(settings, columns=["horizon", "batch_size"])
    found = {
        series.title.replace("\xa0", " "): (
            series.budget,
            sorted(series.rows.itertuples(index=False, name=None)),
        )
        for series in all_series(rows)
    }
    assert found == {
        "q = 4": (False, [(1, 4), (2, 4), (4, 4)]),
        "N × q = 16": (True, [(1, 16), (2, 8), (4, 4)]),  # noqa: RUF001
        "N = 3, q = 5": (False, [(3, 5)]),
    }


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, unique=True),
)
def test_every_setting_is_drawn_and_alone_only_where_it_is_in_no_curve(settings):
    rows = pd.DataFrame(settings, columns=["horizon", "batch_size"])
    drawn = []
    for series in all_series(rows):
        here = [tuple(map(int, row)) for row in series.rows.itertuples(index=False)]
        shared = {n * q for n, q in here} if series.budget else {q for _, q in here}
        assert len(shared) == 1
        if len(here) == 1:
            ((n, q),) = here
            assert all(other[1] != q for other in settings if other != (n, q))
            assert all(a * b != n * q for a, b in settings if (a, b) != (n, q))
        drawn += here
    assert set(drawn) == set(settings)


def test_a_budgets_curve_names_the_batch_size_below_each_horizon(campaigns_of):
    parts = [
        campaigns_of(campaigns=2, horizons=[n], batch_size=8 // n, utilities=["best"])
        for n in (1, 2, 4)
    ]
    (ax,) = horizon_curves(summarise(pd.concat(parts))).axes
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels == ["1\n× 8", "2\n× 4", "4\n× 2"]  # noqa: RUF001


def test_the_value_of_planning_is_drawn_as_it_stands_in_the_table(campaigns_of):
    pairs = paired(campaigns_of(campaigns=20, utilities=["best"]))
    own = pairs[(pairs["policy_a"] == "runs/demo") & (pairs["policy_b"] == "runs/demo")]
    (ax,) = planning_curves(own.rename(columns={"policy_a": "policy"})).axes
    drawn = {tuple(np.asarray(line.get_ydata(), float)) for line in ax.lines}
    assert tuple(own.sort_values("horizon")["difference"]) in drawn
    assert names(ax) == ["runs/demo"]


def test_profiles_name_the_largest_area_first(campaigns_of):
    frame = profiles(campaigns_of(campaigns=30))
    figure = performance_profiles(frame)
    assert len(figure.axes) == frame["utility"].nunique() == 2
    for ax, (_, rows) in zip(figure.axes, frame.groupby("utility", sort=False), strict=True):
        area = rows.groupby("method")["share"].mean().sort_values(ascending=False)
        assert names(ax) == list(area.index)
        drawn = {tuple(np.asarray(line.get_ydata(), float)) for line in ax.lines}
        for _, curve in rows.groupby("method"):
            assert tuple(curve.sort_values("score")["share"]) in drawn


def test_scores_stand_best_at_the_top_and_are_hollow_where_a_problem_is_missing(campaigns_of):
    frames = [campaigns_of(campaigns=20, utilities=["best"], env=env) for env in ("A", "B")]
    campaigns = pd.concat(frames, ignore_index=True)
    gone = (campaigns["policy"] == "ucb") & (campaigns["env"] == "B")
    board = leaderboard(PlayedScores(campaigns[~gone]))
    (ax,) = leaderboard_scores(board).axes
    shown = [label.get_text() for label in ax.get_yticklabels()]
    assert shown == list(board.groupby("method")["score"].mean().sort_values().index)
    marks = {}
    for line in ax.lines:  # a mark for each horizon
        name = shown[round(float(line.get_ydata()[0]))]
        marks.setdefault(name, []).append(line)
    for name, lines in marks.items():
        rows = board[board["method"] == name].sort_values("horizon")
        assert [float(line.get_xdata()[0]) for line in lines] == pytest.approx(list(rows["score"]))
        assert len({line.get_marker() for line in lines}) == 4
        hollow = {line.get_markerfacecolor() == LIGHT.background for line in lines}
        assert hollow == {name == "ucb"}


def test_starts_and_utilities_have_a_panel_each_with_or_without_intervals(campaigns_of):
    frames = [
        campaigns_of(["a", "$b_"], campaigns=1, horizons=[1, 2], env=start, start=start)
        for start in ("random", "percentile")
    ]
    board = leaderboard(PlayedScores(pd.concat(frames, ignore_index=True)))
    figure = leaderboard_scores(board)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == [
        f"start: {start}, utility: {utility}"
        for start in ("random", "percentile")
        for utility in ("last_mean", "best")
    ]
    png(figure, dpi=40)
    with pytest.raises(ValueError, match="leaderboard has no rows"):
        leaderboard_scores(board.iloc[:0])


def test_svg_is_the_same_every_time_and_holds_its_title(campaigns_of):
    summary = summarise(campaigns_of(MANY, campaigns=2, utilities=["best"]))
    first, second = (svg(horizon_curves(summary), title="a < b & c") for _ in range(2))
    assert first == second
    title = ElementTree.fromstring(first).find("{http://www.w3.org/2000/svg}title")
    assert title.text == "a < b & c"


def test_names_are_drawn_on_one_line_without_what_cannot_be_printed(campaigns_of):
    odd = ["\x1b[31mred", "two\nlines", "a\u2028b"]
    summary = summarise(campaigns_of(odd, campaigns=2, utilities=["best"]))
    text = svg(horizon_curves(summary), outlines=False)
    drawn = [element.text for element in ElementTree.fromstring(text).iter()]
    assert {"\ufffd[31mred", "two lines", "a b"} <= set(drawn)
