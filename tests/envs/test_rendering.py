"""Frames: what shape they have, that they show the campaign, and that drawing changes nothing."""

from __future__ import annotations

import builtins
from typing import Any

import gymnasium as gym
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ombo_gym.vector_env import CampaignVectorEnv
from tests.envs.cases import CASES, IDS, assert_same, make, make_native, proposals

matplotlib.use("Agg")


def assert_frame(frame: Any) -> None:
    assert type(frame) is np.ndarray and frame.dtype == np.uint8
    assert frame.ndim == 3 and frame.shape[2] == 3 and min(frame.shape[:2]) >= 240
    assert frame.flags.c_contiguous and frame.flags.owndata
    assert frame.max() == 255 and len(np.unique(frame)) > 10, "something is drawn on white"


@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_a_frame_is_a_picture_of_each_round(env_id: str, control: str) -> None:
    env = make(env_id, control=control, horizon=1, render_mode="rgb_array")
    env.reset(seed=0)
    env.action_space.seed(0)
    first = env.render()
    assert_frame(first)
    np.testing.assert_array_equal(env.render(), first)
    env.step(env.action_space.sample())
    second = env.render()
    assert_frame(second)
    assert second.shape == first.shape and (second != first).any()


@pytest.mark.parametrize("env_id", IDS)
def test_the_vector_env_draws_each_row_as_the_single_env_does(env_id: str) -> None:
    envs = make_native(env_id, 3, AutoresetMode.NEXT_STEP, render_mode="rgb_array")
    singles = [make(env_id, render_mode="rgb_array") for _ in range(3)]
    observation, _ = envs.reset(seed=4)
    for i, env in enumerate(singles):
        env.reset(seed=4 + i)
    frames = envs.render()
    assert_frames_of(singles, frames)
    # Without a start, campaigns may begin alike.
    assert (frames[0] != frames[1]).any() or not observation["observed"].any()
    batch = proposals(singles[0], 1, 0)[0]
    envs.step(np.stack([batch] * 3))
    for env in singles:
        env.step(batch)
    frames = envs.render()
    assert_frames_of(singles, frames)
    assert (frames[0] != frames[1]).any() or (frames[0] != frames[2]).any()


def assert_frames_of(singles: list[gym.Env], frames: Any) -> None:
    assert isinstance(frames, tuple) and len(frames) == len(singles)
    for env, frame in zip(singles, frames, strict=True):
        assert_frame(frame)
        np.testing.assert_array_equal(env.render(), frame)


@pytest.mark.parametrize(
    "settings",
    [
        {"start": {"kind": "none"}},
        {"start": {"kind": "none"}, "dim": 1},
        {"dim": 1, "noise_std": 0.3},
        {"dim": 3, "horizon": 200},
        {"batch_size": 1, "start": {"kind": "random", "size": 1}},
    ],
    ids=str,
)
def test_every_kind_of_campaign_is_drawn(settings: dict[str, Any]) -> None:
    env = gym.make("Ombo/GP-v0", render_mode="rgb_array", **settings)
    env.reset(seed=0, options={"optimum": True})
    assert_frame(env.render())
    env.step(env.action_space.sample())
    assert_frame(env.render())


def test_a_design_is_drawn_where_it_is_and_the_landscape_is_bright_where_it_is_high() -> None:
    settings = {"start": {"kind": "none"}, "batch_size": 1, "horizon": 2}
    env = gym.make("Ombo/GP-v0", render_mode="rgb_array", **settings)

    def where(x: float, y: float) -> tuple[float, float, float]:
        """Centre of the dot, column and row, and how bright the landscape is around it."""
        env.reset(seed=0)
        env.step(np.array([[x, y]], np.float32))
        frame = env.render()[:, 500:850].astype(int)  # the half with the landscape
        dot = frame.max(axis=2) - frame.min(axis=2) > 60  # the only colour there
        assert 20 < dot.sum() < 400
        row, column = np.argwhere(dot).mean(axis=0)
        around = frame[int(row) - 9 : int(row) + 10, int(column) - 9 : int(column) + 10]
        return column, row, np.median(around)

    left, low, _ = where(-0.5, -0.5)
    right, high, _ = where(0.5, 0.5)
    assert right > left + 100 and high < low - 100

    side = np.linspace(-0.9, 0.9, 31, dtype=np.float32)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(1, -1, 2)
    game = env.unwrapped.game
    values = game.problem.true_values(game.campaigns.instances, grid)[0][0]
    assert where(*grid[0, values.argmax()])[2] > where(*grid[0, values.argmin()])[2] + 100


