"""The door itself: which databases it takes, what it opens and when, and how the tables come to be."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, make_url, text

from callbacks.db import Database
from callbacks.errors import DatabaseUnavailable
from callbacks.migrations import HERE, head
from callbacks.sqlite_channel import wal_is_safe
from callbacks.sqlite_library import sqlite3
from tests.callbacks.storm import NOTES, make_tables, note, numbers
from tests.servers import ROOT


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Give a migrated database, with the tables of these tests beside the real ones."""
    with closing(Database(database_url)) as database:
        database.migrate()
        database.write(make_tables)
        yield database


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true", "sqlite:///zorglijn.db?mode=memory"]
)
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="in memory loses every call"):
        Database(url)


def test_another_database_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="mysql"):
        Database("mysql://localhost/zorglijn")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_is_understood(postgres_url: str, scheme: str) -> None:
    with closing(Database(postgres_url.replace("postgresql", scheme, 1))) as database:
        assert database.write(lambda connection: connection.scalar(text("SELECT 1"))) == 1


def test_nothing_is_opened_before_it_is_needed(tmp_path: Path) -> None:
    threads = threading.active_count()
    with closing(Database(f"sqlite:///{tmp_path}/var/zorglijn.sqlite3")):
        assert threading.active_count() == threads
        assert list(tmp_path.iterdir()) == []


