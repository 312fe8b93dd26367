"""The drawings of the concept pages, `docs/images/concepts`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scripts.build_docs.svg import Drawing


def campaign() -> Drawing:
    """Rounds in a row: propose, measure, and the dataset grows."""
    drawing = Drawing(760, 250, "A campaign of three rounds: the dataset grows by a batch a round")
    stages = ["reset", "round 1", "round 2", "round 3"]
    counts = [4, 8, 12, 16]
    for number, (stage, count) in enumerate(zip(stages, counts, strict=True)):
        x = 10 + 204 * number
        drawing.text((x + 65, 28), stage, bold=True)
        drawing.box((x, 42), (130, 118))
        for index in range(count):
            kind = "grey" if index < 4 else "accent" if index >= count - 4 else "box"
            column, row = index % 4, index // 4
            drawing.dot((x + 26 + 26 * column, 62 + 26 * row), 8, kind=kind)
        drawing.text((x + 65, 180), f"{count} rows", size=13, kind="dim")
        if number:
            drawing.arrow((x - 68, 100), (x - 6, 100), kind="accent-line")
            drawing.text((x - 37, 88), "q = 4", size=12, kind="dim")
            drawing.text((x - 37, 120), "measured", size=12, kind="dim")
    for number, left in enumerate([3, 2, 1, 0]):
        words = f"rounds_left = {left}"
        drawing.text((75 + 204 * number, 202), words, size=13, kind="dim")
    drawing.dot((30, 234), 7, kind="grey")
    drawing.text((44, 239), "the start", size=13, anchor="start", kind="dim")
    drawing.dot((140, 234), 7)
    drawing.text((154, 239), "the newest batch", size=13, anchor="start", kind="dim")
    drawing.text((740, 239), "rewards add up to the utility", size=13, anchor="end", kind="dim")
    return drawing


def spec() -> Drawing:
    """Two worlds that measure, one policy that knows the spec and the dataset."""
    drawing = Drawing(760, 296, "A policy is given a spec and a dataset, whoever measures")
    drawing.box((40, 20), (180, 100), "Simulated", ["an environment:", "instance, noise, optimum"])
    drawing.box((40, 150), (180, 100), "Real", ["the bench:", "plates, instruments"])
    drawing.box(
        (330, 20), (180, 100), "CampaignSpec", ["design space, rounds,", "utility, repeats, noise"]
    )
    drawing.box((330, 150), (180, 100), "Dataset", ["designs and", "measurements so far"])
    drawing.box((590, 80), (160, 110), "Policy", ["act(observation, rng)"], kind="accent")
    drawing.line([(220, 70), (246, 70), (246, 200), (220, 200)])
    drawing.line([(246, 135), (290, 135)])
    drawing.line([(290, 70), (290, 200)])
    drawing.arrow((290, 70), (326, 70))
    drawing.arrow((290, 200), (326, 200))
    drawing.line([(510, 70), (548, 70), (548, 200), (510, 200)])
    drawing.arrow((548, 135), (586, 135))
    drawing.line([(268, 8), (268, 258)], kind="warm-line", dashed=True)
    drawing.text((260, 16), "hidden from the policy", size=12, anchor="end", kind="dim")
    drawing.text((276, 16), "known to it", size=12, anchor="start", kind="dim")
    drawing.line([(670, 190), (670, 270), (14, 270), (14, 70)], kind="accent-line")
    drawing.arrow((14, 70), (36, 70), kind="accent-line")
    drawing.arrow((14, 200), (36, 200), kind="accent-line")
    drawing.text((460, 288), "the next batch, to be measured", size=12, kind="dim")
    return drawing


_VALUES = [[0.30, 0.12, 0.22, 0.40], [0.45, 0.20, 0.62, 0.35], [0.58, 0.78, 0.70, 0.66]]


def utility() -> Drawing:
    """The same campaign under three utilities."""
    drawing = Drawing(760, 300, "One campaign, and what three utilities say that it is worth")
    start = [0.18, 0.05, 0.26, 0.10]
    left, bottom, height = 60, 250, 220

    def level(value: float) -> float:
        return bottom - height * value

    drawing.line([(left, 20), (left, bottom), (560, bottom)])
    drawing.text((30, 140), "true", size=13, kind="dim")
    drawing.text((30, 156), "value", size=13, kind="dim")
    for number, (name, values) in enumerate(
        zip(["start", "round 1", "round 2", "round 3"], [start, *_VALUES], strict=True)
    ):
        middle = 115 + 125 * number
        drawing.text((middle, bottom + 22), name, size=13, kind="dim")
        for slot, value in enumerate(values):
            kind = "accent" if number else "grey"
            drawing.dot((middle - 30 + 20 * slot, level(value)), 6, kind=kind)
    base, best, mean = max(start), max(_VALUES[2]), float(np.mean(_VALUES[2]))
    drawing.line([(left, level(base)), (580, level(base))], kind="warm-line", dashed=True)
    drawing.text(
        (588, level(base) + 4), "b0, the start's best", size=13, anchor="start", kind="dim"
    )
    total = sum(map(sum, _VALUES))
    for number, (name, value, words) in enumerate(
        [
            ("best", best - base, "best proposal - b0"),
            ("last_mean", mean, "mean of round 3"),
            ("total", total, "sum of all 12"),
        ]
    ):
        y = 40 + 46 * number
        drawing.text((588, y), f"{name} = {value:.2f}", size=14, anchor="start", bold=True)
        drawing.text((588, y + 18), words, size=13, anchor="start", kind="dim")
    return drawing


def control() -> Drawing:
    """Three controls between an agent and a campaign."""
    drawing = Drawing(760, 250, "What an agent sees and acts on under each control")
    rows = [
        ("designs", "the whole dataset", "q designs, number by number"),
        ("candidates", "features of M candidates", "which q of them"),
        ("exploration", "a summary of the posterior", "two exploration weights"),
    ]
    drawing.text((335, 24), "the agent sees", bold=True)
    drawing.text((615, 24), "the agent chooses", bold=True)
    for number, (name, sees, chooses) in enumerate(rows):
        y = 40 + 70 * number
        drawing.box((10, y), (150, 52), name, kind="accent")
        drawing.box((220, y), (230, 52), "", [sees])
        drawing.box((500, y), (230, 52), "", [chooses])
        drawing.arrow((160, y + 26), (216, y + 26))
        drawing.arrow((450, y + 26), (496, y + 26))
    return drawing


def surrogate() -> Drawing:
    """A Gaussian process given four measurements, and where ucb looks next."""
    drawing = Drawing(760, 320, "A surrogate's mean and uncertainty, and the next design of ucb")
    x = np.array([0.08, 0.30, 0.52, 0.86])  # (n,)
    y = np.array([-0.7, 0.5, 0.9, -0.4])  # (n,)
    grid = np.linspace(0, 1, 101)  # (m,)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        covariance: np.ndarray = np.exp(-0.5 * ((a[:, None] - b) / 0.14) ** 2)
        return covariance

    weights = np.linalg.solve(kernel(x, x) + 1e-6 * np.eye(len(x)), kernel(x, grid))  # (n, m)
    mean = weights.T @ y  # (m,)
    sd = np.sqrt(np.maximum(1 - (weights * kernel(x, grid)).sum(axis=0), 0))  # (m,)

    def place(design: float, value: float) -> tuple[float, float]:
        return 40 + 680 * design, 150 - 50 * value

    upper = [place(a, b) for a, b in zip(grid, mean + 2 * sd, strict=True)]
    lower = [place(a, b) for a, b in zip(grid, mean - 2 * sd, strict=True)]
    drawing.area([*upper, *reversed(lower)])
    drawing.line(upper, kind="accent-line", dashed=True)
    drawing.line(
        [place(a, b) for a, b in zip(grid, mean, strict=True)], kind="accent-line", wide=2.4
    )
    for a, b in zip(x, y, strict=True):
        drawing.dot(place(a, b), 6, kind="grey")
    following = int((mean + 2 * sd).argmax())
    at = place(grid[following], mean[following] + 2 * sd[following])
    drawing.line([(at[0], at[1]), (at[0], 290)], kind="warm-line", dashed=True)
    drawing.dot(at, 7, kind="warm")
    drawing.text((at[0], 310), "next design of ucb", size=13)
    drawing.dot((48, 304), 6, kind="grey")
    drawing.text((62, 309), "measured", size=13, anchor="start", kind="dim")
    drawing.line([(150, 304), (180, 304)], kind="accent-line", wide=2.4)
    drawing.text((188, 309), "mean", size=13, anchor="start", kind="dim")
    drawing.line([(245, 304), (275, 304)], kind="accent-line", dashed=True)
    drawing.text((283, 309), "mean + 2 sd", size=13, anchor="start", kind="dim")
    return drawing


def score() -> Drawing:
    """From a problem's units to a scale that compares problems."""
    drawing = Drawing(760, 190, "The score: 0 is the start's best value, 1 the optimum")
    left, right = 120, 660
    marks = [(0.0, "31 %", "0", "the start's best"), (1.0, "92 %", "1", "optimum or best known")]
    marks.append((0.7, "73.7 %", "0.7", "this campaign"))
    for height, name in ((60, "yield"), (130, "score")):
        drawing.line([(left - 40, height), (right + 40, height)])
        drawing.text((20, height + 5), name, anchor="start", bold=True)
    for share, units, number, words in marks:
        x = left + (right - left) * share
        kind = "warm" if share == 0.7 else "accent"
        drawing.line([(x, 60), (x, 130)], kind=f"{kind}-line", dashed=True)
        for height in (60, 130):
            drawing.dot((x, height), 6, kind=kind)
        drawing.text((x, 45), units, size=13)
        drawing.text((x, 155), number, bold=True)
        drawing.text((x, 175), words, size=13, kind="dim")
    return drawing


DRAWINGS: dict[str, Callable[[], Drawing]] = {
    drawing.__name__: drawing for drawing in (campaign, spec, utility, control, surrogate, score)
}
