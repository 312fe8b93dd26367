"""Pages of results say which surrogate recipes their policies had, whatever recipes have become."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ombo_gym import BoxDesigns, CampaignSpec
from ombo_gym.surrogates import make_surrogate
from scripts.studies import study
from scripts.studies.recipes import INTRODUCTION, MEANINGS, recipes_line

RESULTS = Path(__file__).parents[2] / "docs" / "results"
WITH_RECIPES = ("truncation", "misspecification", "adaptivity", "offline", "exact")


def test_every_recipe_of_the_line_is_one_and_has_other_words() -> None:
    for name in set(MEANINGS) - {"prior"}:
        make_surrogate(CampaignSpec(BoxDesigns(2), surrogate={"kernel": name}))
    assert len(set(MEANINGS.values())) == len(MEANINGS)
    assert recipes_line("prior", "isotropic") == (
        "Surrogate recipes as played: `prior` is the process that functions are drawn from; "
        "`isotropic` is one lengthscale and the noise, the likeliest on a grid."
    )
    with pytest.raises(KeyError):
        recipes_line("botorch")


@pytest.mark.parametrize("name", WITH_RECIPES)
def test_pages_that_are_kept_say_it_above_their_first_section_of_numbers(name: str) -> None:
    text = (RESULTS / f"{name}.md").read_text(encoding="utf-8")
    head = text.partition("\n## ")[0]
    assert head.count(INTRODUCTION) == 1 and "`fit` is " in head


@pytest.mark.parametrize("name", WITH_RECIPES)
def test_the_code_of_these_pages_writes_it(name: str) -> None:
    module = import_module(f"scripts.studies.{name}.page")
    assert module.recipes_line is recipes_line


def test_it_stands_below_the_head_of_a_page() -> None:
    rows = [("P", n, "ucb", seed, 0.1 * seed) for n in (1, 3) for seed in range(3)]
    gains = pd.DataFrame(rows, columns=["problem", "horizon", "policy", "seed", "gain"])
    write: Callable[..., study.Page] = import_module("scripts.studies.truncation.page").page
    args: Any = import_module("scripts.studies.truncation.plan").Args(command="make study")
    head, *_ = write(gains, args).text.partition("\n## N = 1")
    assert head.strip().split("\n\n")[2] == recipes_line("fit")
