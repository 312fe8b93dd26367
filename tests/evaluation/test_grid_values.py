"""Values of a grid: one may stand for several, and what is of no use is refused in a sentence."""

from __future__ import annotations

import os
import random
import string

import pytest
import yaml

from ombo_gym.evaluation.grid import read_grid
from ombo_gym.evaluation.plan import EvaluationPlan

ENTRY = "env: Ombo/GP-v0, horizons: [2], policies: [random]"


@pytest.fixture
def grid(tmp_path):
    def write(text):
        file = tmp_path / "grid.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


@pytest.mark.parametrize(
    ("setting", "name", "expected"),
    [
        ("horizons: 3", "horizons", [3]),
        ("policies: random", "policies", ["random"]),
        ("utilities: total", "utilities", ["total"]),
        ("utilities: {name: last_quantile, quantile: 0.9}", "utilities", None),
        ("told: true", "told", ["true"]),
        ("told: one", "told", ["one"]),
        ("told: [true, one]", "told", ["true", "one"]),
        ("horizons: []\n  plates: 24", "plates", [24]),
        ("env_kwargs:", "env_kwargs", None),
        ("batch_size:", "batch_size", None),
    ],
)
def test_one_value_stands_for_a_list_of_one(setting, name, expected, grid):
    text = f"horizons: [1]\npolicies: [random]\nproblems:\n- env: Ombo/GP-v0\n  {setting}\n"
    (plan,) = read_grid(grid(text))
    found = getattr(plan, name)
    assert found == (["last_quantile:quantile=0.9"] if "quantile" in setting else expected)


