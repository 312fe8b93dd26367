"""`python -m scripts.evaluate` from a clone is `ombo evaluate` from the wheel."""

from ombo_gym.command import run

if __name__ == "__main__":
    run("evaluate")
else:
    from ombo_agents.cli.evaluate import Args, main, plans_of, show

    __all__ = ["Args", "main", "plans_of", "show"]
