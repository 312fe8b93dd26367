"""What a policy is: a pure function from observations of B campaigns to their next batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.unmeasured import replenished
from ombo_gym.controls.base import Control
from ombo_gym.evaluation.told import told_one
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows, Rng

Observation = dict[str, NDArray[Any]]
Details = dict[str, NDArray[Any]]

_TOGETHER = 128  # campaigns that a control looks at together, for bounded memory


class Policy(ABC):
    """Plays any number of campaigns in lockstep.

    Row i of an action depends on row i of the observation and on its generator alone, and all
    timing comes from `rounds_left`: the same object plays a thousand simulated campaigns and a real
    one.

    Attributes:
        horizon_aware: False where `rounds_left` changes nothing that it does: telling it every
            round that one is left is then no different, and evaluation plays it once.
        deterministic: True where the generators change nothing that it does.
        exchangeable: True where an action depends on the dataset as a set of rows, whatever their
            order. Exact evaluation (`ombo_agents.planners.exact`) then looks at each set once.
    """

    horizon_aware: bool = True
    deterministic: bool = False
    exchangeable: bool = False

    @abstractmethod
    def act(self, observation: Observation, rng: Rng) -> NDArray[Any]:
        """Proposes the next batches.

        Args:
            observation: Of B campaigns: the environment's fields with a leading B.
            rng: A sequence of B generators, or one, from which B are spawned first.

        Returns:
            (B, ...) actions of exactly the action space's dtype.
        """

    def explain(self, observation: Observation, rng: Rng) -> tuple[NDArray[Any], Details]:
        """The actions, and what they came from: for instance `exploration_weights` (B, 2)."""
        return self.act(observation, rng), {}

    def distribution(
        self, observation: Observation
    ) -> tuple[NDArray[Any], NDArray[np.float64]] | None:
        """How likely each action is, for exact evaluation of policies that draw lots.

        Returns:
            (A, ...) actions and (B, A) their probabilities, or None where it cannot tell. An
            exchangeable policy may give one order of a batch for all.
        """
        return None


class Myopic(Policy):
    """A policy that is told every round that it is the last, and is otherwise left alone.

    Args:
        policy: Any policy.
    """

    horizon_aware = False

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.deterministic = getattr(policy, "deterministic", False)
        self.exchangeable = getattr(policy, "exchangeable", False)

    def distribution(  # noqa: D102
        self, observation: Observation
    ) -> tuple[NDArray[Any], NDArray[np.float64]] | None:
        tell = getattr(self.policy, "distribution", None)
        return None if tell is None else tell(told_one(observation))

    def act(self, observation: Observation, rng: Rng) -> NDArray[Any]:  # noqa: D102
        return self.policy.act(told_one(observation), rng)

    def explain(self, observation: Observation, rng: Rng) -> tuple[NDArray[Any], Details]:  # noqa: D102
        return self.policy.explain(told_one(observation), rng)


class DesignsPolicy(Policy):
    """A policy that proposes designs itself.

    It says which in `propose`, or in `propose_and_explain` where there is something to tell: how
    many designs it asked a model about (`model_queries`, (B,)), for one. Where measuring a design
    again is worth nothing, uniform designs that are new take the place of those that are not.

    Attributes:
        repeats: Whether measuring a design again can be worth anything.
        distinct: Whether a good batch holds a design once.
        wasteful: Whether it repeats designs on purpose where that is worth nothing.
        coincides: Whether its slots can be the same design by chance, not on purpose.
        once: Whether uniform designs take the place of slots that are the same by chance: where a
            good batch holds a design once, and nothing is learnt by measuring it twice.

    Args:
        game: The campaigns it is built for (`env.unwrapped.game`).

    Raises:
        ValueError: The environment has another control than "designs".
    """

    repeats: bool
    distinct: bool
    wasteful: bool = False
    coincides: bool = False
    once: bool

    def __init__(self, game: Game) -> None:
        if game.control_name != "designs":
            raise ValueError(
                f"{type(self).__name__} proposes designs: expected an environment with "
                f'control="designs", got control="{game.control_name}"'
            )
        self.space = game.design_space
        self.batch_size = game.batch_size
        self.repeats, self.distinct = game.repeats, game.distinct
        noisy = game.campaigns.noise_std > 0 or game.problem.noisy
        self.once = self.coincides and self.distinct and not noisy

    def act(self, observation: Observation, rng: Rng) -> NDArray[Any]:  # noqa: D102
        return self.explain(observation, rng)[0]

    def explain(self, observation: Observation, rng: Rng) -> tuple[NDArray[Any], Details]:  # noqa: D102
        draws = GeneratorRows(rng, len(observation["rounds_left"]))
        batch, details = self.propose_and_explain(observation, draws)
        if not (self.repeats or self.wasteful):
            batch = replenished(self.space, observation, batch, draws)
        elif self.once:
            batch = replenished(self.space, observation, batch, draws, repeats=True)
        return self.space.actions(batch), details

    def propose_and_explain(
        self, observation: Observation, draws: GeneratorRows
    ) -> tuple[NDArray[Any], Details]:
        """The next batches, (B, q, *shape), and what is worth knowing of them."""
        return self.propose(observation, draws), {}

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:
        """The next batches as designs, (B, q, *shape)."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it proposes")


class ControlPolicy(Policy):
    """A policy that acts through a control: a heuristic with a fixed action, or a network.

    In an environment with that control it acts directly; in one with `control="designs"` it carries
    the control along, with candidates drawn from its own generators.

    Args:
        game: The campaigns it is built for.
        control: Name of the control.

    Raises:
        ValueError: The environment has a third control.
    """

    def __init__(self, game: Game, control: str) -> None:
        if game.control_name not in ("designs", control):
            raise ValueError(
                f"{type(self).__name__} acts through the control {control!r}: expected an "
                f'environment with it or with control="designs", got "{game.control_name}"'
            )
        self.control: Control = game.make_control(control)
        self._space = game.design_space
        self._inside = game.control_name == control

    @abstractmethod
    def choose(self, seen: Observation) -> NDArray[Any]:
        """The control's actions for what it shows of B campaigns, (B, ...)."""

    def act(self, observation: Observation, rng: Rng) -> NDArray[Any]:  # noqa: D102
        return self.explain(observation, rng)[0]

    def explain(self, observation: Observation, rng: Rng) -> tuple[NDArray[Any], Details]:  # noqa: D102
        if self._inside:
            actions = self.choose(observation)
            return actions, self.details(actions)
        rows = len(observation["rounds_left"])
        draws = GeneratorRows(rng, rows)
        designs: list[NDArray[Any]] = []
        acted: list[NDArray[Any]] = []
        for first in range(0, rows, _TOGETHER):
            part = np.arange(first, min(first + _TOGETHER, rows))
            proposed, chosen = self._through(
                {name: array[part] for name, array in observation.items()}, draws.take(part)
            )
            designs.append(proposed)
            acted.append(chosen)
        return self._space.actions(np.concatenate(designs)), self.details(np.concatenate(acted))

    def _through(
        self, observation: Observation, draws: GeneratorRows
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Designs and the control's actions that they come from."""
        view = self.control.view(observation, draws.take)
        actions = self.choose(self.control.seen(view))
        return self.control.designs(view, actions), actions

    def details(self, actions: NDArray[Any]) -> Details:
        """What is worth knowing of the control's actions."""
        return {}
