"""The page in a browser: it sorts and filters, asks nothing and keeps names as text."""

from __future__ import annotations

from pages_apart import EVIL, NAMES


def column(page, table, number):
    """Texts of the rows that are shown."""
    return page.eval_on_selector_all(
        f"#{table} tbody tr:not([hidden])",
        f"rows => rows.map(row => row.cells[{number}].textContent.trim())",
    )


def numbers(texts):
    return [float(text.split(" ")[0].replace("\N{MINUS SIGN}", "-")) for text in texts]


def test_names_show_as_text_and_run_nothing(page):
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


def test_the_pages_policy_stops_a_script_that_is_not_its_own(browser, browsed):
    context = browser.new_context()
    page = context.new_page()
    page.goto((browsed / "report.html").as_uri())
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


def test_with_scripts_nothing_says_that_they_are_missing(page):
    assert page.locator("[data-unscripted]").count() == 2
    assert not [words for words in page.locator("[data-unscripted]").all() if words.is_visible()]


def test_every_control_has_a_name(page):
    unnamed = page.eval_on_selector_all(
        "main button, main select, main input",
        """all => all.filter(it => !(it.labels && it.labels.length) &&
            !it.textContent.trim() && !it.getAttribute("aria-label")).length""",
    )
    assert unnamed == 0
    levels = page.eval_on_selector_all("h1, h2, h3", "all => all.map(it => Number(it.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1


def test_a_link_opens_the_part_it_leads_to(page):
    page.evaluate("document.querySelector('#problem-2').open = false")
    page.locator("nav a[href='#problem-2']").click()
    page.wait_for_function("document.querySelector('#problem-2').open")


def test_a_column_sorts_by_its_numbers_both_ways(sorted_page):
    page = sorted_page
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


def test_rows_move_whole_when_sorted_and_words_sort_as_words(sorted_page):
    page = sorted_page

    def rows():
        return page.eval_on_selector_all(
            "#leaderboard-0 tbody tr", "rows => rows.map(row => row.textContent)"
        )

    before = rows()
    page.locator("#leaderboard-0 th", has_text="policy").get_by_role("button").click()
    assert rows() != before
    assert sorted(rows()) == sorted(before)
    names = column(page, "leaderboard-0", 0)
    assert names.index("explore_then_exploit") < names.index("greedy") < names.index("ucb")
    assert page.locator("#leaderboard-0 th[aria-sort=ascending]").inner_text().startswith("policy")


def test_gaps_are_last_whichever_way_and_the_keyboard_sorts_too(sorted_page):
    page = sorted_page
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


def test_filters_keep_what_fits_all_of_them_and_say_how_many(page):
    every = len(column(page, "rank-table", 0))
    assert every == 2 * 2 * 4 * 2 * len(NAMES)  # problems, utilities, settings, told
    filters = page.locator("[data-filters=rank-table]")
    shown = filters.locator("output")
    assert shown.get_attribute("aria-live") == "polite"
    assert shown.inner_text() == f"{every} of {every} rows"
    filters.get_by_label("Problem").select_option(label=f"Own/{EVIL}-v0")
    filters.get_by_label("Utility").select_option(label="best")
    filters.get_by_label("Horizon N").select_option(label="4")
    assert shown.inner_text() == f"{2 * 2 * len(NAMES)} of {every} rows"
    assert set(column(page, "rank-table", 2)) == {f"Own/{EVIL}-v0"}
    assert set(column(page, "rank-table", 3)) == {"best"}
    assert set(column(page, "rank-table", 4)) == {"4"}
    filters.get_by_label("Policy contains").fill("SCRIPT>A")
    assert set(column(page, "rank-table", 0)) == {EVIL}
    assert shown.inner_text() == f"4 of {every} rows"
    filters.get_by_label("Policy contains").fill("nobody of that name")
    assert shown.inner_text() == f"0 of {every} rows"


def test_the_page_is_never_wider_than_the_screen(page):
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    for width in (1600, 800, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_pages_are_dark_pictures_too(page):
    brightness = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for what in ("body", "svg.picture path"):
            rgb = page.eval_on_selector(
                what,
                "it => { const style = getComputedStyle(it);"
                " return it.tagName === 'path' ? style.fill : style.backgroundColor; }",
            )
            brightness[scheme, what] = sum(map(int, rgb.strip("rgb()").split(",")))
    for what in ("body", "svg.picture path"):
        assert brightness["dark", what] < 150 < 600 < brightness["light", what]


def test_without_scripts_all_tables_and_pictures_are_there(show):
    page = show(java_script_enabled=False)
    assert page.locator("#rank-table tbody tr").count() > 100
    assert page.locator("#rank-table").is_visible()
    assert page.locator("svg.picture").first.is_visible()
    assert page.locator("[data-filters]").is_hidden()
    assert page.locator("#replay").is_hidden()
    assert page.get_by_text("Without scripts all tables and pictures are here").is_visible()
