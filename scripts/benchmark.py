"""Measures how fast environments and policies are, against gymnasium and BoTorch, in one run.

All timings are CPU seconds of this process, so that programs beside it count for little, and what
is compared is measured in turns. `make bench` gives it one thread; without make, set
OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import platform
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import tyro
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray
from tqdm import tqdm

from ombo_gym.evaluation.cells import Cell, generators, make_env, make_policy, play
from ombo_gym.evaluation.evaluate import versions
from ombo_gym.evaluation.statistics import paired_difference
from ombo_gym.game import Game
from scripts.arguments import report_errors

ENV = "Ombo/GP-v0"
ROUNDS: dict[str, Any] = {"horizon": 5, "batch_size": 4}  # where environments are compared
UCB_ROUNDS: dict[str, Any] = {"horizon": 3, "batch_size": 4}  # where `ucb` meets BoTorch
SENSES: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda measured, target: measured >= target,
    "<=": lambda measured, target: measured <= target,
    "<": lambda measured, target: measured < target,
}


@dataclasses.dataclass(frozen=True)
class Args:
    """Measures speed against gymnasium's SyncVectorEnv and against a BoTorch loop."""

    num_envs: int = 1024
    """Campaigns in lockstep, native against SyncVectorEnv."""
    repetitions: int = 9
    """Whole campaigns of every vector environment; medians are reported."""
    single_campaigns: int = 300
    """Campaigns of the single environment."""
    ucb_campaigns: int = 1000
    """Campaigns that `ucb` plays at once."""
    campaigns: int = 200
    """Campaigns that BoTorch plays, about a second each; 0 leaves BoTorch out."""
    policy: str = "ucb"
    """Ours, with one weight for all rounds (`ucb:weight=2`); BoTorch explores with the same."""
    seed: int = 0
    """Of the first campaign, and of the random actions."""
    out: Path | None = None
    """File for the numbers, as JSON."""

    def __post_init__(self) -> None:
        for name in ("num_envs", "repetitions", "single_campaigns", "ucb_campaigns"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if self.campaigns < 0 or self.campaigns == 1:
            raise ValueError(
                f"campaigns: expected 0 (without BoTorch) or at least 2, got {self.campaigns}"
            )


@dataclasses.dataclass(frozen=True)
class Row:
    """A number that was measured, and what it should be."""

    name: str
    measured: float
    unit: str = ""
    target: float | None = None
    sense: str = ">="
    aim: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        return None if self.target is None else bool(SENSES[self.sense](self.measured, self.target))


class Stopwatch:
    """CPU seconds spent inside the methods that it is put around."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, owner: Any, method: str) -> Stopwatch:
        """Times a method of one object from now on."""
        function = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            begun = process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += process_time() - begun

        setattr(owner, method, timed)
        return self

    def lap(self) -> float:
        """The seconds since the last lap."""
        seconds, self.seconds = self.seconds, 0.0
        return seconds


# --- environments --------------------------------------------------------------------------------


def native_against_sync(args: Args) -> list[Row]:
    """Whole campaigns, the step that resets included, with the same actions in both."""
    rows = args.num_envs
    native, actions = native_env(rows), random_actions(args.seed, rows)
    sync: Any = SyncVectorEnv([lambda: gym.make(ENV, **ROUNDS) for _ in range(rows)])
    returns = {}
    for name, env in (("native", native), ("sync", sync)):
        env.reset(seed=args.seed)
        returns[name] = sum(env.step(each)[1] for each in actions)  # the warm-up
    if not np.array_equal(returns["native"], returns["sync"]):
        raise RuntimeError(
            "the native environment and SyncVectorEnv did not play the same campaigns"
        )
    seconds: dict[str, list[float]] = {"native": [], "sync": []}
    for _ in range(args.repetitions):
        seconds["native"] += [campaign_seconds(native, actions) for _ in range(3)]
        seconds["sync"].append(campaign_seconds(sync, actions))
    native.close()
    sync.close()
    per_step = {name: float(np.median(each)) / len(actions) for name, each in seconds.items()}
    return [
        Row(f"SyncVectorEnv, a step of {rows:,} campaigns", 1e3 * per_step["sync"], "ms"),
        Row(f"native vector env, a step of {rows:,} campaigns", 1e3 * per_step["native"], "ms"),
        Row(
            "native vector env is faster than SyncVectorEnv",
            per_step["sync"] / per_step["native"],
            "times",
            target=10,
            aim=20,
        ),
    ]


def single_step(args: Args) -> list[Row]:
    """Steps of the single environment, with and without what the objective takes."""
    env: Any = gym.make(ENV, **ROUNDS)
    objective = Stopwatch().around(env.unwrapped.game.problem, "true_values")
    actions = random_actions(args.seed, 1)[:-1, 0]
    whole, beyond = [], []
    for i in range(args.single_campaigns):
        env.reset(seed=args.seed + i)
        objective.lap()
        seconds = campaign_seconds(env, actions)
        whole.append(seconds / len(actions))
        beyond.append((seconds - objective.lap()) / len(actions))
    env.close()
    return [
        Row("single env, a step", 1e6 * float(np.median(whole)), "us"),
        Row(
            "single env, a step beyond its objective",
            1e6 * float(np.median(beyond)),
            "us",
            target=150,
            sense="<=",
        ),
    ]


def native_step_apart(args: Args) -> list[Row]:
    """What a native step spends on the objective, on redraws and on the rest.

    Means over the N + 1 steps of a campaign, of which the last redraws all instances and starts;
    the values of the starts count as objective.
    """
    env, actions = native_env(args.num_envs), random_actions(args.seed, args.num_envs)
    game: Game = env.unwrapped.game
    objective = Stopwatch().around(game.problem, "true_values")
    redraws = Stopwatch().around(game.problem, "draw").around(game.campaigns._start, "draw")
    env.reset(seed=args.seed)
    campaign_seconds(env, actions)  # the warm-up
    laps = []
    for _ in range(3 * args.repetitions):
        objective.lap(), redraws.lap()
        playing = campaign_seconds(env, actions[:-1])
        resetting = campaign_seconds(env, actions[-1:])
        apart = objective.lap(), redraws.lap()
        laps.append((*apart, playing + resetting - sum(apart)))
    env.close()
    shares = 1e3 * np.median(laps, axis=0) / len(actions)
    return [
        Row("native step: objective", float(shares[0]), "ms"),
        Row("native step: redraws (instances and starts)", float(shares[1]), "ms"),
        Row("native step: the rest", float(shares[2]), "ms", target=8, sense="<="),
    ]


def native_env(rows: int) -> Any:
    """The native vector environment that is measured."""
    return gym.make_vec(
        ENV,
        num_envs=rows,
        vectorization_mode="vector_entry_point",
        autoreset_mode=AutoresetMode.NEXT_STEP.value,
        **ROUNDS,
    )


def random_actions(seed: int, rows: int) -> NDArray[np.float32]:
    """Batches for N rounds and the step that resets, (N + 1, B, q, d)."""
    shape = (ROUNDS["horizon"] + 1, rows, ROUNDS["batch_size"], 2)
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def campaign_seconds(env: Any, actions: Sequence[Any] | NDArray[Any]) -> float:
    """CPU seconds that the steps with these actions take."""
    begun = process_time()
    for each in actions:
        env.step(each)
    return process_time() - begun


# --- policies ------------------------------------------------------------------------------------


class Final(NamedTuple):
    """How campaigns ended."""

    regret: NDArray[np.float64]  # (campaigns,)
    optimum: NDArray[np.float64]  # (campaigns,)


def ucb_against_botorch(args: Args) -> list[Row]:
    """The time of `ucb` and of a BoTorch loop a campaign, and their regrets on the same ones.

    Ours is everything that evaluation does: building environment and policy, seeding, resets,
    proposals, steps, the table. BoTorch's is its proposals and the environment's steps.
    """
    cell = ucb_cell(args, args.ucb_campaigns)
    ours = [ucb_seconds(cell) for _ in range(3)][1:]  # the first is the warm-up
    if not args.campaigns:
        return [Row(f"{args.policy}, a campaign", 1e3 * float(np.median(ours)), "ms")]

    env: Any = gym.make(ENV, **UCB_ROUNDS)
    weight = weight_of(cell)
    propose = botorch_ucb(env.unwrapped.game, weight)
    play_alone(env, propose, args.seed + args.campaigns)  # the warm-up
    seconds, ends = [], []
    for i in tqdm(range(args.campaigns), desc="BoTorch", unit="campaign", disable=None):
        if i % 10 == 0:
            ours.append(ucb_seconds(cell))
        taken, info = play_alone(env, propose, args.seed + i)
        seconds.append(taken)
        ends.append((info["regret"], info["optimum"]))
    env.close()
    theirs, final = Final(*np.array(ends).T), ucb_final(args)
    if not np.array_equal(final.optimum, theirs.optimum):
        raise RuntimeError("ours and BoTorch did not play the same campaigns")
    # The optimum is an estimate from below; in the difference it cancels.
    difference = paired_difference(final.regret, theirs.regret)
    each, its = float(np.median(ours)), float(np.mean(seconds))
    return [
        Row("exploration weight of both", weight),
        Row(f"{args.policy}, a campaign", 1e3 * each, "ms"),
        Row("BoTorch loop, a campaign", 1e3 * its, "ms"),
        Row(f"{args.policy} is faster than the BoTorch loop", its / each, "times", target=2000),
        Row(f"final regret of {args.policy}, {args.campaigns} campaigns", final.regret.mean()),
        Row("final regret of the BoTorch loop on the same", theirs.regret.mean()),
        Row("difference (ours - BoTorch's), mean", difference.estimate),
        Row("difference, lower end of the 95% interval", difference.low),
        Row("difference, upper end of the 95% interval", difference.high, target=0.05, sense="<"),
    ]


def ucb_cell(args: Args, campaigns: int) -> Cell:
    """Campaigns that ours plays, as evaluation describes them."""
    return Cell(
        env=ENV,
        policy=args.policy,
        told_horizon="true",
        utility="best",
        seed=args.seed,
        first=0,
        campaigns=campaigns,
        **UCB_ROUNDS,
    )


def ucb_seconds(cell: Cell) -> float:
    """CPU seconds per campaign of a cell, as evaluation plays it."""
    begun = process_time()
    play(cell)
    return (process_time() - begun) / cell.campaigns


def weight_of(cell: Cell) -> float:
    """The exploration weight of a policy that has one for all rounds.

    Raises:
        ValueError: Any other policy.
    """
    env = make_env(dataclasses.replace(cell, campaigns=1))
    weights = set(getattr(make_policy(cell, env), "weights", ()))
    env.close()
    if len(weights) != 1:
        raise ValueError(
            "--policy: expected one with a single exploration weight, such as ucb:weight=2, "
            f"got {cell.policy!r}"
        )
    return weights.pop()


def ucb_final(args: Args) -> Final:
    """How ours ends the campaigns, played in the native vector environment."""
    cell = ucb_cell(args, args.campaigns)
    env = make_env(cell)
    policy, rngs = make_policy(cell, env), generators(cell)
    observation, info = env.reset(seed=args.seed, options={"optimum": True})
    for _ in range(cell.horizon):
        observation, _, _, _, info = env.step(policy.act(observation, rngs))
    env.close()
    return Final(info["regret"], info["optimum"])


Propose = Callable[[dict[str, NDArray[Any]], int], NDArray[np.float32]]


def play_alone(env: Any, propose: Propose, seed: int) -> tuple[float, dict[str, Any]]:
    """Plays the single environment; CPU seconds without those of the reset, and the last info."""
    observation, info = env.reset(seed=seed, options={"optimum": True})
    begun, over = process_time(), False
    while not over:
        observation, _, over, _, info = env.step(propose(observation, seed))
    return process_time() - begun, info


def botorch_ucb(game: Game, weight: float) -> Propose:
    """Batches by upper confidence bounds, as BoTorch tutorials write it, with the kernel given.

    Args:
        game: The campaigns it is for: their surrogate says kernel, lengthscale and noise.
        weight: Of the posterior standard deviation.

    Returns:
        A function from an observation and a seed to a batch (q, d).

    Raises:
        ImportError: BoTorch is not installed.
    """
    try:
        import torch
        from botorch.acquisition.monte_carlo import qUpperConfidenceBound
        from botorch.models import SingleTaskGP
        from botorch.optim.optimize import optimize_acqf
        from botorch.utils.sampling import manual_seed
        from gpytorch.kernels import MaternKernel, ScaleKernel
        from gpytorch.means import ZeroMean
    except ImportError as error:
        raise ImportError(
            'the comparison needs BoTorch: pip install "ombo-gym[bench]", or leave it out with '
            "--campaigns 0"
        ) from error
    torch.set_num_threads(1)
    surrogate, dim = game.surrogate, game.design_space.shape[0]
    if surrogate.kernel != "matern52" or surrogate.standardise:
        raise ValueError(f"surrogate: expected the Matern 5/2 prior itself, got {surrogate}")
    bounds = torch.tensor([[-1.0] * dim, [1.0] * dim], dtype=torch.float64)

    def propose(observation: dict[str, NDArray[Any]], seed: int) -> NDArray[np.float32]:
        observed = observation["observed"].astype(bool)
        x = torch.as_tensor(observation["designs"][observed], dtype=torch.float64)  # (n, d)
        y = torch.as_tensor(observation["values"][observed, None], dtype=torch.float64)  # (n, 1)
        kernel = ScaleKernel(MaternKernel(nu=2.5)).to(x)
        kernel.outputscale = 1.0
        kernel.base_kernel.lengthscale = surrogate.lengthscales[0]
        model = SingleTaskGP(
            train_X=x,
            train_Y=y,
            train_Yvar=torch.full_like(y, surrogate.noise_variances[0]),
            covar_module=kernel,
            mean_module=ZeroMean(),
            outcome_transform=None,
        )
        # BoTorch's beta is the square of our weight: for one design, qUpperConfidenceBound is the
        # mean of mu + sqrt(beta pi / 2) |f - mu|, where the mean of |f - mu| is sqrt(2 / pi) sd:
        # mu + sqrt(beta) sd.
        acquisition = qUpperConfidenceBound(model, beta=weight**2)
        with manual_seed(1000 * seed + len(x)), warnings.catch_warnings():
            # Slots that come close to each other need jitter, and each says so.
            warnings.filterwarnings("ignore", "A not p.d., added jitter")
            batch, _ = optimize_acqf(
                acquisition,
                bounds,
                q=game.batch_size,
                num_restarts=4,
                raw_samples=64,
                sequential=True,
            )
        return batch.numpy().astype(np.float32)

    return propose


# --- report --------------------------------------------------------------------------------------


def format_rows(rows: Sequence[Row]) -> str:
    """A plain table: what was measured, and the target beside it."""
    lines = [("", "measured", "", "target", "")]
    for row in rows:
        target = "" if row.target is None else f"{row.sense} {row.target:,g}"
        target += "" if row.aim is None else f" (aim {row.aim:g})"
        verdict = "" if row.met is None else "met" if row.met else "MISSED"
        lines.append((row.name, format_number(row.measured), row.unit, target, verdict))
    a, b, c, d, _ = (max(map(len, column)) for column in zip(*lines, strict=True))
    return "\n".join(
        f"{name:<{a}}  {measured:>{b}} {unit:<{c}}  {target:<{d}}  {met}".rstrip()
        for name, measured, unit, target, met in lines
    )


def format_number(number: float) -> str:
    """Three significant digits, and no fewer than the whole part has."""
    if not math.isfinite(number) or number == 0:
        return f"{number:g}"
    return f"{number:,.{max(0, 2 - math.floor(math.log10(abs(number))))}f}"


def verdict(rows: Sequence[Row]) -> str:
    """One line on which targets are missed."""
    missed = [row.name for row in rows if row.met is False]
    return f"MISSED: {'; '.join(missed)}" if missed else "every target is met"


def machine() -> dict[str, Any]:
    """What the numbers depend on."""
    threads = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    return {"machine": platform.platform(), "cores": os.cpu_count(), **threads}


def main(args: Args) -> list[Row]:
    """Measures everything, prints it and writes it."""
    rows = native_against_sync(args) + single_step(args) + native_step_apart(args)
    rows += ucb_against_botorch(args)
    print(f"\n{format_rows(rows)}\n\n{verdict(rows)}")
    if args.out is not None:
        found = {
            "rows": [dataclasses.asdict(row) | {"met": row.met} for row in rows],
            "args": dataclasses.asdict(args) | {"out": str(args.out)},
            "versions": versions() | ({"botorch": version("botorch")} if args.campaigns else {}),
            "machine": machine(),
        }
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(found, indent=2) + "\n")
        print(f"numbers  {args.out}")
    return rows


if __name__ == "__main__":
    with report_errors():
        main(tyro.cli(Args))
