"""Lists of designs are kept while they fit into memory, those that were asked for last."""

from __future__ import annotations

from ombo_gym import CategoricalDesigns
from ombo_gym.surrogates import listed_marginals
from ombo_gym.surrogates.listed_marginals import RecentLists


def test_lists_of_many_spaces_are_kept_while_they_fit_together(monkeypatch) -> None:
    spaces = [CategoricalDesigns([40, 30 + i]) for i in range(5)]
    made, make = [], listed_marginals._listed_designs
    monkeypatch.setattr(
        listed_marginals, "_listed_designs", lambda *key: made.append(key) or make(*key)
    )
    room = sum(make(space, 0).bytes for space in spaces[:3]) + 1
    lists = RecentLists(room)
    first = [lists.of(space, 0) for space in spaces[:3]]
    assert [lists.of(space, 0) for space in spaces[:3]] == first and len(made) == 3
    lists.of(spaces[0], 0)
    lists.of(spaces[3], 0)  # in the place of the second, and the third that has no room
    lists.of(spaces[0], 0)
    assert len(made) == 4
    lists.of(spaces[1], 0)
    assert len(made) == 5


def test_one_list_is_kept_however_large_it_is() -> None:
    lists, space = RecentLists(1), CategoricalDesigns([40, 40])
    assert lists.of(space, 0) is lists.of(space, 0)
