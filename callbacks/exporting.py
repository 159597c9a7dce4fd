"""A list of the queue as a file: CSV for people and their spreadsheets, JSON Lines for programs. For coordinators.

`export` makes the records, as it does for the command line, and `spreadsheet` lays them out. Which requests the list
holds is read once; their rows follow a page at a time, so that a long queue costs no memory and holds up nobody. Before
the first byte is sent the access log has a row with who, when and how many: where that cannot be written, nothing goes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

from flask_babel import LazyString, gettext, lazy_gettext

from callbacks import access, console_words, export, queue_views
from callbacks.console_words import Words
from callbacks.db import Database
from callbacks.desk import Desk
from callbacks.errors import DatabaseUnavailable
from callbacks.queue_views import Filters
from callbacks.spreadsheet import Column, Sheet
from callbacks.staff import Member

log = logging.getLogger("zorglijn.exporting")

PAGE = 500
TRIES = 3  # of a page: each waits as long as a caller can


class Format(StrEnum):
    """What kind of file."""

    CSV = "csv"
    SEMICOLONS = "csv-semicolons"  # where a comma is the decimal sign, spreadsheets split at semicolons
    JSON_LINES = "jsonl"


FORMATS: Words = {
    Format.CSV: lazy_gettext("CSV: for most spreadsheets"),
    Format.SEMICOLONS: lazy_gettext("CSV with semicolons: for a spreadsheet in Dutch"),
    Format.JSON_LINES: lazy_gettext("JSON Lines: for programs"),
}
BYTES_A_ROW = {Format.CSV: 240, Format.SEMICOLONS: 240, Format.JSON_LINES: 800}  # measured on invented requests

# JSON lets these stand in a text, and some programs take them for the end of a line.
_ENDS_OF_LINES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "\x85\u2028\u2029"}
_NOTHING: Words = {}
_COLUMNS: tuple[tuple[str, LazyString, Words], ...] = (
    ("reference", lazy_gettext("Reference"), _NOTHING),
    ("status", lazy_gettext("Status"), console_words.STATUSES),
    ("urgency", lazy_gettext("Urgency"), _NOTHING),
    ("due_at", lazy_gettext("Due"), _NOTHING),
    ("requested_at", lazy_gettext("Asked"), _NOTHING),
    ("need", lazy_gettext("Need"), console_words.NEEDS),
    ("who", lazy_gettext("For whom"), console_words.ANSWERS["who"]),
    ("was_refused", lazy_gettext("Refused care"), _NOTHING),
    ("outcome", lazy_gettext("Outcome of the questions"), console_words.OUTCOMES),
    ("flags", lazy_gettext("Words of danger"), console_words.FLAGS),
    ("language", lazy_gettext("Language of the call"), console_words.LANGUAGES),
    ("callback_language", lazy_gettext("Language to call back in"), console_words.LANGUAGES),
    ("part_of_day", lazy_gettext("Part of the day"), console_words.ANSWERS["part_of_day"]),
    ("region", lazy_gettext("Region"), console_words.ANSWERS["region"]),
    ("phone", lazy_gettext("Phone"), _NOTHING),
    ("number_confirmed", lazy_gettext("Number confirmed"), _NOTHING),
    ("safe_message", lazy_gettext("A message may be left"), _NOTHING),
    ("attempts", lazy_gettext("Attempts"), _NOTHING),
    ("repeats", lazy_gettext("Called again"), _NOTHING),
    ("linked_to", lazy_gettext("Linked to"), _NOTHING),
    ("needs_coordinator", lazy_gettext("Needs a coordinator"), _NOTHING),
    ("disposition", lazy_gettext("How it ended"), console_words.DISPOSITIONS),
    ("closed_at", lazy_gettext("Closed"), _NOTHING),
)


class Layout(Protocol):
    """How records become a file."""

    def head(self) -> str:
        """What stands before all records."""

    def rows(self, records: Sequence[dict[str, Any]]) -> str:
        """These records."""

    def remark(self, words: str) -> str:
        """Something to be told to whoever reads the file."""


class JsonLines:
    """A record a line, raw: nothing computes it."""

    def head(self) -> str:
        """Nothing: every line stands alone."""
        return ""

    def rows(self, records: Sequence[dict[str, Any]]) -> str:
        """A line a record; moments in UTC."""
        return "".join(self._line(record) for record in records)

    def remark(self, words: str) -> str:
        """A line that no record looks like."""
        return self._line({"remark": words})

    def _line(self, record: Mapping[str, Any]) -> str:
        return json.dumps(record, ensure_ascii=False).translate(_ENDS_OF_LINES) + "\n"


@dataclass(frozen=True)
class Export:
    """A file on its way: how many requests it has, what it is called, and its parts."""

    count: int
    filename: str
    mimetype: str
    parts: Iterator[bytes]


def start(desk: Desk, filters: Filters, member: Member, kind: Format) -> Export:
    """Note in the access log that this list leaves the console, then give its file; in a web request.

    DatabaseUnavailable where the list cannot be read or the row not be written. The list is that of this moment: what a
    colleague does while the file is sent changes what stands in a row, never which rows there are.
    """
    now = desk.clock()
    ids = desk.database.read(lambda connection: queue_views.list_ids(connection, filters, member, now))
    desk.do(lambda connection, moment: access.note(connection, member, "export", moment, count=len(ids)))
    layout, broken = _layout(kind, desk), gettext("This list is not complete: the queue could not be reached.")
    day = now.astimezone(desk.office.zone).date().isoformat()
    is_csv = kind is not Format.JSON_LINES
    return Export(
        count=len(ids),
        filename=f"zorglijn-{day}.{'csv' if is_csv else 'jsonl'}",
        mimetype="text/csv" if is_csv else "application/x-ndjson",
        parts=_parts(desk.database, ids, now, layout, broken),
    )


def _layout(kind: Format, desk: Desk) -> Layout:
    """Ready with all its words: when it is used, the request with its language is over."""
    if kind is Format.JSON_LINES:
        return JsonLines()
    columns = [
        Column(name, str(head), {code: str(label) for code, label in words.items()}) for name, head, words in _COLUMNS
    ]
    separator = ";" if kind is Format.SEMICOLONS else ","
    return Sheet(columns, desk.office.zone, gettext("yes"), gettext("no"), separator)


def _parts(database: Database, ids: Sequence[int], now: datetime, layout: Layout, broken: str) -> Iterator[bytes]:
    yield _encoded(layout.head())
    for begin in range(0, len(ids), PAGE):
        try:
            records = _page(database, list(ids[begin : begin + PAGE]), now)
        except DatabaseUnavailable:
            # The answer has begun, so no other can be given; but nobody may take half a list for the whole.
            log.exception("export_broken_off", extra={"count": begin})
            yield _encoded(layout.remark(broken))
            return
        yield _encoded(layout.rows(records))


def _page(database: Database, ids: list[int], now: datetime) -> list[dict[str, Any]]:
    read = partial(export.records_of, ids=ids, now=now)
    for _ in range(TRIES - 1):
        try:
            return database.read(read)
        except DatabaseUnavailable:
            continue
    return database.read(read)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # half a character that somebody typed must not break a list
