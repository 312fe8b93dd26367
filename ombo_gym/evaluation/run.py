"""Runs many cells: in parallel, with progress, and so that a run that was stopped can go on."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ombo_gym.evaluation.best_known import Search, best_known
from ombo_gym.evaluation.cell_tables import (
    Part,
    campaign_table,
    error_row,
    error_table,
    exploration_table,
    plays,
    setting_of,
    timing_table,
)
from ombo_gym.evaluation.cells import Cell, Played, make_env, make_policy, play
from ombo_gym.evaluation.failures import Failed, failure_of, failure_of_process
from ombo_gym.evaluation.formats import cell_name
from ombo_gym.evaluation.identity import Identities
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.progress import tracked
from ombo_gym.evaluation.replays import scenes
from ombo_gym.evaluation.sizes import check_block, check_tables
from ombo_gym.evaluation.store import Store
from ombo_gym.interrupts import ctrl_c_pressed, noticing_ctrl_c
from ombo_gym.spec import campaign_spec

try:
    from tqdm import tqdm
except ImportError as error:
    raise ImportError('ombo_gym.evaluation needs tqdm: pip install "ombo-gym[evaluation]"') from (
        error
    )

SEQUENTIAL = Launch()
_LONGEST_LINE = 200  # characters of an error on the terminal; tables have more


class Results(NamedTuple):
    """What came of plans.

    Attributes:
        campaigns: A row per campaign, in the order of the plans: the frame of `campaigns.csv`.
            `start` is the origin of the start as players are told it, `best_known` the best value
            that is known of the campaign, `score` how far it came from the start's to that
            (`ombo_gym.scores`).
        exploration: Mean exploration weights by round.
        errors: A row per cell that failed.
        replays: Scenes and plays, as `replays.json` holds them.
        timings: CPU time of each policy by setting, the frame of `timings.csv`.
    """

    campaigns: pd.DataFrame
    exploration: pd.DataFrame
    errors: pd.DataFrame
    replays: dict[str, Any]
    timings: pd.DataFrame


def run(
    plans: EvaluationPlan | Sequence[EvaluationPlan],
    *,
    folder: Path | None = None,
    launch: Launch = SEQUENTIAL,
    resume: bool = False,
) -> Results:
    """Plays plans.

    A policy that does not listen to what it is told is played once; what plans have in common too.
    A cell that fails leaves its campaigns out, is recorded, and stops nothing: whatever its policy
    or problem raises, and where `launch` plays in other processes also one under which they die
    (`Launch.map`). Only Ctrl-C stops the run; finished cells are kept.

    Args:
        plans: What to play.
        folder: Where finished cells are kept, one file each; None keeps nothing.
        launch: Where to play.
        resume: Take finished cells from the folder instead of playing them again.

    Raises:
        ValueError: A policy that does not suit the environment, an argument that it lacks, or more
            than fits into memory; before anything is played.
        OSError: A finished cell cannot be kept.
    """
    plans = [plans] if isinstance(plans, EvaluationPlan) else list(plans)
    check_tables(plans)
    store = None if folder is None else Store(folder)
    with noticing_ctrl_c():
        probe = _Probe()
        parts, cells = _layout(plans, probe)
        played = _play_all(cells, store, launch, resume)
        done = [part for part in parts if isinstance(played[part.key], Played)]
        searches = {part.cell: probe.search(part.cell) for part in done}
        unique = list(dict.fromkeys(searches.values()))
        found = best_known(unique, store=store, launch=launch, resume=resume)
        if store is not None:
            _say_what_was_refused(store, "found again")
        best = {cell: found[search] for cell, search in searches.items()}
        shown = _scenes(plans, {(part.cell.env, part.cell.env_kwargs) for part in done})
    failed = {cell.key: cell for cell in cells if isinstance(played[cell.key], Failed)}
    return Results(
        campaign_table(done, played, best),
        exploration_table(done, played),
        error_table(list(failed.values()), played),
        {"scenes": shown, "plays": plays(done, played)},
        timing_table(done, played),
    )


def _layout(plans: Sequence[EvaluationPlan], probe: _Probe) -> tuple[list[Part], list[Cell]]:
    """Where cells stand in the tables, and which of them have to be played."""
    parts: dict[tuple[Any, ...], Part] = {}
    wanted: dict[str, Cell] = {}
    for plan in tracked(plans, "checking plans"):
        cells = [probe.identified(cell) for cell in plan.cells()]
        for shown in plan.told:
            for cell in cells:
                listens = shown == "one" and cell.horizon > 1 and probe.listens(cell)
                source = cell.showing(shown) if listens else cell
                derived = not listens and shown != plan.told[0]
                part = Part(cell.showing(shown), source.key, derived, probe.start(cell))
                if parts.setdefault(_place(part.cell), part).key != part.key:
                    raise ValueError(_differ(cell))
                wanted[source.key] = source
    _check_blocks(parts.values())
    return list(parts.values()), list(wanted.values())


def _place(cell: Cell) -> tuple[Any, ...]:
    return (*setting_of(cell), cell.first)


def _check_blocks(parts: Iterable[Part]) -> None:
    """Raises a ValueError where two plans cut the same campaigns up differently."""
    blocks: dict[tuple[Any, ...], list[Cell]] = {}
    for part in parts:
        blocks.setdefault(_place(part.cell)[:-1], []).append(part.cell)
    for cells in blocks.values():
        cells.sort(key=lambda cell: cell.first)
        ends = itertools.accumulate((cell.campaigns for cell in cells), initial=0)
        if any(cell.first != end for cell, end in zip(cells, ends, strict=False)):
            raise ValueError(_differ(cells[0]))


def _differ(cell: Cell) -> str:
    return (
        f"plans: expected the same seed, campaigns and block wherever {cell.policy} plays "
        f"{cell.env} at N = {cell.horizon}, q = {cell.batch_size}, {cell.utility}; two plans differ"
    )


class _Probe:
    """Builds each policy and each kind of campaign once, so that mistakes show at once."""

    def __init__(self) -> None:
        self._listens: dict[tuple[str, str, str], bool] = {}
        self._sources: dict[tuple[Any, ...], Sequence[Path]] = {}
        self._starts: dict[tuple[str, str], str] = {}
        self._identities = Identities()

    def identified(self, cell: Cell) -> Cell:
        """The cell with the fingerprint of what its names stand for."""
        kind = cell.env, cell.env_kwargs, cell.horizon, cell.batch_size, cell.utility
        player = cell.env, cell.env_kwargs, cell.policy
        if kind not in self._sources or player not in self._listens:
            env = _env_of_one_campaign(cell)
            check_block(env, cell.campaigns)
            self._listens[player] = _listens(cell, env)
            self._sources[kind] = env.unwrapped.problem.sources
            self._starts[cell.env, cell.env_kwargs] = campaign_spec(env).start_origin.kind
            env.close()
        fingerprint = self._identities.fingerprint(
            cell.policy,
            cell.env,
            self._sources[kind],
            env_kwargs=cell.env_kwargs,
            maker=cell.maker,
            utility_class=cell.utility_class,
        )
        return replace(cell, fingerprint=fingerprint)

    def search(self, cell: Cell) -> Search:
        """For the best values known of an identified cell's campaigns."""
        kind = cell.env, cell.env_kwargs, cell.horizon, cell.batch_size, cell.utility
        environment = self._identities.env_fingerprint(
            cell.env, self._sources[kind], env_kwargs=cell.env_kwargs
        )
        first = cell.seed + cell.first
        return Search(cell.env, cell.env_kwargs, first, cell.campaigns, environment)

    def start(self, cell: Cell) -> str:
        """Kind of the start's origin, as players are told it."""
        return self._starts[cell.env, cell.env_kwargs]

    def listens(self, cell: Cell) -> bool:
        """Whether the policy reads the rounds left."""
        return self._listens[cell.env, cell.env_kwargs, cell.policy]


