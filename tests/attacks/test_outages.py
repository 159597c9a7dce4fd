"""The database locked, stopped, frozen, gone or full, while a caller is on the line, over a real server.

The caller hears an apology in time that promises nothing and says where help is; nothing is half stored; afterwards the
line goes on as if nothing had been.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import select

from callbacks import call_log, service
from callbacks.db import Database
from callbacks.sqlite_library import sqlite3
from tests.attacks.wire import Answer, Wire, about
from tests.servers import PrivatePostgres, RunningServer, free_port, living_members

SID = "CA" + "6" * 32
WITHIN_SECONDS = 5.0
PROMISES = ("bellen u", "bewaard", "will call", "saved", "uw code", "your code")


@dataclass(frozen=True)
class House:
    """A running line and its database."""

    server: RunningServer
    database_url: str

    def post(self, target: str, sid: str = SID, from_: str = "+31612345678", **form: str) -> Answer:
        """A signed request on a connection of its own."""
        wire = Wire(self.server.port)
        try:
            return wire.post(target, about(sid, from_, **form))
        finally:
            wire.close()

    def status(self, page: str) -> int:
        """How /healthz or /readyz answers."""
        wire = Wire(self.server.port)
        try:
            return wire.get(page).status
        finally:
            wire.close()

    def steps(self) -> list[tuple[int, str | None]]:
        """What is stored of the call: numbers and keys."""
        database = Database(self.database_url)
        try:
            return database.read(
                lambda connection: [
                    (row.number, row.digits)
                    for row in connection.execute(
                        select(call_log.steps.c.number, call_log.steps.c.digits)
                        .join(call_log.calls, call_log.calls.c.id == call_log.steps.c.call_id)
                        .where(call_log.calls.c.sid == SID)
                        .order_by(call_log.steps.c.number)
                    )
                ]
            )
        finally:
            database.close()

    def callbacks(self) -> int:
        """How many callbacks there are."""
        database = Database(self.database_url)
        try:
            return database.read(lambda connection: len(list(connection.execute(select(service.callbacks.c.id)))))
        finally:
            database.close()

    @property
    def workers(self) -> list[int]:
        """The processes of the server."""
        return living_members(self.server.pid)


Open = Callable[[str], House]


@pytest.fixture
def line(start_server: Callable[[Mapping[str, str]], RunningServer]) -> Iterator[Open]:
    """Start a line on this database; a caller is at the question which number to call, having agreed."""
    with contextlib.ExitStack() as running:

        def start(database_url: str) -> House:
            port = free_port()
            env = {"DATABASE_URL": database_url, "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}"}
            house = House(running.enter_context(RunningServer(env, port)), database_url)
            house.post("/voice/incoming")
            for turn, key in enumerate(("1", "0", "1"), start=1):
                assert house.post(f"/voice/turn/{turn}", Digits=key).action == f"/voice/turn/{turn + 1}"
            return house

        yield start


def heard(answer: Answer) -> str:
    """The words of a document, in small letters."""
    return " ".join(ET.fromstring(answer.body).itertext()).lower()  # noqa: S314


def assert_apology(answer: Answer) -> None:
    """200 and TwiML, or it is not spoken; 112 and the office's number in both languages; no promise; then the end."""
    assert (answer.status, answer.kind) == (200, "text/xml; charset=utf-8")
    words = heard(answer)
    assert words.count("112") == 2
    assert re.sub(r"\D", "", words).count("0402512738") == 2
    assert not [promise for promise in PROMISES if promise in words]
    assert answer.action is None
    assert answer.body.count("<Hangup") == 1


def assert_apologises(house: House, *, at_once: int = 6) -> None:
    """Everybody who calls meanwhile, in time: at the ring, in the middle, and the news of the end is taken as well."""

    def timed(caller: int) -> tuple[float, Answer]:
        began = time.monotonic()
        target, sid = ("/voice/turn/4", SID) if caller % 2 else ("/voice/incoming", f"CA{caller:032x}")
        answer = house.post(target, sid, Digits="1") if caller % 2 else house.post(target, sid)
        return time.monotonic() - began, answer

    with ThreadPoolExecutor(at_once) as pool:
        for seconds, answer in pool.map(timed, range(at_once)):
            assert_apology(answer)
            assert seconds < WITHIN_SECONDS
    assert house.status("/healthz") == 200
    assert house.post("/voice/fallback").status == 200


