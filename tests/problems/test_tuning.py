# ruff: noqa: E501
"""Tuning, against the source's dictionaries and what the benchmarks' papers say."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.design_spaces import CategoricalDesigns
from ombo_gym.problems.tuning.neural_networks import SPLITS, Tuning
from tests.problems.measured_problems import all_values, measurements, of_table, true_value

SINGLE = 6e-8  # what single precision costs, relatively

SPOTS = {  # data set, a digit for each position: the accuracies
    "hpobench": """
australian 51218: 0.9505976479660689 0.9330055909003278 0.9462116830537883 0.9473202236360132 0.9462116830537883
australian 17256: 0.9110757663389242 0.9022556390977443 0.9209562367457105 0.9198476961634856 0.9506458453826875
australian 56012: 0.851792943898207 0.8045112781954887 0.8287063813379603 0.8385868517447465 0.833092346250241
blood_transfusion 12236: 0.748945615982242 0.7483351831298557 0.748945615982242 0.7548279689234184 0.732408435072142
blood_transfusion 00174: 0.5 0.5 0.5 0.5 0.5
blood_transfusion 50036: 0.648723640399556 0.6498335183129855 0.622142064372919 0.619811320754717 0.6498335183129855
credit_g 67254: 0.9061419619706137 0.918971477960242 0.8363223854796888 0.8700302506482281 0.8949060069144339
credit_g 26074: 0.9077625324114088 0.8780790838375108 0.8443442091616249 0.8195764909248056 0.8419943820224719
credit_g 55131: 0.9029278305963699 0.9013342696629214 0.8154710458081245 0.8587942955920485 0.8604148660328436
kc1 31219: 0.8714355183816378 0.8386889710173118 0.8414510795565064 0.8743337872009337 0.8362964403812487
kc1 10177: 0.5 0.5 0.5 0.5 0.5
kc1 60294: 0.5 0.4981132075471698 0.5 0.5 0.5
phoneme 10219: 0.9480335658679608 0.9531448342488682 0.9352778620294544 0.9481318594906705 0.9377604781001809
phoneme 63094: 0.5 0.5 0.5 0.5 0.5
phoneme 76220: 0.8110459564812006 0.8075663622372752 0.838548512115391 0.8218414046439524 0.8137560520787697
segment 30136: 0.9737609329446064 0.9664723032069972 0.9723032069970845 0.9664723032069971 0.9635568513119533
segment 02134: 0.9664723032069971 0.9650145772594753 0.9664723032069971 0.9344023323615159 0.9518950437317785
segment 72158: 0.9373177842565598 0.9198250728862973 0.9373177842565598 0.9446064139941691 0.9314868804664723
vehicle 14139: 0.9297924297924298 0.9295233956250906 0.9688644688644689 0.9688644688644689 0.9608058608058607
vehicle 15281: 0.25 0.25 0.25 0.25 0.25
vehicle 65115: 0.819852652056042 0.8428074750108648 0.8082893565944413 0.7805612466629417 0.8162755323772273
""",
    "nasbench201": """
