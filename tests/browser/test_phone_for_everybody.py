"""The phone in the browser for everybody: by keyboard alone, on a small screen, in the dark, with a screen reader."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.visitor import StartServer, Visitor, rehearsal, visit
from tests.servers import RunningServer

Scheme = Literal["light", "dark"]


def test_every_control_of_a_call_can_be_reached_and_seen_by_keyboard(visitor: Visitor) -> None:
    visitor.calls("06 20000002").clicks("2")
    visitor.listens()
    page = visitor.page
    page.evaluate("document.activeElement.blur()")
    reached: set[str] = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.dataset.key || ''"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or page.evaluate("document.activeElement === document.body")
    keys = set("1234567890*#")
    wanted = {"hang-up", "captions", "words-to-say", "send", "stay-silent", "sound", "by-itself", "number-keys"}
    assert wanted | keys <= reached


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_has_to_be_scrolled_sideways(browser: Browser, server: RunningServer, width: int) -> None:
    with visit(browser, server.url, width=width, height=568) as visitor:
        visitor.opens()
        assert visitor.width == width
        visitor.calls("anonymous", withheld=True).clicks("2", "0", "1").listens()
        for key in "0031612345678":
            visitor.page.keyboard.press(key)
        assert visitor.width == width
        visitor.page.keyboard.press("#")
        visitor.clicks("1", "1", "1", "1", "1", "2").listens().reaches("ended")
        assert visitor.width == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_wherever_the_call_stands(
    browser: Browser, start_server: StartServer, tmp_path: Path, width: int, scheme: Scheme
) -> None:
    server = start_server(rehearsal(tmp_path / "line.sqlite3"))
    with visit(browser, server.url, width=width, scheme=scheme, lax=True) as visitor:
        _is_accessible(visitor.opens())
        _is_accessible(visitor.calls().reaches("speaking"))
        _is_accessible(visitor.clicks("2", "0").listens())
        visitor.clicks("1", "1", "1", "1", "1", "1", "2").listens().reaches("ended")
        _is_accessible(visitor)
        visitor.page.get_by_role("button", name="Call again").click()
        visitor.listens()
        server.kill_hard()
        visitor.page.keyboard.press("2")
        expect(visitor.page.get_by_role("alert")).to_contain_text("The line does not answer")
        _is_accessible(visitor)


def test_without_scripts_the_page_says_how_else_to_call(browser: Browser, server: RunningServer) -> None:
    with visit(browser, server.url, scripts=False) as visitor:
        visitor.opens()
        expect(visitor.page.get_by_text("zorglijn rehearse")).to_be_visible()
        expect(visitor.page.get_by_role("button", name="Call", exact=True)).to_be_hidden()


def _is_accessible(visitor: Visitor) -> None:
    results = Axe().run(visitor.page)
    assert results.violations_count == 0, results.generate_report()
