"""kill -9 during calls loses no answered step and no promised callback, and makes none twice.

The small form of `python -m bench.kills`, which has the same callers and the same verdict.
"""

from __future__ import annotations

import dataclasses

import pytest

from callbacks.db import Database
from tests.attacks import killing
from tests.attacks.killing import STORIES, Call
from tests.attacks.wire import Answer

KILLS = 4
ENOUGH_STEPS, ENOUGH_CONFIRMED = 60, 3


@pytest.mark.server
@pytest.mark.timeout(120)
def test_a_server_killed_during_calls_keeps_what_it_answered(database_url: str) -> None:
    """Callers repeat what was not answered and go on; some never come back."""
    result = killing.run({"DATABASE_URL": database_url}, kills=KILLS, seed=7)
    assert result.problems == []
    assert result.kills == KILLS
    # With too little acknowledged there would be nothing to judge.
    assert result.answered_steps >= ENOUGH_STEPS, result
    assert result.confirmed >= ENOUGH_CONFIRMED, result
    assert result.repeats > 0, result


def test_the_verdict_sees_what_is_lost(database_url: str) -> None:
    """Against an empty database every answered step and every promise is missing; an agreement invents none."""
    database = Database(database_url)
    database.migrate()
    database.close()
    answers = [Answer(200, "text/xml", words) for words in ("", "", "", "", killing.CONFIRMED)]
    promised = Call("CA" + "1" * 32, STORIES[0], "+31612345678", 9, sent=4, answers=answers)
    problems = killing.verdict(database_url, [promised])
    assert sum("is lost" in problem for problem in problems) == 6
    nothing = dataclasses.replace(promised, answers=[], sent=-1)
    assert killing.verdict(database_url, [nothing]) == []
