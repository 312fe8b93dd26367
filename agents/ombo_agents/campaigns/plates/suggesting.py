"""What goes on the next plate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ombo_agents.campaigns.data.campaign_data import CampaignData
from ombo_agents.campaigns.data.known import Known
from ombo_agents.campaigns.data.values import posterior_of, predicted
from ombo_agents.campaigns.plates.apart import too_few
from ombo_agents.campaigns.plates.choosing import chosen_policy
from ombo_agents.campaigns.plates.describing import described
from ombo_agents.campaigns.plates.plate import Plate
from ombo_agents.campaigns.plates.plate_rules import Believed
from ombo_agents.campaigns.plates.policy_words import spelled
from ombo_agents.campaigns.plates.wells import Chosen, wells_of
from ombo_agents.campaigns.space.factors import Floats
from ombo_agents.campaigns.space.space import count_of
from ombo_gym.arguments import batch_sizes_of_plates, whole
from ombo_gym.spec import Repeats
from ombo_gym.surrogates.posterior import Posterior


def suggested(
    data: CampaignData,
    plates_left: Sequence[int],
    *,
    policy: str,
    seed: int,
    repeats: Any,
    advice: Sequence[Mapping[str, Any]] = (),
) -> Plate:
    """The next plate; arguments and errors as `Campaign.suggest`, `advice` what was said so far."""
    plates = batch_sizes_of_plates("plates_left", plates_left)
    seed = whole("seed", seed, least=0)
    known = data.known(plates, seed=seed, repeats=repeats)
    _check_enough(known, plates[0])
    full = posterior_of(known.spec, known.designs, known.values, known.num_start)
    name, reason = policy, f"{spelled(policy)}: as asked for"
    if policy == "auto":
        name, reason = chosen_policy(data, advice, known, plates)
    rng = partial(np.random.default_rng, seed)
    believed = Believed(full, partial(_of_pool, known, full))
    chosen = wells_of(known, believed, plates, name, rng())
    _check_varied(chosen)
    last = chosen
    if len(plates) > 1 and (chosen.counts_plates or data.space.plate):
        last = wells_of(known, believed, plates, name, rng(), as_last=True)
    return described(data, chosen, last.columns, full, reason)


def _check_varied(chosen: Chosen) -> None:
    """The plate has as many values of columns as the space asks for."""
    wells = chosen.columns
    for name, fewest in too_few(chosen.known.encoding.space, wells).items():
        there = sorted(map(str, set(wells[name].tolist())))
        raise ValueError(
            f"distinct: expected designs of at least {fewest} values of {name} that fit on one "
            f"plate, got {len(there)}: {', '.join(there)}; ask for fewer, or allow more designs"
        )


def _of_pool(known: Known, posterior: Posterior) -> tuple[Floats, Floats]:
    """What is believed of all candidates, mean and sd (M,)."""
    assert known.encoding.pool is not None
    everything = np.arange(count_of(known.encoding.pool))[:, None]
    mean, sd, _ = predicted(posterior, known.spec, everything)
    return mean, sd


def _check_enough(known: Known, wells: int) -> None:
    """There are as many designs as wells, where none is to be measured again."""
    if known.spec.repeats is Repeats.ALLOWED:
        return
    size = known.encoding.design_space.size
    if size is None:
        return
    left = size
    if known.spec.repeats is Repeats.NEVER_AGAIN:
        left -= len(set(map(bytes, known.designs)))
    if left < wells:
        raise ValueError(
            f"plates: expected at most {left} wells on the next plate, as many designs as are "
            f"left, got {wells}; make the plate smaller, widen the space, or allow repeats"
        )
