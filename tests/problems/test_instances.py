"""Collections number their instances, within their split; what has but one is no collection."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ombo_gym
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.biology.tf_binding import SPLITS
from ombo_gym.problems.chemistry.snar import ENERGIES, RATES
from ombo_gym.problems.core.base import Problem
from ombo_gym.randomness import KeyedGenerator, Stream
from tests.envs.cases import assert_same

COLLECTIONS: list[tuple[str, dict[str, Any], int]] = [
    ("TFBinding", {}, 41),
    ("TFBinding", {"split": "train"}, 29),
    ("TFBinding", {"split": "test"}, 12),
    ("TFBinding", {"factors": ["CRX_REF_R1", "SIX6_REF_R1"]}, 2),
    ("Tuning", {}, 7),
    ("Tuning", {"split": "test"}, 2),
    ("Tuning", {"benchmark": "nasbench201"}, 3),
    ("LCBench", {}, 35),
    ("LCBench", {"split": "test"}, 11),
    ("Molecule", {}, 250),
    ("Molecule", {"split": "test"}, 50),
    ("Landscapes", {}, 6),
    ("Landscapes", {"name": "tent8"}, 24),
    ("Coating", {}, 61),
    ("Coating", {"split": "train"}, 48),
    ("Coating", {"split": "test"}, 13),
    ("SnAr", {"kinetics": "perturbed"}, 1000),
    ("SnAr", {"kinetics": "perturbed", "split": "train"}, 800),
    ("SnAr", {"kinetics": "perturbed", "split": "test"}, 200),
    ("Ehrlich", {}, 2**63),
    ("Ehrlich", {"split": "train"}, 2**62),
    ("Ehrlich", {"split": "test"}, 2**62),
    ("Ehrlich", {"instances": [5, 2**62, 7]}, 3),
    ("BBOB", {}, 24 * 100),
    ("BBOB", {"split": "test"}, 24 * 20),
    ("BBOB", {"split": "train", "split_by": "function"}, 16 * 100),
    ("BBOB", {"functions": [3, "Sphere"], "instances": [9, 4]}, 4),
    ("PBO", {"function": "LeadingOnes"}, 100),
]
ALONE: list[tuple[str, dict[str, Any]]] = [
    ("GP", {}),
    ("TFBind8", {}),
    ("TFBinding", {"factors": ["CRX_REF_R1"]}),
    ("Tuning", {"dataset": "kc1"}),
    ("LCBench", {"dataset": "airlines"}),
    ("HPOB", {}),
    ("Molecule", {"objective": "qed"}),
    ("Landscapes", {"matrix": [[0, 1]]}),
    ("Reaction", {}),
    ("CrossedBarrel", {}),
    ("Materials", {}),
    ("Antibody", {}),
    ("MPSA", {}),
    ("Table", {}),
    ("Bandit", {}),
    ("Coating", {"centre": 600}),
    ("SnAr", {}),
    ("Ehrlich", {"instances": [5]}),
    ("BBOB", {"function": 1, "instances": [1]}),
    ("Gait", {}),
    ("RNAFold", {}),
    ("Lander", {}),
    ("WindFarm", {}),
    ("Screens", {}),
]


def drawn(problem: Problem, num_campaigns: int) -> dict[str, np.ndarray]:
    return problem.draw(KeyedGenerator(np.arange(num_campaigns, dtype=np.uint64), Stream.INSTANCE))


@pytest.mark.parametrize(("name", "arguments", "count"), COLLECTIONS, ids=str)
def test_what_is_drawn_has_a_number_by_which_it_is_had_again(
    name: str, arguments: dict[str, Any], count: int
) -> None:
    problem = ombo_gym.make_problem(name, **arguments)
    assert problem.instance_count() == count
    instances = drawn(problem, 60)
    numbers = problem.instance_numbers(instances)
    assert numbers.dtype == np.int64 and numbers.shape == (60,)
    assert ((numbers >= 0) & (numbers < count)).all()
    assert len(set(numbers.tolist())) > 1
    assert_same(problem.instances_numbered(numbers), instances)
    ends = np.array([0, count - 1], np.int64)
    np.testing.assert_array_equal(problem.instance_numbers(problem.instances_numbered(ends)), ends)


@pytest.mark.parametrize(("name", "arguments", "count"), COLLECTIONS, ids=str)
def test_small_collections_are_drawn_as_a_whole(
    name: str, arguments: dict[str, Any], count: int
) -> None:
    if count > 61:
        return
    problem = ombo_gym.make_problem(name, **arguments)
    numbers = problem.instance_numbers(drawn(problem, 1500))
    assert set(numbers.tolist()) == set(range(count))


@pytest.mark.parametrize(("name", "arguments"), ALONE, ids=str)
def test_what_has_one_instance_or_no_end_of_them_is_no_collection(
    name: str, arguments: dict[str, Any]
) -> None:
    assert ombo_gym.make_problem(name, **arguments).instance_count() is None


def test_every_problem_is_tried() -> None:
    names = {case[0] for case in COLLECTIONS} | {case[0] for case in ALONE}
    assert {f"Ombo/{name}-v0" for name in names} == set(ombo_gym.env_ids())


def test_numbers_are_within_the_split() -> None:
    for split, factors in SPLITS.items():
        env = CampaignEnv("TFBinding", split=split, start={"kind": "none"}, horizon=1)
        for number in (0, len(factors) - 1):
            env.reset(seed=0, options={"instance": number})
            assert env.problem.factors[env.campaigns.instances["factor"][0]] == factors[number]
        with pytest.raises(ValueError, match=f"from 0 to {len(factors) - 1}"):
            env.reset(options={"instance": len(factors)})


def test_ehrlich_functions_are_those_of_their_numbers() -> None:
    for split, expected in (("all", 11), ("train", 22), ("test", 23)):
        one = ombo_gym.make_problem("Ehrlich", split=split).instances_numbered(np.array([11]))
        assert one["number"].tolist() == [expected]
        same = drawn(ombo_gym.make_problem("Ehrlich", instances=[expected]), 1)
        assert_same(one, same)


def test_functions_and_instances_of_a_suite_are_numbered_function_by_function() -> None:
    suite = ombo_gym.make_problem("BBOB", functions=[3, "Sphere"], instances=[9, 4])
    chosen = suite.instances_numbered(np.arange(4))
    assert chosen["function"].tolist() == [3, 3, 1, 1]
    assert chosen["instance"].tolist() == [9, 4, 9, 4]


def test_perturbed_reactions_stay_what_they_were() -> None:
    """The published one has no number."""
    published = drawn(ombo_gym.make_problem("SnAr"), 2)
    assert set(published) == {"rates", "energies"}
    np.testing.assert_array_equal(published["rates"], [RATES] * 2)
    np.testing.assert_array_equal(published["energies"], [ENERGIES] * 2)
    test = ombo_gym.make_problem("SnAr", kinetics="perturbed", split="test")
    assert test.instances_numbered(np.array([0, 3]))["reaction"].tolist() == [0, 15]


def test_a_problem_that_is_no_collection_says_so() -> None:
    problem = ombo_gym.make_problem("GP")
    with pytest.raises(TypeError, match="GP is no collection"):
        problem.instances_numbered(np.array([0]))
    with pytest.raises(TypeError, match="GP is no collection"):
        problem.instance_numbers(drawn(problem, 1))
