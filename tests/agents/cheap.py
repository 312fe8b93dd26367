"""Policies that think briefly, for tests of what holds however long they think."""

from __future__ import annotations

from typing import Any

import ombo_agents
from ombo_agents.hyperparameters import settings_of
from ombo_agents.offline import METHODS
from ombo_agents.policy import Policy
from ombo_gym.spec import CampaignSpec, campaign_spec

SLOW = frozenset(  # which fit networks or call BoTorch: test_every_policy.py plays them
    [*METHODS, "botorch_logei", "botorch_kg", "botorch_multistep"]
)
OFTEN = frozenset(  # of the others, what can be played on many cases in no time
    (
        *("random", "sobol", "latin_hypercube", "genetic", "local_search", "evolution"),
        *("greedy", "greedy_refined", "ucb", "explore_then_exploit", "expected_improvement"),
        *("thompson", "one_step", "rolling_2", "bayes_optimal"),
    )
)
_BRIEFLY = {
    "num_samples": 16,
    "elite": 4,
    "epochs": 1.0,
    "fantasies": 2,
    "inner_samples": 2,
    "generations": 2,
    "hidden": 8,
    "iterations": 2,
    "latent": 2,
    "latent_epochs": 1.0,
    "maxiter": 3,
    "maxima": 2,
    "members": 2,
    "max_iterations": 2,
    "raw_samples": 8,
    "restarts": 1,
    "rounds": 2,
    "samples": 4,
    "num_restarts": 1,
    "steps": 2,
    "training_steps": 2,
}
_AS_THEY_ARE = (  # settings of the same name that have little to do with time
    "adalead cmaes d_optimal evolution genetic latin_hypercube local_search random sobol"
).split()


def make(name: str, env_or_spec: Any) -> Policy:
    """As `ombo_agents.make`, with settings for which it takes milliseconds."""
    given = isinstance(env_or_spec, CampaignSpec)
    spec = env_or_spec if given else campaign_spec(env_or_spec)
    settings = settings_of(name, spec)
    briefly: dict[str, Any] = {}
    if name not in _AS_THEY_ARE:
        briefly = {key: _BRIEFLY[key] for key in settings if key in _BRIEFLY}
    if isinstance(settings.get("fantasies"), list):  # of each step
        briefly["fantasies"] = [2, 1, 1]
    return ombo_agents.make(name, spec, **briefly)
