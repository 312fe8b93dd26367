"""The page: complete, self-contained, escaped."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pandas as pd
import pytest
from pages_apart import ERROR, EVIL, headings, shown

from ombo_gym.evaluation.report import write_report

pytestmark = pytest.mark.usefixtures("few_resamples")
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


def cells(page):
    return [cell for table in page.tables for row in table for cell in row]


def test_the_report_has_all_its_parts(
    tmp_path, campaigns_of, exploration_of, replays_of, results_in
):
    campaigns = campaigns_of(
        campaigns=10, method={"runs/demo": "runs/*", "greedy": "runs/*"}, utilities=["best"]
    )
    errors = pd.DataFrame([ERROR])
    weights = exploration_of(utilities=["best"])
    results_in(tmp_path, campaigns, weights, errors=errors, replays=replays_of())
    text, page = shown(tmp_path)
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
    campaigns = campaigns_of(
        [*ODD[:2], "runs/demo"],
        campaigns=3,
        horizons=[1, 2],
        utilities=["best"],
        env=f"Own/{EVIL}-v0",
        env_kwargs='{"a": "../../b"}',
    )
    results_in(tmp_path, campaigns, exploration_of())
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "old.png").write_bytes(b"of an earlier run")
    path = write_report(tmp_path)
    assert path == tmp_path / "report.html"
    assert path.read_text(encoding="utf-8") == shown(tmp_path)[0]
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
    campaigns = campaigns_of(campaigns=3, horizons=[1, 2], utilities=["best"])
    results_in(tmp_path, campaigns, exploration_of(), replays=replays_of())
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
    both = [
        campaigns_of(campaigns=3, horizons=[1, 2], env=f"Ombo/{name}-v0")
        for name in ("GP", "TFBind8")
    ]
    results_in(tmp_path, pd.concat(both), exploration_of(), replays=replays_of())
    text, page = shown(tmp_path)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) > 100
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"(?:url\(|href=\")#([^\")]+)", text)) <= set(ids)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("kind", ["missing", "header", "empty"])
def test_without_exploration_weights_there_is_no_such_part(
    tmp_path, campaigns_of, exploration_of, results_in, kind
):
    weights = {"missing": None, "header": exploration_of().iloc[:0], "empty": pd.DataFrame()}[kind]
    campaigns = campaigns_of(campaigns=2, horizons=[2], utilities=["best"])
    results_in(tmp_path, campaigns, weights)
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


@pytest.mark.usefixtures("undrawn")
def test_several_environments_are_told_apart(tmp_path, campaigns_of, results_in):
    both = [
        campaigns_of(campaigns=2, horizons=[1, 3], env=f"Ombo/{name}-v0")
        for name in ("GP", "TFBind8")
    ]
    results_in(tmp_path, pd.concat(both, ignore_index=True))
    text, page = shown(tmp_path)
    assert "<h1>Design campaigns over horizons: Ombo/GP-v0, Ombo/TFBind8-v0</h1>" in text
    titles = [(row[0], row[1]) for row in page.rows("utility and horizon", "problem")]
    assert len(titles) == len(set(titles)) == 8
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert {"#problem-1", "#problem-2"} <= set(links)


@pytest.mark.usefixtures("undrawn")
def test_sections_whose_tables_are_not_there_are_left_out(tmp_path, campaigns_of, results_in):
    results_in(tmp_path, campaigns_of(campaigns=2))
    for name in ("ranks", "leaderboard", "profiles", "improvement", "training_seeds"):
        (tmp_path / f"{name}.csv").unlink()
    text, _ = shown(tmp_path)
    gone = {"What failed", "Leaderboard", "Performance profiles", "Rank table"}
    gone |= {"Runs of one method", "Exploration, round by round", "Replay a campaign"}
    assert headings(text) == [title for title in HEADINGS if title not in gone]


@pytest.mark.usefixtures("undrawn")
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


@pytest.mark.usefixtures("undrawn")
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
    results_in(tmp_path, campaigns_of(campaigns=2, horizons=[2], utilities=["best"]))
    (tmp_path / "paired.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"paired\.csv"):
        write_report(tmp_path)


def test_an_empty_summary_is_refused(tmp_path, campaigns_of, results_in):
    results_in(tmp_path, campaigns_of(campaigns=2, horizons=[2], utilities=["best"]))
    summary = pd.read_csv(tmp_path / "summary.csv")
    summary.iloc[:0].to_csv(tmp_path / "summary.csv", index=False)
    with pytest.raises(ValueError, match="no rows"):
        write_report(tmp_path)


EXTRAS = """
import importlib, sys
for module, missing in (("tables", "pandas"), ("report", "pandas"), ("figures", "matplotlib")):
    for name in [name for name in sys.modules if name.startswith("ombo_gym.evaluation")]:
        del sys.modules[name]
    here = sys.modules.get(missing)
    sys.modules[missing] = None
    try:
        importlib.import_module(f"ombo_gym.evaluation.{module}")
    except ImportError as error:
        print(module, error)
    if here is None:
        del sys.modules[missing]
    else:
        sys.modules[missing] = here
"""


def test_without_the_extra_the_error_names_it():
    run = subprocess.run([sys.executable, "-c", EXTRAS], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["tables", "report", "figures"]
    assert all('pip install "ombo-gym[evaluation]"' in line for line in lines)
