"""Whatever an argument is given as, `make` and `make_vec` take it or name it: nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import ombo_gym
from ombo_gym.env import CampaignEnv
from ombo_gym.registration import PROBLEMS, problem_class
from ombo_gym.testing import assert_same

COMMON = (
    *("problem", "horizon", "batch_size", "plates", "utility", "start", "noise_std", "split"),
    *("control", "surrogate", "render_mode"),
)
ROWS = ("num_envs", "autoreset_mode", "max_episode_steps")


class Odd:
    """No array can be made of it."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no array")


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([10**30, -(10**30), 10**400]),
    st.floats(),
    st.complex_numbers(),
    st.text(st.characters(exclude_characters="%"), max_size=5),  # which gymnasium's warnings take
    st.sampled_from(
        ["GP", "best", "none", "fit", "a:b", ":", "os:path", ".x:y", "ombo_gym:Problem"]
    ),
    st.sampled_from(["ombo_gym.env:CampaignEnv", "last_quantile:quantile", "last_quantile:a=b"]),
    st.binary(max_size=3),
    st.sampled_from([object(), Odd(), int, len, np.ma.masked, np.datetime64("NaT"), CampaignEnv]),
    st.sampled_from([np.zeros(3), np.zeros((2, 2)), np.array("x"), np.array([None]), np.array(0)]),
)
KEYS = st.one_of(
    st.sampled_from(["kind", "size", "percentile", "designs", "name", "quantile", "kernel"]),
    st.sampled_from(["lengthscale", "max_data", "truncation"]),
    st.integers(0, 1),
    st.none(),
)
KINDS = st.sampled_from(["random", "percentile", "space_filling", "listed", "none"])
WRONG = st.one_of(
    SCALARS,
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(KEYS, inner, max_size=3),
        ),
        max_leaves=6,
    ),
    st.builds(lambda kind, rest: {**rest, "kind": kind}, KINDS, st.dictionaries(KEYS, SCALARS)),
)


def taken_or_named(make: Callable[..., Any], name: str, value: Any) -> None:
    try:
        env = make(**{name: value})
    except (ValueError, TypeError) as error:
        assert name in str(error) and "\n" not in str(error), f"{name}: {error}"
    else:
        env.close()


@pytest.mark.filterwarnings("ignore:.*render_mode")
@pytest.mark.parametrize("name", COMMON)
@settings(max_examples=60)
@given(value=WRONG)
@example(value=["GP", "BBOB"])
@example(value=3)
@example(value={"kind": "random", "size": None})
@example(value={"kernel": "rbf", "lengthscale": 10**400})
def test_an_argument_of_make_is_taken_or_named(name: str, value: Any) -> None:
    taken_or_named(lambda **given: gym.make("Ombo/GP-v0", **given), name, value)


@pytest.mark.parametrize("name", [*COMMON, *ROWS])
@settings(max_examples=40)
@given(value=WRONG)
@example(value=["GP", "BBOB"])
@example(value=3)
def test_an_argument_of_make_vec_is_taken_or_named(name: str, value: Any) -> None:
    taken_or_named(lambda **given: gym.make_vec("Ombo/GP-v0", **given), name, value)


CHEAP = ("GP", "Bandit", "Landscapes", "Ehrlich", "Screens", "PBO", "BBOB", "Coating")
OWN = [
    (problem, name)
    for problem in CHEAP
    for name, each in inspect.signature(problem_class(problem)).parameters.items()
    if name != "split" and each.kind is not each.VAR_KEYWORD
]


@pytest.mark.parametrize(("problem", "name"), OWN)
@settings(max_examples=15)
@given(value=SCALARS | st.lists(SCALARS, max_size=3))
def test_an_argument_of_a_problem_is_taken_or_named(problem: str, name: str, value: Any) -> None:
    known = inspect.signature(problem_class(problem)).parameters
    try:
        ombo_gym.make_problem(problem, **{name: value})
    except (ValueError, TypeError) as error:
        assert any(each in str(error) for each in known), f"{name}: {error}"


@pytest.mark.slow
@pytest.mark.parametrize("problem", PROBLEMS)
@settings(max_examples=100)
@given(data=st.data())
def test_any_argument_of_any_problem_is_taken_or_named(problem: str, data: st.DataObject) -> None:
    parameters = inspect.signature(problem_class(problem)).parameters.values()
    names = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
    if not names:
        return
    name, value = data.draw(st.sampled_from(names)), data.draw(WRONG)
    known = inspect.signature(problem_class(problem)).parameters
    try:
        ombo_gym.make_problem(problem, **{name: value})
    except (ValueError, TypeError, OSError) as error:  # of files that are not there
        assert any(each in str(error) for each in known), f"{name}: {error}"


RESETS = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.dictionaries(
        st.sampled_from(["optimum", "horizon", "batch_size", "instance", "reset_mask", 3]),
        SCALARS | st.lists(SCALARS, min_size=2, max_size=2),
        max_size=2,
    ),
)


@settings(max_examples=60)
@given(options=RESETS)
def test_options_of_a_reset_are_taken_or_named_and_then_nothing_has_changed(options: Any) -> None:
    arguments: dict[str, Any] = {"horizon": [1, 3], "batch_size": [1, 2]}
    for make in (
        lambda: gym.make("Ombo/GP-v0", **arguments),
        lambda: gym.make_vec("Ombo/GP-v0", num_envs=2, **arguments),
    ):
        env, twin = make(), make()
        assert_same(env.reset(seed=0), twin.reset(seed=0))
        try:
            env.reset(options=options)
        except ValueError as error:
            assert "options: " in str(error) or "reset_mask: " in str(error)
            assert_same(env.reset(), twin.reset())


@pytest.mark.parametrize("mode", [3, 2.5, True, ["rgb_array"], {}, b"rgb_array", np.zeros(2)])
def test_a_render_mode_that_is_no_text_is_refused_by_name(mode: Any) -> None:
    for make in (gym.make, gym.make_vec):
        with pytest.raises(ValueError, match="render_mode: expected None or one of"):
            make("Ombo/GP-v0", render_mode=mode)
    assert gym.make("Ombo/GP-v0", render_mode="rgb_array_list").render_mode == "rgb_array_list"
