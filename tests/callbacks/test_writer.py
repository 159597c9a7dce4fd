"""Units of work under load and failure: what was acknowledged is there, what failed failed alone, nobody waits long."""

import fcntl
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from sqlalchemy import Connection, insert, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from callbacks.channels import TransactionSpoiled
from callbacks.db import Database
from callbacks.errors import DatabaseUnavailable
from callbacks.sqlite_library import sqlite3
from tests.callbacks import storm as storm_script
from tests.callbacks.storm import NOTES, counter, increase, make_tables, note, numbers
from tests.servers import ROOT, PrivatePostgres

T = TypeVar("T")

# What the machine may take on top of a time limit before a test calls it broken.
GRACE = 3.0  # seconds; a machine that does much else at the same time is no failure


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Give a database with the tables of these tests."""
    with opened(database_url) as database:
        database.write(make_tables)
        yield database


@contextmanager
def opened(url: str, wait_seconds: float = 4.0) -> Iterator[Database]:
    """Open a database that is closed afterwards; its SQLite file is made first, as `migrate` would."""
    if url.startswith("sqlite"):
        Path(str(make_url(url).database)).touch()
    with closing(Database(url, wait_seconds=wait_seconds)) as database:
        yield database


@contextmanager
def storm(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process of writing threads."""
    command = [sys.executable, "-m", "tests.callbacks.storm", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def occupied(url: str) -> Iterator[None]:
    """Hold every lock that a writer needs, as a stranger would who knows nothing of our manners."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(str(make_url(url).database), isolation_level=None)) as stranger:
            stranger.execute("BEGIN EXCLUSIVE")
            yield
    else:
        with psycopg.connect(url) as stranger_there:
            stranger_there.execute("LOCK TABLE notes, counters")
            yield


class Gate:
    """A unit that keeps the writer busy until it is let go, so that other units pile up behind it."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self, connection: Connection) -> None:
        self.entered.set()
        self.opened.wait(10)


@pytest.fixture
def together(database: Database) -> Iterator[Callable[..., list[Future[Any]]]]:
    """Hand in units so that all of them wait at the same time: a function from units to their futures."""
    with ThreadPoolExecutor(20) as threads:

        def hand_in(*units: Callable[[Connection], T]) -> list[Future[T]]:
            gate = Gate()
            held = threads.submit(database.write, gate)
            assert gate.entered.wait(4)
            futures = [threads.submit(database.write, unit) for unit in units]
            while database._writing._inbox.qsize() < len(units):
                time.sleep(0.001)
            gate.opened.set()
            held.result()
            return futures

        yield hand_in


def test_what_is_written_can_be_read(database: Database) -> None:
    assert database.write(note(7)) == 7
    assert database.read(numbers) == {7}


def test_units_that_wait_together_share_one_transaction(
    database: Database, together: Callable[..., list[Future[Any]]]
) -> None:
    """One flush of the disk serves them all, which is what makes sixteen callers fast."""
    seen: list[object] = []

    def remember(number: int) -> Callable[[Connection], None]:
        def unit(connection: Connection) -> None:
            seen.append(connection.get_transaction())
            note(number)(connection)

        return unit

    for future in together(*(remember(number) for number in range(12))):
        future.result()

    assert len(seen) == 12
    assert len(set(seen)) == 1
    assert database.read(numbers) == set(range(12))


def test_a_unit_that_fails_fails_alone(database: Database, together: Callable[..., list[Future[Any]]]) -> None:
    """Its neighbours in the batch commit; it gets its own error, unchanged, and leaves nothing behind."""

    class NoSuchOption(Exception):
        pass

    def refuse(connection: Connection) -> None:
        note(99)(connection)
        raise NoSuchOption("5")

    futures = together(note(1), note(2), refuse, note(3), note(1))

    assert [futures[i].result() for i in (0, 1, 3)] == [1, 2, 3]
    with pytest.raises(NoSuchOption, match="5"):
        futures[2].result()
    with pytest.raises(IntegrityError):
        futures[4].result()
    assert database.read(numbers) == {1, 2, 3}


def test_two_processes_that_count_at_once_lose_nothing(database: Database, database_url: str) -> None:
    with storm("increase", database_url, "25") as one, storm("increase", database_url, "25") as other:
        assert (one.wait(40), other.wait(40)) == (0, 0)

    assert database.read(counter) == 2 * 8 * 25


def test_a_stranger_cannot_write_between_what_a_unit_reads_and_writes(tmp_path: Path) -> None:
    """The sqlite3 shell knows nothing of our queue: SQLite itself must turn it away from the beginning."""
    file = tmp_path / "zorglijn.sqlite3"
    with (
        opened(f"sqlite:///{file}") as database,
        closing(sqlite3.connect(file, timeout=0, check_same_thread=False)) as stranger,
    ):
        database.write(make_tables)

        def disturbed(connection: Connection) -> int:
            before = counter(connection)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                stranger.execute("UPDATE counters SET value = 100")
            return before + increase(connection)

        assert database.write(disturbed) == 1


def test_readers_and_writers_do_not_starve_each_other(database: Database, database_url: str) -> None:
    with storm("acknowledge", database_url):
        while not database.read(numbers):
            time.sleep(0.01)
        until = time.monotonic() + 1.5
        waits = {"read": 0.0, "write": 0.0}
        while time.monotonic() < until:
            started = time.monotonic()
            database.read(counter)
            waits["read"] = max(waits["read"], time.monotonic() - started)
            started = time.monotonic()
            database.write(increase)
            waits["write"] = max(waits["write"], time.monotonic() - started)

    # With a rollback journal a reader has to find the moment between two commits.
    assert waits["read"] < (3.0 if storm_script.DISTRUST in os.environ else 1.0), waits
    assert waits["write"] < 1.0, waits


@pytest.mark.parametrize("after_seconds", [0.2, 0.5, 0.9])
def test_what_a_killed_process_had_acknowledged_is_there(
    database: Database, database_url: str, after_seconds: float
) -> None:
    with storm("acknowledge", database_url) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(after_seconds)
        process.kill()
        acknowledged = {int(line) for line in [first, *process.stdout.read().split("\n")[:-1]]}

    there = database.read(numbers)
    assert len(acknowledged) > 20
    assert acknowledged <= there
    # Of each thread at most the one that was in flight may be there without having been acknowledged.
    assert len(there - acknowledged) <= 8
    assert database.write(note(-1)) == -1


def test_what_a_killed_parent_had_in_hand_is_not_kept_by_its_children(database: Database, database_url: str) -> None:
    """A child is forked while its parent's writer has the turn; the parent dies, the child lives on."""
    script = f"""
import os, signal, time
from callbacks.db import Database

def unit(connection):
    if os.fork() == 0:
        print("forked", flush=True)
        time.sleep(20)
        os._exit(0)
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGKILL)

Database({database_url!r}, wait_seconds=30).write(unit)
"""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, stdout=subprocess.PIPE, process_group=0
    ) as parent:
        try:
            assert parent.stdout is not None
            assert parent.stdout.readline() == b"forked\n"
            assert parent.wait(5) == -signal.SIGKILL
            assert database.write(note(1)) == 1
        finally:
            os.killpg(parent.pid, signal.SIGKILL)