def assert_goes_on(house: House) -> None:
    """The same key again is taken as if for the first time, once, and the caller is in the queue."""
    end = time.monotonic() + 10
    while house.status("/readyz") != 200:
        assert time.monotonic() < end
        time.sleep(0.1)
    time.sleep(0.6)  # every worker finds out for itself
    answer = house.post("/voice/turn/4", Digits="1")
    assert "bewaard" in heard(answer)
    assert house.post("/voice/turn/4", Digits="1") == answer
    assert house.steps() == [(0, None), (1, "1"), (2, "0"), (3, "1"), (4, "1")]
    assert house.callbacks() == 1


@pytest.mark.parametrize("kind", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_sqlite_file_that_somebody_else_holds(line: Open, tmp_path: Path, kind: str) -> None:
    """A shell, a backup: for writing only, or altogether. Not ready in either case, because no step can be stored."""
    path = tmp_path / "line.sqlite3"
    house = line(f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(f"BEGIN {kind}")
        assert_apologises(house)
        assert house.status("/readyz") == 503
        other.execute("ROLLBACK")
    assert_goes_on(house)


def test_a_crowd_that_calls_while_the_file_is_held_is_told_in_time(line: Open, tmp_path: Path) -> None:
    """More callers than the server has threads: nobody queues behind those who wait for the database."""
    path = tmp_path / "line.sqlite3"
    house = line(f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert_apologises(house, at_once=48)
    assert_goes_on(house)


def test_a_sqlite_file_that_is_deleted(line: Open, tmp_path: Path) -> None:
    """Nothing is written into a file that is gone; put back, it is as it was."""
    path = tmp_path / "line.sqlite3"
    house = line(f"sqlite:///{path}")
    path.rename(tmp_path / "away")
    assert_apologises(house)
    assert house.status("/readyz") == 503
    (tmp_path / "away").rename(path)
    assert_goes_on(house)


def test_a_disk_that_is_full(line: Open, tmp_path: Path) -> None:
    """No byte more can be written by the server's processes; then again."""
    path = tmp_path / "line.sqlite3"
    house = line(f"sqlite:///{path}")
    limit = resource.prlimit(house.workers[0], resource.RLIMIT_FSIZE)
    for worker in house.workers:
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (1, limit[1]))
    assert_apologises(house)
    for worker in house.workers:
        resource.prlimit(worker, resource.RLIMIT_FSIZE, limit)
    assert_goes_on(house)


def test_a_postgresql_that_is_stopped_and_comes_back(line: Open, stoppable_postgres: PrivatePostgres) -> None:
    """Politely, and as by a power cut."""
    house = line(stoppable_postgres.create_database())
    for stop in (stoppable_postgres.stop, stoppable_postgres.kill_hard):
        stop()
        assert_apologises(house)
        assert house.status("/readyz") == 503
        stoppable_postgres.start()
        if stop == stoppable_postgres.stop:
            assert house.post("/voice/incoming", "CA" + "9" * 32).action is not None
    assert_goes_on(house)


def test_a_postgresql_that_is_restarted_between_two_turns(line: Open, stoppable_postgres: PrivatePostgres) -> None:
    """The caller notices nothing."""
    house = line(stoppable_postgres.create_database())
    stoppable_postgres.stop()
    stoppable_postgres.start()
    assert_goes_on(house)


def test_a_postgresql_that_is_frozen(line: Open, stoppable_postgres: PrivatePostgres) -> None:
    """It takes connections and answers nothing; the abandoned step is not stored behind the caller's back."""
    house = line(stoppable_postgres.create_database())
    with frozen(stoppable_postgres):
        assert_apologises(house)
        assert house.status("/readyz") == 503
    assert_goes_on(house)


@contextlib.contextmanager
def frozen(postgres: PrivatePostgres) -> Iterator[None]:
    """Stop the clock of every process of a server."""
    assert postgres._process is not None
    master = postgres._process.pid
    _signal(master, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(master, signal.SIGCONT)


def _signal(master: int, number: signal.Signals) -> None:
    """To the server and to its sessions, which are process groups of their own."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii").split()
    for process in (master, *map(int, children)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
