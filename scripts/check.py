"""`python -m scripts.check` from a clone is `ombo check` from the wheel."""

from ombo_agents.cli.check import Args, main
from ombo_agents.cli.main import run

__all__ = ["Args", "main"]

if __name__ == "__main__":
    run("check")
