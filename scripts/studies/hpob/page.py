"""docs/results/hpob.md: policies on HPO-B's tasks, beside published methods and in batches."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import MISSING, bold, code, difference, section, table
from ombo_gym.evaluation.statistics import mean_interval
from scripts.studies.hpob.comparison import Comparison
from scripts.studies.hpob.plan import (
    BATCHES,
    CHOSEN,
    HORIZON,
    IN_BATCHES,
    LEARNED,
    OWN,
    REASON,
    SHORT,
    TASKS,
    TRIALS,
    Args,
    Findings,
    Player,
)
from scripts.studies.hpob.published import METHODS, published
from scripts.studies.hpob.random_search import expected_regrets
from scripts.studies.hpob.regrets import average, weights
from scripts.studies.study import Page, csv

DIGITS = 4
_TRANSFER = ("RGPE", "TAF", "TST", "FSBO", "NAP", "OptFormer")
YARDSTICK = TRIALS[:-1]  # trials at which the published GP is to be reached
_HEAD = """# HPO-B: hyper-parameters of {tasks} tasks, beside published methods

{tasks} of the 86 tasks of HPO-B's meta-test split, those that `Ombo/HPOB-v0` packs (search spaces
{spaces}). Numbers are regrets, the less the better: the distance
of the best configuration found to the best of the task, as a share of the task's range; mean over 5
seeds, over the tasks of a space, over spaces. Intervals are 95%, Student's t over tasks.

