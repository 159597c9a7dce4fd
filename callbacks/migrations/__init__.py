"""How the tables came to be: one numbered file a change in `versions/`, run by Alembic without an alembic.ini.

`callbacks.db.Database.migrate` calls `bring_up_to_date`, `is_ready` calls `is_current`. Alembic takes half a second
to import, so it is imported only when there is something to upgrade.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

HERE = Path(__file__).parent
_REVISION = re.compile(r"""^revision\b[^=\n]*=\s*["']([^"']+)["']""", re.MULTILINE)


def bring_up_to_date(connection: Connection) -> None:
    """Make every change that this database lacks, inside the transaction that the connection is in."""
    if not is_current(connection):
        upgrade(connection)


def upgrade(connection: Connection) -> None:
    """Bring the tables up to the newest version, inside the transaction that the connection is in."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Alembic reads its options with interpolation: a percent sign in the path would be taken for one.
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite" and (
        orphans := connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    ):
        raise RuntimeError(f"the migration left rows that refer to nothing: {len(orphans)}, first in {orphans[0][0]}")


def is_current(connection: Connection) -> bool:
    """Has this database every migration that the code comes with?"""
    if not inspect(connection).has_table("alembic_version"):
        return False
    return connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [head()]


@cache
def head() -> str | None:
    """Name the newest version without asking Alembic: the files are numbered, so it is in the last one."""
    files = sorted((HERE / "versions").glob("[0-9]*.py"))
    found = _REVISION.search(files[-1].read_text(encoding="utf-8")) if files else None
    return found.group(1) if found else None
