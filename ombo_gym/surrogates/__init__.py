"""Models of the objective that are batched over campaigns."""

from ombo_gym.surrogates.kernels import KERNELS, SLOPES

__all__ = ["KERNELS", "SLOPES"]