{lines}"""
_PROTOCOL = """One campaign of N = 100 rounds with q = 1, without noise and without repeats; trial t
is its state after t configurations beyond the start, not a campaign of its own. Published are the
incumbents at trial 0, not the 5 configurations behind them: ours start from one configuration of
that accuracy and 4 drawn uniformly among those that are not better ({draws}). All of
ours are told the same: the 5 configurations with their accuracies, that a start is listed, and the
surrogate's recipe: `fit` where no other stands beside a name. HPO-B's meta-train tasks are known to
the methods marked transfer and to none of ours. Published numbers
are those of the runs that HPO-B's and NAP's authors released, 5 seeds each.{few}"""


def page(findings: Findings, args: Args) -> Page:
    """The page, with hpob.csv.

    Args:
        findings: As the plan found them.
        args: As the study was run.
    """
    found = Comparison(findings.regrets, TASKS)
    text = markdown.page(
        _head(found),
        section("Protocol", _protocol(found, findings.draws)),
        section(f"Why {_name(CHOSEN)}", REASON),
        section("One at a time, beside published methods", _everybody(found)),
        *_transfer_tasks(findings.regrets, found),
        section("The chosen policy minus others", _chosen_minus(found)),
        section(f"{_name(LEARNED)}, trained on other problems", _learned(found)),
        section("Random search, ours and the published", _random(found)),
        section("A lengthscale for each hyper-parameter, or one for all", _recipes(found)),
        section("By search space", _spaces(found)),
        section("In batches", *_batches(found)),
        section("Cost", _cost(findings.seconds)),
        section("How it was made", f"    {args.command}"),
    )
    keys = ["policy", "recipe", "batch_size", "horizon", "measurements"]
    means = [
        (*key, average(part.set_index("task")["regret"][list(TASKS)].to_numpy(), TASKS).estimate)
        for key, part in findings.regrets.groupby(keys, sort=False)
    ]
    return Page(text, {args.out / "hpob.csv": csv(pd.DataFrame(means, columns=[*keys, "regret"]))})


def _head(found: Comparison) -> str:
    spaces = list(dict.fromkeys(task.partition("_")[0] for task in found.tasks))
    lines = [
        f"{_name(CHOSEN)}, named before anything was played here, has {verdict(found)}.",
        f"Minus that GP: {_row(found, CHOSEN, 'GP')}.",
        f"Minus DNGO, the best at most trials without transfer: {_row(found, CHOSEN, 'DNGO')}.",
        f"Minus FSBO, which has learned from the meta-train split: {_row(found, CHOSEN, 'FSBO')}.",
        f"{_name(LEARNED)}, trained on other problems, has {verdict(found, who=LEARNED)}.",
        _best_of_ours(found),
        _worst_space(found),
        *_batches_in_short(found),
    ]
    return _HEAD.format(
        tasks=len(found.tasks),
        spaces=", ".join(spaces),
        lines="\n".join(f"- {line}" for line in lines),
    )


def _row(found: Comparison, who: Player | str, other: Player | str) -> str:
    """Differences at the trials of the yardstick."""
    return ", ".join(_difference(found, who, other, n) for n in YARDSTICK)


def _best_of_ours(found: Comparison) -> str:
    """Who of ours turned out best, which is a matter of luck too."""
    means = {
        player: np.mean([found.mean(player, n) for n in YARDSTICK]) for player in found.players
    }
    best = min(means, key=lambda player: means[player])
    if best == CHOSEN:
        return f"Over these trials, none of our {len(means)} rows has a lower mean regret."
    return (
        f"Lowest of our {len(means)} rows over these trials, seen afterwards: {_name(best)}; "
        f"{_name(CHOSEN)} minus it: {_row(found, CHOSEN, best)}."
    )


def _worst_space(found: Comparison) -> str:
    """Where the chosen policy loses most against the published GP."""
    trial = YARDSTICK[-2]
    lost = found.regret(CHOSEN, trial) - found.regret("GP", trial)  # (T,)
    spaces = np.array([task.partition("_")[0] for task in found.tasks])
    by_space = {space: lost[spaces == space].mean() for space in dict.fromkeys(spaces.tolist())}
    worst = max(by_space, key=lambda space: by_space[space])
    better = sum(loss <= 0 for loss in by_space.values())
    return (
        f"At trial {trial} it is at most the published GP in {better} of {len(by_space)} search "
        f"spaces; the largest loss is {by_space[worst]:+.{DIGITS}f}, in {worst}."
    )


def _batches_in_short(found: Comparison) -> list[str]:
    """What batches cost the chosen policy, and who is best in short campaigns."""
    lines = []
    for q, longest in BATCHES.items():
        cost = ", ".join(
            f"{_batched(found, CHOSEN, q, n):.{DIGITS}f} against "
            f"{found.mean(CHOSEN, n * q):.{DIGITS}f} (N = {n})"
            for n in (*SHORT, longest)
        )
        lines.append(f"In batches of {q} it has, against as many one at a time: {cost}.")
        best = {n: min(IN_BATCHES, key=lambda player: _batched(found, player, q, n)) for n in SHORT}
        names = ", ".join(f"N = {n} {_name(player)}" for n, player in best.items())
        lines[-1] += f" Lowest of {len(IN_BATCHES)} policies: {names}."
    return lines


def verdict(found: Comparison, rival: str = "GP", who: Player = CHOSEN) -> str:
    """At how many of the trials a policy's regret is at most that of a published method."""
    reached = [n for n in YARDSTICK if found.mean(who, n) <= found.mean(rival, n)]
    missed = [str(n) for n in YARDSTICK if n not in reached]
    numbers = ", ".join(
        f"{_number(found.mean(who, n))} ({_number(found.mean(rival, n))})" for n in YARDSTICK
    )
    trials = ", ".join(map(str, YARDSTICK))
    if not missed:
        return f"at most the published {rival}'s regret at all of trials {trials}: {numbers}"
    return (
        f"at most the published {rival}'s regret at {len(reached)} of {len(YARDSTICK)} trials "
        f"({trials}), not at {', '.join(missed)}: {numbers}"
    )


def _protocol(found: Comparison, draws: int) -> str:
    drawn = "one draw for each" if draws == 1 else f"{draws} draws for each"
    few = [
        f" {method} was run on {len(found.tasks_of(method))} of these tasks only, see its table."
        for method in METHODS
        if method not in found.methods
    ]
    drawn += f", and {10 * draws} for random search"
    return _PROTOCOL.format(draws=drawn, few="".join(few))


