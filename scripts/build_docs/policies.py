"""The page of policies, `docs/policies.md`, from the registry and the files of settings."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from types import FunctionType
from typing import Any

import gymnasium as gym

import ombo_agents
from ombo_agents.registry import POLICIES, Entry
from ombo_gym import CampaignSpec, campaign_spec, design_space_of, parse_parameters
from scripts.build_docs.docstring import Docstring, cell

GROUPS = {  # a heading, its words, and the packages whose policies stand under it
    "Without a model": ("", ("model_free",)),
    "Design of experiments": ("", ("design_of_experiments",)),
    "Bayesian optimization": (
        "They share the [surrogate](concepts/surrogate.md) that the spec describes. In boxes their "
        "designs climb from the best candidates; `ucb:climb=false` takes candidates as they are. "
        'Those named `botorch_*` need `pip install "ombo-gym[botorch]"`; `botorch_multistep` has a '
        "value for the utilities `best`, `last_max`, `last_mean` and `last_median` only.",
        ("bayesian",),
    ),
    "Offline, on neural networks": (
        "Fitted anew to all that was measured, every round. How often a method asks its own model "
        "is counted (`model_queries`).",
        ("offline",),
    ),
    "Looking ahead": (
        "They know how many rounds are left. The last three solve small campaigns exactly, see "
        "[exact optima](guides/exact.md), and take `ties` (`first`, `uniform`, `worst`, `best`), "
        "as in `one_step:ties=worst`.",
        ("planners",),
    ),
    "Learnt over many tasks": (
        'It comes trained with the package and needs `pip install "ombo-gym[agents]"`; see '
        "[its guide](guides/meta_policy.md).",
        ("learned",),
    ),
}
_MOVED = {"explore_then_exploit": "Looking ahead"}  # a schedule, but it knows N
_ABOUT = {  # where one class stands behind several names
    "gradient_ascent": "on one network",
    "gradient_min": "on the smallest prediction of five",
    "gradient_mean": "on the mean prediction of five",
    "rolling_2": "two rounds; `rolling_3`, ... as many as the name says",
}
_MIXED = {"degrees": (20, 80), "solvent": ["DMF", "THF"]}
_SETTING = re.compile(r"^(\w+) *= *(.*?)(?: +#+ *(.*))?$")

INTRODUCTION = """\
# Policies

<!-- Written by `python -m scripts.build_docs`. -->

A policy decides what is measured next. `ombo_agents.make(name, env_or_spec)` builds one,
`ombo_agents.names()` lists the names, and `ombo_agents.supports(name, env_or_spec)` says whether it
suits some campaigns; so does `ombo list --policies-for Ombo/SnAr-v0`. Settings follow a colon, on
command lines too: `ucb:weight=1`, `explore_then_exploit:weights=3/1/0`; several have semicolons
between, and quotes around for the shell: `'ucb:weight=1;climb=false'`.

Beside these names, the folder of a [trained policy](guides/training.md) (`runs/NAME`) is one, and
so is `module:Class` of a [policy of your own](guides/own_policy.md).

**What suits what.** *Box*: every number is from a range. *Mixed*: numbers and categories, of which
at least one number is from a range. *Sequence*: categories or levels only. *Pool*: rows of a table.
*Exact*: small campaigns whose posterior can be listed, `Ombo/Bandit-v0` and `Ombo/Landscapes-v0`.
*Knows N*: what it does depends on how many rounds are left.

Every policy proposes exactly q designs, and none that was measured already where that is worth
nothing; on finite spaces without noise no batch holds a design twice while there are others.
"""

SETTINGS = """\
## Settings

