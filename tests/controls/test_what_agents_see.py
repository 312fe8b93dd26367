"""What controls show: one shape for all campaigns, no units, bounded, nothing that is not known."""

from __future__ import annotations

import json

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_gym import BoxDesigns, CampaignSpec, CandidateDesigns, CategoricalDesigns, MixedDesigns
from ombo_gym.controls import make_control
from ombo_gym.controls.campaign_features import CAMPAIGN, SPACE_KINDS, UTILITIES
from ombo_gym.controls.candidates import CANDIDATE
from ombo_gym.controls.exploration import SUMMARY
from ombo_gym.controls.linear_model import NOISE, LinearModel
from ombo_gym.design_spaces.category_pool import CategoryPool
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import ORIGINS, Origin, Repeats
from ombo_gym.surrogates.candidate_posterior import condition_on_dataset

_POOL = np.random.default_rng(0)
SPACES = {
    "box": BoxDesigns(2),
    "box in 20-D": BoxDesigns(20),
    "line": BoxDesigns(1),
    "two bits": CategoricalDesigns([2, 2]),
    "sequences": CategoricalDesigns([20] * 12),
    "pool": CandidateDesigns(_POOL.normal(size=(40, 2)), scale="none"),
    "wide pool": CandidateDesigns(_POOL.normal(size=(3000, 12)), scale="none"),
    "rows of categories": CategoryPool(_POOL.integers(4, size=(1500, 6))),
    "mixed": MixedDesigns({"a": (0, 1), "b": [1.0, 2.0, 5.0], "c": list("xyz")}),
    "grid": MixedDesigns({"a": {"range": [0, 1], "step": 0.25}, "c": list("xyz")}),
}


def campaigns_of(spec, rows, n, seed=0, *, scale=1.0, shift=0.0, rounds_left=None, start=None):
    """Observations of B campaigns that have measured n random designs, (B, ...)."""
    rngs = GeneratorBatch(np.random.default_rng([seed, n]), rows)
    space, capacity = spec.design_space, spec.capacity
    designs = np.zeros((rows, capacity, *space.shape), space.dtype)
    designs[:, :n] = space.canonical(space.sample(rngs, n)) if n else 0
    values = np.zeros((rows, capacity))
    values[:, :n] = shift + scale * np.random.default_rng(seed).normal(size=(rows, n))
    used = np.broadcast_to(np.arange(capacity) < n, (rows, capacity)).astype(np.int8)
    first = np.arange(capacity) < (n if start is None else start)
    left = spec.horizon if rounds_left is None else rounds_left
    plates = np.where(np.arange(spec.horizon) < left, spec.batch_size, 0)
    return {
        "designs": designs,
        "measurements": values,
        "observed": used,
        "from_start": used * first.astype(np.int8),
        "rounds_left": np.full((rows, 1), left, np.float32),
        "plates": np.broadcast_to(plates, (rows, spec.horizon)).astype(np.float32),
    }


def rngs_of(seed):
    def take(indices):
        return GeneratorBatch([np.random.default_rng([seed, i]) for i in indices], len(indices))

    return take


def spec_of(name, **settings):
    return CampaignSpec(SPACES[name], **{"horizons": (1, 4), "start_capacity": 12, **settings})


def look(spec, kind, observation, seed=0):
    control = make_control(kind, spec)
    view = control.view(observation, rngs_of(seed))
    return control, view, control.seen(view)


