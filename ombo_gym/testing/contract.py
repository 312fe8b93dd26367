"""The part of the conformance suite that holds environments to the public contract."""

from __future__ import annotations

import pickle
import re
import warnings
from io import BytesIO
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import RecordEpisodeStatistics

from ombo_gym.campaign import Campaigns
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.core.base import Problem
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.spec import CONTROLS, CampaignSpec, campaign_spec
from ombo_gym.testing.bad_actions import bad_action, bounds
from ombo_gym.testing.base import SEED, Conformance, assert_same, play
from ombo_gym.testing.datasets import check_counts, check_fields, check_round, rows_in_use
from ombo_gym.testing.expected_utility import expected_utility, utilities

BAD_ACTIONS = 100  # tried a round
INSTANCES = 20  # drawn from a collection

# Campaigns whose plates differ, between campaigns or within them.
RANGE: dict[str, Any] = {"horizon": [1, 3], "batch_size": [1, 3]}
PLATES: dict[str, Any] = {"plates": [2, 1, 3]}

# Measurements have no bounds, which is what gymnasium's checker warns of.
UNBOUNDED = r".*A Box observation space m(in|ax)imum value is -?infinity"
_REFUSAL = re.compile(r"action: expected \w+ values of shape \(.*\) from .+ to .+, got ")
_HIDDEN = (Problem, Campaigns, gym.Env, np.random.Generator, np.random.BitGenerator)


