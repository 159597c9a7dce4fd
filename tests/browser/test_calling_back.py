"""Calling back in two windows: the console, and the phone of a rehearsal that rings, is answered and connects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from callbacks.db import Database
from tests.browser.agents import listens
from tests.browser.visitor import rehearsal
from tests.callbacks import people
from tests.ivr.line import Line, settings_for
from tests.servers import RunningServer

TRIAGE = "113133422111131"  # Dutch; a doctor, can wait; call this number
NUMBERS = count(31_612_000_000)


@dataclass
class Desk:
    """An agent's two windows: a request in the console, and the phone."""

    console: Page
    phone: Page
    faults: list[str] = field(default_factory=list)

    @property
    def course(self) -> Locator:
        return self.console.locator("#call-course")

    def calls_back(self) -> None:
        self.console.locator("#call-button").click()

    def rings(self) -> None:
        """Wait until the agent's phone rings."""
        expect(self.phone.locator("#answer")).to_be_visible()

    def picks_up(self) -> None:
        self.rings()
        self.phone.locator("#answer").click()
        self.listens()

    def listens(self) -> None:
        """Read all the words of the line at once."""
        self.phone.locator(
            'body[data-phase="speaking"], body[data-phase="waiting"], body[data-phase="ended"]'
        ).wait_for()
        if self.phone.locator("#whole").is_visible():
            self.phone.locator("#whole").click()
        self.phone.locator('body[data-phase="waiting"], body[data-phase="ended"]').wait_for()

    def presses_1(self) -> None:
        self.phone.locator('[data-key="1"]').click()
        self.listens()

    def there(self, name: str) -> None:
        """Something happens at the caller's phone."""
        self.phone.locator("#other").get_by_role("button", name=name, exact=True).click()

    def ends(self) -> None:
        self.listens()
        self.phone.locator('body[data-phase="ended"]').wait_for()


