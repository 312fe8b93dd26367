"""The page: its sections in order, its style and scripts, and what it forbids itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from html import escape
from importlib import resources

from ombo_gym.evaluation.report import elements
from ombo_gym.evaluation.report.leaderboard import (
    leaderboard_section,
    profiles_section,
    ranks_section,
    training_section,
)
from ombo_gym.evaluation.report.problems import problems_section
from ombo_gym.evaluation.report.replay import replay_section
from ombo_gym.evaluation.report.results import Results
from ombo_gym.evaluation.report.sections import (
    answer_section,
    failed_section,
    question_section,
    repeat_section,
    schedule_section,
)

SECTIONS: tuple[tuple[str, str, Callable[[Results], str]], ...] = (
    ("asked", "What was asked", question_section),
    ("failed", "What failed", failed_section),
    ("leaderboard", "Leaderboard", leaderboard_section),
    ("profiles", "Performance profiles", profiles_section),
    ("answer", "The short answer", answer_section),
    ("ranks", "Rank table", ranks_section),
    ("problems", "Problem by problem", problems_section),
    ("training", "Runs of one method", training_section),
    ("schedule", "Exploration, round by round", schedule_section),
    ("replay-part", "Replay a campaign", replay_section),
    ("repeat", "What was run, and how to repeat it", repeat_section),
)
SCRIPTS = ("tables.js", "drawings.js", "replay.js")


def render(results: Results) -> str:
    """The whole page."""
    names = title_of(results)
    parts = [
        (anchor, title, content)
        for anchor, title, section in SECTIONS
        if (content := section(results))
    ]
    body = "\n".join(
        f'<section id="{anchor}" aria-labelledby="{anchor}-title">\n'
        f'<h2 id="{anchor}-title">{title}</h2>\n{content}\n</section>'
        for anchor, title, content in parts
    )
    style, scripts = _asset("page.css") + elements.palette(), [_asset(name) for name in SCRIPTS]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Design campaigns: {escape(names)}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">To the results</a>
<header>
<p class="kicker">ombo_gym evaluation</p>
<h1>Design campaigns over horizons: {escape(names)}</h1>
<nav aria-label="Contents"><ul>{_contents(results, parts)}</ul></nav>
<p class="caption" data-unscripted>Without scripts all tables and pictures are here; sorting,
filters and the replay are not.</p>
</header>
<main id="main" tabindex="-1">
{body}
</main>
{"".join(f"<script>{script}</script>" for script in scripts)}
</body>
</html>
"""


def title_of(results: Results) -> str:
    """What was played, on one line: the names of one or two problems, or how many there are."""
    problems, starts = results.problems(), results.starts_by_problem()
    if len(problems) <= 2:
        return ", ".join(problem.name for problem in problems)
    count = f"{len(starts)} problem{'s' * (len(starts) > 1)}"
    if set(starts) == {1}:
        return count
    if len(set(starts)) > 1:
        return f"{count}, {len(problems)} pairs of problem and start"
    return f"{count} from {starts[0]} starts{' each' * (len(starts) > 1)}"


def _contents(results: Results, parts: list[tuple[str, str, str]]) -> str:
    """Links to the sections and, where there are several, to the problems."""
    problems = results.problems()
    links = []
    for anchor, title, _ in parts:
        inner = ""
        if anchor == "problems" and len(problems) > 1:
            inner = "".join(
                f'<li><a href="#{problem.anchor}">{escape(problem.name)}</a></li>'
                for problem in problems
            )
            inner = f"<ul>{inner}</ul>"
        links.append(f'<li><a href="#{anchor}">{title}</a>{inner}</li>')
    return "".join(links)


def _policy(scripts: list[str]) -> str:
    """Nothing is fetched, and no script runs but these."""
    hashes = " ".join(
        "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")