The defaults, each from the file `agents/ombo_agents/hyperparameters/NAME.toml`. A column in
brackets holds for that kind of design space or problem. Policies that are not listed have none.
"""


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for heading, (words, _) in GROUPS.items():
        rows = [_row(name, entry) for name, entry in POLICIES.items() if _group(name) == heading]
        table = [
            "| name | what it does | suits | knows N |",
            "|---|---|---|---|",
            *rows,
        ]
        parts.append("\n\n".join(filter(None, [f"## {heading}", words, "\n".join(table)])) + "\n")
    parts.append(SETTINGS)
    parts.extend(_settings(name) for name in POLICIES if _file(name).is_file())
    parts.append("\n".join(["## References", "", *map(_reference, _with_references()), ""]))
    return "\n".join(parts)


def _with_references() -> list[str]:
    return [name for name in POLICIES if "References" in _docstring(name).sections]


def _reference(name: str) -> str:
    return f"- `{name}`: " + " ".join(_docstring(name).sections["References"].split())


def _docstring(name: str) -> Docstring:
    return Docstring.of(type(_made(name)))


@cache
def example_specs() -> dict[str, CampaignSpec]:
    """Campaigns of each kind."""

    def of(name: str, **arguments: Any) -> CampaignSpec:
        env = gym.make(f"Ombo/{name}-v0", disable_env_checker=True, **arguments)
        return campaign_spec(env)

    few = {"kind": "random", "size": 4}
    return {
        "box": of("GP"),
        "mixed": CampaignSpec(design_space_of(parse_parameters(_MIXED)), plates=(4, 4)),
        "sequence": of("TFBind8", start=few),
        "pool": of("CrossedBarrel"),
        "exact": of("Bandit", horizon=2, batch_size=1, utility="total"),
    }


def _suits(entry: Entry) -> list[str]:
    return [kind for kind, spec in example_specs().items() if entry.why_not(spec) is None]


@cache
def _made(name: str) -> Any:
    suits = _suits(POLICIES[name])
    if not suits:  # it needs a learned prior: its class alone, which says all that the page asks
        return object.__new__(POLICIES[name].build)  # type: ignore[arg-type]
    kind, *_ = suits
    return ombo_agents.make(name, example_specs()[kind])


def _group(name: str) -> str:
    if name in _MOVED:
        return _MOVED[name]
    package = _builder_module(name).split(".")[1]
    return next(heading for heading, (_, packages) in GROUPS.items() if package in packages)


def _builder_module(name: str) -> str:
    build = POLICIES[name].build
    module: str = getattr(build, "__module__", "")
    inside = module.startswith("ombo_agents.") and module != "ombo_agents.registry"
    return module if inside else type(_made(name)).__module__


def _row(name: str, entry: Entry) -> str:
    suits = _suits(entry)
    knows = "yes" if _made(name).horizon_aware else ""
    kinds = "any" if len(suits) == len(example_specs()) else ", ".join(suits)
    kinds = kinds or "any, with a [learned prior](guides/learned_priors.md)"
    link = f"[`{name}`](#{name})" if _file(name).is_file() else f"`{name}`"
    return "| " + " | ".join([link, cell(what_it_does(name)), kinds, knows]) + " |"


def what_it_does(name: str) -> str:
    """The first line of the class's docstring, or the builder's where a schedule is one of many."""
    kind, build = type(_made(name)), POLICIES[name].build
    shared = [type(_made(other)) for other in POLICIES].count(kind) > 1 or (
        getattr(build, "__module__", "") == "ombo_agents.bayesian.schedules"
    )
    is_function = isinstance(build, FunctionType) and build.__name__ != "<lambda>"
    summary = Docstring.of(build if shared and is_function else kind).summary.rstrip(".")
    return f"{summary}: {_ABOUT[name]}" if name in _ABOUT else summary


def _file(name: str) -> Any:
    return files("ombo_agents.hyperparameters") / f"{name}.toml"


def _settings(name: str) -> str:
    """A heading and a table of a policy's settings: by design space and problem, with notes."""
    tables: dict[str, dict[str, str]] = {}
    notes: dict[str, str] = {}
    comments: list[str] = []
    for line in _file(name).read_text("utf-8").splitlines():
        if line.startswith("["):
            heading, _, note = line[1:].partition("]")
            table = tables.setdefault(heading, {})
            if note := note.strip(" #"):
                comments.append(f"[{heading}]: {note}.")
        elif line.startswith("#"):
            comments.append(line.lstrip("# "))
        elif match := _SETTING.match(line):
            key, value, note = match.groups()
            table[key] = value
            if note:
                notes[key] = "; ".join(filter(None, [notes.get(key), note]))
    return _table(name, tables, notes, " ".join(comments))


def _table(
    name: str, tables: dict[str, dict[str, str]], notes: dict[str, str], comment: str
) -> str:
    others = [table for table in tables if table != "default"]
    keys = list(dict.fromkeys(key for table in tables.values() for key in table))
    heads = ["setting", "default", *(f"[{table}]" for table in others), "note"]
    rows = [
        [
            f"`{key}`",
            *(_code(tables.get(table, {}).get(key)) for table in ["default", *others]),
            cell(notes.get(key, "")),
        ]
        for key in keys
    ]
    lines = ["| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows]]
    return "\n".join(
        [f"### {name} {{ #{name} }}", "", *([comment, ""] if comment else []), *lines, ""]
    )


def _code(value: str | None) -> str:
    return "" if value is None else f"`{value}`"
