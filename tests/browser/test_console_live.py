"""The console while things happen: two agents at once, a call that comes in, a claim that ends, a line that is away."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from tests.browser.agents import TODAY, House, catches_up, listens, presses


def test_what_anna_claims_bram_sees_by_itself_and_his_claim_says_so(house: House) -> None:
    reference = house.rings()
    with house.desk("anna") as anna, house.desk("bram") as bram:
        bram.goto("/console/")
        listens(bram)
        bram.get_by_role("button", name="Nemen").focus()
        anna.goto("/console/")
        presses(anna, "Claim")
        expect(anna.get_by_text("Anna has it").first).to_be_visible()
        expect(bram.locator(f"#request-{reference}")).to_contain_text("Anna heeft")  # by itself, within its ten seconds
        expect(bram.get_by_role("link", name=reference)).to_be_focused()  # the button is gone, and he is still there
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
        page.get_by_text("Urgency and need", exact=True).click()
        page.get_by_label("Urgency", exact=True).select_option("P2")
        page.goto(address)
        expect(note).to_have_value("Speaks Tigrinya")
        expect(page.get_by_label("Urgency", exact=True)).to_have_value("P2")
        presses(page, "Show number")  # its address is a button's: nobody can come back to that
        expect(note).to_have_value("Speaks Tigrinya")
        cookies = page.context.cookies()
        page.context.clear_cookies()
        catches_up(page)
        expect(page).to_have_url(f"{house.server.url}/console/sign-in?next={address}")
        page.context.add_cookies(cookies)  # type: ignore[arg-type]  # what was read is what is set
        page.goto(address)
        expect(note).to_have_value("Speaks Tigrinya")
        assert page.evaluate("Object.keys(sessionStorage).filter(name => name.includes('typed')).length") == 2
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
