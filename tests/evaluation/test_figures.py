"""What the pictures show: which lines, whose names, and labels that do not collide."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ombo_gym.evaluation.figure_style import DARK, policy_styles
from ombo_gym.evaluation.figures import exploration_schedule, horizon_curves, png, spread
from ombo_gym.evaluation.tables import summarise

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
    assert len(looks) >= len(styles) - 4  # ten looks for the others, then they come again
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
