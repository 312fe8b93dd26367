"""The policies that suite.md speaks of."""

MODEL_FREE = (
    *("random", "genetic", "cmaes", "local_search"),
    *("adalead", "evolution", "sobol", "latin_hypercube"),  # which do not suit all problems
)
ONE_ROUND = (  # the same rule every round
    *("greedy", "ucb", "expected_improvement", "thompson"),
    *("max_value_entropy", "local_penalization"),
)
PLANNERS = ("explore_then_exploit", "rollout", "binoculars")  # they read N
TRAINED = ("runs/suite/gp-*", "runs/suite/tf-*")
SHOWN = (  # in tables and pictures; as many as there are colours
    *("random", "genetic", "greedy", "ucb", "expected_improvement", "thompson"),
    *("local_penalization", *PLANNERS, *TRAINED),
)
