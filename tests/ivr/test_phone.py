"""The caller's phone follows a line's documents as the provider would, and refuses what the provider would refuse."""

import json

import pytest
from twilio.request_validator import RequestValidator

from ivr.phone import Phone
from ivr.phone_calls import Ending, Kind
from ivr.phone_errors import (
    AlreadyDialled,
    BadAnswer,
    BadSid,
    ForeignAddress,
    NoAnswer,
    NoCall,
    NoConnection,
    NotListening,
    NotOnKeypad,
    NotTwiml,
    TooManyRedirects,
)
from ivr.transport import Answer
from ivr.twiml_verbs import Gather, Record
from tests.ivr.fake_line import ACCOUNT, BASE, TOKEN, FakeLine, Page, dialled, gather, phone_to, say, twiml

MENU = gather('action="/answer" numDigits="1" finishOnKey="" actionOnEmptyResult="true"', say("Kies een of twee."))
BOTH = gather('input="dtmf speech" language="nl-NL" action="/answer" numDigits="1"', say("Ja of nee?"))


def test_dialling_hears_everything_up_to_the_first_question() -> None:
    phone, line = dialled(say("Welkom."), "<Pause length='1'/>", say("Dit is de lijn."), MENU)
    assert [sound.text for sound in phone.heard] == ["Welkom.", "Dit is de lijn.", "Kies een of twee."]
    assert phone.heard[0].kind is Kind.SAY
    assert (phone.heard[0].language, phone.heard[0].voice) == ("nl-NL", "Polly.Laura-Neural")
    assert line.paths == ["/voice/incoming"]
    assert not phone.is_over


def test_the_first_form_describes_a_ringing_call() -> None:
    phone, line = dialled(MENU, from_="+31687654321", to="+31402512738")
    form = line.last.form
    assert form["CallSid"] == phone.call_sid
    assert form["AccountSid"] == ACCOUNT
    assert form["From"] == form["Caller"] == "+31687654321"
    assert form["To"] == form["Called"] == "+31402512738"
    assert (form["CallStatus"], form["Direction"], form["ApiVersion"]) == ("ringing", "inbound", "2010-04-01")
    assert "Digits" not in form


def test_every_form_is_signed_as_the_providers_own_library_signs() -> None:
    phone, line = dialled(BOTH)
    phone.say("ja, één & twee")
    for posted in line.posted:
        expected = RequestValidator(TOKEN).compute_signature(posted.url, posted.form)
        assert posted.headers["X-Twilio-Signature"] == expected


def test_a_key_is_sent_to_the_action_of_the_gather() -> None:
    phone, line = dialled(MENU)
    heard = phone.press("2")
    assert line.last.url == f"{BASE}/answer"
    assert line.last.form["Digits"] == "2"
    assert line.last.form["CallStatus"] == "in-progress"
    assert [sound.text for sound in heard] == ["Tot ziens."]


def test_keys_beyond_the_wanted_number_are_lost() -> None:
    phone, line = dialled(MENU)
    phone.press("1 2")
    assert line.last.form["Digits"] == "1"


@pytest.mark.parametrize(
    "attributes,keys,digits",
    [
        ('finishOnKey="#"', "0612345678#", "0612345678"),
        ("", "0612345678#99", "0612345678"),
        ('finishOnKey=""', "12#*", "12#*"),
        ('finishOnKey="*"', "12#*3", "12#"),
        ('numDigits="4" finishOnKey="#"', "12#", "12"),
        ('numDigits="4" finishOnKey="#"', "12", "12"),
    ],
)
def test_the_finishing_key_ends_the_digits_and_is_not_one_of_them(attributes: str, keys: str, digits: str) -> None:
    phone, line = dialled(gather(f'action="/answer" {attributes}'))
    phone.press(keys)
    assert line.last.form["Digits"] == digits


def test_words_are_sent_with_their_confidence_and_language() -> None:
    phone, line = dialled(BOTH)
    phone.say("  ja   graag ", confidence=0.75)
    form = line.last.form
    assert (form["SpeechResult"], form["Confidence"], form["Language"]) == ("ja graag", "0.75", "nl-NL")
    assert "Digits" not in form


