"""`--surrogate` takes the folder of a prior, the name of one that is shipped, or JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from ombo_agents.cli.campaign_arguments import SheetArgs, read_campaign
from ombo_agents.learned.priors import shipped_prior

SITE = "site: {alphabet: ACGT, length: 8}\n"
SHEET = "site,signal\n" + "".join(
    f"{word},{i}\n" for i, word in enumerate(["ACGTACGT", "TTAATTAA", "GGGGCCCC", "CACGTGAC"])
)


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    (tmp_path / "space.yaml").write_text(SITE)
    (tmp_path / "screen.csv").write_text(SHEET)
    return tmp_path / "screen.csv"


def args(sheet: Path, surrogate: str) -> SheetArgs:
    return SheetArgs(
        sheet,
        space=sheet.with_name("space.yaml"),
        target="signal",
        maximise=True,
        surrogate=surrogate,
    )


def test_a_name_is_the_prior_that_is_shipped_and_plays_where_the_space_is_the_familys(
    sheet: Path,
) -> None:
    recipe = {"kernel": "learned", "path": shipped_prior("tf_binding")}
    campaign = read_campaign(args(sheet, "tf_binding"), goal_needed=True)
    assert campaign.spec([4]).surrogate == recipe
    plate = campaign.suggest([4], seed=0)
    assert len(plate) == 4
    assert (
        read_campaign(args(sheet, recipe["path"]), goal_needed=True).suggest([4], seed=0) == plate
    )
    assert read_campaign(args(sheet, '{"kernel": "fit"}'), goal_needed=True).spec(
        [4]
    ).surrogate == {"kernel": "fit"}


def test_a_prior_of_other_designs_is_refused_by_a_sentence(sheet: Path) -> None:
    with pytest.raises(ValueError, match="is of other designs"):
        read_campaign(args(sheet, "lcbench"), goal_needed=True)


@pytest.mark.parametrize("text", ["nowhere", "tf-binding", "[1]", "3", ""])
def test_other_texts_are_refused_by_a_sentence_that_lists_the_names(sheet: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"--surrogate: expected a JSON object.*'tf_binding'"):
        read_campaign(args(sheet, text), goal_needed=True)
