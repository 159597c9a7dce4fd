"""A rival: the same step as a competent person writes it after the guides of Flask, twilio and SQLAlchemy.

The signature by the library's validator in a decorator, the call read and updated and its step added by the ORM in one
session, the answer by the library's document builder. The words are the line's own (`screens` hands them over), the
database is set up to be as durable as ours, and nothing is made slower than the guides make it: connections are pooled,
one for every thread, and SQLite may wait for its lock as long as the provider waits for us.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, request
from sqlalchemy import Engine, ForeignKey, String, Text, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

from callbacks.sqlite_library import sqlite3

BUSY_SECONDS = 15


class Base(DeclarativeBase):
    """The tables of the tutorial."""


class Call(Base):
    """A phone call and where it is."""

    __tablename__ = "calls"

    id: Mapped[int] = mapped_column(primary_key=True)
    sid: Mapped[str] = mapped_column(String(34), unique=True)
    from_number: Mapped[str] = mapped_column(String(20))
    node: Mapped[str] = mapped_column(String(60))
    turn: Mapped[int]
    answers: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime]


class Step(Base):
    """One answer of a caller."""

    __tablename__ = "steps"

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"), index=True)
    number: Mapped[int]
    node: Mapped[str] = mapped_column(String(60))
    digits: Mapped[str | None] = mapped_column(String(40))
    utterance: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime]


def connect(url: str) -> Engine:
    """An engine with a pooled connection for every thread, as durable as ours."""
    # The same SQLite as ours, with the journal that it comes with.
    own: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS}, "module": sqlite3}
    pool_size = int(os.environ.get("BENCH_THREADS", "8"))
    engine = create_engine(url, pool_size=pool_size, **own if url.startswith("sqlite") else {})
    if url.startswith("sqlite"):

        @event.listens_for(engine, "connect")
        def be_durable(connection: Any, record: object) -> None:  # noqa: ANN401, ARG001  the driver's own, no type
            connection.execute("PRAGMA synchronous=FULL")
            if journal := os.environ.get("BENCH_JOURNAL"):
                connection.execute(f"PRAGMA journal_mode={journal}")

    return engine


def create_tables(url: str) -> None:
    """Make the tables in an empty database."""
    engine = connect(url)
    Base.metadata.create_all(engine)
    engine.dispose()


def wsgi() -> Flask:
    """The application of one web worker."""
    app = Flask(__name__)
    engine = connect(os.environ["DATABASE_URL"])
    screens = json.loads(Path(os.environ["BENCH_SCREENS"]).read_text(encoding="utf-8"))

    @app.post("/voice/incoming")
    @signed
    def incoming() -> Response:
        now = datetime.now(UTC).replace(tzinfo=None)
        with Session(engine) as session:
            sid = request.form["CallSid"]
            call = session.scalars(select(Call).where(Call.sid == sid)).one_or_none()
            if call is None:
                call = Call(
                    sid=sid, from_number=request.form["From"], node="welcome", turn=1, answers="{}", updated_at=now
                )
                call_step = Step(number=0, node="", at=now)
                session.add(call)
                session.flush()
                call_step.call_id = call.id
                session.add(call_step)
                session.commit()
        return speak(screens["welcome"], 1)

    @app.post("/voice/turn/<int:turn>")
    @signed
    def answer(turn: int) -> Response:
        digits = request.form.get("Digits")
        now = datetime.now(UTC).replace(tzinfo=None)
        with Session(engine) as session:
            call = session.scalars(select(Call).where(Call.sid == request.form["CallSid"])).one()
            goto = screens[call.node]["options"].get(digits, call.node)
            session.add(
                Step(
                    call_id=call.id,
                    number=turn,
                    node=call.node,
                    digits=digits,
                    utterance=request.form.get("SpeechResult"),
                    at=now,
                )
            )
            call.answers = json.dumps({**json.loads(call.answers), call.node: digits})
            call.node, call.turn, call.updated_at = goto, turn + 1, now
            session.commit()
        return speak(screens[goto], turn + 1)

    return app


def signed(view: Callable[..., Response]) -> Callable[..., Response]:
    """Refuse what the provider did not sign."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Response:  # noqa: ANN401  whatever the route takes
        validator = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])
        if not validator.validate(request.url, request.form, request.headers.get("X-Twilio-Signature", "")):
            abort(403)
        return view(*args, **kwargs)

    return checked


def speak(screen: dict[str, Any], turn: int) -> Response:
    """The document for one screen of the call."""
    response = VoiceResponse()
    gather = Gather(
        input="dtmf speech",
        action=f"/voice/turn/{turn}",
        method="POST",
        num_digits=1,
        finish_on_key="",
        timeout=8,
        speech_timeout="2",
        action_on_empty_result=True,
        barge_in=True,
        language=screen["language"],
        hints=screen["hints"],
        profanity_filter=False,
    )
    for words in screen["says"]:
        gather.say(words["text"], voice=words["voice"], language=words["language"])
    response.append(gather)
    return Response(str(response), mimetype="text/xml")