def test_a_database_that_a_stranger_keeps_locked_is_unavailable_in_time(database: Database, database_url: str) -> None:
    with opened(database_url, wait_seconds=0.8) as impatient:
        impatient.write(note(1))
        with occupied(database_url):
            started = time.monotonic()
            with pytest.raises(DatabaseUnavailable):
                impatient.write(note(2))
            assert time.monotonic() - started < 0.8 + GRACE

            started = time.monotonic()
            with suppress(DatabaseUnavailable):  # with a write-ahead log reading goes on
                assert impatient.read(numbers) == {1}
            assert time.monotonic() - started < 0.8 + GRACE

        assert impatient.write(note(3)) == 3
    assert database.read(numbers) == {1, 3}


def test_a_writer_elsewhere_that_keeps_the_turn_is_unavailable_in_time(database: Database, database_url: str) -> None:
    gate = Gate()
    with opened(database_url, wait_seconds=0.5) as impatient, ThreadPoolExecutor(1) as elsewhere:
        held = elsewhere.submit(database.write, gate)
        assert gate.entered.wait(4)
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            impatient.write(note(2))
        assert time.monotonic() - started < 0.5 + GRACE
        gate.opened.set()
        held.result()

        assert impatient.write(note(3)) == 3
    assert database.read(numbers) == {3}


