"""The form in which an agent wraps up: what it shows before the choice, and what it reads from what was typed.

A part of `request_view`, like `script_part`; `wrap_up_page` takes the form, `wrapping_up` does what it says. What would
follow an attempt that nobody answered is said in words beforehand, by the same rules that then decide it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask_babel import LazyString, format_date, gettext, lazy_gettext

from callbacks import directory
from callbacks.desk import Desk
from callbacks.directory import Referral
from callbacks.errors import Missing, UnusableMoment
from callbacks.lifecycle import Disposition
from callbacks.office_hours import OfficeHours
from callbacks.trying_again import FURTHEST, NextTry, part_of_day
from callbacks.wrapping_up import next_try

if TYPE_CHECKING:
    from callbacks.request_view import Look

OTHER = "other"  # the choice of an organisation that the directory does not have
TOMORROW: Mapping[str, LazyString] = {
    "morning": lazy_gettext("Next attempt: tomorrow morning, from %(time)s."),
    "afternoon": lazy_gettext("Next attempt: tomorrow afternoon, from %(time)s."),
    "evening": lazy_gettext("Next attempt: tomorrow evening, from %(time)s."),
}
LATER: Mapping[str, LazyString] = {
    "morning": lazy_gettext("Next attempt: %(day)s in the morning, from %(time)s."),
    "afternoon": lazy_gettext("Next attempt: %(day)s in the afternoon, from %(time)s."),
    "evening": lazy_gettext("Next attempt: %(day)s in the evening, from %(time)s."),
}
_WITHIN_A_WEEK = 7
_TYPED = "%Y-%m-%dT%H:%M"  # as a browser sends a moment


@dataclass(frozen=True)
class Filled:
    """What an agent filled in; `again_at` is aware, `claims` says that it has to be taken again first."""

    disposition: Disposition
    note: str
    referral: str | None
    left_message: bool
    again_at: datetime | None
    claims: bool


@dataclass(frozen=True)
class WrapUp:
    """What the form shows: what follows if nobody answers, to whom one can refer, which moments can be chosen."""

    again: NextTry
    now: datetime
    desk: Desk

    @property
    def follows(self) -> str:
        """What will happen after an attempt without answer, in the language of the page that asks."""
        return in_words(self.again, self.now, self.desk.office)

    @property
    def directory(self) -> tuple[Referral, ...]:
        """The organisations to choose from."""
        return self.desk.directory

    @property
    def today(self) -> date:
        """The day at the office."""
        return self.now.astimezone(self.desk.office.zone).date()

    @property
    def earliest(self) -> str:
        """The first moment that can be chosen, as a form writes it."""
        return self.now.astimezone(self.desk.office.zone).strftime(_TYPED)

    @property
    def latest(self) -> str:
        """The last moment that can be chosen."""
        return (self.now + FURTHEST).astimezone(self.desk.office.zone).strftime(_TYPED)


def part(look: Look) -> Mapping[str, object]:
    """What request_wrap_up.html needs: `wrapping`; `typed` and `wrong` come from a form that could not be taken."""
    entry = look.story.entry
    again = next_try(entry.urgency, entry.part_of_day, look.story.events, look.now, look.desk.office)
    return {"wrapping": WrapUp(again, look.now, look.desk), "typed": {}, "wrong": {}}


def in_words(again: NextTry, now: datetime, office: OfficeHours) -> str:
    """What follows, as a sentence or two in the language of the page; `now` is aware."""
    if again.closes:
        return str(gettext("This was the last attempt: the request is closed. A new call opens it again."))
    said = [] if again.not_before is None else [_moment_in_words(again.not_before, now, office)]
    if again.needs_coordinator:
        said.append(str(gettext("A coordinator decides what comes next.")))
    return " ".join(said)


def _moment_in_words(at: datetime, now: datetime, office: OfficeHours) -> str:
    local = at.astimezone(office.zone)
    days, clock = (local.date() - now.astimezone(office.zone).date()).days, local.strftime("%H:%M")
    if days <= 0:
        return str(gettext("Next attempt: today, from %(time)s.", time=clock))
    part = part_of_day(at, office)
    if days == 1:
        return str(TOMORROW[part]) % {"time": clock}
    day = format_date(local.date(), "EEEE" if days < _WITHIN_A_WEEK else "EEEE d MMMM")
    return str(LATER[part]) % {"day": day, "time": clock}


def read(form: Mapping[str, str], referrals: Iterable[Referral], zone: ZoneInfo) -> Filled:
    """What was filled in; Missing for no disposition or an unknown referral, UnusableMoment for what is no moment."""
    if form.get("disposition") not in list(Disposition):
        raise Missing("disposition")
    return Filled(
        disposition=Disposition(form["disposition"]),
        note=form.get("note", ""),
        referral=_referral(form, referrals),
        left_message=bool(form.get("left_message")),
        again_at=_moment(form.get("again_at", ""), zone),
        claims=bool(form.get("claims")),
    )


def _referral(form: Mapping[str, str], referrals: Iterable[Referral]) -> str | None:
    """The name of the organisation: chosen from the directory, or written down."""
    chosen, written = form.get("referral", ""), form.get("referral_other", "").strip()
    if chosen in ("", OTHER):
        return written or None
    found = directory.find(referrals, chosen)
    if found is None:  # it left the directory while the page was open
        raise Missing("referral")
    return found.name


def _moment(typed: str, zone: ZoneInfo) -> datetime | None:
    """A moment on the office's clock, in UTC."""
    if not typed.strip():
        return None
    for read_as in (datetime.fromisoformat, _as_written):
        with suppress(ValueError, OverflowError):
            moment = read_as(typed.strip())
            if moment.tzinfo is None:
                return moment.replace(tzinfo=zone).astimezone(UTC)
    raise UnusableMoment("unreadable")


def _as_written(typed: str) -> datetime:
    """A moment as somebody types it where the browser shows no calendar: "26-11-2026 14:30"."""
    return datetime.strptime(typed, "%d-%m-%Y %H:%M")  # noqa: DTZ007  whoever asked knows on which clock
