"""A rival: a Flask route that verifies nothing, reads nothing and stores nothing. No step can be cheaper than this."""

from __future__ import annotations

from flask import Flask, Response

_DOCUMENT = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Gather action="/voice/turn/{turn}" input="dtmf speech">'
    '<Say voice="Polly.Laura-Neural" language="nl-NL">Druk 1 voor de zorg die u nu nodig heeft.</Say>'
    "</Gather></Response>"
)


def wsgi() -> Flask:
    """The application of one web worker."""
    app = Flask(__name__)

    @app.post("/voice/incoming")
    def incoming() -> Response:
        return Response(_DOCUMENT.format(turn=1), mimetype="text/xml")

    @app.post("/voice/turn/<int:turn>")
    def answer(turn: int) -> Response:
        return Response(_DOCUMENT.format(turn=turn + 1), mimetype="text/xml")

    return app
