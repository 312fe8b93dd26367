"""Landing on the moon by a heuristic of 12 parameters."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import BoxDesigns, Designs
from ombo_gym.problems.core.base import Instances
from ombo_gym.problems.core.checks import is_whole, one_of
from ombo_gym.problems.core.simulated import Simulated, require
from ombo_gym.randomness import BatchedGenerator

# The constants of Gymnasium's own heuristic, in the order of its lines.
STOCK = (0.5, 1.0, 0.4, 0.55, 0.5, 1.0, 0.5, 0.5, 0.0, 0.5, 0.05, 0.05)
# What `best_known` tries: those, and what CMA-ES (pycma 4.5.0, populations of 12, two minutes each)
# found on 8 terrains: its best design from there (seeds 8 to 15) and its last mean from the middle
# of the box (seeds 16 to 23). On the terrains of seeds 1000 to 1039 they return 250.8,
# 254.6 and 264.2.
KNOWN = (
    STOCK,
    (0.419, 1.224, 0.404, 0.339, 0.897, 1.187, 0.498, 0.703, 0.004, 0.658, 0.123, 0.011),
    (0.438, 0.722, 1.208, 1.781, 1.826, 1.036, 0.483, 1.9, 0.0, 1.578, 0.217, 0.229),
)
_STEPS = 1000  # that an episode of LunarLander-v3 takes at most
_DECIMALS = 6  # of parameters: float32 designs then name 0.4 itself
_HALF = 2**30
_MOST_TERRAINS = 1000
_SEEDS = {"all": (0, 2 * _HALF), "train": (0, _HALF), "test": (_HALF, 2 * _HALF)}


class Lander(Simulated):
    """Mean return of Gymnasium's LunarLander-v3 under a heuristic controller of 12 parameters.

    A design is a point of [-1, 1]^12, mapped to parameters w = 1 + x from 0 to 2, rounded to six
    decimals (`Lander.to_units`). They stand where Gymnasium's own `heuristic` has constants (in
    brackets). Of position (x, y), velocity (u, v), angle a, angular velocity r and leg contacts:

    - the angle aimed at is w1 x + w2 u [0.5, 1], at most w3 [0.4] either way; the height aimed at
      is w4 |x| [0.55];
    - turn = (angle aimed at - a) w5 - r w6 [0.5, 1]; rise = (height aimed at - y) w7 - v w8
      [0.5, 0.5]; with a leg on the ground turn = w9 [0] and rise = -v w10 [0.5];
    - the main engine fires if rise exceeds |turn| and w11 [0.05], otherwise an orientation engine
      if |turn| exceeds w12 [0.05].

    The value is the return of an episode (at most 1,000 steps, no discount), averaged over the
    campaign's terrains, maximised: about 100 to 140 for coming down on the pad, 100 more for coming
    to rest and -100 for a crash, less fuel; 200 is called solved. An instance is the terrains'
    seeds, which also give the first push and the scatter of the engines: values are exact, there is
    no noise unless `noise_std` asks for it, and every design is feasible. Seeds of split "train"
    are below 2^30, those of "test" from there to 2^31.

    The default start is 4 random designs; `reference`, where there is none, is -100, what a crash
    costs. The optimum is not known. Score 1 is the best that one of the `KNOWN` designs of this
    module has on the campaign's terrains: the stock heuristic, and two that CMA-ES found on other
    terrains; a campaign can do better.

    Args:
        terrains: Episodes that a value averages, up to 1,000. The paper cited has 50.
        split: "all", "train" or "test" terrains.
        workers: Processes that designs are simulated in.

    Raises:
        ValueError: Fewer than one terrain or too many, or an unknown split.
        ImportError: Box2D or pygame is not installed.

    References:
        Eriksson et al., Scalable global optimization via local Bayesian optimization (TuRBO),
        NeurIPS 2019, section 3.4; its 12 parameters and their range.
        Gymnasium's LunarLander-v3 and `gymnasium.envs.box2d.lunar_lander.heuristic`.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/Lander-v0", terrains=2, horizon=3, batch_size=4)
        >>> observation, info = env.reset(seed=0)
        >>> observation, reward, *_ = env.step(env.action_space.sample())
    """

    domain = "robotics"
    rounds = (1, 20)
    extra = "robotics"
    reference = -100.0
    splits = ("all", "test", "train")

    def __init__(self, *, terrains: int = 2, split: str = "all", workers: int = 1) -> None:
        if not is_whole(terrains) or terrains < 1:
            raise ValueError(
                f"terrains: expected a whole number of at least 1 episode, got {terrains!r}"
            )
        if terrains > _MOST_TERRAINS:
            raise ValueError(f"terrains: expected at most {_MOST_TERRAINS:,}, got {terrains:,}")
        one_of("split", split, self.splits)
        require("Lander", "robotics", "Box2D", "pygame")
        super().__init__(workers)
        self.terrains = int(terrains)
        self.split = split
        self.design_space = BoxDesigns(len(STOCK))

    @property
    @override
    def simulator(self) -> Callable[..., NDArray[np.float64]]:
        return mean_returns

    @override
    def arguments(self, instances: Instances, row: int) -> tuple[Any, ...]:
        return (instances["seeds"][row].tolist(),)

    @override
    def draw(self, rngs: BatchedGenerator) -> Instances:
        (low, high), count = _SEEDS[self.split], self.terrains
        return {"seeds": rngs.draw(lambda rng: rng.integers(low, high, size=count))}

    def to_units(self, designs: Designs) -> NDArray[np.float64]:
        """Parameters w1 to w12, from 0 to 2, (..., 12)."""
        return parameters(designs)

    @override
    def best_known(self, instances: Instances) -> NDArray[np.float64]:
        known = (np.array(KNOWN) - 1).astype(np.float32)
        num_campaigns = len(instances["seeds"])
        values = self.evaluate(instances, np.broadcast_to(known, (num_campaigns, *known.shape)))
        best: NDArray[np.float64] = values.max(axis=1)
        return best


def parameters(designs: Designs) -> NDArray[np.float64]:
    """What a design sets the heuristic's 12 numbers to, (..., 12)."""
    rounded: NDArray[np.float64] = np.round(1.0 + np.asarray(designs, np.float64), _DECIMALS)
    return rounded


