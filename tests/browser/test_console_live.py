"""The console while things happen: two agents at once, a call that comes in, a line that is away, sound, and keys."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from sqlalchemy import select, update

from callbacks import passwords
from callbacks.db import Database
from callbacks.service import callbacks
from tests.browser.visitor import rehearsal
from tests.callbacks import people
from tests.ivr.line import Line, settings_for
from tests.servers import RunningServer

ORDINARY = "113133422111131"  # a doctor, can wait: P3
TODAY = "113113422111131"  # a doctor, today: P1

# A loudspeaker that only counts the tones, and may wait for a gesture as a browser makes it wait.
EARS = """
window.tones = [];
const parameter = () => ({ setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} });
window.AudioContext = class {
  constructor() { this.state = window.waitsForGesture ? "suspended" : "running"; this.currentTime = 0; }
  async resume() { this.state = "running"; this.onstatechange?.(); }
};
window.OscillatorNode = class {
  constructor(context, { frequency }) { this.frequency = frequency; }
  connect(next) { return next; }
  start() { window.tones.push(this.frequency); }
  stop() {}
};
window.GainNode = class { constructor() { this.gain = parameter(); } connect(next) { return next; } };
"""


@dataclass
class House:
    """A line, whoever calls it, and whoever works its queue in a browser."""

    url: str
    server: RunningServer
    browser: Browser
    faults: list[str] = field(default_factory=list)

    def rings(self, keys: str = ORDINARY, number: str = "+31612345678") -> str:
        """Somebody calls and asks to be phoned back: the reference."""
        line = Line(settings_for(self.url))
        reference = (line.dial(number).presses(*keys).callback() or {})["reference"]
        line.close()
        return str(reference)

    def claim_ends(self, reference: str, within: timedelta) -> None:
        """Let a claim run out sooner than it would."""
        store = Database(self.url)
        chosen = update(callbacks).where(callbacks.c.reference == reference)
        ends = datetime.now(UTC) + within
        store.write(lambda connection: connection.execute(chosen.values(claim_ends_at=ends)))
        store.close()

    def address(self, reference: str) -> str:
        """Where the page of a request is."""
        store = Database(self.url)
        wanted = select(callbacks.c.public_id).where(callbacks.c.reference == reference)
        public_id = store.read(lambda connection: connection.execute(wanted).scalar_one())
        store.close()
        return f"/console/requests/{public_id}"

    @contextmanager
    def desk(self, login: str = "anna", script: str = "", **context: object) -> Iterator[Page]:
        """A page of somebody who has signed in; every fault the browser tells is kept."""
        opened = self.browser.new_context(base_url=self.server.url, **context)  # type: ignore[arg-type]
        store = Database(self.url)
        token = people.signed_in_token(store, login, datetime.now(UTC))
        store.close()
        secure = self.server.url.replace("http:", "https:")
        opened.add_cookies([{"name": "__Host-zorglijn", "value": token, "url": secure, "secure": True}])
        page = opened.new_page()
        page.add_init_script(script or EARS)
        page.on("console", self._notice)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        yield page
        opened.close()

    def _notice(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.type}: {message.text}")


@pytest.fixture
def house(browser: Browser, tmp_path: Path) -> Iterator[House]:
    """A house with an empty queue; nothing in it may make a browser complain."""
    path = tmp_path / "line.sqlite3"
    with RunningServer(rehearsal(path)) as server:
        made = House(f"sqlite:///{path}", server, browser)
        yield made
        assert made.faults == []


def catches_up(page: Page) -> None:
    """Let the page ask at once, as it does when somebody comes back to its window."""
    page.evaluate("window.dispatchEvent(new Event('focus'))")


def presses(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def listens(page: Page) -> None:
    """Wait until the page listens to single keys."""
    expect(page.locator("html.keys")).to_have_count(1)


def test_what_anna_claims_bram_sees_by_itself_and_his_claim_says_so(house: House) -> None:
    reference = house.rings()
    with house.desk("anna") as anna, house.desk("bram") as bram:
        bram.goto("/console/")
        anna.goto("/console/")
        presses(anna, "Claim")
        expect(anna.get_by_text("Anna has it").first).to_be_visible()
        expect(bram.locator(f"#request-{reference}")).to_contain_text("Anna heeft")  # by itself, within its ten seconds
        bram.get_by_role("link", name=reference).click()
        expect(bram.get_by_text("Anna heeft").first).to_be_visible()


def test_a_call_appears_at_the_top_and_place_focus_and_typing_stay(house: House) -> None:
    for number in range(8):
        house.rings(number=f"+3161234000{number}")
    with house.desk(viewport={"width": 900, "height": 500}) as page:
        page.goto("/console/")
        search = page.get_by_role("searchbox").or_(page.locator("#words")).first
        search.fill("half a wo")
        third = page.locator("#queue-list li[id] h2 a").nth(3)
        third.focus()
        third.scroll_into_view_if_needed()
        page.mouse.move(5, 5)
        top = third.bounding_box()
        name = third.inner_text()
        urgent = house.rings(TODAY, "+31699999999")
        catches_up(page)
        expect(page.locator("#queue-list li[id]").first).to_have_id(f"request-{urgent}")
        same = page.get_by_role("link", name=name, exact=True)
        expect(same).to_be_focused()
        assert top is not None
        assert abs((same.bounding_box() or {"y": 0})["y"] - top["y"]) < 2
        assert search.input_value() == "half a wo"
        mark = "heading => getComputedStyle(heading, '::after').content"
        assert page.locator(f"#request-{urgent} h2").evaluate(mark) == '"new"'
        expect(page.locator("#said")).to_have_text("1 new urgent request")


def test_a_note_half_typed_outlives_a_colleague_who_takes_the_request(house: House) -> None:
    address = house.address(house.rings())
    with house.desk("anna") as anna, house.desk("bram") as bram:
        anna.goto(address)
        presses(anna, "Claim")
        note = anna.get_by_role("textbox", name="Note", exact=True)
        note.fill("Her GP said no")
        bram.goto(address)
        presses(bram, "Teruggeven")
        presses(bram, "Nemen")
        expect(bram.get_by_text("Genomen").last).to_be_visible()
        catches_up(anna)
        expect(anna.locator("#request-news")).to_contain_text("Bram has this request now. What you have typed stays")
        expect(note).to_have_value("Her GP said no")
        expect(anna.locator("#request-events")).to_contain_text("Bram")
        anna.get_by_role("link", name="Show").click()
        kept = anna.get_by_role("textbox", name="Add a note")
        expect(kept).to_have_value("Her GP said no")
        expect(anna.get_by_text("This request is not yours now.").last).to_be_visible()
        presses(anna, "Add note")
        expect(anna.locator("#request-events")).to_contain_text("Her GP said no")
        expect(kept).to_have_value("")
        anna.reload()
        expect(kept).to_have_value("")


def test_what_was_typed_is_there_after_a_reload_and_a_lost_session_and_gone_after_signing_out(house: House) -> None:
    address = house.address(house.rings())
    with house.desk() as page:
        page.goto(address)
        note = page.get_by_role("textbox", name="Add a note")
        note.fill("Speaks Tigrinya")
        page.reload()
        expect(note).to_have_value("Speaks Tigrinya")
        presses(page, "Show number")  # its address is a button's: nobody can come back to that
        expect(note).to_have_value("Speaks Tigrinya")
        cookies = page.context.cookies()
        page.context.clear_cookies()
        catches_up(page)
        expect(page).to_have_url(f"{house.server.url}/console/sign-in?next={address}")
        page.context.add_cookies(cookies)  # type: ignore[arg-type]  # what was read is what is set
        page.goto(address)
        expect(note).to_have_value("Speaks Tigrinya")
        assert page.evaluate("Object.keys(sessionStorage).filter(name => name.includes('typed')).length") == 1
        presses(page, "Sign out")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert page.evaluate("Object.keys(sessionStorage).filter(name => name.includes('typed')).length") == 0
    house.faults[:] = [fault for fault in house.faults if "401" not in fault]  # how the browser tells of a lost session


def test_a_claim_that_runs_out_is_told_and_kept_with_a_button(house: House) -> None:
    reference = house.rings()
    with house.desk() as page:
        page.goto(house.address(reference))
        presses(page, "Claim")
        expect(page.get_by_role("button", name="Release")).to_be_visible()
        expect(page.get_by_role("button", name="Keep it")).to_be_hidden()
        house.claim_ends(reference, timedelta(seconds=90))
        catches_up(page)
        presses(page, "Keep it")
        expect(page.get_by_role("button", name="Keep it")).to_be_hidden()
        expect(page.locator("#request-live")).to_have_attribute("data-claim-left", re.compile(r"1[78]\d\d"))
        house.claim_ends(reference, timedelta(seconds=300))
        catches_up(page)
        expect(page.locator("#request-live")).to_have_attribute("data-claim-left", re.compile(r"[23]\d\d"))
        page.get_by_role("textbox", name="Note", exact=True).press_sequentially(
            "She "
        )  # who types has not left it alone
        expect(page.locator("#request-live")).to_have_attribute("data-claim-left", re.compile(r"1[78]\d\d"))


def test_a_line_that_is_away_is_told_and_nothing_typed_is_lost(house: House) -> None:
    address = house.address(house.rings())
    with house.desk(timezone_id="America/New_York") as page:
        page.goto(address)
        note = page.get_by_role("textbox", name="Add a note")
        note.fill("Call after four")
        expect(page.locator("#request-live[data-seen='']")).to_have_count(0)  # it has been refreshed
        house.server.stop()
        catches_up(page)
        banner = page.locator("#connection")
        expect(banner).to_contain_text("No connection. What you see is from")
        now = datetime.now(ZoneInfo("Europe/Amsterdam"))
        told = re.findall(r"\d\d:\d\d", banner.inner_text())
        assert told[0] in {f"{moment:%H:%M}" for moment in (now, now - timedelta(minutes=1))}
        presses(page, "Add note")
        expect(banner).to_contain_text("this was not sent")
        expect(note).to_have_value("Call after four")
        house.server.start()
        catches_up(page)
        expect(banner).to_be_empty()
        presses(page, "Add note")
        expect(page.locator("#request-events")).to_contain_text("Call after four")
    assert all("Failed to load" in fault or "htmx" in fault or "ERR_" in fault for fault in house.faults)
    house.faults.clear()


def test_an_urgent_request_is_shown_and_sounds_once(house: House) -> None:
    with house.desk() as page:
        page.goto("/console/account")
        expect(page.get_by_text("Sound is on")).to_be_visible()
        first = house.rings(TODAY)
        catches_up(page)
        expect(page.get_by_role("link", name=f"New: P1, {first}")).to_be_visible()
        expect(page).to_have_title(re.compile(r"^\(1\) Your account"))
        assert page.evaluate("window.tones.length") == 2
        page.reload()
        expect(page.get_by_role("link", name=f"New: P1, {first}")).to_be_visible()
        assert page.evaluate("window.tones.length") == 0
        presses(page, "Mute")
        expect(page.get_by_text("Sound is off")).to_be_visible()
        page.goto("/console/")
        expect(page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
        second = house.rings(TODAY, "+31612345679")
        catches_up(page)
        expect(page.get_by_role("link", name=f"New: P1, {second}")).to_be_visible()
        assert page.evaluate("window.tones.length") == 0
        page.get_by_role("link", name=f"New: P1, {second}").click()
        expect(page.get_by_role("heading", name=second)).to_be_visible()
        expect(page.get_by_role("link", name=f"New: P1, {first}")).to_be_visible()
        expect(page.get_by_role("link", name=f"New: P1, {second}")).to_have_count(0)  # one is looking at it


def test_a_browser_that_waits_for_a_click_says_so_and_sounds_then(house: House) -> None:
    with house.desk(script=f"window.waitsForGesture = true; {EARS}") as page:
        house.rings(TODAY)
        page.goto("/console/")
        expect(page.get_by_text("Sound is off until you click")).to_be_visible()
        expect(page.get_by_role("link", name="New: P1")).to_be_visible()
        assert page.evaluate("window.tones.length") == 0
        page.get_by_role("heading", name="Queue").click()
        expect(page.get_by_text("Sound is on")).to_be_visible()
        assert page.evaluate("window.tones.length") == 2


def test_a_request_is_worked_from_sign_in_to_wrap_up_by_keyboard_alone(house: House) -> None:
    house.rings(number="+31612345670")
    reference = house.rings()
    with house.desk() as page:
        page.context.clear_cookies()
        keys = page.keyboard
        page.goto("/console/")
        for words in (
            (people.ANNA.login, people.PASSWORD),
            (passwords.totp_code(people.SECRET, int(time.time()) // 30),),
        ):
            page.wait_for_function("document.activeElement.matches('input')")
            for number, word in enumerate(words):
                if number:
                    keys.press("Tab")
                keys.type(word)
            keys.press("Enter")
            page.wait_for_load_state("load")
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        listens(page)
        for key in "jjkj":
            keys.press(key)
        expect(page.get_by_role("link", name=reference)).to_be_focused()
        keys.press("Enter")
        expect(page.get_by_role("heading", name=reference)).to_be_visible()
        listens(page)
        keys.press("c")
        expect(page.get_by_role("button", name="Release")).to_be_visible()
        listens(page)
        keys.press("w")
        expect(page.get_by_label("How did it end?")).to_be_focused()
        keys.type("Information")
        while not page.get_by_role("textbox", name="Note", exact=True).evaluate(
            "one => one === document.activeElement"
        ):
            keys.press("Tab")
        keys.type("nqcu, and much more")  # in a field keys are letters
        keys.press("Tab")
        keys.press("Enter")
        expect(page.locator("#request-events")).to_contain_text("nqcu, and much more")
        listens(page)
        keys.press("u")
        expect(page.get_by_role("button", name="Release")).to_be_visible()
        listens(page)
        keys.press("q")
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        listens(page)
        keys.press("/")
        expect(page.locator("#words")).to_be_focused()


def test_single_keys_can_be_turned_off_and_stay_off(house: House) -> None:
    house.rings()
    with house.desk() as page:
        page.goto("/console/")
        listens(page)
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        page.keyboard.press("j")  # not while the list of keys is open
        page.get_by_label("Use these keys").uncheck()
        page.keyboard.press("Escape")
        expect(page.locator("kbd.key").first).to_be_hidden()
        page.reload()
        expect(page.locator("html.scripted")).to_have_count(1)
        page.keyboard.press("j")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)
        assert page.evaluate("document.activeElement === document.body")
        page.get_by_role("button", name="Keys").click()
        page.get_by_label("Use these keys").check()
        presses(page, "Close")
        page.keyboard.press("Control+j")
        expect(page.get_by_role("button", name="Keys")).to_be_focused()
        page.keyboard.press("j")
        page.keyboard.press("c")
        expect(page.get_by_role("button", name="Release")).to_be_visible()


@pytest.mark.parametrize("width, sharpness", [(320, 1), (640, 2)])  # the narrowest screen; a laptop at 200 percent
def test_nothing_is_lost_when_all_is_large(house: House, width: int, sharpness: float) -> None:
    """Axe finds nothing with an alert, a banner and the list of keys on the page, and nothing is wider than it."""
    house.rings(TODAY)
    screen = {"width": width, "height": 400}
    with house.desk("bram", bypass_csp=True, viewport=screen, device_scale_factor=sharpness) as page:
        page.goto("/console/")
        expect(page.get_by_role("link", name="Nieuw: P1")).to_be_visible()
        page.evaluate("document.getElementById('connection').textContent = 'Geen verbinding.'")
        for name in ("", "Toetsen"):
            if name:
                presses(page, name)
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_the_console_works_and_shows_no_dead_buttons(house: House) -> None:
    house.rings()
    with house.desk(java_script_enabled=False) as page:
        page.goto("/console/")
        expect(page.get_by_role("button", name="Mute")).to_be_hidden()
        expect(page.get_by_role("button", name="Keys")).to_be_hidden()
        expect(page.locator("kbd.key").first).to_be_hidden()
        presses(page, "Claim")
        expect(page.get_by_role("button", name="Release")).to_be_visible()
        expect(page.get_by_role("button", name="Keep it")).to_be_hidden()
