"""Made-up evaluation results with the shape of real ones, for the tests of tables and report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from made_up_replays import synthetic_replays
from pages_apart import EVIL, NAMES, leave_out_pictures
from small_runs import PLAN

from ombo_gym.evaluation import resampling
from ombo_gym.evaluation import run as run_module
from ombo_gym.evaluation.cells import Cell, Played, play
from ombo_gym.evaluation.evaluate import tables
from ombo_gym.evaluation.report import read_results, render
from ombo_gym.evaluation.run import Results, run
from tests.browsers import browser

__all__ = ["browser"]  # a fixture

POLICIES = ("random", "greedy", "ucb", "explore_then_exploit", "runs/demo")
SKILL = {"random": 0.25, "greedy": 0.75, "ucb": 0.7, "runs/demo": 1.0}
PLANNERS = ("explore_then_exploit", "runs/demo")  # those that listen to how many rounds are left
SCHEDULED = ("greedy", "ucb", "explore_then_exploit", "runs/demo")


def synthetic_campaigns(
    policies: Sequence[str] = POLICIES,
    *,
    horizons: Sequence[int] = (1, 2, 3, 5),
    utilities: Sequence[str] = ("last_mean", "best"),
    campaigns: int = 100,
    told: Sequence[str] = ("true", "one"),
    env: str = "Ombo/GP-v0",
    env_kwargs: str = "{}",
    batch_size: int = 4,
    method: Mapping[str, str] | None = None,
    start: str = "random",
    seed: int = 0,
) -> pd.DataFrame:
    """Campaigns whose policies share each campaign's luck, as common random numbers make them.

    `method` names the method of policies that are runs of one; the others are their own.
    """
    rng = np.random.default_rng(seed)
    frames = []
    for utility in utilities:
        for horizon in horizons:
            luck = rng.normal(0, 0.4, campaigns)
            for i, policy in enumerate(policies):
                skill = SKILL.get(policy, 0.8 - 0.03 * i) * (1 + np.log(horizon)) / 1.5
                noise = rng.normal(0, 0.15, campaigns)
                for word in told:
                    heard = policy in PLANNERS and word == "true"
                    value = skill + luck + noise + (0.1 if utility == "best" else 0.0)
                    if policy in PLANNERS and not heard and horizon > 1:
                        value = value - 0.2 * skill + rng.normal(0, 0.2, campaigns)
                    level = value + (luck - 0.3 if utility == "best" else 0.0)
                    frames.append(
                        pd.DataFrame(
                            {
                                "env": env,
                                "env_kwargs": env_kwargs,
                                "policy": policy,
                                "method": (method or {}).get(policy, policy),
                                "told_horizon": word,
                                "horizon": horizon,
                                "batch_size": batch_size,
                                "utility": utility,
                                "start": start,
                                "campaign": np.arange(campaigns),
                                "seed": np.arange(campaigns),
                                "value": value,
                                "best_value": value + 0.8,
                                "start_best": luck - 0.3,
                                "auc": 0.6 * value,
                                "best_known": luck + 2.7,
                                "score": (level - luck + 0.3) / 3,
                                "distinct": 1.0 if policy == "greedy" else 3.7,
                            }
                        )
                    )
    return pd.concat(frames, ignore_index=True)


def synthetic_exploration(
    policies: Sequence[str] = POLICIES,
    *,
    horizons: Sequence[int] = (1, 2, 3, 5),
    utilities: Sequence[str] = ("last_mean", "best"),
    env: str = "Ombo/GP-v0",
    env_kwargs: str = "{}",
    batch_size: int = 4,
) -> pd.DataFrame:
    """Weights that fall to 0 at the end for the planners and stay for the others."""
    rows = []
    for utility in utilities:
        for policy in [name for name in policies if name in SCHEDULED]:
            for horizon in horizons:
                for number in range(1, horizon + 1):
                    left = (horizon - number) / 4
                    weight = {"greedy": 0.0, "ucb": 1.0, "runs/demo": 2.6 * left**0.7}.get(
                        policy, 2.0 * (number < horizon)
                    )
                    spread = 0.3 * weight if policy == "runs/demo" else 0.0
                    weights = (weight - spread, weight + spread, weight)
                    where = (horizon, batch_size, utility, env, env_kwargs, number)
                    rows.append((policy, "true", *where, *weights))
    columns = [
        *("policy", "told_horizon", "horizon", "batch_size", "utility", "env", "env_kwargs"),
        "round",
    ]
    return pd.DataFrame(rows, columns=[*columns, "weight_first", "weight_last", "weight_mean"])


def write_results(
    folder: Path,
    campaigns: pd.DataFrame,
    exploration: pd.DataFrame | None = None,
    errors: pd.DataFrame | None = None,
    replays: Mapping[str, object] | None = None,
    **config: object,
) -> Path:
    """Writes what an evaluation leaves in its folder, except the report."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables(campaigns).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    if exploration is not None:
        exploration.to_csv(folder / "exploration.csv", index=False)
    if errors is not None:
        errors.to_csv(folder / "errors.csv", index=False)
    if replays is not None:
        (folder / "replays.json").write_text(json.dumps(replays), encoding="utf-8")
    policies = list(dict.fromkeys(campaigns["policy"]))
    settings: dict[str, object] = {
        "env": "Ombo/GP-v0",
        "env_kwargs": {"dim": 2},
        "policies": policies,
        "horizons": sorted(int(n) for n in campaigns["horizon"].unique()),
        "batch_size": 4,
        "utilities": list(dict.fromkeys(campaigns["utility"])),
        "campaigns": int(campaigns["campaign"].nunique()),
        "seed": 0,
        "told": list(dict.fromkeys(campaigns["told_horizon"])),
        "versions": {"ombo-gym": "0.1.0", "numpy": np.__version__, "python": "3.11"},
        "command": "python -m scripts.evaluate --env Ombo/GP-v0 --policies "
        + ",".join(policies)
        + " --horizons 1,2,3,5 --utility last_mean,best --out results/demo",
        "started": "2026-01-31T12:00:00+00:00",
        "seconds": 61.4,
        **config,
    }
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def campaigns_of() -> Callable[..., pd.DataFrame]:
    return synthetic_campaigns


