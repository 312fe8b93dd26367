"""From what campaigns are worth to their scores, round by round, of B campaigns at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import shown
from ombo_gym.campaign import Campaigns
from ombo_gym.design_spaces.values import is_number
from ombo_gym.problems.core.base import Problem
from ombo_gym.problems.core.values import checked_values
from ombo_gym.scores import score
from ombo_gym.utilities import Utility
from ombo_gym.wrappers.campaign_rows import CampaignRows, Floats, PlayedRound


class ScoreScale:
    """What the scores of B campaigns are measured by, and what is paid of them so far.

    Args:
        count: B.
        best_known: What has the score 1; None: what the problem knows.

    Raises:
        ValueError: It is no finite number.
    """

    def __init__(self, count: int, best_known: float | None) -> None:
        number = best_known is None or is_number(best_known)
        if not number or not math.isfinite(best_known or 0.0):
            raise ValueError(
                "best_known: expected None or a finite number in the problem's units, got "
                f"{shown(best_known)}"
            )
        self.best_known = None if best_known is None else float(best_known)
        self._base = np.zeros(count)  # (B,) score 0
        self._top = np.zeros(count)  # (B,) score 1
        self._proposals = np.zeros(count, np.int64)  # (B,) designs that are proposed, in all
        self._utilities: list[Utility] = []  # all that campaigns had so far
        self._which = np.zeros(count, np.intp)  # (B,) of these, the campaign's own

    def begin(self, groups: list[CampaignRows], begun: NDArray[np.bool_]) -> None:
        """Takes down what campaigns are measured by, before their first round.

        Args:
            groups: All campaigns.
            begun: (B,) which were begun.

        Raises:
            ValueError: No best value is known; says what to do.
        """
        for group in (each.among(begun) for each in groups):
            if not len(group.rows):
                continue
            campaigns, at = group.campaigns, group.env_rows
            self._top[at] = self._known(campaigns, group.rows)
            self._base[at] = campaigns.best_value[group.rows]
            self._proposals[at] = campaigns.plates[group.rows].sum(axis=1)
            if campaigns.spec.utility not in self._utilities:
                self._utilities.append(campaigns.spec.utility)
            self._which[at] = self._utilities.index(campaigns.spec.utility)

    def _known(self, campaigns: Campaigns, rows: NDArray[np.intp]) -> Floats:
        """The best value known of some campaigns, (R,)."""
        if self.best_known is not None:
            return np.full(len(rows), self.best_known)
        problem, optimum = campaigns.problem, campaigns.optimum[rows]  # (R,)
        if type(problem).best_known is Problem.best_known and not np.isnan(optimum).any():
            return optimum
        given = problem.best_known({name: each[rows] for name, each in campaigns.instances.items()})
        top = np.full(len(rows), np.nan)
        if given is not None:
            top = checked_values(problem, "best_known", given, (len(rows),))
        if not np.isfinite(top).all():
            raise ValueError(
                "ScoreReward: expected a finite best value of each campaign, which has the score "
                f"1, got {shown(float(top[~np.isfinite(top)][0]))} from "
                f"{type(problem).__name__}.best_known; say it, ScoreReward(env, best_known=...), "
                "or give the problem an `optimum` or `best_known`"
            )
        return top

    def paid(self, worth: Floats, played: PlayedRound, *, dense: bool) -> Floats:
        """What campaigns are paid after a round, all rounds together, in scores, (B,).

        In the end that is the score of the campaign.

        Args:
            worth: (B,) what they were paid in the problem's units.
            played: The round.
            dense: Whether that is what they would be worth if they ended now; else it is what the
                utility says of the rounds so far.
        """
        found = np.zeros(len(worth))
        proposals = np.maximum(played.values(proposals_so_far, self._proposals), 1)  # (B,)
        counted = proposals if dense else self._proposals  # (B,)
        for utility, count, at in self._alike(played.playing, counted):
            base, top = self._base[at], self._top[at]
            found[at] = score(utility, worth[at], base, top, measurements=count)
            if not dense:
                early = _early(utility, worth[at], base, top, proposals[at] / count, count)
                found[at] = np.where(played.over[at], found[at], early)
        return found

    def _alike(
        self, playing: NDArray[np.bool_], counts: NDArray[np.int64]
    ) -> Iterator[tuple[Utility, int, NDArray[np.intp]]]:
        """Campaigns that play of one utility and one number of designs, (R,) each."""
        rows = np.flatnonzero(playing)
        if not len(rows):
            return
        pairs = np.stack([self._which[rows], counts[rows]], axis=1)  # (R, 2)
        kinds, which = np.unique(pairs, axis=0, return_inverse=True)
        for number, (utility, count) in enumerate(kinds.tolist()):
            yield self._utilities[utility], count, rows[which.reshape(-1) == number]


def _early(
    utility: Utility, worth: Floats, base: Floats, top: Floats, share: Floats, count: int
) -> Floats:
    """What is paid in scores while a campaign goes on, (R,).

    Nothing where only the last round pays, or where the start holds the best value known. Else what
    came in, and of where utilities begin, below the start's best, the share of designs proposed.
    """
    room = top - base  # (R,)
    if utility.last_round_only:
        return np.zeros(len(worth))
    none: Any = utility.level(np.zeros(len(worth)), base, count)
    gained = utility.level(worth, base, count) - none + share * (none - base)  # (R,)
    return np.where(room > 0, gained / np.where(room > 0, room, 1.0), 0.0)


def proposals_so_far(campaigns: Campaigns) -> NDArray[np.int64]:
    """Designs that campaigns have proposed, wasted ones included, (B,)."""
    played = np.arange(campaigns.plates.shape[1]) < campaigns.round[:, None]  # (B, largest N)
    proposed: NDArray[np.int64] = np.where(played, campaigns.plates, 0).sum(axis=1)
    return proposed
