"""One click, one call: whatever the provider answers, whoever else clicks, and wherever a process dies."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import Connection

from callbacks import calling
from callbacks.call_states import PATIENCE, State, silence_of
from callbacks.db import Database
from callbacks.errors import AlreadyClaimed, CallInProgress, DatabaseUnavailable
from callbacks.provider import TwilioProvider
from callbacks.provider_wire import Wire
from callbacks.ringing import Ringer
from callbacks.staff import Member
from ivr import sweeper
from settings import HERE
from tests.callbacks.call_house import LINE, PHONES, CallHouse
from tests.callbacks.house import NOW, OFFICE
from tests.standins import twilio_api as twilio
from tests.standins.twilio_api import ACCOUNT, TOKEN, Behaviour, MadeCall, TwilioApi

BASE_URL = "https://line.example.org"
SILENT = 15.001  # seconds: after this, a call of which nothing was heard is looked up


class Exchange(CallHouse):
    """The office, its ringer, and the provider: a pause takes no time, but the clock goes on."""

    def __init__(self, database: Database, api: TwilioApi) -> None:
        super().__init__(database)
        self.api, self.slept = api, list[float]()
        api.now = lambda: self.now
        self.ringer = self.new_ringer()

    def new_ringer(self, line_number: str | None = LINE, answer_seconds: float = 0.3) -> Ringer:
        """As another process has it."""
        wire = Wire(self.api.url, connect_seconds=1, answer_seconds=answer_seconds)
        return Ringer(
            self.database,
            TwilioProvider(ACCOUNT, TOKEN, wire),
            lambda: self.now,
            BASE_URL,
            line_number,
            sleep=self.sleep,
            start=lambda work: work(),
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.wait(seconds=seconds)

    def rings(self, asked: str, member: Member | None = None) -> str:
        """An agent presses Call back, and the provider is asked."""
        call = self.intends(member or self.anna, asked)
        self.ringer.place(call)
        return call

    def somebody_elses_call(self, to: str = PHONES["anna"], from_: str = LINE) -> MadeCall:
        """A call of this account that is not ours."""
        return self.api.make({"To": [to], "From": [from_]})


@pytest.fixture
def api() -> Iterator[TwilioApi]:
    with TwilioApi() as standing_in:
        yield standing_in


@pytest.fixture
def exchange(database_url: str, api: TwilioApi) -> Iterator[Exchange]:
    database = Database(database_url)
    database.migrate()
    yield Exchange(database, api)
    database.close()


@pytest.fixture
def quick(tmp_path_factory: pytest.TempPathFactory, api: TwilioApi) -> Iterator[Exchange]:
    """For what does not depend on the database."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('quick') / 'zorglijn.sqlite3'}")
    database.migrate()
    yield Exchange(database, api)
    database.close()


def test_the_agents_phone_rings(exchange: Exchange) -> None:
    asked = exchange.calls()
    call = exchange.rings(asked)
    (made,) = exchange.api.calls
    assert (made.form["To"], made.form["From"]) == ([PHONES["anna"]], [LINE])
    assert made.form["Url"] == [f"{BASE_URL}/voice/callback/{call}/agent"]
    assert made.form["StatusCallback"] == [f"{BASE_URL}/voice/callback/{call}/status"]
    assert (exchange.progress(asked).state, exchange.call(call).provider_sid) == (State.RINGING_AGENT, made.sid)


@pytest.mark.parametrize("behaviour, code", [(twilio.invalid_number, "21211"), (twilio.unauthenticated, "20003")])
def test_a_refused_call_has_ended_and_may_be_tried_again(exchange: Exchange, behaviour: Behaviour, code: str) -> None:
    asked = exchange.calls()
    exchange.api.next(behaviour)
    exchange.rings(asked)
    assert (exchange.progress(asked).state, exchange.progress(asked).error) == (State.FAILED, code)
    exchange.rings(asked)
    assert exchange.progress(asked).state is State.RINGING_AGENT


