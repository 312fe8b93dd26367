"""Campaigns that know what past campaigns of the laboratory were like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.advice.drawing import DrawnObjectives
from ombo_agents.campaigns.advice.models import Model, models_of
from ombo_agents.campaigns.data.values import posterior_of, predicted, predicted_interval
from ombo_agents.learned.priors import learning
from ombo_agents.learned.priors.folders import family_of_folder, prior_of_past
from tests.campaigns.sheets import write
from tests.campaigns.test_commands import ombo

SOLVENTS = ["DMF", "THF", "water"]
SPACE: dict[str, Any] = {"temperature": {"range": [20, 120], "step": 1}, "solvent": SOLVENTS}
SPACE_FILE = "temperature: {range: [20, 120], step: 1}\nsolvent: [DMF, THF, water]\n"


@pytest.fixture(autouse=True)
def few_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_CURVATURES", (0.5,))
    monkeypatch.setattr(learning, "_GRIDS", {"residual": (0.1, 0.5)})
    monkeypatch.setattr("ombo_gym.surrogates.learned_scale._GRIDS", ((9, 9), (5, 5)))


def measured(temperature: float, solvent: str, substrate: int) -> float:
    best = {"DMF": 0.0, "THF": -8.0, "water": -25.0}[solvent]
    return 60 + 5 * substrate + best - 0.01 * (temperature - 85 - 3 * substrate) ** 2


def sheet(substrate: int, rows: int, seed: int) -> str:
    rng = np.random.default_rng(seed)
    lines = ["Temperature (°C),Solvent,yield (%)"]
    for _ in range(rows):
        temperature, solvent = round(float(rng.uniform(20, 120)), 1), str(rng.choice(SOLVENTS))
        value = measured(temperature, solvent, substrate)
        lines.append(f"{temperature},{solvent},{value:.2f}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("past")
    for substrate in range(4):
        write(folder, f"substrate{substrate}.csv", sheet(substrate, 14, substrate))
    return folder


@pytest.fixture
def prior(past: Path) -> Path:
    return prior_of_past(past, space=SPACE, target="yield")


def test_a_prior_is_learnt_once_and_again_where_the_sheets_are_others(
    tmp_path: Path, past: Path, prior: Path
) -> None:
    stamps = {file: file.stat().st_mtime_ns for file in prior.iterdir()}
    assert prior.parent == past and prior.name.startswith("prior-")
    assert prior_of_past(past, space=SPACE, target="yield") == prior
    assert stamps == {file: file.stat().st_mtime_ns for file in prior.iterdir()}
    names = set()
    for text in ("a", "b"):
        folder = tmp_path / text
        folder.mkdir()
        for i in range(3):
            write(folder, f"{i}.csv", sheet(i, 8, i) + ("" if text == "a" else "60,DMF,failed\n"))
        names.add(prior_of_past(folder, space=SPACE, target="yield", failed=["failed"]).name)
    assert len(names) == 2


def test_wells_that_run_or_failed_are_read_as_in_every_campaign(tmp_path: Path) -> None:
    for i in range(3):
        text = sheet(i, 6, i) + "60,DMF,\n61,DMF,exploded\n"
        write(tmp_path, f"{i}.csv", text)
    family = family_of_folder(tmp_path, space=SPACE, target="yield", failed=["exploded"])
    assert (~np.isnan(family.values)).sum(axis=1).tolist() == [7, 7, 7]  # 6, and one that failed
    write(tmp_path, "0.csv", "temperature,solvent,yield\n60,DMF,\n")
    with pytest.raises(ValueError, match=r"0\.csv: expected a past campaign with results"):
        family_of_folder(tmp_path, space=SPACE, target="yield")
    with pytest.raises(FileNotFoundError, match="expected a folder of past campaigns"):
        prior_of_past(tmp_path / "nowhere", space=SPACE, target="yield")


def campaign(prior: Path | None, rows: int = 2, **settings: Any) -> Campaign:
    rng = np.random.default_rng(5)
    sheet = [
        {"temperature": float(t), "solvent": s, "yield": measured(float(t), str(s), 5)}
        for t, s in zip(rng.integers(20, 120, rows), rng.choice(SOLVENTS, rows), strict=True)
    ]
    surrogate = None if prior is None else {"kernel": "learned", "path": str(prior)}
    return Campaign.from_csv(sheet, SPACE, target="yield", surrogate=surrogate, **settings)


def test_a_campaign_begins_where_the_past_ones_ended(prior: Path) -> None:
    for rows in (0, 2):
        plate = campaign(prior, rows).suggest([3, 3])
        assert "(expected_improvement): what was learnt from past campaigns" in plate.reason
        for well in plate.wells:
            assert well.mean is not None and well.low is not None and well.high is not None
            assert well.low < well.mean < well.high
        best = plate.wells[0]
        assert best.design["solvent"] == "DMF" and 70 < best.design["temperature"] < 110
        assert (best.nearest is None) == (rows == 0)
    assert campaign(None).suggest([3, 3]).reason.startswith("a designed plate (doe_then_ucb")


def test_predictions_are_in_the_users_units(prior: Path) -> None:
    """Beliefs are about warped values: intervals are the posterior's own quantiles, taken back."""
    asked = campaign(prior, rows=8)
    known = asked.known([4])
    posterior = posterior_of(known.spec, known.designs, known.values, known.num_start)
    solvents = np.array(["water", "DMF"], object)
    designs = known.encoding.encode({"temperature": np.array([25.0, 90.0]), "solvent": solvents})
    mean, sd, spread = predicted(posterior, known.spec, designs)
    low, high = predicted_interval(posterior, known.spec, designs, 1.0)
    at = posterior.at(known.spec.design_space.features(designs[None]))
    noise = posterior.noise[0] * posterior.outputscale[0]
    for side, found in ((-1, low), (1, high)):
        ends = at.mean + side * np.sqrt(at.sd**2 + noise)
        np.testing.assert_allclose(found, posterior.in_units(ends)[0], rtol=1e-12)
    np.testing.assert_allclose(mean, posterior.in_units(at.mean)[0], rtol=1e-12)
    np.testing.assert_allclose(spread, (high - low) / 2, rtol=1e-9)
    assert (sd <= spread + 1e-12).all() and ((mean > 0) & (mean < 100)).all()


