"""The learned priors that come with the package, by the names of their families."""

from __future__ import annotations

from pathlib import Path

from ombo_gym.arguments import shown
from ombo_gym.surrogates.learned_prior import CONFIG

FOLDER = Path(__file__).parents[1] / "checkpoints" / "priors"


def shipped_prior(name: str) -> str:
    """The folder of a prior that comes with the package.

    Args:
        name: Of a family, one of `shipped_prior_names()`.

    Returns:
        The path that `surrogate={"kernel": "learned", "path": ...}` takes.

    Raises:
        ValueError: There is no such prior; lists those there are.

    Example:
        >>> from ombo_agents.learned import shipped_prior
        >>> surrogate = {"kernel": "learned", "path": shipped_prior("lcbench")}
    """
    names = shipped_prior_names()
    if name not in names:
        raise ValueError(
            f"prior: expected one of those that come with the package, {names}, got {shown(name)}"
        )
    return str(FOLDER / name)


def shipped_prior_names() -> list[str]:
    """The families whose priors come with the package."""
    return sorted(file.parent.name for file in FOLDER.glob(f"*/{CONFIG}"))
