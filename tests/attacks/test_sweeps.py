"""A sweep keeps every promise it can: one call that cannot be ended costs nobody else theirs, and a next one comes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from callbacks import call_log
from callbacks.errors import DatabaseUnavailable
from ivr import sweeper
from tests.ivr.line import Caller, Line, settings_for, sqlite

AT_ONCE = timedelta(0)
AGREED = ("1", "0", "1")


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


def spoil(line: Line, caller: Caller) -> None:
    """Leave a call in a place that this version of the line does not have."""
    whose = select(call_log.calls.c.id).where(call_log.calls.c.sid == caller.sid).scalar_subquery()
    lost = update(call_log.steps).where(call_log.steps.c.call_id == whose)
    position = '{"node":"a_room_that_was_torn_down","agreed":true}'
    line.house.database.write(lambda connection: connection.execute(lost.values(position=position)).rowcount)


def test_a_call_that_cannot_be_ended_keeps_nobody_else_from_being_called_back(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """It stays, and is told in the log; those before and after it are in the queue."""
    before, broken, after = (line.dial().presses(*AGREED) for _ in range(3))
    spoil(line, broken)
    assert line.house.line.switchboard.sweep(AT_ONCE) == 2
    assert before.callback() is not None
    assert after.callback() is not None
    assert [record.message for record in caplog.records] == ["call_not_swept"]
    assert line.house.line.switchboard.sweep(AT_ONCE) == 0


def test_a_long_queue_of_silent_calls_is_swept_to_its_end(quick_line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page after page, also with a broken call in the first one."""
    monkeypatch.setattr("ivr.switchboard.SWEEP_BATCH", 2)
    spoil(quick_line, quick_line.dial().presses(*AGREED))
    callers = [quick_line.dial().presses(*AGREED) for _ in range(4)]
    assert quick_line.house.line.switchboard.sweep(AT_ONCE) == 4
    assert all(caller.callback() for caller in callers)


def test_a_call_that_goes_on_is_not_swept(quick_line: Line) -> None:
    """Ten minutes of silence, unless somebody asks for another time."""
    caller = quick_line.dial().presses(*AGREED)
    assert quick_line.house.line.switchboard.sweep() == 0
    assert quick_line.house.line.switchboard.sweep(timedelta(minutes=1)) == 0
    assert caller.callback() is None


@pytest.mark.parametrize("trouble", [RuntimeError("+31612345678"), DatabaseUnavailable("away")])
def test_whatever_goes_wrong_there_is_a_next_sweep(
    quick_line: Line, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trouble: Exception
) -> None:
    """A thread that died of it would sweep no more until the next deployment."""
    caller = quick_line.dial().presses(*AGREED)
    database = quick_line.house.database
    with monkeypatch.context() as broken, caplog.at_level(logging.WARNING):
        broken.setattr(database, "read", lambda _: (_ for _ in ()).throw(trouble))
        assert sweeper.sweep_once(quick_line.house.line.switchboard) == 0
    assert [record.message for record in caplog.records] == ["sweep_failed"]
    monkeypatch.setattr("ivr.switchboard.CALL_IS_OVER_AFTER", AT_ONCE)
    assert sweeper.sweep_once(quick_line.house.line.switchboard) == 1
    assert caller.callback() is not None
