"""Logs as JSON lines with allow-listed fields: phone numbers and words that were spoken have no field to get into.

An exception is told by its type and place, never by its message, which may quote what a caller said.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

FIELDS = ("call_sid", "node", "turn", "error", "count", "port", "what")


class JsonLines(logging.Formatter):
    """One event a line: when, how bad, where, what, and the fields that are allowed."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        event: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "room": record.name,
            "event": record.msg if isinstance(record.msg, str) else type(record.msg).__name__,
        }
        event |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            event["trace"] = _places(record.exc_info[1])
        return json.dumps(event, ensure_ascii=False)


def configure() -> None:
    """Send what the line's own rooms log to standard error, as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    own = logging.getLogger("zorglijn")
    own.handlers = [handler]
    own.setLevel(logging.INFO)
    own.propagate = False


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{type(error).__name__}", *(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)]
