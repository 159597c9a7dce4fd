"""Wrapping up in a real browser: what an ending needs appears with it, and a refused form loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_console import desk
from tests.browser.visitor import rehearsal
from tests.ivr.line import Line, settings_for
from tests.servers import RunningServer

SAFE = "113133422111131"  # Dutch, a doctor, can wait ... a message is safe


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A queue with one request."""
    url = f"sqlite:///{tmp_path_factory.mktemp('line') / 'line.sqlite3'}"
    line = Line(settings_for(url))
    line.dial().presses(*SAFE)
    line.close()
    return url


@pytest.fixture(scope="module")
def server(database: str) -> Iterator[RunningServer]:
    """A running line on that queue."""
    with RunningServer(rehearsal(Path(database.removeprefix("sqlite:///")))) as running:
        yield running


def presses(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


@pytest.mark.parametrize("scripted", [True, False])
def test_a_refused_wrap_up_loses_nothing_with_and_without_script(
    browser: Browser, server: RunningServer, database: str, scripted: bool
) -> None:
    narrow = {"width": 320, "height": 640}
    with desk(browser, server, database, "anna", java_script_enabled=scripted, viewport=narrow) as context:
        page = context.new_page()
        page.goto("/console/")
        page.locator("ol.list a").first.click()
        presses(page, "Claim")
        expect(page.get_by_text("This is Anna. You asked us to call.")).to_be_visible()
        page.get_by_label("How did it end?").select_option(label="Referred to another organisation")
        page.get_by_role("textbox", name="Note", exact=True).fill("Needs a place for tonight.")
        presses(page, "Wrap up")
        expect(page.get_by_text("Choose the organisation, or fill in another.")).to_be_visible()
        expect(page.get_by_role("textbox", name="Note", exact=True)).to_have_value("Needs a place for tonight.")
        expect(page.get_by_label("Referred to", exact=True)).to_be_focused()
        if scripted:
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.get_by_label("Referred to", exact=True).select_option(label="STIL, Utrecht")
        presses(page, "Wrap up")
        expect(page.get_by_text("You can take this back for one minute.")).to_be_visible()
        presses(page, "Undo")
        presses(page, "Release")
        expect(page.get_by_text("back in the queue")).to_be_visible()


def test_what_only_one_ending_needs_comes_with_it(browser: Browser, server: RunningServer, database: str) -> None:
    with desk(browser, server, database, "bram") as context:
        page = context.new_page()
        page.goto("/console/")
        page.locator("ol.list a").first.click()
        presses(page, "Nemen")
        expect(page.get_by_text("Als niemand opnam: Volgende poging:")).to_be_visible()
        message = page.get_by_label("Ik heb een bericht ingesproken")
        expect(message).to_be_hidden()
        page.get_by_label("Hoe is het afgelopen?").select_option(label="Niet opgenomen: later opnieuw")
        expect(message).to_be_visible()
        expect(page.get_by_label("Doorverwezen naar")).to_be_hidden()
        page.get_by_label("Hoe is het afgelopen?").select_option(label="Doorverwezen naar een andere organisatie")
        expect(page.get_by_label("Doorverwezen naar")).to_be_visible()
        presses(page, "Teruggeven")
