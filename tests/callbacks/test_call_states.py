"""News of a call comes in any order, doubled and late: the same is left. Tried with every few, and with many."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callbacks.call_states import LIVE, State, after, left_at, silence_of

ENDS = [state for state in State if state not in LIVE]
NEWS = st.lists(st.sampled_from(State), max_size=8)


def heard(*news: State) -> State:
    """Where a call is that was stored, and of which this was heard."""
    return reduce(after, news, State.ASKED)


def test_every_few_news_leave_the_same_in_every_order() -> None:
    for some in (news for count in (2, 3) for news in combinations(State, count)):
        left = {heard(*order) for order in permutations(some)}
        assert len(left) == 1, some


@given(NEWS, st.randoms(use_true_random=False), NEWS)
def test_many_news_leave_the_same_in_any_order_and_however_often(
    news: list[State], chance: object, late: list[State]
) -> None:
    known = [*news, *late]
    shuffled = sorted([*known, *news], key=lambda _: chance.random())  # type: ignore[attr-defined]  # a Random
    assert heard(*shuffled) is heard(*known)
    assert heard(*known, *news) is heard(*known)


@given(NEWS, st.sampled_from(State))
def test_what_has_ended_stays_so(news: list[State], late: State) -> None:
    state = heard(*news)
    if state not in LIVE and state is not State.NOT_PLACED:
        assert after(state, late) not in LIVE


@pytest.mark.parametrize("state", [state for state in sorted(LIVE) if state not in (State.ASKED, State.UNCERTAIN)])
def test_only_a_call_that_was_never_found_is_revived(state: State) -> None:
    assert after(State.NOT_PLACED, state) is state
    assert after(state, State.NOT_PLACED) is state


@pytest.mark.parametrize(
    "news, end",
    [
        ((State.RINGING_AGENT,), State.AGENT_NO_ANSWER),
        ((State.RINGING_AGENT, State.AGENT_ANSWERED), State.AGENT_DECLINED),
        ((State.AGENT_ANSWERED, State.RINGING_CALLER), State.CALLER_NO_ANSWER),
        ((State.RINGING_CALLER, State.CONNECTED), State.ENDED),
        ((State.RINGING_CALLER, State.CALLER_BUSY), State.CALLER_BUSY),
        ((State.AGENT_ANSWERED, State.STOPPED), State.STOPPED),
        ((State.RINGING_CALLER, State.FAILED), State.FAILED),
    ],
)
def test_that_the_agents_call_is_over_ends_it_by_how_far_it_had_come(news: tuple[State, ...], end: State) -> None:
    assert heard(*news, State.AGENT_NO_ANSWER) is end
    assert heard(State.AGENT_NO_ANSWER, *news) is end


def test_how_a_call_ended_is_left_at_that() -> None:
    assert {end: left_at(end) for end in ENDS} == {end: end for end in ENDS}


def test_every_live_call_may_be_silent_for_some_time_and_an_ended_one_for_none() -> None:
    assert {state for state in State if silence_of(state) > timedelta()} == LIVE
