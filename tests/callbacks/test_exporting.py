"""A list as a file: exactly the list, for coordinators only, and noted before anything is sent."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, select
from werkzeug.test import TestResponse

from callbacks import access, exporting, queue
from callbacks.db import Database
from callbacks.errors import DatabaseUnavailable
from callbacks.lifecycle import Disposition
from callbacks.service import callbacks
from tests.callbacks import people
from tests.callbacks.house import ASKED, House

PHONE = "+31687654321"


@dataclass
class Desk:
    """A coordinator at the console of a house with requests."""

    app: Flask
    house: House
    client: FlaskClient

    def exports(self, query: str = "", kind: str = "csv") -> TestResponse:
        form = {"csrf_token": people.csrf_token(self.client), "format": kind}
        return self.client.post(f"/console/export{query}", data=form)

    def rows(self, query: str = "", kind: str = "csv", separator: str = ",") -> list[dict[str, str]]:
        text = self.exports(query, kind).get_data().decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))

    def records(self, query: str = "") -> list[dict[str, object]]:
        return [json.loads(line) for line in self.exports(query, "jsonl").get_data().decode().splitlines()]

    def accesses(self) -> list[tuple[str, int | None]]:
        query = select(access.accesses.c.action, access.accesses.c["count"]).order_by(access.accesses.c.id)
        return self.house.database.read(lambda c: [(row[0], row[1]) for row in c.execute(query)])


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    made = people.console(database_url)
    yield made
    people.database_of(made).close()


@pytest.fixture
def desk(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The coordinator reads English here."""
    house = House(people.database_of(app))
    house.now = people.MONDAY
    monkeypatch.setitem(people.NEWCOMERS, "carla", replace(people.BRAM, login="carla", name="Carla", locale="en"))
    return Desk(app, house, people.signed_in_client(app, "carla"))


def test_the_file_is_the_list_that_the_address_gives(desk: Desk) -> None:
    urgent = desk.house.calls(urgency=1, phone="+31611111111")
    desk.house.calls(urgency=3, phone="+31622222222")
    claimed = desk.house.claims(desk.house.anna, desk.house.calls(urgency=2, phone="+31633333333"))
    assert [row["Urgency"] for row in desk.rows()] == ["P1", "P2", "P3"]
    assert [row["Reference"].lstrip("'") for row in desk.rows("?urgency=P1")] == [desk.house.entry(urgent).reference]
    assert [record["reference"] for record in desk.records("?status=claimed")] == [desk.house.entry(claimed).reference]
    assert desk.rows("?urgency=P0") == []


def test_a_row_says_in_words_what_the_console_does(desk: Desk) -> None:
    public_id = desk.house.calls(phone=PHONE)
    desk.house.claims(desk.house.chris, public_id)
    desk.house.wraps_up(desk.house.chris, public_id, Disposition.INFORMATION_GIVEN, note="a secret note")
    answer = desk.exports("?status=closed")
    row = desk.rows("?status=closed")[0]
    assert (row["Phone"], row["Status"], row["Need"]) == ("'+31687654321", "Closed", "Doctor or hospital")
    assert (row["How it ended"], row["Closed"]) == ("Information given", "2026-11-23 10:30")
    assert "a secret note" not in answer.text


def test_semicolons_for_a_dutch_spreadsheet(desk: Desk) -> None:
    desk.house.calls(phone=PHONE)
    assert desk.rows(kind="csv-semicolons", separator=";")[0]["Phone"] == f"'{PHONE}"


def test_json_lines_are_raw_and_a_line_each(desk: Desk) -> None:
    desk.house.calls(phone=PHONE, answers={"callback_language": '=cmd|"/C calc"\n\u2028'})
    record = desk.records()[0]
    assert (record["phone"], record["callback_language"]) == (PHONE, '=cmd|"/C calc"\n\u2028')
    assert "steps" not in record


def test_what_a_caller_said_is_no_formula(desk: Desk) -> None:
    desk.house.calls(phone=PHONE, answers={"callback_language": '=HYPERLINK("http://evil.example")'}, flags=["=1+1"])
    row = desk.rows()[0]
    assert row["Language to call back in"] == '\'=HYPERLINK("http://evil.example")'
    assert row["Words of danger"] == "'=1+1"
    assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_the_file_is_an_attachment_with_a_date_that_no_browser_keeps(desk: Desk) -> None:
    headers = desk.exports().headers
    assert headers["Content-Disposition"] == 'attachment; filename="zorglijn-2026-11-23.csv"'
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert desk.exports(kind="jsonl").headers["Content-Disposition"].endswith('.jsonl"')


def test_every_export_is_one_row_in_the_access_log_with_how_many(desk: Desk) -> None:
    for number in range(3):
        desk.house.calls(phone=f"+3161111111{number}")
    desk.exports()
    desk.exports("?urgency=P0", "jsonl")
    assert desk.accesses()[-2:] == [("export", 3), ("export", 0)]