@dataclass
class House:
    """A running line, and whoever works its queue."""

    url: str
    server: RunningServer
    browser: Browser

    def request(self) -> str:
        """Somebody asks to be called back: the address of the request."""
        line = Line(settings_for(self.url))
        reference = (line.dial(f"+{next(NUMBERS)}").presses(*TRIAGE).callback() or {})["reference"]
        line.close()
        return f"/console/?status=open&words={reference}"

    @contextmanager
    def desk(self, login: str = "anna", labels: str = "en", **context: Any) -> Iterator[Desk]:  # noqa: ANN401  those of a browser
        """Both windows of somebody who has signed in; neither may complain."""
        opened = self.browser.new_context(base_url=self.server.url, **context)
        store = Database(self.url)
        token = people.signed_in_token(store, login, datetime.now(UTC))
        store.close()
        secure = self.server.url.replace("http:", "https:")
        opened.add_cookies([{"name": "__Host-zorglijn", "value": token, "url": secure, "secure": True}])
        desk = Desk(opened.new_page(), opened.new_page())

        def notice(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                desk.faults.append(f"{message.type}: {message.text}")

        for page in (desk.console, desk.phone):
            page.on("console", notice)
            page.on("pageerror", lambda error: desk.faults.append(str(error)))
        desk.console.goto(self.request())
        desk.console.locator("ol.list a").first.click()
        desk.phone.goto(f"/phone?labels={labels}")
        try:
            yield desk
            assert desk.faults == []
        finally:
            opened.close()


@pytest.fixture(scope="module")
def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    path: Path = tmp_path_factory.mktemp("line") / "line.sqlite3"
    with RunningServer(rehearsal(path)) as server:
        yield House(f"sqlite:///{path}", server, browser)


def test_a_caller_is_called_back_and_both_windows_tell_how_it_goes(house: House) -> None:
    with house.desk() as desk:
        desk.calls_back()
        expect(desk.course).to_contain_text("our phone")
        desk.rings()
        expect(desk.phone.locator("#ringing-title")).to_have_text("A phone is ringing: the agent's (Anna)")
        expect(desk.phone.locator("#answer")).to_be_focused()
        expect(desk.course).to_contain_text("Your phone is ringing. Pick up and press 1.")
        desk.picks_up()
        expect(desk.course).to_contain_text("You picked up.")
        desk.presses_1()
        expect(desk.phone.locator("#other-title")).to_contain_text("The caller's phone")
        expect(desk.course).to_contain_text("The caller's phone is ringing.")
        desk.there("Answer")
        expect(desk.phone.locator("#other-title")).to_contain_text("are connected")
        expect(desk.course).to_contain_text("You are connected with the caller.")
        desk.phone.get_by_role("button", name="Hang up").click()
        desk.ends()
        expect(desk.course).to_contain_text("You spoke with each other. Wrap up how it went.")
        expect(desk.console.locator("#call-button")).to_be_visible()


@pytest.mark.parametrize(
    "there, told",
    [
        ("Don't answer", "The caller did not answer."),
        ("Busy", "The caller's phone was busy."),
    ],
)
def test_where_the_caller_is_not_reached_the_console_says_what_to_do(house: House, there: str, told: str) -> None:
    with house.desk() as desk:
        desk.calls_back()
        desk.picks_up()
        desk.presses_1()
        desk.there(there)
        desk.ends()
        expect(desk.course).to_contain_text(told)


def test_the_caller_may_hang_up_first(house: House) -> None:
    with house.desk() as desk:
        desk.calls_back()
        desk.picks_up()
        desk.presses_1()
        desk.there("Answer")
        desk.there("The caller hangs up")
        desk.ends()
        expect(desk.phone.locator("#captions")).to_contain_text("Please write down how it went.")
        expect(desk.course).to_contain_text("You spoke with each other.")


def test_an_agent_who_does_not_pick_up_calls_nobody(house: House) -> None:
    with house.desk() as desk:
        desk.calls_back()
        desk.rings()
        desk.phone.locator("#let-it-ring").click()
        expect(desk.phone.get_by_role("button", name="Call", exact=True)).to_be_visible()
        expect(desk.course).to_contain_text("You did not pick up, so nobody was called.")


def test_a_phone_rings_for_a_while_only(house: House) -> None:
    with house.desk() as desk:
        desk.phone.clock.install()
        desk.phone.goto("/phone")
        desk.calls_back()
        expect(desk.course).to_contain_text("Your phone is ringing.")
        for _ in range(20):  # the page looks every two seconds of its clock, and asks in true time
            desk.phone.clock.run_for(1_000)
            if desk.phone.locator("#answer").is_visible():
                break
        desk.rings()
        desk.phone.clock.run_for(26_000)
        expect(desk.course).to_contain_text("You did not pick up")
        expect(desk.phone.locator("#answer")).to_be_hidden()


def test_with_the_keyboard_alone(house: House) -> None:
    with house.desk() as desk:
        expect(desk.console.locator("#call-button")).to_be_visible()
        listens(desk.console)
        desk.console.keyboard.press("b")
        desk.rings()
        desk.phone.keyboard.press("Enter")
        desk.listens()
        desk.phone.keyboard.press("1")
        desk.listens()
        expect(desk.phone.locator("#other").get_by_role("button", name="Answer", exact=True)).to_be_focused()
        desk.phone.keyboard.press("Enter")
        expect(desk.course).to_contain_text("You are connected")
        expect(desk.phone.locator("#hang-up")).to_be_focused()
        desk.phone.keyboard.press("Enter")
        desk.ends()
        expect(desk.course).to_contain_text("You spoke with each other.")


def test_without_scripts_in_the_console_a_link_shows_how_it_goes(house: House) -> None:
    with house.desk() as desk, house.desk(java_script_enabled=False) as plain:
        plain.calls_back()
        desk.picks_up()
        plain.console.get_by_role("link", name="Refresh").click()
        expect(plain.course).to_contain_text("You picked up.")
        desk.phone.get_by_role("button", name="Hang up").click()
        desk.ends()
        plain.console.reload()
        expect(plain.course).to_contain_text("You did not press 1")


def wide(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("login, labels", [("anna", "en"), ("bram", "nl")])
def test_anybody_can_use_both_windows(house: House, login: str, labels: str, scheme: Literal["light", "dark"]) -> None:
    """Axe finds nothing at any step, and nothing is wider than the narrowest screen."""
    narrow = {"width": 320, "height": 640}

    def check(desk: Desk) -> None:
        for page in (desk.console, desk.phone):
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert wide(page) <= 320

    with house.desk(login, labels, color_scheme=scheme, viewport=narrow, bypass_csp=True) as desk:
        desk.calls_back()
        desk.rings()
        check(desk)
        desk.picks_up()
        desk.presses_1()
        check(desk)
        desk.phone.locator('[data-other="other_answers"]').click()
        expect(desk.phone.locator('[data-other="other_hangs_up"]')).to_be_visible()
        expect(desk.course).to_contain_text("connected" if labels == "en" else "verbonden")
        check(desk)
        desk.phone.locator("#hang-up").click()
        desk.ends()
        check(desk)