def test_silence_reaches_the_action_only_where_the_gather_asks_for_it() -> None:
    asked, line = dialled(MENU)
    asked.stay_silent()
    assert line.paths[-1] == "/answer"
    assert not {"Digits", "SpeechResult"}.intersection(line.last.form)

    unasked, line = dialled(gather('action="/answer"'), say("Wij hoorden niets."))
    assert [sound.text for sound in unasked.stay_silent()] == ["Wij hoorden niets."]
    assert line.paths == ["/voice/incoming"]


@pytest.mark.parametrize("empties", ["true", "false"])
def test_the_finishing_key_alone_is_no_answer(empties: str) -> None:
    phone, line = dialled(gather(f'action="/answer" actionOnEmptyResult="{empties}"'))
    phone.press("#")
    assert line.paths[-1] == ("/answer" if empties == "true" else "/voice/incoming")
    assert "Digits" not in line.last.form


@pytest.mark.parametrize("nothing", ["", "  ", "\x00\x1b", "\ud800"])
def test_saying_nothing_is_staying_silent(nothing: str) -> None:
    phone, line = dialled(gather('input="speech" language="nl-NL" action="/answer" actionOnEmptyResult="true"'))
    phone.say(nothing)
    assert "SpeechResult" not in line.last.form


def test_what_cannot_be_said_aloud_is_left_out() -> None:
    phone, line = dialled(BOTH)
    phone.say("ja\x00 gr\ud800aag \N{ETHIOPIC SYLLABLE TE}")
    assert line.last.form["SpeechResult"] == "ja graag \N{ETHIOPIC SYLLABLE TE}"


def test_a_strict_phone_refuses_what_the_line_does_not_listen_to_and_loses_nothing() -> None:
    phone, line = dialled(gather('action="/answer"', say("Toets een getal.")))
    with pytest.raises(NotListening):
        phone.say("een")
    spoken, _ = dialled(gather('input="speech" language="nl-NL" action="/answer"', say("Zeg iets.")))
    with pytest.raises(NotListening):
        spoken.press("1")
    assert line.paths == ["/voice/incoming"]
    assert phone.words == "Toets een getal."
    assert len(phone.exchanges) == 1
    phone.press("1#")
    assert line.last.form["Digits"] == "1"


def test_a_kind_phone_takes_no_notice_of_what_the_line_does_not_listen_to() -> None:
    phone, line = dialled(gather('action="/answer"', say("Toets een getal.")), strict=False)
    assert [sound.text for sound in phone.say("een")] == ["Toets een getal."]
    assert line.paths == ["/voice/incoming"]
    assert phone.waiting_for is not None


def test_what_the_line_waits_for_can_be_asked() -> None:
    phone, _ = dialled(
        gather('input="speech dtmf" language="en-GB" action="/answer" timeout="8" numDigits="1" hints="yes, no please"')
    )
    waiting = phone.waiting_for
    assert isinstance(waiting, Gather)
    assert waiting.takes_keys
    assert waiting.takes_words
    assert (waiting.timeout, waiting.num_digits, waiting.hints) == (8, 1, ("yes", "no please"))
    assert (waiting.language, waiting.action, waiting.finish_on_key) == ("en-GB", "/answer", "#")


def test_a_relative_action_belongs_to_the_document_it_is_in() -> None:
    line = FakeLine(
        {
            "/voice/incoming": twiml("<Redirect>deeper/start</Redirect>"),
            "/voice/deeper/start": twiml(gather('action="turn?n=1"'), say("Stilte.")),
            "/voice/deeper/turn": twiml(say("Goed.")),
        }
    )
    phone = phone_to(line)
    phone.dial()
    phone.press("1#")
    assert line.last.url == f"{BASE}/voice/deeper/turn?n=1"
    expected = RequestValidator(TOKEN).compute_signature(line.last.url, line.last.form)
    assert line.last.headers["X-Twilio-Signature"] == expected


def test_a_gather_without_an_action_asks_its_own_document_again() -> None:
    phone, line = dialled(gather('numDigits="1"'))
    phone.press("1")
    assert line.paths == ["/voice/incoming", "/voice/incoming"]
    assert line.last.form["Digits"] == "1"