def mean_returns(designs: Designs, seeds: Sequence[int]) -> NDArray[np.float64]:
    """Returns of designs, averaged over terrains, (n, 12) -> (n,)."""
    return np.array(
        [
            sum(_episode(design, seed) for seed in seeds) / len(seeds)
            for design in parameters(designs).tolist()
        ]
    )


def _episode(w: Sequence[float], seed: int) -> float:
    """The return of one episode."""
    env = _simulation()
    state, _ = env.reset(seed=seed)  # a new world
    total = 0.0
    for _ in range(_STEPS):
        state, reward, over, _, _ = env.step(action(state, w))
        total += float(reward)
        if over:
            break
    return total


def action(s: NDArray[np.float32], w: Sequence[float]) -> int:
    """Gymnasium's `heuristic`, line by line, so that it rounds as that does.

    Args:
        s: (8,) the state.
        w: The 12 parameters.
    """
    angle_target = s[0] * w[0] + s[2] * w[1]
    if angle_target > w[2]:
        angle_target = w[2]
    if angle_target < -w[2]:
        angle_target = -w[2]
    hover_target = w[3] * abs(s[0])
    turn = (angle_target - s[4]) * w[4] - s[5] * w[5]
    rise = (hover_target - s[1]) * w[6] - s[3] * w[7]
    if s[6] or s[7]:  # a leg has contact
        turn = w[8]
        rise = -s[3] * w[9]
    if rise > abs(turn) and rise > w[10]:
        return 2
    if turn < -w[11]:
        return 3
    return 1 if turn > w[11] else 0


@cache
def _simulation() -> Any:
    """The environment that this process simulates with, without the wrappers of `gym.make`."""
    with warnings.catch_warnings():
        # Box2D's bindings warn when they are loaded; made an error, that kills the process.
        warnings.filterwarnings("ignore", "builtin type [sS]wig", DeprecationWarning)
        from gymnasium.envs.box2d.lunar_lander import LunarLander

    return LunarLander()
