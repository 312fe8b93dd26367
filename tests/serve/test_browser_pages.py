"""In a real browser: links of what is wrong, tables that are cut off, and what is replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.serve.test_browser import PHONE, address, visit

__all__ = ["address", "visit"]  # fixtures

pytestmark = pytest.mark.slow


def test_a_link_of_what_is_wrong_leads_to_its_place(visit: Callable[..., Any]) -> None:
    page = visit()
    page.click("text=Open the example")
    page.wait_for_url("**/columns")
    page.fill("#low-4", "cold")
    page.fill("#constraints", "tempp <= 80\nvolume > 3")
    page.click("text=Save and check")
    page.wait_for_selector("#alert")
    assert page.locator(".places a").count() == 3
    page.focus(".places a >> nth=0")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "column-4"
    assert page.evaluate("document.getElementById('column-4').getBoundingClientRect().top") < 300
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "role-4"
    page.click(".places a >> nth=2")
    assert page.evaluate("document.activeElement.id") in ("constraints", "alert")
    assert page.url.endswith("#constraints")


@pytest.mark.parametrize("phone", [False, True])
def test_what_is_cut_off_is_seen_to_be(visit: Callable[..., Any], phone: bool) -> None:
    page = visit(**(PHONE if phone else {"viewport": {"width": 1200, "height": 900}}))
    page.click("text=Open the example")
    page.wait_for_url("**/columns")
    page.goto(page.url.replace("columns", "plate"))
    page.fill("#plates", "6, 6")
    page.select_option("#layout", "24")
    page.click("text=Suggest the plate")
    page.wait_for_selector("#wells")
    regions = page.locator(".scroll")
    for i in range(regions.count()):
        region = regions.nth(i)
        cut = region.evaluate("(each) => each.scrollWidth > each.clientWidth + 1")
        hint = region.evaluate("(each) => !each.previousElementSibling.hidden")
        assert hint == cut, i
        assert not cut or "more to the right" in region.evaluate(
            "(each) => each.previousElementSibling.textContent"
        )
        if cut:
            region.evaluate("(each) => { each.scrollLeft = each.scrollWidth; }")
            page.wait_for_function(
                "(each) => each.previousElementSibling.textContent.includes('right end')",
                arg=region.element_handle(),
            )
            first = region.locator("tbody th").first  # wells stay in sight
            assert "wells" not in (region.get_attribute("aria-labelledby") or "") or (
                first.bounding_box()["x"] >= region.bounding_box()["x"] - 1
            )
    wells = page.locator(".map td a")
    lines_of_first_words = """(each) => [...each.querySelectorAll("span")].map((line) => {
        const word = document.createRange();
        word.setStart(line.firstChild, 1);  // behind a blank
        word.setEnd(line.firstChild, 1 + line.textContent.trim().split(" ")[0].length);
        return new Set([...word.getClientRects()].map((box) => box.top)).size;
    })"""
    assert set(wells.nth(0).evaluate(lines_of_first_words)) == {1}
    assert wells.count() == 6
    lines = wells.first.locator("span").all_text_contents()
    solvent = page.locator("#well-A1 td").first.text_content()
    shared = page.locator(".shared").all_text_contents()
    assert solvent.strip() in [each.strip() for each in lines] or solvent in " ".join(shared)


def test_what_was_entered_is_not_replaced_before_it_is_asked(
    visit: Callable[..., Any], tmp_path: Any
) -> None:
    page = visit()
    page.click("text=Open the example")
    page.wait_for_url("**/columns")
    page.click("nav >> text=Sheet")
    sheet = tmp_path / "other.csv"
    sheet.write_text("x,y\n1,2\n2,5\n3,4\n")
    page.set_input_files("#sheet", sheet)
    page.click("text=Read the sheet")
    page.wait_for_url("**/replace")
    page.click("text=Keep what is open")
    page.wait_for_selector("text=Open now: screen.csv")
    page.set_input_files("#sheet", sheet)
    page.click("text=Read the sheet")
    page.wait_for_url("**/replace")
    page.click("text=Replace it")
    page.wait_for_url("**/columns")
    assert "Columns of other.csv" in page.text_content("h1")
