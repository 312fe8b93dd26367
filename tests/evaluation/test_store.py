"""Finished cells on disk: what is read is what was written for that very cell, or it is nothing."""

from __future__ import annotations

import hashlib
import json
import os
import random

import numpy as np
import pytest

from ombo_gym.evaluation.cells import Cell, play
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run
from ombo_gym.evaluation.store import Store

CELL = Cell("Ombo/GP-v0", "ucb", "true", 2, 3, "best", 5, 0, 4, fingerprint="f")


def kept_cells(folder):
    """Files of cells, without those of what is the best known."""
    return sorted(file for file in folder.glob("*.json") if not file.name.startswith("best-"))


@pytest.fixture(scope="module")
def played():
    return play(CELL)


@pytest.fixture
def store(tmp_path, played):
    store = Store(tmp_path)
    store.write(CELL, played)
    return store


@pytest.fixture
def file(store, tmp_path):
    (file,) = tmp_path.iterdir()
    return file


def sealed(kept):
    """A file's text with the checksum that fits it, as somebody who knows the format would make."""
    kept = {name: value for name, value in kept.items() if name != "checksum"}
    checksum = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
    return json.dumps({**kept, "checksum": checksum})


def set_at(kept, path, value):
    """The same object with another value at a path."""
    inside = kept
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = value
    return kept


def test_what_is_written_is_read_back_to_the_last_bit(store, played):
    again = store.read(CELL)
    for name, column in played.columns.items():
        np.testing.assert_array_equal(again.columns[name], column)
    np.testing.assert_array_equal(again.instances, played.instances)
    np.testing.assert_array_equal(again.weights, played.weights)
    assert again.replays == played.replays and not store.refused


@pytest.mark.parametrize(
    "env_kwargs", ['{"control": "exploration"}', '{"start": {"kind": "none"}}']
)
def test_cells_without_distinct_designs_or_a_start_are_read_back(env_kwargs, tmp_path):
    cell = Cell("Ombo/GP-v0", "ucb", "true", 1, 2, "best", 5, 0, 2, env_kwargs)
    store, played = Store(tmp_path), play(cell)
    store.write(cell, played)
    again = store.read(cell)
    np.testing.assert_array_equal(again.columns["distinct"], played.columns["distinct"])
    assert again.replays == played.replays


def test_a_file_under_another_cell_s_name_is_not_that_cell(store, file, tmp_path, played):
    other = CELL.showing("one")
    file.rename(tmp_path / f"{other.key}.json")
    assert store.read(other) is None
    assert store.refused == {f"{other.key}.json": "it holds another cell"}
    assert store.read(CELL) is None and len(store.refused) == 1  # what is not there is no damage


def test_a_changed_character_anywhere_is_noticed(store, file):
    text, chance = file.read_text(), random.Random(0)
    for position in chance.sample(range(len(text)), 150):
        letter = chance.choice(
            [each for each in '0123456789.-eE",:[]{} ' if each != text[position]]
        )
        another = text[:position] + letter + text[position + 1 :]
        file.write_text(another)
        # Digits behind the last that counts may change: the numbers are the same to the bit.
        assert store.read(CELL) is None or json.loads(another) == json.loads(text)
    file.write_text(text)
    assert store.read(CELL) is not None


def test_json_that_says_the_same_in_other_words_is_the_same(store, file, played):
    file.write_text(json.dumps(json.loads(file.read_text()), indent=1, sort_keys=True))
    again = store.read(CELL)
    np.testing.assert_array_equal(again.columns["value"], played.columns["value"])


