"""Statements that every step of a call runs: compiled once, then said to the driver without SQLAlchemy in between.

SQLAlchemy's work for each run (looking the statement up, a context, a cursor, a result) takes longer than the database
takes for the statement itself. The Core statement stays the one source of the SQL text and of the types; `service` has
those that are worth it. Errors come as SQLAlchemy's own, which `callbacks.channels` and the units know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

Converter = Callable[[Any], Any]
Statement = Select[Any] | Insert


@dataclass(frozen=True)
class Spoken:
    """A statement as one dialect says it: the text, its parameters in order or by name, and what needs converting."""

    text: str
    order: Sequence[str] | None
    fixed: Mapping[str, Any]
    binds: Sequence[tuple[str, Converter]]
    results: Sequence[tuple[int, Converter]]


class Prepared:
    """A SELECT, or an INSERT of these columns, that is run very often."""

    def __init__(self, statements: Statement | Mapping[str, Statement], columns: Sequence[str] = ()) -> None:
        """Take one statement for all, or one for each dialect by its name."""
        self._statements = statements
        self._columns = columns
        self._spoken: dict[str, Spoken] = {}

    def do(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Run it for what it changes; raises what `Connection.execute` would."""
        self._run(connection, values)

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any] | None:
        """Run it and give its first row, in the order of its columns; None where there is none."""
        cursor, spoken = self._run(connection, values)
        found = cursor.fetchone()
        if found is None:
            return None
        row = list(found)
        for place, convert in spoken.results:
            row[place] = convert(row[place])
        return row

    def _run(self, connection: Connection, values: Mapping[str, Any]) -> tuple[Any, Spoken]:
        dialect = connection.dialect
        spoken = self._spoken.get(dialect.name) or self._speak(dialect)
        said: Any = {**spoken.fixed, **values}
        for name, convert in spoken.binds:
            said[name] = convert(said[name])
        if spoken.order is not None:
            said = [said[name] for name in spoken.order]
        driver: Any = connection.connection.driver_connection
        try:
            return driver.execute(spoken.text, said), spoken
        except dialect.loaded_dbapi.Error as error:
            raise _translated(error, connection, spoken.text) from error

    def _speak(self, dialect: Dialect) -> Spoken:
        statements = self._statements
        statement = statements[dialect.name] if isinstance(statements, Mapping) else statements
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(self._columns) or None)
        names = {name: bind.type for name, bind in compiled.binds.items()}
        columns: Any = statement.exported_columns
        spoken = self._spoken[dialect.name] = Spoken(
            text=str(compiled),
            order=compiled.positiontup,
            fixed={name: value for name, value in compiled.params.items() if value is not None},
            binds=_converters(names.items(), dialect, "bind_processor"),
            results=_converters(enumerate(column.type for column in columns), dialect, "result_processor", None),
        )
        return spoken


def _converters(
    types: Iterable[tuple[Any, TypeEngine[Any]]], dialect: Dialect, direction: str, *arguments: object
) -> list[tuple[Any, Converter]]:
    found = ((key, getattr(kind.dialect_impl(dialect), direction)(dialect, *arguments)) for key, kind in types)
    return [(key, convert) for key, convert in found if convert is not None]


def _translated(error: Exception, connection: Connection, text: str) -> BaseException:
    dialect = connection.dialect
    # Parameters are what callers said: they stay out of the text of errors.
    return DBAPIError.instance(
        text,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=dialect.is_disconnect(error, connection.connection.dbapi_connection, None),  # type: ignore[arg-type]
        dialect=dialect,
    )