def _everybody(found: Comparison) -> str:
    """A row per player and published method, the least mean regret over trials first."""
    everybody: list[Player | str] = [*found.players, *found.methods]
    means = {who: [found.mean(who, n) for n in TRIALS] for who in everybody}
    least = np.min([*means.values()], axis=0)
    rows = [
        [
            _name(who),
            _kind(who),
            *(
                bold(_number(mean)) if mean == low else _number(mean)
                for mean, low in zip(means[who], least, strict=True)
            ),
        ]
        for who in sorted(everybody, key=lambda who: np.mean(np.log(means[who])))
    ]
    return table(["", "", *(f"trial {n}" for n in TRIALS)], rows)


def _transfer_tasks(regrets: pd.DataFrame, found: Comparison) -> list[str]:
    """Everybody on the tasks that all methods were run on, where these are not all tasks."""
    tasks = [task for task in found.tasks if all(task in found.tasks_of(m) for m in METHODS)]
    if len(tasks) == len(found.tasks):
        return []
    text = _everybody(Comparison(regrets[regrets["task"].isin(tasks)], tasks))
    return [section(f"The same on the {len(tasks)} tasks that NAP and OptFormer were run on", text)]


def _kind(who: Player | str) -> str:
    if isinstance(who, Player):
        return "ours, named before" if who == CHOSEN else "ours"
    return "published, transfer" if who in _TRANSFER else "published"


def _chosen_minus(found: Comparison) -> str:
    ours = [player for player in found.players if player != CHOSEN]
    others: list[Player | str] = [*found.methods, *ours]
    rows = [[_name(who), *(_difference(found, CHOSEN, who, n) for n in TRIALS)] for who in others]
    return (
        "Paired by task; below 0 the chosen policy is better; bold where the interval excludes 0."
        "\n\n"
    ) + table([f"{_name(CHOSEN)} minus", *(f"trial {n}" for n in TRIALS)], rows)


def _learned(found: Comparison) -> str:
    """The learned policy in one long campaign and in campaigns that end at a trial."""
    rivals = [m for m in ("GP", "DNGO", "FSBO") if m in found.methods]
    rows = []
    for way in (f"N = {HORIZON}", "N = t"):
        ends = dict.fromkeys(OWN, HORIZON) if way != "N = t" else {n: n for n in OWN}
        regrets = {n: found.batched(LEARNED, 1, end, n) for n, end in ends.items()}  # each (T,)
        means = [_number(average(regret, found.tasks).estimate) for regret in regrets.values()]
        rows.append([f"{_name(LEARNED)}, {way}", *means])
        for rival in rivals:
            paired = [
                average(regret - found.regret(rival, n), found.tasks)
                for n, regret in regrets.items()
            ]
            rows.append([f"minus {rival}", *(difference(*each, DIGITS) for each in paired)])
    rows += [[rival, *(_number(found.mean(rival, n)) for n in OWN)] for rival in rivals]
    return (
        f"One set of weights for every problem, zero-shot: no task of HPO-B was trained or chosen "
        f"on. It is told how many rounds are left: of one campaign of {HORIZON}, or of a campaign "
        "of its own for each trial t (N = t). Paired by task; below 0 it is better.\n\n"
    ) + table(["", *(f"trial {n}" for n in OWN)], rows)


def _random(found: Comparison) -> str:
    exact = np.stack([expected_regrets(task, TRIALS) for task in found.tasks])  # (T, 5, trials)
    runs = np.stack([1 - published("Random", task)[:, list(TRIALS)] for task in found.tasks])
    luck = runs - exact  # (T, 5, trials)
    by_seed = np.tensordot(weights(found.tasks), luck, axes=1)  # (5, trials)
    means = [average(exact.mean(axis=1)[:, n], found.tasks).estimate for n in range(len(TRIALS))]
    over_tasks = [average(luck.mean(axis=1)[:, n], found.tasks) for n in range(len(TRIALS))]
    over_seeds = [mean_interval(column) for column in by_seed.T]
    rows = [
        ["exact expectation", *map(_number, means)],
        ["ours", *(_number(found.mean(Player("random"), n)) for n in TRIALS)],
        ["published", *(_number(found.mean("Random", n)) for n in TRIALS)],
        ["published minus exact, over tasks", *(difference(*each, DIGITS) for each in over_tasks)],
        ["the same, over the 5 seeds", *(difference(*each, DIGITS) for each in over_seeds)],
        [
            "ours (10 draws) minus published (5 runs), over tasks",
            *(_difference(found, Player("random"), "Random", n) for n in TRIALS),
        ],
    ]
    return (
        "From the published incumbents, what random search comes to can be computed. The published "
        "runs are within their sampling error of that wherever the intervals hold 0; a seed is "
        "shared by all tasks, so that the luck of tasks may go together and the interval over "
        "seeds is the safer one.\n\n"
    ) + table(["random", *(f"trial {n}" for n in TRIALS)], rows)


