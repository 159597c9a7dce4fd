"""Logs as JSON lines with allow-listed fields: phone numbers and words that were spoken have no field to get into.

An exception is told by its type and place, never by its message, which may quote what a caller said. What libraries
log has their own words in it, with values: of that only the place is told.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from datetime import UTC, datetime

OWN = "zorglijn"  # the loggers of our rooms begin so
FIELDS = ("call_sid", "node", "turn", "error", "count", "port", "what")


class JsonLines(logging.Formatter):
    """One event a line: when, how bad, where, what, and the fields that are allowed."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        event: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "room": record.name,
            "event": _event(record),
        }
        event |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            event["trace"] = _places(record.exc_info[1])
        return json.dumps(event, default=lambda value: type(value).__name__)


def configure() -> None:
    """Send all that this process logs to standard error, as JSON lines; ours from INFO, that of others from WARNING."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    for name, level in (("", logging.WARNING), (OWN, logging.INFO)):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
    logging.raiseExceptions = False  # the complaint about a faulty log call would quote its values
    threading.excepthook = lambda died: _tell("thread_died", died.exc_value)
    sys.unraisablehook = lambda failed: _tell("unraisable", failed.exc_value)


def _event(record: logging.LogRecord) -> str:
    if record.name.partition(".")[0] == OWN and isinstance(record.msg, str):
        return record.msg
    return f"{record.module}.{record.funcName}:{record.lineno}"


def _tell(event: str, error: BaseException | None) -> None:
    logging.getLogger(OWN).error(event, exc_info=error, extra={"error": type(error).__name__})


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{type(error).__name__}", *(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)]