@pytest.mark.parametrize("kind", ["exploration", "candidates"])
def test_all_campaigns_have_one_observation_space(kind):
    found = set()
    for name in SPACES:
        for rounds in ({"horizons": (1, 1)}, {"horizons": (2, 10), "batch_sizes": (1, 16)}):
            for utility in ("best", "last_mean"):
                spec = spec_of(name, utility=utility, start_origin="random", **rounds)
                control = make_control(kind, spec)
                found.add(repr(control.observation_space))
                if kind == "candidates":
                    assert (control.action_space.nvec == 64).all()
    assert len(found) == 1


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("kind", ["exploration", "candidates"])
@pytest.mark.parametrize("n", [0, 1, 12])
def test_what_is_seen_is_finite_and_in_bounds_whatever_the_values(name, kind, n):
    values = ((1.0, 0.0), (0.0, 3.0), (1e3, -9.4e9), (1e-12, 1.0), (1e100, 0.0))
    for (scale, shift), repeats in zip(values, [*Repeats, *Repeats], strict=False):
        spec = spec_of(name, repeats=repeats, batch_sizes=(1, 3))
        observation = campaigns_of(spec, 2, n, scale=scale, shift=shift)
        control, _, seen = look(spec, kind, observation)
        for row in range(2):
            one = {key: array[row] for key, array in seen.items()}
            assert control.observation_space.contains(one), (scale, shift)


@pytest.mark.parametrize("kind", ["exploration", "candidates"])
@pytest.mark.parametrize("name", ["box", "two bits", "wide pool", "mixed"])
def test_units_of_measurements_do_not_matter(name, kind):
    """By powers of two, which move no digit; noise is in the same units."""
    spec, other = (spec_of(name, noise_std=each) for each in (0.25, 0.25 * 2.0**40))
    plain = look(spec, kind, campaigns_of(spec, 3, 12))[2]
    moved = look(other, kind, campaigns_of(other, 3, 12, scale=2.0**40))[2]
    for field, array in plain.items():
        np.testing.assert_allclose(moved[field], array, atol=2e-4, err_msg=field)


@pytest.mark.parametrize("kind", ["exploration", "candidates"])
@pytest.mark.parametrize("name", SPACES)
def test_a_row_s_numbers_do_not_depend_on_its_neighbours(name, kind):
    spec = spec_of(name, batch_sizes=(2, 2))
    for n in (0, 1, 7):
        observation = campaigns_of(spec, 5, n)
        control, view, seen = look(spec, kind, observation)
        actions = np.stack([control.action_space.sample() for _ in range(5)])
        batches = control.designs(view, actions)
        for row in (0, 4):
            alone = {key: array[row, None] for key, array in observation.items()}

            def take(indices, row=row):
                return rngs_of(0)(indices + row)

            one = control.view(alone, take)
            for field, array in control.seen(one).items():
                np.testing.assert_array_equal(array[0], seen[field][row])
            np.testing.assert_array_equal(control.designs(one, actions[row, None])[0], batches[row])


@pytest.mark.parametrize("repeats", Repeats)
@pytest.mark.parametrize("name", SPACES)
def test_the_mask_shows_what_is_a_design_and_worth_measuring(name, repeats):
    spec = spec_of(name, repeats=repeats, batch_sizes=(3, 3))
    observation = campaigns_of(spec, 4, 6)
    control, view, seen = look(spec, "candidates", observation)
    mask = seen["action_mask"] == 1
    np.testing.assert_array_equal(control.action_masks(view, observation), np.tile(mask, 3))
    space = spec.design_space
    for row in range(4):
        known = observation["designs"][row, None, :6]
        again = space.among(view.designs[row, None], known)[0]
        is_there = np.arange(64) < view.listed[row]
        useful = is_there & ~(again & (repeats is Repeats.NEVER_AGAIN))
        np.testing.assert_array_equal(mask[row], useful if useful.any() else is_there)
        column = seen["candidates"][row, :, CANDIDATE.index("is_measured")]
        np.testing.assert_array_equal(column == 1, again & is_there)
        assert (seen["candidates"][row, ~is_there] == 0).all()
        assert len(np.unique(view.designs[row, is_there], axis=0)) == is_there.sum()
        expected = 64 if space.size is None else min(64, space.size)
        assert is_there.sum() >= min(expected, 40)


