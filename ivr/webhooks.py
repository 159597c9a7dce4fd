"""The provider's HTTP requests for a call that comes in: read, hand to the switchboard, answer only after the commit.

`provided` has verified them. Every answer is a document that the provider can act on, errors included: anything else
would be read aloud to the caller or end the call. When the database cannot be reached the caller hears a kind apology
that promises nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from flask import Blueprint, Response, send_from_directory
from werkzeug.exceptions import HTTPException

from ivr import provided
from ivr.provided import NOTHING, document
from ivr.signature import Verifier, Webhook
from ivr.switchboard import Switchboard
from ivr.twiml import Renderer, Reply

OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})  # call statuses that end a call
RECORDINGS_LAST = 86_400  # seconds that the provider may keep a recording of ours


@dataclass(frozen=True)
class Line:
    """What the webhooks of one line need."""

    switchboard: Switchboard
    renderer: Renderer
    verifier: Verifier
    recordings: Path

    def warm_up(self) -> None:
        """Load before the first call what would keep it waiting: holidays, the world's phone numbers, the apology."""
        self.switchboard.office.add(self.switchboard.clock(), timedelta(hours=1))
        self.switchboard.numbers.caller("+31612345678")
        self.apology()

    def apology(self) -> str:
        """The words for when we fail: no promise, but where help is."""
        return self.renderer.goodbye("apology", self.today())

    def today(self) -> date:
        """The day at the office: what a prompt states may expire."""
        return self.switchboard.clock().astimezone(self.switchboard.office.zone).date()


def blueprint(line: Line) -> Blueprint:
    """The routes under /voice."""
    voice = Blueprint("voice", __name__, url_prefix="/voice")

    @voice.post("/incoming")
    def incoming() -> Response:
        return _answer(line, lambda webhook: line.switchboard.ring(webhook.call_sid, webhook.from_))

    @voice.post("/turn/<int:turn>")
    def answer(turn: int) -> Response:
        return _answer(
            line, lambda webhook: line.switchboard.answer(webhook.call_sid, webhook.from_, turn, webhook.said)
        )

    @voice.post("/status")
    def status() -> Response:
        webhook = provided.verified(line.verifier)
        if webhook.call_status in OVER:
            line.switchboard.hang_up(webhook.call_sid, webhook.from_)
        return document(NOTHING)

    @voice.route("/fallback", methods=["GET", "POST"])
    def fallback() -> Response:
        return document(line.apology())

    @voice.get("/prompts/<path:recording>")
    def recording(recording: str) -> Response:
        return send_from_directory(line.recordings, recording, max_age=RECORDINGS_LAST)

    provided.answer_always(voice, line.apology)
    voice.app_errorhandler(HTTPException)(provided.refuse_stray)
    return voice


def _answer(line: Line, decide: Callable[[Webhook], Reply]) -> Response:
    reply = decide(provided.verified(line.verifier))
    return document(line.renderer.render(reply, line.today()))
