"""The page in a browser: it sorts, filters and replays, asks nothing and keeps names as text."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from ombo_gym.evaluation.report import write_report

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
EVIL = "<script>alert(1)</script>"
POLICIES = ["random", "greedy", "ucb", "explore_then_exploit", EVIL, "</script><b>", "runs/demo"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, campaigns_of, exploration_of, replays_of, results_in):
    """An evaluation with everything in it."""
    settings = [
        *({"horizons": [n], "batch_size": 4} for n in (1, 2, 4)),
        *({"horizons": [n], "batch_size": 8 // n} for n in (1, 4)),
    ]
    campaigns = pd.concat(
        [
            campaigns_of(POLICIES, campaigns=12, env=env, seed=i, **setting)
            for env in ("Ombo/GP-v0", f"Own/{EVIL}-v0")
            for i, setting in enumerate(settings)
        ],
        ignore_index=True,
    )
    out = tmp_path_factory.mktemp("report") / "<b>folder"
    replays = replays_of(["random", EVIL, "runs/demo"])
    results_in(out, campaigns, exploration_of(), replays=replays)
    write_report(out)
    return out


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def show(browser, folder):
    """Opens the page; at the end, nothing was asked for from outside and nothing complained."""
    contexts, complaints = [], []

    def opened(**settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("file:", "data:")) and "report.html" in request.url
                else complaints.append(request.url)
            ),
        )
        page.goto((folder / "report.html").as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def column(page, table, number):
    """Texts of the rows that are shown."""
    return page.eval_on_selector_all(
        f"#{table} tbody tr:not([hidden])",
        f"rows => rows.map(row => row.cells[{number}].textContent.trim())",
    )


def numbers(texts):
    return [float(text.split(" ")[0].replace("\N{MINUS SIGN}", "-")) for text in texts]


def test_names_show_as_text_and_run_nothing(show):
    page = show()
    assert EVIL in column(page, "leaderboard-0", 0)
    assert page.locator("main b", has_text="folder").count() == 0
    names = page.locator("select[name=first] option").all_inner_texts()
    assert EVIL in names
    page.select_option("select[name=first]", label=EVIL)
    assert page.locator(".boards h3 code").first.inner_text() == EVIL
    assert page.locator(".boards script").count() == 0
    drawn = page.eval_on_selector_all("svg.picture text", "all => all.map(it => it.textContent)")
    assert EVIL in drawn
    assert page.locator("svg.picture script").count() == 0


def test_the_pages_policy_stops_a_script_that_is_not_its_own(browser, folder):
    context = browser.new_context()
    page = context.new_page()
    page.goto((folder / "report.html").as_uri())
    stopped = page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.intruder = true";
            document.body.append(script);
            return window.intruder === undefined;
        }"""
    )
    context.close()
    assert stopped


def test_a_column_sorts_by_its_numbers_both_ways(show):
    page = show()
    before = column(page, "rank-table", 7)
    head = page.locator("#rank-table th", has_text="mean")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, "rank-table", 7) != before
    found = numbers(column(page, "rank-table", 7))
    assert found == sorted(numbers(before), reverse=True)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert numbers(column(page, "rank-table", 7)) == sorted(found)
    assert page.get_by_text("Sorted by mean, ascending").count() == 1


def test_rows_move_whole_when_sorted(show):
    page = show()

    def rows():
        texts = page.eval_on_selector_all(
            "#leaderboard-0 tbody tr", "rows => rows.map(row => row.textContent)"
        )
        return texts

    before = rows()
    page.locator("#leaderboard-0 th", has_text="policy").get_by_role("button").click()
    assert rows() != before
    assert sorted(rows()) == sorted(before)


def test_gaps_are_last_whichever_way_and_the_keyboard_sorts_too(show):
    page = show()
    head = page.locator("#rank-table th", has_text="behind the best")
    head.get_by_role("button").focus()
    for key, order in (("Enter", "descending"), ("Space", "ascending")):
        page.keyboard.press(key)
        assert head.get_attribute("aria-sort") == order
        texts = column(page, "rank-table", 8)
        gaps = [text == "\N{EN DASH}" for text in texts]
        assert gaps == sorted(gaps)
        found = numbers(text for text in texts if text != "\N{EN DASH}")
        assert found == sorted(found, reverse=order == "descending")
    assert page.locator("#rank-table th[aria-sort]").count() == 1


def test_words_sort_as_words(show):
    page = show()
    page.locator("#leaderboard-0 th", has_text="policy").get_by_role("button").click()
    names = column(page, "leaderboard-0", 0)
    assert names.index("explore_then_exploit") < names.index("greedy") < names.index("ucb")
    assert page.locator("#leaderboard-0 th[aria-sort=ascending]").inner_text().startswith("policy")