def test_a_document_that_comes_to_its_end_hangs_up() -> None:
    phone, _ = dialled(MENU)
    phone.press("1")
    assert phone.is_over
    assert phone.ended_by is Ending.LINE
    assert phone.waiting_for is None
    with pytest.raises(NoCall):
        phone.press("1")


def test_the_line_can_hang_up_and_the_caller_can() -> None:
    by_line, _ = dialled(say("Dag."), "<Hangup/>")
    assert by_line.ended_by is Ending.LINE
    by_caller, _ = dialled(MENU)
    assert by_caller.hang_up() == ()
    assert by_caller.ended_by is Ending.CALLER


@pytest.mark.parametrize("reason,status", [("busy", "busy"), ("rejected", "no-answer")])
def test_a_rejected_call_is_over_before_anything_is_heard(reason: str, status: str) -> None:
    line = FakeLine({"/voice/incoming": twiml(f'<Reject reason="{reason}"/>'), "/voice/status": twiml()})
    phone = phone_to(line, status_url="/voice/status")
    assert phone.dial() == ()
    assert phone.ended_by is Ending.REJECTED
    assert line.last.form["CallStatus"] == status


@pytest.mark.parametrize("ended_by", [Ending.LINE, Ending.CALLER])
def test_the_end_of_a_call_is_told_whoever_ends_it(ended_by: Ending) -> None:
    times = iter([1000.0, 1061.2])
    line = FakeLine(
        {
            "/voice/incoming": twiml(MENU),
            "/answer": twiml(say("Dag.")),
            "/voice/status": Answer(204, "text/plain", ""),
        }
    )
    phone = phone_to(line, status_url="/voice/status", clock=lambda: next(times))
    phone.dial()
    _ = phone.hang_up() if ended_by is Ending.CALLER else phone.press("1")
    assert line.last.path == "/voice/status"
    assert line.last.form["CallStatus"] == "completed"
    assert line.last.form["CallDuration"] == "61"
    assert line.paths.count("/voice/status") == 1


def test_redirects_are_followed_but_not_for_ever() -> None:
    line = FakeLine({"/voice/incoming": twiml("<Redirect>/voice/incoming</Redirect>")})
    with pytest.raises(TooManyRedirects):
        phone_to(line).dial()
    assert len(line.posted) == 11
    hops: list[Page] = [twiml("<Redirect>/voice/incoming</Redirect>")] * 10
    patient = phone_to(FakeLine({"/voice/incoming": [*hops, twiml(say("Daar bent u."))]}))
    assert [sound.text for sound in patient.dial()] == ["Daar bent u."]


def test_a_document_may_not_lead_the_call_to_strangers() -> None:
    phone, line = dialled(gather('action="https://elsewhere.example/answer"'))
    with pytest.raises(ForeignAddress):
        phone.press("1#")
    assert line.paths == ["/voice/incoming"]


def test_a_recording_is_heard_by_its_name_and_keeps_its_url() -> None:
    phone, _ = dialled(gather('action="/answer"', "<Play>/voice/prompts/nl/menu_main.wav</Play>"))
    (sound,) = phone.heard
    assert sound.kind is Kind.PLAY
    assert sound.text == "menu_main"
    assert sound.url == f"{BASE}/voice/prompts/nl/menu_main.wav"


RECORD = (
    '<Record action="/answer" maxLength="20" recordingStatusCallback="/recorded" recordingStatusCallbackEvent="{}"/>'
)
RECORDED = "completed absent"


def message_line(events: str = RECORDED) -> tuple[Phone, FakeLine]:
    line = FakeLine(
        {
            "/voice/incoming": twiml(say("Na de toon."), RECORD.format(events), say("Geen bericht.")),
            "/answer": twiml(say("Dank u.")),
            "/recorded": twiml(),
        }
    )
    phone = phone_to(line)
    phone.dial()
    return phone, line


