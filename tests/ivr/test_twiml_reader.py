"""A document is read as strictly as the provider reads it, or more so, and a mistake is named."""

import pytest

from ivr import phone_errors
from ivr.phone_errors import TwimlError
from ivr.twiml_reader import read_twiml
from ivr.twiml_verbs import Dial, Gather, Hangup, Pause, Play, Record, Redirect, Say
from tests.ivr.fake_line import gather, say, twiml

SPEECH = 'input="dtmf speech" language="nl-NL"'


def test_a_whole_document_is_read_in_order() -> None:
    document = twiml(
        say("Welkom."),
        gather(
            f'{SPEECH} speechTimeout="2" action="/turn/1" finishOnKey=""', say("Ja?"), "<Pause/>", "<Play>a.wav</Play>"
        ),
        '<Record maxLength="60" trim="do-not-trim"/>',
        '<Dial timeout="20" callerId="+31402512738"><Number url="/whisper">+31201234567</Number></Dial>',
        "<Redirect method='POST'>/turn/2</Redirect>",
    )
    voice = ("Polly.Laura-Neural", "nl-NL")
    assert read_twiml(document) == (
        Say("Welkom.", *voice),
        Gather(
            (Say("Ja?", *voice), Pause(1), Play("a.wav")),
            frozenset({"dtmf", "speech"}),
            speech_timeout="2",
            finish_on_key="",
            action="/turn/1",
            language="nl-NL",
        ),
        Record(60, trim=False),
        Dial("+31201234567", timeout=20, caller_id="+31402512738", whisper_url="/whisper"),
        Redirect("/turn/2"),
    )


def test_words_inside_speech_marks_are_kept_in_their_place() -> None:
    marked = (
        'Bel <say-as interpret-as="digits">112</say-as>,<break time="1s"/><prosody rate="slow">nu</prosody> meteen.'
    )
    (spoken,) = read_twiml(twiml(say(marked)))
    assert isinstance(spoken, Say)
    assert spoken.text == "Bel 112, nu meteen."


def test_equal_documents_are_read_once() -> None:
    assert read_twiml(twiml(say("Eender."))) is read_twiml(twiml(say("Eender.")))


def test_layout_between_the_verbs_is_no_text() -> None:
    assert read_twiml("<Response>\n  <Pause length='2'/>\n  <Hangup/>\n</Response>") == (Pause(2), Hangup())


