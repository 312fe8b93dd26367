"""Campaigns replayed in a browser, round by round, as they were recorded."""

from __future__ import annotations

import json

import pytest


def table_of(page, board=0):
    rows = page.locator(".boards figure").nth(board).locator("tbody tr")
    return [row.locator("td").all_inner_texts() for row in rows.all()]


def choose(page, browsed, **wanted):
    """Sets the lists; returns the recorded campaign that should be shown."""
    for name, label in wanted.items():
        page.select_option(f"select[name={name}]", label=label)
    replays = json.loads((browsed / "replays.json").read_text())
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


def test_the_replay_shows_the_recorded_rounds_one_after_the_other(show, browsed):
    page = show()
    play = choose(
        page, browsed, setting="best, N = 4, q = 3", campaign="1", first="runs/demo (told 1)"
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


def test_the_best_value_so_far_is_the_highest_true_value_measured(page, browsed):
    play = choose(page, browsed, problem="Ombo/GP-v0 (space=pool)")
    page.get_by_label("Round", exact=True).press("Home")
    page.get_by_role("button", name="Next round").click()
    seen = [v for v, r in zip(play["true_values"], play["rounds"], strict=True) if r <= 1]
    best = float(f"{max(seen):.4g}")
    assert f"best true value so far {best:g}." in page.locator(".boards figcaption").inner_text()


def test_the_keyboard_steps_through_rounds(page, browsed):
    choose(page, browsed, problem="Ombo/GP-v0 (space=box)", setting="best, N = 4, q = 3")
    slider = page.get_by_label("Round", exact=True)
    slider.press("Home")
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


def coloured(page):
    """Of each drawing, how many of the pixels are of a strong colour."""
    return page.locator(".boards canvas").evaluate_all(
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


def test_every_kind_of_designs_has_its_drawing_in_which_nothing_shows_before_its_round(
    show, browsed
):
    page = show()
    for space, drawings in {"box": 2, "line": 2, "categorical": 2, "pool": 1, "many": 1}.items():
        choose(page, browsed, problem=f"Ombo/GP-v0 (space={space})")
        page.get_by_label("Round", exact=True).press("Home")
        assert page.locator(".boards canvas").count() == drawings, space
        before, counts = pixels(page), [coloured(page)]
        page.get_by_role("button", name="Next round").click()
        assert pixels(page) != before, space
        for canvas in page.locator(".boards canvas").all():
            assert "up to round 1 of 4" in canvas.get_attribute("aria-label")
        if space not in ("box", "line", "many"):
            continue
        counts.append(coloured(page))
        for _ in range(3):
            page.get_by_role("button", name="Next round").click()
            counts.append(coloured(page))
        for drawing in zip(*counts, strict=True):
            assert drawing[0] == 0, space  # the start is white
            assert all(0 < later for later in drawing[1:]), space
            assert drawing[4] > 2 * drawing[1], space


def test_a_second_policy_stands_beside_the_first_on_the_same_campaign(show, browsed):
    page = show(viewport={"width": 1200, "height": 900})
    choose(page, browsed, second="runs/demo")
    page.get_by_role("button", name="Next round").click()
    assert page.locator(".boards h3").all_inner_texts() == ["random", "runs/demo"]
    assert table_of(page, 0) != table_of(page, 1)
    left, right = (board.bounding_box() for board in page.locator(".boards figure").all())
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    page.select_option("select[name=second]", label="nobody")
    assert page.locator(".boards h3").all_inner_texts() == ["random"]
    assert page.locator(".player output").inner_text() == "round 1 of 4"  # where it was
