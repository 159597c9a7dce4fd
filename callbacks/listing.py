"""The queue as a table on a terminal: for a rehearsal, and for whoever has no browser at hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

COLUMNS = ("reference", "urgency", "outcome", "language", "phone", "requested", "due", "message", "flags", "status")


def table(records: Sequence[dict[str, Any]], zone: ZoneInfo) -> str:
    """Lay the records of `export` out in columns, times as the office's clock (`zone`) has them."""
    if not records:
        return "Nobody is waiting. A call that asks for a callback appears here."
    rows = [COLUMNS, *(_row(record, zone) for record in records)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(record: dict[str, Any], zone: ZoneInfo) -> tuple[str, ...]:
    return (
        record["reference"],
        record["urgency"],
        record["outcome"],
        record["callback_language"] or record["language"] or "-",
        record["phone"] or "no number",
        _clock(record["requested_at"], zone),
        _clock(record["due_at"], zone),
        "yes" if record["safe_message"] else "no",
        ", ".join(record["flags"]) or "-",
        record["status"] + (f" (with {record['linked_to']})" if record["linked_to"] else ""),
    )


def _clock(iso: str, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(iso).astimezone(zone).strftime("%a %d %b %H:%M")
