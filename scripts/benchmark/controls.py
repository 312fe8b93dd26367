"""How many rounds a second agents play through the controls, beside raw designs."""

from __future__ import annotations

from time import process_time
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym import CampaignSpec
from ombo_gym.acquisition.base import FantasyAcquisition
from ombo_gym.acquisition.greedy_batch import greedy_batch
from ombo_gym.acquisition.upper_confidence_bound import UpperConfidenceBound
from ombo_gym.controls.candidates import CandidatesControl
from ombo_gym.design_spaces import Designs
from ombo_gym.observations import Observation
from ombo_gym.surrogates.candidate_posterior import TakeRngs, condition_on_dataset
from scripts.benchmark.arguments import ENV, ROUNDS, Args
from scripts.benchmark.rows import Row

SIZE = 32  # of the lists that are compared
_STEPS = 12  # of all campaigns, after as many to warm up
REACTIONS: dict[str, Any] = {  # 20 to 36 rows of data, 3,960 designs
    "horizon": 5,
    "batch_size": 4,
    "start": {"kind": "random", "size": 20},
    "control": "candidates",
}
CONTROLS: dict[str, Any] = {
    "designs": "designs",
    "exploration": "exploration",
    f"candidates, {SIZE} of them": {"kind": "candidates", "size": SIZE},
    "candidates, as many as there are by default": "candidates",
    f"candidates, {SIZE} by a greedy batch": "scripts.benchmark.controls:GreedyList",
}


class GreedyList(CandidatesControl):
    """The list as it once was: a batch of all its entries, each given all before.

    Means, standard deviations and features are all that is said of it.

    Args:
        spec: Of the campaigns.
    """

    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec, size=SIZE)
        self.observation_space = gym.spaces.Dict(
            {"candidates": gym.spaces.Box(-np.inf, np.inf, (SIZE, 4), np.float32)}
        )

    @override
    def view(self, observation: Observation, rngs: TakeRngs) -> Any:
        space, rows = self._spec.design_space, len(observation["rounds_left"])
        designs = np.zeros((rows, SIZE, *space.shape), space.dtype)
        described = np.zeros((rows, SIZE, 4), np.float32)
        for group in condition_on_dataset(
            observation, self._spec, self.surrogate, rngs, everything=False
        ):
            weights = np.resize([0.0, 0.5, 1.0, 2.0], (len(group.env_indices), SIZE))
            listed = greedy_batch(
                FantasyAcquisition(group, space, UpperConfidenceBound(weights)),
                group.candidates,
                SIZE,
                distinct=True,
                measured=group.measured,
            )
            features = space.features(listed)
            marginals = group.posterior.at(features)
            columns = [marginals.mean[..., None], marginals.sd[..., None], features]
            designs[group.env_indices] = listed
            described[group.env_indices] = np.concatenate(columns, axis=-1)
        return designs, described

    @override
    def seen(self, view: Any) -> Observation:
        return {"candidates": view[1].copy()}

    @override
    def designs(self, view: Any, actions: NDArray[np.int64]) -> Designs:
        found: Designs = view[0][np.arange(len(actions))[:, None], actions]
        return found


def controls(args: Args) -> list[Row]:
    """Campaign-rounds a CPU second of 2-D campaigns in lockstep, with random actions."""
    rounds: dict[str, list[float]] = {name: [] for name in CONTROLS}
    for _ in range(args.repetitions):
        for name, control in CONTROLS.items():  # in turn, so that all meet the same machine
            rounds[name].append(rounds_per_second(control, args.control_envs, args.seed))
    medians = {name: float(np.median(each)) for name, each in rounds.items()}
    rows = [
        Row(f"rounds of {args.control_envs} campaigns, control: {name}", median, "/s")
        for name, median in medians.items()
    ]
    for recipe, target in (("isotropic", 1000.0), ("fit", None)):
        arguments = {**REACTIONS, "surrogate": {"kernel": recipe}}
        each = [
            rounds_per_second_of("Ombo/Reaction-v0", args.control_envs, args.seed, **arguments)
            for _ in range(min(args.repetitions, 3))
        ]
        name = f"rounds of {args.control_envs} reaction campaigns, candidates, {recipe}"
        rows.append(Row(name, float(np.median(each)), "/s", target=target))
    new, before = list(medians.values())[2], list(medians.values())[-1]
    rows.append(
        Row(f"a list of {SIZE} is faster than by a greedy batch", new / before, "times", target=8)
    )
    return rows


def rounds_per_second(control: Any, num_envs: int, seed: int) -> float:
    """Campaign-rounds a CPU second through a control, resets included."""
    return rounds_per_second_of(ENV, num_envs, seed, control=control, **ROUNDS)


def rounds_per_second_of(env_id: str, num_envs: int, seed: int, **arguments: Any) -> float:
    """Campaign-rounds a CPU second of an environment, resets included."""
    env: Any = gym.make_vec(
        env_id,
        num_envs,
        vectorization_mode="vector_entry_point",
        autoreset_mode="SameStep",
        **arguments,
    )
    env.reset(seed=seed)
    env.action_space.seed(seed)
    actions = [env.action_space.sample() for _ in range(2 * _STEPS)]
    for each in actions[:_STEPS]:
        env.step(each)
    begun = process_time()
    for each in actions[_STEPS:]:
        env.step(each)
    seconds = process_time() - begun
    env.close()
    return num_envs * _STEPS / seconds
