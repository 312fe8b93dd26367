"""Campaigns and the control they are played through: what both environments are shells over."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.arguments import as_json
from ombo_gym.campaign import Campaigns
from ombo_gym.controls import make_control
from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.observations import Observation
from ombo_gym.outcomes import ALL, EnvIndices, Infos, MeasuredBatches, Outcome
from ombo_gym.problems.core.base import Problem
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.registration import make_problem
from ombo_gym.reset_options import ResetOptions
from ombo_gym.settings import Settings
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.surrogate import make_surrogate

if TYPE_CHECKING:
    from gymnasium.envs.registration import EnvSpec


class PlayedCampaigns(ABC):
    """B campaigns, of one problem or of several, as both environments are shells over them.

    Attributes:
        num_campaigns: B.
        observation_space, action_space: Of one campaign.
    """

    num_campaigns: int
    observation_space: spaces.Space[Any]
    action_space: spaces.Space[Any]

    @property
    @abstractmethod
    def finished(self) -> NDArray[np.bool_]:
        """Which campaigns have no round left, (B,); all, before the first reset."""

    @property
    @abstractmethod
    def begun(self) -> NDArray[np.bool_]:
        """Which campaigns were ever begun, (B,)."""

    @abstractmethod
    def reset_options(
        self,
        env_indices: EnvIndices,
        seeds: Sequence[int | None],
        options: Mapping[str, Any] | None,
    ) -> Any:
        """What a reset asks for of R campaigns, for `reset`; see `Campaigns.reset_options`."""

    @abstractmethod
    def kept_options(self, env_indices: NDArray[np.intp]) -> Any:
        """What R campaigns that follow finished ones are asked for."""

    @abstractmethod
    def reset(
        self, env_indices: EnvIndices, generators: Sequence[np.random.Generator], options: Any
    ) -> Infos:
        """Begins R new campaigns, each with a key that is drawn from its generator, (R,)."""

    @abstractmethod
    def step(self, env_indices: EnvIndices, actions: NDArray[Any]) -> Outcome:
        """Plays a round of R campaigns.

        Args:
            env_indices: Which of the B campaigns play.
            actions: (B, ...) checked actions of all campaigns; those of others are not used.
        """

    @abstractmethod
    def observe(self) -> Observation:
        """What the agent sees of all B campaigns; must be called before each step."""

    @abstractmethod
    def observe_finished(self, env_indices: NDArray[np.intp]) -> Observation:
        """What the agent sees of R finished campaigns."""

    @abstractmethod
    def action_masks(self) -> NDArray[np.bool_]:
        """Which choices are worth making, (B, choices), of what was observed last.

        Raises:
            ResetNeeded: Nothing was observed yet.
            TypeError: Actions are no choices.
        """

    @abstractmethod
    def drawn(self, row: int) -> tuple[Campaigns, int]:
        """The campaigns among which one is, for pictures, and which of these it is.

        Raises:
            ResetNeeded: It was never begun.
        """


class ControlledCampaigns(PlayedCampaigns):
    """B campaigns of one problem that an agent sees and plays through a control.

    Args:
        problem: A registered problem's name, or a problem.
        num_campaigns: B.
        split: Which instances, for problems that are given by name.
        control: What the agent acts on.
        surrogate: What controls and surrogate-based policies know.
        horizon, batch_size, plates, utility, start, noise_std: As every environment takes them.
        **arguments: The problem's own, when it is given by name.

    Raises:
        ValueError: An argument out of range; says what was expected.
        TypeError: An argument that the problem lacks.
    """

    def __init__(
        self,
        problem: str | Problem,
        num_campaigns: int,
        *,
        horizon: int | Sequence[int] | None = None,
        batch_size: int | Sequence[int] | None = None,
        plates: Sequence[int] | None = None,
        utility: str | Mapping[str, Any] = "best",
        start: Mapping[str, Any] | None = None,
        noise_std: float | None = None,
        split: str = "all",
        control: str = "designs",
        surrogate: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> None:
        if isinstance(problem, Problem):
            if arguments:
                raise TypeError(
                    f"{type(problem).__name__} got an unexpected keyword argument "
                    f"{min(arguments)!r}: arguments go with a problem's name, but a problem was "
                    "given"
                )
            if split != "all":
                raise ValueError(
                    "split: splits go with a problem's name, but a problem was given together "
                    f"with {split!r}"
                )
        else:
            problem = make_problem(problem, split=split, **arguments)
        settings = Settings(horizon, batch_size, plates, utility, start, noise_std)
        self.campaigns = Campaigns(
            problem, settings, num_campaigns, control=control, surrogate=surrogate
        )
        self.spec = self.campaigns.spec
        make_surrogate(self.spec)  # refuses a recipe that is none, whoever will use it
        self.control = make_control(control, self.spec)
        self.num_campaigns = num_campaigns
        self.observation_space = self.control.observation_space
        self.action_space = self.control.action_space
        self._view: Any = None
        self._viewed: EnvIndices = ALL  # the campaigns of the view

    @property
    @override
    def finished(self) -> NDArray[np.bool_]:
        return self.campaigns.finished

    @property
    @override
    def begun(self) -> NDArray[np.bool_]:
        return self.campaigns.horizon > 0

    @override
    def reset_options(
        self,
        env_indices: EnvIndices,
        seeds: Sequence[int | None],
        options: Mapping[str, Any] | None,
    ) -> ResetOptions:
        return self.campaigns.reset_options(env_indices, seeds, options)

    @override
    def kept_options(self, env_indices: NDArray[np.intp]) -> ResetOptions:
        return self.campaigns.options.take(env_indices)

    @override
    def reset(
        self,
        env_indices: EnvIndices,
        generators: Sequence[np.random.Generator],
        options: ResetOptions,
    ) -> Infos:
        return self.campaigns.reset(env_indices, keys_of(generators), options)

    @override
    def step(self, env_indices: EnvIndices, actions: NDArray[Any]) -> Outcome:
        return self.campaigns.step(env_indices, self._designs(env_indices, actions))

    def measure(self, env_indices: EnvIndices, actions: NDArray[Any]) -> list[MeasuredBatches]:
        """What a round of R campaigns shows, for `campaigns.play`; nothing is written.

        Args:
            env_indices: R of the campaigns that were observed last.
            actions: (A, ...) of these campaigns, all of B or those that were asked for.
        """
        return self.campaigns.measure(env_indices, self._designs(env_indices, actions))

    def _designs(self, env_indices: EnvIndices, actions: NDArray[Any]) -> Designs:
        """The batches that actions of what was observed stand for, (R, largest q, *shape)."""
        designs = self.control.designs(self._view, actions)  # (A, largest q, *shape)
        among = env_indices
        if not isinstance(self._viewed, slice):
            assert not isinstance(env_indices, slice)
            among = np.searchsorted(self._viewed, env_indices)
        return designs[among]

    @override
    def observe(self, env_indices: EnvIndices = ALL) -> Observation:
        """What the agent sees of A campaigns, by default of all; before each step.

        Args:
            env_indices: Which of the B campaigns, in ascending order; only these can play.
        """
        self._viewed = env_indices
        self._view = self._look(env_indices)
        return self.control.seen(self._view)

    @override
    def observe_finished(self, env_indices: NDArray[np.intp]) -> Observation:
        return self.control.seen(self._look(env_indices))

    def _look(self, env_indices: EnvIndices) -> Any:
        """The control's view of A campaigns, which are over or not."""
        campaigns = self.campaigns

        def rngs(indices: NDArray[np.intp]) -> KeyedGenerator:
            meant = indices if isinstance(env_indices, slice) else env_indices[indices]
            keys, rounds = campaigns.keys[meant], campaigns.round[meant]
            return KeyedGenerator(keys, Stream.CANDIDATES, rounds)

        return self.control.view(campaigns.observation(env_indices), rngs)

    @override
    def action_masks(self) -> NDArray[np.bool_]:
        if self._view is None:
            raise ResetNeeded("no campaign is begun: call reset() before action_masks()")
        return self.control.action_masks(self._view, self.campaigns.observation(self._viewed))

    @override
    def drawn(self, row: int) -> tuple[Campaigns, int]:
        return self.campaigns, row


