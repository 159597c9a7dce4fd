"""The console in a real browser: a request is claimed, wrapped up and taken back; anybody can use the pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from callbacks.db import Database
from tests.browser.visitor import rehearsal
from tests.callbacks import people
from tests.ivr.line import Line, settings_for
from tests.servers import RunningServer


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A queue with two requests: an ordinary one, and one with words of danger and no number."""
    url = f"sqlite:///{tmp_path_factory.mktemp('line') / 'line.sqlite3'}"
    line = Line(settings_for(url))
    line.dial().presses(*"113133422111131")
    line.dial("anonymous").presses("2").says("my child cannot breathe").presses("0", "1").hangs_up()
    line.close()
    return url


@pytest.fixture(scope="module")
def server(database: str) -> Iterator[RunningServer]:
    """A running line on that queue."""
    with RunningServer(rehearsal(Path(database.removeprefix("sqlite:///")))) as running:
        yield running


def desk(browser: Browser, server: RunningServer, database: str, login: str, **context: object) -> BrowserContext:
    """The browser of somebody who has signed in."""
    opened = browser.new_context(base_url=server.url, bypass_csp=True, **context)  # type: ignore[arg-type]
    store = Database(database)
    token = people.signed_in_token(store, login, datetime.now(UTC))
    store.close()
    secure = server.url.replace("http:", "https:")  # else the name is refused, though the browser itself keeps it here
    opened.add_cookies([{"name": "__Host-zorglijn", "value": token, "url": secure, "secure": True}])
    return opened


def presses(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def test_anna_claims_wraps_up_and_takes_it_back(browser: Browser, server: RunningServer, database: str) -> None:
    with desk(browser, server, database, "anna") as context:
        page = context.new_page()
        page.goto("/console/")
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        page.get_by_role("link", name="P3").click()
        presses(page, "Claim")
        expect(page.get_by_text("Anna has it")).to_be_visible()
        page.get_by_label("How did it end?").select_option(label="Information given")
        page.get_by_role("textbox", name="Note", exact=True).fill("Knows where to go.")
        presses(page, "Wrap up")
        expect(page.get_by_text("You can take this back for one minute.")).to_be_visible()
        presses(page, "Undo")
        expect(page.get_by_text("the request is yours again")).to_be_visible()
        presses(page, "Release")
        expect(page.get_by_text("back in the queue")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("login", ["anna", "bram"])  # English, Dutch
def test_anybody_can_use_the_pages(
    browser: Browser, server: RunningServer, database: str, login: str, scheme: Literal["light", "dark"]
) -> None:
    """Axe finds nothing, and nothing is wider than the narrowest screen."""
    screen = {"width": 320, "height": 640}
    with desk(browser, server, database, login, color_scheme=scheme, viewport=screen) as context:
        page = context.new_page()
        page.goto("/console/")
        request = page.locator("ol.list a").first.get_attribute("href") or ""
        for address in (*ADDRESSES, request):
            page.goto(address)
            unfold(page)
            passes(page)
        page.goto("/console/add")
        page.locator("#phone").fill("0900 1234567")
        page.locator("form.add button").click()
        expect(page.locator("#phone-error")).to_be_visible()
        passes(page)


ADDRESSES = (
    "/console/",
    "/console/?urgency=P0",
    "/console/?status=all&words=nothing&mine=1",
    "/console/add",
    "/console/requests/nobody",
)


def unfold(page: Page) -> None:
    """Open whatever is folded, so that it is looked at too."""
    page.evaluate("document.querySelectorAll('details').forEach((folded) => { folded.open = true; })")


def passes(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_anna_adds_somebody_at_the_door_and_finds_them(browser: Browser, server: RunningServer, database: str) -> None:
    with desk(browser, server, database, "anna") as context:
        page = context.new_page()
        page.goto("/console/")
        page.get_by_role("link", name="Add request").first.click()
        page.get_by_label("Phone number").fill("0900 1234567")
        page.get_by_label("What help is needed?").select_option(label="Teeth")
        page.get_by_label("Language to call back in").select_option(label="Somali")
        page.get_by_role("textbox", name="Note").fill("waits outside")
        presses(page, "Add request")
        page.get_by_role("link", name="The line does not call this number.").click()
        expect(page.get_by_label("Phone number")).to_be_focused()
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("06 87654321")
        presses(page, "Add request")
        expect(page.get_by_text("Added. The reference is")).to_be_visible()
        expect(page.get_by_text("waits outside")).to_be_visible()
        page.goto("/console/")
        page.get_by_label("Reference, number or words").fill("87654321")
        presses(page, "Show")
        expect(page.locator("ol.list > li")).to_have_count(1)
        expect(page.get_by_text("interpreter needed")).to_be_visible()
        page.get_by_role("link", name="Remove the filter “87654321”").click()
        expect(page.locator("ol.list > li")).to_have_count(3)


def test_anna_changes_the_urgency_with_a_reason(browser: Browser, server: RunningServer, database: str) -> None:
    with desk(browser, server, database, "anna") as context:
        page = context.new_page()
        page.goto("/console/?urgency=P0&urgency=P1&urgency=P2")
        page.locator("ol.list a").first.click()
        page.get_by_text("Urgency and need", exact=True).click()
        page.get_by_label("Urgency", exact=True).select_option("P1")
        page.get_by_label("Why is it different?").fill("spoke to the doctor")
        presses(page, "Change")
        expect(page.get_by_text("spoke to the doctor").first).to_be_visible()
        expect(page.get_by_role("heading", name="Why P1")).to_be_visible()


def test_a_printed_list_has_no_buttons(browser: Browser, server: RunningServer, database: str) -> None:
    with desk(browser, server, database, "anna") as context:
        page = context.new_page()
        page.emulate_media(media="print")
        for address in ("/console/", None):
            if address:
                page.goto(address)
            else:
                page.locator("ol.list a").first.click()
            expect(page.locator("button:visible, input:visible, select:visible")).to_have_count(0)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