def test_a_voice_message_is_reported_to_the_action_and_then_to_its_own_callback() -> None:
    phone, line = message_line()
    assert isinstance(phone.waiting_for, Record)
    phone.say("Ik ben Amina. " * 10)
    assert phone.words == "Dank u."
    action, recorded = line.posted[-2:]
    assert (action.path, recorded.path) == ("/answer", "/recorded")
    assert action.form["RecordingSid"] == recorded.form["RecordingSid"]
    assert action.form["RecordingDuration"] == "12"
    assert recorded.form["RecordingStatus"] == "completed"
    assert recorded.form["RecordingUrl"].endswith(action.form["RecordingSid"])


def test_a_voice_message_is_cut_off_at_its_longest_length() -> None:
    phone, line = message_line()
    phone.say("heel " * 500)
    assert line.last.form["RecordingDuration"] == "20"


def test_an_empty_voice_message_goes_on_with_the_next_verb() -> None:
    phone, line = message_line()
    phone.stay_silent()
    assert phone.words == "Geen bericht."
    assert line.paths == ["/voice/incoming", "/recorded"]
    assert line.last.form["RecordingStatus"] == "absent"

    by_key, line = message_line("completed")
    by_key.press("#")
    assert by_key.words == "Geen bericht."
    assert line.paths == ["/voice/incoming"]


def test_hanging_up_while_speaking_keeps_the_voice_message() -> None:
    phone, line = message_line()
    phone.hang_up(saying="Bel mij alstublieft")
    assert phone.ended_by is Ending.CALLER
    assert line.paths == ["/voice/incoming", "/answer", "/recorded"]
    assert line.posted[1].form["Digits"] == "hangup"


def test_a_connected_call_comes_back_with_how_it_went() -> None:
    phone, line = dialled('<Dial action="/answer"><Number>+31201234567</Number></Dial>', dial_status="busy")
    assert line.last.form["DialCallStatus"] == "busy"
    assert phone.words == "Tot ziens."
    onwards, _ = dialled("<Dial>+31201234567</Dial>", say("Niemand nam op."))
    assert onwards.words == "Niemand nam op."


