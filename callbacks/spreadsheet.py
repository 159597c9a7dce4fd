"""Records as CSV that a spreadsheet only ever shows: what a caller said can be no formula, whoever opens the file.

A cell that a program could take for a formula gets an apostrophe before it, as OWASP advises (CSV injection); so does
what begins so after a separator in the middle of a cell, for a program that splits at another one. A phone number
therefore reads '+31612345678. `exporting` sends the file; the words of its cells come ready made, for it is written
outside a request.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"  # by which a spreadsheet sees that this is UTF-8
_TRIGGERS = frozenset("=+-@\N{MINUS SIGN}")
_SEPARATORS = frozenset(",;|")
_QUOTES = frozenset("\"'`\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
                    "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}")  # fmt: skip
_UNSEEN = ("Z", "C", "M")  # Unicode's separators, controls and marks: a program may drop them
_LEADING_ZERO = re.compile(r"0\d+")  # a reference
# One cell is one line: tabs and ends of lines are triggers, too, where a cell begins with them.
_ONE_LINE = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " ")


@dataclass(frozen=True)
class Column:
    """One column: the name of the field in a record, what stands above it, and the words of its codes, if any."""

    name: str
    head: str
    words: Mapping[str, str]


@dataclass(frozen=True)
class Sheet:
    """How a list is laid out; moments are on the clock of `zone`."""

    columns: Sequence[Column]
    zone: ZoneInfo
    yes: str
    no: str
    separator: str = ","

    def head(self) -> str:
        """The first row: what each column is."""
        return BOM + self._text([[column.head for column in self.columns]])

    def rows(self, records: Iterable[Mapping[str, Any]]) -> str:
        """A row a record."""
        return self._text([[self._cell(column, record) for column in self.columns] for record in records])

    def remark(self, words: str) -> str:
        """A row that is none of the list, to be read by whoever opens the file."""
        return self._text([[words]])

    def _text(self, rows: Iterable[Iterable[str]]) -> str:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.separator, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerows([neutral(cell) for cell in row] for row in rows)
        return text.getvalue()

    def _cell(self, column: Column, record: Mapping[str, Any]) -> str:
        match record[column.name]:
            case None:
                return ""
            case bool(value):
                return self.yes if value else self.no
            case list(codes):
                return ", ".join(column.words.get(code, code) for code in codes)
            case str(moment) if column.name.endswith("_at"):
                return datetime.fromisoformat(moment).astimezone(self.zone).strftime("%Y-%m-%d %H:%M")
            case str(code):
                return column.words.get(code, code)
            case other:
                return str(other)


def neutral(text: str) -> str:
    """The same words, on one line, as nothing that a spreadsheet would compute or lose digits of."""
    plain = text.translate(_ONE_LINE)
    if _may_compute(plain) or _LEADING_ZERO.fullmatch(plain):
        plain = f"'{plain}"
    return plain if _SEPARATORS.isdisjoint(plain) else _neutral_within(plain)


def _neutral_within(plain: str) -> str:
    """For a program that splits at another separator than ours."""
    safe: list[str] = []
    begins = False
    for letter in plain:
        if begins and _is_trigger(letter):
            safe.append("'")
        begins = letter in _SEPARATORS or (begins and _is_skipped(letter))
        safe.append(letter)
    return "".join(safe)


def _may_compute(plain: str) -> bool:
    return _is_trigger(next((letter for letter in plain if not _is_skipped(letter)), ""))


def _is_trigger(letter: str) -> bool:
    return unicodedata.normalize("NFKC", letter)[:1] in _TRIGGERS  # a full-width = is one, for some programs


def _is_skipped(letter: str) -> bool:
    return letter in _QUOTES or unicodedata.category(letter)[0] in _UNSEEN