# Values that a fitting checksum does not make right, and where.
NO_NUMBERS = [None, True, "1.0", [], {}, [[1.0]]]
TOO_LARGE = [10**400]
NO_LISTS = [None, True, "1.0", 3, {}, [[1.0]]]
PLACES = [
    (("key",), [*NO_NUMBERS, "another"]),
    (("columns",), NO_LISTS),
    (("columns", "value"), NO_LISTS),
    (("columns", "value", 2), NO_NUMBERS + TOO_LARGE),
    (("columns", "distinct", 0), NO_NUMBERS),
    (("instances",), NO_LISTS),
    (("instances", 1), [*NO_NUMBERS, *TOO_LARGE, 1.0, -2]),
    (("weights",), NO_LISTS),
    (("weights", 0), NO_LISTS),
    (("weights", 1, 2), [*NO_NUMBERS, *TOO_LARGE, 1.0]),
    (("replays",), [*NO_LISTS, []]),
    (("replays", 0), NO_LISTS),
    (("replays", 0, "start"), NO_LISTS),
    (("replays", 0, "start", "size"), [*NO_NUMBERS, 1.5]),
    (("replays", 0, "start", "best"), [True, "1.0", [], {}, 1]),
    (("replays", 0, "rounds"), [*NO_LISTS, []]),
    (("replays", 0, "rounds", 1), [*NO_NUMBERS, 1.0]),
    (("replays", 0, "designs"), [*NO_LISTS, []]),
    (("replays", 0, "designs", 1), [None, True, 1.0, {}, [[1.0]]]),
    (("replays", 0, "designs", 1, 0), NO_NUMBERS),
    (("replays", 0, "values", 1), [*NO_NUMBERS, *TOO_LARGE]),
    (("replays", 0, "true_values"), [*NO_LISTS, []]),
]


@pytest.mark.parametrize(("place", "values"), PLACES, ids=lambda each: str(each)[:40])
def test_a_wrong_value_under_a_fitting_checksum_is_no_cell(place, values, store, file):
    text = file.read_text()
    for value in values:
        file.write_text(sealed(set_at(json.loads(text), place, value)))
        assert store.read(CELL) is None, value
        assert len(store.refused[file.name]) <= 200 and "\n" not in store.refused[file.name]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 5000])
@pytest.mark.parametrize("name", ["value", "values"])
def test_numbers_that_are_not_finite_are_refused(number, name, store, file):
    kept = json.loads(file.read_text())
    place = ("columns", "value", 0) if name == "value" else ("replays", 0, "values", 0)
    file.write_text(sealed(set_at(kept, place, "@")).replace('"@"', number))
    assert store.read(CELL) is None


@pytest.mark.parametrize("count", [0, 3, 5])
def test_columns_of_another_length_are_refused(count, store, file):
    for place in (("columns", "value"), ("instances",)):
        kept = json.loads(file.read_text())
        file.write_text(sealed(set_at(kept, place, [1] * count)))
        assert store.read(CELL) is None


@pytest.mark.parametrize("text", ["[" * 10**6, '{"a":' * 10**5, "null", "1", '"x"', "", " ", "{}"])
def test_what_is_no_cell_at_all_is_refused(text, store, file):
    file.write_text(text)
    assert store.read(CELL) is None and store.refused[file.name]


@pytest.mark.parametrize(
    "text", [b"\xff\xfe\x00", b"\x00" * 100, os.urandom(1000), b"\xef\xbb\xbf{}"]
)
def test_bytes_that_are_no_text_are_refused(text, store, file):
    file.write_bytes(text)
    assert store.read(CELL) is None


def test_a_file_of_an_earlier_version_is_played_again(store, file):
    kept = json.loads(file.read_text())
    del kept["key"], kept["checksum"]
    file.write_text(json.dumps(kept))
    assert store.read(CELL) is None
    assert "expected the fields" in store.refused[file.name]


def test_a_file_of_gigabytes_is_not_read(store, file):
    with file.open("wb") as opened:
        opened.truncate(2**33)  # which take no space
    assert store.read(CELL) is None
    assert store.refused[file.name] == f"it has {2**33} bytes"


# --- folders and pipes ----------------------------------------------------------------------------

PLAN = EvaluationPlan("Ombo/GP-v0", ["random"], [1], campaigns=4, block=2, told=["true"])


def to_a_folder(file):
    file.mkdir()
    (file / "inside").write_text("mine")


def to_a_loop(file):
    file.symlink_to(file.name)


