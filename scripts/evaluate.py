"""`python -m scripts.evaluate` from a clone is `ombo evaluate` from the wheel."""

from ombo_agents.cli.evaluate import Args, main, plans_of, show
from ombo_agents.cli.main import run

__all__ = ["Args", "main", "plans_of", "show"]

if __name__ == "__main__":
    run("evaluate")
