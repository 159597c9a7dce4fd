"""Takes the pictures of the phone and of the console for the README: `make screenshots`.

Starts the line on a database of its own that is thrown away, calls it as a visitor would, and photographs the pages
narrow and wide, light and dark; then what the team sees, in English and in Dutch.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
sys.path.insert(0, str(ROOT))

from callbacks.db import Database  # noqa: E402  the rooms lie one folder up
from callbacks.demo import fill  # noqa: E402
from settings import Settings  # noqa: E402
from tests.browser.test_console import desk  # noqa: E402
from tests.browser.visitor import Visitor, visit  # noqa: E402
from tests.servers import RunningServer, chromium  # noqa: E402

TRIAGE = ("2", "1", "3", "1", "3", "3", "4", "2", "2")  # English, a doctor, can wait, an adult, none of these
CALLBACK = ("1", "1", "1", "2", "3", "1", "2")  # yes, this number, a message is safe, English, any time, here, stop


@dataclass(frozen=True)
class Series:
    """The pictures of one call, by a visitor with this window."""

    name: str
    size: tuple[int, int]
    scheme: Literal["light", "dark"]
    from_: str
    moments: tuple[str, ...]


SERIES = (
    Series("wide", (1200, 760), "light", "06 12345678", ("ready", "call", "queue")),
    Series("wide-dark", (1200, 760), "dark", "06 23456789", ("call",)),
    Series("narrow", (390, 844), "light", "06 34567890", ("ready", "call", "queue")),
    Series("narrow-dark", (390, 844), "dark", "06 45678901", ("call",)),
)


@dataclass(frozen=True)
class Agent:
    """Whose console is photographed, in what window; Anna reads English, Bram Dutch."""

    name: str
    login: str
    size: tuple[int, int]
    scheme: Literal["light", "dark"]


AGENTS = (
    Agent("wide", "anna", (1200, 760), "light"),
    Agent("narrow-nl", "bram", (390, 844), "light"),
    Agent("wide-dark-nl", "bram", (1200, 760), "dark"),
)


def main() -> None:
    """Take every picture and say where each is."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="zorglijn-pictures-") as home, sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium(), args=sandbox)
        with RunningServer({"DATABASE_URL": f"sqlite:///{home}/line.sqlite3"}) as server:
            for picture in SERIES:
                _photograph(browser, server.url, picture)
            _invent_requests(f"sqlite:///{home}/line.sqlite3")
            for agent in AGENTS:
                _photograph_console(browser, server, f"sqlite:///{home}/line.sqlite3", agent)
        browser.close()


def _photograph(browser: Browser, url: str, series: Series) -> None:
    width, height = series.size
    with visit(browser, url, width=width, height=height, scheme=series.scheme, sharpness=1.5) as visitor:
        visitor.opens()
        _take(visitor, series, "ready")
        visitor.calls(series.from_).clicks("2", "1", "3").listens()
        visitor.page.wait_for_timeout(300)  # the last key pops up again
        _take(visitor, series, "call")
        visitor.clicks(*TRIAGE[3:], *CALLBACK).listens().reaches("ended")
        _take(visitor, series, "queue")
        if visitor.faults:
            raise SystemExit(f"{series.name}: {visitor.faults}")


def _invent_requests(database: str) -> None:
    """Let the team have a day's work of all kinds, beside the calls of the pictures before."""
    store = Database(database)
    fill(store, datetime.now(UTC), Settings.from_env({}).organisation.hours)
    store.close()


def _photograph_console(browser: Browser, server: RunningServer, database: str, agent: Agent) -> None:
    """The queue, and a request in it that is refused care and cannot wait."""
    width, height = agent.size
    window = {"width": width, "height": height}
    with desk(browser, server, database, agent.login, viewport=window, color_scheme=agent.scheme) as context:
        page = context.new_page()
        for moment in ("queue", "request"):
            page.goto("/console/" if moment == "queue" else "/console/?urgency=P1&need=pregnancy")
            if moment == "request":
                page.locator("ol.list a").first.click()
                page.locator("#request-status").wait_for()
            path = PICTURES / f"console-{agent.name}-{moment}.png"
            page.screenshot(path=path)
            print(path.relative_to(ROOT))


def _take(visitor: Visitor, series: Series, moment: str) -> None:
    """Photograph a moment of the call, if the series shows it; the queue with all that lies below the window."""
    if moment in series.moments:
        path = PICTURES / f"phone-{series.name}-{moment}.png"
        visitor.page.screenshot(path=path, full_page=moment == "queue")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
