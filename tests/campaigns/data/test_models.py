"""A constraint, or an off-grid well, changes what is feasible and hardly what is believed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.data.values import posterior_of, predicted
from ombo_gym import CampaignSpec, CandidateDesigns

LIGANDS = [f"L{i}" for i in range(40)]
MIXED = {
    "ligand": LIGANDS,
    "base": ["K2CO3", "NaH"],
    "T": {"range": [20, 120], "step": 5},
    "time": {"levels": [1, 2, 4, 8, 16], "scale": "log"},
}


def rows_of(count: int) -> list[dict[str, Any]]:
    """Wells whose yield hangs on temperature and time, and a little on the ligand."""
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(count):
        row: dict[str, Any] = {
            "ligand": LIGANDS[rng.integers(40)],
            "base": ["K2CO3", "NaH"][rng.integers(2)],
            "T": 20 + 5 * int(rng.integers(21)),
            "time": [1, 2, 4, 8, 16][rng.integers(5)],
        }
        heat = np.exp(-(((row["T"] - 80) / 30) ** 2)) + 0.2 * np.log2(row["time"])
        row["y"] = round(
            float(heat + 0.3 * (row["base"] == "NaH") + 0.02 * LIGANDS.index(row["ligand"]) / 40), 4
        )
        rows.append(row)
    return rows


def beliefs(campaign: Campaign, rows: list[dict[str, Any]]) -> tuple[Any, Any]:
    """Mean and sd at the designs of some rows."""
    known = campaign.known([8])
    posterior = posterior_of(known.spec, known.designs, known.values, known.num_start)
    names = campaign.space.columns
    columns = {
        name: np.array(
            [row[name] for row in rows], object if isinstance(rows[0][name], str) else float
        )
        for name in names
    }
    mean, sd, _ = predicted(posterior, known.spec, known.encoding.encode(columns))
    return mean, sd


def test_a_pool_of_parameters_is_seen_as_mixed_designs_are() -> None:
    rows = rows_of(160)
    measured, others = rows[:60], rows[60:]
    free = Campaign.from_csv(measured, MIXED, target="y")
    bound = Campaign.from_csv(
        measured, {**MIXED, "constraints": "T <= 999 or time < 0"}, target="y"
    )
    space = bound.known([8]).encoding.design_space
    assert isinstance(space, CandidateDesigns) and space.feature_groups.max() == 3
    truth = np.array([row["y"] for row in others])
    means = [beliefs(campaign, others) for campaign in (free, bound)]
    correlations = [np.corrcoef(mean, truth)[0, 1] for mean, _ in means]
    assert correlations[1] > correlations[0] - 0.05 and correlations[1] > 0.8
    assert np.corrcoef(means[0][0], means[1][0])[0, 1] > 0.95


def test_specs_of_pools_come_back_from_json() -> None:
    space = {**MIXED, "ligand": LIGANDS[:3], "constraints": "T <= 80 if base == 'NaH'"}
    rows = [row for row in rows_of(200) if row["ligand"] in LIGANDS[:3]]
    spec = Campaign.from_csv(rows, space, target="y").spec([8, 4])
    again = CampaignSpec.from_json(spec.to_json())
    assert again == spec
    assert again.design_space.feature_groups.tolist() == spec.design_space.feature_groups.tolist()
    categories = again.design_space.category_features
    assert categories is not None and categories.sum() == 5


@pytest.mark.parametrize(
    "further",
    [
        {"groups": [0]},
        {"groups": [0, -1]},
        {"groups": [0, 2]},
        {"groups": [0, 1], "scale": None},
        {"is_category": [1.5, 0]},
    ],
)
def test_groups_that_do_not_go_with_the_features_are_refused(further: dict[str, Any]) -> None:
    features = np.random.default_rng(0).random((5, 2))
    with pytest.raises(ValueError, match="expected one for each of 2 features"):
        CandidateDesigns(features, **{"scale": "none", **further})
