"""The provider's HTTP requests: verify, read, hand to the switchboard, and answer only after the commit.

Every answer is a document that the provider can act on, errors included: anything else would be read aloud to the
caller or end the call. When the database cannot be reached the caller hears a kind apology that promises nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

from flask import Blueprint, Response, request, send_from_directory
from werkzeug.exceptions import HTTPException

from callbacks.errors import DatabaseUnavailable
from ivr import form
from ivr.signature import MalformedRequest, UnsignedRequest, Verifier, Webhook
from ivr.switchboard import Switchboard
from ivr.twiml import CONTENT_TYPE, Renderer, Reply, refusal

log = logging.getLogger("zorglijn.webhooks")

OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})  # call statuses that end a call
NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
MOST_PARAMETERS = 100
UNESCAPED = "/:@!$&'()*+,;="  # in a path, beside letters, digits and -._~
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
        webhook = _verified(line)
        if webhook.call_status in OVER:
            line.switchboard.hang_up(webhook.call_sid, webhook.from_)
        return _document(NOTHING)

    @voice.route("/fallback", methods=["GET", "POST"])
    def fallback() -> Response:
        return _document(line.apology())

    @voice.get("/prompts/<path:recording>")
    def recording(recording: str) -> Response:
        return send_from_directory(line.recordings, recording, max_age=RECORDINGS_LAST)

    voice.register_error_handler(UnsignedRequest, lambda _: _document(refusal("This request is not signed."), 403))
    voice.register_error_handler(MalformedRequest, lambda error: _document(refusal(f"Refused: {error}."), 400))
    voice.register_error_handler(HTTPException, lambda error: _document(refusal(error.name), error.code or 400))
    voice.register_error_handler(DatabaseUnavailable, lambda error: _apologise(line, error))
    voice.register_error_handler(Exception, lambda error: _apologise(line, error))
    voice.app_errorhandler(HTTPException)(_refuse_stray)
    return voice


def _refuse_stray(error: HTTPException) -> HTTPException | Response:
    """An address or a method that no route has never reaches the handlers above, and is answered like the rest."""
    return _document(refusal(error.name), error.code or 400) if request.path.startswith("/voice/") else error


def _answer(line: Line, decide: Callable[[Webhook], Reply]) -> Response:
    reply = decide(_verified(line))
    return _document(line.renderer.render(reply, line.today()))


def _verified(line: Line) -> Webhook:
    target = _target()
    return line.verifier.verify(target, _pairs(), request.headers.get("X-Twilio-Signature"))


def _target() -> str:
    """The path and query as they came over the wire: decoding and encoding again may change what was signed.

    A server that has decoded the path already leaves its normal form (RFC 3986, 6.2.2), in which only what must be
    escaped is; every address that we name is written so.
    """
    raw: str | None = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI")
    if raw is not None and raw.startswith("/"):
        return raw
    path = quote(request.environ["PATH_INFO"].encode("latin-1"), safe=UNESCAPED)
    query = request.query_string.decode("latin-1")
    return path + (f"?{query}" if query else "")


def _pairs() -> Sequence[tuple[str, str]]:
    """The form as it came, in order and with duplicates."""
    body = _body()
    try:
        return form.read(body, MOST_PARAMETERS)
    except ValueError:
        raise MalformedRequest("the form cannot be read") from None


def _body() -> bytes:
    try:
        return request.get_data(cache=False)
    except HTTPException:
        raise
    except Exception as error:  # a body that breaks off; every web server has an error of its own for it
        raise MalformedRequest("the form breaks off") from error


def _apologise(line: Line, error: Exception) -> Response:
    """The caller hears a kind sentence, and the team's log what went wrong; 200, because only then is it spoken."""
    known = isinstance(error, DatabaseUnavailable)
    log.error("turn_failed", exc_info=None if known else error, extra={"error": type(error).__name__})
    return _document(line.apology())


def _document(twiml: str, status: int = 200) -> Response:
    response = Response(twiml, status)
    response.headers["Content-Type"] = CONTENT_TYPE
    response.headers["Cache-Control"] = "no-store"
    return response
