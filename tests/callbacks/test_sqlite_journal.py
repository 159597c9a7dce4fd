"""SQLite's journals: one copy of the library, files for our eyes only, a log that stays small, forks and changes."""

import os
import re
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url

from callbacks import sqlite_channel
from callbacks.db import Database
from callbacks.sqlite_channel import wal_is_safe
from callbacks.sqlite_library import sqlite3
from tests.callbacks import storm
from tests.callbacks.storm import make_tables, note, numbers
from tests.servers import ROOT

needs_the_log = pytest.mark.skipif(
    not wal_is_safe(sqlite3.sqlite_version_info), reason="this machine's SQLite has no write-ahead log to rely on"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "zorglijn.sqlite3"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    """Give a database on SQLite with the tables of these tests."""
    file.touch(mode=0o600)
    with closing(Database(f"sqlite:///{file}")) as database:
        database.write(make_tables)
        yield database


def journal_mode(connection: Connection) -> str:
    """Ask SQLite which journal it keeps."""
    mode: str = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    return mode


def log_of(database: Path) -> Path:
    """Name the write-ahead log that belongs to this file."""
    return database.with_name(f"{database.name}-wal")


def test_one_copy_of_sqlite_is_used_everywhere() -> None:
    """Two copies in one process would drop each other's file locks."""
    library = ROOT / "callbacks" / "sqlite_library.py"
    rooms = [ROOT / "app.py", ROOT / "settings.py"]
    rooms += [path for room in ("callbacks", "ivr", "tests", "bench", "docs") for path in (ROOT / room).rglob("*.py")]
    direct = re.compile(r"^\s*(import|from) +(py)?sqlite3\b", re.MULTILINE)
    assert [path for path in rooms if path != library and direct.search(path.read_text(encoding="utf-8"))] == []


def test_without_the_bundled_library_pythons_own_serves(file: Path) -> None:
    script = f"""
import sys
sys.modules["pysqlite3"] = None
from callbacks.db import Database
from callbacks.sqlite_channel import wal_is_safe
from tests.callbacks.storm import make_tables, note, numbers
database = Database("sqlite:///{file}")
database.migrate()
database.write(make_tables)
database.write(note(1))
mode = database.read(lambda connection: connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())
database.close()
from callbacks.sqlite_library import sqlite3
expected = "wal" if wal_is_safe(sqlite3.sqlite_version_info) else "truncate"
print(database.read(numbers), sqlite3.__name__, mode == expected)
database.close()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{1} sqlite3 True\n", "")


@needs_the_log
def test_what_lies_beside_the_file_is_for_our_eyes_only(database: Database, file: Path) -> None:
    database.write(note(1))
    beside = {path.name.removeprefix(file.name): stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert beside == {"": 0o600, "-wal": 0o600, "-shm": 0o600, "-lock": 0o600}
    database.close()
    assert not log_of(file).exists()


@needs_the_log
def test_a_line_may_change_its_journal_and_back(database: Database) -> None:
    """It was served with an older SQLite, and is again."""
    for mode, change in (("wal", storm.distrust_the_log), ("truncate", storm.trust_the_log), ("wal", None)):
        database.write(note(len(database.read(numbers))))
        assert database.read(journal_mode) == database.write(journal_mode) == mode
        database.close()
        if change is not None:
            change()
    assert database.read(numbers) == {0, 1, 2}


@needs_the_log
def test_the_log_stays_small_although_somebody_always_reads(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers who relieve each other: at no moment is the log free of them, and SQLite alone would never reuse it."""
    monkeypatch.setattr(sqlite_channel, "LARGEST_LOG", 200_000)
    monkeypatch.setattr(sqlite_channel, "LOOK_AT_LOG_EVERY", 8)
    enough, largest = threading.Event(), 0

    def read_slowly(connection: Connection) -> None:
        numbers(connection)
        time.sleep(0.02)

    def relieve_each_other(wait: float) -> None:
        time.sleep(wait)
        while not enough.is_set():
            database.read(read_slowly)

    database.close()
    readers = [threading.Thread(target=relieve_each_other, args=(wait,)) for wait in (0.0, 0.007, 0.013)]
    for reader in readers:
        reader.start()
    for number in range(800):
        database.write(note(number))
        largest = max(largest, log_of(file).stat().st_size)
    enough.set()
    for reader in readers:
        reader.join()
    assert largest < 1_600_000  # half of what it would be otherwise: on a busy machine a reader may hold it for long
    assert database.read(numbers) == set(range(800))


@needs_the_log
def test_a_reader_who_stays_holds_up_no_writer(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_channel, "LARGEST_LOG", 1)
    monkeypatch.setattr(sqlite_channel, "LOOK_AT_LOG_EVERY", 1)
    database.close()
    inside, enough = threading.Event(), threading.Event()

    def stay(connection: Connection) -> set[int]:
        before = numbers(connection)
        inside.set()
        enough.wait(3)
        return before

    staying = threading.Thread(target=database.read, args=(stay,))
    staying.start()
    assert inside.wait(3)
    began = time.monotonic()
    for number in range(5):
        database.write(note(number))
    took = time.monotonic() - began
    enough.set()
    staying.join()
    assert took < 5 * (sqlite_channel.WAIT_FOR_READERS / 1000 + 0.2)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@needs_the_log
def test_a_child_goes_on_writing_when_its_parent_closes(database: Database) -> None:
    """Whoever closes last takes the log away: the child must count, although its parent had opened the file first."""
    database.write(note(0))
    database.read(numbers)
    told, tells = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            database.write(note(1))
            os.read(told, 1)
            database.write(note(2))
            os.kill(os.getpid(), 9)  # what was acknowledged must be there without a tidy end
        finally:
            os._exit(2)
    end = time.monotonic() + 5
    while 1 not in database.read(numbers) and time.monotonic() < end:
        time.sleep(0.01)
    database.close()
    os.write(tells, b"!")
    assert os.waitpid(child, 0)[1] == 9
    assert database.read(numbers) == {0, 1, 2}


def test_a_file_that_is_replaced_is_opened_anew(database: Database, file: Path, tmp_path: Path) -> None:
    """A backup was put back under the line."""
    database.write(note(1))
    backup = tmp_path / "backup.sqlite3"
    with closing(Database(f"sqlite:///{backup}")) as other:
        backup.touch()
        other.write(make_tables)
        other.write(note(7))
    for left in file.parent.glob(f"{file.name}-*"):
        if not left.name.endswith("-lock"):
            left.unlink()
    backup.rename(make_url(f"sqlite:///{file}").database or "")
    database.write(note(8))
    assert database.read(numbers) == {7, 8}
