"""Calling back under attack: nobody is phoned twice, at a number that we do not dial, or by who lost the request."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, update

from callbacks import calling
from callbacks.calling import State
from callbacks.db import Database
from callbacks.errors import AlreadyClaimed, CallInProgress
from callbacks.queue import ByHand
from callbacks.service import callbacks
from ivr import sweeper
from ivr.twiml_verbs import Dial
from tests.callbacks import people
from tests.callbacks.call_house import CallHouse
from tests.callbacks.house import LASTS, NOW, OFFICE
from tests.ivr.line import Line, settings_for
from tests.ivr.test_outgoing import CallBack

PREMIUM = ("+31909123456", "+31900123456", "+88161234567", "+18765551234", "+38670123456")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as opened:
        opened.migrate()
        yield opened


@pytest.fixture
def house(database: Database) -> CallHouse:
    return CallHouse(database)


@pytest.fixture
def clock() -> people.Clock:
    return people.Clock()


@pytest.fixture
def call(database_url: str, clock: people.Clock) -> Iterator[CallBack]:
    line = Line(settings_for(database_url), clock)
    yield CallBack(line, clock)
    line.close()


def dialled(call: CallBack) -> list[str]:
    return [verb.number for verb in call.verbs if isinstance(verb, Dial)]


def test_one_person_is_not_phoned_by_two_agents_at_once(house: CallHouse) -> None:
    """Two requests of one number are linked, and each may be claimed; the phone that rings is the same."""
    first, second = house.calls(phone="+31612345678"), house.calls(phone="+31612345678")
    house.intends(house.anna, first)
    with pytest.raises(CallInProgress) as raised:
        house.intends(house.bram, second)
    assert raised.value.by == "Anna"
    other = house.calls(phone="+31687654321")
    house.intends(house.bram, other)


def test_late_news_of_a_call_that_was_given_up_shortens_nobodys_claim(house: CallHouse) -> None:
    asked = house.calls()
    given_up = house.intends(house.anna, asked)
    house.hears(given_up, State.NOT_PLACED)
    house.hears(house.intends(house.anna, asked), State.RINGING_AGENT, State.CONNECTED)
    holds = house.entry(asked).claim_ends_at
    house.wait(minutes=1)
    house.hears(given_up, State.AGENT_NO_ANSWER)
    assert house.entry(asked).claim_ends_at == holds
    assert holds is not None
    assert holds > house.now + calling.TIME_LIMIT


@pytest.mark.parametrize("number", PREMIUM)
def test_a_number_that_costs_the_line_money_is_not_dialled_however_it_got_into_the_queue(
    call: CallBack, number: str
) -> None:
    """As from a queue that was filled by an older line, by hand, or by whoever could write to the database."""
    change = update(callbacks).where(callbacks.c.public_id == call.request).values(phone=number)
    call.line.house.database.write(lambda c: c.execute(change).rowcount)
    call.picks_up()
    call.presses()
    assert dialled(call) == []
    assert number not in call.answer.text
    assert not call.progress.is_live


def test_a_1_pressed_before_the_phone_was_picked_up_connects_nobody(call: CallBack) -> None:
    call.presses()
    assert dialled(call) == []
    assert call.state() is State.ASKED


def test_every_webhook_of_a_call_in_any_order_many_times_dials_only_while_it_may(call: CallBack) -> None:
    """Eight threads replay what the provider sent, and a month later again: the same end, and no number given away."""
    call.agent("ringing")
    call.picks_up()
    call.presses()
    call.caller("in-progress")
    call.caller("completed")
    call.hears("done", DialCallStatus="completed")
    call.agent("completed")
    assert call.state() is State.ENDED
    before = call.rows()
    events = call.line.house.database.read(lambda c: len(c.execute(select(callbacks)).all()))
    forms: list[tuple[str, dict[str, str]]] = [
        ("status", {"CallStatus": status}) for status in ("queued", "ringing", "in-progress", "completed", "failed")
    ]
    forms += [("caller", {"CallStatus": status}) for status in ("initiated", "ringing", "in-progress", "completed")]
    forms += [("done", {"DialCallStatus": status}) for status in ("completed", "no-answer", "busy", "failed")]
    forms += [("agent", {}), ("connect/1", {"Digits": "1"}), ("connect/2", {"Digits": "1"}), ("connect/1", {})]
    random.Random(3).shuffle(forms)

    def replays(_: int) -> list[str]:
        return [call.post(path, **dict(form)).text for path, form in forms]

    for days in (0, 30):
        call.clock.now += timedelta(days=days)
        with ThreadPoolExecutor(8) as threads:
            answers = list(itertools.chain.from_iterable(threads.map(replays, range(8))))
        assert not any("<Dial" in answer or "<Number" in answer for answer in answers)
    assert call.rows() == before
    assert call.line.house.database.read(lambda c: len(c.execute(select(callbacks)).all())) == events


def test_two_processes_in_which_the_same_button_is_pressed_make_one_call(house: CallHouse, database_url: str) -> None:
    asked = house.calls()
    databases = [Database(database_url, wait_seconds=20) for _ in range(4)]

    def presses(number: int) -> str | None:
        member = (house.anna, house.bram)[number % 2]
        unit = partial(calling.intend, lasts=LASTS)
        try:
            return databases[number % 4].write(lambda c: unit(c, asked, member, house.now, OFFICE))
        except (AlreadyClaimed, CallInProgress):
            return None

    with ThreadPoolExecutor(8) as threads:
        made = [call for call in threads.map(presses, range(16)) if call]
    for database in databases:
        with closing(database):
            pass
    assert len(made) == 1
    assert [row.public_id for row in house.rows()] == made


def test_a_provider_that_names_another_calls_sid_takes_over_neither(house: CallHouse) -> None:
    first, second = house.calls(phone="+31612345678"), house.calls(phone="+31687654321")
    anna, bram = house.intends(house.anna, first), house.intends(house.bram, second)
    house.hears(anna, State.RINGING_AGENT, provider_sid="CA" + "1" * 32)
    assert not house.hears(bram, State.RINGING_AGENT, provider_sid="CA" + "1" * 32)
    assert house.call(anna).provider_sid == "CA" + "1" * 32
    assert house.call(bram).provider_sid is None
    assert house.call(bram).state is State.ASKED
    assert house.hears(bram, State.AGENT_ANSWERED, provider_sid="CA" + "2" * 32)


def test_a_request_added_by_hand_at_the_number_of_another_is_not_phoned_meanwhile(house: CallHouse) -> None:
    first = house.calls(phone="+31612345678")
    second = house.adds(house.bram, ByHand(need="doctor", phone="+31612345678"))
    call = house.intends(house.anna, first)
    with pytest.raises(CallInProgress):
        house.intends(house.bram, second)
    house.hears(call, State.RINGING_AGENT, State.AGENT_NO_ANSWER)
    house.intends(house.bram, second)


def test_a_provider_that_hangs_keeps_no_claim_from_running_out(database: Database) -> None:
    """Every look-up of a call lasts as long as it may, one after the other: the sweep is not to wait for them."""
    hangs, swept = threading.Event(), threading.Semaphore(0)

    class Hanging:
        def reconcile(self) -> int:
            hangs.set()
            threading.Event().wait()
            return 0

    class Board:
        clock = staticmethod(lambda: NOW)

        def __init__(self) -> None:
            self.database = database

        def sweep(self) -> int:
            if not hangs.is_set():
                return 0
            swept.release()
            threading.Event().wait(60)  # a few rounds are enough
            return 0

    sweeper.start(Board(), Hanging(), every_seconds=0.01)  # type: ignore[arg-type]  # all of both that a sweep uses
    assert hangs.wait(20)
    assert swept.acquire(timeout=20)