def test_a_prior_of_yields_foretells_yields(prior: Path) -> None:
    plate = campaign(prior, rows=10).suggest([6], policy="random", seed=3)
    errors = []
    for well in plate.wells:
        truth = measured(float(well.design["temperature"]), str(well.design["solvent"]), 5)
        assert well.mean is not None
        errors.append(abs(well.mean - truth))
    assert np.median(errors) < 5  # of a range from 0 to 85


def test_wells_between_steps_are_taken_for_the_nearest(prior: Path) -> None:
    rows = [{"temperature": 60.4, "solvent": "DMF", "yield": 50}]
    surrogate = {"kernel": "learned", "path": str(prior)}
    asked = Campaign.from_csv(rows, SPACE, target="yield", surrogate=surrogate)
    known = asked.known([2])
    assert known.encoding.decode(known.designs)["temperature"].tolist() == [60]


@pytest.mark.parametrize(
    ("surrogate", "words"),
    [
        ({"kernel": "learned", "path": "nowhere"}, "expected config.json in the folder nowhere"),
        ({"kernel": "guess"}, "expected a kernel among"),
        ("fit", "surrogate: expected a dict of settings"),
        ({"kernel": "fit", "path": "x"}, "goes with the kernel"),
    ],
)
def test_recipes_that_are_none_are_refused_at_once(surrogate: Any, words: str) -> None:
    rows = [{"temperature": 60, "solvent": "DMF", "yield": 50}]
    with pytest.raises(ValueError, match=words):
        Campaign.from_csv(rows, SPACE, target="yield", surrogate=surrogate)


def test_a_prior_of_another_space_is_refused(prior: Path) -> None:
    rows = [{"temperature": 60, "yield": 50}]
    surrogate = {"kernel": "learned", "path": str(prior)}
    with pytest.raises(ValueError, match="is of other designs"):
        Campaign.from_csv(rows, {"temperature": [20, 60]}, target="yield", surrogate=surrogate)


