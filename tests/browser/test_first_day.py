"""What somebody who tries the line for the first time does, with what the pages themselves say and nothing else."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.browser.visitor import Visitor
from tests.servers import RunningServer

CALLER = "06 20000099"


def signs_in(page: Page) -> None:
    """With the login, the password and the code that the pages of a rehearsal tell."""
    page.goto("/console/")
    told = page.locator(".notice code")
    expect(told).to_have_count(2)
    login, password = told.all_inner_texts()
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    code = told.inner_text()
    page.get_by_label("Six digits from your app").fill(code)
    page.get_by_role("button", name="Sign in").click()


def test_a_call_appears_in_the_queue_is_claimed_phoned_back_and_wrapped_up(
    browser: Browser, server: RunningServer
) -> None:
    context = browser.new_context(base_url=server.url, locale="en-GB", reduced_motion="reduce")
    console, phone = context.new_page(), Visitor(context.new_page(), server.url)
    signs_in(console)
    expect(console.get_by_role("heading", name="Queue")).to_be_visible()
    expect(console.get_by_text("Nobody is waiting here.")).to_be_visible()

    phone.opens().calls(CALLER).clicks("2", "1", "3", "1", "3", "3", "4", "2", "2", "1", "1", "1", "1", "3", "1", "2")
    phone.reaches("speaking", "ended").listens().reaches("ended")

    first = console.locator("ol.list li").first  # by itself: nothing is pressed in the console
    expect(first).to_contain_text("Doctor or hospital")
    first.get_by_role("button", name="Claim").click()
    expect(console.get_by_text("Demo has it")).to_be_visible()
    console.get_by_role("button", name="Call back").click()

    page = phone.page
    page.get_by_role("button", name="Answer", exact=True).click()
    phone.clicks("1").listens()
    page.locator("#other").get_by_role("button", name="Answer", exact=True).click()
    expect(console.locator("#call-course")).to_contain_text("You are connected with the caller.")
    page.get_by_role("button", name="Hang up").click()
    expect(console.locator("#call-course")).to_contain_text("You spoke with each other.")

    console.get_by_label("How did it end?").select_option(label="Information given")
    console.get_by_role("button", name="Wrap up", exact=True).click()
    expect(console.get_by_text("Wrapped up.").first).to_be_visible()
    console.get_by_role("link", name="Queue", exact=True).click()
    expect(console.get_by_text("Nobody is waiting here.")).to_be_visible()
    context.close()
