"""The line's own words along the measured call, as plain values for the rival: both must say exactly the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app import House
from bench.steps import KEYS
from ivr import conversation
from ivr.conversation import Turn
from ivr.flow import Flow
from ivr.heard import Heard, Kind, Mode
from ivr.nodes import Menu
from ivr.position import Circumstances

Screens = dict[str, dict[str, Any]]


def screens(house: House) -> Screens:
    """By the name of the node that waits: what is said there, in whose voice, and where the call's next key leads."""
    flow, circumstances = house.line.renderer.flow, Circumstances(caller_number="+31612345678")
    turn = conversation.begin(flow, circumstances)
    found: Screens = {turn.position.node: _screen(house, turn)}
    for key in KEYS:
        before = turn
        turn = conversation.resume(flow, before.position, _heard(flow, before, key), circumstances)
        found[before.position.node]["options"] = {key: turn.position.node}
        found[turn.position.node] = _screen(house, turn)
    return found


def _heard(flow: Flow, turn: Turn, key: str) -> Heard:
    node = flow[turn.position.node]
    assert isinstance(node, Menu)
    return Heard(Kind.MATCH, next(option.name for option in node.options if option.key == key), Mode.DIGITS)


def _screen(house: House, turn: Turn) -> dict[str, Any]:
    renderer, language = house.line.renderer, turn.position.language
    voices = {voice.code: voice for voice in renderer.prompts.languages}
    locale = voices[language].locale if language else renderer.prompts.languages[0].locale
    segments = renderer.prompts.speak(turn.says, language, {}, datetime.now(UTC).date())
    return {
        "says": [
            {"text": one.text, "voice": voices[one.language].voice, "language": voices[one.language].locale}
            for one in segments
        ],
        "language": locale,
        "hints": renderer.answers.hints(turn.position.node, language),
        "options": {},
    }