def test_filters_keep_what_fits_all_of_them_and_say_how_many(show):
    page = show()
    every = len(column(page, "rank-table", 0))
    assert every == 2 * 2 * 5 * 2 * len(POLICIES)  # problems, utilities, settings, told
    filters = page.locator("[data-filters=rank-table]")
    said = filters.locator("output")
    assert said.get_attribute("aria-live") == "polite"
    assert said.inner_text() == f"{every} of {every} rows"
    filters.get_by_label("Problem").select_option(label=f"Own/{EVIL}-v0")
    filters.get_by_label("Utility").select_option(label="best")
    filters.get_by_label("Horizon N").select_option(label="4")
    assert said.inner_text() == f"{2 * 2 * len(POLICIES)} of {every} rows"
    assert set(column(page, "rank-table", 2)) == {f"Own/{EVIL}-v0"}
    assert set(column(page, "rank-table", 3)) == {"best"}
    assert set(column(page, "rank-table", 4)) == {"4"}
    filters.get_by_label("Policy contains").fill("SCRIPT>A")
    assert set(column(page, "rank-table", 0)) == {EVIL}
    assert said.inner_text() == f"4 of {every} rows"
    filters.get_by_label("Policy contains").fill("nobody of that name")
    assert said.inner_text() == f"0 of {every} rows"


def table_of(page, board=0):
    rows = page.locator(".boards figure").nth(board).locator("tbody tr")
    return [row.locator("td").all_inner_texts() for row in rows.all()]


def choose(page, folder, **wanted):
    """Sets the lists; returns the recorded campaign that should be shown."""
    for name, label in wanted.items():
        page.select_option(f"select[name={name}]", label=label)
    replays = json.loads((folder / "replays.json").read_text())
    chosen = {
        name: page.eval_on_selector(f"select[name={name}]", "list => list.value")
        for name in ("problem", "setting", "campaign", "first")
    }
    for play in replays["plays"]:
        told = " (told 1)" if play["told_horizon"] == "one" else ""
        setting = f"{play['utility']}, N = {play['horizon']}, q = {play['batch_size']}"
        space = json.loads(play["env_kwargs"])["space"]
        if chosen == {
            "problem": f"{play['env']} (space={space})",
            "setting": setting,
            "campaign": str(play["campaign"]),
            "first": play["policy"] + told,
        }:
            return play
    raise AssertionError(chosen)


def pixels(page, canvas=0):
    return page.locator(".boards canvas").nth(canvas).evaluate("canvas => canvas.toDataURL()")


def test_the_replay_shows_the_recorded_rounds_one_after_the_other(show, folder):
    page = show()
    play = choose(
        page, folder, setting="best, N = 4, q = 3", campaign="1", first="runs/demo (told 1)"
    )
    drawn = [pixels(page)]
    for number in range(5):
        rows = [i for i, each in enumerate(play["rounds"]) if each == number]
        table = table_of(page)
        assert len(table) == len(rows) == (4 if number == 0 else 3)
        shown = [float(row[1].replace("\N{MINUS SIGN}", "-")) for row in table]
        assert shown == pytest.approx([play["values"][i] for i in rows], abs=1e-4)
        said = page.locator(".player output").inner_text()
        assert said == ("the start" if number == 0 else f"round {number} of 4")
        if number < 4:
            page.get_by_role("button", name="Next round").click()
            drawn.append(pixels(page))
    assert len(set(drawn)) == 5
    assert page.get_by_role("button", name="Next round").is_disabled()
    assert f"worth {play['value']:.3g}"[:10] in page.locator(".boards figcaption").inner_text()
    page.get_by_role("button", name="Back").click()
    assert pixels(page) == drawn[3]
    page.get_by_role("button", name="Start", exact=True).click()
    assert pixels(page) == drawn[0]


def test_the_best_value_so_far_is_the_highest_true_value_measured(show, folder):
    page = show()
    play = choose(page, folder, problem="Ombo/GP-v0 (space=pool)")
    page.get_by_role("button", name="Next round").click()
    seen = [v for v, r in zip(play["true_values"], play["rounds"], strict=True) if r <= 1]
    best = float(f"{max(seen):.4g}")
    assert f"best true value so far {best:g}." in page.locator(".boards figcaption").inner_text()


def test_the_keyboard_steps_through_rounds(show):
    page = show()
    slider = page.get_by_label("Round", exact=True)
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".player output").inner_text() == "round 1 of 4"
    assert slider.get_attribute("aria-valuetext") == "round 1 of 4"
    page.get_by_role("button", name="Back").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".player output").inner_text() == "round 2 of 4"
    page.keyboard.press("Home")
    assert page.locator(".player output").inner_text() == "the start"


def test_play_goes_on_by_itself_to_the_end_and_pauses(show):
    page = show()
    page.clock.install()
    play = page.locator("[data-step=play]")
    play.click()
    assert play.inner_text() == "Pause"
    page.clock.run_for(1100)
    assert page.locator(".player output").inner_text() == "round 1 of 4"
    play.click()
    page.clock.run_for(5000)
    assert page.locator(".player output").inner_text() == "round 1 of 4"
    play.click()
    page.clock.run_for(5000)
    assert page.locator(".player output").inner_text() == "round 4 of 4"
    assert play.inner_text() == "Play"