cifar10 333132: 91.68399998291015 91.71999999023437 91.41599997802734
cifar10 124232: 88.85200000732422 88.9800000024414 89.80799999023438
cifar10 304002: 82.97999997070312 83.05600001953125
cifar10 413200: 85.93200000976563 86.292 86.17599998535157
cifar10 420200: 86.51200001220703 85.83200001953125
cifar100 333133: 73.52000002441406 73.3799999633789 73.57999998779297
cifar100 132324: 66.69999998779296 67.75999998779297 67.9399999267578
cifar100 232434: 67.21999995117187 66.69999996948242
cifar100 414124: 35.579999993896486 35.079999975585935
cifar100 440320: 67.53999998168945 67.78000000610352
imagenet 322133: 46.69999988810221 46.766666544596355
imagenet 014304: 36.099999857584635 36.56666666666667 36.46666650390625
imagenet 033132: 43.033333302815755 42.73333325195313 42.599999918619794
imagenet 110144: 15.133333315531413 14.333333330790202 14.199999954223633
imagenet 112023: 42.86666664632161 42.59999984741211 43.00000001017253
""",
}
SPOT_VALUES = [
    (benchmark, *line.split(":")[0].split(), [float(x) for x in line.split(":")[1].split()])
    for benchmark, lines in SPOTS.items()
    for line in lines.strip().splitlines()
]


@pytest.mark.parametrize(("benchmark", "dataset", "key", "accuracies"), SPOT_VALUES)
def test_true_values_are_means_over_seeds_and_measurements_are_seeds(
    benchmark: str, dataset: str, key: str, accuracies: list[float]
) -> None:
    design = [int(digit) for digit in key]
    alone = Tuning(benchmark=benchmark, dataset=dataset)
    assert true_value(alone, design) == pytest.approx(np.mean(accuracies), rel=SINGLE)
    seen = np.unique(np.float32(measurements(alone, design, 300)))
    assert seen == pytest.approx(np.unique(np.float32(accuracies)), rel=2 * SINGLE)
    collection = Tuning(benchmark=benchmark)
    table = collection.datasets.index(dataset)
    assert true_value(collection, design, table) == true_value(alone, design)


@pytest.mark.parametrize(
    ("benchmark", "dataset", "highest"),
    [
        ("hpobench", "australian", 0.9446693657219974),
        ("hpobench", "blood_transfusion", 0.74669256381798),
        ("hpobench", "credit_g", 0.8852744165946413),
        ("hpobench", "kc1", 0.8524411593075276),
        ("hpobench", "phoneme", 0.944469719947427),
        ("hpobench", "segment", 0.9685131195335277),
        ("hpobench", "vehicle", 0.9515701247904638),
        # The optima in the table of NAS-Bench-201's paper, 91.61 and 73.49 among them.
        ("nasbench201", "cifar10", 91.60666665039064),
        ("nasbench201", "cifar100", 73.49333332519531),
        ("nasbench201", "imagenet", 46.73333321634928),
    ],
)
def test_every_network_is_there_and_the_best_is_as_good_as_in_the_source(
    benchmark: str, dataset: str, highest: float
) -> None:
    problem = Tuning(benchmark=benchmark, dataset=dataset)
    values = all_values(problem)
    assert len(values) == {"hpobench": 30_000, "nasbench201": 15_625}[benchmark]
    assert problem.measurements.complete
    assert problem.optimum(of_table()) == [values.max()]
    assert values.max() == pytest.approx(highest, rel=SINGLE)
    counts = problem.measurements.counts
    assert counts is not None
    if benchmark == "hpobench":
        assert (counts == 5).all()
    else:
        assert np.bincount(counts[0]).tolist() == [0, 0, 7456, 8169]


@pytest.mark.parametrize("benchmark", ["hpobench", "nasbench201"])
def test_splits_are_disjoint_and_together_all(benchmark: str) -> None:
    train, test = (Tuning(benchmark=benchmark, split=s).datasets for s in ("train", "test"))
    assert not set(train) & set(test)
    assert sorted(train + test) == list(Tuning(benchmark=benchmark).datasets)
    lowest = [all_values(Tuning(benchmark=benchmark, dataset=d)).min() for d in test]
    assert Tuning(benchmark=benchmark, split="test").reference == min(lowest)
    assert "car" not in train + test


def test_no_test_data_set_shares_more_than_a_tenth_of_its_best_networks_with_a_training_one() -> (
    None
):
    best = {
        name: set(np.argsort(-all_values(Tuning(dataset=name)), kind="stable")[:300])
        for name in Tuning().datasets
    }
    splits = SPLITS["hpobench"]
    shared = [len(best[a] & best[b]) for a in splits["test"] for b in splits["train"]]
    assert max(shared) <= 30


def test_the_image_sets_share_as_much_of_their_best_networks_as_stated() -> None:
    best = {
        name: set(
            np.argsort(-all_values(Tuning(benchmark="nasbench201", dataset=name)), kind="stable")[
                :156
            ].tolist()
        )
        for name in ("cifar10", "cifar100", "imagenet")
    }
    pairs = [("cifar10", "imagenet"), ("cifar100", "imagenet"), ("cifar10", "cifar100")]
    shared = [len(best[a] & best[b]) / 156 for a, b in pairs]
    assert shared == pytest.approx([0.49, 0.58, 0.60], abs=0.005)
    others = best["cifar10"] | best["cifar100"]
    assert len(best["imagenet"] & others) / 156 == pytest.approx(0.61, abs=0.005)


def test_an_architecture_whose_output_nothing_reaches_guesses() -> None:
    problem = Tuning(benchmark="nasbench201", dataset="cifar10")
    designs = problem.design_space.decode(np.arange(5**6))
    to_1, to_2, one_to_2, to_3, one_to_3, two_to_3 = (designs != 0).T  # 0 is no operation
    reached = to_3 | (to_1 & one_to_3) | (to_2 & two_to_3) | (to_1 & one_to_2 & two_to_3)
    values = all_values(problem)
    assert np.unique(values[~reached]).tolist() == [9.712]
    assert values[reached].min() > 30


def test_labels_are_hyperparameters() -> None:
    space = Tuning().design_space
    assert space.text(np.array([0, 0, 0, 0, 0])) == "1e-08 | 4 | 1 | 1e-05 | 16"
    assert space.text(np.array([9, 9, 2, 9, 9])) == "1 | 256 | 3 | 1 | 1024"
    cell = Tuning(benchmark="nasbench201").design_space
    operations = "none | skip_connect | nor_conv_1x1 | nor_conv_3x3 | avg_pool_3x3 | none"
    assert cell.text(np.array([0, 1, 2, 3, 4, 0])) == operations


def test_surrogates_see_ordered_levels_as_far_apart_as_categories_are_on_average() -> None:
    for n in (2, 3, 10):
        ordinal = CategoricalDesigns([n], ordinal=True).features(np.arange(n)[:, None])
        one_hot = CategoricalDesigns([n]).features(np.arange(n)[:, None])
        squared, hamming = (((x[:, None] - x[None]) ** 2).sum(axis=-1) for x in (ordinal, one_hot))
        assert squared.mean() == pytest.approx(hamming.mean()) == pytest.approx(1 - 1 / n)
        steps = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
        assert np.allclose(squared, squared[0, 1] * steps**2)
    features = Tuning().design_space.features(np.array([[[9, 0, 2, 0, 3], [0, 0, 0, 0, 0]]]))
    assert features.shape == (1, 2, 5) and not features[0, 1].any() and (features >= 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"benchmark": "hpolib"}, r"benchmark: expected one of .*hpobench.*got 'hpolib'"),
        ({"dataset": "car"}, r"dataset: expected one of .*australian.*got 'car'"),
        ({"dataset": "cifar10"}, r"dataset: expected one of .*australian.*got 'cifar10'"),
        ({"split": "half"}, r"split: expected one of .*train.*got 'half'"),
        ({"split": "test", "dataset": "kc1"}, r"split: it goes without dataset"),
        ({"dataset": ["kc1"]}, r"dataset: expected one of .*got \['kc1'\]"),
    ],
)
def test_what_is_unknown_is_refused_with_what_is_known(
    arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Tuning(**arguments)  # type: ignore[arg-type]
