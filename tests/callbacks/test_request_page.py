"""One request's page: why it is as urgent, the call in words, one history, and only the buttons that work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from callbacks import call_log
from callbacks.call_log import HeardStep, Taken
from callbacks.lifecycle import Disposition
from callbacks.queue import ByHand
from tests.callbacks import people
from tests.callbacks.house import ASKED, NOW, House
from tests.callbacks.people import Clock, console, database_of, sqlite
from tests.callbacks.test_queue_page import Office, later, opens, text

PAYLOAD = "<script>alert(1)</script>"
NUMBER = "+31612345678"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    made = console(sqlite(tmp_path), clock)
    yield made
    database_of(made).close()


@pytest.fixture
def anna(app: Flask) -> FlaskClient:
    return people.signed_in_client(app, "anna")


@pytest.fixture
def house(app: Flask, anna: FlaskClient) -> House:
    """The office; Anna is in the team before it opens."""
    return Office(database_of(app))


def page_of(client: FlaskClient, public_id: str) -> str:
    return opens(client, f"/console/requests/{public_id}")


def presses(client: FlaskClient, public_id: str, button: str, **form: str) -> str:
    form["csrf_token"] = people.csrf_token(client)
    return client.post(f"/console/requests/{public_id}/{button}", data=form, follow_redirects=True).text


def section(page: str, title: str) -> str:
    """What stands under this heading, as text."""
    found = re.search(rf'<h2 id="{title}-title">.*?</section>', page, re.DOTALL)
    assert found, title
    return text(found[0])


def buttons(page: str) -> list[str]:
    """The buttons at the top."""
    found = re.search(r'<div id="request-buttons".*?\n</div>', page, re.DOTALL)
    assert found
    return [text(button).split()[0] for button in re.findall(r"<button.*?</button>", found[0], re.DOTALL)]


def calls_with(house: House, *heard: HeardStep) -> str:
    """A call in which this was heard, and the request that it left."""
    asked = house.calls()
    call = house.database.read(lambda c: call_log.find_call(c, _sid(house)))
    assert call is not None
    for number, step in enumerate((HeardStep(), *heard)):
        taken = Taken(number, NOW, step, "{}", json.dumps(["triage_need"]))
        house.database.write(partial(call_log.record_step, call_id=call.id, step=taken))
    return asked


def _sid(house: House) -> str:
    return house.database.read(lambda c: str(c.exec_driver_sql("SELECT sid FROM calls ORDER BY id DESC").scalar()))


def test_the_page_says_why_it_is_as_urgent_as_it_is(house: House, anna: FlaskClient) -> None:
    answers = {"danger": "no", "need": "doctor", "who": "child", "group": "none", "refused": "yes"}
    asked = house.calls(replace(ASKED, outcome="refused_priority", urgency=2, answers=answers, flags=["bleeding"]))
    house.calls()
    presses(anna, asked, "retriage", urgency="P3", need="medicine", reason="spoke to the midwife")
    why = section(page_of(anna, asked), "conclusion")
    assert "Why P3 Child or pregnancy, refused: mediate" in why
    assert (
        "Because the caller answered: Who is it for? A child under 18 Did a care provider say no? Was refused care The"
        in why
    )
    assert (
        "What else the caller answered Danger now? No danger What help? Doctor or hospital Asylum, passport or permit? "
        "None of these, or not said" in why
    )
    assert "The caller used words of danger: bleeding" in why
    assert "P2 → P1: the same number called again (10:00)" in why
    assert "P1 → P3: Anna: spoke to the midwife (10:00)" in why


@pytest.mark.parametrize(
    "outcome, told", [("incomplete", "ask what is missing"), ("likely_intake", "Because the caller answered:")]
)
def test_a_triage_that_was_not_finished_says_so(house: House, anna: FlaskClient, outcome: str, told: str) -> None:
    asked = house.calls(outcome=outcome, answers={"group": "none"})
    assert told in section(page_of(anna, asked), "conclusion")


def test_the_call_is_told_in_words_with_how_sure_that_is(house: House, anna: FlaskClient) -> None:
    said = HeardStep("triage_need", "match", "teeth", "speech", None, "mijn kies doet pijn", 0.81)
    asked = calls_with(
        house, HeardStep("triage_danger", "match", "no", "digits", "3"), said, HeardStep("x", "no_input")
    )
    call = section(page_of(anna, asked), "call")
    assert "4 turns, Tue 24 Nov 10:00" in call
    assert "Caller: No danger (key 3)" in call
    assert "Caller: Teeth mijn kies doet pijn (81 percent sure)" in call
    assert "Caller: Nothing: silence" in call
    assert "Voor medicijnen, druk op 2." in call


def test_a_long_call_is_folded_and_a_short_one_is_open(house: House, anna: FlaskClient) -> None:
    heard = [HeardStep("triage_danger", "no_input")] * 3
    assert '<details class="told-call" open>' in page_of(anna, calls_with(house, *heard))
    assert '<details class="told-call">' in page_of(anna, calls_with(house, *heard, *heard))


def test_a_number_that_was_keyed_is_only_shown_on_a_click(house: House, anna: FlaskClient) -> None:
    asked = calls_with(house, HeardStep("callback_number_entry", "match", NUMBER, "digits", "0612345678"))
    page = page_of(anna, asked)
    assert "A phone number" in page
    assert "0612345678" not in page
    assert NUMBER not in page
    assert NUMBER in presses(anna, asked, "number")


def test_calls_of_the_number_and_the_teams_work_are_one_history(house: House, anna: FlaskClient) -> None:
    first = house.calls()
    house.wait(minutes=1)
    asked = house.calls()
    house.wait(minutes=1)
    house.notes(house.bram, asked, "rang twice")
    house.wait(minutes=1)
    third = house.calls()
    history = section(page_of(anna, asked), "happened")
    references = [house.entry(one).reference for one in (first, third)]
    order = [references[0], "Asked to be called back (this request)", "Note (Bram) rang twice", references[1]]
    assert [history.index(words) for words in order] == sorted(history.index(words) for words in order)
    assert f'href="/console/requests/{first}">{references[0]}' in page_of(anna, asked)
    assert "Same number, perhaps not the same person:" in page_of(anna, asked)


def test_a_change_of_urgency_and_need_is_kept_before_and_after(house: House, anna: FlaskClient) -> None:
    asked = house.calls()
    page = presses(anna, asked, "retriage", urgency="P1", need="medicine", reason="insulin runs out today")
    assert "Changed: the due time follows the new urgency." in page
    assert (house.entry(asked).urgency.name, house.entry(asked).need) == ("P1", "medicine")
    assert (
        "Urgency or need changed (Anna): P3 → P1, Doctor or hospital → Medicine insulin runs out today"
        in section(page, "happened")
    )  # fmt: skip


@pytest.mark.parametrize("form", [{"urgency": "P1", "reason": " "}, {"urgency": "P9", "reason": "so"}, {}])
def test_a_change_of_urgency_needs_an_urgency_and_a_reason(
    house: House, anna: FlaskClient, form: dict[str, str]
) -> None:
    asked = house.calls()
    assert "Something is missing" in presses(anna, asked, "retriage", **form)
    assert house.entry(asked).urgency.name == "P3"


def test_undo_is_there_for_its_minute_only(house: House, app: Flask, anna: FlaskClient, clock: Clock) -> None:
    asked = house.claims(house.anna, house.calls())
    assert "Undo" not in buttons(page_of(anna, asked))
    house.wraps_up(house.anna, asked, Disposition.INFORMATION_GIVEN)
    page = page_of(anna, asked)
    assert "Undo" in buttons(page)
    assert "You can take the wrap-up back until 10:01:00." in page
    clock.now += timedelta(seconds=61)
    assert "Undo" not in buttons(page_of(anna, asked))
    assert "Taking back is possible for one minute only." in presses(anna, asked, "undo")


def test_the_top_has_the_buttons_that_work(house: House, anna: FlaskClient) -> None:
    asked = house.calls()
    assert buttons(page_of(anna, asked)) == ["Claim"]
    house.claims(house.bram, asked)
    page = page_of(anna, asked)
    assert buttons(page) == ["Next"]
    assert "Bram has it" in page
    assert "Cancel request" not in page
    assert "/retriage" not in page
    house.releases(house.bram, asked)
    house.claims(house.anna, asked)
    assert buttons(page_of(anna, asked)) == ["Release"]


def test_a_colleague_who_was_faster_is_named_with_what_to_do(house: House, anna: FlaskClient) -> None:
    asked = house.claims(house.bram, house.calls())
    page = presses(anna, asked, "claim")
    assert "Bram has this request already. Press Next for another one, or ask." in page
    assert "Bram has this request: ask, or claim it when it is free again." in presses(
        anna, asked, "cancel", reason="x"
    )


def test_a_claim_that_ran_out_is_in_the_history_and_said_to_whoever_had_it(
    house: House, app: Flask, anna: FlaskClient, clock: Clock
) -> None:
    asked = house.claims(house.anna, house.calls())
    anna = later(app, clock, minutes=31)
    house.now = clock.now
    house.sweeps()
    page = page_of(anna, asked)
    assert "Anna had it and left it alone: it went back to the queue by itself." in page
    assert "The claim ran out (Anna)" in section(page, "happened")
    assert "your time for it was over. Claim it, and do it again." in presses(anna, asked, "release")


def test_the_setting_says_how_long_a_claim_lasts(tmp_path: Path, clock: Clock) -> None:
    made = tmp_path / "organisation.toml"
    standing = Path(__file__).parents[2] / "organisation.toml"
    made.write_text(standing.read_text(encoding="utf-8").replace("claim_minutes = 30", "claim_minutes = 45"), "utf-8")
    app = console(sqlite(tmp_path), clock, ORGANISATION_FILE=str(made))
    anna = people.signed_in_client(app, "anna")
    house = Office(database_of(app))
    assert "until 10:45" in text(presses(anna, house.calls(), "claim"))
    house.calls(phone="+31612340002")
    answer = anna.post("/console/next", data={"csrf_token": people.csrf_token(anna)}, follow_redirects=True)
    assert "until 10:45" in text(answer.text)
    database_of(app).close()


def test_whoever_came_without_a_phone_is_found_by_the_reference(house: House, anna: FlaskClient) -> None:
    asked = house.adds(house.anna, ByHand("doctor", note="waits outside"))
    page = text(page_of(anna, asked))
    assert f"knows the reference {house.entry(asked).reference}" in page
    assert "Added by hand (Anna) waits outside" in page


def test_nothing_that_anybody_said_or_wrote_becomes_code(house: House, anna: FlaskClient) -> None:
    spoken = HeardStep("triage_need", "match", PAYLOAD, "speech", None, PAYLOAD, 0.5)
    keyed = HeardStep(PAYLOAD, "no_match", PAYLOAD, "digits", PAYLOAD)
    asked = calls_with(house, spoken, keyed)
    house.notes(house.bram, asked, PAYLOAD)
    presses(anna, asked, "retriage", urgency="P1", need=PAYLOAD, reason=PAYLOAD)
    presses(anna, asked, "claim")
    presses(anna, asked, "wrap-up", disposition="referred", referral="other", referral_other=PAYLOAD, note=PAYLOAD)
    second = house.calls(
        outcome=PAYLOAD, flags=[PAYLOAD], answers={"need": PAYLOAD, "group": PAYLOAD}, language=PAYLOAD[:8]
    )
    presses(anna, second, "cancel", reason=PAYLOAD)
    for public_id in (asked, second):
        page = page_of(anna, public_id)
        assert "<script>" not in page
        assert page.count("&lt;script&gt;") >= 4
