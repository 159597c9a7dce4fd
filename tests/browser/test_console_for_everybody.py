"""The console for everybody: sound that can be muted, single keys, the keyboard alone, all of it large, no scripts."""

from __future__ import annotations

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from callbacks import passwords
from tests.browser.agents import EARS, TODAY, House, catches_up, listens, presses
from tests.callbacks import people


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
        expect(page.locator("#login")).to_be_focused()
        keys.type(people.ANNA.login)
        keys.press("Tab")
        keys.type(people.PASSWORD)
        keys.press("Enter")
        expect(page.locator("#code")).to_be_focused()
        keys.type(passwords.totp_code(people.SECRET, int(time.time()) // 30))
        keys.press("Enter")
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
