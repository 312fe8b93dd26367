"""Known processes that objectives are drawn from: what `CampaignSpec.prior` may hold.

Value objects: they say what is known before anything is measured, and how a dataset changes it.
Which objective a campaign has drawn cannot be reached from them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import Designs
from ombo_gym.kinds import OfKind, from_dict

Floats = NDArray[np.float64]


class Prior(OfKind):
    """A process that objectives are drawn from.

    Attributes:
        kind: Its name in JSON.
        exact: Whether `posterior_means` is there: what is known after a dataset, exactly.
        noisy: Whether measurements vary, apart from the noise of `noise_std`.
    """

    exact: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Keeps arrays of its own that nobody can write to."""
        for each in fields(self):  # type: ignore[arg-type]
            if isinstance(array := getattr(self, each.name), np.ndarray):
                copy = array.copy()
                copy.setflags(write=False)
                object.__setattr__(self, each.name, copy)

    @property
    @abstractmethod
    def noisy(self) -> bool:
        """Whether measurements vary, apart from the noise of `noise_std`."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        names = [each.name for each in fields(self)]  # type: ignore[arg-type]
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    def __hash__(self) -> int:
        return hash(self.kind)

    def posterior_means(
        self, designs: Designs, measurements: Floats, observed: NDArray[np.bool_]
    ) -> Floats:
        """Expected true value of every design given a dataset, (R, size); exact priors only.

        Args:
            designs: (R, n, *shape), padded.
            measurements: (R, n) without Gaussian noise.
            observed: (R, n) which rows are in use.

        Raises:
            ValueError: A dataset that the process cannot show.
        """
        raise TypeError(f"{type(self).__name__} has no exact posterior over all designs")


@dataclass(frozen=True, eq=False)
class GaussianProcess(Prior):
    """A stationary Gaussian process with zero mean and unit variance, on the space's features.

    Attributes:
        kernel: A name in `ombo_gym.surrogates.kernels.KERNELS`.
        lengthscale: One for all features.
    """

    kernel: str
    lengthscale: float

    kind: ClassVar[str] = "gaussian_process"

    @property
    @override
    def noisy(self) -> bool:
        return False

    @override
    def arguments(self) -> dict[str, Any]:
        return {"kernel": self.kernel, "lengthscale": self.lengthscale}


@dataclass(frozen=True, eq=False)
class BernoulliArms(Prior):
    """Arms that succeed with probabilities from Beta priors, or with known ones.

    A measurement is a success (1) or a failure (0).

    Attributes:
        beta: (K, 2) a and b of the unknown arms, which come first.
        known: (L,) success probabilities of the others.
    """

    beta: Floats
    known: Floats

    kind: ClassVar[str] = "bernoulli_arms"
    exact: ClassVar[bool] = True

    @property
    @override
    def noisy(self) -> bool:
        return True

    @override
    def arguments(self) -> dict[str, Any]:
        return {"beta": self.beta.tolist(), "known": self.known.tolist()}

    @classmethod
    @override
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        beta = np.array(arguments["beta"], np.float64).reshape(-1, 2)
        return cls(beta, np.array(arguments["known"], np.float64))

    def counts(
        self, designs: Designs, measurements: NDArray[np.floating[Any]], observed: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Failures and successes of the unknown arms, (R, K, 2), which is all that data say.

        Args:
            designs: (R, n, 1), padded.
            measurements: (R, n).
            observed: (R, n).

        Raises:
            ValueError: A measurement that is neither 0 nor 1.
        """
        if odd := measurements[observed & (measurements != 0) & (measurements != 1)].tolist():
            raise ValueError(
                f"measurements: expected 0 or 1, what a bandit's arms show, got {odd[0]}"
            )
        arms = np.arange(len(self.beta))
        pulls = (designs[..., 0, None] == arms) & observed[..., None]  # (R, n, K)
        successes = (pulls & (measurements == 1)[..., None]).sum(axis=1)
        return np.stack([pulls.sum(axis=1) - successes, successes], axis=-1)

    @override
    def posterior_means(
        self, designs: Designs, measurements: Floats, observed: NDArray[np.bool_]
    ) -> Floats:
        failures, successes = np.moveaxis(self.counts(designs, measurements, observed), -1, 0)
        a, b = self.beta.T
        unknown = (a + successes) / (a + b + successes + failures)
        known = np.broadcast_to(self.known, (len(unknown), len(self.known)))
        return np.concatenate([unknown, known], axis=1)


