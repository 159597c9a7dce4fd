"""The console while things happen: two agents at once, a call that comes in, a line that is away, sound, and keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from sqlalchemy import update

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


def row(page: Page, reference: str) -> str:
    return f"#request-{reference}"


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
        expect(page.locator(f"#request-{urgent}")).to_have_attribute("data-new", "new")
        expect(page.locator("#said")).to_have_text("1 new urgent request")
