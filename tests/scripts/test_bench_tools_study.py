"""The study beside BayBE and Ax: its problems, its exchange with a tool, and what its page says."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scripts.studies.bench_tools import plan as bench_plan
from scripts.studies.bench_tools.campaigns import PLATES, START, Cell, Game, Run, played
from scripts.studies.bench_tools.exchange import TOOLS, Answer, Process
from scripts.studies.bench_tools.page import differences, frame_of, page
from scripts.studies.bench_tools.plan import OTHERS, OURS, Args
from scripts.studies.bench_tools.problems import PROBLEMS, in_series, screen
from scripts.studies.bench_tools.tools import answering
from tests.commands import ROOT

FAKE = """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    rows = request["rows"][: request["plates_left"][0]]
    rows = [{k: v for k, v in row.items() if k not in ("yield", "round")} for row in rows]
    print(json.dumps({"designs": rows, "seconds": 2.0, "versions": {}}))
    sys.stdout.flush()
"""


# --- problems -------------------------------------------------------------------------------------


def test_the_screen_has_2880_combinations_of_which_the_best_is_100_and_the_worst_0() -> None:
    instance = screen(3)
    kinds = instance.parameters
    designs = [dict(zip(kinds, values, strict=True)) for values in product(*kinds.values())]
    values = instance.values(designs)
    assert len(designs) == 2880
    assert (values.min(), values.max()) == pytest.approx((0, 100))


@pytest.mark.parametrize("name", ["process", "mixed", "mixture"])
def test_nothing_that_random_search_and_climbing_find_is_above_100(name: str) -> None:
    instance = PROBLEMS[name](5)
    rng = np.random.default_rng(0)
    best = instance.draw(rng, 1500)
    values = instance.values(best)
    design, value = best[int(values.argmax())], float(values.max())
    for scale in np.geomspace(0.2, 0.002, 12):  # random steps, ever smaller
        near = [_step(instance, design, scale, rng) for _ in range(150)]
        found = instance.values(near)
        if found.max() > value:
            design, value = near[int(found.argmax())], float(found.max())
    assert 99 < value <= 100 + 1e-6 and values.min() >= 0


def _step(instance: Any, design: dict[str, Any], scale: float, rng: Any) -> dict[str, Any]:
    """A design nearby; choices stay."""
    near = dict(design)
    for name, kind in instance.parameters.items():
        if isinstance(kind, dict):
            low, high = kind["range"]
            moved = design[name] + scale * (high - low) * rng.normal()
            near[name] = float(np.clip(moved, low, high))
    if instance.mixture:
        parts = [max(design[n] + 100 * scale * rng.normal(), 0) for n in instance.mixture]
        near |= {
            n: 100 * part / sum(parts) for n, part in zip(instance.mixture, parts, strict=True)
        }
    return near


@pytest.mark.parametrize("name", list(PROBLEMS))
def test_a_seed_is_one_instance_one_start_and_one_noise(name: str) -> None:
    seed = 11
    first, again, other = Game(name, seed), Game(name, seed), Game(name, seed + 1)
    asked = first.request([])
    assert asked == again.request([]) != other.request([])
    assert len(asked["rows"]) == START and asked["plates_left"] == list(PLATES)
    true = first.instance.values(first.start)
    measured = np.array([row["yield"] for row in asked["rows"]])
    if first.instance.noise_std:
        assert 0.5 < np.std(measured - true) / first.instance.noise_std < 1.7
    else:
        assert np.array_equal(measured, true)


def test_noise_belongs_to_the_number_of_a_measurement_not_to_what_is_measured() -> None:
    game = Game("process", 1)
    a, b = (game.instance.draw(np.random.default_rng(seed), 8) for seed in (1, 2))
    noise = [
        [row["yield"] for row in game.request([plate])["rows"][START:]]
        - game.instance.values(plate)
        for plate in (a, b)
    ]
    assert noise[0] == pytest.approx(noise[1]) and noise[0].std() > 0
    rows = game.request([a])["rows"]
    assert [row["round"] for row in rows] == [0] * START + [1] * 8
    assert game.request([a])["plates_left"] == [8, 8]


def test_two_of_the_variables_of_the_process_do_nothing_and_the_other_four_do() -> None:
    instance = PROBLEMS["process"](2)
    middle = {name: float(np.mean(kind["range"])) for name, kind in instance.parameters.items()}
    middle |= {"temperature": 60.0, "time": 6.0}
    value = instance.values([middle])[0]
    changed = {
        name: instance.values([{**middle, name: 0.9 * kind["range"][1]}])[0] != value
        for name, kind in instance.parameters.items()
    }
    assert [name for name, moved in changed.items() if not moved] == ["stirring", "flow"]


def test_reactions_in_series_follow_their_differential_equations() -> None:
    k1, k2 = 0.7, 0.2
    a, p, step = 1.0, 0.0, 1e-4
    for _ in range(30_000):  # Euler, to 3 hours
        a, p = a - step * k1 * a, p + step * (k1 * a - k2 * p)
    hours = np.array([3.0])
    assert in_series(np.array([k1]), np.array([k2]), hours) == pytest.approx([p], abs=1e-4)
    same = in_series(np.array([k1]), np.array([k1]), hours)  # k t exp(-k t), as the limit says
    assert same == pytest.approx(k1 * 3 * np.exp(-k1 * 3))
    fast = in_series(np.array([900.0, 1.0]), np.array([1.0, 900.0]), np.array([24.0, 24.0]))
    assert np.isfinite(fast).all()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("screen", {"ligand": "BINAP"}, "design 0: expected ligand in .*got BINAP"),
        ("screen", {"temperature": 70}, "design 0: expected temperature in .*got 70"),
        ("process", {"time": 30.0}, "design 0: expected time in .*got 30"),
        ("mixture", {"resin": 101.0}, "design 0: expected parts that sum to 100"),
        ("mixed", {"colour": 1}, "design 0: expected catalyst, .*got .*colour"),
    ],
)
def test_designs_outside_the_space_are_refused(
    name: str, change: dict[str, Any], message: str
) -> None:
    instance = PROBLEMS[name](0)
    design = {**instance.draw(np.random.default_rng(0), 1)[0], **change}
    with pytest.raises(ValueError, match=message):
        instance.values([design])


# --- the exchange ---------------------------------------------------------------------------------


def fake(folder: Path, text: str = FAKE) -> list[str]:
    """The command of a tool that proposes the first rows again."""
    (folder / "fake.py").write_text(text)
    return [sys.executable, "-S", str(folder / "fake.py")]


def test_a_process_answers_request_after_request(tmp_path: Path) -> None:
    with Process(fake(tmp_path)) as tool:
        first = tool.ask(Game("mixture", 0).request([]))
        second = tool.ask(Game("screen", 0).request([]) | {"plates_left": [3]})
    assert len(first.designs) == 8 and first.seconds == 2.0
    assert second.designs == Game("screen", 0).start[:3]


def test_a_tool_that_fails_is_quoted(tmp_path: Path) -> None:
    command = fake(tmp_path, "import sys; sys.stdin.readline(); sys.exit('no licence')")
    with Process(command) as tool, pytest.raises(RuntimeError, match=r"got none.*\nno licence"):
        tool.ask({})


@pytest.mark.parametrize("name", ["mixed", "mixture"])
def test_ours_answers_with_a_plate_of_the_space_and_the_same_one_again(name: str) -> None:
    ours = import_module("scripts.studies.bench_tools.tools.with_ombo")
    game = Game(name, 0)
    answers = [answering.answer(ours, game.request([])) for _ in range(2)]
    designs = answers[0]["designs"]
    game.instance.check(designs)
    assert len(designs) == 8 and answers[0]["seconds"] > 0 and "ombo-gym" in answers[0]["versions"]
    assert answers[1]["designs"] == designs
    assert not [design for design in designs if design in game.start]


@pytest.mark.parametrize("tool", list(OTHERS))
def test_what_asks_another_tool_imports_nothing_of_ours(tool: str) -> None:
    for module in (f"with_{tool}", "answering"):
        text = (TOOLS / f"{module}.py").read_text(encoding="utf-8")
        assert not re.findall(r"import (?:ombo|scripts)|from (?:ombo|scripts)", text)


def test_the_environment_of_the_others_is_pinned_with_our_torch() -> None:
    pins = {}
    for name in ("constraints.txt", "constraints-bench-tools.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        pins[name] = dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE))
    ours, theirs = pins.values()
    assert {"baybe", "ax-platform", "botorch"} <= set(theirs)
    assert theirs["torch"] == ours["torch"] and not set(theirs) & {"ombo-gym", "ombo_gym"}


# --- campaigns ------------------------------------------------------------------------------------


def repeating(asked: list[dict[str, Any]]) -> Callable[[dict[str, Any]], Answer]:
    """A tool that remembers what it was asked, and proposes the start's first wells."""

    def ask(request: dict[str, Any]) -> Answer:
        asked.append(request)
        rows = request["rows"][: request["plates_left"][0]]
        designs = [{k: v for k, v in row.items() if k not in ("yield", "round")} for row in rows]
        return Answer(designs, 0.5, {"fake": "1"})

    return ask


