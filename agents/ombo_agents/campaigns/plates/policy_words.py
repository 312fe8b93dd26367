"""Policies and the quality of predictions, spelled for a reader."""

from __future__ import annotations

POOR, GOOD = 0.2, 0.7  # correlations, left one out, below and above which predictions are so called

_WORDS = {
    "d_optimal": "a D-optimal design",
    "doe_then_ucb": "upper confidence bounds",
    "expected_improvement": "expected improvement",
    "explore_then_exploit": "exploration first, exploitation at the end",
    "greedy": "the highest predictions",
    "greedy_refined": "the highest predictions",
    "latin_hypercube": "a Latin hypercube",
    "local_penalization": "expected improvement, wells kept apart",
    "max_value_entropy": "what tells most of the best value",
    "meta": "a policy that was trained on many campaigns",
    "portfolio": "the designs that were best in past campaigns",
    "portfolio_then_ei": "the designs that were best in past campaigns, then expected improvement",
    "random": "random designs",
    "rollout": "campaigns played to their end in simulation",
    "sobol": "a space-filling design",
    "thompson": "Thompson sampling",
    "turbo": "a trust region around the best",
    "ucb": "upper confidence bounds",
}


def bracketed(policy: str) -> str:
    """A policy as a reader sees its name and settings: doe_then_ucb, last_weight=1."""
    name, _, settings = policy.partition(":")
    return ", ".join([name, *filter(None, (each.strip() for each in settings.split(",")))])


def spelled(policy: str, words: str | None = None) -> str:
    """A policy in words, its name in brackets.

    Args:
        policy: Its name, with settings or without.
        words: For what it does here; None: the usual ones, where there are any.
    """
    words = words or _WORDS.get(policy.partition(":")[0])
    return bracketed(policy) if words is None else f"{words} ({bracketed(policy)})"


def trust_in_words(correlation: float) -> str:
    """How far to trust predictions, by the correlation of each well with what others predict."""
    if correlation < POOR:
        word = "poor and say little"
    else:
        word = "good" if correlation > GOOD else "fair"
    return (
        f"predictions are {word} (correlation of each well with what the others predict: "
        f"{correlation:.2f})"
    )
