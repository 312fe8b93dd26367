"""`python -m scripts.train` from a clone is `ombo train` from the wheel."""

from ombo_agents.cli.main import run
from ombo_agents.cli.train import Args, main

__all__ = ["Args", "main"]

if __name__ == "__main__":
    run("train")
