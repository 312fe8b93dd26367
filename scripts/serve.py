"""`python -m scripts.serve` from a clone is `ombo serve` from the wheel."""

from ombo_agents.cli.main import run
from ombo_agents.cli.serve import Args, main

__all__ = ["Args", "main"]

if __name__ == "__main__":
    run("serve")
