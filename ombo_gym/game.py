"""Campaigns under a control: what both environments, single and vector, are thin shells over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.campaign import ALL, Campaigns, Infos, Outcome, Rows, Settings
from ombo_gym.controls.base import Control, DesignsControl, Observation
from ombo_gym.controls.candidates import CandidatesControl
from ombo_gym.controls.exploration import ExplorationControl
from ombo_gym.problems.base import Problem
from ombo_gym.randomness import KeyedRows, Stream
from ombo_gym.registration import make_problem
from ombo_gym.surrogates.gp import Surrogate, make_surrogate

CONTROLS = ("designs", "exploration", "candidates")


class Game:
    """B campaigns that an agent sees and plays through a control.

    Args:
        problem: A registered problem's name, or a problem.
        rows: B.
        horizon, batch_size, utility, start, noise_std, split, control, surrogate: As every
            environment takes them.
        **arguments: The problem's own, when it is given by name.

    Raises:
        ValueError: An argument out of range; says what was expected.
    """

    def __init__(
        self,
        problem: str | Problem,
        rows: int,
        *,
        horizon: int | Sequence[int] = 5,
        batch_size: int = 4,
        utility: str = "best",
        start: dict[str, Any] | None = None,
        noise_std: float | None = None,
        split: str = "all",
        control: str = "designs",
        surrogate: dict[str, Any] | None = None,
        **arguments: Any,
    ) -> None:
        if control not in CONTROLS:
            raise ValueError(f"control: expected one of {list(CONTROLS)}, got {control!r}")
        if isinstance(problem, Problem):
            if arguments or split != "all":
                raise ValueError(
                    "problem: arguments and splits go with a problem's name, but a problem was "
                    f"given together with {arguments or {'split': split}}"
                )
        else:
            problem = make_problem(problem, split=split, **arguments)
        settings = Settings(horizon, batch_size, utility, start, noise_std)
        self.problem = problem
        self.design_space = problem.design_space
        self.campaigns = Campaigns(problem, settings, rows)
        self.control_name = control
        self.horizons = settings.horizons
        self.batch_size = self.campaigns.batch_size
        if surrogate is None or isinstance(surrogate, Mapping):
            surrogate = {**problem.surrogate, **(surrogate or {})}
        self.surrogate: Surrogate = make_surrogate(surrogate, problem, self.campaigns.noise_std)
        self.control = self.make_control(control)
        self._view: Any = None

    @property
    def repeats(self) -> bool:
        """Whether measuring a design again can be worth anything.

        It is not where the problem forbids it, and where nothing can be learnt by it (no noise) nor
        gained (utility `best`).
        """
        gains = self.campaigns.settings.utility != "best"
        learns = self.campaigns.noise_std > 0 or self.problem.noisy
        return self.problem.repeats and (gains or learns)

    @property
    def distinct(self) -> bool:
        """Whether a good batch holds a design once."""
        return not self.repeats or self.problem.distinct

    def make_control(self, name: str) -> Control:
        """A control for these campaigns, whichever one they are played through."""
        space, q, horizon = self.design_space, self.batch_size, self.horizons[1]
        if name == "exploration":
            return ExplorationControl(
                space, q, horizon, self.surrogate, repeats=self.repeats, distinct=self.distinct
            )
        if name == "candidates":  # the agent's own choice stands where it can be measured
            repeats = self.problem.repeats
            return CandidatesControl(space, q, horizon, self.surrogate, repeats=repeats)
        return DesignsControl(space, q, self.campaigns.capacity, horizon)

    def reset(
        self,
        rows: Rows,
        generators: Sequence[np.random.Generator],
        wants_optimum: NDArray[np.bool_],
    ) -> Infos:
        """Begins new campaigns in R rows: one key each from the rows' generators, (R,)."""
        drawn = [rng.integers(0, 2**64, dtype=np.uint64) for rng in generators]
        return self.campaigns.reset(rows, np.array(drawn, np.uint64), wants_optimum)

    def step(self, rows: Rows, actions: NDArray[Any]) -> Outcome:
        """Plays a round of R rows.

        Args:
            rows: Which campaigns play.
            actions: (B, ...) checked actions of all campaigns; those of other rows are not used.
        """
        return self.campaigns.step(rows, self.control.designs(self._view, actions)[rows])

    def observe(self) -> Observation:
        """What the agent sees of all B campaigns; must be called before each step."""
        campaigns = self.campaigns

        def draws(rows: NDArray[np.intp]) -> KeyedRows:
            return KeyedRows(campaigns.keys[rows], Stream.CANDIDATES, campaigns.round[rows])

        self._view = self.control.view(campaigns.observation(ALL), draws)
        return self.control.seen(self._view)

    def observe_finished(self, rows: NDArray[np.intp]) -> Observation:
        """What the agent sees of R finished campaigns."""

        def draws(rows: NDArray[np.intp]) -> KeyedRows:
            raise AssertionError("a finished campaign has no candidates")

        return self.control.seen(self.control.view(self.campaigns.observation(rows), draws))


def game_of(env: Any) -> Game:
    """The campaigns of an environment; of a `SyncVectorEnv`, those of its first row."""
    unwrapped = env.unwrapped
    if envs := getattr(unwrapped, "envs", None):
        unwrapped = envs[0].unwrapped
    game = getattr(unwrapped, "game", None)
    if not isinstance(game, Game):
        raise ValueError(f"env: expected an environment of ombo_gym, got {env}")
    return game