def test_a_unit_whose_waiter_has_left_before_it_started_never_runs(database: Database, database_url: str) -> None:
    gate, ran = Gate(), threading.Event()
    with opened(database_url, wait_seconds=0.3) as impatient, ThreadPoolExecutor(1) as elsewhere:
        held = elsewhere.submit(database.write, gate)
        assert gate.entered.wait(4)
        with pytest.raises(DatabaseUnavailable):
            impatient.write(lambda _connection: ran.set())
        gate.opened.set()
        held.result()

        impatient.write(note(1))
    assert not ran.is_set()


def test_a_unit_whose_waiter_leaves_while_it_runs_is_undone(database_url: str) -> None:
    """What could not be promised in time is not done behind the caller's back."""
    with opened(database_url, wait_seconds=0.4) as impatient:
        impatient.write(make_tables)

        def slow(connection: Connection) -> None:
            note(1)(connection)
            time.sleep(0.8)

        with pytest.raises(DatabaseUnavailable):
            impatient.write(slow)
        time.sleep(0.6)

        impatient.write(note(2))
        assert impatient.read(numbers) == {2}


def test_a_unit_that_goes_on_after_its_transaction_was_undone_is_not_acknowledged(
    database: Database, database_url: str
) -> None:
    """A COMMIT then succeeds and stores nothing: the caller would have been promised something."""
    database.write(note(1))
    again = (
        "INSERT OR ROLLBACK INTO notes (number) VALUES (1)"
        if database_url.startswith("sqlite")
        else "INSERT INTO nowhere"
    )

    def careless(connection: Connection) -> None:
        note(2)(connection)
        with suppress(DBAPIError):
            connection.execute(text(again))

    with pytest.raises(TransactionSpoiled):
        database.write(careless)
    assert database.read(numbers) == {1}
    assert database.write(note(3)) == 3


def test_a_unit_may_expect_a_refusal_inside_a_savepoint(database: Database) -> None:
    database.write(note(1))

    def twice(connection: Connection) -> str:
        note(2)(connection)
        try:
            with connection.begin_nested():
                note(1)(connection)
        except IntegrityError:
            return "was there"
        return "is new"

    assert database.write(twice) == "was there"
    assert database.read(numbers) == {1, 2}


def test_closing_finishes_what_was_handed_in(database: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        gate = Gate()
        held = threads.submit(database.write, gate)
        assert gate.entered.wait(4)
        inbox, clerks = database._writing._inbox, database._writing._clerks
        futures = [threads.submit(database.write, note(number)) for number in range(5)]
        while inbox.qsize() < 5:
            time.sleep(0.001)
        threading.Timer(0.1, gate.opened.set).start()
        database.close()
        held.result()
        assert not any(clerk._thread.is_alive() for clerk in clerks)

        assert [future.result() for future in futures] == list(range(5))
    assert database.read(numbers) == set(range(5))


def test_a_full_disk_is_unavailable_and_passes(tmp_path: Path) -> None:
    """The file may grow no further; once there is room again, the line goes on with nothing half done."""
    file = tmp_path / "zorglijn.sqlite3"
    with opened(f"sqlite:///{file}") as database:
        database.write(make_tables)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, hard))
        try:
            with pytest.raises(DatabaseUnavailable):
                database.write(lambda connection: connection.execute(insert(NOTES).values(number=1, words="x" * 99999)))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

        assert database.write(note(2)) == 2
        assert database.read(numbers) == {2}
        assert database.read(lambda connection: connection.scalar(text("PRAGMA integrity_check"))) == "ok"


def test_a_process_ends_although_its_database_hangs(tmp_path: Path) -> None:
    file = tmp_path / "zorglijn.sqlite3"
    with opened(f"sqlite:///{file}") as database:
        database.write(make_tables)
    script = f"""
from callbacks.db import Database
from callbacks.errors import DatabaseUnavailable
try:
    Database("sqlite:///{file}", wait_seconds=0.3).write(lambda connection: None)
except DatabaseUnavailable:
    print("unavailable")
"""
    with Path(f"{file}-lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True
        )
    assert (done.stdout, done.stderr) == ("unavailable\n", "")


