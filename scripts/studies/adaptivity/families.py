"""The methods of adaptivity.md, in families."""

FAMILIES = {
    "model-free": ("random", "genetic", "adalead", "cmaes", "local_search", "evolution"),
    "design of experiments": ("sobol", "latin_hypercube", "d_optimal"),
    "Bayesian, a round at a time": (
        *("greedy", "greedy_refined", "ucb", "doe_then_ucb", "offset_ucb"),
        *("expected_improvement", "thompson"),
        *("max_value_entropy", "local_penalization", "turbo"),
    ),
    "told how many rounds are left": ("explore_then_exploit", "rollout", "binoculars"),
    "offline, applied again": (
        *("ensemble_greedy", "gradient_ascent", "gradient_min", "gradient_mean", "coms"),
        *("cbas", "reinforce", "mins", "bo_qei"),
    ),
}
METHODS = tuple(name for family in FAMILIES.values() for name in family)
BOTORCH = {  # and what each is compared with
    "botorch_logei": "expected_improvement",
    "botorch_kg": "rollout",
    "botorch_multistep": "rollout",
}