def test_a_provider_that_was_asked_too_often_is_asked_again_politely(quick: Exchange) -> None:
    asked = quick.calls()
    quick.api.next(twilio.too_many)
    quick.rings(asked)
    assert (quick.progress(asked).state, quick.slept, len(quick.api.calls)) == (State.RINGING_AGENT, [1.0], 1)


def test_and_not_for_ever(quick: Exchange) -> None:
    asked = quick.calls()
    quick.api.next(*[twilio.too_many] * 3)
    quick.rings(asked)
    assert (quick.progress(asked).state, quick.progress(asked).error) == (State.FAILED, "busy")
    assert (quick.api.asked("POST"), quick.api.calls) == (3, [])


@pytest.mark.parametrize(
    "behaviour",
    [
        twilio.broken_after_making,
        twilio.slow,
        twilio.cut_off,
        twilio.cut_json,
        twilio.html,
        twilio.drip,
        twilio.nonsense,
        twilio.nameless,
    ],
)
def test_a_call_that_was_made_without_a_clear_answer_is_found_and_not_made_again(
    quick: Exchange, behaviour: Behaviour
) -> None:
    asked = quick.calls()
    quick.api.next(behaviour)
    call = quick.rings(asked)
    assert (quick.api.asked("POST"), len(quick.api.calls)) == (1, 1)
    assert quick.call(call).provider_sid == quick.api.calls[0].sid
    assert (quick.progress(asked).state, quick.slept) == (State.RINGING_AGENT, [1.0])


@pytest.mark.parametrize("behaviour", [twilio.broken, twilio.hung, twilio.redirect_to("https://example.org/")])
def test_a_call_that_was_not_made_is_known_after_two_looks(quick: Exchange, behaviour: Behaviour) -> None:
    asked = quick.calls()
    quick.api.next(behaviour)
    quick.rings(asked)
    assert (quick.progress(asked).state, quick.slept) == (State.NOT_PLACED, [1.0, 2.0, 3.0, 21.0])
    assert (quick.api.asked("POST"), quick.api.calls) == (1, [])
    quick.rings(asked)
    assert len(quick.api.calls) == 1


def test_a_call_that_is_listed_late_is_found_all_the_same(quick: Exchange) -> None:
    """A look in vain, soon after, concludes nothing."""
    asked = quick.calls()
    quick.api.next(twilio.hung)
    late = list[MadeCall]()

    def sleep(seconds: float) -> None:
        quick.sleep(seconds)
        if len(quick.slept) == 3:
            late.append(quick.somebody_elses_call())

    quick.ringer = quick.new_ringer()
    quick.ringer._lookout._sleep = sleep
    call = quick.rings(asked)
    assert quick.call(call).provider_sid == late[0].sid


def test_a_provider_that_cannot_be_reached_at_all_made_no_call(quick: Exchange) -> None:
    with TwilioApi() as gone:
        url = gone.url
    quick.ringer = Ringer(
        quick.database, TwilioProvider(ACCOUNT, TOKEN, Wire(url)), lambda: quick.now, BASE_URL, LINE, sleep=quick.sleep
    )
    asked = quick.calls()
    quick.rings(asked)
    assert (quick.progress(asked).state, quick.progress(asked).error) == (State.FAILED, "unreachable")


def test_two_answers_to_one_request_are_one_call(quick: Exchange) -> None:
    quick.api.next(twilio.answered_twice)
    quick.rings(quick.calls())
    assert len(quick.api.calls) == 1


def test_where_the_provider_makes_two_calls_of_one_request_only_one_is_ours(quick: Exchange) -> None:
    quick.api.next(twilio.made_twice)
    asked = quick.calls()
    call = quick.rings(asked)
    ours, other = quick.api.calls
    assert not quick.hears(call, State.AGENT_ANSWERED, provider_sid=other.sid)
    assert quick.hears(call, State.AGENT_ANSWERED, provider_sid=ours.sid)


