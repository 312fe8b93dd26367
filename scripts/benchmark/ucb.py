"""`ucb` against a plain BoTorch loop."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from time import process_time
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ombo_gym.evaluation.cells import Cell, generators, make_env, make_policy, play
from ombo_gym.evaluation.statistics import paired_difference
from ombo_gym.spec import CampaignSpec, campaign_spec
from ombo_gym.surrogates.surrogate import make_surrogate
from scripts.benchmark.arguments import BOTORCH_ROUNDS, ENV, Args
from scripts.benchmark.rows import Row


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

    env: Any = gym.make(ENV, **BOTORCH_ROUNDS)
    weight = weight_of(cell)
    propose = botorch_ucb(campaign_spec(env), weight)
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
    our_seconds, botorch_seconds = float(np.median(ours)), float(np.mean(seconds))
    ratio = botorch_seconds / our_seconds
    return [
        Row("exploration weight of both", weight),
        Row(f"{args.policy}, a campaign", 1e3 * our_seconds, "ms"),
        Row("BoTorch loop, a campaign", 1e3 * botorch_seconds, "ms"),
        Row(f"{args.policy} is faster than the BoTorch loop", ratio, "times", target=2000),
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
        horizon_shown="true",
        utility="best",
        seed=args.seed,
        first=0,
        campaigns=campaigns,
        **BOTORCH_ROUNDS,
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
    weight: float = weights.pop()
    return weight


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


def botorch_ucb(spec: CampaignSpec, weight: float) -> Propose:
    """Batches by upper confidence bounds, as BoTorch tutorials write it, with the kernel given.

    Args:
        spec: Of the campaigns it is for: their surrogate says kernel, lengthscale and noise.
        weight: Of the posterior standard deviation.

    Returns:
        A function from an observation and a seed to a batch (q, d).

    Raises:
        ImportError: BoTorch is not installed.
    """
    try:
        import torch
        from botorch.acquisition.monte_carlo import qUpperConfidenceBound
        from botorch.optim.optimize import optimize_acqf
        from botorch.utils.sampling import manual_seed
    except ImportError as error:
        raise ImportError(
            'the comparison needs BoTorch: pip install "ombo-gym[botorch]", or leave it out with '
            "--campaigns 0"
        ) from error
    torch.set_num_threads(1)
    surrogate, dim = make_surrogate(spec), spec.design_space.shape[0]
    if surrogate.kernel != "matern52" or surrogate.standardise:
        raise ValueError(f"surrogate: expected the Matern 5/2 prior itself, got {surrogate}")
    bounds = torch.tensor([[-1.0] * dim, [1.0] * dim], dtype=torch.float64)

    def propose(observation: dict[str, NDArray[Any]], seed: int) -> NDArray[np.float32]:
        observed = observation["observed"].astype(bool)
        x = torch.as_tensor(observation["designs"][observed], dtype=torch.float64)  # (n, d)
        y = torch.as_tensor(
            observation["measurements"][observed, None], dtype=torch.float64
        )  # (n, 1)
        model = _matern_model(x, y, surrogate.lengthscales[0], surrogate.noise_variances[0])
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
                q=spec.batch_size,
                num_restarts=4,
                raw_samples=64,
                sequential=True,
            )
        designs: np.ndarray = batch.numpy().astype(np.float32)  # (q, d)
        return designs

    return propose


def _matern_model(x: Any, y: Any, lengthscale: float, noise_variance: float) -> Any:
    """BoTorch's Gaussian process of measurements, (n, d) and (n, 1), with all parameters given."""
    import torch
    from botorch.models import SingleTaskGP
    from gpytorch.kernels import MaternKernel, ScaleKernel
    from gpytorch.means import ZeroMean

    kernel = ScaleKernel(MaternKernel(nu=2.5)).to(x)
    kernel.outputscale = 1.0
    kernel.base_kernel.lengthscale = lengthscale
    return SingleTaskGP(
        train_X=x,
        train_Y=y,
        train_Yvar=torch.full_like(y, noise_variance),
        covar_module=kernel,
        mean_module=ZeroMean(),
        outcome_transform=None,
    )
