"""The part of the conformance suite that looks at pictures."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector.utils import iterate

from ombo_gym.problems.core.base import Problem
from ombo_gym.testing.base import SEED, Conformance, play

_FASTEST = 10  # frames a second at which a person still sees every round


class RenderingConformance(Conformance):
    """Campaigns can be recorded: `RecordVideo`, single and vector, has all that it needs."""

    def test_render_modes_and_the_frame_rate_are_declared(self) -> None:
        """`metadata` says that there are frames, and how fast they follow each other."""
        for name, env in (("single", self.single()), ("vector", self.vector(2))):
            modes, fps = env.metadata.get("render_modes", []), env.metadata.get("render_fps")
            env.close()
            assert "rgb_array" in modes, (
                f"metadata['render_modes'] of the {name} env: expected 'rgb_array' among them, "
                f"got {modes!r}"
            )
            assert isinstance(fps, int | float) and 0 < fps <= _FASTEST, (
                f"metadata['render_fps'] of the {name} env: expected a number above 0 and at most "
                f"{_FASTEST}, which people can follow, got {fps!r}"
            )

    def test_drawing_needs_a_reset(self) -> None:
        """`render()` before the first reset raises `ResetNeeded`."""
        for name, env in (
            ("single", self.single(render_mode="rgb_array")),
            ("vector", self.vector(2, render_mode="rgb_array")),
        ):
            try:
                got = f"a {type(env.unwrapped.render()).__name__}"
            except ResetNeeded:
                continue
            except Exception as error:
                got = repr(error)
            finally:
                env.close()
            raise AssertionError(
                f"render() of the {name} env before reset(): expected ResetNeeded, got {got}"
            )

    def test_frames_are_pictures_of_one_even_size_and_drawing_changes_no_campaign(self) -> None:
        """From the first reset on, whatever the horizon; each round is seen, and goes on alike."""
        shown: list[Any] = []
        unseen = self.single()
        with _watched(self.single(render_mode="rgb_array")) as env:
            pairs = zip(play(env, campaigns=2), play(unseen, campaigns=2), strict=True)
            for (when, result), (_, expected) in pairs:
                np.testing.assert_equal(
                    result, expected, f"a campaign that was drawn, {when}, and one that was not"
                )
                frame = env.render()
                check_frame(frame, when)
                shown.append(frame)
                assert frame.shape == shown[0].shape, (
                    f"frame {when}: expected the shape of the first, {shown[0].shape}, "
                    f"got {frame.shape}"
                )
                is_begun = len(result) == 2
                assert is_begun or (frame != shown[-2]).any(), (
                    f"frame {when}: expected one that shows the round, got the one before it again"
                )
            check_same_frame(env.render(), shown[-1], "the last frame, drawn again")
        unseen.close()

    def test_the_vector_env_draws_row_i_as_the_single_env_seeded_s_plus_i(self) -> None:
        """Over the end of campaigns, too."""
        num_envs = 2
        singles = [self.single(render_mode="rgb_array") for _ in range(num_envs)]
        with _watched(self.vector(num_envs, render_mode="rgb_array")) as envs:
            envs.action_space.seed(SEED)
            envs.reset(seed=SEED)
            over = [False] * num_envs
            for i, env in enumerate(singles):
                env.reset(seed=SEED + i)
            for step in range(3):
                if step != 1:  # a campaign is over then, and its row drawn anew after step 2
                    self._check_row_frames(envs, singles, step)
                actions = envs.action_space.sample()
                envs.step(actions)
                for i, action in enumerate(iterate(envs.action_space, actions)):
                    if over[i]:
                        singles[i].reset()
                        over[i] = False
                    else:
                        over[i] = bool(singles[i].step(action)[2])
        for env in singles:
            env.close()

    def _check_row_frames(self, envs: Any, singles: list[Any], step: int) -> None:
        when = f"after step {step}" if step else "after reset()"
        frames = envs.render()
        assert isinstance(frames, tuple | list) and len(frames) == len(singles), (
            f"render() of the vector env {when}: expected a frame for each of "
            f"{len(singles)} campaigns, got {_shape_of(frames)}"
        )
        for i, env in enumerate(singles):
            check_frame(frames[i], f"of row {i} {when}")
            check_same_frame(frames[i], env.render(), f"row {i} {when}")


def check_rendering(env_id: str | Problem, **env_kwargs: Any) -> None:
    """Checks that campaigns can be recorded: all of `RenderingConformance`.

    Args:
        env_id: A registered id, `module:Class` of a problem of your own, or a problem.
        **env_kwargs: Arguments of the environment.

    Raises:
        AssertionError: What was expected, and what came.

    Example:
        >>> check_rendering("Ombo/GP-v0", dim=1)
    """
    case: Any = type(
        "Case", (RenderingConformance,), {"env_id": env_id, "env_kwargs": env_kwargs}
    )()
    for name in vars(RenderingConformance):
        if name.startswith("test_"):
            getattr(case, name)()


def check_frame(frame: Any, when: str) -> None:
    """Checks that a frame is an RGB picture of even size with something on it.

    Args:
        frame: Should be (height, width, 3) uint8.
        when: Which frame it is, for the message.

    Raises:
        AssertionError: What was expected, and what came.
    """
    is_picture = isinstance(frame, np.ndarray) and frame.dtype == np.uint8 and frame.ndim == 3
    assert is_picture and frame.shape[2] == 3, (
        f"frame {when}: expected a uint8 array (height, width, 3), got {_shape_of(frame)}"
    )
    height, width, _ = frame.shape
    assert height and width and height % 2 == 0 and width % 2 == 0, (
        f"frame {when}: expected an even height and width, which video encoders need, "
        f"got {height} x {width}"
    )
    assert frame.min() < frame.max(), f"frame {when}: expected a picture, got one colour"


def check_same_frame(frame: Any, expected: Any, what: str) -> None:
    """Checks that two frames are equal to the pixel.

    Args:
        frame: (height, width, 3) uint8.
        expected: Likewise.
        what: Which frames they are, for the message.

    Raises:
        AssertionError: How many pixels differ.
    """
    assert np.shape(frame) == np.shape(expected), (
        f"{what}: expected the same picture, {_shape_of(expected)}, got {_shape_of(frame)}"
    )
    differ = int((np.asarray(frame) != np.asarray(expected)).any(axis=-1).sum())
    assert not differ, f"{what}: expected the same picture, got one with {differ} other pixels"


def _shape_of(thing: Any) -> str:
    """A type, with dtype and shape or length where it has them."""
    name = type(thing).__name__
    if isinstance(thing, np.ndarray):
        return f"{thing.dtype} {name} {thing.shape}"
    return f"{name} of {len(thing)}" if isinstance(thing, tuple | list) else name


@contextmanager
def _watched(env: Any) -> Iterator[Any]:
    """Closes an environment, and checks that it warned of nothing."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield env
        finally:
            env.close()
    messages = [f"{warning.category.__name__}: {warning.message}" for warning in caught]
    assert not messages, f"drawing campaigns: expected no warnings, got {messages}"
