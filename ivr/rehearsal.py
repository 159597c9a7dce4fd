"""The phone in the browser, in a rehearsal only: how a colleague hears the line without a phone company.

The page keeps the call, sealed (`seal`), and posts it back with what the caller does; here a caller's `phone` makes the
same signed request that the provider would make, over real HTTP, to the line's own public address and no other. Nothing
of a call stays in memory, because several server processes answer. `sound` speaks, `team_view` shows the callback, and
`rehearsal_ringing` is the agent's phone, which rings when somebody in the console calls back.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest, Forbidden

from callbacks.errors import CallbackError
from callbacks.export import record_of_call
from ivr import rehearsal_ringing, sound, team_view
from ivr.captions import Captioner, waits
from ivr.phone import Phone
from ivr.phone_errors import BadAnswer, NoAnswer, NoCall, NoConnection, NotListening, NotOnKeypad, PhoneError
from ivr.phone_outgoing import AgentPhone
from ivr.seal import BrokenSeal, Seal
from ivr.transport import HttpTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.typing import ResponseReturnValue

    from ivr.webhooks import Line
    from settings import Settings

HERE = Path(__file__).resolve().parent
LABELS = ("en", "nl")  # the languages of the page itself, the first where none is asked for
WITHHELD = "anonymous"
LONGEST_WORDS = 500  # characters that somebody says in one breath
OUR_HEADER = "X-Zorglijn-Phone"  # a page of another site cannot send it without being asked first, and is refused then
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

# The first kind of error that fits names the sentence of the page, and the status it is sent with.
ERRORS: tuple[tuple[type[PhoneError], str, int], ...] = (
    (NoConnection, "down", 502),
    (NoAnswer, "slow", 504),
    (BadAnswer, "refused", 502),
    (NotListening, "not_listening", 409),
    (NoCall, "over", 409),
    (NotOnKeypad, "keys", 400),
    (PhoneError, "faulty", 502),
)


class NoNumber(PhoneError):
    """What was written to call from is no phone number."""


@dataclass(frozen=True)
class Booth:
    """What the phone in the browser needs: the line it belongs to and its settings."""

    line: Line
    settings: Settings

    @cached_property
    def calls(self) -> Seal:
        """Seals a call, so that a page can go on with no other than it was given."""
        return Seal(self.settings.twilio_auth_token, "call")

    @cached_property
    def captioner(self) -> Captioner:
        """Makes the captions; its seal is on words that the line said, so that nothing else can be made to sound."""
        return Captioner(self.line.renderer.prompts, Seal(self.settings.twilio_auth_token, "sound"))

    @contextmanager
    def phone(self, state: Mapping[str, Any] | None = None, from_: str = WITHHELD) -> Iterator[Phone]:
        """A phone that reaches only our own line: a new one, or the one of this state."""
        transport = HttpTransport()
        try:
            if state is None:
                yield Phone(transport, from_=from_, **self._own)
            else:
                kind = AgentPhone if rehearsal_ringing.is_agents(state) else Phone
                yield kind.from_state(state, transport, **self._own)
        finally:
            transport.close()

    def ringing(self) -> dict[str, Any] | None:
        """The agent's phone that rings now, as the page shows it: whose it is, its number and its state, sealed."""
        placed = rehearsal_ringing.look(self.line.switchboard)
        if placed is None:
            return None
        own = {**self._own, "from_": self.settings.line_number}
        with closing(HttpTransport()) as transport:
            state = rehearsal_ringing.state_of(placed, transport, **own)
        to = rehearsal_ringing.readable(placed.to)
        return {"id": placed.public_id, "agent": placed.agent, "to": to, "state": self.calls.close(state)}

    @property
    def _own(self) -> dict[str, Any]:
        """What a phone needs to reach this line and no other."""
        return {
            "base_url": self.settings.public_base_url,
            "account_sid": self.settings.twilio_account_sid,
            "auth_token": self.settings.twilio_auth_token,
        }


