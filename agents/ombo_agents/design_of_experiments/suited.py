"""Which design of experiments suits a design space."""

from __future__ import annotations

from ombo_agents.design_of_experiments.d_optimal import DOptimal
from ombo_agents.design_of_experiments.space_filling import LatinHypercube, Sobol
from ombo_agents.hyperparameters import settings_of
from ombo_agents.policy import DesignsPolicy
from ombo_gym.spec import CampaignSpec


def design_policy(spec: CampaignSpec) -> DesignsPolicy:
    """What designs a batch without a look at values.

    Points of a Sobol sequence in boxes, D-optimal designs in finite spaces, beside categories a
    Latin hypercube.
    """
    space = spec.design_space
    if space.free is not None and space.free.all():
        return Sobol(spec)
    if space.size is not None:
        return DOptimal(spec, **settings_of("d_optimal", spec))
    return LatinHypercube(spec, **settings_of("latin_hypercube", spec))
