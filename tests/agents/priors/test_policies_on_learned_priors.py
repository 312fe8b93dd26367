"""Every policy, control and planner plays on a learned prior, in every kind of space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
from ombo_agents.bayesian.portfolio import Portfolio
from ombo_gym.design_spaces import DesignSpace
from tests.surrogates.learned_cases import write_prior

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "interp": ("Ombo/GP-v0", {"dim": 2}),
    "deep": ("Ombo/GP-v0", {"dim": 2}),
    "tables": ("Ombo/TFBinding-v0", {"start": {"kind": "random", "size": 4}}),
}
# Networks are trained in their own time, and look at the surrogate in passing.
SLOW = ("botorch_logei", "botorch_kg", "botorch_multistep", "turbo", "max_value_entropy")
OFFLINE = (
    *("ensemble_greedy", "gradient_ascent", "gradient_min", "gradient_mean", "coms", "cbas"),
    *("reinforce", "mins", "bo_qei"),
)
READS_IT = (
    *("greedy", "ucb", "expected_improvement", "thompson", "explore_then_exploit", "rollout"),
    *("binoculars", "local_penalization", "adalead", "portfolio", "portfolio_then_ei"),
    *("offset_ucb", "doe_then_ucb", "greedy_refined"),
)


def _space(env_id: str, arguments: dict[str, Any]) -> DesignSpace:
    env = gym.make(env_id, **arguments)
    space: DesignSpace = env.unwrapped.campaign_spec.design_space  # type: ignore[attr-defined]
    return space


def _env(kind: str, folder: Path, **more: Any) -> Any:
    env_id, arguments = CASES[kind]
    write_prior(folder, _space(env_id, arguments), kind)
    surrogate = {"kernel": "learned", "path": str(folder)}
    settings = {"horizon": 2, "batch_size": 2, **arguments, "surrogate": surrogate, **more}
    return gym.make_vec(env_id, num_envs=3, **settings)


def _played(env: Any, name: str) -> list[np.ndarray]:
    policy, actions = ombo_agents.make(name, env), []
    observation, _ = env.reset(seed=1)
    rngs = np.random.default_rng(0).spawn(3)
    for _ in range(2):
        actions.append(policy.act(observation, rngs))
        assert env.action_space.contains(actions[-1])
        observation, *_ = env.step(actions[-1])
    return actions


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, kind) for name in READS_IT for kind in ("interp", "tables")),
        *((name, "deep") for name in ("expected_improvement", "rollout", "local_penalization")),
    ],
)
def test_policies_that_read_the_surrogate_play_on_a_learned_prior(
    name: str, kind: str, tmp_path: Path
) -> None:
    env = _env(kind, tmp_path)
    if not ombo_agents.supports(name, env):
        assert (name, kind == "tables") in {("greedy_refined", True), ("adalead", False)}
        return
    assert len(_played(env, name)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("name", [*SLOW, *OFFLINE])
def test_the_others_do_too(name: str, kind: str, tmp_path: Path) -> None:
    env = _env(kind, tmp_path)
    if ombo_agents.supports(name, env):
        assert len(_played(env, name)) == 2


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("control", ["exploration", "candidates"])
def test_controls_show_what_a_learned_prior_says(kind: str, control: str, tmp_path: Path) -> None:
    env = _env(kind, tmp_path, control=control)
    observation, _ = env.reset(seed=1)
    env.action_space.seed(0)
    for _ in range(2):
        assert all(np.isfinite(field).all() for field in observation.values())
        observation, *_ = env.step(env.action_space.sample() * 0)


@pytest.mark.parametrize("start", [{"kind": "none"}, {"kind": "percentile", "percentile": 50}])
def test_any_start_will_do(start: dict[str, Any], tmp_path: Path) -> None:
    env = _env("interp", tmp_path, start=start)
    assert len(_played(env, "expected_improvement")) == 2


@pytest.mark.parametrize("kind", CASES)
def test_a_campaigns_batches_do_not_depend_on_its_neighbours(kind: str, tmp_path: Path) -> None:
    env = _env(kind, tmp_path)
    policy = ombo_agents.make("expected_improvement", env)
    observation, _ = env.reset(seed=1)
    together = policy.act(observation, np.random.default_rng(0).spawn(3))
    for row, rng in enumerate(np.random.default_rng(0).spawn(3)):
        part = {name: array[row : row + 1] for name, array in observation.items()}
        assert (policy.act(part, [rng])[0] == together[row]).all()


def test_a_portfolio_needs_a_learned_prior() -> None:
    env = gym.make("Ombo/GP-v0")
    assert not ombo_agents.supports("portfolio", env)
    with pytest.raises(ValueError, match="needs a prior that was learnt from a family"):
        ombo_agents.make("portfolio", env)


def test_a_portfolio_is_played_in_turn_without_what_is_measured(tmp_path: Path) -> None:
    env = _env("tables", tmp_path, batch_size=3)
    spec = env.unwrapped.campaign_spec
    listed = Portfolio(spec).listed  # (3, 8)
    first = _played(env, "portfolio")[0].reshape(3, 3, 8)
    assert (first == listed).all()
    values = np.zeros(1)
    begun = spec.observation(listed[None, 1], values, [3, 3])
    batch = ombo_agents.make("portfolio", env).act(begun, np.random.default_rng(0))
    assert (batch.reshape(3, 8)[:2] == listed[[0, 2]]).all()


def test_a_prior_is_no_policy(tmp_path: Path) -> None:
    env = _env("interp", tmp_path)
    with pytest.raises(ValueError, match="got a learned prior, which policies stand on"):
        ombo_agents.make(str(tmp_path), env)