def blueprint(line: Line, settings: Settings) -> Blueprint:
    """The routes of the phone in the browser."""
    booth = Booth(line, settings)
    words = {code: tomllib.loads((HERE / "templates" / f"phone.{code}.toml").read_text("utf-8")) for code in LABELS}
    pages = Blueprint(
        "rehearsal", __name__, template_folder="templates", static_folder="static", static_url_path="/phone/static"
    )

    @pages.get("/")
    def home() -> ResponseReturnValue:
        return redirect(url_for("rehearsal.page"))

    @pages.get("/phone")
    def page() -> ResponseReturnValue:
        labels = _labels()
        other = next(code for code in LABELS if code != labels)
        return render_template("phone.html", words=words[labels], labels=labels, other=other)

    @pages.post("/phone/call")
    def call() -> ResponseReturnValue:
        from_ = _number(_asked().get("from"))
        with booth.phone(from_=from_) as phone:
            phone.dial()
            return _heard(booth, phone, words[_labels()])

    @pages.post("/phone/act")
    def act() -> ResponseReturnValue:
        asked = _asked()
        with booth.phone(booth.calls.open(asked.get("state"))) as phone:
            _act(booth, phone, str(asked.get("do")), str(asked.get("value", ""))[:LONGEST_WORDS])
            return _heard(booth, phone, words[_labels()])

    @pages.get("/phone/ringing")
    def ringing() -> ResponseReturnValue:
        with suppress(CallbackError):
            return jsonify(ringing=booth.ringing())
        return jsonify(ringing=None)

    @pages.post("/phone/sound")
    def spoken() -> ResponseReturnValue:
        said = booth.captioner.seal.open(_asked().get("words"))
        wav = sound.speak(said["text"], said["voice"])
        return ("", 404) if wav is None else Response(wav, mimetype="audio/wav")

    pages.before_request(_refuse_other_sites)
    pages.after_request(_harden)
    pages.register_error_handler(PhoneError, _explain)
    pages.register_error_handler(BrokenSeal, lambda _: (jsonify(error="lost"), 400))
    pages.register_error_handler(BadRequest, lambda _: (jsonify(error="lost"), 400))
    pages.register_error_handler(Forbidden, lambda _: (jsonify(error="foreign"), 403))
    return pages


_ACTS: Mapping[str, Callable[[Phone, str], object]] = {
    "press": lambda phone, keys: phone.press(keys),
    "say": lambda phone, words: phone.say(words),
    "stay_silent": lambda phone, _: phone.stay_silent(),
    "hang_up": lambda phone, _: phone.hang_up(),
}


def _act(booth: Booth, phone: Phone, doing: str, value: str) -> None:
    """Do what the page asks for; BadRequest where this phone cannot do it."""
    if doing in _ACTS:
        _ACTS[doing](phone, value)
    elif isinstance(phone, AgentPhone) and doing in rehearsal_ringing.ACTS:
        if doing == "let_it_ring":
            _still_rings(booth, phone)
        rehearsal_ringing.ACTS[doing](phone)
    else:
        raise BadRequest


def _still_rings(booth: Booth, phone: AgentPhone) -> None:
    """NoCall where it was picked up in another window: one that only stops ringing must not end that call."""
    with suppress(CallbackError):
        if not rehearsal_ringing.is_ringing(booth.line.switchboard, phone):
            raise NoCall("This phone does not ring any more")


def _asked() -> Mapping[str, Any]:
    asked = request.get_json()
    if not isinstance(asked, dict):
        raise BadRequest
    return asked


def _labels() -> str:
    """The language of the page itself: the one that was chosen, else English."""
    return str(chosen) if (chosen := request.args.get("labels")) in LABELS else LABELS[0]


def _number(written: object) -> str:
    """The number to call from, in E.164, however it was written; or the word for a withheld one."""
    if written == WITHHELD:
        return WITHHELD
    digits = re.sub(r"[\s().-]", "", str(written))
    digits = re.sub(r"^00", "+", digits)
    digits = re.sub(r"^0", "+31", digits)
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", digits):
        raise NoNumber(str(written)[:40])
    return digits


def _heard(booth: Booth, phone: Phone, words: team_view.Words) -> Response:
    """What is heard now, what is waited for, and the call to give back with what the caller does next."""
    state = phone.state()
    state["exchanges"] = state["exchanges"][-1:]  # the page has shown the others, and a long call would outgrow a form
    told: dict[str, Any] = {
        "heard": [booth.captioner.caption(heard) for heard in phone.heard],
        "waits": waits(phone.waiting_for),
        "ended_by": phone.ended_by,
        "state": booth.calls.close(state),
    }
    if isinstance(phone, AgentPhone):
        return jsonify(**told, team=None, other=rehearsal_ringing.other_of(phone))
    return jsonify(**told, team=_team(booth, phone.call_sid, words) if phone.is_over else None, other=None)


def _team(booth: Booth, call_sid: str, words: team_view.Words) -> dict[str, Any]:
    """The callback that this call left in the queue, in plain words; `none` where it left none."""
    switchboard = booth.line.switchboard
    with suppress(CallbackError):
        record = record_of_call(switchboard.database, call_sid)
        return {"none": True} if record is None else team_view.in_words(record, words, switchboard.office.zone)
    return {"unknown": True}


def _refuse_other_sites() -> None:
    """Let only the phone's own page act: a page of another site must not make calls here in a visitor's name."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("Origin")
    is_foreign = origin is not None and urlsplit(origin).netloc != request.host
    if is_foreign or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise Forbidden
    if not request.is_json or request.headers.get(OUR_HEADER) != "1":
        raise Forbidden


def _explain(error: Exception) -> tuple[Response, int]:
    """The name of the page's sentence for this error, and what happened for whoever builds the line."""
    if isinstance(error, NoNumber):
        return jsonify(error="number"), 400
    name, status = next((name, status) for kind, name, status in ERRORS if isinstance(error, kind))
    return jsonify(error=name, detail=str(error)), status


def _harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.endpoint != "rehearsal.static":
        response.headers["Cache-Control"] = "no-store"
    return response