MISTAKES = [
    ("", "NotXml"),
    ("Welkom", "NotXml"),
    ("<Response>", "NotXml"),
    ('<!DOCTYPE r [<!ENTITY e "x">]><Response/>', "NotXml"),
    (twiml(say("x" * 70_000)), "NotXml"),
    ("<Reply/>", "Misplaced"),
    ('<Response lang="nl"/>', "UnknownAttribute"),
    (twiml("Welkom"), "Misplaced"),
    (twiml("<Sing>la</Sing>"), "UnknownVerb"),
    (twiml("<Sms>hallo</Sms>"), "UnknownVerb"),
    (twiml("<say>klein</say>"), "UnknownVerb"),
    (twiml("<Number>+31201234567</Number>"), "Misplaced"),
    (twiml(say("")), "BadValue"),
    (twiml(say("x" * 4097)), "BadValue"),
    (twiml(say("Hallo", 'voice="Polly.Laura-Neural"')), "MissingAttribute"),
    (twiml(say("Hallo", 'language="nl-NL"')), "MissingAttribute"),
    (twiml(say("Hallo", 'voice="Google.en-GB-Wavenet-A" language="nl-NL"')), "BadValue"),
    (twiml(say("Hallo", 'voice="Polly.Laura" language="nl"')), "BadValue"),
    (twiml(say("Hallo", 'voice="Polly.Laura" language="nl-NL" loop="0"')), "BadValue"),
    (twiml(say("Hallo", 'voice="Polly.Laura" language="nl-NL" pitch="high"')), "UnknownAttribute"),
    (twiml(say("Hallo <b>daar</b>")), "Misplaced"),
    (twiml(say('<say-as interpret-as="digits" speed="2">1</say-as>')), "UnknownAttribute"),
    (twiml("<Play/>"), "BadValue"),
    (twiml("<Play>ftp://x/y.wav</Play>"), "BadValue"),
    (twiml('<Pause length="-1"/>'), "BadValue"),
    (twiml('<Pause length="veel"/>'), "BadValue"),
    (twiml('<Pause length="\N{ARABIC-INDIC DIGIT ONE}"/>'), "BadValue"),
    (twiml(gather('timeout="0"')), "BadValue"),
    (twiml(gather('timeout="8s"')), "BadValue"),
    (twiml(gather('input="keys"')), "BadValue"),
    (twiml(gather('input="dtmf dtmf"')), "BadValue"),
    (twiml(gather('input=""')), "BadValue"),
    (twiml(gather('numDigits="0"')), "BadValue"),
    (twiml(gather('finishOnKey="#*"')), "BadValue"),
    (twiml(gather('finishOnKey="x"')), "BadValue"),
    (twiml(gather('actionOnEmptyResult="yes"')), "BadValue"),
    (twiml(gather('method="GET"')), "BadValue"),
    (twiml(gather('action="javascript:alert(1)"')), "BadValue"),
    (twiml(gather('action=""')), "BadValue"),
    (twiml(gather('finishOnkey="#"')), "UnknownAttribute"),
    (twiml(gather('input="speech"')), "MissingAttribute"),
    (twiml(gather('hints="ja, nee"')), "TwimlError"),
    (twiml(gather(f'{SPEECH} hints="{",".join(["ja"] * 501)}"')), "BadValue"),
    (twiml(gather(f'{SPEECH} hints="{"j" * 101}"')), "BadValue"),
    (twiml(gather(f'{SPEECH} hints="ja,,nee"')), "BadValue"),
    (twiml(gather(f'{SPEECH} speechTimeout="0"')), "BadValue"),
    (twiml(gather(f'{SPEECH} speechTimeout="auto" speechModel="phone_call"')), "BadValue"),
    (twiml(gather("", "<Hangup/>")), "Misplaced"),
    (twiml(gather("", gather(""))), "Misplaced"),
    (twiml(gather("", "loze woorden")), "Misplaced"),
    (twiml("<Record/>"), "MissingAttribute"),
    (twiml('<Record maxLength="1"/>'), "BadValue"),
    (twiml('<Record maxLength="60" transcribe="true"/>'), "UnknownAttribute"),
    (twiml('<Record maxLength="60" recordingStatusCallbackEvent="done"/>'), "BadValue"),
    (twiml('<Record maxLength="60">nu</Record>'), "Misplaced"),
    (twiml("<Dial/>"), "BadValue"),
    (twiml("<Dial>0201234567</Dial>"), "BadValue"),
    (twiml('<Dial timeout="1">+31201234567</Dial>'), "BadValue"),
    (twiml("<Dial><Number>+31201234567</Number><Number>+31201234568</Number></Dial>"), "Misplaced"),
    (twiml("<Dial><Sip>sip:x@y</Sip></Dial>"), "Misplaced"),
    (twiml("<Redirect/>"), "BadValue"),
    (twiml("<Redirect>/a</Redirect>", say("Te laat.")), "Unreachable"),
    (twiml("<Hangup/>", say("Te laat.")), "Unreachable"),
    (twiml("<Hangup>nu</Hangup>"), "Misplaced"),
    (twiml('<Hangup reason="busy"/>'), "UnknownAttribute"),
    (twiml('<Reject reason="no time"/>'), "BadValue"),
    (twiml("<Reject/>", "<Hangup/>"), "Unreachable"),
    (twiml(say("Dag."), "<Reject/>"), "Misplaced"),
]


@pytest.mark.parametrize("document,mistake", MISTAKES, ids=lambda value: value[-60:])
def test_a_mistake_in_a_document_is_refused_and_named(document: str, mistake: str) -> None:
    with pytest.raises(TwimlError) as refused:
        read_twiml(document)
    assert type(refused.value) is getattr(phone_errors, mistake)
    assert refused.value.verb in str(refused.value)


def test_a_mistake_carries_its_facts() -> None:
    with pytest.raises(phone_errors.BadValue) as refused:
        read_twiml(twiml(gather('numDigits="een"')))
    assert (refused.value.verb, refused.value.attribute, refused.value.value) == ("Gather", "numDigits", "een")
