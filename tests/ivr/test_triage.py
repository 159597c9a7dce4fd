"""The triage decides as its table says, on every path, and never leaves anybody without an outcome."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.triage import OUTCOMES, QUESTIONS, Case, Danger, Group, Need, Payer, Refused, Wait, Who, decide, next_question
from tests.ivr.paths import Path, all_paths, expected

PATHS = list(all_paths())


def test_there_are_389_paths_and_they_differ() -> None:
    """The list that all layers are tested with is whole: 2 ends at danger, 387 ways through the other questions."""
    assert len({str(path) for path in PATHS}) == len(PATHS) == 389


@pytest.mark.parametrize("office_open", [True, False], ids=["open", "closed"])
def test_every_path_ends_as_the_table_says(office_open: bool) -> None:
    """Outcome and urgency of each path, while the office is open and while it is closed."""
    for path in PATHS:
        decision = decide(Case.from_answers(path.answers, office_open=office_open))
        assert (decision.outcome, decision.urgency.name) == expected(path, office_open=office_open), str(path)


def test_the_questions_come_in_order_and_skip_what_the_table_skips() -> None:
    """Each path is asked exactly its own questions, one after the other."""
    for path in PATHS:
        asked: dict[str, str] = {}
        while (question := next_question(Case.from_answers(asked, office_open=True))) is not None:
            asked[question] = path.answers[question]
        assert asked == path.answers


def test_every_outcome_of_the_table_is_reached() -> None:
    """No row of the table is dead."""
    reached = {expected(path, office_open=open_)[0] for path in PATHS for open_ in (True, False)}
    assert reached == set(OUTCOMES)


@pytest.mark.parametrize("path", [path for path in PATHS if len(path.answers) > 1], ids=str)
def test_a_triage_that_stops_half_way_is_for_a_person(path: Path) -> None:
    """Whatever was answered before the caller stopped, the outcome is `incomplete` at P2."""
    for answered in range(len(path.answers)):
        half = dict(list(path.answers.items())[:answered])
        decision = decide(Case.from_answers(half, office_open=True))
        assert (decision.outcome, decision.urgency.name) == ("incomplete", "P2")


@given(
    st.builds(
        Case,
        danger=st.none() | st.sampled_from(Danger),
        need=st.none() | st.sampled_from(Need),
        wait=st.none() | st.sampled_from(Wait),
        who=st.none() | st.sampled_from(Who),
        group=st.none() | st.sampled_from(Group),
        payer=st.none() | st.sampled_from(Payer),
        refused=st.none() | st.sampled_from(Refused),
        office_open=st.booleans(),
    )
)
def test_any_case_whatever_has_a_question_or_an_outcome(case: Case) -> None:
    """Even answers that no call can give end in a question that exists or an outcome that has a message."""
    question = next_question(case)
    assert question is None or question in {asked.answer for asked in QUESTIONS}
    assert decide(case).outcome in {*OUTCOMES, "incomplete"}
