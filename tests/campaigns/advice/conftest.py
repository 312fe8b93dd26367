"""Walks over kernel parameters are brief, where they are not what is tested."""

from __future__ import annotations

import pytest

from ombo_agents.campaigns.advice import sampling


@pytest.fixture(autouse=True)
def brief_walks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    about_models = "test_advise_models" in request.module.__name__
    if not about_models and request.node.get_closest_marker("slow") is None:
        monkeypatch.setattr(sampling, "CHAINS", 4)
        monkeypatch.setattr(sampling, "_STEPS", 8)
