"""A line without a server: the real application, and signed requests to it, as the provider would send them."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from flask import Flask
from werkzeug.test import TestResponse

from app import House, create_app
from callbacks import export
from callbacks.clock import Clock, utc_now
from ivr.signature import Verifier
from settings import Settings

_SIDS = itertools.count(1)


def settings_for(database_url: str, **env: str) -> Settings:
    """The settings of a rehearsal on this database."""
    return Settings.from_env({"DATABASE_URL": database_url, **env})


def sqlite(tmp_path: Path) -> str:
    """The URL of a database in a file of the test's own."""
    return f"sqlite:///{tmp_path / 'line.sqlite3'}"


@dataclass
class Line:
    """The application of one line with its database migrated."""

    settings: Settings
    clock: Clock = utc_now
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        self.app = create_app(self.settings, self._moment)
        self.house.database.migrate()
        self.client = self.app.test_client()
        self.verifier = Verifier(
            self.settings.twilio_account_sid, self.settings.twilio_auth_token, self.settings.public_base_url
        )

    def _moment(self) -> datetime:
        """Whatever the clock says by then: a test may turn it during a call."""
        return self.clock()

    @property
    def house(self) -> House:
        """What the line is made of."""
        house: House = self.app.extensions["zorglijn"]
        return house

    def post(self, path: str, call_sid: str, **form: str) -> TestResponse:
        """A signed request of the provider's."""
        pairs = [
            ("CallSid", call_sid),
            ("AccountSid", self.settings.twilio_account_sid),
            ("From", form.pop("From", "+31612345678")),
            ("To", "+31402512738"),
            ("CallStatus", form.pop("CallStatus", "in-progress")),
            ("Direction", "inbound"),
            ("ApiVersion", "2010-04-01"),
            *form.items(),
        ]
        headers = {"X-Twilio-Signature": self.verifier.sign(path, pairs).decode()}
        return self.client.post(
            path, data=urlencode(pairs), headers=headers, content_type="application/x-www-form-urlencoded"
        )

    def dial(self, from_: str = "+31612345678") -> Caller:
        """A new call."""
        return Caller(self, f"CA{next(_SIDS):032x}", from_)

    def queue(self) -> list[dict[str, Any]]:
        """Every callback."""
        return list(export.records(self.house.database))

    def close(self) -> None:
        """Let go of the database."""
        self.house.database.close()


@dataclass
class Caller:
    """One call, going through signed webhooks."""

    line: Line
    sid: str
    from_: str

    def __post_init__(self) -> None:
        self.take(self.line.post("/voice/incoming", self.sid, From=self.from_))

    def take(self, response: TestResponse) -> Caller:
        """Hear an answer."""
        assert response.status_code == 200, response.text
        assert response.content_type.startswith("text/xml")
        self.document = response.text
        root = ET.fromstring(response.text)  # noqa: S314  our own document
        self.words = " ".join(" ".join(say.itertext()) for say in root.iter("Say"))
        gather = root.find("Gather")
        self.action = None if gather is None else gather.attrib["action"]
        return self

    def post(self, **form: str) -> TestResponse:
        """Answer the current turn; what comes back, not yet heard."""
        assert self.action is not None, "the line has hung up"
        return self.line.post(self.action, self.sid, From=self.from_, **form)

    def presses(self, *keys: str) -> Caller:
        """One key, or one number, a turn."""
        for digits in keys:
            self.take(self.post(Digits=digits))
        return self

    def says(self, *utterances: str) -> Caller:
        """One utterance a turn."""
        for words in utterances:
            self.take(self.post(SpeechResult=words, Confidence="0.91"))
        return self

    def is_silent(self, times: int = 1) -> Caller:
        """Nothing pressed and nothing said."""
        for _ in range(times):
            self.take(self.post())
        return self

    def hangs_up(self) -> Caller:
        """The provider reports the end."""
        response = self.line.post("/voice/status", self.sid, From=self.from_, CallStatus="completed", CallDuration="9")
        assert response.status_code == 200
        return self

    def callback(self) -> dict[str, Any] | None:
        """What the team sees of this call."""
        return export.record_of_call(self.line.house.database, self.sid)

    def reference_heard(self) -> str:
        """The digits that were just spoken, of the first half if they were spoken twice."""
        found = re.findall(r"\d(?:[ ,.]+\d)+", self.words)
        return re.sub(r"\D", "", found[0]) if found else ""
