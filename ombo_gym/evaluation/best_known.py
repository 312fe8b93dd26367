"""The best values known of campaigns, which their scores are measured by.

A score does not depend on who else played: 0 is the start's best value, 1 the optimum or the best
value known (`Problem.best_known`), which may take a search.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import ombo_gym
from ombo_gym.evaluation.failures import failure_of
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.one_thread import one_thread
from ombo_gym.evaluation.plates import KEY as PLATES
from ombo_gym.evaluation.progress import tracked
from ombo_gym.evaluation.store import Store
from ombo_gym.interrupts import ctrl_c_pressed
from ombo_gym.registration import environment
from ombo_gym.vector_env import CampaignVectorEnv

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Search:
    """What is searched.

    Attributes:
        env: Id of the environment.
        env_kwargs: Its further arguments, as JSON.
        seed: Of the first campaign; the others have the seeds behind it.
        campaigns: How many.
        fingerprint: Changes when what the environment stands for changes.
    """

    env: str
    env_kwargs: str
    seed: int
    campaigns: int
    fingerprint: str = ""

    @property
    def key(self) -> str:
        """Hash of the fields and of the package's version."""
        text = json.dumps([*astuple(self), ombo_gym.__version__])
        return "best-" + hashlib.sha256(text.encode()).hexdigest()[:24]


def best_known(
    searches: Sequence[Search], *, store: Store | None, launch: Launch, resume: bool
) -> dict[Search, Values]:
    """The best values known of campaigns.

    Args:
        searches: For which.
        store: Where what is found is kept.
        launch: Where to search.
        resume: Whether to take what is kept.

    Returns:
        By search, (campaigns,) each; NaN where none is known. Where a problem raises nothing is
        known, and a line on the terminal says so; the next run asks again.
    """
    found: dict[Search, Values] = {}
    if store is not None and resume:
        kept = ((search, store.read_values(search.key, search.campaigns)) for search in searches)
        found = {search: values for search, values in kept if values is not None}
    missing = [search for search in searches if search not in found]
    results = launch.map(_attempt, missing, lost=_lost)
    for search, result, error in tracked(results, "best known values", total=len(missing)):
        found[search] = result
        if error:
            print(f"no scores of {search.env}: {error}", file=sys.stderr)
        elif store is not None:
            store.write_values(search.key, result)
    return found


def find(search: Search) -> Values:
    """Begins the campaigns once more, and asks for the best value known of each, (campaigns,).

    One thread, as where they are played: the last digit does not depend on the machine.

    Raises:
        ValueError: The problem does not answer with a number per campaign.
    """
    arguments = json.loads(search.env_kwargs)
    if PLATES not in arguments:  # what is known does not depend on how long campaigns are
        arguments |= {"horizon": 1, "batch_size": 1}
    env = gym.make_vec(
        environment(search.env),
        num_envs=search.campaigns,
        autoreset_mode="Disabled",
        **arguments,
    )
    begun: CampaignVectorEnv = env.unwrapped  # type: ignore[assignment]
    with one_thread():
        env.reset(seed=search.seed)
        given = begun.problem.best_known(begun.campaigns.instances)
    env.close()
    values = np.full(search.campaigns, np.nan) if given is None else np.asarray(given, np.float64)
    if values.shape != (search.campaigns,) or np.isinf(values).any():
        raise ValueError(
            f"best_known: expected {search.campaigns} finite numbers or NaN, one a campaign, got "
            f"{np.array2string(values, threshold=4)} of shape {values.shape}"
        )
    return values


def _attempt(search: Search) -> tuple[Search, Values, str]:
    try:
        return search, find(search), ""
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and ctrl_c_pressed():
            raise
        return _lost(search, failure_of(error).error)


def _lost(search: Search, why: str) -> tuple[Search, Values, str]:
    return search, np.full(search.campaigns, np.nan), why
