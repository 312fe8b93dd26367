"""Rollout on the surrogate's posterior, against campaigns simulated one by one in plain algebra."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import ombo_agents
import ombo_gym  # noqa: F401
from ombo_agents.planners.plates import Plates
from ombo_agents.planners.rollout.expected_utilities import (
    LAST_BATCH_SAMPLES,
    SimulationSettings,
    expected_utilities,
    quasi_random_normals,
)
from ombo_agents.planners.rollout.joint_posterior import JointPosterior, joint_posterior
from ombo_agents.planners.rollout.variance_reduction import variance_reducing_batch
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import Repeats, campaign_spec
from ombo_gym.surrogates.candidate_posterior import condition_on_dataset
from ombo_gym.surrogates.surrogate import JITTER, make_surrogate
from ombo_gym.utilities import make_utility

Floats = NDArray[np.float64]

QUANTILE = "last_quantile:quantile=0.75"
UTILITIES = (
    *("best", "last_max", "last_mean", "last_median", "total", "recommendation"),
    *("auc", QUANTILE),
)
SETTINGS = SimulationSettings(
    make_utility("best"), Repeats.DISTINCT_IN_BATCH, num_samples=8, explore=2.0, finish=1.5
)


def joint_of(rows: int = 3, size: int = 12, *, noise: float = 0.0, seed: int = 0) -> JointPosterior:
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (rows, size, 2))
    squared = ((points[:, :, None] - points[:, None]) ** 2).sum(axis=-1)
    return JointPosterior(
        points.astype(np.float32),
        rng.normal(size=(rows, size)),
        rng.uniform(0.5, 2, (rows, 1, 1)) * np.exp(-squared) + 1e-3 * np.eye(size),
        np.full(rows, noise),
        rng.normal(size=rows),
        np.zeros((rows, size), bool),
    )


class Slow:
    """One campaign in simulation, in double precision, conditioned measurement by measurement."""

    def __init__(self, joint: JointPosterior, row: int, settings: SimulationSettings) -> None:
        self.mean, self.cov = joint.mean[row].copy(), joint.covariance[row].copy()
        self.noise, self.blocked = joint.noise[row], joint.blocked[row].copy()
        self.settings = settings

    def learn(self, design: int, z: float) -> None:
        """Measures one design; z says how surprising it is."""
        deviation = np.sqrt(self.cov[design, design] + self.noise)
        gain = self.cov[:, design] / deviation
        self.mean, self.cov = self.mean + gain * z, self.cov - np.outer(gain, gain)

    def measure(self, batch: list[int], z: Floats) -> Floats:
        """Measures a batch; what its designs are believed to be worth then."""
        for design, number in zip(batch, z, strict=True):
            self.learn(design, number)
        if self.settings.repeats is Repeats.NEVER_AGAIN:
            self.blocked[batch] = True
        return self.mean[batch]

    def fill(self, weight: float, q: int) -> list[int]:
        """A batch by upper confidence bounds, variances as if what is picked were measured."""
        ahead, batch = replaced(self), []
        for _ in range(q):
            scores = self.mean + weight * np.sqrt(np.maximum(np.diag(ahead.cov), 1e-12))
            scores[self.blocked] = -1e30
            if self.settings.repeats is not Repeats.ALLOWED:
                scores[batch] = -1e30
            batch.append(int(scores.argmax()))
            ahead.learn(batch[-1], 0.0)
        return batch

    def best_of(self, batch: list[int], floor: float) -> float:
        """Expected best value of a last batch."""
        reached = []
        for z in quasi_random_normals(LAST_BATCH_SAMPLES, len(batch)).astype(float):
            ahead, best = replaced(self), floor
            for design, number in zip(batch, z, strict=True):
                ahead.learn(design, number)
                best = max(best, ahead.mean[design])
            reached.append(best)
        return float(np.mean(reached))


def replaced(campaign: Slow) -> Slow:
    copy = object.__new__(Slow)
    copy.__dict__ = {**campaign.__dict__}
    return copy


def slowly(
    joint: JointPosterior,
    row: int,
    first: list[int],
    plates: Plates,
    lookahead: int,
    settings: SimulationSettings,
) -> float:
    """What `expected_utilities` says of one batch."""
    utility, simulated, beyond = str(settings.utility), plates[:lookahead], plates[lookahead:]
    measured = simulated if utility == "recommendation" else simulated[:-1]
    numbers = quasi_random_normals(settings.num_samples, sum(measured)).astype(float)
    reached = []
    for numbers_of_course in numbers:
        campaign, z = Slow(joint, row, settings), list(numbers_of_course)
        total, best, bests = 0.0, joint.best[row], []
        for played, q in enumerate(measured):
            batch = campaign.fill(settings.explore, q) if played else first
            total += campaign.mean[batch].sum()
            best = max(best, campaign.measure(batch, np.array(z[:q])).max())
            bests.append(best)
            del z[:q]
        q = simulated[-1]
        hopes = np.sort(campaign.mean[~campaign.blocked])[::-1]
        top = np.repeat(hopes[0], q) if settings.repeats is Repeats.ALLOWED else hopes[:q]
        if utility == "recommendation":
            reached.append(campaign.mean.max())
        elif utility in ("best", "last_max", "auc"):
            last = campaign.fill(settings.finish, q)
            final = campaign.best_of(last, -np.inf if utility == "last_max" else best)
            area = sum(bests) + (1 + len(beyond)) * final
            reached.append(area if utility == "auc" else final)
        elif utility == "total":
            reached.append(total + top.sum() * (1 + sum(beyond) / q))
        else:
            of_batch = {"last_mean": np.mean, "last_median": np.median}
            reached.append(of_batch.get(utility, partial(np.quantile, q=0.75))(top))
    return float(np.mean(reached))


PLATES = [(2, 2, 2, 2), (1, 1), (3, 3, 3), (2, 3, 1), (3, 1, 2, 2), (1, 4)]


@pytest.mark.parametrize(
    ("utility", "repeats", "plates", "lookahead"),
    [  # everything meets everything; of the two lookaheads one is quick, in turn
        pytest.param(
            *(utility, repeats, plates, lookahead),
            marks=() if (i + j + k + lookahead) % 2 == 0 else pytest.mark.slow,
        )
        for i, utility in enumerate(UTILITIES)
        for j, repeats in enumerate(Repeats)
        for k, plates in enumerate(PLATES)
        for lookahead in (2, 3)
    ],
    ids=str,
)
def test_values_are_those_of_campaigns_that_are_simulated_one_by_one(
    utility: str, repeats: Repeats, plates: Plates, lookahead: int
) -> None:
    settings = replace(SETTINGS, utility=make_utility(utility), repeats=repeats)
    for noise in (JITTER, 0.3):
        joint = joint_of(noise=noise)
        rng = np.random.default_rng(1)
        batches = np.argsort(rng.random((3, 4, 12)), axis=2)[..., : plates[0]]
        found = expected_utilities(joint, batches, plates, lookahead, settings)
        for row, option in ((0, 0), (0, 3), (1, 1), (2, 2)):
            slow = slowly(joint, row, batches[row, option].tolist(), plates, lookahead, settings)
            assert found[row, option] == pytest.approx(slow, abs=4e-4)


def test_values_do_not_depend_on_how_many_are_computed_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    joint, rng = joint_of(rows=5), np.random.default_rng(2)
    batches = np.argsort(rng.random((5, 3, 12)), axis=2)[..., :2]
    together = expected_utilities(joint, batches, (2, 2, 2), 3, SETTINGS)
    monkeypatch.setattr("ombo_agents.planners.rollout.expected_utilities.CHUNK_ENTRIES", 1)
    np.testing.assert_array_equal(
        expected_utilities(joint, batches, (2, 2, 2), 3, SETTINGS), together
    )


@pytest.mark.parametrize("dim", [1, 2, 12, 40])
def test_numbers_are_standard_normal_in_pairs(dim: int) -> None:
    numbers = quasi_random_normals(256, dim)
    np.testing.assert_array_equal(numbers[:128], -numbers[128:])
    np.testing.assert_allclose(numbers.T @ numbers / 256, np.eye(dim), atol=1e-5)
    assert stats.kstest(numbers.ravel(), "norm").statistic < 0.03


def test_few_numbers_for_many_dimensions_are_finite() -> None:
    numbers = quasi_random_normals(160, 120)
    assert np.isfinite(numbers).all()
    assert numbers.std() == pytest.approx(1, abs=0.1)


# --- batches that tell most ----------------------------------------------------------------------


def left_over(covariance: Floats, batch: list[int], noise: float, counts: Floats) -> float:
    """Weighted variance that is left after a batch."""
    own = covariance[np.ix_(batch, batch)] + (noise + 1e-9) * np.eye(len(batch))
    cross = covariance[:, batch]
    left = np.diag(covariance) - np.einsum("mi,ij,mj->m", cross, np.linalg.inv(own), cross)
    return float(counts @ left)


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("reach", [0.0, 1.0, 3.0])
def test_each_slot_leaves_the_least_variance_of_what_may_be_best(
    reach: float, noise: float
) -> None:
    joint = joint_of(rows=4, noise=noise, seed=5)
    batches = variance_reducing_batch(joint, reach, 3)
    for row, batch in enumerate(batches.tolist()):
        sd = np.sqrt(np.diag(joint.covariance[row]))
        hope = joint.mean[row] + reach * sd
        counts = np.exp((hope - hope.max()) / (0.3 * sd.max()))
        for slot in range(3):
            left = {
                design: left_over(joint.covariance[row], [*batch[:slot], design], noise, counts)
                for design in set(range(12)) - set(batch[:slot])
            }
            assert left[batch[slot]] <= min(left.values()) + 1e-5


def test_what_is_blocked_is_taken_only_when_nothing_else_is_left() -> None:
    joint = joint_of(rows=2)
    joint.blocked[0, 3:] = True
    batches = variance_reducing_batch(joint, 1.0, 5)
    assert set(batches[0, :3].tolist()) == {0, 1, 2}
    assert len(set(batches[1].tolist())) == 5


# --- the policy ----------------------------------------------------------------------------------


def group_of(env_id: str, **arguments: Any) -> Any:
    env = gym.make_vec(env_id, 3, autoreset_mode="Disabled", **arguments)
    observation, _ = env.reset(seed=4)
    spec, rngs = campaign_spec(env), GeneratorBatch(np.random.default_rng(9), 3)
    spec = replace(spec, repeats=Repeats.NEVER_AGAIN)
    found = condition_on_dataset(observation, spec, make_surrogate(spec), rngs.take)
    return next(iter(found)), spec.design_space


def test_a_joint_posterior_holds_what_was_asked_for_first_and_blocks_what_is_no_new_design() -> (
    None
):
    group, space = group_of("Ombo/TFBind8-v0", start={"kind": "percentile", "size": 64})
    assert group.measured is not None and group.measured.any()
    further = group.candidates[:, [5, 6, 5]]
    joint = joint_posterior(group, space, further)
    np.testing.assert_array_equal(joint.designs[:, :3], further)
    for row in range(3):
        known = {tuple(design) for design in group.candidates[row][group.measured[row]].tolist()}
        seen: set[tuple[int, ...]] = set()
        for index, design in enumerate(map(tuple, joint.designs[row].tolist())):
            measured = design in known and index >= 3  # what was asked for is up to who asks
            assert joint.blocked[row, index] == (measured or design in seen)
            seen.add(design)
    features = space.features(joint.designs)
    np.testing.assert_allclose(joint.mean, group.posterior.at(features).mean)
    np.testing.assert_allclose(
        np.diagonal(joint.covariance, axis1=1, axis2=2),
        group.posterior.at(features).sd ** 2,
        rtol=1e-6,
    )


def test_it_proposes_the_batch_that_simulation_values_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    env = gym.make_vec(
        "Ombo/GP-v0", 4, horizon=3, batch_size=2, utility="best", autoreset_mode="Disabled"
    )
    observation, _ = env.reset(seed=1)
    seen: list[tuple[JointPosterior, NDArray[np.intp], Floats]] = []

    def watched(joint: JointPosterior, batches: NDArray[np.intp], *others: Any) -> Floats:
        seen.append((joint, batches, expected_utilities(joint, batches, *others)))
        return seen[-1][2]

    monkeypatch.setattr("ombo_agents.planners.rollout.policy.expected_utilities", watched)
    proposed = ombo_agents.make("rollout", env).act(observation, np.random.default_rng(0))
    row = 0
    for joint, batches, values in seen:
        for each in range(len(values)):
            best = joint.designs[each, batches[each, values[each].argmax()]]
            np.testing.assert_array_equal(proposed[row], best)
            row += 1
    assert row == 4 and all(batches.shape[1:] == (6, 2) for _, batches, _ in seen)


def with_plates(observation: dict[str, Any], sizes: list[int]) -> dict[str, Any]:
    """The same datasets before other plates."""
    plates = np.zeros_like(observation["plates"])
    plates[:, : len(sizes)] = sizes
    left = np.full_like(observation["rounds_left"], len(sizes))
    return {**observation, "plates": plates, "rounds_left": left}


@pytest.mark.parametrize(
    ("name", "utility"),
    [
        *[("rollout", utility) for utility in ("best", "auc", "last_mean", QUANTILE)],
        ("binoculars", "best"),
    ],
)
def test_the_next_batch_depends_on_the_sizes_of_those_to_come(name: str, utility: str) -> None:
    env = gym.make_vec(
        "Ombo/GP-v0", 6, plates=[4, 8, 1], utility=utility, autoreset_mode="Disabled"
    )
    observation, _ = env.reset(seed=3)
    briefly = ":num_samples=16;num_restarts=2;max_iterations=2"
    policy = ombo_agents.make(name + briefly, env)

    def proposed(sizes: list[int]) -> NDArray[Any]:
        rngs = [np.random.default_rng(row) for row in range(6)]
        actions = policy.act(with_plates(observation, sizes), rngs)
        assert env.action_space.contains(actions) and not actions[:, sizes[0] :].any()
        return actions[:, : sizes[0]]

    planned = proposed([4, 8, 1])
    np.testing.assert_array_equal(proposed([4, 8, 1]), planned)
    for other in ([4, 1, 1], [4]):
        differs = (planned != proposed(other)).any(axis=(1, 2))
        assert differs.any()
    # Of what is to come, nothing but the sizes: neither N nor the rounds before.
    longer = gym.make_vec("Ombo/GP-v0", 6, plates=[4, 4, 8, 1], utility=utility)
    longer_observation, _ = longer.reset(seed=3)
    longer_observation = with_plates(longer_observation, [4, 8, 1])
    again = ombo_agents.make(name + briefly, longer).act(
        longer_observation, [np.random.default_rng(row) for row in range(6)]
    )
    np.testing.assert_array_equal(again[:, :4], planned)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("num_samples=7", "num_samples: expected an even"),
        ("explore=-1", "explore: expected a number of at least 0"),
        ("finish=nan", "finish: expected a number of at least 0"),
        ("lookahead=1", "lookahead: expected a whole number of at least 2"),
        ("reaches=-1/2", "reaches: expected at least one, each from 0"),
        ("num_restarts=-1", "num_restarts: expected"),
    ],
)
def test_settings_out_of_range_are_refused(settings: str, message: str) -> None:
    env = gym.make("Ombo/GP-v0", horizon=3, batch_size=2)
    with pytest.raises(ValueError, match=message):
        ombo_agents.make(f"rollout:{settings}", env)


def test_one_weight_and_one_reach_need_no_list() -> None:
    env = gym.make("Ombo/GP-v0", horizon=3, batch_size=2)
    observation, _ = env.reset(seed=0)
    batched = {name: array[None] for name, array in observation.items()}
    batches = [
        ombo_agents.make(name, env, **settings).act(batched, np.random.default_rng(0))
        for name, settings in (
            ("rollout:reaches=3;weights=1.5;num_samples=32", {}),
            ("rollout", {"reaches": [3.0], "weights": [1.5], "num_samples": 32}),
        )
    ]
    np.testing.assert_array_equal(*batches)
