"""Reports in a real browser: a list becomes a file, what happened is found again, a key changes the language."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_console import desk
from tests.browser.visitor import rehearsal
from tests.ivr.line import Line, settings_for
from tests.servers import RunningServer

ADDRESSES = (
    "/console/coordinator",
    "/console/happened",
    "/console/happened?reference=none",
    "/console/reports?urgency=P3",
    "/console/reports?words=nothing",
    "/console/nowhere",
    "/console/next",
)
NAMES = {"en": "English", "nl": "Nederlands"}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A queue with one request."""
    url = f"sqlite:///{tmp_path_factory.mktemp('line') / 'line.sqlite3'}"
    line = Line(settings_for(url))
    line.dial().presses(*"113133422111131")
    line.close()
    return url


@pytest.fixture(scope="module")
def server(database: str) -> Iterator[RunningServer]:
    """A running line on that queue."""
    with RunningServer(rehearsal(Path(database.removeprefix("sqlite:///")))) as running:
        yield running


def speaks(page: Page, locale: str) -> None:
    page.goto("/console/account")
    page.get_by_role("button", name=NAMES[locale], exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", locale)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en", "nl"])
def test_anybody_can_use_the_reports(
    browser: Browser, server: RunningServer, database: str, locale: str, scheme: Literal["light", "dark"]
) -> None:
    """Axe finds nothing, and nothing but a table of figures is wider than the narrowest screen."""
    screen = {"width": 320, "height": 640}
    with desk(browser, server, database, "bram", color_scheme=scheme, viewport=screen) as context:
        page = context.new_page()
        speaks(page, locale)
        for address in ADDRESSES:
            page.goto(address)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{address}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, address


def test_bram_takes_the_list_that_he_sees_out_as_a_file(
    browser: Browser, server: RunningServer, database: str, tmp_path: Path
) -> None:
    with desk(browser, server, database, "bram") as context:
        page = context.new_page()
        speaks(page, "en")
        page.goto("/console/?urgency=P3&words=doctor")
        page.get_by_role("link", name="Export", exact=True).click()
        expect(page.get_by_text("1 request", exact=True)).to_be_visible()
        expect(page.get_by_text("Whoever finds it can harm these people.")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Export", exact=True).click()
        assert download.value.suggested_filename.endswith(".csv")
        download.value.save_as(tmp_path / "list.csv")
        with (tmp_path / "list.csv").open(encoding="utf-8-sig", newline="") as file:
            (row,) = csv.DictReader(file)
        assert (row["Urgency"], row["Phone"], row["Status"]) == ("P3", "'+31612345678", "Waiting")


def test_anna_finds_who_did_what_and_is_told_what_is_not_for_her(
    browser: Browser, server: RunningServer, database: str
) -> None:
    with desk(browser, server, database, "anna") as context:
        page = context.new_page()
        speaks(page, "en")
        page.get_by_role("link", name="Queue", exact=True).click()
        page.get_by_role("button", name="Claim", exact=True).first.click()
        expect(page.get_by_text("Anna has it").first).to_be_visible()
        page.get_by_role("link", name="What happened", exact=True).first.click()
        page.get_by_label("Who").select_option(label="Anna")
        page.get_by_label("What", exact=True).select_option(label="Claimed")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.get_by_role("row").nth(1)).to_contain_text("Anna")
        page.get_by_role("row").nth(1).get_by_role("link").click()
        expect(page.get_by_text("Anna has it").first).to_be_visible()
        expect(page.get_by_role("link", name="Export", exact=True)).to_have_count(0)
        page.goto("/console/coordinator")
        expect(page.get_by_role("heading", name="For coordinators")).to_be_visible()
        page.get_by_role("link", name="To the queue").click()
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()


def test_the_language_changes_with_the_keyboard_and_without_a_script(
    browser: Browser, server: RunningServer, database: str
) -> None:
    with desk(browser, server, database, "anna", java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/console/?status=all&words=doctor")
        page.get_by_role("button", name="Nederlands", exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Wachtrij")).to_be_visible()
        assert page.url.endswith("/console/?status=all&words=doctor")
        expect(page.get_by_role("button", name="Nederlands", exact=True)).to_have_attribute("aria-current", "true")
