"""What all checks of the conformance suite stand on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from ombo_gym.env import CampaignEnv
from ombo_gym.problems.core.base import Problem
from ombo_gym.vector_env import CampaignVectorEnv

SEED = 1  # of two campaigns of one and three rounds; of a row beside them with two, then three
_GYM_ID = re.compile(r"-v\d+$")


class Conformance:
    """What all checks need: which environment it is, how it is made, how it is played.

    Attributes:
        env_id: A registered id, `module:Class` of a problem of your own, or a problem.
        env_kwargs: Arguments of the environment. Where they give no horizon and no plates,
            campaigns of one to three rounds are played.
    """

    env_id: ClassVar[str | Problem]
    env_kwargs: ClassVar[dict[str, Any]] = {}

    @property
    def has_id(self) -> bool:
        """Whether it is a registered id."""
        return isinstance(self.env_id, str) and bool(_GYM_ID.search(self.env_id))

    def arguments(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Those of the case and settings of a check, which go before them."""
        arguments_of_case = dict(self.env_kwargs)
        if "plates" in settings:
            arguments_of_case = {
                k: v for k, v in arguments_of_case.items() if k not in ("horizon", "batch_size")
            }
        elif {"horizon", "batch_size"} & set(settings):
            arguments_of_case.pop("plates", None)
        arguments = {**arguments_of_case, **settings}
        return arguments if "plates" in arguments else {"horizon": [1, 3], **arguments}

    def single(self, **settings: Any) -> gym.Env[Any, Any]:
        """The single environment; of an id, what `gym.make` gives."""
        arguments = self.arguments(settings)
        if self.has_id:
            assert isinstance(self.env_id, str)
            return gym.make(self.env_id, **arguments)
        return CampaignEnv(self.env_id, **arguments)

    def vector(
        self, num_envs: int, mode: AutoresetMode = AutoresetMode.NEXT_STEP, **settings: Any
    ) -> VectorEnv[Any, Any, Any]:
        """The native vector environment; of an id, by `gym.make_vec`."""
        arguments = {**self.arguments(settings), "autoreset_mode": mode.value}
        if self.has_id:
            assert isinstance(self.env_id, str)
            native = "vector_entry_point"
            return gym.make_vec(self.env_id, num_envs, vectorization_mode=native, **arguments)
        return CampaignVectorEnv(num_envs, self.env_id, **arguments)

    def sync(self, num_envs: int, mode: AutoresetMode, **settings: Any) -> SyncVectorEnv:
        """Single environments side by side, by gymnasium."""
        return SyncVectorEnv([lambda: self.single(**settings)] * num_envs, autoreset_mode=mode)


def play(env: gym.Env[Any, Any], *, campaigns: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Plays seeded campaigns by random actions, one after the other.

    Yields:
        When it is, in words, and what `reset` (two things) or `step` (five) returned.
    """
    env.action_space.seed(SEED)
    for campaign in range(1, campaigns + 1):
        result: tuple[Any, ...] = env.reset(seed=SEED if campaign == 1 else None)
        yield f"after the reset to campaign {campaign}", result
        step, over = 0, False
        while not over:
            result = env.step(env.action_space.sample())
            step, over = step + 1, bool(result[2] or result[3])
            yield f"after round {step} of campaign {campaign}", result


def assert_same(a: Any, b: Any, where: str = "") -> None:
    """Checks that two things are the same to the bit, however nested.

    Raises:
        AssertionError: Where they differ: in types, keys, dtypes, shapes or values.
    """
    assert type(a) is type(b), f"{where}: {type(a)} and {type(b)}"
    if isinstance(a, dict):
        assert set(a) == set(b), f"{where}: keys {sorted(a)} and {sorted(b)}"
        for key in a:
            assert_same(a[key], b[key], f"{where}[{key!r}]")
    elif isinstance(a, tuple | list):
        assert len(a) == len(b), f"{where}: lengths {len(a)} and {len(b)}"
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{where}[{i}]")
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype, f"{where}: {a.dtype} and {b.dtype}"
        assert a.shape == b.shape, f"{where}: {a.shape} and {b.shape}"
        if a.dtype == object:
            assert_same(a.tolist(), b.tolist(), where)
        else:
            np.testing.assert_array_equal(a, b, err_msg=where)
    else:
        assert a == b, f"{where}: {a!r} and {b!r}"