def test_a_plan_takes_one_value_for_a_list_of_one_too():
    plan = EvaluationPlan("Ombo/GP-v0", "random", 3, utilities="best", told="true")
    assert plan == EvaluationPlan("Ombo/GP-v0", ["random"], [3], utilities=["best"], told=["true"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("env_kwargs: [1]", r"env_kwargs: expected names with values, .* got \[1\]"),
        ("env_kwargs: dim", "env_kwargs: expected names with values"),
        ("env_kwargs: {1: 2}", "expected names as keys, got 1; put it in quotes"),
        ("env_kwargs: {dim: 3.5e+500}", "expected a text, a finite number.* got inf"),
        ("env_kwargs: {dim: .nan}", "expected a text, a finite number.* got nan"),
        ("env_kwargs: {start: 2026-01-02}", "got datetime.date"),
        ("env_kwargs: {dim: !!binary aGk=}", "got b'hi'"),
        ("env_kwargs: {dim: !!set {a, b}}", "got {'a', 'b'}|got {'b', 'a'}"),
        ("env_kwargs: {num_envs: 3}", "are set by the evaluation itself"),
        ("env_kwargs: {vectorization_mode: sync}", "are set by the evaluation itself"),
        ("env_kwargs: {wrappers: [x]}", "are set by the evaluation itself"),
        ("utilities: 3", "utility: expected one of"),
        ("utilities:", "utilities: expected at least one"),
        ("utilities: [[best]]", "utility: expected one of"),
        ("utilities: {quantile: 0.9}", "utility: expected one of"),
        ("told: false", "told: expected 'true', 'one' or both"),
        ("told: [1]", "told: expected 'true', 'one' or both"),
        ("told: {a: b}", "told: expected 'true', 'one' or both"),
        ("horizons: true", "horizons: expected a whole number, got True"),
        ("horizons: [1.5]", "horizons: expected a whole number, got 1.5"),
        ("horizons: '3'", "horizons: expected a whole number, got '3'"),
        ("horizons: {1: 2}", "expected names as keys"),
        ("horizons: {a: 2}", "horizons: expected a whole number"),
        ("horizons: [[1]]", r"horizons: expected a whole number, got \[1\]"),
        ("horizons:", "horizons: expected at least one"),
        ("plates: x", "plates: "),
        ("campaigns: 1e3", "campaigns: expected a whole number, got '1e3'"),
        ("campaigns: [10]", r"campaigns: expected a whole number, got \[10\]"),
        ("campaigns:", "campaigns: expected a whole number, got None"),
        ("campaigns: true", "campaigns: expected a whole number, got True"),
        ("seed: x", "seed: expected a whole number, got 'x'"),
        ("seed: -1", "campaigns, seed: expected"),
        ("block: 0", "block: expected at least 1"),
        ("block: 0.5", "block: expected a whole number"),
        ("budget: many", "budget: expected a whole number"),
        ("batch_size: [4]", "batch_size: expected a whole number"),
        ("policies: 7", r"policies: expected names or folders .*got \[7\]"),
        ("policies: [random, 7]", "policies: expected names or folders"),
        ("policies: {random: 1}", "policies: expected names or folders"),
        ("policies: []", "policies: expected names or folders"),
        ("policies: ['']", "policies: expected names or folders"),
        ("policies: [random, random]", "policies: expected at least one, each once"),
        ("policies: runs/nothing-*", "policies: expected names or folders"),
        ("without: 3", "without: expected names of policies, got 3"),
        ("without: [[random]]", "without: expected names of policies"),
        ("env: CartPole-v1", "env: expected one of Ombo/GP-v0, .*got 'CartPole-v1'"),
        ("env: Ombo/Gp-v0", "env: expected one of Ombo/GP-v0"),
        ("env: [Ombo/GP-v0]", "expected an env in every problem"),
        ("env: 3", "expected an env in every problem"),
        ("4: 3", "expected names as keys, got 4"),
        ("null: 3", "expected names as keys, got None"),
        ("q: 4", r"a problem has the keys .*got \['q'\]"),
        ("campaigns: 2000000000", "expected an evaluation whose tables take at most 2 GiB"),
    ],
)
def test_values_of_another_kind_are_refused_with_what_was_expected(setting, message, grid):
    entry = {
        "env": "env: Ombo/GP-v0",
        "horizons": "horizons: [2]",
        "policies": "policies: [random]",
    }
    entry[setting.partition(":")[0]] = setting
    if "plates" in entry:
        del entry["horizons"]
    lines = "\n  ".join(entry.values())
    with pytest.raises(ValueError, match=message) as refused:
        read_grid(grid(f"problems:\n- {lines}\n"))
    assert str(refused.value).count("grid.yaml") == 1 and len(str(refused.value)) < 1500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected keys and values, got an empty file"),
        ("# nothing\n", "expected keys and values, got an empty file"),
        ("---\n---\n", "expected YAML: expected a single document"),
        ("problems", "expected a grid with keys and values, got 'problems'"),
        ("problems: []", "problems: expected a list of entries"),
        (f"problems: {{{ENTRY}}}", "problems: expected a list of entries"),
        ("problems: [3]", "expected a problem with keys and values, got 3"),
        (f"problems: [{{{ENTRY}, env: Ombo/GP-v0}}]", "line 1: 'env' stands there twice"),
        (f"seed: 1\nproblems: [{{{ENTRY}}}]\nseed: 2", "line 3: 'seed' stands there twice"),
        ("a: &a [*a]", "line 1: expected no alias to what it stands in"),
        ("a: &a {b: {c: *a}}", "line 1: expected no alias to what it stands in"),
        ("a: *nowhere", "expected YAML: found undefined alias"),
        ("? [1, 2]\n: 3", "expected YAML: .*found unhashable key"),
        ("a: 2026-13-45", "month must be in 1..12"),
        ("[" * 1100, "nested too deeply"),
        ("{a: " * 1100, "nested too deeply"),
        ("- " * 1100 + "x", "nested too deeply"),
        ("a: " + "1" * 5000, "limit"),
        (b"\x00\x01\x02", "expected YAML: unacceptable character"),
        (b"\xff\xfe\xfa", "expected YAML: "),
        (bytes(range(256)), "expected YAML: "),
        ("a" * (2**20 + 1), "expected a grid of at most 1048576 bytes"),
        ("a: b: c", "expected YAML: mapping values"),
        ("a: !!int x", "invalid literal"),
        ("seed: 010", "line 1: expected whole numbers in decimal digits, got '010'"),
        ("a: 1\nseed: 0x10", "line 2: expected whole numbers .* '0x10'"),
        ("campaigns: 1:30", "line 1: expected whole numbers .* '1:30'"),
        ("campaigns: 1_000", "line 1: expected whole numbers .* '1_000'"),
        ("seed: -0b11", "line 1: expected whole numbers .* '-0b11'"),
        ("<<: 3\n", "expected YAML: .*expected a mapping"),
    ],
)
def test_files_that_are_no_grid_are_refused_in_a_sentence(text, message, grid):
    with pytest.raises(ValueError, match=message) as refused:
        read_grid(grid(text))
    assert "grid.yaml: " in str(refused.value) and len(str(refused.value)) < 1000


@pytest.mark.parametrize("merged", [False, True])
def test_billions_of_laughs_are_refused(merged, grid):
    """Nine anchors of nine aliases each come to a billion values; merged keys, to a billion too."""
    lines = ["a0: &a0 {x: [lol]}"]
    for i in range(1, 10):
        several = ", ".join([f"*a{i - 1}"] * 9)
        lines.append(f"a{i}: &a{i} " + (f"{{<<: [{several}]}}" if merged else f"[{several}]"))
    with pytest.raises(ValueError, match=r"line .: expected at most 100000 keys and values"):
        read_grid(grid("\n".join(lines)))


