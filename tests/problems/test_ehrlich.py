"""Ehrlich functions, against values that pytorch-holo computed."""

from __future__ import annotations

import math
import time
from importlib.util import find_spec
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import pytest

import ombo_gym  # noqa: F401
from ombo_gym.problems.synthetic.ehrlich import Ehrlich
from ombo_gym.randomness import GeneratorBatch, KeyedGenerator, Stream
from tests.problems import ehrlich_reference as reference

Array = npt.NDArray[Any]

needs_holo = pytest.mark.skipif(find_spec("holo") is None, reason="pytorch-holo is not installed")


def keys(count: int) -> Array:
    return np.arange(count, dtype=np.uint64)


def drawn(problem: Ehrlich, count: int) -> dict[str, Array]:
    return problem.draw(KeyedGenerator(keys(count), Stream.INSTANCE))


def problem_of(setting: tuple[Any, ...]) -> Ehrlich:
    v, length, c, k, q, epistasis = setting
    return Ehrlich(
        categories=v, length=length, motifs=c, motif_length=k, quantization=q, epistasis=epistasis
    )


def instances_of(possible: Array, motifs: Array, gaps: Array) -> dict[str, Array]:
    """Instances with given motifs, the gaps between their letters and possible transitions."""
    spacings = np.zeros(motifs.shape, np.int64)
    spacings[..., 1:] = np.cumsum(gaps, axis=-1)
    return {
        "transitions": possible.astype(np.float32),
        "motifs": motifs.astype(np.int64),
        "spacings": spacings,
        "number": np.zeros(len(motifs), np.int64),
    }


@pytest.mark.parametrize("number", range(len(reference.SETTINGS)))
def test_values_are_those_of_pytorch_holo(number: int) -> None:
    setting = reference.SETTINGS[number]
    v = setting[0]
    with np.load(reference.FILE) as file:
        arrays = {
            name: file[f"{name}_{number}"]
            for name in ("possible", "motifs", "gaps", "sequences", "values")
        }
    possible = np.unpackbits(arrays["possible"], axis=1, count=v * v).reshape(-1, v, v)
    instances = instances_of(possible, arrays["motifs"], arrays["gaps"])
    problem = problem_of(setting)
    sequences, expected = arrays["sequences"].astype(np.int64), arrays["values"].astype(float)
    values, feasible = problem.true_values(instances, sequences)
    assert expected.shape == (reference.INSTANCES, len(reference.KINDS))
    assert feasible is not None
    np.testing.assert_array_equal(feasible, np.isfinite(expected))
    np.testing.assert_allclose(values, np.where(feasible, expected, 0.0), rtol=1e-6)
    np.testing.assert_array_equal(problem.optimal_designs(instances), sequences[:, 3])


def test_the_reference_has_infeasible_partly_built_and_optimal_sequences() -> None:
    with np.load(reference.FILE) as file:
        values = np.concatenate(
            [file[f"values_{i}"].ravel() for i in range(len(reference.SETTINGS))]
        )
    assert len(values) == 800
    assert np.isneginf(values).sum() > 100 and (values == 1).sum() >= 200
    assert len(np.unique(values[(values > 0) & (values < 1)])) > 50


def test_a_motif_counts_by_the_letters_found_at_one_place_that_it_fits_in() -> None:
    """The motif is AB.C, the letters may follow each other as they like."""
    problem = Ehrlich(categories=4, length=8, motifs=1, motif_length=3)
    instances = instances_of(np.ones((1, 4, 4)), np.array([[[0, 1, 2]]]), np.array([[[1, 2]]]))
    expected = {
        "ABDCDDDD": 3 / 3,
        "DDDDABDC": 3 / 3,  # at the very end
        "DADCDDDD": 1 / 3,  # A and C, but not at one place
        "DDADDCDD": 2 / 3,
        "DDDDDABD": 0 / 3,  # its C would stand behind the end
        "BDCDDDDD": 0 / 3,  # its A would stand before the beginning
        "DDDDDDDD": 0 / 3,
    }
    designs = np.array([["ABCD".index(letter) for letter in word] for word in expected])
    values = problem.evaluate(instances, designs[None])[0]
    np.testing.assert_allclose(values, list(expected.values()))