def test_an_action_that_names_an_empty_entry_means_the_one_so_many_places_on():
    spec = spec_of("two bits", repeats=Repeats.ALLOWED, batch_sizes=(6, 6))
    control, view, _ = look(spec, "candidates", campaigns_of(spec, 1, 3))
    assert view.listed.tolist() == [4]
    batch = control.designs(view, np.array([[0, 4, 5, 63, 3, 8]]))
    np.testing.assert_array_equal(batch[0], view.designs[0, [0, 0, 1, 3, 3, 0]])


@pytest.mark.parametrize("name", ["wide pool", "rows of categories"])
def test_the_list_holds_the_best_of_a_whole_pool(name):
    """By mean and by mean + sd, of which all are looked at."""
    spec = spec_of(name, surrogate={"kernel": "isotropic"})
    observation = campaigns_of(spec, 3, 12)
    _, view, seen = look(spec, "candidates", observation)
    posteriors = make_control("exploration", spec)
    posteriors._everything = True
    for group in posteriors.view(observation, rngs_of(0)).groups:
        mean, sd = group.marginals.mean, group.marginals.sd
        for weight in (0.0, 1.0, 2.0):
            hopes = np.where(group.measured, -np.inf, mean + weight * sd)
            for i, row in enumerate(group.env_indices):
                listed = view.designs[row, :, 0].tolist()
                best = group.candidates[i, hopes[i].argmax(), 0]
                shown = seen["candidates"][row, :, 0] + weight * seen["candidates"][row, :, 1]
                unmeasured = seen["action_mask"][row] == 1
                assert best in listed or shown[unmeasured].max() >= hopes[i].max() - 1e-5


def test_a_pool_of_a_hundred_thousand_is_looked_at_whole():
    features = np.random.default_rng(1).normal(size=(100_000, 3))
    spec = CampaignSpec(
        CandidateDesigns(features, scale="none"), start_capacity=8, batch_sizes=(4, 4)
    )
    observation = campaigns_of(spec, 1, 8)
    x = features[observation["designs"][0, :8, 0]]
    observation["measurements"][0, :8] = -np.linalg.norm(x - [0.5, 0.5, 0.5], axis=1)
    _, view, seen = look(spec, "candidates", observation)
    means = seen["candidates"][0, :, 0]
    rng = np.random.default_rng(2)
    random = CandidateDesigns(features, scale="none").decode(rng.integers(100_000, size=64))
    control = make_control("candidates", spec)
    groups = list(condition_on_dataset(observation, spec, control.surrogate, rngs_of(0)))
    expected = groups[0].posterior.at(spec.design_space.features(random[None])).mean
    assert means.max() > expected.max()
    assert len(set(view.designs[0, :, 0].tolist())) == 64


# --- the campaign -------------------------------------------------------------------------------


def campaign(spec, observation):
    """What is seen of the first campaign, by name; the same under both controls."""
    seen = look(spec, "candidates", observation)[2]["campaign"][0]
    summary = look(spec, "exploration", observation)[2]["summary"][0]
    np.testing.assert_array_equal(summary[-len(CAMPAIGN) :], seen)
    assert SUMMARY[-len(CAMPAIGN) :] == CAMPAIGN
    return dict(zip(CAMPAIGN, seen.tolist(), strict=True))


def test_the_campaign_says_how_far_it_is():
    spec = spec_of("box", batch_sizes=(3, 3))
    first = campaign(spec, campaigns_of(spec, 1, 5, rounds_left=4))
    last = campaign(spec, campaigns_of(spec, 1, 8, rounds_left=1, start=5))
    assert (first["is_first_round"], first["is_last_round"]) == (1, 0)
    assert (last["is_first_round"], last["is_last_round"]) == (0, 1)
    assert first["share_of_rounds_left"] == pytest.approx(0.5)
    assert first["log_rounds_left"] == pytest.approx(np.log(4))
    assert first["log_next_plate"] == pytest.approx(np.log(3))
    assert first["log_wells_left"] == pytest.approx(np.log(12))
    assert last["log_wells_left"] == pytest.approx(np.log(3))
    assert last["log_observed"] == pytest.approx(np.log(9))
    assert (first["share_from_start"], last["share_from_start"]) == (1, pytest.approx(5 / 8))


