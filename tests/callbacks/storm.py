"""A process full of writing threads, for the tests that kill it or set two of them against each other.

`python -m tests.callbacks.storm acknowledge URL` inserts notes for ever and prints the number of each one that was
acknowledged; `python -m tests.callbacks.storm increase URL TIMES` lets every thread read and increase the one counter
TIMES times. With DISTRUST in the environment it does so as where SQLite's write-ahead log may lose commits.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, insert, select, update

from callbacks import sqlite_channel
from callbacks.db import Database

THREADS = 8
DISTRUST = "STORM_DISTRUSTS_THE_LOG"
_wal_is_safe = sqlite_channel.wal_is_safe

TABLES = MetaData()
NOTES = Table(
    "notes", TABLES, Column("number", Integer, primary_key=True, autoincrement=False), Column("words", String)
)
COUNTERS = Table("counters", TABLES, Column("name", String, primary_key=True), Column("value", Integer, nullable=False))


def distrust_the_log() -> None:
    """Take the SQLite of this process for one whose write-ahead log may lose commits."""
    sqlite_channel.wal_is_safe = lambda version: False


def trust_the_log() -> None:
    """Believe again what the library's version says."""
    sqlite_channel.wal_is_safe = _wal_is_safe


def make_tables(connection: Connection) -> None:
    """Lay out two tables that belong to these tests alone."""
    TABLES.create_all(connection)
    connection.execute(insert(COUNTERS).values(name="calls", value=0))


def note(number: int) -> Callable[[Connection], int]:
    """Write a note: the unit returns its number."""

    def unit(connection: Connection) -> int:
        connection.execute(insert(NOTES).values(number=number, words="welcome"))
        return number

    return unit


def numbers(connection: Connection) -> set[int]:
    """List which notes there are."""
    return set(connection.scalars(select(NOTES.c.number)))


def counter(connection: Connection) -> int:
    """Read the counter."""
    value: int = connection.execute(select(COUNTERS.c.value)).scalar_one()
    return value


def increase(connection: Connection) -> int:
    """Read the counter, then write one more than was read: whoever does this unprotected loses increases."""
    value = counter(connection) + 1
    connection.execute(update(COUNTERS).values(value=value))
    return value


def acknowledge_for_ever(database: Database, thread: int) -> None:
    """Write note after note; a number is printed only when its note was acknowledged."""
    for number in count(thread, THREADS):
        sys.stdout.write(f"{database.write(note(number))}\n")
        sys.stdout.flush()


def increase_often(database: Database, times: int) -> None:
    """Increase the counter so many times."""
    for _ in range(times):
        database.write(increase)


def main(what: str, url: str, times: str = "0") -> None:
    """Do what was asked for, in all threads at once."""
    if DISTRUST in os.environ:
        distrust_the_log()
    with closing(Database(url)) as database, ThreadPoolExecutor(THREADS) as threads:
        if what == "acknowledge":
            done = [threads.submit(acknowledge_for_ever, database, thread) for thread in range(THREADS)]
        else:
            done = [threads.submit(increase_often, database, int(times)) for _ in range(THREADS)]
        for each in done:
            each.result()


if __name__ == "__main__":
    main(*sys.argv[1:])