FAILURES = [
    NoConnection(f"{BASE}/answer", "refused"),
    NoAnswer(f"{BASE}/answer", "timed out"),
    Answer(500, "text/html", "<h1>Oops</h1>"),
    Answer(503, "text/plain", "busy"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_when_the_line_fails_the_fallback_is_heard(failure: Answer | Exception) -> None:
    line = FakeLine(
        {"/voice/incoming": twiml(MENU), "/answer": failure, "/voice/fallback": twiml(say("Bel 112 bij gevaar."))}
    )
    phone = phone_to(line)
    phone.dial()
    phone.press("1")
    assert phone.words == "Bel 112 bij gevaar."
    assert line.paths.count("/voice/fallback") == 1
    assert line.last.form["ErrorUrl"] == f"{BASE}/answer"
    assert len(phone.troubles) == 1


def test_a_connection_that_failed_is_tried_once_more_and_an_answer_never_is() -> None:
    line = FakeLine({"/voice/incoming": [NoConnection(BASE, "refused"), twiml(say("Welkom."))]})
    assert phone_to(line).dial()[0].text == "Welkom."
    slow = FakeLine({"/voice/incoming": NoAnswer(BASE, "timed out"), "/voice/fallback": twiml(say("Sorry."))})
    phone_to(slow).dial()
    assert slow.paths == ["/voice/incoming", "/voice/fallback"]


def test_without_a_fallback_a_failure_is_an_error_and_the_caller_can_try_again() -> None:
    line = FakeLine(
        {"/voice/incoming": twiml(MENU), "/answer": [NoAnswer(BASE, "timed out"), twiml(say("Daar bent u."))]}
    )
    phone = phone_to(line, fallback_url=None)
    phone.dial()
    with pytest.raises(NoAnswer):
        phone.press("1")
    assert phone.words == "Kies een of twee."
    phone.press("1")
    assert phone.words == "Daar bent u."


def test_a_fallback_that_fails_too_is_an_error() -> None:
    line = FakeLine({"/voice/incoming": Answer(500, "text/html", ""), "/voice/fallback": Answer(500, "text/html", "")})
    with pytest.raises(BadAnswer):
        phone_to(line).dial()
    assert line.paths == ["/voice/incoming", "/voice/fallback"]


@pytest.mark.parametrize("status", [302, 400, 403, 404])
def test_a_refused_form_is_an_error_that_no_fallback_hides(status: int) -> None:
    line = FakeLine({"/voice/incoming": Answer(status, "text/xml", twiml()), "/voice/fallback": twiml(say("Sorry."))})
    with pytest.raises(BadAnswer) as refused:
        phone_to(line).dial()
    assert refused.value.status == status
    assert line.paths == ["/voice/incoming"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "", "application/xml"])
def test_anything_but_twiml_is_an_error_because_it_would_be_read_aloud(content_type: str) -> None:
    line = FakeLine({"/voice/incoming": Answer(200, content_type, twiml(say("Welkom.")))})
    with pytest.raises(NotTwiml):
        phone_to(line).dial()


def test_news_that_the_line_does_not_take_is_a_trouble_but_a_refusal_is_an_error() -> None:
    down = FakeLine({"/voice/incoming": twiml(MENU), "/voice/status": NoConnection(BASE, "refused")})
    phone = phone_to(down, status_url="/voice/status")
    phone.dial()
    phone.hang_up()
    assert phone.is_over
    assert len(phone.troubles) == 1
    strict = FakeLine({"/voice/incoming": twiml(MENU), "/voice/status": Answer(403, "text/xml", "")})
    refused = phone_to(strict, status_url="/voice/status")
    refused.dial()
    with pytest.raises(BadAnswer):
        refused.hang_up()


def test_a_call_can_be_carried_away_as_json_and_gone_on_with() -> None:
    phone, line = dialled(say("Welkom."), BOTH)
    carried = json.loads(json.dumps(phone.state()))
    assert TOKEN not in json.dumps(carried)
    other = Phone.from_state(carried, line, base_url=BASE, account_sid=ACCOUNT, auth_token=TOKEN, status_url=None)
    assert other.waiting_for == phone.waiting_for
    assert other.exchanges == phone.exchanges
    other.press("1")
    assert line.last.form["CallSid"] == phone.call_sid
    assert other.words == "Tot ziens."
    ended = Phone.from_state(other.state(), line, base_url=BASE, account_sid=ACCOUNT, auth_token=TOKEN)
    assert ended.ended_by is Ending.LINE


def test_a_new_call_has_an_identifier_of_its_own() -> None:
    phone, line = dialled(MENU)
    second = phone.new_call(from_="anonymous")
    second.dial()
    assert second.call_sid != phone.call_sid
    assert line.last.form["From"] == "anonymous"
    assert phone.waiting_for is not None


@pytest.mark.parametrize("withheld", ["anonymous", "+266696687"])
def test_a_withheld_number_is_sent_as_the_provider_spells_it(withheld: str) -> None:
    _, line = dialled(MENU, from_=withheld)
    assert line.last.form["From"] == line.last.form["Caller"] == withheld
    assert line.last.form["FromCountry"] == ""


@pytest.mark.parametrize("keys", ["", "12a", "+31612345678", "é"])
def test_only_keys_of_a_telephone_can_be_pressed(keys: str) -> None:
    phone, line = dialled(MENU)
    with pytest.raises(NotOnKeypad):
        phone.press(keys)
    assert line.paths == ["/voice/incoming"]


def test_a_phone_makes_one_call() -> None:
    phone = phone_to(FakeLine({"/voice/incoming": twiml(MENU)}))
    with pytest.raises(NoCall):
        phone.press("1")
    phone.dial()
    with pytest.raises(AlreadyDialled):
        phone.dial()


@pytest.mark.parametrize("sid", ["CA123", "CA" + "g" * 32, "AC" + "0" * 32, "CA" + "0" * 32 + "\n"])
def test_a_made_up_call_needs_a_proper_identifier(sid: str) -> None:
    with pytest.raises(BadSid):
        phone_to(FakeLine({}), call_sid=sid)
    with pytest.raises(BadSid):
        phone_to(FakeLine({}), account_sid=sid.replace("AC", "XX"))
