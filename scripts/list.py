"""`python -m scripts.list` from a clone is `ombo list` from the wheel."""

from ombo_agents.cli.list import Args, main
from ombo_agents.cli.main import run

__all__ = ["Args", "main"]

if __name__ == "__main__":
    run("list")
