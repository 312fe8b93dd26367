"""`python -m scripts.exact` from a clone is `ombo exact` from the wheel."""

from ombo_gym.command import run

if __name__ == "__main__":
    run("exact")
else:
    from ombo_agents.cli.exact import Args, main, solve

    __all__ = ["Args", "main", "solve"]
