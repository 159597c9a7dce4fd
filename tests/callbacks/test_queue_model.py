"""Whatever agents do with the queue, in whatever order, it does what two dozen lines on paper say it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callbacks.db import Database
from callbacks.errors import AlreadyClaimed, CallbackError, IllegalMove, NotYours, TooLateToUndo
from callbacks.lifecycle import UNDO_WITHIN, Disposition, Status
from callbacks.queue_views import Filters
from callbacks.staff import Member
from tests.callbacks.house import LASTS, NOW, House

ACTS = ("claim", "release", "inform", "no_answer", "undo", "cancel", "expire", "next", "wait")
# Two numbers, so that repeats link and undos meet the requests that were made meanwhile.
PHONES = ("+31612345678", "+31612345678", "+31612345679", None)


@dataclass(frozen=True)
class Paper:
    """What the model keeps of a callback: who has it until when, how often nobody answered, what can be undone."""

    status: Status = Status.QUEUED
    owner: str | None = None
    ends: datetime = NOW
    attempts: int = 0
    before: Paper | None = None
    wrapped_by: str = ""
    wrapped_at: datetime = NOW

    def at(self, now: datetime) -> Paper:
        """As it is at this moment: a claim may have run out, and then nothing of before can be undone."""
        is_over = self.status is Status.CLAIMED and self.ends < now
        return replace(self, status=Status.QUEUED, owner=None) if is_over else self


def expected(paper: Paper, act: str, member: Member, now: datetime) -> Paper | type[CallbackError]:  # noqa: C901, PLR0911  a table
    """What an act makes of a callback, or why it does not."""
    is_mine = paper.owner == member.name or member.is_coordinator
    open_to_act = paper.status in (Status.QUEUED, Status.CLAIMED)
    match act:
        case "claim" if paper.status is Status.CLAIMED and paper.owner != member.name:
            return AlreadyClaimed
        case "claim" if paper.status is Status.CLAIMED:
            return replace(paper, ends=now + LASTS)
        case "claim" if open_to_act:
            return Paper(Status.CLAIMED, member.name, now + LASTS, paper.attempts)
        case "cancel" if open_to_act and (paper.owner is None or is_mine):
            return Paper(Status.CANCELLED, attempts=paper.attempts)
        case "cancel" | "release" | "inform" | "no_answer" if paper.owner is not None and not is_mine:
            return NotYours
        case "release" if paper.owner is not None:
            return Paper(attempts=paper.attempts)
        case "inform" | "no_answer" if paper.owner is not None:
            attempts = paper.attempts + (act == "no_answer")
            is_last = act == "inform" or attempts >= 3
            status = Status.CLOSED if is_last else Status.QUEUED
            return Paper(status, None, NOW, attempts, replace(paper, before=None), member.name, now)
        case "undo" if paper.before is None or now - paper.wrapped_at > UNDO_WITHIN:
            return TooLateToUndo
        case "undo" if paper.wrapped_by != member.name and not member.is_coordinator:
            return NotYours
        case "undo" if paper.before is not None:
            return paper.before
        case _:
            return IllegalMove


def act_on(house: House, public_id: str, act: str, member: Member) -> type[CallbackError] | None:
    """Do it in the real queue: the error it gave, if any."""
    acts: dict[str, Callable[[], object]] = {
        "claim": lambda: house.claims(member, public_id),
        "release": lambda: house.releases(member, public_id),
        "inform": lambda: house.wraps_up(member, public_id, Disposition.INFORMATION_GIVEN),
        "no_answer": lambda: house.wraps_up(member, public_id, Disposition.NO_ANSWER),
        "undo": lambda: house.undoes(member, public_id),
        "cancel": lambda: house.cancels(member, public_id),
    }
    try:
        acts[act]()
    except CallbackError as error:
        return type(error)
    return None


def seen(house: House, public_id: str) -> tuple[Status, str | None, int]:
    entry = house.entry(public_id)
    return entry.status, entry.claimed_by, entry.attempts


class Run:
    """A queue and its paper, side by side."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.team = [house.anna, house.bram, house.chris]
        house.now = NOW
        self.papers = {house.calls(phone=phone, urgency=2): Paper() for phone in PHONES}

    def step(self, act: str, who: int, which: int, minutes: int) -> None:
        member, public_id = self.team[who], list(self.papers)[which]
        paper = self.papers[public_id].at(self.house.now)
        match act:
            case "wait":
                self.house.wait(minutes=minutes)
            case "expire":
                claimed = {name for name, each in self.papers.items() if each.status is Status.CLAIMED}
                over = {name for name in claimed if self.papers[name].ends < self.house.now}
                assert self.house.sweeps() == len(over)
                self.papers |= {name: self.papers[name].at(self.house.now) for name in over}
            case "next":
                taken = self.house.takes_next(member)
                if taken is not None:
                    assert self.papers[taken].at(self.house.now).status is Status.QUEUED
                    self.papers[taken] = self._claimed(taken, member)
            case _:
                becomes = expected(paper, act, member, self.house.now)
                error = act_on(self.house, public_id, act, member)
                if isinstance(becomes, Paper):
                    assert error is None, (act, error)
                    self.papers[public_id] = becomes
                else:
                    assert error is becomes, (act, error, becomes)

    def _claimed(self, public_id: str, member: Member) -> Paper:
        claimed = expected(self.papers[public_id].at(self.house.now), "claim", member, self.house.now)
        assert isinstance(claimed, Paper)
        return claimed

    def compare(self) -> None:
        now = self.house.now
        papers = {name: paper.at(now) for name, paper in self.papers.items()}
        assert {name: seen(self.house, name) for name in papers} == {
            name: (paper.status, paper.owner, paper.attempts) for name, paper in papers.items()
        }
        counts = self.house.counts(self.house.anna)
        statuses = [paper.status for paper in papers.values()]
        assert (counts.queued, counts.claimed) == (statuses.count(Status.QUEUED), statuses.count(Status.CLAIMED))
        assert counts.mine == sum(paper.owner == "Anna" for paper in papers.values())
        assert counts.overdue == len(self.house.lists(Filters(overdue=True)))


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


STEP = st.tuples(st.sampled_from(ACTS), st.integers(0, 2), st.integers(0, 3), st.sampled_from([1, 2, 29, 31]))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, min_size=5, max_size=25))
def test_the_queue_does_what_the_paper_says(house: House, steps: list[tuple[str, int, int, int]]) -> None:
    for public_id in [entry.public_id for entry in house.lists(Filters())]:
        house.cancels(house.chris, public_id)  # what an earlier example left
    run = Run(house)
    for act, who, which, minutes in steps:
        run.step(act, who, which, minutes)
    run.compare()
    house.now += timedelta(hours=1)
    run.compare()
