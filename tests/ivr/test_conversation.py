"""What the line says next: the way of a call, its commands, its patience, and the callback that is never lost."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr import conversation
from ivr.flow import TOPICS, build
from ivr.heard import Command, Heard, Kind, Mode
from ivr.nodes import Listener, Menu
from ivr.position import Position
from tests.ivr.callers import OWN_NUMBER, Caller, at_main_menu
from tests.ivr.paths import all_paths, expected


def in_triage() -> Caller:
    return at_main_menu().answers("care_now")


def with_callback_queued() -> Caller:
    return at_main_menu().commands(Command.CALLBACK).answers("yes", "this_number")


def test_the_first_words_are_for_those_in_danger() -> None:
    """Before anything else, in every language: 112."""
    caller = Caller()
    assert caller.hears == ("welcome_emergency", "welcome_language")
    assert caller.position.language is None


def test_a_chosen_language_leads_through_the_opening_to_the_menu() -> None:
    """Who we are, what is kept, how the keys work, and then the choice."""
    caller = Caller().answers("en")
    assert caller.hears == ("opening_who", "opening_kept", "opening_keys", "menu_main")
    assert caller.position.language == "en"


def test_no_language_chosen_twice_goes_on_bilingually_to_the_callback_offer() -> None:
    """Never into silence: the offer is made in every language."""
    caller = Caller().is_silent(2)
    assert caller.node == "callback_offer"
    assert caller.position.language is None
    assert caller.answers("yes", "this_number").requests[0].number == OWN_NUMBER


@pytest.mark.parametrize("office_open", [True, False])
def test_every_triage_path_ends_in_its_outcome_and_then_offers_a_callback(office_open: bool) -> None:
    """The message of the outcome and the offer are one turn; what is queued is as the table says."""
    for path in all_paths():
        caller = at_main_menu(office_open=office_open).answers("care_now")
        for question, answer in path.answers.items():
            if question == "need" and answer in ("stress", "teeth", "bill", "shelter"):
                caller.answers("other")
            caller.answers(answer)
        outcome, urgency = expected(path, office_open=office_open)
        assert caller.hears == (f"outcome_{outcome}", "callback_offer"), str(path)
        queued = caller.answers("yes", "this_number").requests[0]
        assert (queued.outcome, queued.urgency) == (outcome, int(urgency[1])), str(path)


def test_an_outcome_does_not_change_when_the_office_closes_during_the_call() -> None:
    """What the caller heard is what is queued."""
    caller = in_triage().answers("no", "doctor", "today", "adult", "none", "no", "no")
    assert caller.hears[0] == "outcome_today_open"
    caller.office_open = False
    assert caller.answers("yes", "this_number").requests[0].outcome == "today_open"


def test_two_silences_offer_a_callback_and_two_more_end_the_call() -> None:
    """Silence gets help, then more help and a person, and only then a goodbye."""
    caller = at_main_menu().is_silent()
    assert caller.hears == ("no_input_first", "menu_main")
    assert caller.is_silent().hears == ("no_input_second", "callback_offer")
    assert caller.is_silent().hears == ("no_input_first", "callback_offer")
    assert caller.is_silent().hears == ("goodbye",)
    assert not caller.requests


def test_two_answers_not_understood_offer_a_callback() -> None:
    """Failing is not the caller's fault."""
    caller = in_triage().mumbles()
    assert caller.hears == ("no_match_first", "triage_danger")
    assert caller.mumbles().hears == ("no_match_second", "callback_offer")


def test_a_silence_after_a_mumble_begins_a_new_count() -> None:
    """Two of the same in a row, not two of anything."""
    assert in_triage().mumbles().is_silent().mumbles().node == "triage_danger"


def test_only_silence_ends_the_call_at_the_callback_offer() -> None:
    """Whoever says something there, however unclear, is asked again."""
    caller = at_main_menu().commands(Command.CALLBACK).mumbles(10)
    assert caller.node == "callback_offer"
    assert caller.hears == ("yes_no_no_match_second", "callback_offer")


