"""What tests of all packages share."""

from __future__ import annotations

import pytest

from ombo_gym.surrogates import anisotropic_fit


@pytest.fixture
def brief_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fitted surrogates climb two steps, for tests of what holds however good a fit is."""
    monkeypatch.setattr(anisotropic_fit, "_EVALUATIONS", 2)
