"""The pages of a report in a real browser: what people see, use, hear and print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from pytest_mpgrade.report.pages.class_page import class_page
from support.browser import SCHEMES, SECONDS, WIDTHS, chromium, opened
from support.ours import Ours
from support.report_pages import large_class, write_class
from support.running import wait_until

PAGES = {
    "student": "students/never_joins/feedback.html",
    "right": "students/ada/feedback.html",
    "ungradable": "students/typo/feedback.html",
    "staff": "staff/never_joins/report.html",
    "class": "staff/class.html",
    "diff": "staff/diff.html",
    "evil": "staff/evil/report.html",
    "evil for students": "students/evil/feedback.html",
}
EACH = pytest.mark.parametrize("name", PAGES)
MOST_BYTES, MOST_SECONDS = 3_000_000, 2.0


@pytest.fixture(scope="module", autouse=True)
def nothing_left(ours: Ours) -> Iterator[None]:
    """After all tests of this file nothing is left; a browser for each would take minutes."""
    yield
    if not wait_until(lambda: not ours.left(), SECONDS):
        left = ours.left()
        ours.sweep()
        pytest.fail("left behind:\n  " + "\n  ".join(left), pytrace=False)


@pytest.fixture(scope="module")
def browser(nothing_left: None) -> Iterator[Browser]:
    """Return a browser for all tests of this file."""
    expect.set_options(timeout=1000 * SECONDS)
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of pages."""
    return write_class(tmp_path_factory.mktemp("report"))


def names(page: Page) -> list[str]:
    """Return the names that the table of the class shows, from the top."""
    rows = page.locator("#table tbody tr:visible th")
    return [text.strip() for text in rows.all_inner_texts()]


