"""What callers say, who they are and our secrets are found nowhere in what the server prints, whatever goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from callbacks.sqlite_library import sqlite3
from tests.attacks.wire import FORM, about, raw, wire
from tests.servers import ROOT, RunningServer, free_port

NUMBER, ENTERED, WORDS = "+31687651234", "0698761234", "mijn zus heet Kwetsbaar"
TOKEN = "0123456789abcdef0123456789abcdef"
PLANTED = ("31687651234", "687651234", "98761234", "Kwetsbaar", TOKEN, "planted")

IN_PROCESS = """
import logging, threading
from ivr import logs
logs.configure()
planted = "+31687651234"
for name in ("_granian", "werkzeug", "app", "zorglijn.webhooks", "sqlalchemy.engine", "twilio.http_client"):
    log = logging.getLogger(name)
    try:
        raise ValueError(planted)
    except ValueError:
        log.exception("turn_failed" if name.startswith("zorglijn") else f"Invalid request: {planted}")
    log.error("turn_failed" if name.startswith("zorglijn") else "%s did this", planted)
    log.error("turn_failed", extra={"error": threading.Lock()})
    log.error("too many", planted, planted)
logging.error(planted)
def die():
    raise LookupError(planted)
thread = threading.Thread(target=die)
thread.start()
thread.join()
class Unlucky:
    def __del__(self):
        raise RuntimeError(planted)
Unlucky()
"""


def check(output: str) -> list[Mapping[str, object]]:
    """Nothing planted is in it; and give the events."""
    found = [planted for planted in PLANTED if planted in output]
    assert not found, output
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_no_logger_and_no_dying_thread_tells_what_it_was_about() -> None:
    """Ours, the web server's, Flask's and every library's; and all of it is JSON lines."""
    done = subprocess.run([sys.executable, "-c", IN_PROCESS], cwd=ROOT, capture_output=True, text=True, check=True)
    events = check(done.stderr)
    assert len(events) == len(done.stderr.splitlines()) == 27
    assert {"thread_died", "unraisable", "turn_failed"} <= {event["event"] for event in events}
    assert any("LookupError" in str(event.get("trace")) for event in events)


@pytest.fixture
def server(tmp_path: Path, start_server: Callable[[Mapping[str, str]], RunningServer]) -> RunningServer:
    """A line on SQLite with a token of its own."""
    port = free_port()
    env = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'line.sqlite3'}",
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "TWILIO_AUTH_TOKEN": TOKEN,
    }
    return RunningServer(env, port)


def spoil(path: Path, statement: str) -> None:
    """Change the database behind the line's back."""
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()


def test_no_error_path_of_the_server_prints_what_a_caller_said(server: RunningServer, tmp_path: Path) -> None:
    """Words, numbers and the token, through refusals, failing units, a broken database, and requests that are none."""
    database = tmp_path / "line.sqlite3"
    with server, wire(server.port) as line:
        line.token = TOKEN
        sid = "CA" + "5" * 32
        assert line.post("/voice/incoming", about(sid, NUMBER)).action == "/voice/turn/1"
        assert line.post("/voice/turn/1", about(sid, NUMBER, Digits=ENTERED, SpeechResult=WORDS)).status == 200
        # Refused: unsigned, malformed, twice, too large, not a form.
        for pairs in ([("CallSid", WORDS)], about(sid, NUMBER, Digits=WORDS), [*about(sid, NUMBER), ("From", NUMBER)]):
            assert line.post("/voice/turn/2", pairs).status in (400, 403)
        headers = {"Content-Type": FORM, "X-Twilio-Signature": TOKEN}
        assert line.send("POST", "/voice/turn/2", f"SpeechResult={WORDS}".encode() * 5000, headers).status == 413
        line.close()  # the server has not read the rest
        assert line.send("POST", f"/voice/turn/2?From={NUMBER}", WORDS.encode(), headers).status in (400, 403)
        assert line.get(f"/voice/{NUMBER}").status == 404
        # A unit of ours that fails with values in its message.
        spoil(database, "CREATE TRIGGER t BEFORE INSERT ON steps BEGIN SELECT RAISE(ABORT, 'planted'); END")
        assert "112" in line.post("/voice/turn/2", about(sid, NUMBER, SpeechResult=WORDS)).body
        spoil(database, "DROP TRIGGER t")
        spoil(database, "UPDATE steps SET position = '{\"Kwetsbaar'")
        assert "112" in line.post("/voice/turn/2", about(sid, NUMBER, SpeechResult=WORDS)).body
        spoil(database, "UPDATE steps SET position = '{\"Kwetsbaar\": 1}'")
        assert "112" in line.post("/voice/turn/2", about(sid, NUMBER, SpeechResult=WORDS)).body
        spoil(database, "DROP TABLE steps")
        assert "112" in line.post("/voice/turn/2", about(sid, NUMBER, SpeechResult=WORDS)).body
        for request in (
            f"GET /{NUMBER} HTTP/9.9\r\n\r\n",
            f"{WORDS} / HTTP/1.1\r\n\r\n",
            f"POST /voice/incoming HTTP/1.1\r\nHost: x\r\n{WORDS}: {NUMBER}\r\n\r\n",
            f"POST /voice/incoming HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {WORDS}\r\n\r\n{NUMBER}",
            f"POST /voice/incoming HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{NUMBER}\r\n\r\n",
            f"POST /voice/incoming HTTP/1.1\r\nHost: x\r\nContent-Length: {NUMBER}x\r\n\r\n{WORDS}",
            f"POST /{WORDS} HTTP/1.1\r\nHost: x\r\nX: {NUMBER * 2000}\r\n\r\n",
        ):
            raw(server.port, request.encode())
        server.stop()
        events = check(server.output)
    told = {(event["event"], event.get("error")) for event in events}
    assert {("turn_failed", "StepAlreadyTaken"), ("turn_failed", "JSONDecodeError")} <= told
    assert ("turn_failed", "DatabaseUnavailable") in told
    assert "Traceback" not in server.output
