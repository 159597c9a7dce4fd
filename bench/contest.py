"""Lets the contestants take turns: each of them for a moment, then all of them again, so that noise hits all alike.

A turn is one `Cell`. `report` makes tables of cells. At the end the steps in every database are counted: an answer
whose step is not there would be the one thing a fast line must not give.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path

from sqlalchemy import create_engine, text

from bench import tutorial
from bench.load import Crowd
from bench.served import Served, Setup, cpu_seconds, parent_of
from bench.steps import ACCOUNT_SID, STEPS_A_CALL, Request, calls
from callbacks.db import Database
from settings import HERE, REHEARSAL_AUTH_TOKEN, Settings
from tests.servers import PrivatePostgres

WARM_UP_SHARE = 0.15  # of the measured time, before it
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


@dataclass(frozen=True)
class Contestant:
    """Who is measured: a name for the table, the application and its server; `root` is the checkout it runs from."""

    name: str
    factory: str
    setup: Setup
    stores: bool = True
    root: Path = HERE


@dataclass(frozen=True)
class Plan:
    """How long to measure what: `callers` at once, `rounds` of `seconds` for each contestant."""

    databases: Sequence[str]
    callers: Sequence[int]
    rounds: int
    seconds: float


@dataclass(frozen=True)
class Cell:
    """One contestant's turn: latencies in milliseconds, processor time in microseconds a step."""

    database: str
    contestant: str
    callers: int
    round: int
    per_second: float
    p50: float
    p99: float
    worst: float
    cpu: float
    database_cpu: float
    own_cpu: float
    failures: int


@dataclass
class Result:
    """All that was measured, and what must not have happened."""

    cells: list[Cell] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass
class Entry:
    """A contestant that is up: where it answers, what it calls with, and how many steps it has answered."""

    contestant: Contestant
    served: Served
    calls: Iterator[list[Request]]
    url: str
    answered: int = 0
    stock: int = 200  # calls to prepare before a turn, so that signing them takes no time of the turn


def ours(setup: Setup, name: str = "ours", root: Path = HERE) -> Contestant:
    """The line itself, through its own front door; from another checkout (`root`) to see what a change gains."""
    return Contestant(name, "app:wsgi", setup, root=root)


def rivals(setup: Setup) -> list[Contestant]:
    """Whom we are measured against, on the same server."""
    return [
        Contestant("bare Flask route", "bench.bare:wsgi", setup, stores=False),
        Contestant("tutorial", "bench.tutorial:wsgi", setup),
    ]


def run(contestants: Sequence[Contestant], plan: Plan, say: Callable[[str], None]) -> Result:
    """Measure them all; `say` hears how it goes."""
    result = Result()
    for database in plan.databases:
        say(f"{database}: starting {len(contestants)} servers")
        with databases(database) as (new_database, database_pid), ExitStack() as stack:
            entries = [stack.enter_context(serve(contestant, new_database())) for contestant in contestants]
            measure = partial(_measure, plan=plan, database_pid=database_pid, result=result)
            for callers in plan.callers:
                for number in range(1, plan.rounds + 1):
                    cells = [measure(entry, database, callers, number) for entry in entries]
                    result.cells.extend(cells)
                    speeds = "   ".join(f"{cell.contestant} {cell.per_second:,.0f}/s" for cell in cells)
                    say(f"{database}, {callers} callers, round {number} of {plan.rounds}:   {speeds}")
            result.lost.extend(lost for entry in entries if (lost := _missing_steps(entry, database)))
            result.failures.extend(f"{e.contestant.name}: {e.served.output[:500]}" for e in entries if e.served.output)
    return result