def keys_of(generators: Sequence[np.random.Generator]) -> NDArray[np.uint64]:
    """A key for each of R campaigns, drawn from its generator, (R,)."""
    # What `integers(0, 2**64, dtype=np.uint64)` gives, without the time that it takes to ask.
    return np.array([rng.bit_generator.random_raw() for rng in generators], np.uint64)


class KeepsSpec:
    """An environment whose gymnasium specification survives JSON."""

    _spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """What gymnasium made the environment of; arrays and paths are lists and texts in it."""
        return self._spec

    @spec.setter
    def spec(self, given: EnvSpec | None) -> None:
        if given is not None:
            given = copy.copy(given)
            given.kwargs = self._written(given.kwargs)  # so that it survives JSON
        self._spec = given

    def _written(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Arguments as JSON holds them."""
        written: dict[str, Any] = as_json(arguments)
        return written


class OffersCampaigns(KeepsSpec):
    """What environments of one problem offer of the campaigns that they play."""

    _played: ControlledCampaigns

    @property
    def campaign_spec(self) -> CampaignSpec:
        """All that a player may know: what `ombo_agents.make` gives to policies."""
        return self._played.spec

    @property
    def campaigns(self) -> Campaigns:
        """The campaigns, with what players may not know: for evaluation and pictures."""
        return self._played.campaigns

    @property
    def problem(self) -> Problem:
        """What is being designed."""
        return self._played.campaigns.problem

    @property
    def design_space(self) -> DesignSpace:
        """The space that designs live in; `design_space.features(designs)` gives their features."""
        return self._played.spec.design_space
