"""`python -m scripts.advise` from a clone is `ombo advise` from the wheel."""

from ombo_agents.cli.advise import Args, main
from ombo_agents.cli.main import run

__all__ = ["Args", "main"]

if __name__ == "__main__":
    run("advise")
