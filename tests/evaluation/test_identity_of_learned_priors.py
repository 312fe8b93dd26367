"""A cell is another one once the prior that its surrogate names was trained again."""

from __future__ import annotations

import json
from pathlib import Path

from ombo_gym.design_spaces import BoxDesigns
from ombo_gym.evaluation.identity import fingerprint
from tests.surrogates.learned_cases import write_prior


def test_a_prior_that_was_trained_again_makes_another_cell(tmp_path: Path) -> None:
    recipe = {"kernel": "learned", "path": str(tmp_path)}
    env_kwargs = json.dumps({"dim": 2, "surrogate": recipe})

    def identified() -> str:
        return fingerprint("greedy", "Ombo/GP-v0", env_kwargs=env_kwargs)

    write_prior(tmp_path, BoxDesigns(2), "interp")
    first = identified()
    assert identified() == first
    write_prior(tmp_path, BoxDesigns(2), "interp", noise=0.5)
    assert identified() != first
