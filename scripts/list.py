"""`python -m scripts.list` from a clone is `ombo list` from the wheel."""

from ombo_gym.command import run

if __name__ == "__main__":
    run("list")
else:
    from ombo_agents.cli.list import Args, main

    __all__ = ["Args", "main"]
