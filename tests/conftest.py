"""What tests of all packages share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from ombo_gym.surrogates import anisotropic_fit

settings.register_profile("any machine", deadline=None)  # no example is timed
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def no_power_cuts() -> Iterator[None]:
    """Files need not be on the disk at once: that takes long, and nothing here tells."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture
def brief_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fitted surrogates climb two steps, for tests of what holds however good a fit is."""
    monkeypatch.setattr(anisotropic_fit, "_EVALUATIONS", 2)


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests in which intervals only have to be there."""
    monkeypatch.setattr("ombo_gym.evaluation.resampling.RESAMPLES", 100)


def pytest_collection() -> None:
    """Going through all that is imported and collected, again and again, takes a third of it."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, in as many processes as there are."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """What is there by now stays and is not gone through while tests run, and the rest rarely."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    gc.enable()