@pytest.mark.parametrize(
    ("name", "kind", "parameters", "size"),
    [
        ("box", "box", 2, None),
        ("sequences", "categorical", 12, 20**12),
        ("pool", "pool", 2, 40),
        ("rows of categories", "category_pool", 6, 1500),
        ("mixed", "mixed", 3, None),
        ("grid", "mixed", 2, 15),
    ],
)
def test_the_campaign_says_what_space_it_is_in(name, kind, parameters, size):
    spec = spec_of(name)
    seen = campaign(spec, campaigns_of(spec, 1, 3))
    assert [each for each in SPACE_KINDS if seen[f"space_{each}"]] == [kind]
    assert seen["log_parameters"] == pytest.approx(np.log(parameters))
    assert seen["space_is_finite"] == (size is not None)
    expected = 0 if size is None else np.log1p(np.log(float(size)))
    assert seen["log_log_size"] == pytest.approx(expected)


@pytest.mark.parametrize("utility", ["best", "total", "last_quantile:quantile=0.9"])
@pytest.mark.parametrize("origin", ORIGINS)
def test_the_campaign_says_its_utility_start_repeats_and_noise(utility, origin):
    percentile = 50.0 if origin == "percentile" else None
    for repeats, noise in ((Repeats.ALLOWED, None), (Repeats.NEVER_AGAIN, 0.5)):
        spec = spec_of(
            "box",
            utility=utility,
            start_origin=Origin(origin, percentile),
            repeats=repeats,
            noise_std=noise,
        )
        observation = campaigns_of(spec, 1, 5)
        seen = campaign(spec, observation)
        name = utility.partition(":")[0]
        assert [each for each in UTILITIES if seen[f"utility_{each}"]] == [name]
        assert seen["quantile"] == pytest.approx(0.9 if ":" in utility else 0)
        assert [each for each in ORIGINS if seen[f"start_{each}"]] == [origin]
        assert seen["start_percentile"] == (0.5 if percentile else 0)
        assert [each for each in Repeats if seen[f"repeats_{each.value}"]] == [repeats]
        assert seen["noise_is_known"] == (noise is not None)
        spread = observation["measurements"][0, :5].std()
        assert seen["noise_to_spread"] == pytest.approx((noise or 0) / spread, rel=1e-5)


def test_the_campaign_says_what_the_measurements_look_like():
    spec = spec_of("box", surrogate={"kernel": "isotropic"})
    observation = campaigns_of(spec, 1, 9, start=5)
    values = observation["measurements"][0, :9]
    z = (values - values.mean()) / values.std()
    seen = campaign(spec, observation)
    assert seen["skewness"] == pytest.approx((z**3).mean(), abs=1e-5)
    assert seen["largest_z"] == pytest.approx(z.max(), abs=1e-5)
    assert seen["latest_best_z"] == pytest.approx(z[5:].max(), abs=1e-5)
    assert seen["best_observed"] == pytest.approx(z.max(), abs=1e-5)
    view = look(spec, "exploration", observation)[1]
    expected = view.groups[0].posterior.leave_one_out_correlation[0]
    assert np.isfinite(expected)
    assert seen["leave_one_out_correlation"] == pytest.approx(expected, abs=1e-6)


def test_nothing_is_said_of_measurements_that_are_not_there():
    spec = spec_of("box", noise_std=0.5)
    seen = campaign(spec, campaigns_of(spec, 1, 0))
    of_measurements = CAMPAIGN[CAMPAIGN.index("best_observed") : CAMPAIGN.index("start_none")]
    assert all(seen[name] == 0 for name in of_measurements)


# --- candidates ---------------------------------------------------------------------------------


