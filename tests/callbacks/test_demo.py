"""Invented requests: believable, of all kinds, in both languages, and of nobody."""

from __future__ import annotations

import pytest

from callbacks import demo
from callbacks.db import Database
from callbacks.lifecycle import Status, Urgency
from callbacks.queue_views import Entry, Filters
from ivr import flow, triage
from settings import HERE
from tests.callbacks.house import NOW, OFFICE, House


@pytest.fixture
def house(database: Database) -> House:
    filled = House(database)
    assert demo.fill(database, NOW, OFFICE) == len(demo.REQUESTS) + 1
    return filled


def told(entry: Entry) -> tuple[object, ...]:
    """What is the same for the same seed: all but what must never be guessed."""
    return entry.requested_at, entry.due_at, entry.status, entry.urgency, entry.phone, entry.answers, entry.attempts


def test_the_queue_has_some_of_everything(house: House) -> None:
    entries = house.lists()
    assert {entry.urgency for entry in entries} == set(Urgency)
    assert {entry.status for entry in entries} == set(Status)
    assert {entry.language for entry in entries} == {"nl", "en"}
    for is_there in ("is_overdue", "needs_interpreter", "flags", "attempts", "repeats", "linked_to", "was_refused"):
        assert any(getattr(entry, is_there) for entry in entries), is_there
    assert len(house.lists(Filters(status="claimed"))) == 2
    assert house.takes_next(house.anna) is not None


def test_every_request_has_its_call_and_what_was_said(house: House) -> None:
    for entry in house.lists():
        story = house.story(entry.public_id)
        assert story.steps or entry.outcome == "by_hand"
        assert all(step.says for step in story.steps)
        assert all((step.utterance is None) == (step.confidence is None) for step in story.steps)


def test_a_second_start_invents_nobody_twice(house: House) -> None:
    before = house.lists()
    assert demo.fill(house.database, NOW, OFFICE) == 0
    assert house.lists() == before


def test_the_same_seed_invents_the_same(house: House, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Database(f"sqlite:///{tmp_path_factory.mktemp('other') / 'line.sqlite3'}")
    other.migrate()
    again = House(other)
    demo.fill(other, NOW, OFFICE)
    assert [told(entry) for entry in again.lists()] == [told(entry) for entry in house.lists()]
    other.close()


@pytest.mark.parametrize("invented", demo.REQUESTS, ids=lambda invented: f"{invented.hours}-{invented.outcome}")
def test_the_outcome_is_what_the_triage_concludes(invented: demo.Invented) -> None:
    decision = triage.decide(triage.Case.from_answers(invented.triage, office_open=invented.outcome == "today_open"))
    assert (decision.outcome, int(decision.urgency)) == (invented.outcome, invented.urgency)


def test_what_was_said_exists_on_the_line() -> None:
    nodes = flow.build().nodes
    prompts = {path.stem for path in (HERE / "prompts" / "nl").glob("*.txt")}
    assert set(demo.NODES.values()) <= set(nodes)
    assert set(demo.NODES.values()) <= prompts
    assert {f"outcome_{invented.outcome}" for invented in demo.REQUESTS if invented.triage} <= prompts | {
        "outcome_incomplete"
    }


def test_the_keys_that_were_pressed_are_those_that_the_line_offers() -> None:
    plan = flow.build()
    for name, node in demo.NODES.items():
        offered = {option.name: option.key for option in plan.listener(node).options}  # type: ignore[attr-defined]
        assert {option: demo._key(name, option) for option in offered} == offered, name
