"""Which surrogate recipes a page's policies had, in words that hold when recipes have changed."""

from __future__ import annotations

from ombo_gym.evaluation.markdown import code

MEANINGS = {
    "prior": "the process that functions are drawn from",
    "fit": "a lengthscale for each parameter and the noise, a posteriori",
    "isotropic": "one lengthscale and the noise, the likeliest on a grid",
}
INTRODUCTION = "Surrogate recipes as played:"


def recipes_line(*kernels: str) -> str:
    """What recipes were when a page was written.

    Args:
        kernels: Names of recipes, as in `surrogate={"kernel": ...}`.

    Raises:
        KeyError: A recipe that there is none of.
    """
    words = [f"{code(name)} is {MEANINGS[name]}" for name in kernels]
    return f"{INTRODUCTION} {'; '.join(words)}."