def test_a_line_left_open_beside_a_radio_ends_some_day() -> None:
    """A call has a longest length in turns."""
    caller = at_main_menu().commands(Command.CALLBACK).mumbles(conversation.LONGEST_CALL)
    assert caller.hears[-1] == "goodbye"


LISTENERS = [name for name, node in build().nodes.items() if isinstance(node, Listener)]


def placed_at(node: str) -> Caller:
    caller = at_main_menu()
    position = Position(node=node, turn=5, language="nl", told=("opening_who",))
    caller.turn = conversation.Turn(position, ())
    return caller


@pytest.mark.parametrize("node", LISTENERS)
def test_nine_repeats_everything_at_every_node(node: str) -> None:
    """Also what was said on the way there, and it stays there."""
    caller = placed_at(node).commands(Command.REPEAT)
    here = build().listener(node)
    assert caller.hears == ("opening_who", *here.tells, *here.asks)
    assert caller.node == node


@pytest.mark.parametrize("node", LISTENERS)
def test_star_speaks_the_emergency_message_and_comes_back_to_every_node(node: str) -> None:
    """The key for danger works everywhere."""
    caller = placed_at(node).commands(Command.EMERGENCY)
    assert caller.hears == ("emergency", *build().listener(node).asks)
    assert caller.node == node


@pytest.mark.parametrize("node", LISTENERS)
def test_words_of_danger_lead_to_help_at_every_node_and_are_kept(node: str) -> None:
    """The category is kept for the callback; thoughts of suicide get the helpline too."""
    caller = placed_at(node).cries("breathing")
    assert caller.hears[0] == "emergency"
    assert caller.cries("suicide", "breathing").hears[0] == "emergency_suicide"
    assert caller.node == node
    assert caller.position.flags == ("breathing", "suicide")


@pytest.mark.parametrize("node", LISTENERS)
def test_zero_never_leads_away_from_a_callback(node: str) -> None:
    """0 offers one, goes on with the one that is being made, or says that it is there already."""
    caller = placed_at(node).commands(Command.CALLBACK)
    assert caller.node.startswith("callback_")


@pytest.mark.parametrize("node", LISTENERS)
def test_silence_at_any_node_ends_with_a_goodbye_and_never_hangs(node: str) -> None:
    """Whoever says nothing more hears goodbye within a dozen turns."""
    assert placed_at(node).is_silent(12).hears == ("goodbye",)


@pytest.mark.parametrize("node", [name for name, node in build().nodes.items() if isinstance(node, Menu)])
def test_every_option_of_every_node_leads_on(node: str) -> None:
    """No key leads nowhere."""
    menu = build()[node]
    assert isinstance(menu, Menu)
    for option in menu.options:
        assert placed_at(node).answers(option.name).hears


def test_flags_reach_a_callback_that_is_queued_already() -> None:
    """Danger named after the callback was asked for still reaches the team."""
    caller = with_callback_queued().cries("bleeding")
    assert caller.turn.enriches
    assert conversation.details(caller.flow, caller.position, OWN_NUMBER).flags == ("bleeding",)


def test_a_need_that_is_said_is_not_asked_for_again() -> None:
    """Who is asked what help they need says "a toothache", not "something else"."""
    caller = in_triage().answers("no", "teeth")
    assert caller.node == "triage_wait"
    assert caller.position.answers["need"] == "teeth"


def test_danger_named_as_the_answer_is_an_answer_and_a_flag() -> None:
    """At the question about danger, the words are the answer."""
    caller = in_triage()
    caller.turn = conversation.resume(
        caller.flow,
        caller.position,
        Heard(Kind.MATCH, "suicide", Mode.SPEECH, flags=("suicide",)),
        caller.circumstances,
    )
    assert caller.hears == ("outcome_suicide", "callback_offer")
    assert caller.position.flags == ("suicide",)


def test_the_callback_is_queued_the_moment_the_number_is_known() -> None:
    """Before any further question."""
    caller = at_main_menu().commands(Command.CALLBACK).answers("yes")
    assert not caller.requests
    caller.answers("this_number")
    assert [request.number for request in caller.requests] == [OWN_NUMBER]
    assert caller.hears == ("callback_queued", "callback_safe_message")


