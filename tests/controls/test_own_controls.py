"""A control of one's own that is not what it should be is refused, by the name of what is wrong."""

from __future__ import annotations

import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

import ombo_gym
from ombo_agents import ControlPolicy
from ombo_gym import (
    BoxDesigns,
    CampaignSpec,
    CandidateDesigns,
    CategoricalDesigns,
    Control,
    MixedDesigns,
    design_space_of,
)
from ombo_gym.controls import make_control

BOX = BoxDesigns(2)
POOL = CandidateDesigns(np.random.default_rng(0).normal(size=(9, 2)))
LETTERS = CategoricalDesigns([3, 3, 3])
MIXED = design_space_of({"T": (20, 80), "solvent": ["DMF", "THF", "water"]})
SPACES = {"box": BOX, "pool": POOL, "letters": LETTERS, "mixed": MIXED}
q = 3


class Repeated(Control):
    """Proposes one design, again and again, whatever the action is; the tests change one thing."""

    changed: Any = staticmethod(lambda designs: designs)
    shown: Any = staticmethod(lambda seen: seen)

    def __init__(self, spec: CampaignSpec) -> None:
        self.action_space: Any = spaces.Box(-1, 1, (1,), np.float32)
        self.observation_space: Any = spaces.Dict(
            {
                "best": spaces.Box(-np.inf, np.inf, (1,), np.float32),
                "rounds_left": spaces.Box(0, spec.horizon, (1,), np.float32),
            }
        )
        self.space, self.q = spec.design_space, spec.batch_size
        self.called = "mine"

    def view(self, observation: Any, rngs: Any) -> Any:
        return observation["measurements"].max(axis=1, keepdims=True), observation["rounds_left"]

    def seen(self, view: Any) -> Any:
        return self.shown({"best": view[0].astype(np.float32), "rounds_left": view[1]})

    def designs(self, view: Any, actions: Any) -> Any:
        zeros = np.zeros((len(actions), self.q, *self.space.shape), self.space.dtype)
        return self.changed(zeros)


NAME = f"{__name__}:Repeated"


def control_of(space: Any) -> Control:
    return make_control(NAME, CampaignSpec(space, plates=(q,), start_capacity=1))


def proposed(space: Any, count: int = 4) -> Any:
    control = control_of(space)
    observation = {"measurements": np.ones((count, 1)), "rounds_left": np.ones((count, 1))}
    view = control.view(observation, None)  # type: ignore[arg-type]
    return control.designs(view, np.zeros((count, 1), np.float32))


