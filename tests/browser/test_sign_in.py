"""Signing in with a real browser: it keeps our cookies and runs into no policy, by keyboard alone, for everybody."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from callbacks import passwords, staff
from callbacks.db import Database
from callbacks.demo_agent import DEMO_PASSWORD
from callbacks.staff import Newcomer
from tests.browser.visitor import Visitor, rehearsal, visit
from tests.callbacks.people import CHEAP
from tests.servers import RunningServer

ONE_TIME = "k7qm-x2vp-9rtd-h4wz"
OWN = "tea with seven lemons"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("line") / "line.sqlite3"


@pytest.fixture(scope="module")
def server(database: Path) -> Iterator[RunningServer]:
    """A line with its console, and nobody in the team but the invented agent."""
    with RunningServer(rehearsal(database)) as running:
        yield running


def joins(path: Path, login: str) -> None:
    """Take somebody into the team with a one-time password."""
    database, now = Database(f"sqlite:///{path}"), datetime.now(UTC)
    newcomer = Newcomer(login, login.title(), locale="en")
    database.write(partial(staff.add, newcomer=newcomer, password_hash=CHEAP.hash_one_time(ONE_TIME, now), now=now))
    database.close()


def types(page: Page, *words: str) -> None:
    """Type these into the fields from the focused one on, and press Enter."""
    page.wait_for_load_state("load")
    page.wait_for_function("document.activeElement.matches('input')")  # a browser focuses a field when it has time
    for number, word in enumerate(words):
        if number:
            page.keyboard.press("Tab")
        page.keyboard.type(word)
    page.keyboard.press("Enter")


def reads(visitor: Visitor, language: str) -> None:
    visitor.page.set_extra_http_headers({"Accept-Language": language})


def test_the_first_time_goes_by_keyboard_alone(browser: Browser, server: RunningServer, database: Path) -> None:
    joins(database, "dewi")
    with visit(browser, server.url) as dewi:
        reads(dewi, "en")
        page = dewi.opens("/console/account").page
        types(page, "dewi", ONE_TIME)
        expect(page.get_by_role("heading", name="Welcome, Dewi")).to_be_visible()
        assert page.get_by_alt_text("QR code with the key below").evaluate("image => image.naturalWidth") > 100
        key = page.locator("code.key").inner_text().replace(" ", "")
        types(page, OWN, OWN, passwords.totp_code(key, int(time.time()) // 30))
        expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
        expect(page.get_by_role("listitem")).to_have_count(10)
        page.get_by_role("link", name="I have kept them: go on").press("Enter")
        expect(page.get_by_role("heading", name="Your account")).to_be_visible()
        expect(page.get_by_text("this one")).to_be_visible()
        cookies = {cookie.get("name"): cookie for cookie in page.context.cookies()}
        assert {"__Host-zorglijn", "__Host-zorglijn-page"} <= set(cookies)
        assert all(cookie.get("secure") and cookie.get("httpOnly") for cookie in cookies.values())
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("button", name="Sign out", exact=True).press("Enter")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", name="Your account")).to_have_count(0)
        assert dewi.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "nl"])
def test_everybody_can_use_every_page(
    browser: Browser, server: RunningServer, database: Path, language: str, scheme: Literal["light", "dark"]
) -> None:
    login = f"{language}-{scheme}"
    joins(database, login)
    with visit(browser, server.url, width=320, scheme=scheme, lax=True) as visitor:
        reads(visitor, language)
        page = visitor.opens("/console/account").page

        def is_well(sign: str) -> None:
            expect(page.locator(sign)).to_be_visible()
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert visitor.width == 320, page.url

        is_well("#login")
        types(page, login, "wrong")
        is_well("#sign-in-error")
        types(page, ONE_TIME)
        is_well("code.key")
        key = page.locator("code.key").inner_text().replace(" ", "")
        page.locator("#password").fill(OWN)
        page.locator("#again").fill(OWN)
        page.locator("#code").fill(passwords.totp_code(key, int(time.time()) // 30))
        page.locator("#code").press("Enter")
        is_well(".recovery-codes")
        visitor.opens("/console/account")
        is_well("ul.sessions")


def test_a_rehearsal_needs_no_manual(browser: Browser, server: RunningServer) -> None:
    with visit(browser, server.url, scripts=False) as guest:
        reads(guest, "en")
        page = guest.opens("/console/account").page
        page.get_by_label("Login").fill(page.locator("dd code").nth(0).inner_text())
        page.get_by_label("Password").fill(page.locator("dd code").nth(1).inner_text())
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Six digits").fill(page.locator("p.notice code").inner_text())
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Your account")).to_be_visible()
        assert DEMO_PASSWORD not in page.content()
        assert guest.faults == []
