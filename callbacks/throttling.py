"""How often something may be tried: counted in the database, so that all threads and processes count together.

A try is counted before it is known whether it succeeds: a crowd that tries at the same moment gets no more tries than
one that tries in turn. Keys are keyed hashes; the table tells nobody who tried. `sign_in` asks here.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, case, delete, insert, or_, select, update

from callbacks.models import Throttle

throttles: Table = Throttle.__table__  # type: ignore[assignment]  # declared as FromClause; a mapped class has a Table

_FORGOTTEN_AFTER = timedelta(days=2)  # longer than any window
_IPV6_PREFIX = 64  # one subscriber has all the addresses behind it


@dataclass(frozen=True)
class Limit:
    """At most `tries` within `window`, of what `key` (a hash) stands for."""

    key: str
    tries: int
    window: timedelta


def limit(secret: str, what: str, of: str, tries: int, window: timedelta) -> Limit:
    """A limit on `what` for one account or address; nobody can tell from its key for which."""
    keyed = hmac.new(secret.encode(), f"throttle\0{what}\0{of}".encode(), hashlib.sha256)
    return Limit(f"{what}:{keyed.hexdigest()}", tries, window)


def take_try(connection: Connection, limits: Sequence[Limit], now: datetime) -> timedelta | None:
    """Count a try towards every limit; or, where one is used up, count nothing and say how long to wait."""
    waits = [wait for limit in limits if (wait := _wait(connection, limit, now)) is not None]
    if waits:
        return max(waits)
    for one in limits:
        _count(connection, one, now)
    return None


def forgive(connection: Connection, limits: Sequence[Limit], now: datetime) -> None:
    """Forget the tries of somebody who proved who they are, and what is long over.

    Only here, not with every try: going through all rows of a crowd of strangers would hold up the callers.
    """
    keys = [limit.key for limit in limits]
    is_over = throttles.c.window_started_at < now - _FORGOTTEN_AFTER
    connection.execute(delete(throttles).where(or_(throttles.c.key.in_(keys), is_over)))


def network(address: str) -> str:
    """The part of an internet address that one subscriber has; an unknown address counts as one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))
    return str(parsed)


def _wait(connection: Connection, limit: Limit, now: datetime) -> timedelta | None:
    row = connection.execute(select(throttles).where(throttles.c.key == limit.key)).first()
    if row is None or row.tries < limit.tries:
        return None
    left = row.window_started_at + limit.window - now
    return left if left > timedelta(0) else None


def _count(connection: Connection, limit: Limit, now: datetime) -> None:
    """Units that write do so one at a time, in all processes: nobody makes the row between the two statements."""
    is_over = throttles.c.window_started_at <= now - limit.window
    counted = connection.execute(
        update(throttles)
        .where(throttles.c.key == limit.key)
        .values(
            tries=case((is_over, 1), else_=throttles.c.tries + 1),
            window_started_at=case((is_over, now), else_=throttles.c.window_started_at),
        )
    )
    if not counted.rowcount:
        connection.execute(insert(throttles).values(key=limit.key, tries=1, window_started_at=now))
