"""What time it is: handed on as an argument, so that a test can turn the clock. Both rooms of the line use this one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]  # aware moments


def utc_now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)
