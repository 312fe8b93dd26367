"""How much memory an evaluation takes, before any of it is taken."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ombo_gym.arguments import shown
from ombo_gym.memory import LIMIT, check_memory, largest_bytes
from ombo_gym.spec import Repeats, campaign_spec

if TYPE_CHECKING:
    from ombo_gym.evaluation.plan import EvaluationPlan

_ROW, _PAIR, _CELL = 200, 200, 2_000  # bytes: of campaigns.csv, of paired.csv, of a cell's record
_GIB = 2**30


def check_tables(plans: Iterable[EvaluationPlan]) -> None:
    """Refuses plans whose tables would take more memory than is allowed.

    Args:
        plans: Of one evaluation. Words that stand for several policies count as one.

    Raises:
        ValueError: They would; says how much they ask for.
    """
    rows = pairs = cells = 0
    for plan in plans:
        policies, told = len(plan.policies), len(plan.told)
        settings = len(plan.rounds) * len(plan.utilities)
        rows += settings * policies * told * plan.campaigns
        cells += settings * policies * told * -(-plan.campaigns // plan.block)
        pairs += settings * (policies**2 // 2 + (policies**2 if told > 1 else 0))
    limit = largest_bytes()
    needed = rows * _ROW + pairs * _PAIR + cells * _CELL
    if limit is None or needed <= limit:
        return
    raise ValueError(
        "campaigns, policies, horizons, utilities, told: expected an evaluation whose tables take "
        f"at most {limit / _GIB:g} GiB of memory, got about {shown(needed // _GIB)} GiB for "
        f"{shown(rows)} campaigns in {shown(cells)} cells (of --block campaigns at a time) and "
        f"{shown(pairs)} pairs of policies; ask for less, or raise the limit by the environment "
        f"variable {LIMIT}, in GiB"
    )


def check_block(env: Any, campaigns: int) -> None:
    """Refuses more campaigns at a time than fit into the memory that is allowed.

    Args:
        env: A vector environment of one of them.
        campaigns: How many a process plays at a time.

    Raises:
        ValueError: They do not; says what they take.
    """
    wastes_repeats = env.unwrapped.problem.repeats is Repeats.NEVER_AGAIN
    try:
        check_memory(campaign_spec(env), campaigns, wastes_repeats=wastes_repeats)
    except ValueError as error:
        raise ValueError(
            f"block: expected fewer campaigns at a time than {campaigns}: {error}"
        ) from error
