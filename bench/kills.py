"""Kills the line again and again while people call it, and counts what is lost: nothing, or it is a bug.

    python -m bench.kills --kills 200 --database postgresql --seed 1

The small form is in the tests (`tests.attacks.test_killed_server`), which also holds the callers and the verdict.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.attacks import killing
from tests.servers import PrivatePostgres

MOST_TOLD = 20  # problems; more say nothing new


def main() -> int:
    """Run as told on the command line; 1 when something was lost, doubled or invented."""
    options = _options()
    if options.database == "postgresql":
        with PrivatePostgres() as postgres:
            result = _run(postgres.create_database(), options)
    else:
        with tempfile.TemporaryDirectory(prefix="zorglijn-kills-") as home:
            result = _run(f"sqlite:///{Path(home) / 'line.sqlite3'}", options)
    print(f"{options.database}, seed {options.seed}: {result}")
    for problem in result.problems[:MOST_TOLD]:
        print(f"  {problem}")
    return 1 if result.problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--callers", type=int, default=6)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _run(database_url: str, options: argparse.Namespace) -> killing.Run:
    return killing.run(
        {"DATABASE_URL": database_url},
        kills=options.kills,
        seed=options.seed,
        callers=options.callers,
        progress=_teller(options.kills),
    )


def _teller(kills: int) -> Callable[[int], None]:
    def tell(kill: int) -> None:
        if kill % 10 == 0 or sys.stderr.isatty():
            print(f"{kill} of {kills} kills", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    sys.exit(main())
