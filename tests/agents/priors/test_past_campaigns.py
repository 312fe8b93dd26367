"""A folder of past campaigns is a family: transfer to the next one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ombo_agents
from ombo_agents.campaigns.campaign import Campaign
from ombo_agents.cli.train import Args, main
from ombo_agents.learned.priors import learning, train_prior
from ombo_agents.learned.priors.folders import family_of_folder

SOLVENTS = ["DMF", "THF", "water"]
SPACE = {"temperature": {"range": [20, 120]}, "solvent": SOLVENTS}


@pytest.fixture(autouse=True)
def _few_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_CURVATURES", (0.0,))
    monkeypatch.setattr(learning, "_GRIDS", {"residual": (0.1, 0.5)})
    monkeypatch.setattr("ombo_gym.surrogates.learned_scale._GRIDS", ((9, 9), (5, 5)))


def _yield(temperature: float, solvent: str, substrate: int) -> float:
    best = {"DMF": 0.0, "THF": -8.0, "water": -25.0}[solvent]
    top = 85 + 3 * substrate
    return 60 + 5 * substrate + best - 0.01 * (temperature - top) ** 2


def _past(folder: Path, campaigns: int = 4, rows: int = 18) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for substrate in range(campaigns):
        lines = ["temperature,solvent,yield"]
        for _ in range(rows + substrate):
            temperature, solvent = rng.uniform(20, 120), rng.choice(SOLVENTS)
            value = _yield(temperature, str(solvent), substrate)
            lines.append(f"{temperature:.1f},{solvent},{value:.2f}")
        (folder / f"substrate{substrate}.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_each_spreadsheet_is_an_instance_of_its_own_designs(tmp_path: Path) -> None:
    family = family_of_folder(_past(tmp_path / "past"), space=SPACE, target="yield")
    assert (~np.isnan(family.values)).sum(axis=1).tolist() == [18, 19, 20, 21]
    assert family.names[2] == "substrate2.csv" and not family.shared
    lowest = family_of_folder(tmp_path / "past", space=SPACE, target="yield", minimise=True)
    np.testing.assert_array_equal(lowest.values, -family.values)


def test_the_next_campaign_begins_where_the_past_ones_ended(tmp_path: Path) -> None:
    out = tmp_path / "prior"
    train_prior(_past(tmp_path / "past"), out, "interp", space=SPACE, target="yield")
    sheet = [{"temperature": 30, "solvent": "water", "yield": _yield(30, "water", 5)}]
    campaign = Campaign.from_csv(sheet, SPACE, target="yield")
    spec = replace(campaign.spec([4]), surrogate={"kernel": "learned", "path": str(out)})
    policy = ombo_agents.make("greedy", spec)
    batch = policy.act(campaign.observation([4]), np.random.default_rng(0))
    designs = spec.design_space.designs(batch)[0]
    temperature, solvent = (
        [spec.design_space.describe(each)[name] for each in designs] for name in SPACE
    )
    assert solvent[0] == "DMF" and 75 < temperature[0] < 110


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"space": SPACE}, "needs space, the path of a space file, and target"),
        ({"space": SPACE, "target": "nothing"}, "nothing"),
    ],
)
def test_folders_without_what_is_needed_are_refused(
    given: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=reason):
        train_prior(_past(tmp_path / "past"), tmp_path / "out", **given)


def test_two_campaigns_are_no_family(tmp_path: Path) -> None:
    folder = _past(tmp_path / "past", campaigns=2)
    with pytest.raises(ValueError, match="at least 3 past campaigns, a spreadsheet each"):
        family_of_folder(folder, space=SPACE, target="yield")


def test_the_command_takes_a_folder(tmp_path: Path) -> None:
    space = tmp_path / "space.json"
    space.write_text(json.dumps(SPACE))
    past, out = _past(tmp_path / "past"), tmp_path / "prior"
    main(Args(out=out, agent="prior", tasks=str(past), kind="interp", space=space, target="yield"))
    config = json.loads((out / "config.json").read_text())
    assert config["folder"] == str(past) and len(config["instances"]) == 4