def test_nothing_plays_by_itself_where_motion_is_not_wanted(show):
    page = show(reduced_motion="reduce")
    assert page.locator("[data-step=play]").is_hidden()
    page.get_by_role("button", name="Next round").click()
    assert page.locator(".player output").inner_text() == "round 1 of 4"


@pytest.mark.parametrize(
    ("space", "drawings"),
    [("box", 2), ("line", 2), ("categorical", 2), ("pool", 1), ("many", 1)],
)
def test_every_kind_of_designs_has_its_drawing(show, folder, space, drawings):
    page = show()
    choose(page, folder, problem=f"Ombo/GP-v0 (space={space})")
    assert page.locator(".boards canvas").count() == drawings
    before = pixels(page)
    page.get_by_role("button", name="Next round").click()
    assert pixels(page) != before
    for canvas in page.locator(".boards canvas").all():
        assert "up to round 1 of 4" in canvas.get_attribute("aria-label")


@pytest.mark.parametrize("space", ["box", "line", "many"])
def test_the_dataset_grows_and_nothing_shows_before_its_round(show, folder, space):
    page = show()
    choose(page, folder, problem=f"Ombo/GP-v0 (space={space})")
    coloured = []
    for _ in range(5):
        shares = page.locator(".boards canvas").evaluate_all(
            """all => all.map(canvas => {
                const copy = new OffscreenCanvas(canvas.width, canvas.height);
                const pen = copy.getContext("2d", { willReadFrequently: true });
                pen.drawImage(canvas, 0, 0);
                const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
                let count = 0;
                for (let i = 0; i < data.length; i += 4) {
                    const [r, g, b, a] = [data[i], data[i + 1], data[i + 2], data[i + 3]];
                    count += a > 250 && Math.max(r, g, b) - Math.min(r, g, b) > 100;
                }
                return count;
            })"""
        )
        coloured.append(shares)
        if len(coloured) < 5:
            page.get_by_role("button", name="Next round").click()
    for counts in zip(*coloured, strict=True):
        assert counts[0] == 0  # the start is white
        assert all(0 < later for later in counts[1:])
        assert counts[4] > 2 * counts[1]


def test_a_second_policy_stands_beside_the_first_on_the_same_campaign(show, folder):
    page = show(viewport={"width": 1200, "height": 900})
    choose(page, folder, second="runs/demo")
    page.get_by_role("button", name="Next round").click()
    assert page.locator(".boards h3").all_inner_texts() == ["random", "runs/demo"]
    assert table_of(page, 0) != table_of(page, 1)
    left, right = (board.bounding_box() for board in page.locator(".boards figure").all())
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    page.select_option("select[name=second]", label="nobody")
    assert page.locator(".boards h3").all_inner_texts() == ["random"]
    assert page.locator(".player output").inner_text() == "round 1 of 4"  # where it was


@pytest.mark.parametrize("width", [320, 390, 800, 1600])
def test_the_page_is_never_wider_than_the_screen(show, width):
    page = show(viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_pages_are_dark_pictures_too(show):
    brightness = {}
    for scheme in ("light", "dark"):
        page = show(color_scheme=scheme)
        for what in ("body", "svg.picture path"):
            rgb = page.eval_on_selector(
                what,
                "it => { const style = getComputedStyle(it);"
                " return it.tagName === 'path' ? style.fill : style.backgroundColor; }",
            )
            brightness[scheme, what] = sum(map(int, rgb.strip("rgb()").split(",")))
    for what in ("body", "svg.picture path"):
        assert brightness["dark", what] < 150 < 600 < brightness["light", what]


def test_a_link_opens_the_part_it_leads_to(show):
    page = show()
    page.evaluate("document.querySelector('#problem-2').open = false")
    page.locator("nav a[href='#problem-2']").click()
    page.wait_for_function("document.querySelector('#problem-2').open")


def test_with_scripts_nothing_says_that_they_are_missing(show):
    page = show()
    assert page.locator("[data-unscripted]").count() == 2
    assert not [words for words in page.locator("[data-unscripted]").all() if words.is_visible()]


def test_without_scripts_all_tables_and_pictures_are_there(show):
    page = show(java_script_enabled=False)
    assert page.locator("#rank-table tbody tr").count() > 100
    assert page.locator("#rank-table").is_visible()
    assert page.locator("svg.picture").first.is_visible()
    assert page.locator("[data-filters]").is_hidden()
    assert page.locator("#replay").is_hidden()
    assert page.get_by_text("Without scripts all tables and pictures are here").is_visible()


def test_every_control_has_a_name(show):
    page = show()
    unnamed = page.eval_on_selector_all(
        "main button, main select, main input",
        """all => all.filter(it => !(it.labels && it.labels.length) &&
            !it.textContent.trim() && !it.getAttribute("aria-label")).length""",
    )
    assert unnamed == 0
    levels = page.eval_on_selector_all("h1, h2, h3", "all => all.map(it => Number(it.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
