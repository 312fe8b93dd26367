"""LCBench, against the numbers of its source and of its description."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.problems.tuning.lcbench import HYPERPARAMETERS, SPLITS, LCBench
from tests.problems.measured_problems import all_values, true_value

HIGHEST = {  # as read from the source's archive
    **{"APSFailure": 98.923, "Australian": 91.503, "adult": 83.25, "airlines": 63.471},
    **{"car": 96.867, "covertype": 77.266, "dionis": 87.68, "helena": 29.025, "higgs": 71.827},
    **{"kr_vs_kp": 98.586, "numerai28_6": 52.219, "shuttle": 99.696, "volkert": 63.763},
}


def test_splits_share_no_data_set_and_are_all_of_them() -> None:
    train, test = set(SPLITS["train"]), set(SPLITS["test"])
    assert (len(train), len(test), len(train & test)) == (24, 11, 0)
    assert list(SPLITS["all"]) == sorted(train | test)
    assert list(SPLITS["test"]) == list(SPLITS["all"])[1:34:3]


@pytest.mark.parametrize(("dataset", "highest"), HIGHEST.items())
def test_the_optimum_is_the_highest_accuracy_of_the_source(dataset: str, highest: float) -> None:
    problem = LCBench(dataset=dataset)
    optimum = problem.optimum({"table": np.zeros(1, np.int64)})
    assert optimum == pytest.approx(highest, abs=5e-4)
    assert all_values(problem).max() == optimum


def test_networks_are_those_of_the_source_in_their_units() -> None:
    problem = LCBench(dataset="APSFailure")
    assert problem.design_space.size == 2000
    first = dict(zip(problem.variables, problem.to_units([0]).tolist(), strict=True))
    assert first == pytest.approx(
        {
            **{"batch_size": 71, "learning_rate": 0.00182433, "max_dropout": 0.02592623},
            **{"max_units": 293, "momentum": 0.21325193, "num_layers": 3},
            "weight_decay": 0.02047282,
        }
    )
    every = problem.to_units(np.arange(2000)[:, None])
    assert every.shape == (2000, len(HYPERPARAMETERS))
    assert (every[:, 5] == every[:, 5].round()).all() and set(every[:, 5]) == {1, 2, 3, 4}


def test_data_sets_rank_networks_differently() -> None:
    """Spearman's correlation of two data sets: what is published of them, .43 in the median."""
    values = np.stack([all_values(LCBench(), table) for table in range(35)])
    ranks = values.argsort(axis=1).argsort(axis=1)
    above = np.corrcoef(ranks)[np.triu_indices(35, 1)]
    assert np.quantile(above, [0.1, 0.5, 0.9]) == pytest.approx([-0.06, 0.43, 0.75], abs=0.02)


def test_a_data_set_goes_without_a_split() -> None:
    with pytest.raises(ValueError, match="split: it goes without dataset"):
        LCBench(split="test", dataset="airlines")
    with pytest.raises(ValueError, match=r"dataset: .*APSFailure.*'iris'"):
        LCBench(dataset="iris")
    assert true_value(LCBench(split="test"), [0], table=2) == true_value(
        LCBench(dataset="airlines"), [0]
    )