def _recipes(found: Comparison) -> str:
    rows = [
        [code(fit.policy), *(_difference(found, fit, one, n) for n in TRIALS)]
        for fit in found.players
        if fit.recipe == "fit" and (one := Player(fit.policy, "isotropic")) in found.players
    ]
    return (
        'Surrogate "fit" minus surrogate "isotropic"; below 0, a lengthscale for each '
        "hyper-parameter is better.\n\n"
    ) + table(["policy", *(f"trial {n}" for n in TRIALS)], rows)


def _spaces(found: Comparison) -> str:
    """Where the chosen policy gains and loses, at two trials."""
    shown = (TRIALS[1], TRIALS[3])
    whom: list[Player | str] = [CHOSEN, "GP", "DNGO", "Random"]
    spaces = np.array([task.partition("_")[0] for task in found.tasks])
    rows = [
        [
            space,
            int((spaces == space).sum()),
            *(_number(found.regret(who, n)[spaces == space].mean()) for n in shown for who in whom),
        ]
        for space in dict.fromkeys(spaces.tolist())
    ]
    headings = [f"{_name(who)}, trial {n}" for n in shown for who in whom]
    return table(["space", "tasks", *headings], rows)


def _batches(found: Comparison) -> list[str]:
    """A table per q, and how it is read."""
    blocks = [
        "The same tasks, starts and regret, which nobody has published: N rounds of q "
        "configurations. In brackets: as many configurations one at a time, where the policy was "
        "played so."
    ]
    for q, longest in BATCHES.items():
        horizons = (*SHORT, longest)
        rows = [
            [_name(player), *(_batched_cell(found, player, q, n) for n in horizons)]
            for player in IN_BATCHES
        ]
        heading = [f"N = {n} ({n * q})" for n in horizons]
        blocks.append(section(f"q = {q}", table(["policy", *heading], rows), level=3))
    return blocks


def _batched_cell(found: Comparison, player: Player, q: int, horizon: int) -> str:
    regret = _batched(found, player, q, horizon)
    if player not in found.players:
        return _number(regret)
    return f"{_number(regret)} ({_number(found.mean(player, q * horizon))})"


def _batched(found: Comparison, player: Player, q: int, horizon: int) -> float:
    return average(found.batched(player, q, horizon, q * horizon), found.tasks).estimate


def _cost(seconds: pd.DataFrame) -> str:
    rows = [
        [_name(Player(row.policy, row.recipe)), row.batch_size, f"{1000 * row.proposal:.1f}"]
        for row in seconds.itertuples()
    ]
    hours = seconds["seconds"].sum() / 3600
    return (
        f"{hours:.1f} hours of one core in all, the environments included. Milliseconds of one "
        "core for a proposal of q configurations:\n\n"
    ) + table(["policy", "q", "ms"], rows)


def _difference(found: Comparison, who: Player | str, other: Player | str, trial: int) -> str:
    return difference(*found.difference(who, other, trial), DIGITS)


def _number(value: float) -> str:
    return MISSING if np.isnan(value) else f"{value:.{DIGITS}f}"


def _name(who: Player | str) -> str:
    if isinstance(who, str):
        return who
    return code(who.policy) if who.recipe == "fit" else f"{code(who.policy)}, {who.recipe}"
