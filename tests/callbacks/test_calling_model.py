"""Whatever is heard of a call, in whatever order and however often: the row, its story and the queue say the same."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callbacks.call_states import LIVE, State, after
from callbacks.calling import CallWarning
from callbacks.db import Database
from tests.callbacks.call_house import CallHouse

SIDS = st.sampled_from([None, "ours", "another"])
NEWS = st.lists(st.tuples(st.sampled_from(State), SIDS), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallHouse]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('model') / 'zorglijn.sqlite3'}")
    database.migrate()
    yield CallHouse(database)
    database.close()


def tells(house: CallHouse, news: list[tuple[State, str | None]]) -> tuple[str, State]:
    """A new call, of which all this is heard; the request, and what the rules say is left of it."""
    house.wait(days=2)
    asked = house.calls(phone=f"+316{house.now.toordinal() % 10**8:08d}")
    call = house.intends(house.anna, asked, CallWarning)
    sid = {"ours": f"CA{call}", "another": f"CB{call}", None: None}
    known: list[State] = []
    first: str | None = None
    for state, whose in news:
        house.hears(call, state, provider_sid=sid[whose])
        house.wait(seconds=1)
        if whose is None or first in (None, whose):
            known.append(state)
            first = first or whose
    return asked, reduce(after, known, State.ASKED)


@settings(max_examples=60)
@given(NEWS)
def test_the_row_is_what_the_rules_leave(house: CallHouse, news: list[tuple[State, str | None]]) -> None:
    asked, expected = tells(house, news)
    call = house.progress(asked)
    assert call.state is expected
    assert call.is_live is (expected in LIVE)
    assert (house.live(asked) is not None) is (expected in LIVE)
    ends = [event["state"] for event in house.told(asked, "called")]
    assert expected in LIVE or ends[-1] == expected
    assert len(set(ends)) == len(ends)
    assert house.entry(asked).claimed_by == "Anna"
    house.hears(call.public_id, State.ENDED)  # so that she can call the next


@settings(max_examples=30)
@given(NEWS, st.randoms(use_true_random=False))
def test_in_another_order_and_doubled_it_is_the_same(
    house: CallHouse, news: list[tuple[State, str | None]], chance: object
) -> None:
    """News of one call, that is; which of two calls is ours is decided by which is heard of first."""
    ours = [(state, whose) for state, whose in news if whose != "another"]
    asked, expected = tells(house, ours)
    once = house.progress(asked)
    house.hears(once.public_id, State.ENDED)
    shuffled = sorted([*ours, *ours], key=lambda _: chance.random())  # type: ignore[attr-defined]  # a Random
    again, _ = tells(house, shuffled)
    doubled = house.progress(again)
    house.hears(doubled.public_id, State.ENDED)
    assert (once.state, doubled.state) == (expected, expected)
