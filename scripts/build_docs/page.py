"""What pages say: the problem's docstring, and facts of the environment with its defaults."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from ombo_gym.catalogue import what_is_known
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.core.base import Problem
from ombo_gym.registration import NAMESPACE, PROBLEMS, make_problem, problem_class
from ombo_gym.spec import Repeats
from ombo_gym.utilities import UTILITIES, Utility
from scripts.build_docs.docstring import Docstring, cell, reflow


class DocsError(Exception):
    """The pages cannot be written, or are not current; the message says why."""


def _made(name: str) -> tuple[Problem, CampaignEnv]:
    try:
        problem = make_problem(name)
        env = gym.make(f"{NAMESPACE}/{name}-v0", disable_env_checker=True).unwrapped
    except ImportError as error:
        raise DocsError(f"{name}: {error}") from error
    assert isinstance(env, CampaignEnv)
    return problem, env


# --- the index -----------------------------------------------------------------------------------


def index() -> str:
    """The table of all environments."""
    rows = [
        "| id | what it is | domain | designs | rounds | optimum | extra |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in PROBLEMS:
        problem, _ = _made(name)
        low, high = problem.rounds
        cells = [
            f"[`{NAMESPACE}/{name}-v0`]({name}.md)",
            cell(Docstring.of(problem_class(name)).summary.rstrip(".")),
            problem.domain,
            problem.design_space.summary,
            f"{low} to {high}",
            what_is_known(problem),
            f"`{problem.extra}`" if problem.extra else "",
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(
        [
            "# Environments",
            "",
            "Written by `python -m scripts.build_docs` from the problems' docstrings. "
            "`ombo list` prints this table with what a design costs on your machine.",
            "",
            *rows,
            "",
            "Rounds are the horizons that make sense. The optimum is known, estimated or searched "
            "for (from below, the latter when asked for at reset), or a best value or a bound "
            "from above is known, to which scores refer. An extra is installed by "
            '`pip install "ombo-gym[EXTRA]"`.',
            "",
            "A problem of your own needs no page: `Ombo/Table-v0` takes a spreadsheet, and "
            "`ombo_gym.make_campaign` a Python function.",
            "",
        ]
    )


# --- a page --------------------------------------------------------------------------------------


def page(name: str) -> str:
    """The page of a problem."""
    problem, env = _made(name)
    doc = Docstring.of(problem_class(name))
    sections = {
        "Description": "\n\n".join(filter(None, [doc.summary, doc.text, _example(doc)])),
        "Action Space": _action_space(env),
        "Observation Space": _observation_space(env),
        "Rewards": _rewards(problem),
        "Starting State": _starting_state(problem),
        "Episode End": _episode_end(problem),
        "Arguments": _arguments(name, doc),
        "Vectorized environment": _vectorized(name),
        "Score": _score(problem),
        "References": _references(doc),
        "Version History": "- v0: first version.",
    }
    lines = [
        f"# {NAMESPACE}/{name}-v0",
        "",
        f"![A campaign](images/{name}.png)",
        "",
        _facts(name, env),
    ]
    for heading, text in sections.items():
        if text:
            lines += ["", f"## {heading}", "", text]
    return "\n".join(lines) + "\n"


def _facts(name: str, env: CampaignEnv) -> str:
    problem = env.problem
    make = f'gymnasium.make("ombo_gym:{NAMESPACE}/{name}-v0")'
    install = "ombo-gym" if problem.extra is None else f'"ombo-gym[{problem.extra}]"'
    rows = {
        "Domain": problem.domain,
        "Designs": problem.design_space.summary,
        "Action Space": f"`{written(env.action_space)}`",
        "Observation Space": f"`{written(env.observation_space)}`",
        "make": f"`{make}`",
        "install": f"`pip install {install}`",
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows.items())])


def written(space: spaces.Space[Any]) -> str:
    """A space in a line, the same with every version of numpy and gymnasium."""
    if isinstance(space, spaces.Dict):
        return "Dict(" + ", ".join(f"{k}: {written(v)}" for k, v in space.items()) + ")"
    if isinstance(space, spaces.MultiDiscrete):
        return f"MultiDiscrete({_counts(space.nvec.tolist())})"
    if isinstance(space, spaces.MultiBinary):
        return f"MultiBinary({space.n})"
    assert isinstance(space, spaces.Box)
    ends = [np.unique(end) for end in (space.low, space.high)]
    form = "d" if np.issubdtype(space.dtype, np.integer) else ".3g"
    low, high = (" to ".join(format(x, form) for x in dict.fromkeys((e[0], e[-1]))) for e in ends)
    return f"Box({low}, {high}, {space.shape}, {space.dtype})"


def _counts(counts: list[int]) -> str:
    """A list that may repeat itself: [4] * 32."""
    for period in range(1, len(counts)):
        times, rest = divmod(len(counts), period)
        if not rest and counts == counts[:period] * times:
            return f"{counts[:period]} * {times}"
    return str(counts)


def _example(doc: Docstring) -> str:
    if "Example" not in doc.sections:
        return ""
    return f"```pycon\n{doc.sections['Example']}\n```"


def _action_space(env: CampaignEnv) -> str:
    space, q = env.design_space, env.campaign_spec.batch_size
    what = f"A batch of q designs (`batch_size`, {q} by default): `{written(env.action_space)}`."
    said = _SAID_OF_DESIGNS.get(space.kind)
    return what if said is None else f"{what} {said(space)}"


def _said_of_sequences(space: Any) -> str:
    what = f"The q designs stand one after the other, {space.length} entries each."
    if space.alphabet is not None:
        letters = ", ".join(f"{i} = {letter}" for i, letter in enumerate(space.alphabet))
        what += f" Letters: {letters}."
    return f"{what} `env.unwrapped.design_space.text(design)` spells a design out."


_SAID_OF_DESIGNS: dict[str, Callable[[Any], str]] = {  # by kind of design space
    "box": lambda space: f"A design is a row of {space.dim} coordinates from -1 to 1.",
    "pool": lambda space: f"A design is the index of one of {space.size:,} candidates.",
    "categorical": _said_of_sequences,
}


def _observation_space(env: CampaignEnv) -> str:
    fields = env.observation_space
    assert isinstance(fields, spaces.Dict)
    texts = {
        "designs": "the dataset's designs, as in actions: the start first, then the batches",
        "measurements": "what was measured",
        "observed": "1 where a row is in use",
        "from_start": "1 where a row is the start's",
        "rounds_left": "N at reset, 0 at the end",
        "plates": "sizes of the batches still to come, the next one first",
    }
    rows = [f"| `{k}` | `{written(v)}` | {texts[k]} |" for k, v in fields.items()]
    rest = "Rows that are not in use are zero. The number of rows is that of the largest start and "
    rest += "of all that can be proposed."
    return "\n".join(["| field | space | |", "|---|---|---|", *rows, "", rest])


def _rewards(problem: Problem) -> str:
    base = "the start's best true value"
    if problem.start.get("kind") == "none":
        base = f"a reference, {problem.reference:g}, since there is no start"
    exact = problem.prior is not None and problem.prior.exact
    ours = [kind for kind in UTILITIES.values() if kind.__module__ == Utility.__module__]
    offered = [kind for kind in ours if exact or not kind.needs_posterior]
    text = (
        "Increments of the utility: the undiscounted return is what the campaign was worth, "
        f'`utility="best"` unless you ask for another. b0 is {base}.\n\n'
        + "\n".join(f"- `{_called(kind)}`: {_worth(kind)}" for kind in offered)
        + "\n\nUtilities count true values; noise is in the measurements only."
    )
    if problem.repeats is Repeats.NEVER_AGAIN:
        text += " A design is measured once: a slot that repeats one is wasted and counts 0."
    return text


def _called(kind: type[Utility]) -> str:
    """How a utility is asked for: its name and, where it takes arguments, which."""
    arguments = kind.__init__ is not object.__init__ and list(inspect.signature(kind).parameters)
    given = ", ".join(f'"{name}": ...' for name in arguments or ())
    return f'{{"name": "{kind.name}", {given}}}' if given else kind.name


def _worth(kind: type[Utility]) -> str:
    return Docstring.of(kind).summary


def _starting_state(problem: Problem) -> str:
    start = dict(problem.start)
    kind, size = start.get("kind"), start.get("size")
    if kind == "none":
        text = "An empty dataset"
    elif kind == "random":
        text = f"{size} random designs that can be measured, with their measured values"
    elif kind == "percentile":
        which = f"{size} designs drawn from" if size else "all of"
        text = f"{which} the designs at or below percentile {start.get('percentile', 50)} of the "
        text += "values, with their measured values"
    else:
        text = "As in the description"
    given = json.dumps(start)
    return f"{text[0].upper()}{text[1:]}: `start={given}`, unless you ask for another."


def _episode_end(problem: Problem) -> str:
    low, high = problem.rounds
    return (
        "`terminated` after N rounds (`horizon`, 5 by default; a pair `[low, high]` draws it anew "
        f"for each campaign); never truncated. {low} to {high} rounds make sense here."
    )


def _arguments(name: str, doc: Docstring) -> str:
    texts = doc.entries("Args")
    parameters = inspect.signature(problem_class(name)).parameters
    rows = []
    for parameter in parameters.values():
        key = "**" * (parameter.kind is parameter.VAR_KEYWORD) + parameter.name
        if key not in texts:
            raise DocsError(f"{name}: the docstring's Args do not tell of {key}")
        default = parameter.default
        shown = "" if default is parameter.empty else f"`{_literal(default)}`"
        rows.append(f"| `{key}` | {shown} | {cell(texts[key])} |")
    own = "Of the problem:\n\n" + "\n".join(["| argument | default | |", "|---|---|---|", *rows])
    if not rows:
        own = "The problem has none of its own."
    if errors := doc.entries("Raises"):
        told = [f"- `{kind}`: {text}" for kind, text in errors.items()]
        own += "\n\nErrors:\n\n" + "\n".join(told)
    return f"{own}\n\nOf every environment:\n\n{_common_arguments(name)}"


def _common_arguments(name: str) -> str:
    kind = problem_class(name)
    texts = Docstring.of(CampaignEnv).entries("Args")
    rows = ["| argument | default | |", "|---|---|---|"]
    own = {"start": kind.start, "surrogate": kind.surrogate}
    for parameter in inspect.signature(CampaignEnv).parameters.values():
        key = parameter.name
        if key in ("problem", "arguments") or (key == "split" and len(kind.splits) > 1):
            continue
        default = own.get(key, parameter.default)
        if key == "noise_std":
            default = kind.noise_std if isinstance(kind.noise_std, float) else None
        rows.append(f"| `{key}` | `{_literal(default)}` | {cell(texts[key])} |")
    return "\n".join(rows)


def _literal(value: Any) -> str:
    """A default as Python writes it, with double quotes."""
    if isinstance(value, str | dict | list | tuple):
        return json.dumps(value)
    return repr(value)


def _vectorized(name: str) -> str:
    return (
        "```python\n"
        "import gymnasium as gym\n"
        "import ombo_gym\n\n"
        f'envs = gym.make_vec("{NAMESPACE}/{name}-v0", num_envs=16)\n'
        "```\n\n"
        "is native: campaigns are rows of arrays. Row i of `reset(seed=s)` plays the campaign of "
        "the single environment seeded with s + i."
    )


def _score(problem: Problem) -> str:
    one = {
        "known": "the optimum of the instance, which infos hold (`optimum`, `regret`)",
        "estimated": "the largest value that a search finds in the instance, which infos hold "
        "(`optimum`, `regret`; `optimum_exact` is false)",
        "searched": "the largest value that a search finds in the instance; infos hold it "
        '(`optimum`, `regret`) after `reset(options={"optimum": True})`',
        "best known": "the best value that is known of the instance",
        "bound": "a bound from above, which designs may not reach",
    }.get(what_is_known(problem))
    if one is None:
        return (
            "Values, rewards and infos are in the problem's units. There is no score, since no "
            "good value is known beforehand."
        )
    return (
        "Values, rewards and infos are in the problem's units. For reports that compare problems "
        f"(`ombo_gym.scores`), 0 is the start's best true value and 1 {one}."
    )


def _references(doc: Docstring) -> str:
    paragraphs = reflow(doc.sections.get("References", "")).split("\n\n")
    return "\n".join(f"- {paragraph}" for paragraph in paragraphs if paragraph)
