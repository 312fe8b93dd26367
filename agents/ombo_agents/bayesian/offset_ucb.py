"""Upper confidence bounds whose model expects what was left out of the start to be better."""

from __future__ import annotations

from dataclasses import replace

from ombo_agents.bayesian import schedules
from ombo_agents.policy import Policy
from ombo_agents.settings import number
from ombo_gym.spec import CampaignSpec


def offset_ucb(spec: CampaignSpec, *, weight: float, strength: float, climb: bool) -> Policy:
    """Upper confidence bound with a prior mean that is offset while the start is most of the data.

    Under a start below a percentile of value the fitted prior mean is moved up by `strength` times
    what the truncation implies for a normal population, in proportion to the start's share of the
    data: designs that are unlike the start look better. Under other starts, and where the prior is
    given, it is `ucb`.

    Args:
        spec: Of the campaigns it is built for.
        weight: Exploration weight of `ucb`.
        strength: How many times over, above 0 and up to 10; `ucb` itself has 1, which is its
            recipe's `truncation`, and this policy by default too.
        climb: See `ucb`.

    Raises:
        ValueError: An argument out of range, or campaigns that are played through a control, whose
            surrogate is the environment's.
    """
    if spec.control != "designs":
        raise ValueError(
            f'offset_ucb has a surrogate of its own: expected control="designs", got '
            f'control="{spec.control}"'
        )
    strength = number("strength", strength, up_to=10.0)
    recipe = dict(spec.surrogate)
    if recipe.get("kernel", "fit") in ("fit", "isotropic"):
        spec = replace(spec, surrogate={**recipe, "truncation": strength})
    return schedules.ucb(spec, weight=weight, climb=climb)
