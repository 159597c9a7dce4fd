"""Webhooks doubled, overtaking each other, all at once, and a month later: the same calls, steps and callbacks."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from callbacks import call_log, service
from tests.ivr.line import Line, settings_for, sqlite

RING, STATUS = "ring", "status"
REQUEST = ("1", "0", "1", "1")  # Dutch; call me back; yes; this number
DECLINE = ("1", "0", "2")  # ... no
MOMENTS = {"at", "started_at", "ended_at", "requested_at", "due_at", "public_id", "reference", "position", "sid"}


@pytest.fixture
def line(database_url: str) -> Iterator[Line]:
    """A line on each database."""
    made = Line(settings_for(database_url))
    yield made
    made.close()


@pytest.fixture
def quick_line(tmp_path: Path) -> Iterator[Line]:
    """A line on SQLite."""
    made = Line(settings_for(sqlite(tmp_path)))
    yield made
    made.close()


class Webhooks:
    """One call as its webhooks, which can be delivered in any order and any number of times."""

    numbers = itertools.count(20_000_000)
    sids = itertools.count(0xF00000)

    def __init__(self, line: Line, keys: Sequence[str], from_: str | None = None) -> None:
        self.line, self.keys = line, keys
        self.sid = f"CA{next(self.sids):032x}"
        self.from_ = from_ or f"+316{next(self.numbers)}"

    @property
    def all(self) -> list[str]:
        """The ring, every turn, the end."""
        return [RING, *(str(turn) for turn in range(1, len(self.keys) + 1)), STATUS]

    def deliver(self, which: str) -> str:
        """One of them; what comes back is always a document."""
        if which == STATUS:
            answer = self.line.post("/voice/status", self.sid, From=self.from_, CallStatus="completed")
        elif which == RING:
            answer = self.line.post("/voice/incoming", self.sid, From=self.from_)
        else:
            path = f"/voice/turn/{which}"
            answer = self.line.post(path, self.sid, From=self.from_, Digits=self.keys[int(which) - 1])
        assert answer.status_code == 200
        assert answer.content_type.startswith("text/xml")
        return answer.text

    def deliver_all(self, order: Sequence[str]) -> list[str]:
        """In this order."""
        return [self.deliver(which) for which in order]

    def state(self) -> dict[str, Any]:
        """Everything that is stored of this call, but for moments and what is drawn by lot."""
        return self.line.house.database.read(self._state)

    def _state(self, connection: Connection) -> dict[str, Any]:
        call = connection.execute(select(call_log.calls).where(call_log.calls.c.sid == self.sid)).mappings().one()
        steps = select(call_log.steps).where(call_log.steps.c.call_id == call["id"]).order_by(call_log.steps.c.number)
        queued = select(service.callbacks).where(service.callbacks.c.call_id == call["id"])
        found = {
            "call": [call],
            "steps": list(connection.execute(steps).mappings()),
            "callbacks": list(connection.execute(queued).mappings()),
        }
        own = {"id", "call_id", "phone", "caller_number", *MOMENTS}
        return {
            what: [{name: value for name, value in row.items() if name not in own} for row in rows]
            for what, rows in found.items()
        }


def wanted(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The callbacks that somebody will make."""
    return [callback for callback in state["callbacks"] if callback["status"] == "queued"]


def in_order(line: Line, keys: Sequence[str]) -> dict[str, Any]:
    """How it ends when everything comes once and in order."""
    webhooks = Webhooks(line, keys)
    webhooks.deliver_all(webhooks.all)
    return webhooks.state()


def possible_orders(webhooks: Webhooks) -> Iterator[list[str]]:
    """What a caller and a provider can bring about: each delivered twice, the end perhaps before the last answer.

    A turn cannot be answered before it was heard, so first deliveries are in order; second ones come any time later.
    """
    *turns, end = webhooks.all
    for first in ([*turns, end], [*turns[:-1], end, turns[-1]]):
        for distance in range(len(first) + 1):
            late = list(first)
            for position, which in reversed(list(enumerate(first))):
                late.insert(position + 1 + distance, which)
            yield late
        yield [*first, *first]
        yield [*first, *reversed(first)]