def test_other_recipes_are_used_as_they_are() -> None:
    rows = [{"temperature": 20 + 5 * i, "solvent": "DMF", "yield": i} for i in range(9)]
    asked = Campaign.from_csv(rows, SPACE, target="yield", surrogate={"kernel": "isotropic"})
    assert asked.spec([4]).surrogate == {"kernel": "isotropic"}
    assert campaign(None, 9).spec([4]).surrogate == {"kernel": "fit"}


def test_a_kept_campaign_keeps_its_recipe_and_others_are_kept_as_before(
    tmp_path: Path, prior: Path
) -> None:
    asked = campaign(prior, rows=4)
    asked.save(tmp_path / "c.json")
    again = Campaign.load(tmp_path / "c.json")
    assert again.settings == asked.settings
    assert again.suggest([2], seed=1) == asked.suggest([2], seed=1)
    plain = campaign(None, rows=4)
    plain.save(tmp_path / "plain.json")
    assert '"surrogate"' not in (tmp_path / "plain.json").read_text()


def test_commands_learn_from_a_folder_in_which_the_sheet_itself_may_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for substrate in range(3):
        write(tmp_path, f"substrate{substrate}.csv", sheet(substrate, 8, substrate))
    write(tmp_path, "screen.csv", sheet(5, 3, 9))
    write(tmp_path, "space.yaml", SPACE_FILE)
    line = "suggest screen.csv --space space.yaml --target yield --maximise --plates 2,2"
    ombo(monkeypatch, f"{line} --past .")
    assert "what was learnt from past campaigns" in capsys.readouterr().out
    (made,) = tmp_path.glob("prior-*")
    assert '"substrate2.csv"' in (made / "config.json").read_text()
    assert '"screen.csv"' not in (made / "config.json").read_text()
    recipe = f'{{"kernel":"learned","path":"{made.name}"}}'
    ombo(monkeypatch, f"{line} --surrogate {recipe}")
    assert "2 wells: plate.csv" in capsys.readouterr().out  # the same plate, found there
    with pytest.raises(SystemExit, match="expected --surrogate or --past, got both"):
        ombo(monkeypatch, f"{line} --past . --surrogate {recipe}")
    with pytest.raises(SystemExit, match="--surrogate: expected a JSON object"):
        ombo(monkeypatch, f"{line} --surrogate learned")


def test_objectives_are_drawn_as_the_prior_says_given_the_data(prior: Path) -> None:
    known = campaign(prior, rows=6).known([4])
    posterior = posterior_of(known.spec, known.designs, known.values, known.num_start)
    drawn = DrawnObjectives([Model(posterior, 1.0)], 2000, 0)
    columns = {"temperature": np.array([30.0, 70.0, 95.0]), "solvent": np.array(SOLVENTS, object)}
    features = known.spec.design_space.features(known.encoding.encode(columns))
    values = posterior.standardised(drawn.at(features).reshape(1, -1)).reshape(2000, 3)
    at = posterior.at(features[None])
    assert values.mean(axis=0) == pytest.approx(at.mean[0], abs=0.12 * float(at.sd.max()))
    assert values.std(axis=0) == pytest.approx(at.sd[0], rel=0.12)
    own = np.repeat(features[None], 2000, axis=0)
    assert drawn.at_own(own) == pytest.approx(drawn.at(features))
    some = np.array([3, 7, 1999])
    assert drawn.take(some).at_own(own[some]) == pytest.approx(drawn.at(features)[some])


def test_advice_counts_the_prior_by_how_it_foretells(prior: Path) -> None:
    asked = campaign(prior, rows=10)
    known = asked.known([3])
    *others, learned = models_of(known.spec, known.designs, known.values, known.num_start)
    assert learned.weight > 0.5  # the campaign is one of the family
    assert learned.weight + sum(each.weight for each in others) == pytest.approx(1)
    advice = asked.advise([3], policies=["expected_improvement", "random"], simulations=6)
    assert advice.policies and 40 < advice.policies[0].outcome.estimate < 110