def _measure(
    entry: Entry, database: str, callers: int, number: int, *, plan: Plan, database_pid: int, result: Result
) -> Cell:
    stock = list(islice(entry.calls, entry.stock))
    with Crowd(entry.served.port, callers, chain(stock, entry.calls)) as crowd:
        warm = crowd.call(plan.seconds * WARM_UP_SHARE)
        cpu, database_cpu = entry.served.cpu_seconds(), _cpu(database_pid)
        sample = crowd.call(plan.seconds)
        cpu, database_cpu = entry.served.cpu_seconds() - cpu, _cpu(database_pid) - database_cpu
    entry.answered += warm.answered + sample.answered
    entry.stock = callers + (warm.answered + sample.answered) * 2 // STEPS_A_CALL
    if wrong := warm.first_failure or sample.first_failure:
        result.failures.append(f"{entry.contestant.name}, {database}, {callers} callers: {wrong}")
    latencies = sorted(sample.latencies) or [0]
    steps = max(1, sample.answered)
    return Cell(
        database=database,
        contestant=entry.contestant.name,
        callers=callers,
        round=number,
        per_second=sample.in_time / sample.seconds,
        p50=_quantile(latencies, 0.50) / 1e6,
        p99=_quantile(latencies, 0.99) / 1e6,
        worst=latencies[-1] / 1e6,
        cpu=cpu / steps * 1e6,
        database_cpu=database_cpu / steps * 1e6,
        own_cpu=sample.own_cpu_seconds / steps * 1e6,
        failures=warm.failures + sample.failures,
    )


def _quantile(ordered: Sequence[int], share: float) -> int:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@contextmanager
def serve(contestant: Contestant, url: str) -> Iterator[Entry]:
    """Start a contestant with its tables in the empty database at `url`, and stop it in the end."""
    env = environment(url)
    if contestant.stores and contestant.factory.startswith("app:"):
        database = Database(url)
        database.migrate()
        database.close()
    elif contestant.stores:
        tutorial.create_tables(url)
    with tempfile.TemporaryDirectory() as folder:
        words = Path(folder) / "screens.json"
        words.write_text(json.dumps(_screens(env)), encoding="utf-8")
        extra = {"BENCH_SCREENS": str(words), "BENCH_THREADS": str(contestant.setup.threads)}
        with Served(contestant.setup, contestant.factory, env | extra, contestant.root) as served:
            yield Entry(contestant, served, calls(served.base_url, REHEARSAL_AUTH_TOKEN), url)


def environment(url: str) -> dict[str, str]:
    """The settings that every contestant gets, for the database at `url`."""
    return {"DATABASE_URL": url, "TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": REHEARSAL_AUTH_TOKEN}


def _screens(env: Mapping[str, str]) -> Mapping[str, object]:
    from app import build_line
    from bench.screens import screens

    return screens(build_line(Settings.from_env(env)))


@contextmanager
def databases(kind: str) -> Iterator[tuple[Callable[[], str], int]]:
    """Fresh databases on demand, and the process id of the server that keeps them (0 where there is none)."""
    if kind == POSTGRESQL:
        with PrivatePostgres() as server:
            yield server.create_database, _postmaster(server.url())
        return
    # Not in the temporary directory, which may be in memory, where being durable costs nothing.
    (HERE / "var").mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=HERE / "var") as folder:
        names = iter(range(1_000))
        yield lambda: f"sqlite:///{folder}/{next(names)}.sqlite3", 0


def _postmaster(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        pid = parent_of(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
    engine.dispose()
    return pid


def _cpu(pid: int) -> float:
    return cpu_seconds(pid) if pid else 0.0


def _missing_steps(entry: Entry, database: str) -> str:
    """Say how many answered steps are not in the database; an empty sentence where none is missing."""
    if not entry.contestant.stores:
        return ""
    engine = tutorial.connect(entry.url)
    with engine.connect() as connection:
        stored: int = connection.execute(text("SELECT count(*) FROM steps")).scalar_one()
    engine.dispose()
    missing = entry.answered - stored
    return f"{entry.contestant.name} on {database}: {missing} answered steps were not stored" if missing > 0 else ""
