"""Agents at work in real browsers: a line of their own, callers, and pages that keep themselves up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from sqlalchemy import select, update

from callbacks.db import Database
from callbacks.service import callbacks
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


def catches_up(page: Page) -> None:
    """Let the page ask at once, as it does when somebody comes back to its window."""
    page.evaluate("window.dispatchEvent(new Event('focus'))")


def presses(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def listens(page: Page) -> None:
    """Wait until the page listens to single keys."""
    expect(page.locator("html.keys")).to_have_count(1)
