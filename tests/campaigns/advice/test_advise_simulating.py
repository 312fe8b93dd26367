"""Simulated campaigns: on objectives that are known, outcomes are what arithmetic says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.advice.simulating import Simulation

SPACE = {"a": list(range(10)), "b": [0, 1]}
UNTOUCHED: Any = lambda rounds: None  # noqa: E731


class Linear:
    """S times the objective 10 a + b, measured without noise."""

    def __init__(self, designs: Any, features: Any, count: int, noise: float = 0.0) -> None:
        values = 10.0 * designs[:, 0] + designs[:, 1]
        self._weights = np.linalg.lstsq(
            np.c_[features, np.ones(len(features))], values, rcond=None
        )[0]
        self.noise_std, self.rugged = np.full(count, noise), np.zeros(count, bool)

    def take(self, draws: Any) -> Linear:
        taken = object.__new__(Linear)
        taken._weights, taken.noise_std = self._weights, self.noise_std[draws]
        return taken

    def at_own(self, features: Any) -> Any:
        found = features @ self._weights[:-1] + self._weights[-1]
        return np.broadcast_to(found, (len(self.noise_std), features.shape[-2]))

    def played(self, features: Any, luck: Any) -> Any:
        true = self.at_own(features)
        return true, true + self.noise_std[:, None] * luck

    def before(self, features: Any, values: Any) -> Any:
        return self.at(features).max(axis=1)

    def at(self, features: Any) -> Any:
        return self.at_own(features)


def simulation(utility: Any = "best", noise: float = 0.0) -> Simulation:
    rows = [{"a": a, "b": b, "y": 10 * a + b} for a in range(6) for b in range(2)]
    campaign = Campaign.from_csv(rows, SPACE, target="y", utility=utility)
    known = campaign.known([2, 2])
    features = known.spec.design_space.features(known.designs)
    raw = np.array([(row["a"], row["b"]) for row in rows], float)
    linear: Any = Linear(raw, features, 7, noise)
    return Simulation(known, linear, 0, UNTOUCHED)


def test_stopping_now_is_worth_the_best_that_is_known() -> None:
    assert simulation().before == pytest.approx(np.full(7, 51))


def test_greedy_climbs_a_line_to_its_end() -> None:
    assert simulation().play("greedy", [2, 2, 2, 2]) == pytest.approx(np.full(7, 91))


@pytest.mark.parametrize(("utility", "expected"), [("last_mean", 90.5), ("last_max", 91.0)])
def test_the_campaigns_own_utility_counts(utility: str, expected: float) -> None:
    assert simulation(utility).play("greedy", [2]) == pytest.approx(np.full(7, expected))


def test_auc_is_the_mean_over_rounds() -> None:
    best_after_one = simulation().play("greedy", [2])
    best_after_two = simulation().play("greedy", [2, 2])
    assert simulation("auc").play("greedy", [2, 2]) == pytest.approx(
        (best_after_one + best_after_two) / 2
    )


def test_outcomes_are_true_values_however_noisy_measurements_are() -> None:
    found = simulation(noise=50.0).play("random", [2, 2])
    assert set(np.round(found).tolist()) <= {51, *range(60, 100)}
    assert np.abs(found - np.round(found)).max() < 1e-9


def test_luck_does_not_depend_on_plates_that_come_later() -> None:
    short, long = (simulation(noise=5.0).play("random", plates) for plates in ([3], [3, 2]))
    assert (long >= short).all()
    assert (long > short).any()


@pytest.mark.parametrize("policy", ["greedy", "doe_then_ucb:last_weight=1", "random"])
def test_a_first_plate_without_chance_is_chosen_once_for_all(
    policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    together = Simulation._together

    def counted(self: Any, player: Any, spec: Any, shown: Any, *rest: Any) -> Any:
        asked.append(len(shown["rounds_left"]))
        return together(self, player, spec, shown, *rest)

    monkeypatch.setattr(Simulation, "_together", counted)
    once = simulation(noise=5.0).play(policy, [2, 2])
    assert asked == ([7, 7] if policy == "random" else [1, 7])
    monkeypatch.setattr(Simulation, "_first_plate", lambda *args: None)
    assert simulation(noise=5.0).play(policy, [2, 2]).tolist() == once.tolist()