def observed(shown: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(Repeated, "shown", staticmethod(shown))
    control = control_of(BOX)
    observation = {"measurements": np.ones((4, 1)), "rounds_left": np.ones((4, 1), np.float32)}
    view = control.view(observation, None)  # type: ignore[arg-type]
    return control.seen(view), observation


# --- what it proposes -----------------------------------------------------------------------------


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@pytest.mark.parametrize(
    ("change", "came"),
    [
        (lambda designs: designs[:, :2], "got shape "),  # too few designs
        (lambda designs: np.concatenate([designs, designs], axis=1), "got shape "),
        (lambda designs: designs[:-1], "got shape "),  # too few campaigns
        (lambda designs: designs[0], "got shape "),
        (lambda designs: designs[..., 0], "got shape "),
        (lambda designs: designs[:, :, None], "got shape "),
        (lambda designs: None, "got None"),
        (lambda designs: designs.tolist(), "got [["),
        (lambda designs: designs.astype(complex), "got an array of complex128"),
        (lambda designs: designs.astype(bool), "got an array of bool"),
        (lambda designs: designs.astype(object), "got an array of object"),
    ],
)
def test_designs_of_another_shape_or_kind_are_refused(
    space: Any, change: Any, came: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Repeated, "changed", staticmethod(change))
    with pytest.raises(ValueError, match=r"^Repeated\.designs: expected .*\(4, 3, ") as refused:
        proposed(space)
    assert came in str(refused.value)


def _put(value: Any) -> Any:
    """Puts a value into a design of the third campaign."""

    def change(designs: Any) -> Any:
        designs = designs.astype(float) if isinstance(value, float) else designs.copy()
        designs[2, 1, -1] = value
        return designs

    return change


@pytest.mark.parametrize(
    ("space", "value", "ends"),
    [
        (BOX, 3.0, "from -1 to 1"),
        (BOX, -1.001, "from -1 to 1"),
        (BOX, float("nan"), "from -1 to 1"),
        (BOX, float("inf"), "from -1 to 1"),
        (MIXED, -2.0, "from -1 to 1"),
        (POOL, 9, "from 0 to 8"),
        (POOL, -1, "from 0 to 8"),
        (LETTERS, 3, "from 0 to 2"),
    ],
)
def test_designs_out_of_bounds_are_refused_with_the_campaign_and_the_design(
    space: Any, value: Any, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Repeated, "changed", staticmethod(_put(value)))
    with pytest.raises(ValueError, match=r"^Repeated\.designs: .*in campaign 2, design 1") as error:
        proposed(space)
    assert ends in str(error.value) and f"got {value}" in str(error.value)


@pytest.mark.parametrize("space", [POOL, LETTERS], ids=["pool", "letters"])
def test_numbers_with_a_fraction_are_no_indices(
    space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Repeated, "changed", staticmethod(lambda designs: designs + 0.4))
    with pytest.raises(ValueError, match=r"Repeated\.designs: expected whole numbers .*float64"):
        proposed(space)


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_good_designs_are_taken_in_the_dtype_of_the_space(
    space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dtype = np.float64 if space.dtype.kind == "f" else np.int8
    monkeypatch.setattr(Repeated, "changed", staticmethod(lambda designs: designs.astype(dtype)))
    designs = proposed(space)
    assert designs.dtype == space.dtype and designs.shape == (4, q, *space.shape)
    np.testing.assert_array_equal(designs, space.canonical(designs))


def test_what_is_a_rounding_beyond_a_bound_is_clipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Repeated, "changed", staticmethod(_put(1.0000005)))
    assert proposed(BOX)[2, 1].tolist() == [0.0, 1.0]


def test_designs_are_measured_in_their_canonical_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of raw actions are: 0.1 of a step is no other design."""
    space = MixedDesigns({"T": {"range": [0, 4], "step": 1}, "s": ["a", "b"]})
    monkeypatch.setattr(Repeated, "changed", staticmethod(lambda designs: designs + 0.1))
    designs = proposed(space)
    np.testing.assert_array_equal(designs, space.designs(np.full((4, q, 3), 0.1, np.float32)))


@pytest.mark.parametrize("make", ["single", "vector"])
def test_a_campaign_is_as_it_was_when_designs_are_refused(
    make: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments: dict[str, Any] = {"control": NAME, "horizon": 2, "batch_size": q}
    env: Any
    if make == "single":
        env, action = gym.make("Ombo/GP-v0", **arguments).unwrapped, np.zeros(1, np.float32)
    else:
        env = gym.make_vec("Ombo/GP-v0", num_envs=2, **arguments).unwrapped
        action = np.zeros((2, 1), np.float32)
    env.reset(seed=0)
    monkeypatch.setattr(Repeated, "changed", staticmethod(lambda designs: designs[:, :2]))
    with pytest.raises(ValueError, match=r"^Repeated\.designs: expected .*got shape"):
        env.step(action)
    assert env.campaigns.round.tolist() == [0] * env.campaigns.num_campaigns
    monkeypatch.setattr(Repeated, "changed", staticmethod(lambda designs: designs))
    *_, infos = env.step(action)
    assert np.all(infos["round"] == 1)


def test_a_policy_that_carries_it_along_is_refused_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    class Same(ControlPolicy):
        def choose(self, seen: Any) -> Any:
            return np.zeros((len(seen["rounds_left"]), 1), np.float32)

    env = gym.make("Ombo/GP-v0", batch_size=q)
    observation, _ = env.reset(seed=0)
    spec = ombo_gym.campaign_spec(env)
    policy = Same(spec, NAME)
    assert policy.control.called == "mine"  # type: ignore[attr-defined]
    batch = {name: array[None] for name, array in observation.items()}
    assert policy.act(batch, np.random.default_rng(0)).shape == (1, q, 2)
    monkeypatch.setattr(Repeated, "changed", staticmethod(_put_everywhere))
    with pytest.raises(ValueError, match=r"^Repeated\.designs: .*got 3\.0 in campaign 0, design 0"):
        policy.act(batch, np.random.default_rng(0))


def _put_everywhere(designs: Any) -> Any:
    return designs + 3.0


# --- what it shows --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "came"),
    [
        (lambda seen: {"best": seen["best"]}, r"fields \['best', 'rounds_left'\], got \['best'\]"),
        (lambda seen: {**seen, "more": seen["best"]}, r"got \['best', 'rounds_left', 'more'\]"),
        (lambda seen: [seen["best"]], "a dict with the fields .*got"),
        (
            lambda seen: {**seen, "best": seen["best"][:, 0]},
            r"'best': .*\(4, 1\).*got shape \(4,\)",
        ),
        (
            lambda seen: {**seen, "best": seen["best"][:2]},
            r"'best': .*\(4, 1\).*got shape \(2, 1\)",
        ),
        (lambda seen: {**seen, "best": 1.0}, r"'best': expected .*got 1\.0"),
        (lambda seen: {**seen, "best": seen["best"] * np.nan}, r"'best': .*nan in campaign 0"),
        (lambda seen: {**seen, "best": seen["best"].astype(complex)}, "'best': .*complex128"),
        (lambda seen: {**seen, "best": seen["best"].astype(str)}, "'best': .*array of <U"),
        (
            lambda seen: {**seen, "rounds_left": seen["rounds_left"] - 5},
            r"'rounds_left': .*from 0\.0 to 1\.0, got -4\.0 in campaign 0",
        ),
    ],
)
def test_observations_that_are_none_of_its_space_are_refused(
    shown: Any, came: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=rf"^Repeated\.seen: .*{came}"):
        observed(shown, monkeypatch)


def test_what_is_seen_are_fresh_arrays_of_the_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes into an observation does not write into the campaign's."""
    seen, observation = observed(
        lambda seen: {"rounds_left": seen["rounds_left"], "best": seen["best"].astype(float)},
        monkeypatch,
    )
    assert list(seen) == ["best", "rounds_left"]
    assert seen["best"].dtype == seen["rounds_left"].dtype == np.float32
    assert not np.shares_memory(seen["rounds_left"], observation["rounds_left"])


def test_masks_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def masks(self: Any, view: Any, observation: Any) -> Any:
        return np.ones((len(view[1]), 2), bool)

    def choices(self: Any, spec: Any) -> None:
        before(self, spec)
        self.action_space = spaces.Discrete(3)

    before = Repeated.__init__
    monkeypatch.setattr(Repeated, "__init__", choices)
    monkeypatch.setattr(Repeated, "action_masks", masks, raising=False)
    env = gym.make("Ombo/GP-v0", control=NAME, horizon=1)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"^Repeated\.action_masks: .*\(1, 3\), got .*\(1, 2\)"):
        env.unwrapped.action_masks()  # type: ignore[attr-defined]


