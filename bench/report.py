"""The tables: medians over the rounds, the ratios between contestants, and whether the line is as fast as it must be.

Ratios are taken round by round and then their median, because the two halves of a ratio were measured seconds apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import TypeVar

from bench.contest import Cell, Result

T = TypeVar("T")

# Callers, and at least how many times the tutorial's throughput.
RATIOS = ((1, 1.5), (16, 2.0))
P99_AT_64 = 150.0  # milliseconds


def tables(result: Result) -> str:
    """Everything that was measured, as Markdown: a table for each database."""
    return "\n\n".join("\n".join(_table(result, database)) for database in _unique(result, lambda cell: cell.database))


def _table(result: Result, database: str) -> Iterator[str]:
    contestants = _unique(result, lambda cell: cell.contestant)
    yield f"**{database}**"
    yield ""
    yield "| callers | | steps/s | ours is | p50 ms | p99 ms | worst ms | CPU µs/step | of the database | failures |"
    yield "|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for callers in _unique(result, lambda cell: cell.callers):
        for name in contestants:
            cells = _cells(result, database, name, callers)
            if not cells:
                continue
            times = _ratio(result, database, name, callers)
            yield (
                f"| {callers} | {name} | {_mid(cells, 'per_second'):,.0f} | {_times(times)} "
                f"| {_mid(cells, 'p50'):.1f} | {_mid(cells, 'p99'):.1f} | {max(cell.worst for cell in cells):.0f} "
                f"| {_mid(cells, 'cpu'):,.0f} | {_mid(cells, 'database_cpu'):,.0f} "
                f"| {sum(cell.failures for cell in cells)} |"
            )


def verdicts(result: Result) -> list[str]:
    """Each target and whether it was met."""
    found: list[str] = []
    for database in _unique(result, lambda cell: cell.database):
        for callers, wanted in RATIOS:
            times = _ratio(result, database, "tutorial", callers)
            if times is not None:
                found.append(
                    f"{_met(times >= wanted)}: {database}, {callers} callers: {times:.2f} times the tutorial's "
                    f"throughput (at least {wanted:g})"
                )
        cells = _cells(result, database, "ours", 64)
        if cells:
            p99 = _mid(cells, "p99")
            found.append(f"{_met(p99 < P99_AT_64)}: {database}, 64 callers: p99 {p99:.0f} ms (below {P99_AT_64:.0f})")
    return found


def own_cost(result: Result) -> str:
    """What measuring takes of the same machine."""
    cost = median(cell.own_cpu for cell in result.cells)
    return f"The callers take {cost:.0f} µs of processor time a step, on the same machine and not counted above."


def write(path: Path, section: str, figures: str) -> None:
    """Put figures between the marks of their section in this file; ValueError where there are no such marks."""
    begin, end = f"<!-- {section}: written by `python -m bench` -->", f"<!-- end of {section} -->"
    document = path.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(document):
        raise ValueError(f"{path} has no place for figures: {begin} ... {end}")
    path.write_text(pattern.sub(lambda _: f"{begin}\n\n{figures}\n\n{end}", document), encoding="utf-8")


def _ratio(result: Result, database: str, name: str, callers: int) -> float | None:
    """How many times the throughput of this contestant ours is; None for ourselves."""
    theirs = {cell.round: cell for cell in _cells(result, database, name, callers)}
    own = _cells(result, database, "ours", callers)
    ratios = [
        cell.per_second / theirs[cell.round].per_second for cell in own if theirs.get(cell.round, cell).per_second
    ]
    return median(ratios) if ratios and name != "ours" and theirs else None


def _cells(result: Result, database: str, name: str, callers: int) -> list[Cell]:
    wanted = (database, name, callers)
    return [cell for cell in result.cells if (cell.database, cell.contestant, cell.callers) == wanted]


def _mid(cells: Sequence[Cell], name: str) -> float:
    return float(median(getattr(cell, name) for cell in cells))


def _unique(result: Result, of: Callable[[Cell], T]) -> list[T]:
    return list(dict.fromkeys(of(cell) for cell in result.cells))


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f} times"


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"
