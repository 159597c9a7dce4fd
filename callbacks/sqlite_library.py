"""The one copy of SQLite that this process uses: everything that opens a SQLite file takes `sqlite3` from here.

Debian 12 and Ubuntu 24.04 bring a SQLite whose write-ahead log may lose commits, so where there is a wheel for it the
line brings its own. Two copies in one process would not know of each other's file locks: closing a file in the one
drops the locks of the other (SQLite, "How To Corrupt", 2.2.1). Where the wheel is missing Python's own is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["sqlite3"]

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:
        import sqlite3
