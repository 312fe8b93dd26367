"""The policies that suite.md speaks of."""

SHOWN = (  # problem by problem; as many as a page is wide
    *("random", "d_optimal", "genetic", "ucb", "doe_then_ucb", "offset_ucb"),
    *("expected_improvement", "thompson", "rollout", "binoculars"),
)
DEAR = (  # not in the suite: a decision takes a second
    *("ensemble_greedy", "gradient_ascent", "gradient_min", "gradient_mean", "coms", "cbas"),
    *("reinforce", "mins", "bo_qei", "botorch_logei", "botorch_kg", "botorch_multistep"),
)
