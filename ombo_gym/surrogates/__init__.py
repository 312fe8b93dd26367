"""Models of the objective that are batched over campaigns."""

from ombo_gym.surrogates.kernels import KERNELS, SLOPES
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import Surrogate, make_surrogate

__all__ = ["KERNELS", "SLOPES", "Posterior", "Surrogate", "make_surrogate"]
