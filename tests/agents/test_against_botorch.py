"""Our batches against those of BoTorch's optimizers, with the kernel given to both."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import ombo_agents
from ombo_agents.bayesian.botorch import policy as policy_module
from ombo_gym.design_spaces import BoxDesigns
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.surrogate import JITTER, make_surrogate
from ombo_gym.vector_env import CampaignVectorEnv
from tests.surrogates.test_posterior import textbook_posterior

WEIGHT, Q = 2.0, 4
SITUATIONS = {2: 8, 6: 24}  # observations by dimension


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the import, and of the optimizers' line searches
        yield


def datasets(dim, count):
    env = CampaignVectorEnv(
        count, "GP", dim=dim, batch_size=Q, start={"kind": "random", "size": SITUATIONS[dim]}
    )
    return env, env.reset(seed=100)[0]


def proposals(name, env, observation, **settings):
    rngs = [np.random.default_rng(i) for i in range(len(observation["measurements"]))]
    actions = ombo_agents.make(name, env, **settings).act(observation, rngs)
    return actions.astype(np.float64)


def botorch_model(env, observation, row):
    from ombo_agents.bayesian.botorch.model import make_model, unit_box

    n = SITUATIONS[env.design_space.dim]
    x = observation["designs"][row, :n].astype(np.float64)
    y = observation["measurements"][row, :n]
    surrogate = make_surrogate(env.campaign_spec)
    return make_model(surrogate, x, y, "surrogate", unit_box(x.shape[1])), x, y


def optimised(acquisition, dim, q, *, sequential):
    from botorch.optim import optimize_acqf
    from botorch.utils.sampling import manual_seed

    from ombo_agents.bayesian.botorch.model import unit_box

    with manual_seed(0):
        batch, _ = optimize_acqf(
            acquisition, unit_box(dim), q, num_restarts=4, raw_samples=128, sequential=sequential
        )
    return batch.detach().numpy()


def joint_improvement(x, y, batch, lengthscale):
    """E[max(0, max f - best)] with 2^15 scrambled Sobol draws, by the textbook's posterior."""
    from scipy.stats import qmc

    normals = qmc.MultivariateNormalQMC(np.zeros(len(batch)), rng=0).random(2**15)
    mean, covariance = textbook_posterior("matern52", x, y, batch, lengthscale, JITTER)
    values = mean + normals @ np.linalg.cholesky(covariance + 1e-10 * np.eye(len(batch))).T
    return np.maximum(values.max(axis=1) - y.max(), 0).mean()


def bounds_slot_by_slot(x, y, batch, lengthscale):
    """mean + 2 sd of each slot, those before measured at their means, with noise."""
    total = 0.0
    for slot, design in enumerate(batch):
        given = np.vstack([x, batch[:slot]])
        mean, _ = textbook_posterior("matern52", x, y, design[None], lengthscale, JITTER)
        nothing = np.zeros(len(given))
        _, covariance = textbook_posterior(
            "matern52", given, nothing, design[None], lengthscale, JITTER
        )
        total += mean[0] + WEIGHT * np.sqrt(covariance[0, 0])
    return total


def improvement_of_both(dim, count, *, sequential=True):
    """Joint expected improvement of our batches and of BoTorch's, (count, 2)."""
    from botorch.acquisition.logei import qLogExpectedImprovement
    from botorch.utils.sampling import manual_seed

    env, observation = datasets(dim, count)
    ours = proposals("expected_improvement", env, observation)
    lengthscale = make_surrogate(env.campaign_spec).lengthscales[0]
    both = np.zeros((count, 2))
    for row in range(count):
        model, x, y = botorch_model(env, observation, row)
        with manual_seed(row):  # its sampler's
            acquisition = qLogExpectedImprovement(model, y.max())
        theirs = optimised(acquisition, dim, Q, sequential=sequential)
        both[row] = [joint_improvement(x, y, each, lengthscale) for each in (ours[row], theirs)]
    return both