class ContractConformance(Conformance):
    """What environments show, take and tell, whatever is designed."""

    def env(self, **settings: Any) -> CampaignEnv:
        """The single environment without its wrappers."""
        env = self.single(**settings).unwrapped
        assert isinstance(env, CampaignEnv), f"expected a CampaignEnv, got {env}"
        return env

    # --- what others ask for ------------------------------------------------------------------

    def test_gymnasiums_checker_has_nothing_to_say(self) -> None:
        """Under every control; but for measurements, which have no bounds."""
        for control in CONTROLS:
            env = self.single(control=control, horizon=2)
            fields = env.observation_space
            assert isinstance(fields, spaces.Dict)
            endless = [
                name
                for name, field in fields.items()
                if isinstance(field, spaces.Box) and not field.is_bounded()
            ]
            assert set(endless) <= {"measurements"}, f"expected bounds, got none of {endless}"
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                if endless:
                    warnings.filterwarnings("ignore", UNBOUNDED, UserWarning)
                check_env(env.unwrapped, skip_render_check=True)

    def test_the_spec_survives_json(self) -> None:
        """And makes the same environment again; ids only."""
        if not self.has_id:
            return
        for settings in ({}, RANGE, PLATES):
            env = self.single(**settings)
            assert env.spec is not None
            spec = EnvSpec.from_json(env.spec.to_json())
            assert spec == env.spec, f"expected the same spec after JSON, got {spec}"
            assert_same(list(play(gym.make(spec), campaigns=1)), list(play(env, campaigns=1)))

    # --- what is shown ------------------------------------------------------------------------

    def test_observations_are_datasets(self) -> None:
        """Padded by zeros: the start, the batches in order, and what is still to come."""
        for settings in ({}, RANGE, PLATES):
            env, start, before = self.env(**settings), 0, None
            check_fields(env)
            for when, result in play(env, campaigns=2):
                seen, where = result[0], f"{settings} {when}"
                n = rows_in_use(env, seen, where)
                if len(result) == 2:
                    start, before = n, None
                check_counts(seen, start, where)
                if before is not None:
                    check_round(before, seen, result[-1], where)
                env.campaign_spec.check_observation({k: v[None] for k, v in seen.items()})
                before = seen

    # --- one row, whoever steps it ------------------------------------------------------------

    def test_native_rows_are_the_rows_of_sync_vector_env(self) -> None:
        """To the bit, noise and infos included, in every autoreset mode and under every control."""
        for mode in AutoresetMode:
            self._check_rows(mode, "designs")
        for control in CONTROLS[1:]:
            self._check_rows(AutoresetMode.SAME_STEP, control)

    def test_rows_with_plates_of_any_size_are_those_of_sync_vector_env(self) -> None:
        """Likewise, where batch sizes differ between rows, or from round to round."""
        self._check_rows(AutoresetMode.NEXT_STEP, "designs", **PLATES)
        self._check_rows(AutoresetMode.SAME_STEP, "designs", **RANGE)
        for control in CONTROLS[1:]:
            self._check_rows(AutoresetMode.DISABLED, control, **RANGE)

    def _check_rows(self, mode: AutoresetMode, control: str, **settings: Any) -> None:
        settings |= {"control": control, "utility": "last_mean"}
        native, sync = self.vector(2, mode, **settings), self.sync(2, mode, **settings)
        where = f"{mode.value}, {control}"
        assert_same(native.reset(seed=SEED), sync.reset(seed=SEED), f"{where}, reset")
        native.action_space.seed(SEED)
        for step in range(4):
            actions = native.action_space.sample()
            ours = native.step(actions)
            assert_same(ours, sync.step(actions), f"{where}, step {step}")
            if mode == AutoresetMode.DISABLED and ours[2].any():
                masks = [{"reset_mask": ours[2].copy()} for _ in range(2)]
                assert_same(native.reset(options=masks[0]), sync.reset(options=masks[1]), where)
        native.close()
        sync.close()

    # --- actions ------------------------------------------------------------------------------

    def test_bad_actions_are_refused_and_change_nothing(self) -> None:
        """With a ValueError that says what was expected, under every control."""
        rng = np.random.default_rng(SEED)
        for control in CONTROLS:
            env, twin = (self.single(control=control, horizon=2) for _ in range(2))
            assert_same(env.reset(seed=SEED), twin.reset(seed=SEED))
            env.action_space.seed(SEED)
            for _ in range(2):
                good = env.action_space.sample()
                for _ in range(BAD_ACTIONS):
                    _check_refused(env, bad_action(good, env.action_space, rng))
                assert_same(env.step(good), twin.step(good), control)

    def test_slots_behind_the_plate_are_ignored(self) -> None:
        """They must be valid; whatever they hold is not measured, wasted or worth anything."""
        env, twin = self.env(plates=[1, 3, 2]), self.env(plates=[1, 3, 2])
        assert_same(env.reset(seed=SEED), twin.reset(seed=SEED))
        env.action_space.seed(SEED)
        twin.action_space.seed(SEED + 1)
        for q in (1, 3, 2):
            action = env.action_space.sample()
            other, again, bad = action.copy(), action.copy(), action.copy()
            slots = [each.reshape(3, -1) for each in (action, other, again, bad)]
            slots[1][q:] = twin.action_space.sample().reshape(3, -1)[q:]
            slots[2][q:] = slots[2][0]  # a repeat, which is none
            _, high = bounds(env.action_space)
            slots[3][2, -1] = high.flat[-1] + 1
            _check_refused(env, bad)
            result = env.step(other if q < 2 else again)
            assert_same(result, twin.step(action), f"other slots behind a plate of {q}")
            info = result[-1]
            shown = np.isnan(info["true_values"]).tolist()
            assert shown == [slot >= q for slot in range(3)], (
                f"true_values: expected NaN behind {q} designs, got {info['true_values']}"
            )
            assert 0 <= info["wasted"] + info["infeasible"] <= 2 * q

    def test_actions_a_hair_beyond_the_bounds_are_clipped(self) -> None:
        """By 1e-6, and no further; boxes only."""
        env, twin = self.env(horizon=2), self.env(horizon=2)
        if not isinstance(env.action_space, spaces.Box):
            return
        for each in (env, twin):
            each.reset(seed=SEED)
            each.action_space.seed(SEED)
        action = env.action_space.sample().astype(np.float64)
        low, high = bounds(env.action_space)
        action.flat[0], action.flat[-1] = high.flat[0], low.flat[-1]
        _check_refused(env, action * (1 + 2e-6))
        beyond = action.copy()
        beyond.flat[0] += 9e-7
        beyond.flat[-1] -= 9e-7
        assert_same(env.step(beyond), twin.step(action))

    # --- rewards ------------------------------------------------------------------------------

    def test_the_return_is_the_utility(self) -> None:
        """Of every utility, computed here from the true values."""
        for utility in utilities():
            for settings in ({"horizon": 2}, RANGE, PLATES):
                self._check_return(utility, settings)

    def _check_return(self, utility: Any, settings: dict[str, Any]) -> None:
        env = self.env(utility=utility, **settings)
        rewards, batches, info = [], [], {}
        for _, result in play(env, campaigns=1):
            info = result[-1]
            if len(result) > 2:
                rewards.append(result[1])
                batches.append(info["true_values"][~np.isnan(info["true_values"])])
        expected = expected_utility(utility, env.campaigns, batches)
        for what, got in (("return", sum(rewards)), ("info", info["utility"])):
            assert np.isclose(got, expected, rtol=1e-9, atol=1e-9), (
                f"{utility}, {settings}, {what}: expected {expected!r}, got {got!r}"
            )

    # --- what a player may know ---------------------------------------------------------------

    def test_what_a_player_may_know_is_an_object(self) -> None:
        """The same of every kind of environment, through wrappers, JSON and pickle."""
        for settings in ({}, RANGE, PLATES):
            env = self.single(**settings)
            spec = campaign_spec(env)
            mode = AutoresetMode.NEXT_STEP
            others: dict[str, CampaignSpec] = {
                "a wrapped environment": campaign_spec(RecordEpisodeStatistics(env)),
                "the vector environment": campaign_spec(self.vector(2, mode, **settings)),
                "SyncVectorEnv": campaign_spec(self.sync(2, mode, **settings)),
                "what JSON keeps": CampaignSpec.from_json(spec.to_json()),
                "a pickle": pickle.loads(pickle.dumps(spec)),
            }
            env.reset(seed=SEED)
            others["a campaign that has begun"] = campaign_spec(env)
            for name, other in others.items():
                assert other == spec and hash(other) == hash(spec), (
                    f"spec of {name}: expected {spec}, got {other}"
                )
            assert spec.observation_space == env.observation_space
            assert spec.action_space == env.action_space

    def test_nothing_that_was_drawn_can_be_reached_from_it(self) -> None:
        """No problem, campaign, environment or generator."""
        env = self.env()
        env.reset(seed=SEED)
        _Revealing(BytesIO()).dump(env.campaign_spec)

    # --- resets -------------------------------------------------------------------------------

    def test_resets_take_a_horizon_and_a_batch_size(self) -> None:
        """Within the arguments' ranges; whatever else is drawn stays as it is."""
        env, twin = self.env(**RANGE), self.env(**RANGE)
        first, first_info = twin.reset(seed=SEED)
        env.action_space.seed(SEED)
        for horizon, q in ((1, 3), (3, 1)):
            requested = {"horizon": horizon, "batch_size": q}
            for seed, options in (
                (SEED, requested),
                (None, None),
            ):  # the second goes on, and keeps it
                seen, info = env.reset(seed=seed, options=options)
                assert seen["rounds_left"].tolist() == [horizon]
                assert seen["plates"].tolist() == [q] * horizon + [0] * (3 - horizon)
                if seed is not None:
                    same = ("designs", "measurements", "observed", "from_start")
                    assert_same({k: seen[k] for k in same}, {k: first[k] for k in same})
                    assert_same(info, first_info)
                while not env.step(env.action_space.sample())[2]:
                    pass
        for bad in ({"horizon": 4}, {"batch_size": 0}, {"horizon": 1.0}, {"batch_size": [1, 2]}):
            _check_option_refused(env, bad, "whole number from 1 to 3")
        _check_option_refused(self.env(**PLATES), {"horizon": 3}, "plates")

    def test_resets_take_the_number_of_an_instance(self) -> None:
        """Of problems that are collections; whatever else is drawn stays as it is."""
        env, twin = self.env(horizon=1), self.env(horizon=1)
        count = env.problem.instance_count()
        _, info = twin.reset(seed=SEED)
        if count is None:
            assert "instance" not in info, f"expected no instance, got {info['instance']}"
            _check_option_refused(env, {"instance": 0}, "no collection")
            return
        _check_numbers(env.problem, count)
        env.action_space.seed(SEED)
        number_drawn = info["instance"]
        assert type(number_drawn) is int, f"instance: expected an int, got {number_drawn!r}"
        assert_same(env.reset(seed=SEED, options={"instance": number_drawn}), twin.reset(seed=SEED))
        assert_same(drawn(env.campaigns), drawn(twin.campaigns))
        for number in sorted({0, count // 2, count - 1}):
            twice: list[Any] = []
            for seed, options in ((SEED, {"instance": number}), (None, None)):
                assert env.reset(seed=seed, options=options)[1]["instance"] == number
                twice.append({k: v.copy() for k, v in env.campaigns.instances.items()})
                env.step(env.action_space.sample())
            assert_same(twice[0], twice[1], f"instance {number}, and again")
        for bad in (-1, count, 0.0, "0"):
            _check_option_refused(env, {"instance": bad}, f"whole number from 0 to {count - 1}")


def _check_numbers(problem: Problem, count: int) -> None:
    """Instances that are drawn have a number by which they are had again."""
    rngs = KeyedGenerator(np.arange(SEED, SEED + INSTANCES, dtype=np.uint64), Stream.INSTANCE)
    instances = problem.draw(rngs)
    numbers = problem.instance_numbers(instances)
    assert numbers.shape == (INSTANCES,) and ((numbers >= 0) & (numbers < count)).all(), (
        f"instance numbers: expected {INSTANCES} from 0 to {count - 1}, got {numbers}"
    )
    assert_same(problem.instances_numbered(numbers), instances, "instances by their numbers")


class _Revealing(pickle.Pickler):
    """Meets everything that can be reached, and refuses what players may not know."""

    def persistent_id(self, thing: Any) -> None:
        assert not isinstance(thing, _HIDDEN), f"expected nothing hidden in the spec, got {thing!r}"


def _check_refused(env: gym.Env[Any, Any], action: Any) -> None:
    try:
        env.step(action)
    except ValueError as error:
        assert _REFUSAL.match(str(error)), f"a bad action: expected a clear refusal, got {error}"
        return
    raise AssertionError(f"a bad action was taken: {action!r}")


def _check_option_refused(env: CampaignEnv, options: dict[str, Any], message: str) -> None:
    try:
        env.reset(options=options)
    except ValueError as error:
        assert message in str(error), f"{options}: expected {message!r}, got {error}"
        return
    raise AssertionError(f"a bad option was taken: {options}")


def drawn(campaigns: Campaigns) -> dict[str, Any]:
    """What has been drawn of a campaign."""
    names = ("instances", "designs", "measurements", "best_value")
    return {name: getattr(campaigns, name) for name in names}
