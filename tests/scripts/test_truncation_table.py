"""The truncation table: gains are paired by campaign, and means are over problems."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scripts import truncation_table
from scripts.truncation_table import Args, gains, main


def test_gains_are_scores_with_the_shift_minus_without() -> None:
    rows = [
        (env, json.dumps({"split": "train", "surrogate": {"truncation": on}}), 1, "ucb", seed, s)
        for env, scores in {"A": ((0.1, 0.4), (0.2, 0.2)), "B": ((0.5, 0.3), (0.0, 1.0))}.items()
        for seed, (off, on_) in enumerate(scores)
        for on, s in ((False, off), (True, on_))
    ]
    columns = ["env", "env_kwargs", "horizon", "policy", "seed", "problem_score"]
    table = gains(pd.DataFrame(rows[::-1], columns=columns))
    assert table["gain"].tolist() == pytest.approx([0.3, 0.0, -0.2, 1.0])
    assert table["problem"].unique().tolist() == ["A train", "B train"]


def test_it_plays_and_writes_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = (("Ombo/Antibody-v0", {}), ("Ombo/TFBinding-v0", {"split": "train"}))
    monkeypatch.setattr(truncation_table, "PROBLEMS", problems)
    monkeypatch.setattr(truncation_table, "POLICIES", ("greedy", "ucb"))
    main(Args(tmp_path / "out", tmp_path / "runs", campaigns=4, jobs=1))
    page = (tmp_path / "out" / "truncation.md").read_text()
    assert "nan" not in page and "## N = 3" in page
    means = [float(x) for x in re.findall(r"\| ([+-]\d\.\d{3}) \[", page.split("## N = 3")[0])]
    assert len(means) == 6 and np.abs(means).max() > 0
