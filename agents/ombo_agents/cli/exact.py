"""`ombo exact`: solves a small campaign exactly; the optimum, one step ahead, and any policy."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
from tqdm import tqdm

import ombo_agents
from ombo_agents.cli.arguments import parse_env, parse_json
from ombo_agents.planners.dynamic_programming import MAX_STATES, solve_campaign
from ombo_agents.planners.evaluation import evaluate_policy
from ombo_agents.planners.reachable_states import Progress
from ombo_gym.evaluation.progress import PATIENCE
from ombo_gym.registration import environment
from ombo_gym.spec import campaign_spec


@dataclass(frozen=True)
class Args:
    """Solves a campaign on Ombo/Bandit-v0 or Ombo/Landscapes-v0 exactly; prints a JSON object.

    For instance: ombo exact --env Ombo/Bandit-v0 --horizon 3 --batch-size 2 --policy thompson
    """

    env: str = "Ombo/Bandit-v0"
    """Id of the environment; of your own, `module:Id` or `module:Class` of the problem."""
    env_kwargs: str = "{}"
    """Further arguments of the environment, as JSON; they win over the flags below."""
    horizon: int = 2
    """Rounds N."""
    batch_size: int = 1
    """Designs per round, q."""
    utility: str = "total"
    """What a finished campaign is worth."""
    policy: str | None = None
    """A policy to evaluate exactly as well: a name (`one_step:ties=worst`) or a trained one's
    folder."""
    max_states: int = MAX_STATES
    """States to plan for before giving up."""


def solve(args: Args) -> dict[str, Any]:
    """Solves a campaign.

    Returns:
        `optimum`; `one_step_worst`, `one_step_uniform` and `one_step_best`, the one-round optimum
        applied every round under three ways of breaking ties; `first_actions`, all optimal first
        batches; `states` of the optimum's plan; `seconds` in all; and with a policy its
        `policy_value`, and whether that is exact (`policy_exact`) or an unbiased estimate.
    """
    if args.max_states < 1:
        raise ValueError(f"--max-states: expected at least 1, got {args.max_states}")
    begun = time.perf_counter()
    env = gym.make(
        environment(parse_env(args.env)),
        **{
            "horizon": args.horizon,
            "batch_size": args.batch_size,
            "utility": args.utility,
            **parse_json("--env-kwargs", args.env_kwargs),
        },
    )
    spec = campaign_spec(env)
    most, bars = args.max_states, _Bars()
    with closing(bars):
        optimum = solve_campaign(spec, max_states=most, progress=bars.named("optimum"))
        one_step = solve_campaign(
            spec, lookahead=1, max_states=most, progress=bars.named("one step ahead")
        )
    root = optimum.layers[0]
    result: dict[str, Any] = {
        "optimum": optimum.value(),
        **{f"one_step_{ties}": one_step.value(ties) for ties in ("worst", "uniform", "best")},
        "first_actions": [
            list(batch) for batch, tied in zip(root.options, root.tied[0], strict=True) if tied
        ],
        "states": optimum.states,
    }
    if args.policy is not None:
        policy = ombo_agents.make(args.policy, env, **_reach(args))
        with closing(bars):
            found = evaluate_policy(env, policy, max_states=most, progress=bars.named(args.policy))
        result |= {"policy": args.policy, "policy_value": found.value, "policy_exact": found.exact}
    return {**result, "seconds": round(time.perf_counter() - begun, 3)}


class _Bars:
    """Bars on a terminal for what takes long, one after another, each gone when it is done."""

    def __init__(self) -> None:
        self._bar: Any = None

    def close(self) -> None:
        """Shows no more."""
        if self._bar is not None:
            self._bar.close()

    def named(self, name: str) -> Progress:
        """Shows progress in what is called so."""

        def begin(words: str, total: int | None) -> Callable[[int], object]:
            self.close()
            self._bar = tqdm(
                desc=f"{name}: {words}",
                total=total,
                unit=" states",
                leave=False,
                disable=None,
                delay=PATIENCE,
                mininterval=0.5,
                miniters=1,
            )
            update: Callable[[int], object] = self._bar.update
            return update

        return begin


def _reach(args: Args) -> dict[str, int]:
    """What --max-states means to the policy: planners have such a setting of their own."""
    name = str(args.policy).partition(":")[0]
    plans = name in ("one_step", "bayes_optimal") or name.startswith("rolling_")
    return {"max_states": args.max_states} if plans else {}


def main(args: Args) -> None:
    """Solves from the command line."""
    print(json.dumps(solve(args)))
