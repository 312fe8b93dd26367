"""The study of families: splits without an instance on both sides, and what its page says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scripts.studies.families.page import page
from scripts.studies.families.plan import Args, Results, cells_of
from scripts.studies.families.splits import FAMILIES


@pytest.mark.parametrize("name", FAMILIES)
def test_each_instance_is_tested_once_and_the_first_split_is_the_familys_own(name: str) -> None:
    studied = FAMILIES[name]
    every = np.concatenate(studied.held_out)
    assert len(np.unique(every)) == len(every) >= 20


def _results() -> Results:
    """Regrets .1 of the learned prior and .3 of others, of two instances in each split."""
    rows = []
    for cell in cells_of("LCBench"):
        for instance in (10 * cell.split, 10 * cell.split + 1):
            for campaign in range(2):
                own = cell.surrogate == "learned" and cell.policy == "expected_improvement"
                noise = 0.01 * (instance % 2) + 0.002 * campaign
                regret = (0.1 if own else 0.3 if cell.told == "true" else 0.25) + noise
                value = 1 - regret - (0.02 * campaign if own else 0)
                rows.append(
                    {**vars(cell), "instance": instance, "campaign": campaign, "regret": regret}
                    | {"value": value}
                )
    quality = [
        {"family": "LCBench", "observed": n, "coverage": 0.9, "spearman": 0.5} for n in (4, 20)
    ]
    return Results(pd.DataFrame(rows), pd.DataFrame(quality))


def test_the_page_compares_the_learned_prior_with_all_others() -> None:
    made = page(_results(), Args())
    assert "| `portfolio` - EI, learned | **+0.200 [" in made.text
    assert "| regret as a share of `isotropic`'s | 0.35 |" in made.text
    assert "| LCBench | `last_mean` | **-0.050 [" in made.text
    assert "| 4 | 0.900 | 0.50 |" in made.text
    assert set(made.files) == {Path("docs/results/families.csv")}