def bounds_of_both(dim, count):
    """Sums of upper confidence bounds of our batches and of BoTorch's, (count, 2)."""
    import torch
    from botorch.acquisition import UpperConfidenceBound

    env, observation = datasets(dim, count)
    ours = proposals("ucb", env, observation, weight=WEIGHT)
    lengthscale = make_surrogate(env.campaign_spec).lengthscales[0]
    both = np.zeros((count, 2))
    for row in range(count):
        model, x, y = botorch_model(env, observation, row)
        theirs = np.zeros((0, dim))
        for _ in range(Q):
            slot = optimised(UpperConfidenceBound(model, beta=WEIGHT**2), dim, 1, sequential=False)
            theirs = np.vstack([theirs, slot])
            at = torch.as_tensor(slot)
            with torch.no_grad():
                mean = model.posterior(at).mean
            model = model.condition_on_observations(at, mean, noise=torch.full_like(mean, JITTER))
        both[row] = [bounds_slot_by_slot(x, y, each, lengthscale) for each in (ours[row], theirs)]
    return both


@pytest.mark.parametrize(("both", "dim"), [(improvement_of_both, 6), (bounds_of_both, 2)])
def test_our_batches_are_worth_what_botorch_s_are_on_a_few_datasets(both, dim):
    ours, theirs = both(dim, 2).T
    assert ours.mean() >= theirs.mean() * (1 - 0.01)


def reported(what, ours, theirs):
    """On how many datasets ours is worth as much, but for draws, and the lowest ratio; printed."""
    difference, least = ours - theirs, (ours >= theirs * (1 - 1e-3)).mean()
    lowest = (ours / theirs).min() - 1
    print(f"\n{what}: ours {ours.mean():.4f}, BoTorch's {theirs.mean():.4f}, difference "
          f"{difference.mean():+.5f} +- {difference.std() / np.sqrt(len(ours)):.5f}, "
          f"at least as high on {least:.0%}, lowest {lowest:+.2%}")  # fmt: skip
    return least, lowest


@pytest.mark.slow
@pytest.mark.parametrize("dim", sorted(SITUATIONS))
@pytest.mark.parametrize("sequential", [True, False])
def test_our_batches_improve_at_least_as_much_as_botorch_s_on_50_datasets(dim, sequential):
    ours, theirs = improvement_of_both(dim, 50, sequential=sequential).T
    how = "slot by slot" if sequential else "jointly"
    least, lowest = reported(f"improvement, {dim}-D, BoTorch's {how}", ours, theirs)
    assert ours.mean() > theirs.mean()
    assert least == 1 if sequential else least >= 0.85 and lowest >= -0.02


@pytest.mark.slow
@pytest.mark.parametrize("dim", sorted(SITUATIONS))
def test_our_bounds_are_worth_what_botorch_s_are_on_50_datasets(dim):
    """In the mean: the best design of a slot is not always the best for what the batch adds up."""
    ours, theirs = bounds_of_both(dim, 50).T
    least, lowest = reported(f"bounds, {dim}-D", ours, theirs)
    assert ours.mean() >= theirs.mean() * (1 - 1e-4)
    assert least >= 0.9 and lowest >= -0.02


@pytest.mark.parametrize("dim", sorted(SITUATIONS))
def test_one_design_by_expected_improvement_is_worth_what_botorch_s_is(dim):
    from botorch.acquisition import LogExpectedImprovement

    rows = 3
    env = CampaignVectorEnv(
        rows, "GP", dim=dim, batch_size=1, start={"kind": "random", "size": SITUATIONS[dim]}
    )
    observation, _ = env.reset(seed=100)
    ours = proposals("expected_improvement", env, observation)
    import torch

    for row in range(rows):
        model, _, y = botorch_model(env, observation, row)
        acquisition = LogExpectedImprovement(model, best_f=y.max())
        theirs = optimised(acquisition, dim, 1, sequential=False)
        with torch.no_grad():
            value, reference = (
                acquisition(torch.as_tensor(each)[None]).item() for each in (ours[row], theirs)
            )
        assert value >= reference - 1e-3