@pytest.fixture(scope="session")
def exploration_of() -> Callable[..., pd.DataFrame]:
    return synthetic_exploration


@pytest.fixture(scope="session")
def results_in() -> Callable[..., Path]:
    return write_results


@pytest.fixture(scope="session")
def replays_of() -> Callable[..., dict[str, object]]:
    return synthetic_replays


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what stands on a page beside its pictures."""
    leave_out_pictures(monkeypatch)


class Kept(NamedTuple):
    """A finished run: the folder of its cells, and its results."""

    folder: Path
    results: Results


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """The small plan, played once; whoever changes the folder takes a copy."""
    folder = tmp_path_factory.mktemp("kept")
    return Kept(folder, run(PLAN, folder=folder))


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[Cell]:
    """Every cell that is played from here on."""
    cells: list[Cell] = []

    def recording(cell: Cell) -> Played:
        cells.append(cell)
        return play(cell)

    monkeypatch.setattr(run_module, "play", recording)
    return cells


# --- the page in a browser ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an evaluation with everything in it, and the page without picture files."""
    settings = [(n, q) for n in (1, 4) for q in (4, 8 // n)]
    campaigns = [
        synthetic_campaigns(NAMES, campaigns=6, env=env, horizons=[n], batch_size=q, seed=i)
        for env in ("Ombo/GP-v0", f"Own/{EVIL}-v0")
        for i, (n, q) in enumerate(settings)
    ]
    out = tmp_path_factory.mktemp("report") / "<b>folder"
    replays = synthetic_replays(["random", EVIL, "runs/demo"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "RESAMPLES", 100)
        frame = pd.concat(campaigns, ignore_index=True)
        write_results(out, frame, synthetic_exploration(), replays=replays)
        (out / "report.html").write_text(render(read_results(out)), encoding="utf-8")
    return out


@contextmanager
def opening(browser: Any, folder: Path) -> Iterator[Callable[..., Any]]:
    """Opens the page; at the end, nothing was asked for from outside and nothing complained."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def asked(request: Any) -> None:
        if not (request.url.startswith(("file:", "data:")) and "report.html" in request.url):
            complaints.append(request.url)

    def said(message: Any) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def opened(**settings: Any) -> Any:
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
        page.on("console", said)
        page.on("request", asked)
        page.goto((folder / "report.html").as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def show(browser: Any, browsed: Path) -> Iterator[Callable[..., Any]]:
    """Opens the page anew."""
    with opening(browser, browsed) as opened:
        yield opened


@pytest.fixture(scope="module")
def page(browser: Any, browsed: Path) -> Iterator[Any]:
    """For tests that leave the page as it is, but for what they open, choose and how it is seen."""
    with opening(browser, browsed) as opened:
        yield opened()


@pytest.fixture(scope="module")
def sorted_page(browser: Any, browsed: Path) -> Iterator[Any]:
    """For tests that sort: each sorts anew by what it looks at."""
    with opening(browser, browsed) as opened:
        yield opened()
