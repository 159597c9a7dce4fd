"""A rehearsal's stand-in for the phone company: what the line asks of it over HTTP when an agent calls back.

`callbacks.provider` asks here by TWILIO_API_BASE_URL, in the provider's own words: make a call, list the calls to a
number. It keeps nothing: the SID of a call follows from the address that it is to fetch, and what became of it is in
the rows (`callbacks.rehearsed`). The phone in the browser does the ringing.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from callbacks import rehearsed
from callbacks.call_states import State
from callbacks.rehearsed import Placed

if TYPE_CHECKING:
    from ivr.webhooks import Line
    from settings import Settings

RINGS_FOR = timedelta(seconds=60)  # then nobody answers, also where no browser is open; a page may be opened meanwhile
CALLS = "/phone/api/2010-04-01/Accounts/<account>/Calls.json"
_NO_SUCH_ADDRESS, _NOT_SIGNED_IN = 21205, 20003  # the provider's own numbers
_STATUS: Mapping[State, str] = {
    State.AGENT_ANSWERED: "in-progress",
    State.RINGING_CALLER: "in-progress",
    State.CONNECTED: "in-progress",
    State.AGENT_NO_ANSWER: "no-answer",
    State.FAILED: "failed",
}


def blueprint(line: Line, settings: Settings) -> Blueprint:
    """The two addresses of the provider that the line uses."""
    api = Blueprint("rehearsal_api", __name__)
    board = line.switchboard

    @api.post(CALLS)
    def make(account: str) -> Response | tuple[Response, int]:
        if not _is_signed_in(settings, account):
            return _refusal(401, _NOT_SIGNED_IN, "Authenticate")
        wanted = re.escape(settings.public_base_url) + r"/voice/callback/([0-9A-Za-z_-]{1,64})/agent"
        found = re.fullmatch(wanted, request.form.get("Url", ""))
        if found is None:
            return _refusal(400, _NO_SUCH_ADDRESS, "Url is not valid")
        sid = sid_of(found[1], settings.twilio_auth_token)
        to, from_ = request.form.get("To", ""), request.form.get("From", "")
        return jsonify(_call(sid, to, from_, "queued", board.clock(), account)), 201

    @api.get(CALLS)
    def list_calls(account: str) -> Response | tuple[Response, int]:
        if not _is_signed_in(settings, account):
            return _refusal(401, _NOT_SIGNED_IN, "Authenticate")
        to, since, now = request.args.get("To", ""), _since(), board.clock()
        calls = board.database.read(lambda connection: rehearsed.placed(connection, to, since))
        from_ = settings.line_number or ""
        listed = [_call(one.sid, to, from_, status_of(one, now), one.asked_at, account) for one in calls]
        return jsonify(calls=listed, page=0, page_size=50, next_page_uri=None, uri=request.path)

    return api


def sid_of(outgoing_id: str, secret: str) -> str:
    """The SID that this call has here: the same whichever process is asked."""
    return "CA" + hmac.digest(secret.encode(), f"call {outgoing_id}".encode(), "sha256").hex()[:32]


def status_of(call: Placed, now: datetime) -> str:
    """How far the call to the agent is, in the provider's words."""
    if call.state is State.RINGING_AGENT:
        return "ringing" if now - call.asked_at < RINGS_FOR else "no-answer"
    return _STATUS.get(call.state, "completed")


def _is_signed_in(settings: Settings, account: str) -> bool:
    given = request.authorization
    if given is None or given.type != "basic":
        return False
    told = f"{given.username}:{given.password}".encode()
    known = f"{settings.twilio_account_sid}:{settings.twilio_auth_token}".encode()
    return hmac.compare_digest(told, known) and account == settings.twilio_account_sid


def _since() -> datetime:
    """From which moment on calls are wanted; from the beginning where that is not said, or not in the known way."""
    try:
        return datetime.fromisoformat(request.args.get("StartTime>", "")).astimezone(UTC)
    except ValueError:
        return datetime(2020, 1, 1, tzinfo=UTC)


def _call(sid: str, to: str, from_: str, status: str, created: datetime, account: str) -> dict[str, Any]:
    return {
        "sid": sid,
        "account_sid": account,
        "to": to,
        "from": from_,
        "status": status,
        "direction": "outbound-api",
        "api_version": "2010-04-01",
        "date_created": format_datetime(created.astimezone(UTC)),
        "uri": f"/2010-04-01/Accounts/{account}/Calls/{sid}.json",
    }


def _refusal(status: int, code: int, message: str) -> tuple[Response, int]:
    return jsonify(status=status, code=code, message=message), status
