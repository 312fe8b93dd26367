"""Plays policies and writes down what they propose, for `test_proposals.py`.

`python -m tests.regression.record --out FILE` plays all cases with the code at hand, in one BLAS
thread; `--changed` only those that are named in `CHANGED`. `proposals_0_1_0.npz` beside this module
was made by version 0.1.0, before policies were given a `CampaignSpec`; `proposals_0_2_0.npz` holds
what has changed since, on purpose.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import ombo_agents
import ombo_gym  # noqa: F401

IDS = {
    "Ombo/GP-v0": {},
    "Ombo/SnAr-v0": {},
    "Ombo/BBOB-v0": {"dim": 3},
    "Ombo/TFBinding-v0": {},
    "Ombo/Ehrlich-v0": {},
    "Ombo/PBO-v0": {},
    "Ombo/Antibody-v0": {},
    "Ombo/Tuning-v0": {},
    "Ombo/Reaction-v0": {},
    "Ombo/CrossedBarrel-v0": {},
    "Ombo/Bandit-v0": {"arms": 3},
    "Ombo/Landscapes-v0": {"name": "tent8"},
}
POLICIES = (
    *("random", "sobol", "latin_hypercube", "genetic", "greedy", "greedy_refined", "ucb"),
    *("expected_improvement", "thompson", "explore_then_exploit", "max_value_entropy"),
    *("local_penalization", "turbo", "local_search", "d_optimal", "adalead", "cmaes"),
    *("evolution", "rollout", "binoculars", "ensemble_greedy", "gradient_mean", "cbas"),
    *("bo_qei", "one_step", "rolling_2", "bayes_optimal"),
)
SETTINGS: dict[str, dict[str, Any]] = {
    "best": {"horizon": 3, "batch_size": 4, "utility": "best"},
    "last_mean": {"horizon": [1, 3], "batch_size": 3, "utility": "last_mean", "noise_std": 0.1},
    "total": {"horizon": 2, "batch_size": 5, "utility": "total"},
}
FITTED = ("ensemble_greedy", "gradient_mean", "cbas", "bo_qei")  # seconds a campaign
ROWS, SEED = 2, 7
WHOLE = (  # look at all designs of a finite space of up to 16,384
    *("greedy", "ucb", "explore_then_exploit", "expected_improvement", "thompson"),
    *("max_value_entropy", "local_penalization", "rollout", "binoculars", "bo_qei", "d_optimal"),
)
CHANGED = {  # (policy, name in the id): why its proposals are no longer those of version 0.1.0
    **dict.fromkeys(
        (("local_penalization", name) for name in ("GP", "SnAr", "BBOB")),
        "designs climb by slopes, as those of all other acquisition functions do",
    ),
    **dict.fromkeys(
        (("expected_improvement", "Ehrlich"), ("expected_improvement", "CrossedBarrel")),
        "among candidates that are worth the same, rounding decides: fantasies are conditioned on "
        "by the candidate's number",
    ),
    ("rollout", "Ehrlich"): "likewise",
    **dict.fromkeys(
        itertools.product(
            ("greedy", "ucb", "explore_then_exploit"),
            ("TFBinding", "Ehrlich", "PBO", "CrossedBarrel", "Bandit", "Landscapes"),
        ),
        "a first choice among candidates is made in single precision, so that among those that are "
        "worth the same, as those of one Hamming distance are, others come first",
    ),
    **dict.fromkeys(
        itertools.product(WHOLE, ("Reaction", "Antibody")),
        "all designs are looked at, where 512 that were drawn were",
    ),
}


def cases() -> Iterator[tuple[str, str, str]]:
    """Policy, id and setting; methods that fit networks play one setting."""
    for policy, env_id, setting in itertools.product(POLICIES, IDS, SETTINGS):
        if policy in FITTED and setting != "best":
            continue
        yield policy, env_id, setting


def make_env(env_id: str, setting: str, **further: Any) -> gym.vector.VectorEnv:
    """The campaigns of a case, with a start of moderate size."""
    arguments: dict[str, Any] = {**IDS[env_id], **SETTINGS[setting], **further}
    if env_id in ("Ombo/Bandit-v0", "Ombo/Landscapes-v0"):
        arguments.pop("noise_std", None)
    elif setting != "last_mean":  # there: the problem's own
        arguments["start"] = {"kind": "random", "size": 12}
    if env_id == "Ombo/TFBinding-v0" and setting == "last_mean":
        arguments["start"] = {"kind": "percentile", "percentile": 50, "size": 30}
    return gym.make_vec(env_id, num_envs=ROWS, autoreset_mode="Disabled", **arguments)


def rounded(observation: dict[str, Any]) -> dict[str, Any]:
    """Measurements as version 0.1.0 showed them."""
    if "measurements" not in observation:
        return observation
    single = observation["measurements"].astype(np.float32).astype(np.float64)
    return {**observation, "measurements": single}


def play(policy: str, env_id: str, setting: str) -> dict[str, np.ndarray] | None:
    """All proposals (rounds, B, ...) and rewards (rounds, B); None where it does not suit.

    Version 0.1.0 fitted one lengthscale where none was known, and knew nothing of where starts came
    from.
    """
    kernel = {} if env_id == "Ombo/GP-v0" else {"kernel": "isotropic"}
    env = make_env(env_id, setting, surrogate={**kernel, "truncation": False})
    try:
        if not ombo_agents.supports(policy, env):
            return None
        player = ombo_agents.make(policy, env)
        rngs = [np.random.default_rng([SEED, row]) for row in range(ROWS)]
        observation, _ = env.reset(seed=SEED)
        actions, rewards = [], []
        live = np.ones(ROWS, bool)
        while live.all():
            action = player.act(rounded(observation), rngs)
            observation, reward, ended, _, _ = env.step(action)
            actions.append(action)
            rewards.append(reward)
            live &= ~ended
        return {"actions": np.stack(actions), "rewards": np.stack(rewards)}
    finally:
        env.close()


def key(case: tuple[str, str, str]) -> str:
    """The name of a case in the file."""
    policy, env_id, setting = case
    return f"{policy}.{env_id[5:-3]}.{setting}"


def main() -> None:
    """Records every case."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--changed", action="store_true")
    options = parser.parse_args()
    arrays: dict[str, np.ndarray] = {}
    for case in cases():
        if options.changed and (case[0], case[1][5:-3]) not in CHANGED:
            continue
        if (played := play(*case)) is not None:
            arrays |= {f"{key(case)}.{name}": array for name, array in played.items()}
            print(key(case), played["actions"].shape, flush=True)
    np.savez_compressed(options.out, **arrays)


if __name__ == "__main__":
    main()