def test_a_campaign_goes_on_after_the_plates_that_are_kept(tmp_path: Path) -> None:
    cell = Cell("ax", "process", 4)
    asked: list[dict[str, Any]] = []
    answer = repeating(asked)

    def stops(request: dict[str, Any]) -> Answer:
        if len(asked) == 2:
            raise KeyboardInterrupt
        return answer(request)

    with pytest.raises(KeyboardInterrupt):
        played(cell, stops, tmp_path)
    assert played(cell, None, tmp_path) is None, "it is not finished"
    run = played(cell, answer, tmp_path)
    assert run is not None and [each["plates_left"] for each in asked] == [[8, 8, 8], [8, 8], [8]]
    again = played(cell, None, tmp_path)
    assert again is not None and again.final_best == run.final_best
    played(cell, answer, tmp_path, resume=False)
    assert len(asked) == 6, "played anew"


def test_scores_are_of_true_values_and_the_start_counts_for_the_best(tmp_path: Path) -> None:
    run = played(Cell("ax", "process", 4), repeating([]), tmp_path)
    true = Game("process", 4).instance.values(Game("process", 4).start)
    assert run is not None
    assert run.final_best == pytest.approx(true.max())
    assert run.last_mean == pytest.approx(true[:8].mean())


def test_a_plate_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected 8 designs, got 0"):
        played(Cell("ax", "screen", 0), lambda request: Answer([], 0.0, {}), tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_plan_plays_ours_and_takes_what_is_kept_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[str] = []

    def command(tool: str, python: Path) -> list[str]:
        commands.append(tool)
        return fake(tmp_path)

    monkeypatch.setattr(bench_plan, "command_of", command)
    args = Args(runs=tmp_path, seeds=1, problems=("screen",), resume=True)
    with pytest.raises(ValueError, match=r"bench_python: expected the Python .* BayBE, .*got none"):
        bench_plan.plan(args)
    assert not commands
    with_others = Args(**{**vars(args), "bench_python": Path("python")})
    assert len(bench_plan.plan(with_others)) == 3 and sorted(commands) == ["ax", "baybe", OURS]
    commands.clear()
    assert len(bench_plan.plan(args)) == 3 and commands == [OURS], "theirs are kept"


# --- the page -------------------------------------------------------------------------------------


def made_up(seeds: int = 6) -> list[Run]:
    """Ours 3 points above BayBE everywhere, and 5 below Ax on the mixture; a hundredth the cost."""
    offsets = {OURS: 0.0, "baybe": -3.0, "ax": -1.0}
    return [
        Run(
            cell=Cell(tool, problem, seed),
            start=np.full(START, 50.0),
            plates=tuple(np.full(8, 80 + seed + shift + 0.01 * seed * k) for k in range(3)),
            seconds=np.full(3, 0.1 if tool == OURS else 10.0),
            versions={"baybe": "0.1", "ax-platform": "1.2"} if tool != OURS else {},
        )
        for problem in PROBLEMS
        for seed in range(seeds)
        for tool, offset in offsets.items()
        for shift in [5.0 if (tool, problem) == ("ax", "mixture") else offset]
    ]


def test_the_page_says_where_ours_is_above_and_where_below(tmp_path: Path) -> None:
    made = page(made_up(), Args(out=tmp_path, command="make study NAME=bench_tools"))
    text = made.text
    assert "Instances of each problem that all have finished: 6." in text
    assert "Ours is not below in 14 of 16 comparisons" in text
    assert "D mean of the last plate against Ax (-5.0 [-5.0, -5.0])" in text
    assert "final best: ours is above BayBE, **+3.0 [+3.0, +3.0]**" in text
    assert "final best: ours is not above Ax, **-0.5 [-0.5, -0.5]**" in text
    assert "at most a tenth of the CPU time: at most 1/100 of BayBE's, 1/100 of Ax's" in text
    assert "BayBE 0.1:" in text and "Ax 1.2:" in text and "make study NAME=bench_tools" in text
    assert "(D) mixture | 6 | final best | 50.0 |" in text
    assert [file.name for file in made.files] == ["bench_tools.csv"]


def test_differences_are_paired_by_instance_and_the_mean_counts_seeds_with_all_four() -> None:
    runs = [
        run
        for run in made_up(5)
        if not (run.cell == Cell("baybe", "mixed", 4)) and run.cell != Cell("ax", "screen", 0)
    ]
    found = {(d.tool, d.measure, d.problem): d for d in differences(frame_of(runs))}
    assert found["baybe", "final_best", "mixed"].seeds == 4
    assert found["baybe", "final_best", "process"].seeds == 5
    assert found["baybe", "final_best", ""].seeds == 4
    assert found["ax", "last_mean", ""].seeds == 4
    assert found["ax", "last_mean", ""].interval.estimate == pytest.approx((3 * 1 - 5) / 4)


def test_a_page_without_one_of_the_tools_is_refused(tmp_path: Path) -> None:
    runs = [run for run in made_up(2) if run.cell.tool != "ax"]
    with pytest.raises(
        ValueError, match="ombo, baybe and ax have finished, got none; give --bench"
    ):
        page(runs, Args(out=tmp_path))


def test_a_page_of_what_is_finished_so_far_says_what_is_not(tmp_path: Path) -> None:
    runs = [run for run in made_up(2) if run.cell.problem == "process"]
    text = page(runs, Args(out=tmp_path)).text
    assert "No seed is finished on all four problems yet" in text
    assert "Ours is not below in 4 of 4 comparisons." in text and "| - |" in text
