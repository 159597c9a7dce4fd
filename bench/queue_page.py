"""How long the queue's page takes to read, with few requests in it and with very many.

    python -m bench.queue_page --few 500 --many 50000

Every request is open, which is the worst there is. The whole page is what an agent's browser gets: session, list,
counts, alerts, the row in the access log, rendered. The others are what the console reads, in one transaction. It ends
with 1 when the whole page, or its reading, takes more than 1.5 times as long in the long queue as in the short one.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from http import HTTPStatus
from time import perf_counter

from flask.testing import FlaskClient
from sqlalchemy import Connection

from bench import a_queue
from callbacks import queue
from callbacks.db import Database
from callbacks.queue_views import Filters
from callbacks.staff import Member
from tests.callbacks import people

WHOLE = "the whole page"
PAGE = "the page with its counts"
MOST = 1.5
Reading = Callable[[Connection, Member], object]


def page(connection: Connection, member: Member) -> object:
    """What the page of the queue reads."""
    return queue.list_page(connection, Filters(), member, a_queue.NOW), queue.counts(connection, member, a_queue.NOW)


def deep(connection: Connection, member: Member) -> object:
    """A page that begins in the middle of the queue."""
    return queue.list_page(connection, Filters(), member, a_queue.NOW, after="2.1762000000000000.1")


def overdue(connection: Connection, member: Member) -> object:
    """The page of what is overdue."""
    return queue.list_page(connection, Filters(overdue=True), member, a_queue.NOW)


def mine(connection: Connection, member: Member) -> object:
    """The page of what an agent has."""
    return queue.list_page(connection, Filters(mine=True), member, a_queue.NOW)


def a_word(connection: Connection, member: Member) -> object:
    """A search for a word that is nowhere: it looks at everything."""
    return queue.list_page(connection, Filters(words="nowhere"), member, a_queue.NOW)


def a_number(connection: Connection, member: Member) -> object:
    """A search for the end of a phone number."""
    return queue.list_page(connection, Filters(words="06 1000 0123"), member, a_queue.NOW)


READINGS: dict[str, Reading] = {
    PAGE: page,
    "a page in the middle": deep,
    "overdue": overdue,
    "mine": mine,
    "a word that is nowhere": a_word,
    "a phone number": a_number,
}


def main() -> int:
    """Run as told on the command line."""
    options = _options()
    is_slow = False
    for kind in options.databases:
        few, many = _measure(kind, (options.few, options.many), options.times)
        print(f"{kind}: median of {options.times} readings, ms")
        print(f"  {'':26}{options.few:>9,}{options.many:>9,}   times")
        for name in (WHOLE, *READINGS):
            ratio = many[name] / few[name]
            print(f"  {name:26}{few[name]:9.2f}{many[name]:9.2f}{ratio:8.2f}")
        is_slow |= any(many[name] > MOST * few[name] for name in (WHOLE, PAGE))
    return 1 if is_slow else 0


def _measure(kind: str, lengths: tuple[int, int], times: int) -> list[dict[str, float]]:
    """The median time of each reading in queues of these lengths, in milliseconds.

    The queues take turns, so that whatever else the machine does hits both alike.
    """
    with ExitStack() as open_ones:
        opened = [open_ones.enter_context(a_queue.database_of(kind)) for _ in lengths]
        for (database, _), length in zip(opened, lengths, strict=True):
            a_queue.fill(database, length)
        browsers = [_browser(open_ones, url) for _, url in opened]
        members = [a_queue.join(database, 1) for database, _ in opened]
        readers = [(database, member) for (database, _), member in zip(opened, members, strict=True)]
        actions: dict[str, list[Callable[[], object]]] = {WHOLE: [partial(_open, browser) for browser in browsers]}
        for name, reading in READINGS.items():
            actions[name] = [partial(_read, database, member, reading) for database, member in readers]
        medians: list[dict[str, float]] = [{} for _ in lengths]
        for name, both in actions.items():
            taken = [[_milliseconds(action) for action in both] for _ in range(times)]
            for median, each in zip(medians, zip(*taken, strict=True), strict=True):
                median[name] = statistics.median(each)
        return medians


def _browser(open_ones: ExitStack, url: str) -> FlaskClient:
    """The browser of an agent who has signed in, at the moment of the queue."""
    app = people.console(url, people.Clock(a_queue.NOW))
    open_ones.callback(people.database_of(app).close)
    return people.signed_in_client(app, "anna")


def _open(browser: FlaskClient) -> None:
    answer = browser.get("/console/")
    assert answer.status_code == HTTPStatus.OK


def _read(database: Database, member: Member, reading: Reading) -> None:
    database.read(lambda connection: reading(connection, member) and None)


def _milliseconds(action: Callable[[], object]) -> float:
    begun = perf_counter()
    action()
    return (perf_counter() - begun) * 1000


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.queue_page", description=__doc__.splitlines()[0])
    parser.add_argument("--few", type=int, default=500)
    parser.add_argument("--many", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=101)
    parser.add_argument("--databases", nargs="+", choices=a_queue.DATABASES, default=list(a_queue.DATABASES))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