@EACH
def test_page_fits_and_is_quiet(browser: Browser, report: Path, name: str) -> None:
    """A page has no horizontal scroll on a phone or a screen, is dark where that is asked for, asks
    for nothing, and complains of nothing.
    """
    with opened(browser, report / PAGES[name]) as shown:
        grounds = set()
        for width in WIDTHS:
            shown.page.set_viewport_size({"width": width, "height": 800})
            assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
        for scheme in SCHEMES:
            shown.page.emulate_media(color_scheme=scheme)
            grounds.add(shown.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert len(grounds) == len(SCHEMES)


@EACH
def test_nothing_serious_for_readers_with_aids(browser: Browser, report: Path, name: str) -> None:
    """Axe finds nothing serious: contrast, labels, order of headings, what a keyboard reaches."""
    with opened(browser, report / PAGES[name]) as shown:
        for scheme in SCHEMES:
            shown.page.emulate_media(color_scheme=scheme)
            found = Axe().run(shown.page).response["violations"]
            serious = [each for each in found if each["impact"] in ("serious", "critical")]
            told = [(each["id"], each["nodes"][0]["html"]) for each in serious]
            assert told == []


@EACH
def test_page_prints(browser: Browser, report: Path, name: str) -> None:
    """A page makes a PDF, in which what is folded on the screen can be read."""
    with opened(browser, report / PAGES[name]) as shown:
        assert shown.page.pdf().startswith(b"%PDF")
        shown.page.emulate_media(media="print")
        assert shown.page.locator("nav:visible").count() == 0


def test_table_is_sorted_searched_and_filtered(browser: Browser, report: Path) -> None:
    """A click on a head sorts by it, another the other way; search and filters leave what fits."""
    with opened(browser, report / PAGES["class"]) as shown:
        page, table = shown.page, shown.page.locator("#table")
        every = names(page)
        assert [each for each in every if "script" not in each] == [
            "ada", "drops_last", "never_joins", "starter", "typo",
        ]  # fmt: skip
        table.get_by_role("button", name="Points").click()
        assert names(page)[:3] == ["ada", "drops_last", "never_joins"]
        table.get_by_role("button", name="Points").click()
        assert names(page)[-1] == "ada"
        expect(table.get_by_role("columnheader", name="Points")).to_have_attribute(
            "aria-sort", "ascending"
        )
        page.get_by_label("Search").fill("NEVER join")
        assert names(page) == ["never_joins"]
        expect(page.get_by_role("status")).to_have_text(f"1 of {len(every)} shown")
        page.get_by_role("button", name="Show all").click()
        page.get_by_label("Show", exact=True).select_option("ungradable")
        assert names(page) == ["typo"]
        page.locator("li", has_text="join() every Process that you start()").get_by_role(
            "button", name="Show in the table"
        ).click()
        assert names(page) == ["never_joins"]


def test_keyboard_alone(browser: Browser, report: Path) -> None:
    """Without a mouse one searches, sorts, opens what is folded, and comes to a student's page."""
    with opened(browser, report / PAGES["class"]) as shown:
        page = shown.page

        def tab_to(what: str) -> None:
            for _ in range(80):
                page.keyboard.press("Tab")
                if page.evaluate("what => document.activeElement.matches(what)", what):
                    return
            raise AssertionError(f"80 tabs do not come to {what}")

        tab_to(".look:not([open]) summary")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.parentNode.open")
        tab_to("#search")
        page.keyboard.type("never")
        assert names(page) == ["never_joins"]
        tab_to("#table thead button")
        page.keyboard.press("Enter")
        expect(page.locator("#table th[aria-sort]")).to_have_count(1)
        tab_to("#table tbody a")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("never_joins")


def test_links_lead_to_lines_and_pages(browser: Browser, report: Path) -> None:
    """From the class to a student's page, from a failure to its line, to what the student sees, and
    back.
    """
    with opened(browser, report / PAGES["class"]) as shown:
        page = shown.page
        page.locator("#table").get_by_role("link", name="never_joins", exact=True).click()
        page.locator("#first").get_by_role("link", name="cv_funcs.py:36").first.click()
        line = page.locator(":target")
        expect(line).to_have_class("marked")
        expect(line).to_be_visible()
        assert line.locator("code").inner_text().strip() == "results.append(done_queue.get())"
        page.get_by_role("link", name="The class").click()
        page.get_by_role("link", name="page for never_joins").click()
        expect(page.get_by_text("For staff")).to_have_count(0)
        expect(page.get_by_role("heading", level=1)).to_have_text("never_joins")


def test_all_can_be_read_without_scripts(browser: Browser, report: Path) -> None:
    """Where no script runs the table is whole, and there is no control that does nothing."""
    with opened(browser, report / PAGES["class"], java_script_enabled=False) as shown:
        assert shown.page.locator("#table tbody tr:visible").count() == 6
        assert shown.page.locator("input:visible, select:visible, button:visible").count() == 0


@pytest.mark.parametrize("name", ["evil", "evil for students", "class", "diff"])
def test_words_of_a_submission_change_nothing(browser: Browser, report: Path, name: str) -> None:
    """Names, file names, output, exceptions and source that are scripts, styles, SVG, control
    characters or turned text are shown as they are.
    """
    with opened(browser, report / PAGES[name]) as shown:
        page = shown.page
        assert page.title() != "run"
        assert page.locator("body").is_visible()
        assert page.locator("img, iframe, object, svg[onload], [onclick], b").count() == 0
        assert page.locator("style").count() == 1
        assert page.locator("script").count() == (name in ("class", "diff"))
        text = page.content()
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
        assert "&lt;script&gt;document.title='run'&lt;/script&gt;" in text
        assert "שלום" in page.inner_text("body")


@pytest.mark.parametrize("name", ["student", "class"])
def test_policy_stops_what_would_get_through(
    browser: Browser, report: Path, name: str, tmp_path: Path
) -> None:
    """Were a script, a style or an image to get into a page, the browser would not take it."""
    page = (report / PAGES[name]).read_text("utf-8")
    more = (
        "<script>document.title='run'</script><style>body{color:red}</style>"
        "<p id=p style='color:red' onclick=\"document.title='run'\">x</p>"
        "<img src=http://127.0.0.1:9/x>"
    )
    path = tmp_path / "changed.html"
    path.write_text(page.replace("<main>", f"{more}<main>"), "utf-8")
    complaints: list[str] = []
    context = browser.new_context()
    changed = context.new_page()
    asked: list[str] = []
    changed.on("console", lambda message: complaints.append(message.text))
    changed.on("requestfinished", lambda request: asked.append(request.url))
    changed.goto(path.as_uri(), timeout=1000 * SECONDS)
    changed.click("#p")
    assert changed.title() != "run"
    assert changed.evaluate("getComputedStyle(p).color") != "rgb(255, 0, 0)"
    assert [url for url in asked if not url.startswith("file:")] == []
    assert sum("Content Security Policy" in each for each in complaints) >= 5
    context.close()


def test_nothing_hidden_is_in_what_is_handed_out(report: Path) -> None:
    """Students' pages have a hidden check's points and no other word of it; staff have all."""
    for folder, told in (("students", False), ("staff", True)):
        (page,) = (report / folder / "evil").glob("*.html")
        assert ("secretive" in page.read_text("utf-8").lower()) is told
    handed_out = "".join(page.read_text("utf-8") for page in report.glob("students/*/*.html"))
    assert "staff" not in handed_out


def test_large_class_opens_at_once(browser: Browser, tmp_path: Path) -> None:
    """The page of 500 students and 60 questions is small, and costs the browser no 2 s of one core
    until it is shown, all its scripts included.
    """
    page = tmp_path / "class.html"
    page.write_text(class_page("mp_apply", large_class(500, 60), []), "utf-8")
    assert page.stat().st_size < MOST_BYTES
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    shown = context.new_page()
    # CPU time: wall-clock time would say what else the machine does.
    session = context.new_cdp_session(shown)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    shown.goto(page.as_uri(), timeout=1000 * SECONDS)
    shown.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    measured = session.send("Performance.getMetrics")["metrics"]
    assert {each["name"]: each["value"] for each in measured}["ThreadTime"] < MOST_SECONDS
    assert shown.locator("#table tbody tr").count() == 500
    assert shown.locator("#heat td").count() > 500 * 40
    context.close()
