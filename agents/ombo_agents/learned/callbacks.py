"""What happens between the updates of a training run."""

from __future__ import annotations

import ombo_agents.learned.requirements  # noqa: F401  # isort: skip

import math
import re
import time
from collections.abc import Callable
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, ProgressBarCallback
from typing_extensions import override

from ombo_agents.learned.storage import non_finite

_OF_NAN = re.compile(r"to satisfy the constraint|\b(?:nan|inf)\b", re.IGNORECASE)


class FallingEntropy(BaseCallback):
    """Lets the entropy bonus fall to none with the share of the rounds that is left.

    Args:
        start: Weight of the bonus at the beginning.
        power: Of that share: 1 falls linearly, more leaves most of training with little.
    """

    def __init__(self, start: float, power: float) -> None:
        super().__init__()
        self._start, self._power = start, power

    @override
    def _on_step(self) -> bool:
        return True

    @override
    def _on_rollout_start(self) -> None:
        model: Any = self.model
        share_left = max(0.0, model._current_progress_remaining)
        model.ent_coef = self._start * share_left**self._power


class ProgressInUpdates(ProgressBarCallback):
    """A progress bar that ends where training does: steps are rounded up to whole updates."""

    @override
    def _on_training_start(self) -> None:
        super()._on_training_start()
        model: Any = self.model
        update = model.n_steps * model.n_envs
        self.pbar.total = -(-self.pbar.total // update) * update
        self.pbar.refresh()


class Checkpoints(BaseCallback):
    """Checks every update, and keeps where the run stands at most so many seconds old.

    The first is kept before the first update, so that a run can be resumed from its beginning on.

    Args:
        keep: Called between two updates, of which both were checked.
        seconds: Between two calls, or somewhat more: an update is not interrupted.
    """

    def __init__(self, keep: Callable[[], None], seconds: float) -> None:
        super().__init__()
        self._keep, self._seconds = keep, seconds
        self._last_kept = -math.inf

    @override
    def _on_step(self) -> bool:
        return True

    @override
    def _on_rollout_start(self) -> None:
        check_finite(self.model)
        if time.perf_counter() - self._last_kept >= self._seconds:
            self._keep()
            self._last_kept = time.perf_counter()

    @override
    def _on_training_end(self) -> None:
        check_finite(self.model)


def check_finite(model: BaseAlgorithm, error: Exception | None = None) -> None:
    """Refuses to go on with a network that has diverged.

    Args:
        model: In training.
        error: That ended an update, if one did.

    Raises:
        ValueError: A weight, an output or the last update's loss is NaN or infinite.
    """
    if (reason := why_diverged(model, error)) is not None:
        raise ValueError(
            f"training diverged: {reason} after {model.num_timesteps:,} rounds; nothing of it was "
            "written, the last files are those of the run while all was well; begin anew with a "
            "smaller learning_rate, or with a problem whose values are of moderate size"
        ) from error


def why_diverged(model: BaseAlgorithm, error: Exception | None = None) -> str | None:
    """What is NaN or infinite after an update, or ended it by an error; None where all is well."""
    if (name := non_finite(model.policy)) is not None:
        return f"the weights {name} are NaN or infinite"
    logger = getattr(model, "_logger", None)  # none before training begins
    for name, value in ({} if logger is None else logger.name_to_value).items():
        if name.endswith("loss") and not math.isfinite(value):
            return f"{name} is {value}"
    # Of torch, about a distribution that is given NaN, checked or not; of the environment, about
    # an action.
    if _OF_NAN.search(str(error)):
        return "what the network says is NaN or infinite"
    return None