@pytest.mark.parametrize(
    ("name", "problem", "arguments"),
    [
        ("botorch_logei", "GP", {}),
        pytest.param(
            *("botorch_logei:hyperparameters=surrogate", "GP", {"surrogate": {"kernel": "fit"}}),
            marks=pytest.mark.slow,
        ),
        ("botorch_logei", "TFBind8", {"start": {"kind": "percentile", "size": 12}}),
        ("botorch_kg:fantasies=2;maxiter=5;raw_samples=4;restarts=1", "GP", {}),
        ("botorch_multistep:fantasies=2;maxiter=5;raw_samples=4;restarts=1", "GP", {}),
        pytest.param(
            "botorch_multistep:fantasies=2;maxiter=5;raw_samples=4;restarts=1",
            "GP",
            {"utility": {"name": "last_quantile", "quantile": 0.5}},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_botorch_plays_campaigns_alone_as_among_others(name, problem, arguments, monkeypatch):
    monkeypatch.setattr(policy_module, "MAX_CANDIDATES", 64)
    env = CampaignVectorEnv(2, problem, horizon=2, batch_size=2, **arguments)
    policy = ombo_agents.make(name, env)
    observation, _ = env.reset(seed=0)
    actions = policy.act(observation, [np.random.default_rng(i) for i in range(2)])
    last = {key: array[1:] for key, array in observation.items()}
    np.testing.assert_array_equal(policy.act(last, [np.random.default_rng(1)]), actions[1:])
    if env.design_space.size is not None:
        designs = env.design_space.designs(actions)
        assert all(len(np.unique(batch, axis=0)) == 2 for batch in designs)


@pytest.mark.parametrize(
    ("utility", "slots"), [("best", [2, 3, 1]), ("auc", [2, 3, 1]), ("last_mean", [2, 3, 1])]
)
def test_multistep_looks_at_the_plates_to_come(utility, slots):
    spec = CampaignSpec(
        BoxDesigns(2),
        plates=(2, 3, 1),
        utility=utility,
        surrogate={"kernel": "matern52", "lengthscale": 0.4},
        noise_std=0.0,
    )
    settings = "fantasies=3/2;inner_samples=4;maxiter=3;raw_samples=4;restarts=1"
    policy = ombo_agents.make(f"botorch_multistep:{settings}", spec)
    from ombo_agents.bayesian.botorch.model import make_model, unit_box

    x = np.random.default_rng(0).uniform(-1, 1, (5, 2))
    model = make_model(policy.surrogate, x, x.sum(axis=1), "surrogate", unit_box(2))
    tree = policy.acquisition(model, 1.0, (2, 3, 1))
    assert tree.batch_sizes == slots[1:]
    assert tree.get_augmented_q_batch_size(2) == 2 + 3 * 3 + 3 * 2 * 1
    told = spec.observation(x.astype(np.float32)[:0], [], [2, 3, 1])
    assert policy.act(told, np.random.default_rng(0)).shape == (1, 3, 2)


def test_multistep_counts_an_improvement_in_every_round_that_is_left_under_auc():
    """The same tree of designs, once for each utility: stage values add up with weights 3, 2, 1."""
    import torch
    from botorch.utils.sampling import manual_seed

    from ombo_agents.bayesian.botorch.model import make_model, unit_box

    x = np.random.default_rng(0).uniform(-1, 1, (6, 2))
    found = {}
    for utility in ("best", "auc"):
        spec = CampaignSpec(
            BoxDesigns(2),
            plates=(1, 1, 1),
            utility=utility,
            surrogate={"kernel": "matern52", "lengthscale": 0.4},
            noise_std=0.0,
        )
        settings = "fantasies=3/2;inner_samples=64;maxiter=3;raw_samples=4;restarts=1"
        policy = ombo_agents.make(f"botorch_multistep:{settings}", spec)
        model = make_model(policy.surrogate, x, x.sum(axis=1), "surrogate", unit_box(2))
        with manual_seed(0):  # its samplers'
            tree = policy.acquisition(model, float(x.sum(axis=1).max()), (1, 1, 1))
        far = torch.tensor([[-0.9, -0.9]], dtype=torch.float64)
        for at in range(3):  # one good design, in this round, the next or the last
            designs = far.repeat(tree.get_augmented_q_batch_size(1), 1)
            first, last = (0, 1, 4)[at], (1, 4, 10)[at]
            designs[first:last] = torch.tensor([0.9, 0.9], dtype=torch.float64)
            with torch.no_grad():
                found[utility, at] = tree(designs[None]).item()
    for at, weight in enumerate((3, 2, 1)):
        assert found["auc", at] == pytest.approx(weight * found["best", at], rel=1e-3)


def test_multistep_needs_a_utility_that_it_has_a_value_for():
    env = CampaignVectorEnv(1, "GP", utility="total")
    assert not ombo_agents.supports("botorch_multistep", env)
    with pytest.raises(ValueError, match="does not suit"):
        ombo_agents.make("botorch_multistep", env)
