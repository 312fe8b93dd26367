"""The conformance suite for policies: what each promises, on one campaign a design space.

A policy is a pure function of the observations of B campaigns and of B generators. Everything that
follows from this is checked in the course of one campaign of a few rows, with three calls a round:
as the environment asks; again, through `explain` where there is one; and with the rows in another
order, beside a campaign that is over, with rubbish in dataset rows that are not in use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from ombo_gym.observations import Observation, as_last_round
from ombo_gym.own_code import own_module
from ombo_gym.problems.core.base import Problem
from ombo_gym.problems.own.function import Function
from ombo_gym.spec import CampaignSpec, Repeats, campaign_spec
from ombo_gym.vector_env import CampaignVectorEnv

NUM_CAMPAIGNS, ROUNDS = 3, 3
_OTHER = 10**6  # key of generators that a deterministic policy does not look at


class Acts(Protocol):
    """What is checked: anything with `act`."""

    def act(self, observation: Observation, rng: Any, /) -> NDArray[Any]:
        """Actions (B, ...) for observations with a leading B."""


MakePolicy = Callable[[CampaignSpec], Acts]


def _yield(well: dict[str, Any]) -> float:
    """Of a mixed design: two numbers, one of them whole, and a category."""
    loss = ((well["T"] - 80) / 50) ** 2 + ((well["hours"] - 8) / 12) ** 2
    return float(90 - 20 * loss - 10 * (well["base"] == "B"))


class PolicyConformance:
    """Subclass it in a test file, and pytest collects its check for every space.

    Attributes:
        campaigns: Id ("Ombo/GP-v0", "module:My/Id-v0", "GP" or "module:Class"), or problem, and
            arguments of each kind of campaign that is played: by default a box, a sequence, a pool
            and a mixed space (two numbers and a category), no start, one row, batches of any size.

    Example:
        >>> class TestMiddle(PolicyConformance):
        ...     def make_policy(self, spec):
        ...         return Middle(spec)
    """

    campaigns: ClassVar[Sequence[tuple[str | Problem, dict[str, Any]]]] = (
        ("GP", {"batch_size": 3}),
        ("GP", {"dim": 1, "batch_size": 1, "start": {"kind": "none"}}),
        ("TFBind8", {"batch_size": 2, "start": {"kind": "percentile", "size": 5}}),
        ("CrossedBarrel", {"batch_size": [1, 4], "start": {"kind": "random", "size": 1}}),
        (
            Function(_yield, {"T": (20, 120), "hours": {"integer": [1, 24]}, "base": ["A", "B"]}),
            {"plates": [4, 2, 3]},
        ),
    )

    def make_policy(self, spec: CampaignSpec) -> Acts:
        """The policy that is checked, for such campaigns."""
        raise NotImplementedError("define make_policy(self, spec), which builds the policy")

    def test_the_policy_keeps_its_promises(self) -> None:
        """On one campaign of every kind."""
        env: VectorEnv[Any, Any, Any]
        for problem, arguments in self.campaigns:
            if isinstance(problem, str) and "/" in problem:  # an id, of a module that registers it
                module, _, problem = problem.rpartition(":")
                if module:
                    own_module("campaigns", module)
            if isinstance(problem, str) and problem in gym.registry:
                env = make_env(problem, **arguments)
            else:
                env = CampaignVectorEnv(
                    NUM_CAMPAIGNS, problem, **_rounds(arguments), autoreset_mode="Disabled"
                )
            check_policy(self.make_policy, env)


def _rounds(arguments: dict[str, Any]) -> dict[str, Any]:
    return arguments if "plates" in arguments else {"horizon": ROUNDS, **arguments}


def check_policy(
    make_policy: MakePolicy, env: VectorEnv[Any, Any, Any], *, repeats: bool = False, seed: int = 0
) -> None:
    """Plays campaigns to their end, and checks on the way what a policy promises.

    That is: actions of exactly the action space's dtype and shape, in bounds, of canonical designs;
    the same for the same observations and generators; each row's a matter of its own observation
    and generator, to the bit; observations left as they were; what stands in dataset rows that are
    not in use is no matter; a campaign that is over is answered with any valid action; designs that
    differ from each other, and from what was measured, where the spec says that nothing else pays;
    the same policy from a spec that went through JSON; and what it says of itself: with
    `deterministic` generators are no matter, without `horizon_aware` the rounds to come are not.

    Args:
        make_policy: Builds the policy for a spec.
        env: At least two campaigns with `control="designs"`, and autoreset disabled.
        repeats: Whether it may propose again what is not worth it, as with `keeps_repeats`.
        seed: Of the campaigns.

    Raises:
        AssertionError: A promise that is not kept, and in which round.
    """
    spec = campaign_spec(env)
    written = CampaignSpec.from_json(spec.to_json())
    policy, from_json = make_policy(spec), make_policy(written)
    observation, _ = env.reset(seed=seed)
    for round_ in range(spec.horizon):
        where = f"{type(policy).__name__}, {spec.design_space.summary}, round {round_ + 1}"
        before = {name: array.copy() for name, array in observation.items()}
        actions = policy.act(observation, _rngs(round_, observation))
        for name, array in observation.items():
            np.testing.assert_array_equal(array, before[name], f"{where}: it changed {name}")
        _check_actions(actions, env, where)
        _check_repetition(policy, observation, actions, round_, where)
        _check_rows(from_json, observation, actions, round_, env, where)
        _check_claims(policy, observation, actions, round_, where)
        _check_designs(spec, observation, actions, repeats, where)
        observation, _, ended, *_ = env.step(actions)
        if ended.all():
            over = policy.act(observation, _rngs(spec.horizon, observation))
            _check_actions(over, env, f"{type(policy).__name__}, after the last round")
            return
        if ended.any():  # of several horizons
            observation, _ = env.reset(options={"reset_mask": ended})


def _rngs(key: int, observation: Observation) -> list[np.random.Generator]:
    """A generator for each campaign."""
    rows = range(len(observation["rounds_left"]))
    return [np.random.default_rng([key, row]) for row in rows]


def _check_actions(actions: NDArray[Any], env: VectorEnv[Any, Any, Any], where: str) -> None:
    space = env.action_space
    assert isinstance(actions, np.ndarray), f"{where}: expected an array, got {type(actions)}"
    assert actions.dtype == space.dtype, f"{where}: expected {space.dtype}, got {actions.dtype}"
    assert actions.shape == space.shape, f"{where}: expected {space.shape}, got {actions.shape}"
    assert space.contains(actions), f"{where}: expected actions in {space}, got {actions}"


def _check_repetition(
    policy: Acts, observation: Observation, actions: NDArray[Any], round_: int, where: str
) -> None:
    explain = getattr(policy, "explain", None)
    if explain is None:
        again = policy.act(observation, _rngs(round_, observation))
    else:
        again, details = explain(observation, _rngs(round_, observation))
        for name, array in details.items():
            assert len(array) == len(actions), f"{where}: {name} is not one a campaign"
    np.testing.assert_array_equal(
        again, actions, f"{where}: other actions for the same observations and generators"
    )


def _check_rows(
    policy: Acts,
    observation: Observation,
    actions: NDArray[Any],
    round_: int,
    env: VectorEnv[Any, Any, Any],
    where: str,
) -> None:
    """Rows the other way round, the last of them over, with rubbish where nothing is in use."""
    order = np.arange(len(actions))[::-1]
    shuffled = {name: array[order].copy() for name, array in observation.items()}
    unused = shuffled["observed"] == 0  # (B, capacity)
    shuffled["measurements"][unused] = 1e3
    if len(used := np.flatnonzero(~unused[-1])):
        shuffled["designs"][unused] = shuffled["designs"][-1, used[0]]
    shuffled["rounds_left"][-1] = shuffled["plates"][-1] = 0
    rngs = _rngs(round_, observation)
    beside = policy.act(shuffled, [rngs[row] for row in order])
    assert env.action_space.contains(beside), (
        f"{where}: no valid action for a campaign that is over"
    )
    np.testing.assert_array_equal(
        beside[:-1],
        actions[order][:-1],
        f"{where}: a row's action depends on more than its own dataset and generator",
    )


def _check_claims(
    policy: Acts, observation: Observation, actions: NDArray[Any], round_: int, where: str
) -> None:
    if getattr(policy, "deterministic", False):
        other = policy.act(observation, _rngs(_OTHER + round_, observation))
        np.testing.assert_array_equal(other, actions, f"{where}: it is not deterministic")
    if not getattr(policy, "horizon_aware", True):
        last = policy.act(as_last_round(observation), _rngs(round_, observation))
        np.testing.assert_array_equal(
            last,
            actions,
            f"{where}: it reads the rounds to come; give its class horizon_aware = True",
        )


def _check_designs(
    spec: CampaignSpec, observation: Observation, actions: NDArray[Any], repeats: bool, where: str
) -> None:
    """Of the slots that are measured: canonical, and new as far as anything else is in vain."""
    space = spec.design_space
    batches = space.designs(actions)  # (B, q, *shape)
    for row, size in enumerate(observation["plates"][:, 0].astype(int).tolist()):
        batch = batches[row, :size]
        np.testing.assert_array_equal(space.canonical(batch), batch, f"{where}: not canonical")
        if repeats or not spec.replaces_repeats:
            continue
        new = {tuple(design) for design in batch.tolist()}
        old: set[tuple[Any, ...]] = set()
        if spec.repeats is Repeats.NEVER_AGAIN:
            measured = observation["designs"][row, observation["observed"][row] == 1]
            old = {tuple(design) for design in measured.tolist()}
        available = np.inf if space.size is None else space.size - len(old)
        assert len(new - old) == min(size, available), (
            f"{where}: expected {min(size, available)} designs that are new, got {len(new - old)}"
        )


def make_env(env_id: str, **arguments: Any) -> VectorEnv[Any, Any, Any]:
    """Campaigns as `check_policy` takes them, of a registered id."""
    return gym.make_vec(
        env_id,
        NUM_CAMPAIGNS,
        vectorization_mode="vector_entry_point",
        autoreset_mode="Disabled",
        **_rounds(arguments),
    )
