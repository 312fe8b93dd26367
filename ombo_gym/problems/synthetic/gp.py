"""Functions drawn from a Gaussian process on [-1, 1]^d."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import BoxDesigns, Designs
from ombo_gym.priors import GaussianProcess
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.problems.core.checks import is_number, one_of
from ombo_gym.quasirandom import kronecker
from ombo_gym.randomness import BatchedGenerator

# Designs that the search for an optimum starts from: 16 to a cube of one lengthscale, in bounds.
_SEARCH, _FEWEST, _MOST = 16, 2**12, 2**16
_CLIMBERS = 16  # it climbs from the best of them
_STEPS = 200
_LARGEST = 2**16  # coordinates, or features
_LARGEST_FUNCTION = 2**27  # coordinates of all features, of 4 bytes each
_LONGEST = 1e30  # lengthscale
_ENTRIES = 2**22  # of the arrays in an evaluation, for bounded memory


class GP(Problem):
    """Functions drawn from a Gaussian process: what the surrogates of the field assume, exactly.

    A design is a point of [-1, 1]^d. Its value is that of a function which each campaign draws
    anew, from a process of zero mean and unit variance: values have no unit, most lie between -2
    and 2, and the maximum over the default square is 2.4 on average. Every design can be measured.
    Measurements are exact unless `noise_std` says otherwise.

    An instance is a sum of F random Fourier features, `f(x) = F^(-1/2) sum_i a_i cos(w_i x + p_i)`,
    with the frequencies `w_i` drawn from the kernel's spectral density, Rayleigh amplitudes `a_i`
    and uniform phases `p_i`. Given the frequencies, f is exactly Gaussian with unit variance; over
    campaigns its covariance is exactly the kernel. It is a closed form, so that true values are
    exact and repeatable.

    A campaign starts with 4 random designs. By default surrogates know the kernel and lengthscale
    that functions are drawn from (`surrogate={"kernel": "prior"}`), the same for all policies;
    `{"kernel": "fit"}` lets them find out. The maximum of an instance, which is score 1, is found
    by gradient ascent from the best of a quasi-random set when it is asked for: a search, from
    below.

    Args:
        dim: d, the number of coordinates, up to 65,536.
        kernel: "matern52" or "rbf": covariance of the process.
        lengthscale: Of the kernel, in units in which the box has side 2.
        features: F, the number of random features, up to 65,536.

    Raises:
        ValueError: An argument out of range.

    References:
        Rahimi and Recht, Random Features for Large-Scale Kernel Machines, NeurIPS 2007.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/GP-v0", dim=3, horizon=3, batch_size=4)
        >>> observation, info = env.reset(seed=0, options={"optimum": True})
        >>> batch = env.action_space.sample()  # (4, 3): four points of the cube
        >>> observation, reward, *_, info = env.step(batch)
    """

    domain: ClassVar[str] = "synthetic"
    rounds: ClassVar[tuple[int, int]] = (1, 20)
    start: ClassVar[dict[str, Any]] = {"kind": "random", "size": 4}
    surrogate: ClassVar[dict[str, Any]] = {"kernel": "prior"}

    def __init__(
        self,
        *,
        dim: int = 2,
        kernel: str = "matern52",
        lengthscale: float = 0.3,
        features: int = 256,
    ) -> None:
        one_of("kernel", kernel, ("matern52", "rbf"))
        if not is_number(lengthscale) or not 0 < lengthscale < _LONGEST:
            raise ValueError(f"lengthscale: expected a positive number, got {lengthscale!r}")
        for name, number in (("dim", dim), ("features", features)):
            if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
                raise ValueError(f"{name}: expected a whole number of at least 1, got {number!r}")
            if number > _LARGEST:
                raise ValueError(f"{name}: expected at most {_LARGEST:,}, got {number:,}")
        self.design_space = BoxDesigns(int(dim))
        if int(dim) * int(features) > _LARGEST_FUNCTION:
            raise ValueError(
                f"dim, features: expected at most {_LARGEST_FUNCTION:,} coordinates of all "
                f"features together, got {dim:,} * {features:,}"
            )
        self.prior: GaussianProcess = GaussianProcess(kernel, float(lengthscale))
        self._features = int(features)

    @override
    def draw(self, rngs: BatchedGenerator) -> Instances:
        prior, dim, features = self.prior, self.design_space.shape[0], self._features
        heavy = prior.kernel == "matern52"  # frequencies are Student t, with 5 degrees of freedom
        pairs = (dim + heavy + 1) // 2  # of normal numbers, one of them for chi^2

        # Uniform numbers alone are drawn campaign by campaign; the rest is done for all at once.
        shape = (2 * pairs + 2 * heavy + 2, features)
        u = rngs.draw(lambda rng: rng.random(shape, dtype=np.float32))
        normals = box_muller(u[:, :pairs], u[:, pairs : 2 * pairs])  # (R, 2 pairs, F)
        scale = np.float32(1 / prior.lengthscale)
        if heavy:
            # chi^2 with 5 degrees of freedom: two exponentials and the square of a normal.
            chi2 = -2 * np.log1p(-u[:, -4:-2]).sum(axis=1) + normals[:, dim] ** 2  # (R, F)
            scale = scale * np.sqrt(5 / chi2)[:, None]
        return {
            "frequencies": normals[:, :dim] * scale,  # (R, d, F)
            "phases": np.float32(2 * np.pi) * u[:, -2],  # (R, F)
            "amplitudes": np.sqrt(np.float32(-2 / features) * np.log1p(-u[:, -1])),  # (R, F)
        }

    @override
    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        num_campaigns, n = designs.shape[:2]
        values = np.empty((num_campaigns, n))
        step = max(1, _ENTRIES // max(1, n * self._features))
        for first in range(0, num_campaigns, step):
            part = slice(first, first + step)
            # One product per design: BLAS rounds by shape, and a design has one value, whatever
            # it is proposed with.
            angles = np.matmul(designs[part, :, None], instances["frequencies"][part, None])
            angles += instances["phases"][part, None, None]  # (R, n, 1, F)
            np.cos(angles, out=angles)
            amplitudes = instances["amplitudes"][part, None, :, None]
            values[part] = np.matmul(angles, amplitudes)[..., 0, 0]
        return values

    def optimum(self, instances: Instances) -> NDArray[np.float64]:
        """Maxima by gradient ascent from the best of a quasi-random set, (R,): from below."""
        dim = self.design_space.shape[0]
        cubes = (2 / self.prior.lengthscale) ** dim
        count = int(min(max(_SEARCH * cubes, _FEWEST), _MOST))
        grid = (2 * kronecker(count, dim) - 1).astype(np.float32)
        found = [
            self._climb({name: array[i : i + 1] for name, array in instances.items()}, grid)
            for i in range(len(instances["phases"]))
        ]
        return np.array(found)

    def _climb(self, instance: Instances, grid: NDArray[np.float32]) -> float:
        """Projected gradient ascent; a climber's step grows on success and shrinks on failure."""
        frequencies = instance["frequencies"][0].astype(np.float64)  # (d, F)
        amplitudes = instance["amplitudes"][0].astype(np.float64)
        values = self.evaluate(instance, grid[None])[0]
        top = np.argsort(-values, kind="stable")[:_CLIMBERS]
        x, value = grid[top].astype(np.float64), values[top]
        step = np.full((len(x), 1), self.prior.lengthscale**2 / 2)
        for _ in range(_STEPS):
            angles = x @ frequencies + instance["phases"][0]
            gradient = -(np.sin(angles) * amplitudes) @ frequencies.T
            trial = np.clip(x + step * gradient, -1.0, 1.0)
            trial_values = self.evaluate(instance, trial.astype(np.float32)[None])[0]
            better = trial_values > value
            x, value = np.where(better[:, None], trial, x), np.where(better, trial_values, value)
            step *= np.where(better[:, None], 1.3, 0.4)
            if step.max() < 1e-7:
                break
        return float(value.max())


def box_muller(u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.float32]:
    """Standard normal numbers from uniform ones in [0, 1), (R, m, F) twice -> (R, 2 m, F)."""
    radius = np.sqrt(-2 * np.log1p(-u))
    angle = np.float32(2 * np.pi) * v
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
