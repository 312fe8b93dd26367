"""A utility that is not written as it should be: what is missing, and what to type."""

from __future__ import annotations

import pytest

from ombo_gym import make_utility


def test_an_argument_that_is_needed_is_named() -> None:
    with pytest.raises(ValueError, match=r"arguments \['quantile'\] and needs \['quantile'\], got"):
        make_utility("last_quantile")


def test_an_unknown_argument_is_not_said_to_be_missing() -> None:
    with pytest.raises(ValueError, match=r"takes the arguments \['quantile'\], got"):
        make_utility({"name": "last_quantile", "quantile": 0.5, "quantil": 0.5})


def test_arguments_after_a_comma_are_no_utility() -> None:
    with pytest.raises(ValueError, match=r"got 'price=0\.2'; several .* have ';' between"):
        make_utility("price=0.2")


@pytest.mark.parametrize("typed", ["last_maen", "last-mean", "lastmean"])
def test_a_name_that_is_nearly_one_is_answered_with_it(typed: str) -> None:
    with pytest.raises(ValueError, match=r"did you mean 'last_mean'\?$"):
        make_utility(typed)


@pytest.mark.parametrize("typed", ["xyz", "", 3, None, {"name": 3}])
def test_others_are_answered_with_all_names(typed: object) -> None:
    with pytest.raises(ValueError, match=r"expected one of \['auc', .*, got (?!.*mean\?)"):
        make_utility(typed)
