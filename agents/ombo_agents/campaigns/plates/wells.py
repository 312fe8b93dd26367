"""What a policy puts on a plate, at the bench or in simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ombo_agents.campaigns.data.known import Known, observation_of
from ombo_agents.campaigns.plates.apart import told_apart
from ombo_agents.campaigns.plates.plate_rules import Believed, repaired, within_plate_rules
from ombo_agents.campaigns.space.factors import Columns
from ombo_agents.registry import make
from ombo_gym.design_spaces import Designs
from ombo_gym.observations import as_last_round


@dataclass(frozen=True)
class Chosen:
    """What a policy chose, among what may be on one plate.

    Attributes:
        known: The campaign with the designs of the plate alone.
        designs: (q, *shape) of these.
        among_all: (q, *shape) the same as designs of the whole campaign.
        counts_plates: Whether the policy asks how many plates are left.
    """

    known: Known
    designs: Designs
    among_all: Designs
    counts_plates: bool

    @property
    def columns(self) -> Columns:
        """The designs (q,) in the user's units."""
        return self.known.encoding.decode(self.designs)


def wells_of(
    known: Known,
    believed: Believed,
    plates: Sequence[int],
    policy: str,
    rng: np.random.Generator,
    *,
    as_last: bool = False,
) -> Chosen:
    """What a policy puts on the next plate, or what it would were that the last.

    Args:
        known: The campaign.
        believed: Of all designs.
        plates: To come, the next one first.
        policy: Its name.
        rng: Of what it draws.
        as_last: Whether it is told that the next plate is the last one.

    Raises:
        ValueError: Fewer designs than wells go together on one plate.
    """
    space, kept = known.encoding.space, None
    if space.plate:
        seen = plates[:1] if as_last else plates
        known, kept = within_plate_rules(space, known, believed, seen)
    player = make(policy, known.spec)
    shown = observation_of(known, plates)
    actions = player.act(as_last_round(shown) if as_last else shown, rng)
    designs = known.encoding.design_space.designs(actions)[0, : plates[0]]
    if known.encoding.pool is not None:
        believed = believed if kept is None else believed.of(kept)
        designs = repaired(space, known, believed, designs)
    designs = told_apart(known, believed, designs)
    among_all = designs if kept is None else kept[designs]
    return Chosen(known, designs, among_all, getattr(player, "horizon_aware", True))
