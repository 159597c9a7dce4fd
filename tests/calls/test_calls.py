"""Whole calls, written as scripts that can be read aloud, replayed on the real line by a phone as strict as any.

Every script runs on SQLite and on PostgreSQL. It is Tuesday morning and the office is open, or Saturday evening in the
scripts whose name begins with `evening`.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callbacks.export import record_of_call
from ivr import call_script
from ivr.call_replay import replay
from ivr.phone import Phone
from ivr.phone_calls import Doing
from ivr.transport import FlaskTransport
from tests.ivr.line import Line, settings_for

CALLS = sorted(Path(__file__).parent.glob("*.call"))
TUESDAY_MORNING = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # 11:00 in Amsterdam
SATURDAY_EVENING = datetime(2026, 11, 28, 19, 30, tzinfo=UTC)

MakeLine = Callable[[datetime], Line]


@pytest.fixture
def make_line(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeLine]:
    """Build the real line on a fresh database, at a moment of the test's choice."""
    made: list[Line] = []

    def make(now: datetime) -> Line:
        line = Line(settings_for(database_url), clock=lambda: now)
        made.append(line)
        return line

    yield make
    for line in made:
        line.close()


def phone_on(line: Line) -> Phone:
    settings = line.settings
    return Phone(
        FlaskTransport(line.app.test_client()),
        base_url=settings.public_base_url,
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
    )


@pytest.mark.parametrize("path", CALLS, ids=lambda path: path.stem)
def test_the_call_goes_as_its_script_says(path: Path, make_line: MakeLine) -> None:
    line = make_line(SATURDAY_EVENING if path.stem.startswith("evening") else TUESDAY_MORNING)
    phone = replay(call_script.read(path), phone_on(line), lambda sid: record_of_call(line.house.database, sid))
    assert phone.troubles == []


def test_there_are_whole_calls_in_both_languages() -> None:
    scripts = [path.read_text(encoding="utf-8") for path in CALLS]
    assert len(scripts) >= 16
    assert sum("Dutch" in script.splitlines()[0] for script in scripts) >= 6
    assert sum("English" in script.splitlines()[0] for script in scripts) >= 6


@pytest.mark.parametrize("path", CALLS, ids=lambda path: path.stem)
def test_every_script_begins_with_who_calls_and_ends_with_the_queue(path: Path) -> None:
    script = call_script.read(path)
    first, last = script.steps[0][1], script.steps[-1][1]
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert isinstance(first, call_script.Does)
    assert first.act.doing is Doing.DIALS
    assert isinstance(last, call_script.Queue)
