"""The evaluation's pictures, as matplotlib figures without global state (no pyplot).

Policies keep one colour and marker over all pictures of a report (`policy_styles`). Trained
policies, recognised by a path separator in their name, are drawn thick.
"""

try:
    from ombo_gym.evaluation.figures.canvas import png, spread, svg
    from ombo_gym.evaluation.figures.curves import horizon_curves, planning_curves
    from ombo_gym.evaluation.figures.schedule import exploration_schedule
    from ombo_gym.evaluation.figures.scores import leaderboard_scores, performance_profiles
except ModuleNotFoundError as error:
    raise ImportError(
        "ombo_gym.evaluation.figures needs pandas and matplotlib: "
        'pip install "ombo-gym[evaluation]"'
    ) from error

__all__ = [
    "exploration_schedule",
    "horizon_curves",
    "leaderboard_scores",
    "performance_profiles",
    "planning_curves",
    "png",
    "spread",
    "svg",
]