# --- what it is made of ---------------------------------------------------------------------------


class NoActions(Repeated):
    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec)
        del self.action_space


class NoObservations(Repeated):
    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec)
        del self.observation_space


class BoxObservations(Repeated):
    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec)
        self.observation_space = spaces.Box(-1, 1, (2,))


class NestedObservations(Repeated):
    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec)
        self.observation_space = spaces.Dict({"best": spaces.Dict({"a": spaces.Discrete(2)})})


class ManyActions(Repeated):
    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec)
        self.action_space = spaces.Tuple([spaces.Discrete(2)])


class NoSpec(Repeated):
    def __init__(self) -> None:
        pass


class MoreThanASpec(Repeated):
    def __init__(self, spec: CampaignSpec, step: float) -> None:
        super().__init__(spec)


class Fails(Repeated):
    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec)
        self.levels = spec.design_space.nothing_like_that  # type: ignore[attr-defined]


class OtherBoxes(Repeated):
    def __init__(self, spec: CampaignSpec) -> None:
        raise ValueError("spec: expected designs of a box")


class Unfinished(Control):
    def view(self, observation: Any, rngs: Any) -> Any:
        return observation


class NoControl:
    pass


def a_function(spec: Any) -> None:
    pass


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NoActions", "expected NoActions to set action_space, .*got none"),
        ("NoObservations", "expected NoObservations to set observation_space, .*got none"),
        ("BoxObservations", r"observation_space.* gymnasium Dict .*got Box\("),
        ("NestedObservations", r"observation_space, .*got 'best': Dict\("),
        ("ManyActions", r"action_space, a gymnasium Box, MultiDiscrete or Discrete, .*got Tuple"),
        ("NoSpec", r"expected NoSpec to be built with a CampaignSpec alone, .*got \(\)"),
        ("MoreThanASpec", r"built with a CampaignSpec alone, .*got \(spec: .*, step: .*\)"),
        ("Fails", "building Fails raised AttributeError: .*nothing_like_that"),
        ("OtherBoxes", "spec: expected designs of a box"),
        ("Unfinished", r"Unfinished to define \['designs', 'seen'\]"),
        ("NoControl", "expected a subclass of ombo_gym.Control, got .*NoControl"),
        ("a_function", "expected a subclass of ombo_gym.Control, got .*a_function"),
        ("Repeeted", "expected module:Class, got .*; did you mean .*:Repeated"),
    ],
)
def test_a_control_that_cannot_work_is_refused_when_it_is_built(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^control: .*{message}|^{message}"):
        gym.make("Ombo/GP-v0", control=f"{__name__}:{name}")
    with pytest.raises(ValueError, match=message):
        gym.make_vec("Ombo/GP-v0", num_envs=2, control=f"{__name__}:{name}")


def test_it_survives_pickling() -> None:
    control = pickle.loads(pickle.dumps(control_of(BOX)))
    assert control.called == "mine" and control.action_space == spaces.Box(-1, 1, (1,))
    with pytest.raises(AttributeError, match="'Repeated' object has no attribute 'colour'"):
        control.colour  # noqa: B018