def test_only_a_call_that_is_nobody_elses_is_adopted(quick: Exchange) -> None:
    """The agent was rung a moment ago for another request, and by somebody who only uses the same account."""
    earlier = quick.rings(quick.calls())
    quick.hears(earlier, State.AGENT_NO_ANSWER)
    quick.somebody_elses_call(from_="+31409999999")
    quick.somebody_elses_call(to=PHONES["bram"])
    asked = quick.calls(phone="+31687654321")
    quick.api.next(twilio.hung)
    quick.rings(asked)
    assert quick.progress(asked).state is State.NOT_PLACED


def test_of_several_the_newest_is_ours(quick: Exchange) -> None:
    quick.somebody_elses_call()
    quick.wait(seconds=20)
    quick.api.next(twilio.cut_off)
    call = quick.rings(quick.calls())
    assert quick.call(call).provider_sid == quick.api.calls[1].sid


def test_news_that_comes_before_the_answer_spares_the_look(quick: Exchange) -> None:
    asked = quick.calls()

    def rung(exchange: twilio.Exchange) -> None:
        exchange.make()
        quick.hears(quick.progress(asked).public_id, State.AGENT_ANSWERED, provider_sid=quick.api.calls[0].sid)
        exchange.send(503, b"{}")

    quick.api.next(rung)
    quick.rings(asked)
    assert quick.progress(asked).state is State.AGENT_ANSWERED
    assert quick.api.asked("GET") == 0


def test_while_the_list_fails_nothing_is_concluded(exchange: Exchange) -> None:
    asked = exchange.calls()
    exchange.api.list_fails = True
    exchange.api.next(twilio.hung)
    exchange.rings(asked)
    assert exchange.progress(asked).state is State.UNCERTAIN
    with pytest.raises(CallInProgress):
        exchange.intends(exchange.anna, asked)
    exchange.wait(minutes=1)
    assert exchange.ringer.reconcile() == 0
    exchange.wait(minutes=10)
    assert exchange.ringer.reconcile() == 1
    assert exchange.progress(asked).state is State.NOT_PLACED


def test_a_click_whose_process_died_before_the_provider_was_asked_ends(exchange: Exchange) -> None:
    asked = exchange.calls()
    exchange.intends(exchange.anna, asked)
    exchange.wait(seconds=14)
    assert exchange.ringer.reconcile() == 0
    assert exchange.api.requests == []
    exchange.wait(seconds=1)
    exchange.ringer.reconcile()
    assert (exchange.progress(asked).state, exchange.api.asked("POST")) == (State.NOT_PLACED, 0)
    assert exchange.entry(asked).claimed_by == "Anna"
    assert exchange.now - NOW < timedelta(minutes=2)


def test_every_sweep_is_free_to_find_it(quick: Exchange) -> None:
    """Two workers sweep, and the first to look is not the first to look again."""
    asked = quick.calls()
    quick.intends(quick.anna, asked)
    quick.wait(seconds=SILENT)
    others = quick.new_ringer()
    others._lookout._start = lambda work: None
    assert others.reconcile() == 0
    quick.wait(seconds=45)
    assert others.reconcile() == 1
    assert quick.ringer.reconcile() == 0
    assert len(quick.told(asked, "called")) == 1


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from callbacks import calling, staff
from callbacks.db import Database
from callbacks.provider import TwilioProvider
from callbacks.provider_wire import Wire
from callbacks.ringing import Ringer
from tests.callbacks.house import OFFICE
from tests.standins.twilio_api import ACCOUNT, TOKEN
url, api_url, asked, moment, when = sys.argv[1:]
now, database, real = datetime.fromisoformat(moment), Database(url), TwilioProvider(ACCOUNT, TOKEN, Wire(api_url))
class Deadly:
    find = real.find
    def place(self, wanted):
        if when == "after":
            real.place(wanted)
        os.kill(os.getpid(), signal.SIGKILL)