@settings(max_examples=12)
@given(n=st.integers(1, 12), dim=st.integers(1, 8), seed=st.integers(0, 99))
def test_the_linear_model_is_the_process_with_its_covariances(n, dim, seed):
    rng = np.random.default_rng(seed)
    x, z = (rng.uniform(-1, 1, (2, m, dim)).astype(np.float32) for m in (n, 7))
    y = rng.normal(size=(2, n))
    mean, sd = LinearModel(BoxDesigns(dim)).predict(x, y, z)
    for row in range(2):
        a, b = (
            np.hstack([np.ones((len(each), 1)), np.sqrt(3.0) * each.astype(float)])
            / np.sqrt(dim + 1)
            for each in (x[row], z[row])
        )
        solve = np.linalg.solve(a @ a.T + NOISE * np.eye(n), np.c_[y[row], a @ b.T])
        np.testing.assert_allclose(mean[row], b @ a.T @ solve[:, 0], atol=1e-5)
        variance = np.einsum("mp,mp->m", b, b) - np.einsum("nm,nm->m", a @ b.T, solve[:, 1:])
        np.testing.assert_allclose(sd[row], np.sqrt(variance), atol=1e-4)


def test_a_candidate_says_its_improvement_and_its_distance():
    spec = spec_of("box", surrogate={"kernel": "isotropic"})
    observation = campaigns_of(spec, 1, 6)
    _, view, seen = look(spec, "candidates", observation)
    rows = dict(zip(CANDIDATE, seen["candidates"][0].T.astype(float), strict=True))
    y = observation["measurements"][0, :6]
    best = (y.max() - y.mean()) / y.std()
    draws = np.random.default_rng(0).normal(size=200_000)
    for i in range(0, 64, 9):
        gain = np.maximum(rows["mean"][i] + rows["sd"][i] * draws - best, 0).mean()
        if gain > 1e-3:
            log = np.sign(np.log(gain)) * np.log1p(abs(np.log(gain)))
            assert rows["log_expected_improvement"][i] == pytest.approx(log, abs=0.02)
        x, known = view.designs[0, i], observation["designs"][0, :6]
        nearest = np.linalg.norm(known - x, axis=1).min()
        assert rows["distance"][i] == pytest.approx(nearest, abs=1e-5)  # typical is 1 in 2-D


# --- how many -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [{"kind": "candidates", "size": 7}, "candidates:size=7", {"kind": "exploration"}]
)
def test_a_control_is_given_with_its_settings(given):
    env = gym.make("Ombo/GP-v0", control=given, batch_size=2)
    env = gym.make(type(env.spec).from_json(env.spec.to_json()))
    spec = env.unwrapped.campaign_spec
    assert CampaignSpec.from_dict(json.loads(spec.to_json())) == spec
    seen, _ = env.reset(seed=0)
    if "kind" in given and given["kind"] == "exploration":
        assert spec.control == "exploration"
        return
    assert spec.control == "candidates:size=7"
    assert env.action_space == gym.spaces.MultiDiscrete([7, 7])
    assert seen["candidates"].shape == (7, len(CANDIDATE))
    env.step(np.array([6, 0]))


def test_the_size_by_default_goes_without_saying():
    one, other = (
        CampaignSpec(BoxDesigns(2), control=each)
        for each in ("candidates", {"kind": "candidates", "size": 64})
    )
    assert one == other and one.control == "candidates"


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "candidates", "size": 0},
        {"kind": "candidates", "size": 10**12},
        {"kind": "candidates", "size": True},
        {"kind": "candidates", "size": 2.5},
        {"kind": "candidates", "length": 5},
        {"kind": "exploration", "size": 5},
        {"size": 5},
        "candidates:size=many",
        "candidates:size=-3",
        "candidates:",
        "candidate",
        None,
        7,
        [],
    ],
)
def test_controls_that_are_none_are_refused(given):
    with pytest.raises(ValueError, match="control: "):
        CampaignSpec(BoxDesigns(2), control=given)
    with pytest.raises(ValueError, match="control: "):
        gym.make("Ombo/GP-v0", control=given)
