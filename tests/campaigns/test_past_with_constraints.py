"""Past campaigns of a space with constraints and plates that share values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.learned.priors import learning
from ombo_agents.learned.priors.folders import family_of_folder, prior_of_past
from ombo_gym.design_spaces import design_space_from_dict
from ombo_gym.design_spaces.part import PartOfDesigns
from ombo_gym.surrogates.learned_prior import read_prior
from tests.campaigns.sheets import write
from tests.campaigns.test_learned_priors import SOLVENTS, SPACE, measured, sheet

RULES: dict[str, dict[str, Any]] = {
    "none": {},
    "constraints": {"constraints": ['temperature <= 60 if solvent == "THF"']},
    "exclude": {"exclude": ['solvent == "DMF" and temperature >= 95']},
    "shared": {"shared": ["solvent"]},
    "variety": {"distinct": {"solvent": "at least 2"}},
}


@pytest.fixture(autouse=True)
def few_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_CURVATURES", (0.5,))
    monkeypatch.setattr(learning, "_GRIDS", {"residual": (0.1, 0.5)})
    monkeypatch.setattr("ombo_gym.surrogates.learned_scale._GRIDS", ((9, 9), (5, 5)))


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("past")
    for substrate in range(4):  # some of these break the rules, and lie between steps
        write(folder, f"substrate{substrate}.csv", sheet(substrate, 14, substrate))
    return folder


def campaign(prior: Path, rules: dict[str, Any], count: int = 6) -> Campaign:
    rng = np.random.default_rng(5)
    rows = [
        {"temperature": float(t), "solvent": s, "yield": measured(float(t), str(s), 5)}
        for t, s in zip(rng.uniform(20, 120, count), rng.choice(SOLVENTS, count), strict=True)
    ]
    surrogate = {"kernel": "learned", "path": str(prior)}
    return Campaign.from_csv(rows, SPACE | rules, target="yield", surrogate=surrogate)


def test_the_family_is_the_same_whatever_the_rules(past: Path) -> None:
    free = family_of_folder(past, space=SPACE, target="yield")
    for rules in RULES.values():
        family = family_of_folder(past, space=SPACE | rules, target="yield")
        assert family.space == free.space
        np.testing.assert_array_equal(family.designs, free.designs)
        np.testing.assert_array_equal(family.values, free.values)


@pytest.mark.parametrize("kind", RULES)
def test_a_campaign_with_rules_is_told_what_the_one_without_is(past: Path, kind: str) -> None:
    prior = prior_of_past(past, space=SPACE, target="yield")
    free, ruled = campaign(prior, {}), campaign(prior, RULES[kind])
    plate = ruled.suggest([3, 3])
    assert "what was learnt from past campaigns" in plate.reason
    assert all(well.design["temperature"] <= 60 for well in plate.wells if kind == "constraints"
               and well.design["solvent"] == "THF")  # fmt: skip
    known, beside = ruled.known([3]), free.known([3])
    columns = {"temperature": np.array([30.0, 55.0]), "solvent": np.array(["THF"] * 2, object)}
    from ombo_agents.campaigns.data.values import posterior_of, predicted

    expected, found = (
        predicted(
            posterior_of(each.spec, each.designs, each.values, each.num_start),
            each.spec,
            each.encoding.encode(columns),
        )
        for each in (beside, known)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_hopeful_designs_are_those_that_keep_the_rules(past: Path) -> None:
    prior = prior_of_past(past, space=SPACE, target="yield")
    known = campaign(prior, RULES["exclude"]).known([3])
    space = known.spec.design_space
    assert isinstance(space, PartOfDesigns)
    learned, whole = read_prior(prior, space), read_prior(prior, space.whole)
    kept = known.encoding.decode(learned.promising)
    rules = known.encoding.space
    assert rules.keeps_rules(kept).all() and 0 < len(learned.promising) < len(whole.promising)


def test_a_part_of_designs_comes_back_from_its_dict(past: Path) -> None:
    prior = prior_of_past(past, space=SPACE, target="yield")
    space = campaign(prior, RULES["exclude"]).known([3]).spec.design_space
    assert isinstance(space, PartOfDesigns)
    again = design_space_from_dict(space.to_dict())
    assert again == space and hash(again) == hash(space)
    np.testing.assert_array_equal(again.features(np.array([[3]])), space.features(np.array([[3]])))
    inside = space.members[[5, 2]]
    assert space.those_of(inside).tolist() == [[5], [2]]
    assert space.some(np.arange(space.size) < 4).size == 4


def test_too_few_past_campaigns_are_answered_with_what_to_do(tmp_path: Path) -> None:
    for i in range(2):
        write(tmp_path, f"{i}.csv", sheet(i, 6, i))
    with pytest.raises(ValueError, match=r"at least 3 past campaigns.*got 2.*append old .*--block"):
        prior_of_past(tmp_path, space=SPACE, target="yield")
    write(tmp_path, "2.csv", "temperature,solvent,yield\n60,DMF,4\n70,DMF,5\n")
    with pytest.raises(ValueError, match=r"2\.csv: expected .* at least 3 results .*--block"):
        prior_of_past(tmp_path, space=SPACE, target="yield")


def test_a_mixture_without_steps_is_answered_with_what_to_do(tmp_path: Path) -> None:
    for i in range(3):
        write(tmp_path, f"{i}.csv", f"A,B,y\n{10 + i},{90 - i},1\n30,70,2\n45,55,4\n")
    space = {"mixture": ["A", "B"], "sum": 100}
    with pytest.raises(ValueError, match=r"give the mixture a step, or append old rows.*--block"):
        prior_of_past(tmp_path, space=space, target="y")