def test_migrating_makes_a_directory_and_a_file_for_our_eyes_only(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "var" / "zorglijn.sqlite3"
    with closing(Database(f"sqlite:///{file}")) as database:
        database.migrate()
    assert {stat.S_IMODE(path.stat().st_mode) for path in (file, Path(f"{file}-lock"))} == {0o600}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_missing_file_is_an_error_and_never_a_new_empty_database(tmp_path: Path) -> None:
    file = tmp_path / "zorglijn.sqlite3"
    with closing(Database(f"sqlite:///{file}")) as database, pytest.raises(DatabaseUnavailable):
        database.write(make_tables)
    assert not file.exists()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "zorglijn.sqlite3"
    file.write_text("this is a letter, not a database. " * 200, encoding="utf-8")
    with closing(Database(f"sqlite:///{file}")) as database:
        with pytest.raises(DatabaseUnavailable):
            database.read(numbers)
        assert not database.is_ready()


def test_a_file_that_is_taken_away_is_unavailable(tmp_path: Path) -> None:
    """Its connection would go on for ever, writing into a file without a name."""
    file = tmp_path / "zorglijn.sqlite3"
    with closing(Database(f"sqlite:///{file}")) as database:
        database.migrate()
        database.write(make_tables)
        file.unlink()
        with pytest.raises(DatabaseUnavailable):
            database.write(note(1))


def test_a_database_is_ready_once_it_is_migrated(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        assert not database.is_ready()
        database.migrate()
        assert database.is_ready()
        database.migrate()
        assert database.is_ready()


def test_a_database_of_another_version_is_not_ready(database: Database) -> None:
    database.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '0000'")))
    assert not database.is_ready()


def test_processes_that_migrate_at_once_do_not_harm_each_other(database_url: str) -> None:
    script = f"from callbacks.db import Database; Database({database_url!r}).migrate()"
    processes = [
        subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for process in processes:
        errors = process.communicate(timeout=40)[1]
        assert (process.returncode, errors) == (0, "")
    with closing(Database(database_url)) as database:
        assert database.is_ready()


def test_the_newest_version_is_the_one_that_alembic_means() -> None:
    from alembic.script import ScriptDirectory

    assert head() == ScriptDirectory(str(HERE)).get_current_head()


def test_the_migrations_make_the_tables_that_the_models_describe(database_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from callbacks.models import Base

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))

    with closing(Database(database_url)) as database:
        database.migrate()
        assert database.read(differences) == []


def test_a_reading_unit_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        database.read(lambda connection: connection.execute(insert(NOTES).values(number=1)))
    assert database.read(numbers) == set()


def test_a_reading_unit_sees_one_moment(database: Database) -> None:
    started = threading.Event()
    writing = threading.Thread(target=lambda: started.wait(4) and database.write(note(2)))
    writing.start()

    def look_twice(connection: Connection) -> tuple[set[int], set[int]]:
        before = numbers(connection)
        started.set()
        time.sleep(0.3)
        return before, numbers(connection)

    database.write(note(1))
    assert database.read(look_twice) == ({1}, {1})
    writing.join()
    assert database.read(numbers) == {1, 2}


def test_a_long_read_does_not_hold_up_the_others(database: Database) -> None:
    """The export of a night may take a while; a caller who is on the line is looked up meanwhile."""
    inside, seen = threading.Event(), threading.Event()

    def long_read(connection: Connection) -> bool:
        numbers(connection)
        inside.set()
        return seen.wait(3)

    results: list[bool] = []
    exporting = threading.Thread(target=lambda: results.append(database.read(long_read)))
    exporting.start()
    assert inside.wait(3)
    database.read(numbers)
    seen.set()
    exporting.join()
    assert results == [True]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_opens_connections_of_its_own(database: Database) -> None:
    """As a web server does: the parent has migrated and looked before its workers are forked."""
    database.write(note(0))
    database.read(numbers)
    children = []
    for number in (1, 2):
        child = os.fork()
        if child == 0:
            try:
                database.write(note(number))
                os._exit(0 if number in database.read(numbers) else 1)
            finally:
                os._exit(2)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert database.write(note(3)) == 3
    assert database.read(numbers) == {0, 1, 2, 3}


def test_a_closed_database_opens_again_when_it_is_asked(database: Database) -> None:
    database.write(note(1))
    database.close()
    assert database.write(note(2)) == 2
    assert database.read(numbers) == {1, 2}


def test_a_connection_that_hangs_is_replaced(postgres_url: str) -> None:
    """A firewall that forgot it, a server process that is stuck: whoever comes next gets a fresh one."""
    with closing(Database(postgres_url, wait_seconds=0.5)) as database:
        database.write(make_tables)
        session = database.write(lambda connection: connection.scalar(text("SELECT pg_backend_pid()")))
        os.kill(session, signal.SIGSTOP)
        try:
            with pytest.raises(DatabaseUnavailable):
                database.write(note(1))
            assert database.write(note(2)) == 2
        finally:
            os.kill(session, signal.SIGCONT)
        assert database.read(numbers) == {2}


def test_a_commit_is_on_the_disk_even_where_postgresql_was_told_to_be_quick(postgres_url: str) -> None:
    name = make_url(postgres_url).database
    with closing(Database(postgres_url)) as database:
        database.write(
            lambda connection: connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
        )
    with closing(Database(postgres_url)) as database:
        assert database.write(lambda connection: connection.scalar(text("SHOW synchronous_commit"))) == "on"


def test_a_commit_on_sqlite_is_flushed_in_full(tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path}/zorglijn.sqlite3")) as database:
        database.migrate()
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")

        def ask(connection: Connection) -> list[object]:
            return [connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in pragmas]

        journal = "wal" if wal_is_safe(sqlite3.sqlite_version_info) else "truncate"
        assert database.write(ask) == [journal, 2, 1, 1]


@pytest.mark.parametrize(
    "version, safe",
    [("3.51.3", True), ("3.52.0", True), ("4.0.0", True), ("3.51.2", False), ("3.50.7", True), ("3.50.6", False),
     ("3.44.6", True), ("3.44.5", False), ("3.45.0", False), ("3.40.1", False)],
)  # fmt: skip
def test_the_write_ahead_log_is_used_only_where_it_loses_nothing(version: str, safe: bool) -> None:
    assert wal_is_safe(tuple(map(int, version.split(".")))) is safe


@pytest.mark.parametrize("heavy", ["psycopg", "alembic", "sqlalchemy.orm", "callbacks.models"])
def test_the_door_brings_nothing_heavy_along(heavy: str) -> None:
    script = f"import sys, callbacks.db; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
