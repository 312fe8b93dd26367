"""BoTorch's models of numbers and categories believe what the surrogate believes."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym import CampaignSpec, MixedDesigns
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate


def test_a_model_with_the_surrogate_s_hyperparameters_has_its_beliefs():
    torch = pytest.importorskip("torch")
    pytest.importorskip("botorch")
    from ombo_agents.bayesian.botorch.model import make_model

    space = MixedDesigns({"base": ["a", "b", "c"], "T": (0, 1), "p": (1, 5)})
    rngs = GeneratorBatch([np.random.default_rng(0)], 1)
    features = space.features(space.sample(rngs, 30))[0]  # (30, k)
    x, others = features[:20], features[20:]
    y = 4 + np.sin(3 * x[:, 3]) + x[:, 0] * x[:, 4]
    surrogate = make_surrogate(CampaignSpec(space))
    bounds = torch.tensor([[-1.0] * 5, [1.0] * 5], dtype=torch.float64)
    model = make_model(surrogate, x, y, "surrogate", bounds)
    found = model.posterior(torch.as_tensor(others))
    posterior = Posterior(surrogate, x[None], y[None])
    expected = posterior.at(others[None])
    mean = posterior.shift[0] + posterior.scale[0] * expected.mean[0]
    sd = posterior.scale[0] * expected.sd[0]
    np.testing.assert_allclose(found.mean.detach().numpy()[:, 0], mean, rtol=1e-4)
    np.testing.assert_allclose(found.variance.detach().numpy()[:, 0] ** 0.5, sd, rtol=1e-3)
