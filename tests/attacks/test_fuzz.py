"""Five thousand requests made by chance, half of them validly signed: never a 500 or a row that nobody signed for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from callbacks import call_log, service
from settings import REHEARSAL_ACCOUNT_SID, REHEARSAL_BASE_URL
from tests.attacks.wire import FORM, signature
from tests.ivr.line import Line, settings_for, sqlite

EXAMPLES = 2500  # requests are sent twice: as they are signed, and with a signature that is not theirs
SLOTS = 12  # calls that stumble through the line at a time
NOW = "/voice/turn/now"  # where a call waits

keys = st.sampled_from(
    ["1", "2", "3", "4", "0", "9", "*", "#", "11", "112", "0687654321", "0900123", "5" * 70, "hangup", ""]
)
words = st.sampled_from(["ja", "nee", "help ik bloed", "one", "arabic", "call me", "de tweede", "I can't breathe"])
anything = st.text(max_size=12)
values = {
    "Digits": keys | anything,
    "SpeechResult": words | anything,
    "Confidence": st.sampled_from(["0.9", "0", "1", "0.1", "", "x", "1e-3", "inf"]),
    "From": st.sampled_from(["+31612345678", "anonymous", "+266696687", "sip:a@b", "client:x", ""]) | anything,
    "RecordingSid": st.sampled_from(["RE" + "0" * 32, "RE", "../x"]),
}
statuses = st.sampled_from(["ringing", "in-progress", "completed", "completed", "failed", "?"])
accounts = st.sampled_from([REHEARSAL_ACCOUNT_SID] * 12 + ["AC" + "1" * 32, ""])
names = ["Digits"] * 6 + ["SpeechResult"] * 3 + ["Confidence", "From", "RecordingSid"]
known = st.sampled_from(names).flatmap(lambda name: st.tuples(st.just(name), values[name]))
pair = known | known | known | st.tuples(anything, anything)
elsewhere = [
    *(f"/voice/turn/{turn}" for turn in range(12)),
    "/voice/turn/2147483648",
    "/voice/incoming",
    *["/voice/status"] * 6,
]
targets = st.sampled_from([NOW] * 60 + elsewhere)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """One line, through which many calls stumble."""
    made = Line(settings_for(sqlite(tmp_path)))
    yield made
    made.close()


_COUNTS = select(
    select(func.count(call_log.calls.c.ended_at)).scalar_subquery(),
    *(
        select(func.count()).select_from(t).scalar_subquery()
        for t in (call_log.calls, call_log.steps, service.callbacks)
    ),
)


def rows(line: Line) -> list[int]:
    """How many calls, ended calls, steps and callbacks there are."""
    return list(line.house.database.read(lambda connection: connection.execute(_COUNTS).one()))


@pytest.mark.timeout(180)
def test_whatever_comes_is_answered_or_refused_and_the_store_stays_whole(line: Line) -> None:
    """In TwiML; what is signed wrongly changes nothing, what is signed rightly breaks nothing."""
    sids = [f"CA{slot:032x}" for slot in range(SLOTS)]
    waiting: dict[str, str] = {}
    fresh = itertools.count(SLOTS)

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, SLOTS - 1), targets, st.lists(pair, max_size=3), accounts, statuses, st.booleans())
    def stumble(
        slot: int, target: str, said: Sequence[tuple[str, str]], account: str, status: str, is_plain: bool
    ) -> None:
        sid = sids[slot]
        where = waiting.get(sid, "/voice/incoming") if target == NOW else target
        about = [("CallSid", sid), ("AccountSid", account), ("CallStatus", status)]
        form = [*about, *(dict(said).items() if is_plain else said)]
        answer = send(line, where, form)
        found = re.search(r'action="([^"]+)"', answer.text)
        if found:
            waiting[sid] = found[1]
        elif "<Hangup" in answer.text and answer.status_code == 200:
            sids[slot] = f"CA{next(fresh):032x}"

    stumble()
    look_at_the_store(line, next(fresh))


def send(line: Line, target: str, form: Sequence[tuple[str, str]]) -> TestResponse:
    """Send a form with a signature that is not its own, and with its own."""
    body = urlencode(form, errors="surrogatepass")
    right = signature(REHEARSAL_BASE_URL, target, form)
    before = rows(line)
    refused = line.client.post(target, data=body, content_type=FORM, headers={"X-Twilio-Signature": right[::-1]})
    assert refused.status_code in (400, 403, 404)
    assert rows(line) == before
    answer = line.client.post(target, data=body, content_type=FORM, headers={"X-Twilio-Signature": right})
    assert answer.status_code in (200, 400, 403, 404)
    for each in (answer, refused):
        assert each.content_type == "text/xml; charset=utf-8"
    if answer.status_code != 200:
        assert rows(line) == before
    assert "werkt nu niet" not in answer.text  # the apology
    assert "not work well" not in answer.text
    return answer


def look_at_the_store(line: Line, made: int) -> None:
    """Steps without a gap, at most one callback a call, and enough that got so far."""
    steps, callbacks = call_log.steps, service.callbacks
    counted = select(steps.c.call_id, func.count(), func.max(steps.c.number)).group_by(steps.c.call_id)
    for _, count, newest in line.house.database.read(lambda connection: list(connection.execute(counted))):
        assert count == newest + 1
    queued = select(callbacks.c.call_id, func.count()).group_by(callbacks.c.call_id)
    assert all(count == 1 for _, count in line.house.database.read(lambda c: list(c.execute(queued))))
    ended, calls, stored, promised = rows(line)
    assert calls <= made
    assert ended >= 8, rows(line)
    assert stored >= EXAMPLES / 10, rows(line)
    assert promised >= 5, rows(line)