def _env_of_one_campaign(cell: Cell) -> Any:
    """As `make_env`; whatever is wrong with arguments is a mistake that is said in a sentence."""
    try:
        return make_env(replace(cell, campaigns=1))
    except (ValueError, TypeError, ImportError, OSError):
        raise
    except BaseException as error:
        if ctrl_c_pressed():
            raise
        raise ValueError(
            f"{cell.env} cannot be built with {cell.env_kwargs}, N = {cell.horizon}, "
            f"q = {cell.batch_size}: {failure_of(error).error}"
        ) from error


def _listens(cell: Cell, env: Any) -> bool:
    """Whether the cell's policy reads the rounds left.

    Raises:
        ValueError: The policy does not suit the campaigns, or is none that is known. Other errors
            while it is built are those of its cells, which are yet to be played.
    """
    try:
        return bool(getattr(make_policy(cell, env), "horizon_aware", True))
    except (ValueError, ImportError):
        raise
    except SyntaxError as error:
        raise ValueError(f"policy {cell.policy!r}: {error}") from error
    except BaseException:
        if ctrl_c_pressed():
            raise
        return True


def _play_all(
    cells: Sequence[Cell], store: Store | None, launch: Launch, resume: bool
) -> dict[str, Played | Failed]:
    played: dict[str, Played | Failed] = {}
    if store is not None:
        store.sweep()
        if resume:
            kept = ((cell.key, store.read(cell)) for cell in cells)
            played = {key: result for key, result in kept if result is not None}
            _say_what_was_refused(store, "played again")
    missing = [cell for cell in cells if cell.key not in played]
    outcomes: Iterable[tuple[Cell, Played | Failed]] = launch.map(_attempt, missing, lost=_lost)
    with tqdm(total=len(missing), unit="cell", desc="playing", disable=None) as bar:
        for cell, outcome in outcomes:
            played[cell.key] = outcome
            if store is not None and isinstance(outcome, Played):
                store.write(cell, outcome)
            if isinstance(outcome, Failed):
                name = cell_name(error_row(cell, outcome))
                words = f"failed: {name}: {outcome.error[:_LONGEST_LINE]}"
                bar.write(words, file=sys.stderr)
            bar.update()
    if store is not None:
        _say_what_was_refused(store, "not kept")
    return played