def test_a_restarted_server_is_not_noticed_by_the_next_call(stoppable_postgres: PrivatePostgres) -> None:
    with opened(stoppable_postgres.create_database()) as database:
        database.write(make_tables)
        database.write(note(1))
        database.read(numbers)
        stoppable_postgres.stop()
        stoppable_postgres.start()

        assert database.write(note(2)) == 2
        assert database.read(numbers) == {1, 2}


def test_a_stopped_server_is_unavailable_at_once_and_comes_back(stoppable_postgres: PrivatePostgres) -> None:
    with opened(stoppable_postgres.create_database()) as database:
        database.write(make_tables)
        stoppable_postgres.kill_hard()
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            database.write(note(1))
        with pytest.raises(DatabaseUnavailable):
            database.read(numbers)
        assert not database.is_ready()
        assert time.monotonic() - started < 2 + GRACE

        stoppable_postgres.start()
        assert database.write(note(2)) == 2
        assert database.read(numbers) == {2}


def test_a_frozen_server_is_unavailable_in_time_and_comes_back(stoppable_postgres: PrivatePostgres) -> None:
    """It accepts connections and answers nothing; no time-out of its own can fire."""
    with opened(stoppable_postgres.create_database(), wait_seconds=1.0) as database:
        database.write(make_tables)
        database.read(numbers)
        with frozen(stoppable_postgres):
            for ask in (lambda: database.write(note(1)), lambda: database.read(numbers)) * 2:
                started = time.monotonic()
                with pytest.raises(DatabaseUnavailable):
                    ask()
                assert time.monotonic() - started < 1.0 + GRACE
            assert not database.is_ready()

        assert eventually(lambda: database.write(note(2))) == 2
        assert 1 not in database.read(numbers)


@contextmanager
def frozen(server: PrivatePostgres) -> Iterator[None]:
    """Stop the clock of every process of the server."""
    assert server._process is not None
    os.killpg(server._process.pid, signal.SIGSTOP)
    for session in backends(server._process.pid):
        os.kill(session, signal.SIGSTOP)
    try:
        yield
    finally:
        for session in backends(server._process.pid):
            os.kill(session, signal.SIGCONT)
        os.killpg(server._process.pid, signal.SIGCONT)


def backends(postmaster: int) -> list[int]:
    """List the children of the server; each has a session and a process group of its own."""
    return [int(pid) for pid in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()]


def eventually(ask: Callable[[], T]) -> T:
    """Ask again while the database is unavailable, for a few seconds."""
    until = time.monotonic() + 6
    while True:
        try:
            return ask()
        except DatabaseUnavailable:
            if time.monotonic() > until:
                raise


def test_a_connection_cut_before_the_commit_is_tried_once_more(postgres_url: str) -> None:
    with opened(postgres_url) as database:
        database.write(make_tables)
        runs: list[int] = []

        def cut(connection: Connection) -> int:
            runs.append(1)
            note(1)(connection)
            if len(runs) == 1:
                connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
            return len(runs)

        assert database.write(cut) == 2
        assert database.read(numbers) == {1}


def test_a_connection_cut_during_the_commit_is_never_tried_again(postgres_url: str) -> None:
    """Nobody knows whether it was stored: the caller is promised nothing, and it is not done twice."""
    with opened(postgres_url) as database:
        database.write(make_tables)
        database.write(cut_at_commit)
        runs: list[int] = []

        def unit(connection: Connection) -> None:
            runs.append(1)
            note(1)(connection)

        with pytest.raises(DatabaseUnavailable):
            database.write(unit)
        assert len(runs) == 1
        assert database.write(increase) == 1


def cut_at_commit(connection: Connection) -> None:
    """Let every insert of a note end the session when it is committed."""
    connection.execute(
        text(
            "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$"
        )
    )
    connection.execute(
        text(
            "CREATE CONSTRAINT TRIGGER cutting AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION cut()"
        )
    )
