"""The page: complete, self-contained, escaped; and the table for the terminal."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from html.parser import HTMLParser

import pandas as pd
import pytest

from ombo_gym.evaluation.report import read_results, write_report
from ombo_gym.evaluation.tables import read_table, summarise
from ombo_gym.evaluation.terminal import format_table

EVIL = "<script>alert(1)</script>"
HEADINGS = [
    "What was asked",
    "Utility over the horizon",
    "Every policy, per utility and horizon",
    "Value of planning",
    "Exploration, round by round",
    "What was run, and how to repeat it",
]


class Page(HTMLParser):
    """Tags with their attributes, and the tables as rows of text."""

    VOID = ("meta", "img", "source", "br", "line", "circle")

    def __init__(self, text):
        super().__init__()
        self.tags, self.tables, self.open, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if "th" in self.open or "td" in self.open:
            self.tables[-1][-1][-1] += data

    def rows(self, *heads):
        """The first table with these column heads."""
        for table in self.tables:
            if all(head in table[0] for head in heads):
                return table[1:]
        raise AssertionError(f"no table with the columns {heads}")


def read(path):
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert not page.open  # every tag is closed
    return text, page


def without_pictures(text):
    return re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", text)


def test_the_report_has_all_its_parts_beside_its_pictures(
    tmp_path, campaigns_of, exploration_of, results_in
):
    results_in(tmp_path, campaigns_of(campaigns=10), exploration_of())
    path = write_report(tmp_path)
    assert path == tmp_path / "report.html"
    for name in ("horizons.png", "exploration.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    text, _ = read(path)
    assert re.findall("<h2>(.*)</h2>", text) == HEADINGS
    assert "python -m scripts.evaluate --env Ombo/GP-v0" in text
    for name in ("mean of the true values in the last batch", "applied N times", "2026-01-31"):
        assert name in text


def test_the_page_asks_nothing_from_outside_and_runs_nothing(
    tmp_path, campaigns_of, exploration_of, results_in
):
    results_in(tmp_path, campaigns_of(campaigns=3), exploration_of())
    text, page = read(write_report(tmp_path))
    plain = without_pictures(text)
    assert "http" not in plain
    assert "url(" not in plain
    assert "@import" not in plain
    used = {tag for tag, _ in page.tags}
    assert not used & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "srcset", "href"):
            if name in attributes:
                assert attributes[name].startswith("data:image/png;base64,"), tag


def test_names_from_users_show_as_text_everywhere(
    tmp_path, campaigns_of, results_in, exploration_of
):
    odd = [EVIL, 'a"b', "x&amp;y", "$a_1$", "NA", "007", "runs/demo"]
    campaigns = campaigns_of(odd, campaigns=3, env=f"Own/{EVIL}-v0", utilities=[EVIL])
    weights = exploration_of(utilities=[EVIL]).replace({"policy": {"runs/demo": EVIL}})
    results_in(
        tmp_path,
        campaigns,
        weights,
        command=f"evaluate --policies '{EVIL}'",
        env_kwargs={EVIL: [EVIL]},
        policies=odd,
    )
    text, page = read(write_report(tmp_path))
    assert "<script" not in text
    assert html.escape(EVIL) in text
    assert {row[0] for row in page.rows("policy", "IQM")} == set(odd)
    assert page.text.count(EVIL) > 20


def test_the_tables_hold_the_numbers_of_the_csv_files_best_policy_first(
    tmp_path, campaigns_of, results_in
):
    results_in(tmp_path, campaigns_of(campaigns=30, horizons=[3], utilities=["best"]))
    _, page = read(write_report(tmp_path))
    summary = pd.read_csv(tmp_path / "summary.csv")
    summary = summary[summary["told_horizon"] == "true"].sort_values("mean", ascending=False)
    rows = page.rows("policy", "IQM")
    assert [row[0] for row in rows] == list(summary["policy"])
    assert rows[0][1] == f"{summary['mean'].iloc[0]:.3f}"
    assert rows[0][4] == f"{summary['iqm'].iloc[0]:.3f}"
    assert rows[0][2] == f"[{summary['ci_low'].iloc[0]:.3f}, {summary['ci_high'].iloc[0]:.3f}]"


def test_the_value_of_planning_stands_beside_the_gain_over_the_best_one_round_policy(
    tmp_path, campaigns_of, results_in
):
    results_in(tmp_path, campaigns_of(campaigns=50, horizons=[3], utilities=["best"]))
    _, page = read(write_report(tmp_path))
    pairs = read_table(tmp_path / "paired.csv").set_index(
        ["policy_a", "told_a", "policy_b", "told_b"]
    )["difference"]
    summary = pd.read_csv(tmp_path / "summary.csv")
    told_one = summary[summary["told_horizon"] == "one"]
    best = told_one.loc[told_one["mean"].idxmax(), "policy"]
    rows = page.rows("value of planning", "minus the best told 1")
    assert len(rows) == 5
    for policy, _, _, planning, gain in rows:
        for text, other in ((planning, policy), (gain, best)):
            shown = float(text.split(" ")[0].replace("\N{MINUS SIGN}", "-"))
            assert shown == pytest.approx(pairs[policy, "true", other, "one"], abs=6e-4)
    signs = {policy: planning[0] for policy, _, _, planning, _ in rows}
    assert signs["explore_then_exploit"] == "+"
    assert signs["greedy"] == "0"  # it does not listen to N


def test_the_schedule_table_shows_the_mean_weights(
    tmp_path, campaigns_of, exploration_of, results_in
):
    weights = exploration_of(utilities=["best"])
    results_in(tmp_path, campaigns_of(campaigns=2, utilities=["best"]), weights)
    _, page = read(write_report(tmp_path))
    rows = {(row[0], row[1]): row[2:] for row in page.rows("policy", "N", "round 1")}
    ours = weights[(weights["policy"] == "runs/demo") & (weights["horizon"] == 3)]
    assert rows["runs/demo", "3"] == [*(f"{w:.2f}" for w in ours["weight_mean"]), "", ""]


@pytest.mark.parametrize("kind", ["missing", "header", "empty"])
def test_without_exploration_weights_there_is_no_such_part(
    tmp_path, campaigns_of, exploration_of, results_in, kind
):
    weights = {"missing": None, "header": exploration_of().iloc[:0], "empty": pd.DataFrame()}[kind]
    (tmp_path / "exploration.png").write_bytes(b"of an earlier run")
    results_in(tmp_path, campaigns_of(campaigns=2), weights)
    text, _ = read(write_report(tmp_path))
    assert HEADINGS[4] not in text
    assert not (tmp_path / "exploration.png").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"told": ["true"]},
        {"told": ["one"]},
        {"policies": ["random"], "told": ["true"], "horizons": [1], "campaigns": 1},
    ],
)
def test_small_evaluations_have_a_report_too(tmp_path, campaigns_of, results_in, settings):
    policies = settings.pop("policies", ("random", "greedy"))
    results_in(tmp_path, campaigns_of(policies, **{"campaigns": 2, **settings}))
    text, page = read(write_report(tmp_path))
    assert page.rows("policy", "IQM")[0][0] in ("random", "greedy")
    assert ("--told true,one" in text) == (settings["told"] == ["true"])
    assert "nan" not in without_pictures(text)


def test_a_policy_without_a_told_one_run_has_a_gap_not_a_number(tmp_path, campaigns_of, results_in):
    campaigns = campaigns_of(["random", "greedy"], campaigns=3, horizons=[2], utilities=["best"])
    gone = (campaigns["policy"] == "random") & (campaigns["told_horizon"] == "one")
    results_in(tmp_path, campaigns[~gone])
    _, page = read(write_report(tmp_path))
    rows = {row[0]: row[1:] for row in page.rows("value of planning", "minus the best told 1")}
    assert rows["random"][1:3] == ["\N{EN DASH}", "\N{EN DASH}"]
    assert rows["random"][3].startswith("\N{MINUS SIGN}")


def test_several_environments_are_told_apart(tmp_path, campaigns_of, results_in):
    both = [campaigns_of(campaigns=2, env=f"Ombo/{name}-v0") for name in ("GP", "TFBind8")]
    results_in(tmp_path, pd.concat(both, ignore_index=True))
    text, page = read(write_report(tmp_path))
    assert "Ombo/GP-v0 and Ombo/TFBind8-v0" in text
    titles = [row[0] for row in page.rows("utility and horizon")]
    assert len(titles) == len(set(titles)) == 16


def test_a_missing_file_is_named(tmp_path, campaigns_of, results_in):
    results_in(tmp_path, campaigns_of(campaigns=2))
    (tmp_path / "paired.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"paired\.csv"):
        write_report(tmp_path)


def test_an_empty_summary_is_refused(tmp_path, campaigns_of, results_in):
    results_in(tmp_path, campaigns_of(campaigns=2))
    summary = pd.read_csv(tmp_path / "summary.csv")
    summary.iloc[:0].to_csv(tmp_path / "summary.csv", index=False)
    with pytest.raises(ValueError, match="no rows"):
        write_report(tmp_path)


def test_tables_read_from_csv_equal_those_written(tmp_path, campaigns_of, results_in):
    campaigns = campaigns_of(["NA", "007", "null", "1.0"], campaigns=1)
    results = read_results(results_in(tmp_path, campaigns))
    pd.testing.assert_frame_equal(
        results.summary, summarise(campaigns), check_dtype=False, check_exact=False
    )


def test_the_terminal_table_is_aligned_and_best_first(campaigns_of):
    text = format_table(summarise(campaigns_of(campaigns=40)))
    first, second = text.split("\n\n")
    assert "utility last_mean, q=4, 40 campaigns" in first
    assert "utility best" in second
    lines = first.splitlines()[1:]
    assert re.split(r"  +", lines[0]) == ["policy", "N=1", "N=2", "N=3", "N=5", "distinct (N=5)"]
    assert len({len(line) for line in lines}) == 1
    names = [re.split(r"  +", line)[0] for line in lines[1:]]
    assert names[0] == "runs/demo"
    assert names[-1] == "random"
    assert "runs/demo (told 1)" in names
    assert "greedy (told 1)" not in names  # it would repeat the row of greedy


def test_the_terminal_table_leaves_gaps_for_what_was_not_played(campaigns_of):
    campaigns = campaigns_of(["a", "b"], campaigns=1, told=["true"], utilities=["best"])
    campaigns = campaigns[(campaigns["policy"] == "a") | (campaigns["horizon"] != 5)]
    lines = format_table(summarise(campaigns)).splitlines()
    assert lines[-1].startswith("b ")
    assert re.split(r"  +", lines[-1])[-2:] == ["-", "-"]
    assert "nan" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("module", "missing"),
    [("tables", "pandas"), ("report", "pandas"), ("figures", "matplotlib")],
)
def test_without_the_extra_the_error_names_it(module, missing):
    code = f"import sys; sys.modules[{missing!r}] = None; import ombo_gym.evaluation.{module}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode != 0
    assert 'pip install "ombo-gym[evaluation]"' in run.stderr