def _say_what_was_refused(store: Store, what_follows: str) -> None:
    """On one line, however many files there are."""
    if store.refused:
        file, why = next(iter(store.refused.items()))
        count = len(store.refused)
        words = f"{count} of the kept cells are" if count > 1 else "one of the kept cells is"
        print(f"{words} {what_follows}: {file}: {why}", file=sys.stderr)
        store.refused.clear()


def _attempt(cell: Cell) -> tuple[Cell, Played | Failed]:
    """Plays a cell; whatever somebody's code raises is its failure, but for a real Ctrl-C."""
    try:
        return cell, play(cell)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and ctrl_c_pressed():
            raise
        return cell, failure_of(error)


def _lost(cell: Cell, why: str) -> tuple[Cell, Failed]:
    return cell, failure_of_process(why)


def _scenes(
    plans: Sequence[EvaluationPlan], problems: Collection[tuple[str, str]]
) -> list[dict[str, Any]]:
    """What stands behind the replays of those problems; nothing, where it cannot be drawn."""
    first = {(plan.env, plan.arguments): plan for plan in reversed(plans)}
    found: list[dict[str, Any]] = []
    for (env, arguments), plan in tracked(first.items(), "scenes", total=len(first)):
        if (env, arguments) not in problems:
            continue
        try:
            drawn = scenes(env, json.loads(arguments), plan.seed, plan.campaigns)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and ctrl_c_pressed():
                raise
            print(f"no scenes of {env}: {failure_of(error).error}", file=sys.stderr)
        else:
            found += [{"env": env, "env_kwargs": arguments, **scene} for scene in drawn]
    return found
