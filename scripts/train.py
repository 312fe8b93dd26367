"""`python -m scripts.train` from a clone is `ombo train` from the wheel."""

from ombo_gym.command import run

if __name__ == "__main__":
    run("train")
else:
    from ombo_agents.cli.train import Args, main

    __all__ = ["Args", "main"]
