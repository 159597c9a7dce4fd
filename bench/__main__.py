"""The command `python -m bench` (or `make bench`): measures, shows progress, says whether the line is fast enough."""

from __future__ import annotations

import os
import platform
import sys
import time
from pathlib import Path

import click

from bench import report
from bench.breakdown import breakdown
from bench.contest import POSTGRESQL, SQLITE, Contestant, Plan, Result, ours, rivals, run
from bench.served import Setup
from callbacks.sqlite_library import sqlite3

FULL, QUICK, COMPARISON = (7, 2.0), (2, 0.4), (4, 1.0)  # rounds, seconds of each turn
DATABASES = {"sqlite": (SQLITE,), "postgresql": (POSTGRESQL,), "both": (SQLITE, POSTGRESQL)}
# With which server, and how many processes and threads, the line is to be served.
VARIANTS = (
    Setup("gunicorn", 1, 8),
    Setup("gunicorn", 2, 4),
    Setup("gunicorn", 2, 8),
    Setup("gunicorn", 2, 16),
    Setup("gunicorn", 2, 8, reuse_port=False),
    Setup("granian", 1, 8),
    Setup("granian", 2, 4),
    Setup("granian", 2, 8),
    Setup("granian", 2, 16),
)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--quick", is_flag=True, help="A rough look, in less than 40 seconds.")
@click.option("--server", type=click.Choice(["gunicorn", "granian"]), default="granian", show_default=True)
@click.option("--workers", default=2, show_default=True, help="Worker processes.")
@click.option("--threads", default=8, show_default=True, help="Threads of each worker.")
@click.option("--reuse-port/--one-socket", default=True, help="Gunicorn: a socket for each worker, or one for all.")
@click.option("--database", type=click.Choice(list(DATABASES)), default="both", show_default=True)
@click.option("--callers", default="1,16,64", show_default=True, help="How many call at once.")
@click.option("--rounds", type=int, help="How often each contestant has its turn.")
@click.option("--seconds", type=float, help="How long a turn lasts.")
@click.option("--compare-servers", is_flag=True, help="Measure ours alone, on different servers and numbers.")
@click.option(
    "--beside",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    help="Measure another checkout of the line as well, to see what a change gains; may be given again.",
)
@click.option("--journal", help="SQLite: the tutorial's journal_mode, where its library's default would be unfair.")
@click.option("--breakdown", "where", is_flag=True, help="Say where the time of one step goes, and nothing else.")
@click.option(
    "--write", "path", type=click.Path(path_type=Path, dir_okay=False), help="Put the figures into this file."
)
def main(  # noqa: PLR0913  click hands every option to its command as an argument
    *,
    quick: bool,
    server: str,
    workers: int,
    threads: int,
    reuse_port: bool,
    database: str,
    callers: str,
    rounds: int | None,
    seconds: float | None,
    compare_servers: bool,
    beside: tuple[Path, ...],
    journal: str | None,
    where: bool,
    path: Path | None,
) -> None:
    """Measure a signed, durable step of the line beside a bare Flask route and beside the tutorial's way."""
    usual_rounds, usual_seconds = QUICK if quick else COMPARISON if compare_servers else FULL
    setup = Setup(server, workers, threads, reuse_port)
    plan = Plan(
        databases=DATABASES[database],
        callers=tuple(int(number) for number in callers.split(",")),
        rounds=rounds or usual_rounds,
        seconds=seconds or usual_seconds,
    )
    os.environ["BENCH_JOURNAL"] = journal or ""
    if where:
        _show("breakdown", "\n\n".join(breakdown(one, setup) for one in plan.databases), path)
        return
    contestants = [ours(each, str(each)) for each in VARIANTS] if compare_servers else [*rivals(setup), ours(setup)]
    contestants += [ours(setup, checkout.name, checkout.resolve()) for checkout in beside]
    began = time.monotonic()
    result = run(contestants, plan, lambda words: _progress(began, words))
    _show("servers" if compare_servers else "figures", _figures(result, setup, plan, contestants), path)
    sys.exit(_complain(result))


def _show(section: str, figures: str, path: Path | None) -> None:
    print(figures)
    if path is not None:
        report.write(path, section, figures)


def _figures(result: Result, setup: Setup, plan: Plan, contestants: list[Contestant]) -> str:
    server = "the servers named" if len({one.setup for one in contestants}) > 1 else str(setup)
    conditions = (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, Python {platform.python_version()}, SQLite "
        f"{sqlite3.sqlite_version}; {server} (processes x threads); medians of {plan.rounds} rounds of "
        f"{plan.seconds:g} s. {report.own_cost(result)}"
    )
    met = "\n".join(f"- {verdict}" for verdict in report.verdicts(result))
    return "\n\n".join(part for part in (conditions, report.tables(result), met) if part)


def _complain(result: Result) -> int:
    for words in (*result.lost, *result.failures):
        print(words, file=sys.stderr)
    return 1 if result.lost or result.failures else 0


def _progress(began: float, words: str) -> None:
    print(f"{time.monotonic() - began:5.0f} s  {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
