"""Frames: what shape they have, that they show the campaign, and that drawing changes nothing."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import gymnasium as gym
import imageio_ffmpeg
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import RecordVideo
from gymnasium.wrappers.vector import RecordVideo as VectorRecordVideo
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ombo_gym.design_spaces import CategoricalDesigns, Designs
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.randomness import BatchedGenerator
from ombo_gym.spec import CONTROLS
from ombo_gym.testing import play
from ombo_gym.vector_env import CampaignVectorEnv
from tests.envs.cases import assert_same, make, make_native

matplotlib.use("Agg")


def assert_frame(frame: Any) -> None:
    assert type(frame) is np.ndarray and frame.dtype == np.uint8
    assert frame.ndim == 3 and frame.shape[2] == 3 and min(frame.shape[:2]) >= 240
    assert frame.flags.c_contiguous and frame.flags.owndata
    assert frame.max() == 255 and len(np.unique(frame)) > 10, "something is drawn on white"


@pytest.mark.parametrize("control", CONTROLS)
def test_the_control_is_not_seen(control: str) -> None:
    env, plain = (
        make("Ombo/GP-v0", control=name, render_mode="rgb_array") for name in (control, "designs")
    )
    env.reset(seed=0)
    plain.reset(seed=0)
    np.testing.assert_array_equal(env.render(), plain.render())
    env.step(env.action_space.sample())
    assert_frame(env.render())


class Letters(Problem):
    """The value of a sequence is its share of zeros; half of all sequences cannot be measured."""

    def __init__(self, length: int, categories: int) -> None:
        self.design_space = CategoricalDesigns([categories] * length)

    def __repr__(self) -> str:  # in the ids of tests, which must not change between processes
        return type(self).__name__ + repr(self.design_space.observation_space(1))

    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"unused": rngs.random((1,))}

    def evaluate(self, instances: Instances, designs: Designs) -> np.ndarray:
        return (designs == 0).mean(axis=-1)

    def feasible(self, instances: Instances, designs: Designs) -> np.ndarray:
        return designs[..., 0] % 2 == 0


class Codes(CategoricalDesigns):
    """A kind of designs for which there is no panel."""

    kind = "codes"


class Coded(Letters):
    def __init__(self) -> None:
        self.design_space = Codes([4] * 3)


@pytest.mark.parametrize(
    ("problem", "settings"),
    [
        ("GP", {"start": {"kind": "none"}}),
        ("GP", {"start": {"kind": "none"}, "dim": 1}),
        ("GP", {"dim": 1, "noise_std": 0.3}),
        ("GP", {"dim": 3, "horizon": 200}),
        ("GP", {"plates": [3, 1, 2]}),
        ("TFBinding", {"batch_size": [1, 4]}),
        ("GP", {"dim": 30, "start": {"kind": "none"}}),
        ("GP", {"batch_size": 1, "start": {"kind": "random", "size": 1}}),
        ("GP", {"start": {"kind": "percentile", "percentile": 90}}),
        ("TFBind8", {"start": {"kind": "none"}}),
        ("TFBind8", {"start": {"kind": "percentile", "percentile": 50}}),
        ("TFBinding", {"batch_size": 1, "horizon": 1}),
        ("Bandit", {"arms": 1}),
        ("Bandit", {"arms": 200, "batch_size": 300}),
        ("Bandit", {"arms": 2, "noise_std": 0.1}),
        ("Landscapes", {"matrix": [[0.5]]}),
        ("Landscapes", {"K": 200}),
        ("Landscapes", {"name": "blurred_signpost", "noise_std": 0.1}),
        (Letters(40, 4), {}),
        (Letters(5, 15), {}),
        (Coded(), {}),
    ],
    ids=str,
)
def test_every_kind_of_campaign_is_drawn(problem: Any, settings: dict[str, Any]) -> None:
    env = CampaignEnv(problem, render_mode="rgb_array", **settings)
    env.reset(seed=0, options={"optimum": True})
    if settings.get("start") == {"kind": "none"}:
        assert_frame(env.render())
    env.action_space.seed(0)
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
    game = env.unwrapped
    values = game.problem.true_values(game.campaigns.instances, grid)[0][0]
    assert where(*grid[0, values.argmax()])[2] > where(*grid[0, values.argmin()])[2] + 100


# --- videos ------------------------------------------------------------------------------------


def check_video(path: Path, size: tuple[int, int], frames: int) -> None:
    """That a film of one frame a second was written."""
    assert path.stat().st_size > 1_000
    found, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert (found, seconds) == (frames, frames)
    reader = imageio_ffmpeg.read_frames(str(path))
    assert next(reader)["size"] == size
    reader.close()


def test_gymnasium_records_a_campaign(tmp_path: Path) -> None:
    env = make("Ombo/TFBinding-v0", horizon=2, render_mode="rgb_array")
    env = RecordVideo(env, str(tmp_path / "films"), episode_trigger=lambda number: True)
    assert len(list(play(env, campaigns=1))) == 3
    env.close()
    check_video(tmp_path / "films" / "rl-video-episode-0.mp4", (960, 480), 3)


def test_gymnasium_records_the_vector_env_over_its_autoresets(tmp_path: Path) -> None:
    mode = AutoresetMode.NEXT_STEP
    envs = make_native("Ombo/GP-v0", 2, mode, horizon=1, render_mode="rgb_array")
    envs = VectorRecordVideo(envs, str(tmp_path / "films"), episode_trigger=lambda number: True)
    envs.reset(seed=0)
    for _ in range(3):
        envs.step(envs.action_space.sample())
    envs.close()
    for number in (0, 1):
        check_video(tmp_path / "films" / f"rl-video-episode-{number}.mp4", (1920, 480), 2)


# --- drawing and people ------------------------------------------------------------------------


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