anna = database.read(lambda c: staff.by_login(c, "anna"))
call = database.write(lambda c: calling.intend(c, asked, anna, now, OFFICE))
Ringer(database, Deadly(), lambda: now, "https://line.example.org", "+31401234567").place(call)
"""


@pytest.mark.parametrize("when, state, calls", [("before", State.NOT_PLACED, 0), ("after", State.RINGING_AGENT, 1)])
def test_a_process_killed_in_mid_call_leaves_nothing_behind(
    exchange: Exchange, database_url: str, when: str, state: State, calls: int
) -> None:
    asked = exchange.calls()
    known = [database_url, exchange.api.url, asked, exchange.now.isoformat(), when]
    killed = subprocess.run([sys.executable, "-c", KILLED, *known], cwd=HERE, check=False, timeout=50)
    assert killed.returncode == -signal.SIGKILL
    assert exchange.progress(asked).state is State.ASKED
    exchange.wait(seconds=SILENT)
    exchange.ringer.reconcile()
    assert (exchange.progress(asked).state, len(exchange.api.calls)) == (state, calls)


@pytest.mark.parametrize(
    "heard, status, expected",
    [
        (State.RINGING_AGENT, "no-answer", State.AGENT_NO_ANSWER),
        (State.RINGING_AGENT, "canceled", State.AGENT_NO_ANSWER),
        (State.RINGING_AGENT, "failed", State.FAILED),
        (State.RINGING_AGENT, "in-progress", State.AGENT_ANSWERED),
        (State.AGENT_ANSWERED, "completed", State.AGENT_DECLINED),
        (State.RINGING_CALLER, "completed", State.CALLER_NO_ANSWER),
        (State.CONNECTED, "completed", State.ENDED),
        (State.CONNECTED, "in-progress", State.CONNECTED),
    ],
)
def test_a_call_of_which_nothing_is_heard_any_more_is_asked_after(
    quick: Exchange, heard: State, status: str, expected: State
) -> None:
    asked = quick.calls()
    quick.hears(quick.rings(asked), heard)
    quick.wait(seconds=silence_of(heard).total_seconds() - 1)
    quick.ringer.reconcile()
    assert quick.api.asked("GET") == 0
    quick.wait(seconds=1.001)
    quick.api.calls[0].status = status
    quick.ringer.reconcile()
    assert quick.progress(asked).state is expected
    assert quick.api.asked("POST") == 1


@pytest.mark.parametrize("heard, end", [(State.RINGING_AGENT, State.AGENT_NO_ANSWER), (State.CONNECTED, State.ENDED)])
def test_no_call_stays_live_for_ever_whatever_the_provider_says(quick: Exchange, heard: State, end: State) -> None:
    asked = quick.calls()
    quick.hears(quick.rings(asked), heard)
    quick.api.calls[0].status = "ringing" if heard is State.RINGING_AGENT else "in-progress"
    quick.wait(seconds=(silence_of(heard) + PATIENCE).total_seconds() + 0.001)
    assert quick.ringer.reconcile() == 1
    assert quick.progress(asked).state is end


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """All of them at the same moment; what each gave or raised."""
    together = Barrier(len(works))

    def do(work: Callable[[], object]) -> object:
        together.wait()
        try:
            return work()
        except (AlreadyClaimed, CallInProgress) as error:
            return error

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(do, works))


def test_two_agents_and_doubled_clicks_at_once_make_one_call(exchange: Exchange) -> None:
    asked = exchange.calls()
    clicks: list[Callable[[], object]] = [
        partial(exchange.rings, asked, member) for member in (exchange.anna, exchange.bram) for _ in range(4)
    ]
    outcomes = at_once(clicks)
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert (exchange.api.asked("POST"), len(exchange.api.calls), len(exchange.rows())) == (1, 1, 1)


def test_one_agent_with_two_pages_open_makes_one_call(exchange: Exchange) -> None:
    requests = [exchange.calls(phone=f"+3168765432{number}") for number in range(4)]
    at_once([partial(exchange.rings, asked) for asked in requests])
    assert len(exchange.api.calls) == 1


def test_a_row_is_placed_once_however_many_try(exchange: Exchange) -> None:
    call = exchange.intends(exchange.anna, exchange.calls())
    at_once([partial(exchange.new_ringer().place, call) for _ in range(6)])
    assert exchange.api.asked("POST") == 1


def test_a_request_that_was_taken_away_in_between_rings_nobody(quick: Exchange) -> None:
    asked = quick.calls()
    call = quick.intends(quick.anna, asked)
    quick.takes_away(asked)
    quick.ringer.place(call)
    assert (quick.progress(asked).state, quick.api.requests) == (State.STOPPED, [])


def test_without_a_phone_or_a_number_of_the_line_the_call_ends_and_says_why(quick: Exchange) -> None:
    first = quick.calls()
    call = quick.intends(quick.anna, first)
    quick.gives(quick.anna, None)
    quick.ringer.place(call)
    assert (quick.progress(first).state, quick.progress(first).error) == (State.FAILED, "no_phone")
    second = quick.calls(phone="+31687654321")
    quick.new_ringer(line_number=None).place(quick.intends(quick.bram, second))
    assert quick.progress(second).error == "no_line_number"
    assert quick.api.requests == []


def test_an_answer_that_cannot_be_stored_is_found_later(quick: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = quick.calls()
    call = quick.intends(quick.anna, asked)
    really, writes = quick.database.write, list[int]()

    def write(unit: Callable[[Connection], object]) -> object:
        writes.append(1)
        if len(writes) > 1:
            raise DatabaseUnavailable("locked")
        return really(unit)

    with monkeypatch.context() as locked:
        locked.setattr(quick.database, "write", write)
        quick.ringer.place(call)
    assert quick.progress(asked).state is State.ASKED
    quick.wait(seconds=SILENT)
    quick.ringer.reconcile()
    assert quick.call(call).provider_sid == quick.api.calls[0].sid
    assert quick.api.asked("POST") == 1


def test_a_slow_provider_keeps_nobody_waiting(quick: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    place = quick.ringer.place
    call = quick.intends(quick.anna, quick.calls())
    quick.api.next(twilio.slow)
    holding = threading.Event()
    monkeypatch.setattr(quick.ringer, "place", lambda _: holding.wait(20) and place(call))
    quick.ringer.ring(call)
    assert quick.api.asked("POST") == 0  # here already, and the provider has not even been asked
    holding.set()
    pool = quick.ringer._pool
    assert pool is not None
    pool.shutdown(wait=True)
    assert quick.call(call).provider_sid == quick.api.calls[0].sid


def test_a_process_that_ends_leaves_the_call_to_another(quick: Exchange) -> None:
    quick.ringer._workers().shutdown()
    asked = quick.calls()
    quick.ringer.ring(quick.intends(quick.anna, asked))
    quick.wait(seconds=SILENT)
    quick.new_ringer().reconcile()
    assert quick.progress(asked).state is State.NOT_PLACED


def test_no_number_gets_into_a_log(quick: Exchange, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    quick.api.next(twilio.invalid_number, twilio.cut_off, twilio.hung)
    for number in range(3):
        quick.hears(quick.rings(quick.calls(phone=f"+3168765432{number}")), State.AGENT_NO_ANSWER)
    quick.ringer.place("nothing")
    told = [*caplog.messages, *(str(vars(record)) for record in caplog.records)]
    assert {record.msg for record in caplog.records} >= {"call_refused", "call_uncertain", "call_left_to_reconcile"}
    for phone in (*PHONES.values(), LINE, "+3168765432"):
        assert not [words for words in told if phone.removeprefix("+") in words]


class Stumbling:
    """A ringer that cannot reconcile."""

    def reconcile(self) -> int:
        raise DatabaseUnavailable("gone")


def test_what_goes_wrong_while_reconciling_stops_no_sweep(quick: Exchange, caplog: pytest.LogCaptureFixture) -> None:
    assert sweeper.reconcile_once(Stumbling()) == 0  # type: ignore[arg-type]  # all of a ringer that a sweep uses
    assert "reconcile_failed" in caplog.messages
    asked = quick.calls()
    quick.intends(quick.anna, asked)
    quick.wait(minutes=11)
    sweeper.reconcile_once(quick.ringer)
    assert quick.progress(asked).state is State.NOT_PLACED


def test_the_office_hours_of_the_tests_are_open() -> None:
    assert OFFICE.is_open(NOW)
    assert calling.RING_SECONDS < 30  # a voicemail must not pick up before the ringing ends
