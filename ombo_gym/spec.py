"""What a player may know of a campaign, as one frozen object."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, Self

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ombo_gym.arguments import check_fields, members, read_json, shown, whole
from ombo_gym.control_names import CONTROLS as CONTROLS
from ombo_gym.control_names import control_name
from ombo_gym.design_spaces import DesignSpace, design_space_from_dict, design_space_of
from ombo_gym.design_spaces.values import is_number
from ombo_gym.memory import check_memory
from ombo_gym.observation_checks import check_observation
from ombo_gym.observations_by_hand import described_by_hand, observation_by_hand
from ombo_gym.priors import Prior, prior_from_dict
from ombo_gym.utilities import Utility, make_utility

Observation = dict[str, NDArray[Any]]

ORIGINS = ("none", "random", "percentile", "space_filling", "listed")


class Repeats(Enum):
    """Whether, and when, measuring a design again can be worth anything.

    Attributes:
        ALLOWED: At any time, also within a batch.
        DISTINCT_IN_BATCH: In a later round; a good batch holds a design once.
        NEVER_AGAIN: It is worth nothing, or a slot is wasted on it.
    """

    ALLOWED = "allowed"
    DISTINCT_IN_BATCH = "distinct_in_batch"
    NEVER_AGAIN = "never_again"


@dataclass(frozen=True)
class Origin:
    """How the designs of a start were chosen.

    Attributes:
        kind: "none" (there is no start), "random", "percentile" (of all designs those at or below
            a percentile of value, or some of them), "space_filling", or "listed" (by somebody).
        percentile: Of "percentile".

    Raises:
        ValueError: An unknown kind, or a percentile that is missing, out of range or out of place.
    """

    kind: str = "none"
    percentile: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in ORIGINS:
            raise ValueError(f"origin: expected a kind among {list(ORIGINS)}, got {self.kind!r}")
        if (self.kind == "percentile") != (self.percentile is not None):
            raise ValueError(
                "origin: expected a percentile with 'percentile' and with no other kind, "
                f"got {self}"
            )
        if self.percentile is None:
            return
        if not is_number(self.percentile) or not 0 <= self.percentile <= 100:
            raise ValueError(
                f"origin: expected a percentile from 0 to 100, got {shown(self.percentile)}"
            )


@dataclass(frozen=True)
class CampaignSpec:
    """All that a player may know of a campaign before it begins, and nothing else.

    Neither the objective nor anything that was drawn can be reached from it. Environments have one
    (`campaign_spec`); for a real campaign it is built by hand.

    Attributes:
        design_space: Where designs live; the parameters of one, by name and in the user's units, do
            as well: `{"degrees": (25, 110), "solvent": ["DMF", "THF"]}`.
        horizons: The smallest and the largest N that a campaign may have.
        batch_sizes: The smallest and the largest q.
        plates: The batch sizes round by round, where they are laid down, from which `horizons` and
            `batch_sizes` follow; else None.
        utility: What a finished campaign is worth; a name does as well.
        repeats: Whether and when measuring a design again can be worth anything; of a spec made by
            hand, never, unless it says so; a value of `Repeats` does as well. It is no matter of
            what a dataset may hold: controls that somebody measured twice are fine.
        noise_std: Standard deviation of a measurement, in the problem's units; None: unknown.
        surrogate: Recipe of the model, see `ombo_gym.surrogates.posterior.make_surrogate`.
        prior: The process that the objective is drawn from, where it is known.
        reference: b0 of utility `best` for campaigns without a start.
        floor: Value of designs that cannot be measured.
        start_capacity: Rows of the largest start.
        start_origin: How the start's designs were chosen; the kind of an `Origin` does as well.
        control: What the player acts on: one of `CONTROLS`, or `module:Class` of one's own; a dict
            with settings does as well, see `ombo_gym.control_names.control_name`.
        problem: What is being designed; policies may have settings of their own for it.

    Raises:
        ValueError: Something out of range, or of a campaign that would not fit into memory (see
            `ombo_gym.memory`); says what was expected.

    Example:
        >>> from ombo_gym import BoxDesigns, CampaignSpec
        >>> spec = CampaignSpec(BoxDesigns(2), plates=(24, 24, 8))
        >>> spec.horizons, spec.batch_sizes, spec.capacity
        ((3, 3), (8, 24), 56)
    """

    design_space: DesignSpace
    horizons: tuple[int, int] = (1, 1)
    batch_sizes: tuple[int, int] = (1, 1)
    plates: tuple[int, ...] | None = None
    utility: Utility = field(default_factory=lambda: make_utility("best"))
    repeats: Repeats = Repeats.NEVER_AGAIN
    noise_std: float | None = None
    surrogate: Mapping[str, Any] = field(default_factory=lambda: {"kernel": "fit"})
    prior: Prior | None = None
    reference: float = 0.0
    floor: float = 0.0
    start_capacity: int = 0
    start_origin: Origin = field(default_factory=Origin)
    control: str = "designs"
    problem: str = "own"

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # frozen from here on
        if not isinstance(self.design_space, DesignSpace):
            space = design_space_of(self.design_space, argument="design_space")
            set_field(self, "design_space", space)
        set_field(self, "utility", make_utility(self.utility))
        if isinstance(self.start_origin, str):
            set_field(self, "start_origin", Origin(self.start_origin))
        if not isinstance(self.start_origin, Origin):
            raise ValueError(f"start_origin: expected an Origin, got {shown(self.start_origin)}")
        set_field(self, "repeats", _repeats(self.repeats))
        self._check_rounds()
        set_field(self, "control", control_name(self.control))
        self._check_numbers()
        if self.prior is not None and not isinstance(self.prior, Prior):
            raise ValueError(f"prior: expected None or a Prior, got {shown(self.prior)}")
        if not isinstance(self.problem, str):
            raise ValueError(f"problem: expected a name, got {shown(self.problem)}")
        if self.utility.needs_posterior and not (
            self.prior is not None and self.prior.exact and self.noise_std == 0
        ):
            raise ValueError(
                f"utility: '{self.utility}' needs a problem whose posterior is known exactly, "
                "without Gaussian noise (noise_std=0), such as Bandit and Landscapes; got "
                f"{self.problem} with noise_std={self.noise_std}"
            )
        if not isinstance(self.surrogate, Mapping):
            raise ValueError(
                "surrogate: expected a dict of settings such as {'kernel': 'fit'}, got "
                f"{shown(self.surrogate)}"
            )
        set_field(self, "surrogate", dict(self.surrogate))
        check_memory(self)

    def _check_rounds(self) -> None:
        set_field = object.__setattr__
        if self.plates is not None:
            sizes = members(self.plates)
            if not sizes:
                raise ValueError(
                    "plates: expected a list of batch sizes, at least one, got "
                    f"{shown(self.plates)}"
                )
            plates = tuple(whole("plates", size) for size in sizes)
            set_field(self, "plates", plates)
            for name, pair in (("horizons", [len(plates)] * 2), ("batch_sizes", plates)):
                follows, given = (min(pair), max(pair)), getattr(self, name)
                if tuple(members(given) or ()) not in ((1, 1), follows):
                    raise ValueError(
                        f"{name}: expected {follows}, as plates={list(plates)} say, or (1, 1), "
                        f"as where it is left out, got {shown(given)}"
                    )
                set_field(self, name, follows)
        for name in ("horizons", "batch_sizes"):
            given = getattr(self, name)
            ends = list(given) if isinstance(given, Sequence | np.ndarray) else []
            if len(ends) != 2 or isinstance(given, str | bytes):
                raise ValueError(f"{name}: expected (low, high), got {shown(given)}")
            low, high = (whole(name, number) for number in ends)
            if low > high:
                raise ValueError(f"{name}: expected (low, high) with low <= high, got {low, high}")
            set_field(self, name, (low, high))
        set_field(self, "start_capacity", whole("start_capacity", self.start_capacity, least=0))

    def _check_numbers(self) -> None:
        std = self.noise_std
        if std is not None and not (is_number(std) and 0 <= std < np.inf):
            raise ValueError(f"noise_std: expected a number of at least 0, got {shown(std)}")
        for name in ("reference", "floor"):
            number = getattr(self, name)
            if not is_number(number) or not -np.inf < number < np.inf:
                raise ValueError(f"{name}: expected a finite {name}, got {shown(number)}")

    def __hash__(self) -> int:
        return hash((self.design_space, self.horizons, self.batch_sizes, self.plates, self.problem))

    # --- what follows from it -------------------------------------------------------------------

    @property
    def batch_size(self) -> int:
        """The largest q: slots of an action."""
        return self.batch_sizes[1]

    @property
    def horizon(self) -> int:
        """The largest N."""
        return self.horizons[1]

    @property
    def capacity(self) -> int:
        """Rows of the padded dataset: the largest start and all that can be proposed."""
        proposals = self.horizon * self.batch_size if self.plates is None else sum(self.plates)
        return self.start_capacity + proposals

    @property
    def noisy(self) -> bool:
        """Whether a design that is measured twice may show two values."""
        return self.noise_std != 0 or (self.prior is not None and self.prior.noisy)

    @property
    def replaces_repeats(self) -> bool:
        """Whether slots that hold a design by chance for a second time are better used otherwise.

        Where a batch is to hold a design once but measurements are noisy, such a slot teaches
        something, and stays.
        """
        if self.repeats is Repeats.DISTINCT_IN_BATCH:
            return not self.noisy
        return self.repeats is Repeats.NEVER_AGAIN

    @property
    def observation_space(self) -> spaces.Dict:
        """Of `control="designs"`."""
        capacity, largest = self.capacity, float(self.batch_size)
        return spaces.Dict(
            {
                "designs": self.design_space.observation_space(capacity),
                "measurements": spaces.Box(-np.inf, np.inf, (capacity,), np.float64),
                "observed": spaces.MultiBinary(capacity),
                "from_start": spaces.MultiBinary(capacity),
                "rounds_left": spaces.Box(0.0, float(self.horizon), (1,), np.float32),
                "plates": spaces.Box(0.0, largest, (self.horizon,), np.float32),
            }
        )

    @property
    def action_space(self) -> spaces.Space[Any]:
        """Of `control="designs"`."""
        return self.design_space.action_space(self.batch_size)

    # --- observations by hand -------------------------------------------------------------------

    def observation(
        self,
        designs: Sequence[Any] | NDArray[Any],
        measurements: Sequence[float] | NDArray[np.floating[Any]],
        plates_left: Sequence[int],
        *,
        from_start: int | None = None,
    ) -> Observation:
        """What a policy is shown of one real campaign, with a leading 1.

        Args:
            designs: A list of what stands in a sheet, in the user's units, in the order of
                measurement, the start first; or an array (n, *shape) of what actions hold.
            measurements: (n,).
            plates_left: Sizes of the batches still to come, the next one first; where the spec lays
                plates down, the last ones of these. None left: an empty list.
            from_start: How many of the designs are the start. None: all of them, as long as no
                plate was played; after that it has to be said, unless the numbers of designs and
                of wells leave no choice.

        Raises:
            ValueError: An argument that is not as described, or what `check_observation` refuses;
                says what was expected and what came.
        """
        return observation_by_hand(self, designs, measurements, plates_left, from_start)

    def describe(self, actions: NDArray[Any], plate: int | None = None) -> list[Any]:
        """The designs of an action of one campaign in the user's units.

        An action has as many slots as the largest plate: of a smaller one the first are meant.

        Args:
            actions: (1, ...), what a policy proposes.
            plate: Size of the next batch; None: the largest.

        Raises:
            ValueError: An action of another shape, such as one without the leading 1, or a plate
                that is larger than any of the campaign's.
        """
        return described_by_hand(self, actions, plate)

    def check_observation(self, observation: Mapping[str, Any]) -> None:
        """Refuses what no campaign of this spec can show; for observations made by hand.

        Refused are fields that are missing, unknown, of another shape or no numbers; NaN; designs
        that are not as actions hold them; rows in use behind others; more rounds than the horizon;
        plates that are none of the spec's; a start that is larger than `start_capacity`; more rows
        behind it than the rounds before can have proposed; and, without noise, two measurements of
        one design. Fewer rows are fine (wells are lost, slots are wasted), and so is a design that
        is there twice, whatever `repeats` says of its worth.

        Args:
            observation: Of B campaigns, with a leading B.

        Raises:
            ValueError: Says which field, what was expected and what came.
        """
        check_observation(observation, self)

    # --- as JSON --------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "design_space": self.design_space.to_dict(),
            "horizons": list(self.horizons),
            "batch_sizes": list(self.batch_sizes),
            "plates": None if self.plates is None else list(self.plates),
            "utility": self.utility.config(),
            "repeats": self.repeats.value,
            "noise_std": self.noise_std,
            "surrogate": dict(self.surrogate),
            "prior": None if self.prior is None else self.prior.to_dict(),
            "reference": self.reference,
            "floor": self.floor,
            "start_capacity": self.start_capacity,
            "start_origin": {
                "kind": self.start_origin.kind,
                "percentile": self.start_origin.percentile,
            },
            "control": self.control,
            "problem": self.problem,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`.

        Raises:
            ValueError: It is not what `to_dict` gives; says what was expected.
        """
        check_fields("spec", given, (each.name for each in fields(cls)))
        check_fields("start_origin", given["start_origin"], ("kind", "percentile"))
        prior = given["prior"]
        return cls(
            **{
                **given,
                "design_space": design_space_from_dict(given["design_space"]),
                "prior": None if prior is None else prior_from_dict(prior),
                "start_origin": Origin(**given["start_origin"]),
            }
        )

    def to_json(self) -> str:
        """As a text that `from_json` reads back."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`; a ValueError where it is no such text."""
        return cls.from_dict(read_json("spec", text))


def campaign_spec(env: Any) -> CampaignSpec:
    """The spec of an environment, wrapped or not; a tuple, one a row, where rows draw their tasks.

    Of a `SyncVectorEnv`, that of its first row.

    Raises:
        ValueError: It is none of this package's.
    """
    unwrapped = getattr(env, "unwrapped", None)
    first = (getattr(unwrapped, "envs", None) or [env])[0]
    spec = getattr(getattr(first, "unwrapped", None), "campaign_spec", None)
    if not isinstance(spec, CampaignSpec | tuple):
        raise ValueError(f"env: expected an environment of ombo_gym, got {shown(env)}")
    return spec  # type: ignore[return-value]


def _repeats(given: Any) -> Repeats:
    try:
        return Repeats(given)
    except ValueError:
        known = [each.value for each in Repeats]
        raise ValueError(f"repeats: expected one of {known}, got {shown(given)}") from None