@dataclass(frozen=True, eq=False)
class FiniteLandscapes(Prior):
    """One of finitely many landscapes over M designs, with noise that takes finitely many values.

    Attributes:
        matrix: (H, M) values of the landscapes.
        weights: (H,) their probabilities.
        noise_values, noise_weights: (E,) what is added to a measurement, and how probably.
    """

    matrix: Floats
    weights: Floats
    noise_values: Floats
    noise_weights: Floats

    kind: ClassVar[str] = "finite_landscapes"
    exact: ClassVar[bool] = True

    @property
    @override
    def noisy(self) -> bool:
        return len(self.noise_values) > 1

    @override
    def arguments(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name).tolist() for each in fields(self)}

    @classmethod
    @override
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(**{name: np.array(numbers, np.float64) for name, numbers in arguments.items()})

    def __getstate__(self) -> dict[str, Any]:
        """Pickles without what can be computed again."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @cached_property
    def outcomes(self) -> NDArray[np.float32]:
        """What a design can show, (M, O), ascending and padded by infinity.

        Measurements are told apart in float32.
        """
        found = [np.unique(self._shown(x)) for x in range(self.matrix.shape[1])]
        outcomes = np.full((len(found), max(map(len, found))), np.inf, np.float32)
        for x, values in enumerate(found):
            outcomes[x, : len(values)] = values
        return outcomes

    @cached_property
    def likelihood(self) -> Floats:
        """How likely each outcome is, (M, O, H)."""
        likelihood = np.zeros((*self.outcomes.shape, len(self.matrix)))
        for x, outcomes in enumerate(self.outcomes):
            likelihood[x] = (self._shown(x) == outcomes[:, None, None]) @ self.noise_weights
        return likelihood

    def _shown(self, design: int) -> NDArray[np.float32]:
        """What landscapes show at a design, with each value of the noise, (H, E)."""
        return (self.matrix[:, design, None] + self.noise_values).astype(np.float32)

    def outcome_codes(
        self, designs: Designs, measurements: NDArray[np.floating[Any]], observed: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Which outcome of its design each observation is, (R, n); 0 where not observed.

        Args:
            designs: (R, n, 1), padded.
            measurements: (R, n).
            observed: (R, n).

        Raises:
            ValueError: A measurement that no landscape shows at its design.
        """
        same: NDArray[np.bool_] = (
            self.outcomes[designs[..., 0]] == measurements.astype(np.float32)[..., None]
        )
        if (strange := observed & ~same.any(axis=-1)).any():
            design, value = designs[strange][0, 0], measurements[strange][0]
            known = ", ".join(f"{v:g}" for v in self.outcomes[design] if np.isfinite(v))
            raise ValueError(
                f"measurements: expected one that a landscape shows at design {design} ({known}), "
                f"got {value:g}"
            )
        return np.where(observed, same.argmax(axis=-1), 0)

    def posterior(
        self, designs: Designs, measurements: NDArray[np.floating[Any]], observed: NDArray[np.bool_]
    ) -> Floats:
        """Probability of every landscape given a dataset, (R, H); arguments as `outcome_codes`.

        Raises:
            ValueError: A dataset that no landscape can show.
        """
        codes = self.outcome_codes(designs, measurements, observed)
        return self.posterior_of_codes(designs[..., 0], codes, observed)

    def posterior_of_codes(
        self, designs: NDArray[np.int64], codes: NDArray[np.int64], observed: NDArray[np.bool_]
    ) -> Floats:
        """Probability of every landscape given numbered outcomes, (R, H); arguments (R, n) each.

        Raises:
            ValueError: A dataset that no landscape can show.
        """
        weights = np.tile(self.weights, (len(codes), 1))  # (R, H)
        for row in range(codes.shape[1]):
            indices = np.flatnonzero(observed[:, row])  # of the campaigns that have such a row
            if not len(indices):
                continue
            joint = weights[indices] * self.likelihood[designs[indices, row], codes[indices, row]]
            total = joint.sum(axis=1, keepdims=True)
            if not (total > 0).all():
                raise ValueError(
                    "measurements: expected a dataset that some landscape shows, got others"
                )
            weights[indices] = joint / total  # in every step, so that many do not underflow
        return weights

    @override
    def posterior_means(
        self, designs: Designs, measurements: Floats, observed: NDArray[np.bool_]
    ) -> Floats:
        posterior = self.posterior(designs, measurements, observed)
        # einsum, because BLAS rounds by the number of rows.
        means: Floats = np.einsum("rh,hm->rm", posterior, self.matrix)
        return means


def prior_from_dict(given: Mapping[str, Any]) -> Prior:
    """A prior from `Prior.to_dict`.

    Raises:
        ValueError: An unknown kind; lists the known ones.
    """
    return from_dict(Prior, given, "prior")  # type: ignore[type-abstract]