def test_anchors_aliases_and_merged_keys_are_as_good_as_written_out(grid):
    first, second = read_grid(
        grid(
            "horizons: [1]\npolicies: [random]\nproblems:\n- &first\n  env: Ombo/GP-v0\n"
            "  env_kwargs: &more {dim: 3}\n- <<: *first\n  env_kwargs: {<<: *more, dim: 4}\n"
        )
    )
    assert first.env_kwargs == {"dim": 3} and second.env_kwargs == {"dim": 4}


def test_utf_16_is_read(grid):
    (plan,) = read_grid(grid(f"problems: [{{{ENTRY}}}]".encode("utf-16")))
    assert plan.policies == ["random"]


@pytest.mark.parametrize("kind", ["folder", "pipe", "nothing", "loop"])
def test_what_is_no_file_is_refused_at_once(kind, tmp_path):
    file = tmp_path / "grid.yaml"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "loop":
        file.symlink_to(file)
    with pytest.raises((ValueError, OSError), match=r"grid\.yaml"):
        read_grid(file)


# --- anything at all ------------------------------------------------------------------------------

GOOD = """\
campaigns: 20
seed: 3
block: 5
told: [true, one]
policies: [random, ucb]
without: [greedy]
problems:
- {env: Ombo/GP-v0, horizons: [1, 2], batch_size: 3, env_kwargs: &k {dim: 2, noise_std: 0.1}}
- {env: Ombo/Landscapes-v0, plates: [4, 2], utilities: [best, {name: last_quantile, quantile: 0.5}]}
- {env: Ombo/GP-v0, horizons: 2, budget: 4, env_kwargs: {<<: *k, dim: 3}, policies: random}
"""
PIECES = [
    *("null", "true", "~", "1e999", ".nan", "-1", "0", "3", "1" * 4400, "2026-01-01", "''", "[]"),
    *(
        "{}",
        "&a ",
        "*a",
        "*k",
        "<<: ",
        "!!python/name:os.system ",
        "!!set ",
        "!!binary ",
        "? ",
        "- ",
    ),
    *(
        ": ",
        ", ",
        "\n",
        "\t",
        "#",
        "'",
        '"',
        "|",
        ">",
        "%",
        "@",
        "`",
        "---\n",
        "...\n",
        "\0",
        "\ud7ff",
    ),
    *("all", "maker: x:y", "x:Y", "random", "runs/*", "policies: ", "env: ", "told: ", "[[", "]]"),
]


def of_pieces(chance):
    """A good grid with a few random edits, or random pieces alone."""
    text = GOOD if chance.random() < 0.9 else ""
    for _ in range(chance.randint(1, 4) if text else 10):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 1, 1, 3, 10, 80]))
        kind = chance.randrange(4)
        if kind == 0:
            text = text[:start] + chance.choice(PIECES) + text[end:]
        elif kind == 1:
            letters = "".join(chance.choices(string.printable, k=chance.randint(1, 3)))
            text = text[:start] + letters + text[end:]
        elif kind == 2:
            text = text[:start] + text[start:end] * chance.randint(0, 4) + text[end:]
        else:
            other = chance.randrange(len(text) + 1)
            text = text[:other] + text[start:end] + text[other:]
    return text.encode("utf-8", "surrogatepass")


def of_values(chance):
    """A good grid with any values of YAML in place of some of its own."""
    value = yaml.safe_load(GOOD)

    def anything(depth):
        kind = chance.randrange(9 if depth else 6)
        if kind < 6:
            return chance.choice(
                [None, True, -1, 0, 2**70, 0.5, float("inf"), "", "x:Y", "all", "*", "a" * 5000]
            )
        if kind < 8:
            return [anything(depth - 1) for _ in range(chance.randrange(4))]
        return {str(anything(0)): anything(depth - 1) for _ in range(chance.randrange(3))}

    for _ in range(chance.randint(1, 3)):
        inside = value
        while True:
            keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
            key = chance.choice(keys)
            if not isinstance(inside[key], dict | list) or not inside[key] or chance.random() < 0.2:
                break
            inside = inside[key]
        inside[key] = anything(2)
    return yaml.safe_dump(value).encode()


@pytest.mark.parametrize("count", [100, pytest.param(10_000, marks=pytest.mark.slow)])
def test_no_content_stops_the_reading_without_a_sentence(count, grid, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chance, read = random.Random(count), 0
    for i in range(count):
        content = of_values(chance) if i % 3 == 0 else of_pieces(chance)
        try:
            plans = read_grid(grid(content))
        except (ValueError, OSError) as refused:
            assert "grid.yaml" in str(refused) and len(str(refused)) < 1500
        else:
            read += 1
            assert all(isinstance(plan, EvaluationPlan) for plan in plans) and plans
    assert 0 < read < count