@pytest.mark.parametrize("mode", ["rgb_array", "human"])
def test_drawing_changes_no_campaign(mode: str) -> None:
    settings = {"horizon": 2, "noise_std": 0.2, "control": "exploration"}
    env = make("Ombo/GP-v0", render_mode=mode, **settings)
    twin = make("Ombo/GP-v0", **settings)
    assert_same(env.reset(seed=0), twin.reset(seed=0))
    action = np.zeros(2, np.float32)
    for _ in range(2):
        env.render()
        assert_same(env.step(action), twin.step(action))
    env.render()
    assert_same(env.reset(), twin.reset())
    env.close()


def test_people_watch_every_step_in_a_window_of_each_environment() -> None:
    before = plt.get_fignums()
    envs = [make("Ombo/GP-v0", render_mode="human", horizon=2) for _ in range(2)]
    for env in envs:
        env.reset(seed=0)
    assert len(plt.get_fignums()) == len(before) + 2
    figure = plt.figure(plt.get_fignums()[-1])

    def shown() -> np.ndarray:
        return np.array(figure.axes[0].images[0].get_array())

    first = shown()
    envs[1].step(np.zeros((4, 2), np.float32))
    assert (shown() != first).any(), "without a call of render"
    assert envs[1].render() is None
    for env in envs:
        env.close()
        env.close()
    assert plt.get_fignums() == before


def test_the_vector_env_shows_its_first_campaign() -> None:
    before = plt.get_fignums()
    env = make_native("Ombo/GP-v0", 2, AutoresetMode.DISABLED, render_mode="human")
    env.reset(seed=0, options={"reset_mask": np.array([False, True])})
    assert plt.get_fignums() == before, "the first is not begun"
    env.reset(seed=0)
    assert len(plt.get_fignums()) == len(before) + 1
    assert env.render() is None
    env.close()
    assert plt.get_fignums() == before


def test_a_backend_with_windows_opens_one_and_survives_its_being_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[Any] = []
    refreshed: list[Any] = []
    monkeypatch.setattr(FigureCanvasAgg, "required_interactive_framework", "pretended")
    monkeypatch.setattr("matplotlib.figure.Figure.show", lambda self: opened.append(self))
    monkeypatch.setattr(FigureCanvasAgg, "start_event_loop", lambda self, s: refreshed.append(s))
    env = make("Ombo/GP-v0", render_mode="human")
    env.reset(seed=0)
    env.step(np.zeros((4, 2), np.float32))
    assert len(opened) == 1 and refreshed == [1.0, 1.0], "a frame stays for a second"
    plt.close(opened[0])
    env.step(np.zeros((4, 2), np.float32))
    assert len(refreshed) == 2
    env.close()


def test_without_a_render_mode_nothing_is_drawn() -> None:
    env = make("Ombo/GP-v0").unwrapped
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="render_mode"):
        assert env.render() is None
    assert make_native("Ombo/GP-v0", 2, AutoresetMode.NEXT_STEP).render() is None


def test_there_is_nothing_to_draw_before_the_first_reset() -> None:
    with pytest.raises(ResetNeeded, match="reset"):
        make("Ombo/GP-v0", render_mode="rgb_array").unwrapped.render()
    with pytest.raises(ResetNeeded, match=r"campaign 0 .*reset"):
        CampaignVectorEnv(2, "GP", render_mode="rgb_array").render()


def test_without_matplotlib_an_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_matplotlib(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    env = make("Ombo/GP-v0", render_mode="rgb_array")
    env.reset(seed=0)
    monkeypatch.setattr(builtins, "__import__", without_matplotlib)
    with pytest.raises(ImportError, match=r"ombo-gym\[render\]"):
        env.render()
