"""`python -m scripts.exact` from a clone is `ombo exact` from the wheel."""

from ombo_agents.cli.exact import Args, main, solve
from ombo_agents.cli.main import run

__all__ = ["Args", "main", "solve"]

if __name__ == "__main__":
    run("exact")
