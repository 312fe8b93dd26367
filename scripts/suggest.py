"""`python -m scripts.suggest` from a clone is `ombo suggest` from the wheel."""

from ombo_agents.cli.main import run
from ombo_agents.cli.suggest import Args, main

__all__ = ["Args", "main"]

if __name__ == "__main__":
    run("suggest")