def test_epistasis_lowers_what_is_partly_built_only() -> None:
    designs = np.array([[[0, 0, 3, 3], [0, 1, 3, 3], [0, 1, 2, 3]]])
    instances = instances_of(
        np.ones((1, 4, 4)), np.array([[[0, 1, 2, 3]]]), np.ones((1, 1, 3), int)
    )
    values = [
        Ehrlich(categories=4, length=4, motifs=1, epistasis=e).evaluate(instances, designs)[0]
        for e in (0.0, 1.0)
    ]
    assert values[0].tolist() == [0.5, 0.75, 1.0]
    assert values[1].tolist() == [0.5 * 0.75, 0.75 * (1 - 0.1875), 1.0]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"length": 15, "categories": 3, "motifs": 3, "motif_length": 5},
        {"length": 128, "motifs": 8, "motif_length": 8, "quantization": 2},
        {"length": 31, "categories": 100, "motifs": 2, "motif_length": 7, "epistasis": 2},
    ],
)
def test_every_instance_has_a_feasible_sequence_of_value_1(arguments: dict[str, Any]) -> None:
    problem = Ehrlich(**arguments)
    instances = drawn(problem, 200)
    values, feasible = problem.true_values(instances, problem.optimal_designs(instances)[:, None])
    assert feasible is not None and feasible.all()
    assert (values == 1.0).all() and (problem.optimum(instances) == 1.0).all()
    spans = instances["spacings"][..., -1] + 1
    assert (spans.sum(axis=1) <= problem.length).all()
    assert (np.diff(instances["spacings"], axis=-1) >= 1).all()


def test_chains_are_ergodic_with_as_many_impossible_transitions_as_published() -> None:
    for categories in (3, 4, 5, 7, 20, 32):
        instances = drawn(Ehrlich(categories=categories, motifs=2), 50)
        transitions = instances["transitions"].astype(np.float64)
        possible = transitions > 0
        np.testing.assert_allclose(transitions.sum(axis=-1), 1, rtol=1e-6)
        assert possible[:, np.arange(categories), np.arange(categories)].all()
        band = min(2 * math.floor(0.4 * categories) + 1, categories)
        least = {band} if categories in (3, 5) else {band, band + 1}
        assert set(np.unique(possible.sum(axis=-1))) == least
        reach = np.linalg.matrix_power(possible.astype(float), categories)
        assert (reach > 0).all()
        p = instances["stationary"]
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_allclose(np.einsum("rv,rvw->rw", p, transitions), p, atol=1e-6)


def test_starts_are_different_feasible_sequences_of_the_chain() -> None:
    problem = Ehrlich(length=15, categories=4, motifs=1)
    instances = drawn(problem, 20)
    designs = problem.sample(instances, KeyedGenerator(keys(20), Stream.START), 500)
    assert problem.feasible(instances, designs).all()
    assert all(len({tuple(design) for design in row}) == 500 for row in designs.tolist())
    alone = {name: array[7:8] for name, array in instances.items()}
    again = problem.sample(alone, KeyedGenerator(keys(20)[7:8], Stream.START), 500)
    np.testing.assert_array_equal(again[0], designs[7])


def test_starts_go_from_letter_to_letter_as_often_as_the_chain_says() -> None:
    problem = Ehrlich(length=100, categories=6, motifs=1)
    instances = drawn(problem, 1)
    designs = problem.sample(instances, KeyedGenerator(keys(1), Stream.START), 2000)[0]
    counts = np.zeros((6, 6))
    np.add.at(counts, (designs[:, :-1], designs[:, 1:]), 1)
    often = counts.sum(axis=1) > 1000
    shares = counts[often] / counts[often].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, instances["transitions"][0][often], atol=0.03)
    np.testing.assert_allclose(
        np.bincount(designs[:, 0], minlength=6) / 2000, instances["stationary"][0], atol=0.05
    )


def test_more_different_sequences_than_there_are_is_an_error_and_no_endless_search() -> None:
    problem = Ehrlich(length=2, categories=4, motifs=1, motif_length=2)
    with pytest.raises(RuntimeError, match="ask for fewer"):
        problem.sample(drawn(problem, 1), KeyedGenerator(keys(1), Stream.START), 17)


def test_a_design_has_one_value_in_every_batch() -> None:
    problem = Ehrlich(epistasis=1.5)
    instances = drawn(problem, 64)
    designs = problem.sample(instances, KeyedGenerator(keys(64), Stream.START), 9)
    values = problem.evaluate(instances, designs)
    for row, slot in ((0, 0), (13, 4), (63, 8)):
        alone = {name: array[row : row + 1] for name, array in instances.items()}
        value = problem.evaluate(alone, designs[row : row + 1, slot : slot + 1])
        assert value.item() == values[row, slot]