def test_where_the_log_cannot_be_written_nothing_is_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.house.calls(phone=PHONE)

    def refuse(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("the log is full")

    monkeypatch.setattr(access, "note", refuse)
    answer = desk.exports()
    assert answer.status_code == 503
    assert "687654321" not in answer.text


def test_the_row_is_there_before_the_first_byte(desk: Desk) -> None:
    desk.house.calls(phone=PHONE)
    form = {"csrf_token": people.csrf_token(desk.client), "format": "csv"}
    answer = desk.client.post("/console/export", data=form, buffered=False)
    assert desk.accesses()[-1] == ("export", 1)
    assert b"687654321" in answer.get_data()


def test_a_list_of_several_pages_is_whole_and_in_order(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 3)
    for number in range(8):
        desk.house.calls(phone=f"+3161111111{number}", urgency=number % 4 + 1)
        desk.house.wait(minutes=1)
    listed = [entry.reference for entry in desk.house.lists(queue.Filters())]
    assert [record["reference"] for record in desk.records()] == listed
    assert len(listed) == 8


def test_what_a_colleague_does_meanwhile_neither_doubles_nor_loses_a_row(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE", 1)
    ids = [desk.house.calls(phone=f"+3161111111{number}") for number in range(3)]
    form = {"csrf_token": people.csrf_token(desk.client), "format": "jsonl"}
    parts = desk.client.post("/console/export", data=form, buffered=False).iter_encoded()
    got = [next(parts), next(parts)]
    desk.house.cancels(desk.house.anna, ids[0])
    desk.house.cancels(desk.house.anna, ids[2])
    lines = [json.loads(line) for line in b"".join([*got, *parts]).decode().splitlines()]
    assert [line["reference"] for line in lines] == [desk.house.entry(each).reference for each in ids]
    assert [line["status"] for line in lines] == ["queued", "queued", "cancelled"]


def test_half_a_list_says_that_it_is_half(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 1)
    for number in range(2):
        desk.house.calls(phone=f"+3161111111{number}")
    form = {"csrf_token": people.csrf_token(desk.client), "format": "csv"}
    parts = desk.client.post("/console/export", data=form, buffered=False).iter_encoded()
    got = [next(parts), next(parts)]

    def gone(*_: object) -> None:
        raise DatabaseUnavailable("gone")

    monkeypatch.setattr(Database, "read", gone)
    rest = b"".join(parts).decode()
    assert "+31611111110" in b"".join(got).decode()
    assert rest == '"This list is not complete: the queue could not be reached."\r\n'


def test_a_database_that_stumbles_once_costs_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.house.calls(phone=PHONE)
    form = {"csrf_token": people.csrf_token(desk.client), "format": "jsonl"}
    answer = desk.client.post("/console/export", data=form, buffered=False)
    read, failures = desk.house.database.read, iter([DatabaseUnavailable("busy")])

    def stumbles(unit: object) -> object:
        for failure in failures:
            raise failure
        return read(unit)  # type: ignore[arg-type]  # whatever the export reads

    monkeypatch.setattr(desk.house.database, "read", stumbles)
    assert json.loads(answer.get_data())["phone"] == PHONE


def test_only_a_coordinator_exports(desk: Desk, app: Flask) -> None:
    anna = people.signed_in_client(app, "anna")
    form = {"csrf_token": people.csrf_token(anna), "format": "csv"}
    assert anna.post("/console/export", data=form).status_code == 403
    assert desk.accesses() == []


def test_a_file_of_a_kind_that_nobody_knows_is_refused(desk: Desk) -> None:
    assert desk.exports(kind="xlsx").status_code == 400
    assert desk.exports(kind="").status_code == 400


@pytest.mark.timeout(120)
def test_a_long_list_costs_no_more_memory_than_a_page(desk: Desk) -> None:
    desk.house.calls(phone=None)
    desk.house.database.write(lambda c: _grow(c, 6000))
    form = {"csrf_token": people.csrf_token(desk.client), "format": "csv"}
    parts = desk.client.post("/console/export", data=form, buffered=False).iter_encoded()
    next(parts), next(parts)
    tracemalloc.start()
    longest = max(len(part) for part in parts)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert longest < 500_000
    assert peak < 12_000_000


def _grow(connection: Connection, many: int) -> None:
    """Many more like the first."""
    first = connection.execute(select(callbacks)).one()._asdict()
    del first["id"]
    first |= {"call_id": None, "phone": None}
    same = [first | {"public_id": f"p{number}", "reference": f"r{number}"} for number in range(many)]
    connection.execute(insert(callbacks), same)


def test_the_page_says_which_list_how_many_and_what_an_export_means(desk: Desk) -> None:
    desk.house.calls(ASKED, phone=PHONE, urgency=1)
    page = desk.client.get("/console/reports?urgency=P1&words=doctor&after=1.2.3").text
    assert "<strong>1 request</strong>" in page
    assert [f"<li>{words}</li>" in page for words in ("Open", "P1", "“doctor”")] == [True] * 3
    assert 'action="/console/export?urgency=P1&amp;words=doctor"' in page
    assert "Whoever finds it can harm these people." in page
    assert desk.accesses()[-1] == ("counted", 1)
