"""What a policy is: a pure function from observations of B campaigns to their next batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.unmeasured import without_repeats
from ombo_gym.actions import SLACK, ActionCheck
from ombo_gym.arguments import shown
from ombo_gym.controls import Control, make_control
from ombo_gym.design_spaces.returned import check_bounds, checked_designs
from ombo_gym.observations import Observation, as_last_round, computable, next_plates
from ombo_gym.randomness import GeneratorBatch, Rng
from ombo_gym.spec import CampaignSpec

Details = dict[str, NDArray[Any]]

_CHUNK_CAMPAIGNS = 128  # whose control is computed at once, for bounded memory


class Policy(ABC):
    """Plays any number of campaigns in lockstep.

    It is made from a `CampaignSpec` and knows nothing else of the campaigns. Row i of an action
    depends on row i of the observation and on its generator alone, and all timing comes from
    `rounds_left` and `plates`: the same object plays a thousand simulated campaigns and a real one.

    Attributes:
        horizon_aware: False where `rounds_left` and the plates behind the next change nothing that
            it does: telling it every round that one is left is then no different, and evaluation
            plays it once.
        deterministic: True where the generators change nothing that it does.
        exchangeable: True where an action depends on the dataset as a set of rows, whatever their
            order. Exact evaluation (`ombo_agents.planners.evaluation`) then looks at each set once.
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

        Raises:
            ValueError: An observation without a leading B.
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
        if not callable(getattr(policy, "act", None)):
            raise TypeError(f"policy: expected a Policy, got {shown(policy)}")
        self.policy = policy
        self.deterministic = getattr(policy, "deterministic", False)
        self.exchangeable = getattr(policy, "exchangeable", False)

    @override
    def distribution(
        self, observation: Observation
    ) -> tuple[NDArray[Any], NDArray[np.float64]] | None:
        distribution = getattr(self.policy, "distribution", None)
        return None if distribution is None else distribution(as_last_round(observation))

    @override
    def act(self, observation: Observation, rng: Rng) -> NDArray[Any]:
        return self.policy.act(as_last_round(observation), rng)

    @override
    def explain(self, observation: Observation, rng: Rng) -> tuple[NDArray[Any], Details]:
        return self.policy.explain(as_last_round(observation), rng)