def test_the_details_enrich_and_lead_to_the_reference() -> None:
    """Message, language, part of the day, region; then the reference and when."""
    caller = with_callback_queued()
    for answer, asked_next in (("no", "callback_language"), ("en", "callback_part_of_day"), ("any", "callback_region")):
        caller.answers(answer)
        assert caller.turn.enriches
        assert caller.node == asked_next
    caller.answers("here")
    assert caller.hears == ("callback_reference", "callback_when", "callback_done")
    assert caller.position.answers["safe_message"] == "no"
    assert caller.answers("stop").hears == ("goodbye",)


def test_another_language_is_said_aloud() -> None:
    """A language the menu lacks is kept by name or in the caller's words."""
    caller = with_callback_queued().answers("yes", "other")
    assert caller.node == "callback_language_name"
    caller.answers("ti")
    assert caller.position.answers["callback_language"] == "ti"
    assert caller.node == "callback_part_of_day"


def test_silence_during_the_details_goes_straight_to_the_reference() -> None:
    """The callback is safe; nobody is kept on the line for its details."""
    assert "callback_reference" in with_callback_queued().is_silent(2).hears


def test_another_number_is_keyed_in_read_back_and_can_be_corrected() -> None:
    """Wrong means again; only a number that the caller found right is queued as confirmed."""
    caller = at_main_menu().commands(Command.CALLBACK).answers("yes", "another")
    assert caller.node == "callback_number_entry"
    caller.answers("+31687654321", "wrong", "+31687654322", "right")
    assert caller.requests[0].number == "+31687654322"
    assert caller.requests[0].is_confirmed


def test_a_withheld_number_goes_straight_to_keying_one_in() -> None:
    """There is no number of the caller's to ask about."""
    caller = at_main_menu(number=None).commands(Command.CALLBACK).answers("yes")
    assert caller.node == "callback_number_entry"
    assert caller.hears[0] == "callback_number_unknown"


def test_a_refused_number_is_asked_for_again_with_the_reason() -> None:
    """Premium numbers are refused kindly, by reason; a second one leads to a request without a number."""
    caller = at_main_menu(number=None).commands(Command.CALLBACK).answers("yes").mumbles(reason="number_premium")
    assert caller.hears[0] == "number_premium"
    caller.mumbles(reason="number_premium")
    assert caller.node == "callback_without_number"
    assert caller.requests[0].number is None


def test_a_number_that_was_turned_down_is_never_dialled() -> None:
    """Who says "not this number" may be on a borrowed phone."""
    caller = at_main_menu().commands(Command.CALLBACK).answers("yes", "another").is_silent(2)
    assert caller.requests[0].number is None


def test_a_request_without_a_number_can_be_completed_later_in_the_call() -> None:
    """0 asks for the number again, and the same request gets it."""
    caller = at_main_menu(number=None).commands(Command.CALLBACK).answers("yes").is_silent(2)
    assert caller.node == "callback_without_number"
    caller.answers("menu").commands(Command.CALLBACK)
    assert caller.node == "callback_number_entry"
    caller.answers("+31687654321", "right")
    assert [request.number for request in caller.requests] == [None, "+31687654321"]


def test_silence_about_the_number_still_keeps_the_promise() -> None:
    """A caller who agreed is called on the number they call from, marked as not confirmed."""
    caller = at_main_menu().commands(Command.CALLBACK).answers("yes").is_silent(2)
    assert caller.requests[0].number == OWN_NUMBER
    assert not caller.requests[0].is_confirmed


def test_zero_counts_as_agreement_and_a_no_takes_it_back() -> None:
    """Who asks for a callback and hangs up is called; who says no is not."""
    caller = at_main_menu().commands(Command.CALLBACK)
    agreements = [caller.position.agreed, caller.answers("no").position.agreed]
    assert agreements == [True, False]
    assert caller.hears == ("callback_declined", "menu_main")


def test_zero_at_the_offer_is_a_yes() -> None:
    """Pressing the same key twice is no mistake."""
    assert at_main_menu().commands(Command.CALLBACK).commands(Command.CALLBACK).node == "callback_this_number"


