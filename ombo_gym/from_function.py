"""A campaign for a Python function, in one call."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from ombo_gym.env import CampaignEnv
    from ombo_gym.vector_env import CampaignVectorEnv


@overload
def make_campaign(
    objective: Callable[[Any], Any], space: Any, *, num_envs: None = None, **arguments: Any
) -> CampaignEnv: ...


@overload
def make_campaign(
    objective: Callable[[Any], Any], space: Any, *, num_envs: int, **arguments: Any
) -> CampaignVectorEnv: ...


def make_campaign(
    objective: Callable[[Any], Any],
    space: Any,
    *,
    num_envs: int | None = None,
    vectorized: bool = False,
    minimise: bool = False,
    optimum: float | None = None,
    floor: float | None = None,
    reference: float = 0.0,
    cheap: bool = False,
    **arguments: Any,
) -> CampaignEnv | CampaignVectorEnv:
    """Makes an environment in which a function of your own is maximised.

    Each design is computed once: N rounds of q designs after a start of m cost at most m + N * q
    calls. (A percentile start needs 1,024 calls more or, where designs can be listed, all of them.
    Where some designs cannot be measured, a start computes those that it draws on the way, at most
    251 * m.)

    Args:
        objective: Takes a design in the units of `space` and returns its value.
        space: A dict of parameters by name, of which some or all may be ranges, `(low, high)` or
            `{"range": [low, high], "step": s, "scale": "log"}`; whole numbers,
            `{"integer": [low, high], "scale": "log"}`; levels, a list of numbers or
            `{"levels": [...], "scale": "log"}`; categories, any other list or
            `{"choices": [...], "descriptors": {name: [...]}}`; or fixed, a single value. Or a list
            of (low, high), or a gymnasium Box, Discrete, MultiDiscrete or MultiBinary. The
            objective gets a dict or, of those, an array or a whole number. Positive numbers that
            span more than 3 decades without a scale are warned of.
        num_envs: B, for the native vector environment; None: the single one.
        vectorized: Whether the objective takes n designs at once, (n, d), and returns (n,).
        minimise: Whether low values are good. Values, rewards and infos are then negative.
        optimum: The best value there is, where it is known; a better one is then an error.
        floor: Value of designs that cannot be measured, for which the objective returns NaN; None:
            NaN is an error.
        reference: b0 of utility `best` for campaigns without a start.
        cheap: Whether a picture may call the objective 4,096 times, for its landscape.
        **arguments: Of the environment: `horizon`, `batch_size`, `noise_std`, `start`, ...

    Raises:
        ValueError: A space or argument that is not as described; see
            `ombo_gym.problems.own.function.Function`, which says more of all of them.
        TypeError: An argument that the environment lacks; lists those it has.

    Example:
        >>> import ombo_gym
        >>> def brew(x):  # minutes, degrees
        ...     return -((x["t"] - 4) ** 2) - 0.01 * (x["T"] - 93) ** 2 + (x["tea"] == "green")
        >>> space = {"t": (1, 9), "T": (70, 100), "tea": ["black", "green"]}
        >>> env = ombo_gym.make_campaign(brew, space, horizon=3)
        >>> observation, info = env.reset(seed=0)
        >>> observation, reward, *_, info = env.step(env.action_space.sample())
        >>> cup = env.unwrapped.problem.to_units(observation["designs"][0])
    """
    from ombo_gym.env import CampaignEnv
    from ombo_gym.problems.own.function import Function
    from ombo_gym.vector_env import CampaignVectorEnv

    known = set(signature(CampaignEnv).parameters) - {"problem", "split", "arguments"}
    if num_envs is not None:
        known.add("autoreset_mode")
    if unknown := sorted(set(arguments) - set(known)):
        raise TypeError(
            f"make_campaign takes {sorted(known)} of the environment beside its own arguments, "
            f"got {unknown}"
        )
    problem = Function(
        objective,
        space,
        vectorized=vectorized,
        minimise=minimise,
        optimum=optimum,
        floor=floor,
        reference=reference,
        cheap=cheap,
    )
    if num_envs is None:
        return CampaignEnv(problem, **arguments)
    return CampaignVectorEnv(num_envs, problem, **arguments)