OBSTACLES = {
    "a folder": (to_a_folder, False),
    "a pipe": (os.mkfifo, True),
    "a link to itself": (to_a_loop, True),
    "a link to nothing": (lambda file: file.symlink_to("nowhere"), True),
    "a device": (lambda file: file.symlink_to("/dev/zero"), True),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_what_is_no_file_is_played_again_and_does_not_stop_the_run(name, tmp_path, capsys):
    make, replaced = OBSTACLES[name]
    expected = run(PLAN, folder=tmp_path).campaigns
    file = kept_cells(tmp_path)[0]
    file.unlink()
    make(file)
    again = run(PLAN, folder=tmp_path, resume=True).campaigns
    assert again.to_csv() == expected.to_csv()
    assert (file.is_file() and not file.is_symlink()) == replaced
    if name == "a folder":
        assert (file / "inside").read_text() == "mine"
        err = capsys.readouterr().err
        assert f"one of the kept cells is played again: {file.name}: it is no file" in err
        assert f"one of the kept cells is not kept: {file.name}: it is a folder" in err


def test_damage_is_said_on_one_line_however_much_there_is(tmp_path, capsys):
    run(PLAN, folder=tmp_path)
    files = kept_cells(tmp_path)
    for file in files:
        file.write_text(file.read_text().replace("1", "2"))
    capsys.readouterr()
    run(PLAN, folder=tmp_path, resume=True)
    lines = [line for line in capsys.readouterr().err.splitlines() if "kept cells" in line]
    assert lines[0].startswith("2 of the kept cells are played again: ")
    assert [line.partition(": ")[0] for line in lines[1:]] in (
        [],
        ["2 of the kept cells are found again"],
    )
    assert any(file.name in lines[0] for file in files)


def test_the_names_of_folders_are_no_left_overs(tmp_path):
    (tmp_path / "x.tmp").mkdir()
    os.utime(tmp_path / "x.tmp", (0, 0))
    run(PLAN, folder=tmp_path)
    assert (tmp_path / "x.tmp").is_dir()


@pytest.mark.parametrize("kind", ["a symbolic link", "a file"])
def test_a_folder_of_cells_that_is_none_is_refused(kind, tmp_path):
    folder, elsewhere = tmp_path / "cells", tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.symlink_to(elsewhere) if "link" in kind else folder.write_text("")
    with pytest.raises(
        ValueError, match=f"cells: expected a folder for finished cells, got {kind}"
    ):
        run(PLAN, folder=folder)
    assert not list(elsewhere.iterdir())


# --- anything at all ------------------------------------------------------------------------------


def mutated(text, chance):
    """A few random edits of a cell's text: letters, pieces moved, doubled or dropped."""
    pieces = bytearray(text)
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(pieces) + 1)
        end = min(len(pieces), start + chance.choice([0, 1, 1, 4, 40]))
        kind = chance.randrange(4)
        if kind == 0:
            pieces[start:end] = bytes(chance.randrange(256) for _ in range(chance.randint(0, 5)))
        elif kind == 1:
            pieces[start:end] = pieces[start:end] * chance.randint(0, 3)
        elif kind == 2:
            pieces[start:end] = chance.choice(
                [b"null", b"NaN", b"1e999", b"[[[[", b'""', b"{}", b"-", b"1" * 5000, b"true"]
            )
        else:
            pieces = pieces[:start] + pieces[end:]
    return bytes(pieces)


def resealed(content):
    """The same under a fitting checksum, where it is JSON still."""
    try:
        kept = json.loads(content)
        return sealed({**kept, "key": CELL.key}).encode()
    except (ValueError, TypeError, RecursionError):
        return content


@pytest.mark.parametrize("count", [100, pytest.param(10_000, marks=pytest.mark.slow)])
def test_no_content_stops_the_reading(count, store, file, played):
    chance, text = random.Random(count), file.read_bytes()
    taken = 0
    for i in range(count):
        content = mutated(text, chance)
        file.write_bytes(resealed(content) if i % 2 else content)
        again = store.read(CELL)
        if again is not None:
            taken += 1
            assert all(np.isfinite(column).all() for column in again.columns.values())
            assert i % 2 or json.loads(content) == json.loads(text)
    assert taken < count / 3