def test_instances_are_fixed_by_their_numbers_and_splits_are_disjoint() -> None:
    train, test = (drawn(Ehrlich(split=split), 100)["number"] for split in ("train", "test"))
    assert (train % 2 == 0).all() and (test % 2 == 1).all() and (test > 0).all()
    chosen = int(test[3])
    one, same = drawn(Ehrlich(instances=[chosen]), 2), drawn(Ehrlich(split="test"), 4)
    for name, array in one.items():
        np.testing.assert_array_equal(array[0], array[1])
        np.testing.assert_array_equal(array[0], same[name][3])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"length": 15}, "length: expected room for 4 motifs of 4 letters, 16 or more, got 15"),
        ({"categories": 2}, "categories: expected a whole number of at least 3, got 2"),
        ({"categories": 129}, "categories: expected at most 128"),
        ({"length": 2**70}, "length: expected at most 65,536"),
        ({"split": np.array(["train", "test"])}, r"split: Ehrlich has .*got array\("),
        ({"motif_length": 1}, "motif_length: expected a whole number of at least 2"),
        ({"motifs": 2.0}, r"motifs: .* got 2\.0"),
        ({"quantization": 3}, "quantization: expected a divisor of motif_length=4, got 3"),
        ({"epistasis": 5}, "epistasis: expected a number from 0 to 4, got 5"),
        ({"split": "valid"}, "split: "),
        ({"split": "train", "instances": [1]}, "split: it goes without instances"),
        ({"instances": [-1]}, "instances: expected whole numbers from 0"),
        ({"instances": "12"}, "instances: expected whole numbers from 0"),
        ({"instances": b"12"}, "instances: expected whole numbers from 0"),
        ({"instances": np.array(3)}, "instances: expected whole numbers from 0"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gym.make("Ombo/Ehrlich-v0", **arguments)


@needs_holo
def test_values_are_those_of_pytorch_holo_itself_where_it_is_installed() -> None:
    import torch

    rng = np.random.default_rng(1)
    for number, setting in enumerate(reference.SETTINGS):
        for seed in range(7):
            function = reference.instance(setting, 10_000 + 100 * number + seed)
            sequences = reference.sequences_of(function, rng)
            instances = instances_of(
                function.transition_matrix.numpy()[None] > 0,
                torch.stack(list(function.motifs)).numpy()[None],
                torch.stack(function.spacings).numpy()[None],
            )
            values, feasible = problem_of(setting).true_values(instances, sequences[None])
            expected = function.evaluate_true(torch.as_tensor(sequences)).numpy()[None]
            np.testing.assert_array_equal(feasible, np.isfinite(expected))
            np.testing.assert_allclose(values, np.maximum(expected, 0), rtol=1e-6)


@needs_holo
@pytest.mark.bench
def test_a_design_takes_a_tenth_of_the_time_of_pytorch_holo() -> None:
    import torch

    problem = Ehrlich()
    instances = drawn(problem, 1024)
    rngs = GeneratorBatch(np.random.default_rng(0), 1024)
    designs = problem.sample(instances, rngs, 4)
    function = reference.instance((32, 32, 4, 4, 4, 0.0), 0)
    tensors = torch.as_tensor(designs[:, :, None])
    ours, batched, single = [], [], []
    for _ in range(5):
        begin = time.perf_counter()
        problem.true_values(instances, designs)
        ours.append((time.perf_counter() - begin) / designs[..., 0].size)
        begin = time.perf_counter()
        for campaign in tensors[:100, :, 0]:
            function.evaluate_true(campaign)
        batched.append((time.perf_counter() - begin) / 400)
        begin = time.perf_counter()
        for design in tensors[:25].flatten(0, 1):
            function.evaluate_true(design)
        single.append((time.perf_counter() - begin) / 100)
    print(f"us per design: {min(ours) * 1e6:.2f}, holo a campaign's batch at a time "
          f"{min(batched) * 1e6:.1f}, one design at a time {min(single) * 1e6:.1f}")  # fmt: skip
    assert min(ours) < min(batched) / 10 and min(ours) < min(single) / 10


def test_a_chain_that_hardly_leaves_a_letter_gives_different_sequences() -> None:
    problem = Ehrlich(length=15, categories=4, motifs=2)
    instances = drawn(problem, 2)
    sticky = np.where(instances["transitions"] > 0, 1e-6, 0.0) + np.eye(4)
    instances["transitions"][0] = (sticky / sticky.sum(axis=-1, keepdims=True))[0]
    designs = problem.sample(instances, KeyedGenerator(keys(2), Stream.START), 300)
    assert all(len(np.unique(each, axis=0)) == 300 for each in designs)
    assert problem.feasible(instances, designs).all()
