"""What can be designed: boxes, categories (sequences too), pools of candidates, mixed parameters.

A design space knows the gym spaces of a campaign over it, how an action becomes q designs and back,
how to draw, move, list and name designs, and which features a surrogate sees. It holds no state.
Whatever depends on the kind of a space is a method of it: a further kind is one new file.
"""

from ombo_gym.design_spaces.base import DesignSpace, design_space_from_dict
from ombo_gym.design_spaces.box import BoxDesigns
from ombo_gym.design_spaces.candidates import CandidateDesigns
from ombo_gym.design_spaces.categorical import CategoricalDesigns
from ombo_gym.design_spaces.category_pool import CategoryPool
from ombo_gym.design_spaces.duplicates import Designs, among, repeated
from ombo_gym.design_spaces.finite import FiniteDesigns
from ombo_gym.design_spaces.mixed import MixedDesigns, design_space_of
from ombo_gym.design_spaces.parameter import Parameter
from ombo_gym.design_spaces.parameters import Parameters, parse_parameters
from ombo_gym.design_spaces.relaxations import Coordinates

__all__ = [
    "BoxDesigns",
    "CandidateDesigns",
    "CategoricalDesigns",
    "CategoryPool",
    "Coordinates",
    "DesignSpace",
    "Designs",
    "FiniteDesigns",
    "MixedDesigns",
    "Parameter",
    "Parameters",
    "among",
    "design_space_from_dict",
    "design_space_of",
    "parse_parameters",
    "repeated",
]
