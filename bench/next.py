"""Agents who press "Next" at the same moment, again and again: nobody may get what a colleague has, or wait a second.

    python -m bench.next --agents 10 --requests 1000

Every agent is a process of its own, and all of them press together. It ends with 1 when a callback was given twice,
when one that suits was left, or when somebody waited longer than a second.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, func, select, update

from bench import a_queue
from callbacks import queue
from callbacks.db import Database
from callbacks.service import callbacks
from callbacks.staff import Member

LONGEST_WAIT = 1.0  # seconds
PATIENCE = 120.0
_NEVER = datetime(2026, 1, 1, tzinfo=UTC)  # a holiday, on which nothing but danger is given


@dataclass(frozen=True)
class Pressed:
    """One press of the button: what it gave, and after how long (seconds)."""

    public_id: str | None
    took: float


def main() -> int:
    """Run as told on the command line."""
    options = _options()
    return max([_contest(kind, options.agents, options.requests) for kind in options.databases])


def _contest(kind: str, agents: int, requests: int) -> int:
    with a_queue.database_of(kind) as (database, url):
        members = [a_queue.join(database, number) for number in range(agents)]
        a_queue.fill(database, requests)
        database.write(_suit_everybody)
        presses = _press(url, members, rounds=-(-requests // agents))
        left = database.read(_waiting)
    given = [press.public_id for press in presses if press.public_id is not None]
    waits = sorted(press.took for press in presses)
    doubled = len(given) - len(set(given))
    print(
        f"{kind}: {agents} agents, {requests} requests: {len(given)} given, {doubled} twice, {left} left; waited "
        f"{waits[len(waits) // 2] * 1000:.0f} ms (median), {waits[-1] * 1000:.0f} ms (longest)"
    )
    return 1 if doubled or left or waits[-1] > LONGEST_WAIT else 0


def _suit_everybody(connection: Connection) -> None:
    """Nothing waits for another part of the day; and nothing is danger, so that the agents can warm up in vain."""
    connection.execute(update(callbacks).values(part_of_day="any"))
    connection.execute(update(callbacks).where(callbacks.c.urgency == 0).values(urgency=1))


def _waiting(connection: Connection) -> int:
    query = select(func.count()).select_from(callbacks).where(callbacks.c.status == "queued")
    return int(connection.execute(query).scalar_one())


def _press(url: str, members: list[Member], rounds: int) -> list[Pressed]:
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(len(members))
    results: Any = spawn.Queue()
    agents = [spawn.Process(target=_agent, args=(url, member, rounds, together, results)) for member in members]
    for agent in agents:
        agent.start()
    presses = [press for _ in agents for press in results.get(timeout=PATIENCE)]
    for agent in agents:
        agent.join()
    return presses


def _agent(url: str, member: Member, rounds: int, together: Barrier, results: Any) -> None:  # noqa: ANN401
    pressed = []
    with closing(Database(url)) as database:
        # As in a web worker that has been at work for a minute: connected, the holidays known, the statements compiled.
        database.write(lambda connection: queue.take_next(connection, member, _NEVER, a_queue.OFFICE))
        for _ in range(rounds):
            together.wait(PATIENCE)
            begun = perf_counter()
            public_id = database.write(
                lambda connection: queue.take_next(connection, member, a_queue.NOW, a_queue.OFFICE)
            )
            pressed.append(Pressed(public_id, perf_counter() - begun))
    results.put(pressed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.next", description=__doc__.splitlines()[0])
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--databases", nargs="+", choices=a_queue.DATABASES, default=list(a_queue.DATABASES))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