def test_a_second_request_in_the_same_call_is_the_same_callback() -> None:
    """After the reference the caller may go on, and asking again changes nothing but what was learned."""
    caller = with_callback_queued().is_silent(2).answers("menu").commands(Command.CALLBACK)
    assert caller.hears[0] == "callback_already"
    assert "callback_reference" in caller.hears


def test_a_triage_after_the_callback_enriches_it() -> None:
    """What is answered later reaches the queue."""
    caller = with_callback_queued().is_silent(2).answers("menu", "care_now", "no", "other", "bill")
    assert caller.turn.enriches


def test_nobody_is_offered_the_callback_that_they_have() -> None:
    """After a second triage, or silence at a menu: the same reference, and no question that a no could undo."""
    again = with_callback_queued().is_silent(2).answers("menu", "care_now", "suicide")
    assert again.hears[:2] == ("outcome_suicide", "callback_already")
    assert again.node == "callback_reference"
    assert with_callback_queued().is_silent(2).answers("menu").is_silent(2).node == "callback_reference"


def test_a_new_triage_begins_with_no_answers() -> None:
    """Questions about somebody else start afresh."""
    caller = in_triage().answers("no", "other", "shelter", "child", "no")
    assert caller.answers("care_now").node == "triage_danger"


def test_the_rights_can_be_walked_from_topic_to_topic() -> None:
    """Every topic is reached by `next`, and the last leads back to the menu of rights."""
    caller = at_main_menu().answers("rights", "doctor")
    heard = [caller.hears[0]]
    heard += [caller.answers("next").hears[0] for _ in TOPICS[1:]]
    assert heard == [f"rights_{topic}" for topic in TOPICS]
    assert caller.answers("next").hears == ("rights",)


def test_the_receptionist_hears_dutch_whatever_the_caller_chose() -> None:
    """One sentence for the caller, then Dutch for the desk; silence lets it speak once more."""
    caller = Caller().answers("en", "receptionist")
    assert caller.hears[:2] == ("receptionist_explain", "receptionist_duty@nl")
    assert "receptionist_duty@nl" in caller.is_silent().hears


def test_an_ended_call_says_its_last_words_again_and_goes_nowhere() -> None:
    """Whatever comes after the goodbye."""
    caller = at_main_menu().is_silent(4)
    ended = caller.position
    assert caller.answers("nl").hears == ("goodbye",)
    assert caller.position == ended


MOVES = st.lists(
    st.one_of(st.just("silence"), st.just("mumble"), st.just("red"), st.sampled_from(Command), st.integers(0, 3)),
    max_size=40,
)


@settings(max_examples=300)
@given(MOVES, st.booleans())
def test_no_sequence_of_answers_breaks_a_call(moves: list[object], withheld: bool) -> None:
    """Every turn says something, numbers its turns one by one, and asks the queue at most once per number."""
    caller = Caller(number=None if withheld else OWN_NUMBER)
    for move in moves:
        before = caller.position
        _move(caller, move)
        assert caller.hears
        assert caller.position.turn == before.turn + (0 if conversation.is_over(caller.flow, before) else 1)
    assert all(request.number is None or request.number.startswith("+31") for request in caller.requests)


def _move(caller: Caller, move: object) -> None:
    node = caller.flow[caller.node]
    if move == "silence":
        caller.is_silent()
    elif move == "mumble":
        caller.mumbles()
    elif move == "red":
        caller.cries("bleeding")
    elif isinstance(move, Command):
        caller.commands(move)
    elif isinstance(node, Menu) and isinstance(move, int):
        caller.answers(node.options[move % len(node.options)].name)
    else:
        caller.answers("+31687654321" if caller.node == "callback_number_entry" else "ti")


def test_the_conversation_knows_no_web_no_provider_and_no_database() -> None:
    """It can be imported and walked where none of them is installed."""
    script = (
        "import sys; from ivr import conversation, flow, position; "
        "conversation.begin(flow.build(), position.Circumstances()); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'flask', 'twilio', 'sqlalchemy', 'werkzeug', 'phonenumbers', 'holidays', 'google'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
