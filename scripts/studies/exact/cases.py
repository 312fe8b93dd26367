"""The campaigns of docs/results/exact.md: what is solved, and what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium as gym


@dataclass(frozen=True)
class Case:
    """A campaign that is solved exactly.

    Attributes:
        name: Of its files and runs.
        title: In the page.
        env, kwargs, utility, batch_size: What is played.
        horizons: N of the figure.
        rows: N of the table, among `horizons`.
        says: What it shows.
        trained: N at which a `direct` policy is trained; 0: none is.
        fresh: Further training seeds, which nothing was tuned on.
        steps: Rounds played in training; None: the agent's own number.
    """

    name: str
    title: str
    env: str
    kwargs: dict[str, Any]
    utility: str
    batch_size: int
    horizons: tuple[int, ...]
    rows: tuple[int, ...]
    says: str
    trained: int = 0
    fresh: tuple[int, ...] = ()
    steps: int | None = None

    def make(self, horizon: int) -> gym.Env[Any, Any]:
        """The environment."""
        return gym.make(self.env, **self.arguments(horizon))

    def arguments(self, horizon: int) -> dict[str, Any]:
        """The environment's keyword arguments."""
        played = {"horizon": horizon, "batch_size": self.batch_size, "utility": self.utility}
        return {**played, **self.kwargs}


BANDIT, LANDSCAPES = "Ombo/Bandit-v0", "Ombo/Landscapes-v0"

CASES = (
    Case(
        "signpost",
        "Signpost: one prize among six designs, and a sign that names it",
        LANDSCAPES,
        {"name": "signpost"},
        "best",
        1,
        (1, 2, 3, 4, 5, 6),
        (2,),
        "Reading the sign is worth almost nothing today and everything tomorrow. The one-round "
        "optimum never reads it, whatever is left.",
        trained=2,
    ),
    Case(
        "signpost-batched",
        "The same in batches of four",
        LANDSCAPES,
        {"name": "signpost"},
        "best",
        4,
        (1, 2, 3),
        (2,),
        "Two batches of four search all six designs: with enough measurements a round there is "
        "nothing left to plan.",
    ),
    Case(
        "blurred-signpost",
        "A sign that is misread half of the time, by one",
        LANDSCAPES,
        {"name": "blurred_signpost"},
        "best",
        1,
        (1, 2, 3, 4, 5, 6),
        (2, 3),
        "Noisy measurements: one look narrows the prize down to three designs. It is still the "
        "best first move as long as two rounds are left.",
    ),
    Case(
        "clique",
        "Clique: four designs that hit together, four that hit alone",
        LANDSCAPES,
        {"name": "clique"},
        "total",
        1,
        (1, 2, 3, 4, 5, 6),
        (4,),
        "Each single is likelier to hit (0.3) than the clique (0.25), so the one-round optimum "
        "takes singles; one look at the clique decides about three more.",
        trained=4,
    ),
    Case(
        "tent8",
        "Tents on a line of eight designs",
        LANDSCAPES,
        {"name": "tent8"},
        "best",
        1,
        (1, 2, 3, 4, 5),
        (2, 3),
        "Looking further can be worse than not looking: at N = 3 the policy that plans two rounds "
        "ahead, every round, loses to the one that plans one.",
    ),
    Case(
        "gp",
        "64 draws of a Gaussian process on eight designs",
        LANDSCAPES,
        {"name": "gp"},
        "best",
        1,
        (1, 2, 3, 4, 5, 6),
        (3, 4),
        "The large environments in miniature. The gap is 5% at N = 3 and gone at N = 4, when the "
        "measurements tell which of the draws it is, however they are chosen.",
    ),
    Case(
        "dose",
        "Doses: the more the better, until too much has no effect",
        LANDSCAPES,
        {"name": "dose"},
        "total",
        2,
        (1, 2, 3, 4),
        (2, 3),
        "Every dose given counts. Two doses a round: the one-round optimum stays low, planning "
        "ahead brackets the largest tolerated dose early. The gap is small.",
    ),
    Case(
        "independent",
        "Independent designs: the control experiment",
        LANDSCAPES,
        {"name": "independent"},
        "total",
        1,
        (1, 2, 3, 4),
        (4,),
        "No design tells anything about another, so knowing N is worth exactly nothing.",
    ),
    Case(
        "incumbent",
        "A known arm (success 3/5) against an unknown one",
        BANDIT,
        {"arms": 1, "known": [0.6]},
        "total",
        5,
        (1, 2, 3, 4, 5, 6),
        (4,),
        "The one-round optimum never tries the unknown arm. One of five pulls in the first round "
        "is enough to begin with.",
        trained=4,
        fresh=(3, 4, 5),
    ),
    Case(
        "arms-2",
        "Two unknown arms, one pull at a time",
        BANDIT,
        {"arms": 2},
        "total",
        1,
        (1, 2, 3, 5, 8, 12, 20, 30, 40, 50, 60),
        (12, 60),
        "The classic. The one-round optimum is within 2%, and up to N = 8 a lucky way of breaking "
        "its ties is all there is to planning. Thompson sampling, made for many rounds, is worse "
        "at every N here.",
    ),
    Case(
        "arms-2-batched",
        "Two unknown arms, ten pulls at a time",
        BANDIT,
        {"arms": 2},
        "total",
        10,
        (1, 2, 3, 4, 5, 6),
        (6,),
        "Every split of the first ten pulls is equally good for one round. The worst and the best "
        "way of breaking ties are further apart than the best is from the optimum.",
    ),
    Case(
        "arms-5",
        "Five unknown arms, one pull at a time",
        BANDIT,
        {"arms": 5},
        "total",
        1,
        (1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
        (10,),
        "A gap of less than 1%: too small to see in a thousand campaigns, and exact here.",
        trained=10,
    ),
)