@pytest.mark.parametrize("keys", [REQUEST, DECLINE, REQUEST[:3], REQUEST[:2], REQUEST[:1]], ids="-".join)
def test_whatever_comes_twice_or_overtakes_ends_the_same(quick_line: Line, keys: tuple[str, ...]) -> None:
    """Calls, steps and the callbacks to be made; a callback that was taken back is no callback to be made."""
    expected = in_order(quick_line, keys)
    for order in possible_orders(Webhooks(quick_line, keys)):
        webhooks = Webhooks(quick_line, keys)
        webhooks.deliver_all(order)
        state = webhooks.state()
        assert state["call"] == expected["call"], order
        assert state["steps"] == expected["steps"], order
        assert wanted(state) == wanted(expected), order
        assert len(state["callbacks"]) <= 1


@pytest.mark.parametrize("keys", [REQUEST, DECLINE], ids="-".join)
def test_no_order_at_all_invents_doubles_or_breaks_anything(quick_line: Line, keys: tuple[str, ...]) -> None:
    """Also those that no call brings about: an answer before its question, an end before the ring."""
    dice = random.Random(1)
    orders = list(itertools.permutations(Webhooks(quick_line, keys).all))
    for order in dice.sample(orders, 60):
        webhooks = Webhooks(quick_line, keys)
        webhooks.deliver_all([which for which in order for _ in range(2)])
        state = webhooks.state()
        pressed = [step["digits"] for step in state["steps"][1:]]
        assert len(state["callbacks"]) <= 1
        assert [step["number"] for step in state["steps"]] == list(range(len(state["steps"])))
        agreed = "0" in pressed and pressed[-1] != "2"
        assert bool(wanted(state)) == agreed, order


def test_a_last_no_that_arrives_after_the_end_is_still_a_no(line: Line) -> None:
    """The news of the end had put them into the queue: they are taken out, and heard what they would have heard."""
    caller = line.dial().presses("1", "0").hangs_up()
    queued = caller.callback()
    assert queued is not None
    assert queued["status"] == "queued"
    taken_back = caller.presses("2").callback()
    assert taken_back is not None
    assert taken_back["status"] == "cancelled"


def test_a_number_that_is_confirmed_after_the_end_is_confirmed(line: Line) -> None:
    """The last key of a call and the news of its end may come in either order, and the team sees the same."""
    usual, overtaken = line.dial("+31611111111").presses(*REQUEST[:3]), line.dial("+31622222222").presses(*REQUEST[:3])
    usual.presses("1").hangs_up()
    overtaken.hangs_up().presses("1")
    seen = [caller.callback() for caller in (usual, overtaken)]
    assert [record and record["number_confirmed"] for record in seen] == [True, True]
    assert "Wij bellen u" in overtaken.words
    assert overtaken.words == usual.words


def at_once(line: Line, jobs: Sequence[Any]) -> list[Any]:
    """Run these functions at the same moment."""
    together = threading.Barrier(len(jobs))

    def run(job: Any) -> Any:  # noqa: ANN401
        together.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def test_all_webhooks_of_a_call_at_the_same_moment_end_the_same(line: Line) -> None:
    """Sixteen threads; then once more in order, as a caller would go on."""
    dice = random.Random(2)
    for _ in range(6):
        webhooks = Webhooks(line, REQUEST)
        order = [which for which in webhooks.all for _ in range(3)][:16]
        dice.shuffle(order)
        at_once(line, [partial(webhooks.deliver, which) for which in order])
        documents = webhooks.deliver_all([*webhooks.all, *webhooks.all])
        half = len(documents) // 2
        assert documents[:half] == documents[half:]
        state = webhooks.state()
        assert [step["digits"] for step in state["steps"]] == [None, *REQUEST]
        assert len(wanted(state)) == 1


def test_sixteen_calls_of_one_number_at_the_same_moment_are_sixteen_linked_callbacks(line: Line) -> None:
    """One of them is the first, every other links to it; the more they are, the sooner, but never P0."""
    callers = [line.dial("+31612345678").presses(*REQUEST[:3]) for _ in range(16)]
    at_once(line, [partial(caller.presses, "1") for caller in callers])
    queue = line.queue()
    heads = [record for record in queue if record["linked_to"] is None]
    assert len(queue) == 16
    assert len(heads) == 1
    assert {record["linked_to"] for record in queue} == {None, heads[0]["reference"]}
    assert (heads[0]["urgency"], heads[0]["repeats"]) == ("P1", 15)
    told = {bool("Wij hebben uw vragen bij elkaar gelegd" in caller.words) for caller in callers}
    assert told == {True, False}


