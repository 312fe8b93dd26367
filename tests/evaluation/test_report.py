"""The page: complete, self-contained, escaped; and the table for the terminal."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pandas as pd
import pytest

from ombo_gym.evaluation.report import read_results, render, write_report
from ombo_gym.evaluation.tables import read_table, summarise
from ombo_gym.evaluation.terminal import format_table

EVIL = "<script>alert(1)</script>"
HEADINGS = [
    "What was asked",
    "What failed",
    "Leaderboard",
    "Performance profiles",
    "The short answer",
    "Rank table",
    "Problem by problem",
    "Runs of one method",
    "Exploration, round by round",
    "Replay a campaign",
    "What was run, and how to repeat it",
]
ODD = [EVIL, "</script><script>alert(2)</script>", "<!--", 'a"b', "x&amp;y", "$a_1$", "NA", "007"]
ODD += ["a\u2028b", "\x1b[31mred", "runs/demo"]
ERROR = {
    **{"env": "Ombo/GP-v0", "env_kwargs": "{}", "policy": EVIL, "told_horizon": "one"},
    **{"horizon": 2, "batch_size": 4, "utility": "best", "first": 0, "campaigns": 3},
    **{"error": f"ValueError: {EVIL}", "traceback": f"Traceback\nValueError: {EVIL}"},
}


class Page(HTMLParser):
    """Tags with their attributes, and the tables as rows of text."""

    VOID = ("meta", "br", "input")

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


def shown(folder):
    """The page of a folder, as text and taken apart; without the picture files beside it."""
    text = render(read_results(folder))
    page = Page(text)
    assert not page.open  # every tag is closed
    return text, page


def headings(text):
    return re.findall("<h2[^>]*>(.*)</h2>", text)


def cells(page):
    return [cell for table in page.tables for row in table for cell in row]


def test_the_report_has_all_its_parts_beside_its_pictures(
    tmp_path, campaigns_of, exploration_of, replays_of, results_in
):
    campaigns = campaigns_of(
        campaigns=10, method={"runs/demo": "runs/*", "greedy": "runs/*"}, utilities=["best"]
    )
    errors = pd.DataFrame([ERROR])
    weights = exploration_of(utilities=["best"])
    results_in(tmp_path, campaigns, weights, errors=errors, replays=replays_of())
    path = write_report(tmp_path)
    assert path == tmp_path / "report.html"
    text, page = shown(tmp_path)
    assert path.read_text(encoding="utf-8") == text
    assert headings(text) == HEADINGS
    assert "python -m scripts.evaluate --env Ombo/GP-v0" in text
    for name in ("The best true value proposed, minus b0", "applied N times", "2026-01-31"):
        assert name in text
    anchors = {attributes.get("id") for _, attributes in page.tags}
    for tag, attributes in page.tags:
        if tag == "a":
            assert attributes["href"].startswith("#")
            assert attributes["href"][1:] in anchors


def test_every_picture_is_a_png_and_an_svg_of_its_own(
    tmp_path, campaigns_of, exploration_of, results_in
):
    campaigns = campaigns_of(ODD, campaigns=3, env=f"Own/{EVIL}-v0", env_kwargs='{"a": "../../b"}')
    results_in(tmp_path, campaigns, exploration_of())
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "old.png").write_bytes(b"of an earlier run")
    write_report(tmp_path)
    names = sorted(path.stem for path in (tmp_path / "figures").glob("*.png"))
    problem = "01-own-script-alert-1-script-v0-a-b"
    assert names == [
        "curves-" + problem,
        "exploration",
        "leaderboard",
        "planning-" + problem,
        "profiles",
    ]
    assert names == sorted(path.stem for path in (tmp_path / "figures").glob("*.svg"))
    for path in [tmp_path / "horizons.png", *(tmp_path / "figures").glob("*.png")]:
        assert path.read_bytes().startswith(b"\x89PNG")
    for path in (tmp_path / "figures").glob("*.svg"):
        root = ElementTree.parse(path).getroot()
        assert not [tag for tag in root.iter() if tag.tag.endswith("script")]
        title = root.find("{http://www.w3.org/2000/svg}title").text
        assert (EVIL in title) == path.stem.endswith(problem)


def test_the_page_asks_nothing_from_outside_and_runs_only_its_own_scripts(
    tmp_path, campaigns_of, exploration_of, replays_of, results_in
):
    results_in(tmp_path, campaigns_of(campaigns=3), exploration_of(), replays=replays_of())
    text, page = shown(tmp_path)
    assert "http" not in text.replace("http-equiv", "")
    assert set(re.findall(r"url\((.)", text)) <= {"#"}
    assert "@import" not in text
    used = {tag for tag, _ in page.tags}
    assert not used & {"link", "iframe", "object", "embed", "base", "form", "img", "image"}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        assert not attributes.keys() & {"src", "srcset", "action", "formaction"}, tag
    policy = next(
        attributes["content"]
        for tag, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    scripts = re.findall("<script>(.*?)</script>", text, re.DOTALL)
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert len(scripts) == policy.count("sha256") == 3


def test_names_from_users_show_as_text_everywhere(
    tmp_path, campaigns_of, results_in, exploration_of, replays_of
):
    env, kwargs = f"Own/{EVIL}-v0", json.dumps({EVIL: EVIL})
    campaigns = campaigns_of(
        ODD,
        campaigns=3,
        horizons=[1, 2],
        env=env,
        env_kwargs=kwargs,
        utilities=[EVIL, "best"],
        method={EVIL: f"{EVIL}*", "runs/demo": f"{EVIL}*"},
    )
    weights = exploration_of(utilities=[EVIL], env=env, env_kwargs=kwargs)
    results_in(
        tmp_path,
        campaigns,
        weights.replace({"policy": {"runs/demo": EVIL}}),
        errors=pd.DataFrame([ERROR]),
        replays=replays_of(ODD, env=env),
        command=f"evaluate --policies '{EVIL}'",
        env_kwargs={EVIL: [EVIL]},
        policies=ODD,
    )
    text, page = shown(tmp_path)
    assert text.count("<script") == 4  # three of ours, and the data
    assert text.count("</script") == 4
    assert "<!--" not in text
    assert "\u2028" not in "".join(re.findall("<script.*?</script>", text, re.DOTALL))
    assert {row[0] for row in page.rows("policy", "IQM")} == set(ODD)
    assert page.text.count(EVIL) > 50
    spoken = [value for _, attributes in page.tags for value in attributes.values() if value]
    assert sum(EVIL in value for value in spoken) > 10  # as an attribute's text
    found = re.search('<script type="application/json" id="replays">(.*?)</script>', text)
    assert {play["policy"] for play in json.loads(found[1])["plays"]} == set(ODD)


def test_ids_are_told_apart(tmp_path, campaigns_of, exploration_of, replays_of, results_in):
    both = [campaigns_of(campaigns=3, env=f"Ombo/{name}-v0") for name in ("GP", "TFBind8")]
    results_in(tmp_path, pd.concat(both), exploration_of(), replays=replays_of())
    text, page = shown(tmp_path)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) > 100
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"(?:url\(|href=\")#([^\")]+)", text)) <= set(ids)


def test_the_tables_hold_the_numbers_of_the_csv_files_best_policy_first(
    tmp_path, campaigns_of, results_in
):
    results_in(tmp_path, campaigns_of(campaigns=30, horizons=[3], utilities=["best"]))
    _, page = shown(tmp_path)
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
    _, page = shown(tmp_path)
    pairs = read_table(tmp_path / "paired.csv").set_index(
        ["policy_a", "told_a", "policy_b", "told_b"]
    )["difference"]
    summary = pd.read_csv(tmp_path / "summary.csv")
    as_last_round = summary[summary["told_horizon"] == "one"]
    best = as_last_round.loc[as_last_round["mean"].idxmax(), "policy"]
    rows = page.rows("value of planning", "minus the best told 1")
    assert len(rows) == 5
    for policy, _, _, planning, gain in rows:
        for text, other in ((planning, policy), (gain, best)):
            number = float(text.split(" ")[0].replace("\N{MINUS SIGN}", "-"))
            assert number == pytest.approx(pairs[policy, "true", other, "one"], abs=6e-4)
    signs = {policy: planning[0] for policy, _, _, planning, _ in rows}
    assert signs["explore_then_exploit"] == "+"
    assert signs["greedy"] == "0"  # it does not listen to N


def test_the_schedule_table_shows_the_mean_weights(
    tmp_path, campaigns_of, exploration_of, results_in
):
    weights = exploration_of(utilities=["best"])
    results_in(tmp_path, campaigns_of(campaigns=2, utilities=["best"]), weights)
    _, page = shown(tmp_path)
    rows = {(row[0], row[1]): row[2:] for row in page.rows("policy", "N", "round 1")}
    ours = weights[(weights["policy"] == "runs/demo") & (weights["horizon"] == 3)]
    assert rows["runs/demo", "3"] == [*(f"{w:.2f}" for w in ours["weight_mean"]), "", ""]


@pytest.mark.parametrize("kind", ["missing", "header", "empty"])
def test_without_exploration_weights_there_is_no_such_part(
    tmp_path, campaigns_of, exploration_of, results_in, kind
):
    weights = {"missing": None, "header": exploration_of().iloc[:0], "empty": pd.DataFrame()}[kind]
    results_in(tmp_path, campaigns_of(campaigns=2), weights)
    text, _ = shown(tmp_path)
    assert "Exploration, round by round" not in headings(text)
    assert not (tmp_path / "figures" / "exploration.png").exists()


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
    text, page = shown(tmp_path)
    assert page.rows("policy", "IQM")[0][0] in ("random", "greedy")
    hinted = settings["told"] == ["true"] and len(policies) > 1
    assert ("--told true,one" in text) == hinted
    assert not [cell for cell in cells(page) if "nan" in cell]


def test_a_policy_without_a_told_one_run_has_a_gap_not_a_number(tmp_path, campaigns_of, results_in):
    campaigns = campaigns_of(["random", "greedy"], campaigns=3, horizons=[2], utilities=["best"])
    gone = (campaigns["policy"] == "random") & (campaigns["told_horizon"] == "one")
    results_in(tmp_path, campaigns[~gone])
    _, page = shown(tmp_path)
    rows = {row[0]: row[1:] for row in page.rows("value of planning", "minus the best told 1")}
    assert rows["random"][1:3] == ["\N{EN DASH}", "\N{EN DASH}"]
    assert rows["random"][3].startswith("\N{MINUS SIGN}")


def test_several_environments_are_told_apart(tmp_path, campaigns_of, results_in):
    both = [campaigns_of(campaigns=2, env=f"Ombo/{name}-v0") for name in ("GP", "TFBind8")]
    results_in(tmp_path, pd.concat(both, ignore_index=True))
    text, page = shown(tmp_path)
    assert "<h1>Design campaigns over horizons: Ombo/GP-v0, Ombo/TFBind8-v0</h1>" in text
    titles = [(row[0], row[1]) for row in page.rows("utility and horizon", "problem")]
    assert len(titles) == len(set(titles)) == 16
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert {"#problem-1", "#problem-2"} <= set(links)


def test_sections_whose_tables_are_not_there_are_left_out(tmp_path, campaigns_of, results_in):
    results_in(tmp_path, campaigns_of(campaigns=2))
    for name in ("ranks", "leaderboard", "profiles", "improvement", "training_seeds"):
        (tmp_path / f"{name}.csv").unlink()
    text, _ = shown(tmp_path)
    gone = {"What failed", "Leaderboard", "Performance profiles", "Rank table"}
    gone |= {"Runs of one method", "Exploration, round by round", "Replay a campaign"}
    assert headings(text) == [title for title in HEADINGS if title not in gone]


def test_one_policy_alone_has_no_leaderboard(tmp_path, campaigns_of, results_in):
    campaigns = campaigns_of(["random"], campaigns=5, horizons=[3], utilities=["best"])
    text, _ = shown(results_in(tmp_path, campaigns))
    assert "<b>1 policy</b>" in text
    assert not {"Leaderboard", "Rank table", "Performance profiles"} & set(headings(text))


def test_one_policy_told_one_thing_has_no_answer_only_its_numbers(
    tmp_path, campaigns_of, results_in
):
    campaigns = campaigns_of(["random"], campaigns=5, horizons=[3], told=["true"])
    text, page = shown(results_in(tmp_path, campaigns))
    assert headings(text) == [
        "What was asked",
        "Problem by problem",
        "What was run, and how to repeat it",
    ]
    assert [row[0] for row in page.rows("policy", "IQM")] == ["random"]


def test_the_leaderboard_holds_the_csv_files_numbers_in_the_order_of_places(
    tmp_path, campaigns_of, results_in
):
    results_in(tmp_path, campaigns_of(campaigns=30))
    _, page = shown(tmp_path)
    board = read_table(tmp_path / "leaderboard.csv")
    board = board[board["utility"] == "all"].sort_values("place")
    rows = page.rows("policy", "place", "score")
    assert [row[0] for row in rows] == list(board["method"])
    assert [row[1] for row in rows] == ["1", "2", "3", "4", "5"]
    expected = [f"{score:.3f}".replace("-", "\N{MINUS SIGN}") for score in board["score"]]
    assert [row[2] for row in rows] == expected
    assert rows[0][7] == "best"


def test_a_method_that_missed_a_setting_is_last_without_a_place(tmp_path, campaigns_of, results_in):
    campaigns = campaigns_of(campaigns=30, utilities=["best"])
    gone = (campaigns["policy"] == "runs/demo") & (campaigns["horizon"] == 5)
    _, page = shown(results_in(tmp_path, campaigns[~gone]))
    last = page.rows("policy", "place", "score")[-1]
    assert last[0] == "runs/demo"
    assert last[1] == "\N{EN DASH}"
    assert last[7] == "incomplete"


def test_ties_with_the_best_are_marked_as_in_the_csv_file(tmp_path, campaigns_of, results_in):
    results_in(tmp_path, campaigns_of(campaigns=20))
    _, page = shown(tmp_path)
    ranks = read_table(tmp_path / "ranks.csv")
    rows = page.rows("policy", "rank", "behind the best")
    assert len(rows) == len(ranks) == 80
    marks = {
        (row[0], row[3], int(row[4]), {"N": "true", "1": "one"}[row[6]]): row[10] for row in rows
    }
    for _, row in ranks.iterrows():
        mark = marks[row["method"], row["utility"], row["horizon"], row["told_horizon"]]
        expected = "tied with the best" if row["p_holm"] >= 0.05 else ""
        assert mark == ("best" if row["rank"] == 1 else expected)
    assert {"best", "tied with the best", ""} == set(marks.values())


def test_what_failed_is_said_with_its_traceback(tmp_path, campaigns_of, results_in):
    errors = pd.DataFrame([ERROR, {**ERROR, "policy": "greedy", "told_horizon": "true"}])
    _, page = shown(results_in(tmp_path, campaigns_of(campaigns=3), errors=errors))
    rows = page.rows("policy", "campaigns", "error")
    assert [row[0] for row in rows] == [f"{EVIL} (told 1)", "greedy"]
    assert rows[0][5] == "0 to 2"
    assert rows[0][6] == ERROR["error"] + ERROR["traceback"]


def test_settings_of_one_budget_are_a_curve_of_their_own(tmp_path, campaigns_of, results_in):
    parts = [
        campaigns_of(campaigns=3, horizons=[n], batch_size=q, utilities=["best"])
        for n, q in [(1, 16), (2, 8), (4, 4), (1, 4)]
    ]
    text, page = shown(results_in(tmp_path, pd.concat(parts)))
    spoken = [a["aria-label"] for tag, a in page.tags if tag == "svg" and "aria-label" in a]
    curves = [label for label in spoken if label.startswith("Mean")]
    assert len(curves) == 2
    assert "q\xa0=\xa04," in curves[0]
    assert "N × q\xa0=\xa016," in curves[1]  # noqa: RUF001
    assert text.count("<figcaption>Adaptivity at a fixed budget</figcaption>") == 1


def test_recorded_campaigns_that_do_not_fit_are_left_out_the_last_first(
    tmp_path, campaigns_of, results_in, replays_of, monkeypatch
):
    replays = replays_of(campaigns=3, spaces=["many"])
    half = len(json.dumps(replays["plays"])) // 2
    monkeypatch.setattr("ombo_gym.evaluation.report.replay.LARGEST", half)
    text, _ = shown(results_in(tmp_path, campaigns_of(campaigns=2), replays=replays))
    found = re.search('id="replays">(.*?)</script>', text)
    kept = json.loads(found[1])["plays"]
    assert 0 < len(kept) < len(replays["plays"])
    assert f"{len(replays['plays']) - len(kept)} more recorded campaigns" in text
    assert sum(play["campaign"] == 0 for play in kept) == len(replays["plays"]) // 3
    assert len(found[1]) < 1.3 * half


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


def test_the_terminal_tells_problems_apart_by_their_arguments(campaigns_of):
    parts = [
        campaigns_of(["a"], campaigns=2, utilities=["best"], env_kwargs=json.dumps({"dim": dim}))
        for dim in (1, 2)
    ]
    first, second = format_table(summarise(pd.concat(parts))).split("\n\n")
    assert first.startswith("Ombo/GP-v0 (dim=1), utility best, q=4")
    assert second.startswith("Ombo/GP-v0 (dim=2), utility best, q=4")


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
