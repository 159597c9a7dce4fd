"""What every webhook of the provider's has in common: it is verified before it is believed, and answered with TwiML.

`webhooks` (calls that come in) and `outgoing` (calls that we make) both stand on it. Anything but a document would be
read aloud to whoever is on the phone, so that also a refusal and a failure of ours is one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from urllib.parse import quote

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from callbacks.errors import DatabaseUnavailable
from ivr import form
from ivr.signature import MalformedRequest, UnsignedRequest, Verifier, Webhook
from ivr.twiml import CONTENT_TYPE, refusal

log = logging.getLogger("zorglijn.webhooks")

NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
MOST_PARAMETERS = 100
UNESCAPED = "/:@!$&'()*+,;="  # in a path, beside letters, digits and -._~


def verified(verifier: Verifier) -> Webhook:
    """The request that is being answered, once it is known to be the provider's; UnsignedRequest, MalformedRequest."""
    return verifier.verify(_target(), _pairs(), request.headers.get("X-Twilio-Signature"))


def document(twiml: str, status: int = 200) -> Response:
    """An answer that the provider follows, and nothing on the way may keep."""
    response = Response(twiml, status)
    response.headers["Content-Type"] = CONTENT_TYPE
    response.headers["Cache-Control"] = "no-store"
    return response


def answer_always(blueprint: Blueprint, apology: Callable[[], str]) -> None:
    """Let every refusal and every failure on these routes be a document too; `apology` is spoken when we fail."""

    def apologise(error: Exception) -> Response:
        return document(_failed(error, apology))

    blueprint.register_error_handler(UnsignedRequest, lambda _: document(refusal("This request is not signed."), 403))
    blueprint.register_error_handler(MalformedRequest, lambda error: document(refusal(f"Refused: {error}."), 400))
    blueprint.register_error_handler(HTTPException, lambda error: document(refusal(error.name), error.code or 400))
    blueprint.register_error_handler(DatabaseUnavailable, apologise)
    blueprint.register_error_handler(Exception, apologise)


def refuse_stray(error: HTTPException) -> HTTPException | Response:
    """An address or a method that no route has never reaches those handlers, and is answered like the rest."""
    return document(refusal(error.name), error.code or 400) if request.path.startswith("/voice/") else error


def _failed(error: Exception, apology: Callable[[], str]) -> str:
    """A kind sentence for whoever listens, what went wrong for the log; sent as a success, or it is not spoken."""
    known = isinstance(error, DatabaseUnavailable)
    log.error("turn_failed", exc_info=None if known else error, extra={"error": type(error).__name__})
    return apology()


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