def test_a_call_replayed_a_hundred_times_and_a_month_later_is_one_callback(line: Line) -> None:
    """The same answers, and not a row more."""
    keys = (*REQUEST, "1", "1", "3", "1", "2")
    webhooks = Webhooks(line, keys)
    heard, state = webhooks.deliver_all(webhooks.all), webhooks.state()
    for _ in range(100 if "sqlite" in line.settings.database_url else 20):
        assert webhooks.deliver_all(webhooks.all) == heard
    later = datetime.now(UTC) + timedelta(days=30)
    line.clock = lambda: later
    assert webhooks.deliver_all(webhooks.all) == heard
    assert webhooks.deliver_all(list(reversed(webhooks.all))) == list(reversed(heard))
    assert webhooks.state() == state
    assert len(line.queue()) == 1


def test_what_others_raised_is_not_lost_when_the_caller_says_more(line: Line) -> None:
    """People of one house give one number: the first goes on with the triage after the others have called."""
    first = line.dial("+31612345678").presses("1", "0", "1", "1")
    line.dial("+31612345678").presses("2", "0", "1", "1")
    before = first.callback()
    assert before is not None
    assert (before["urgency"], before["repeats"]) == ("P1", 1)
    # safe message, language, part of day, region; back to the menu; teeth, not urgent: P4 by itself
    first.presses("1", "1", "3", "1", "1", "1", "3", "4", "2", "3", "3", "4", "2", "2")
    after = first.callback()
    assert after is not None
    assert (after["outcome"], after["urgency"]) == ("teeth", "P3")


def test_a_caller_hears_when_we_call_as_it_is_now(line: Line) -> None:
    """Asked for, then a triage that makes it urgent, then asked for again: the sooner day is told."""
    line.clock = lambda: datetime(2026, 11, 23, 9, tzinfo=UTC)  # a Monday morning
    caller = line.dial().presses("1", "0", "1", "1", "1", "1", "3", "1")
    assert "morgen" in caller.words
    # The menu, care now; no danger, a doctor, today, an adult, without papers, nobody pays, not refused.
    caller.presses("1", "1", "3", "1", "1", "3", "4", "2", "2")
    record = caller.callback()
    assert record is not None
    assert (record["outcome"], record["urgency"]) == ("today_open", "P1")
    assert record["due_at"].startswith("2026-11-23")
    assert "vandaag" in caller.words
    assert "morgen" not in caller.words


def test_a_second_question_does_not_hide_the_urgent_one(line: Line) -> None:
    """A refused child, then teeth of one's own, in one call: the team sees the child, at every moment."""
    caller = line.dial().presses("1", "1", "3", "1", "3", "1", "4", "2", "1", "1", "1")
    record = about_the_child = caller.callback()
    assert about_the_child is not None
    assert (about_the_child["outcome"], about_the_child["urgency"]) == ("refused_priority", "P1")
    # A safe message, Dutch, any time, this region; the menu; teeth, not today, adult, nobody pays, not refused.
    for key in ("1", "1", "3", "1", "1", "1", "3", "4", "2", "3", "3", "4", "2", "2"):
        record = caller.presses(key).callback()
        assert record is not None
        assert (record["outcome"], record["urgency"]) == ("refused_priority", "P1")
        assert record["answers"].items() >= about_the_child["answers"].items()
    assert record is not None
    assert record["answers"]["safe_message"] == "yes"


def test_a_second_question_that_is_more_urgent_is_the_one_to_be_seen(line: Line) -> None:
    """Teeth first, then a child that was refused."""
    caller = line.dial().presses("1", "1", "3", "4", "2", "3", "3", "4", "2", "2", "1", "1", "1", "1", "3", "1", "1")
    record = caller.callback()
    assert record is not None
    assert (record["outcome"], record["urgency"]) == ("teeth", "P4")
    record = caller.presses("1", "3", "1", "3", "1", "4", "2", "1").callback()
    assert record is not None
    assert (record["outcome"], record["urgency"]) == ("refused_priority", "P1")
    assert (record["answers"]["need"], record["answers"]["who"]) == ("doctor", "child")
