"""How long ago, how long still: moments as somebody at work reads them, in the language of the page.

Pure but for the language: every moment is an argument, aware. `console` gives the templates these words as filters,
with its own clock; the exact time always stands beside them (`exact`), in the zone of the office.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import format_datetime, gettext, ngettext

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def length(span: timedelta) -> str:
    """A stretch of time in at most two words that matter: "40 min", "2 h 10 min", "3 days"; never more than it is."""
    if span < _MINUTE:
        return str(gettext("less than a minute"))
    if span < _HOUR:
        return _minutes(span)
    if span < _DAY:
        hours, rest = str(gettext("%(hours)s h", hours=span // _HOUR)), span % _HOUR
        return f"{hours} {_minutes(rest)}" if rest >= _MINUTE else hours
    days = str(ngettext("%(num)s day", "%(num)s days", span // _DAY))
    if span >= 2 * _DAY or span % _DAY < _HOUR:
        return days
    return f"{days} " + str(gettext("%(hours)s h", hours=span % _DAY // _HOUR))


def due(due_at: datetime, now: datetime) -> str:
    """How long somebody still has, or by how long it is too late: "due in 40 min", "overdue by 2 h 10 min"."""
    if due_at < now:
        return str(gettext("overdue by %(length)s", length=length(now - due_at)))
    if due_at - now < _MINUTE:
        return str(gettext("due now"))
    return str(gettext("due in %(length)s", length=length(due_at - now)))


def waiting(since: datetime, now: datetime) -> str:
    """How long somebody has been waiting: "waiting 3 h"."""
    return str(gettext("waiting %(length)s", length=length(now - since)))


def ago(moment: datetime, now: datetime) -> str:
    """When something was: "just now", "3 h ago"."""
    passed = now - moment
    return str(gettext("just now")) if passed < _MINUTE else str(gettext("%(length)s ago", length=length(passed)))


def exact(moment: datetime) -> str:
    """Day and time on the office's clock: "Tue 24 Nov 10:00"."""
    return str(format_datetime(moment, "EEE d MMM HH:mm"))


def clock(moment: datetime, now: datetime) -> str:
    """The time on the office's clock, with the day where it is not today's."""
    today = str(format_datetime(now, "yyyyMMdd"))
    return str(format_datetime(moment, "HH:mm")) if str(format_datetime(moment, "yyyyMMdd")) == today else exact(moment)


def _minutes(span: timedelta) -> str:
    return str(gettext("%(minutes)s min", minutes=span // _MINUTE))
