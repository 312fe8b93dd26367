"""A space of fewer designs than the usual start has: what to write, also where nobody named one."""

from __future__ import annotations

from typing import Any

import pytest

import ombo_gym


def _campaign(**arguments: Any) -> Any:
    return ombo_gym.make_campaign(
        lambda x: float(x["base"] == "A"), {"base": ["A", "B"]}, **arguments
    )


def test_the_message_says_how_to_begin_with_fewer() -> None:
    with pytest.raises(
        ValueError, match=r'got 4; start=\{"kind": "random", "size": 1\} takes fewer'
    ):
        _campaign()
    _campaign(start={"kind": "random", "size": 1}).reset(seed=0)
    _campaign(start={"kind": "none"}).reset(seed=0)