class DesignsPolicy(Policy):
    """A policy that proposes designs itself.

    It says which in `propose`, or in `propose_and_explain` where there is something to tell: how
    many designs it asked a model about (`model_queries`, (B,)), for one. Both are called for
    campaigns whose next plates have the same size q. Where measuring a design again is worth
    nothing, uniform designs that are new take the place of those that are not; where a good batch
    holds a design once, they take the place of slots that repeat an earlier one.

    Attributes:
        keeps_repeats: Whether its batches are played as they are, whatever they repeat.

    Args:
        spec: Of the campaigns it is built for.

    Raises:
        ValueError: The campaigns are played through another control than "designs", or an
            environment came in place of its spec.
    """

    keeps_repeats: bool = False

    def __init__(self, spec: CampaignSpec) -> None:
        check_spec(spec)
        if spec.control != "designs":
            raise ValueError(
                f"{type(self).__name__} proposes designs: expected an environment with "
                f'control="designs", got control="{spec.control}"'
            )
        self.spec = spec
        self.space = spec.design_space

    @override
    def act(self, observation: Observation, rng: Rng) -> NDArray[Any]:
        return self.explain(observation, rng)[0]

    @override
    def explain(self, observation: Observation, rng: Rng) -> tuple[NDArray[Any], Details]:
        check_leading_axis(observation)
        observation = computable(self.spec, observation)
        rngs = GeneratorBatch(rng, len(observation["rounds_left"]))
        batch_sizes = next_plates(self.spec, observation)  # (B,)
        num_campaigns, largest = len(batch_sizes), self.spec.batch_size
        sizes = np.unique(batch_sizes).tolist()
        if sizes == [largest]:
            batch, details = self._next_batch(observation, rngs, largest)
            return self.space.actions(batch), details
        batch = np.zeros((num_campaigns, largest, *self.space.shape), self.space.dtype)
        details = {}
        for q in sizes:
            env_indices = np.flatnonzero(batch_sizes == q)
            group = {name: array[env_indices] for name, array in observation.items()}
            group_batch, group_details = self._next_batch(group, rngs.take(env_indices), q)
            batch[env_indices, :q] = group_batch
            for name, array in group_details.items():
                if name not in details:
                    details[name] = np.zeros((num_campaigns, *array.shape[1:]), array.dtype)
                details[name][env_indices] = array
        return self.space.actions(self.space.canonical(batch)), details

    def _next_batch(
        self, observation: Observation, rngs: GeneratorBatch, q: int
    ) -> tuple[NDArray[Any], Details]:
        """Batches of q designs, (B, q, *shape), with repeats replaced, and what to tell of them."""
        batch, details = self.propose_and_explain(observation, rngs, q)
        source = f"{type(self).__name__}.propose"
        batch = checked_designs(source, batch, len(rngs), q, self.space)
        check_bounds(source, batch, self.space, slack=SLACK)
        if not self.keeps_repeats:
            batch = without_repeats(self.spec, observation, batch, rngs)
        return batch, details

    def propose_and_explain(
        self, observation: Observation, rngs: GeneratorBatch, q: int
    ) -> tuple[NDArray[Any], Details]:
        """The next batches, (B, q, *shape), and what is worth knowing of them."""
        return self.propose(observation, rngs, q), {}

    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        """The next batches as designs, (B, q, *shape).

        What holds for any kind of design is a method of `self.spec.design_space`: `sample`,
        `mutate`, `recombine`, `features`.

        Args:
            observation: Of B campaigns whose next plate has the same size: `designs` (B, n, *shape)
                and `measurements` (B, n), in use where `observed` (B, n) is 1; `rounds_left`
                (B, 1), this round included, and `plates` (B, N).
            rngs: One generator a campaign: `rngs.random(shape)` and `rngs.standard_normal(shape)`
                are (B, *shape); of whatever else NumPy draws,
                `rngs.draw(lambda rng: rng.integers(...))` stacks what each campaign draws.
            q: How many designs a batch has.

        Returns:
            (B, q, *shape), of whole numbers where designs are indices or categories.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what it proposes")


class ControlPolicy(Policy):
    """A policy that acts through a control: a heuristic with a fixed action, or a network.

    In an environment with that control it acts directly; in one with `control="designs"` it carries
    the control along, with candidates drawn from its own generators.

    Args:
        spec: Of the campaigns it is built for.
        control: Name of the control.

    Raises:
        ValueError: The environment has a third control, or came in place of its spec.
    """

    def __init__(self, spec: CampaignSpec, control: str) -> None:
        check_spec(spec)
        if spec.control not in ("designs", control):
            raise ValueError(
                f"{type(self).__name__} acts through the control {control!r}: expected an "
                f'environment with it or with control="designs", got "{spec.control}"'
            )
        self.spec = spec
        self.control: Control = make_control(control, spec)
        self._acts_directly = spec.control == control

    @abstractmethod
    def choose(self, seen: Observation) -> NDArray[Any]:
        """The control's actions for what it shows of B campaigns.

        Args:
            seen: What the control shows; where the policy carries it along, `plates` too.

        Returns:
            (B, *shape of the control's action space), within its bounds; anything else is refused.
        """

    @override
    def act(self, observation: Observation, rng: Rng) -> NDArray[Any]:
        return self.explain(observation, rng)[0]

    @override
    def explain(self, observation: Observation, rng: Rng) -> tuple[NDArray[Any], Details]:
        if self._acts_directly:
            fields = self.control.observation_space.spaces
            field = "rounds_left" if "rounds_left" in fields else min(fields)
            num_campaigns = check_leading_axis(observation, field, fields[field].shape or ())
            actions = self._chosen(observation, num_campaigns)
            return actions, self.details(actions)
        num_campaigns = check_leading_axis(observation)
        rngs = GeneratorBatch(rng, num_campaigns)
        designs: list[NDArray[Any]] = []
        control_actions: list[NDArray[Any]] = []
        for first in range(0, num_campaigns, _CHUNK_CAMPAIGNS):
            chunk = np.arange(first, min(first + _CHUNK_CAMPAIGNS, num_campaigns))
            chunk_designs, chunk_actions = self._through_control(
                {name: array[chunk] for name, array in observation.items()}, rngs.take(chunk)
            )
            designs.append(chunk_designs)
            control_actions.append(chunk_actions)
        space = self.spec.design_space
        return space.actions(np.concatenate(designs)), self.details(np.concatenate(control_actions))

    def _through_control(
        self, observation: Observation, rngs: GeneratorBatch
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Designs, (R, q, *shape), and the control's actions that they come from, (R, ...)."""
        view = self.control.view(observation, rngs.take)
        seen = {**self.control.seen(view), "plates": observation["plates"]}
        actions = self._chosen(seen, len(rngs))
        return self.control.designs(view, actions), actions

    def _chosen(self, seen: Observation, num_campaigns: int) -> NDArray[Any]:
        """What `choose` says for R campaigns as actions of the control's space, (R, ...).

        Raises:
            ValueError: They are of another shape or kind, or out of bounds.
        """
        space, source = self.control.action_space, f"{type(self).__name__}.choose"
        return ActionCheck(space, num_campaigns, source=source)(self.choose(seen))

    def details(self, actions: NDArray[Any]) -> Details:
        """What is worth knowing of the control's actions."""
        return {}


def check_spec(spec: Any) -> None:
    """Refuses what is no spec: an environment, say.

    Raises:
        ValueError: It is none; says what to do.
    """
    if not isinstance(spec, CampaignSpec):
        raise ValueError(
            f"spec: expected a CampaignSpec, got {shown(spec)}; of an environment it is "
            "ombo_gym.campaign_spec(env)"
        )


def check_leading_axis(
    observation: Observation, field: str = "rounds_left", shape: tuple[int, ...] = (1,)
) -> int:
    """Refuses the observation of a single campaign.

    Args:
        observation: Of B campaigns.
        field: One that it has.
        shape: Of this field in one campaign.

    Returns:
        B.

    Raises:
        ValueError: It has no leading B, or is no dict of fields; says what to do. Or one of them is
            no array, or of another B.
    """
    if not isinstance(observation, Mapping) or field not in observation:
        came = list(observation) if isinstance(observation, Mapping) else type(observation).__name__
        raise ValueError(
            "observation: expected a dict of fields, as environments and "
            f"CampaignSpec.observation(designs, measurements, plates_left) make it, got {came}"
        )
    if (given := np.shape(observation[field])) == shape:
        raise ValueError(
            "observation: expected those of B campaigns, every field with a leading B, got a "
            f"single one ({field} has the shape {given}, not (B, {', '.join(map(str, shape))})); "
            "for one campaign, give {name: array[None] for name, array in observation.items()} and "
            "take action [0]"
        )
    for name, array in observation.items():
        if not isinstance(array, np.ndarray) or array.shape[:1] != given[:1]:
            raise ValueError(
                "observation: expected arrays of B campaigns, every field with a leading B, got "
                f"{name}={shown(array)} beside {field} of the shape {given}"
            )
    return len(observation[field])
