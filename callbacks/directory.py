"""To whom the team refers somebody: the organisations of `[[directory]]` in organisation.toml.

`settings` reads the file and refuses what is malformed here, the desk carries them, `wrap_up_page` lets an agent choose
one and `scripts` names them where another organisation is who can help. Nothing of this is spoken by the line itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from callbacks.staff import LOCALES

NUMBER_LIFE = timedelta(days=90)  # a phone number that nobody verified for longer is no longer relied on

_KNOWN = ("key", "name", "purpose", "hours", "phone", "number", "where", "verified_on", "verified_by")
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_PHONE = re.compile(r"[0-9][0-9 -]*")
_EXAMPLE = '{nl = "huisarts", en = "doctor"}'


@dataclass(frozen=True)
class Referral:
    """One organisation: `purpose` and `hours` by language of the page, `phone` as one dials it, None where unknown.

    `key` is how scripts and forms name it, and never changes; `verified_on` is when somebody last checked the number.
    """

    key: str
    name: str
    purpose: Mapping[str, str]
    hours: Mapping[str, str]
    phone: str | None = None
    where: str = ""
    verified_on: date | None = None
    verified_by: str = ""

    def is_stale(self, today: date) -> bool:
        """Whether its number has to be verified before somebody is sent there: never done, or 90 days ago or more."""
        return self.phone is not None and (self.verified_on is None or self.verified_on + NUMBER_LIFE <= today)


def find(directory: Iterable[Referral], key: str) -> Referral | None:
    """The organisation with this key, if the directory has it."""
    return next((referral for referral in directory if referral.key == key), None)


def read(tables: object, numbers: Mapping[str, Mapping[str, Any]]) -> tuple[Referral, ...]:
    """The organisations of the file, in its order; `numbers` are those that the line speaks, as they stand there.

    ValueError names the organisation and what is wrong with it.
    """
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError("directory: every organisation begins with [[directory]], in double brackets")
    referrals = tuple(_referral(table, numbers) for table in tables)
    keys = [referral.key for referral in referrals]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise ValueError(f"[[directory]] {twice}: stands there twice")
    return referrals


def _referral(table: Mapping[str, Any], numbers: Mapping[str, Mapping[str, Any]]) -> Referral:
    key = _text("[[directory]] key", table.get("key"))
    here = f"[[directory]] {key}"
    if not _KEY.fullmatch(key):
        raise ValueError(f"{here}: a key has only a-z, 0-9 and _")
    unknown = sorted(set(table) - set(_KNOWN))
    if unknown:
        raise ValueError(f"{here} {unknown[0]}: there is no such setting (there are {', '.join(_KNOWN)})")
    phone, verified = _phone(here, table, numbers)
    return Referral(
        key=key,
        name=_text(f"{here} name", table.get("name")),
        purpose=_in_languages(f"{here} purpose", table.get("purpose")),
        hours=_in_languages(f"{here} hours", table["hours"]) if "hours" in table else {},
        phone=phone,
        where=_text(f"{here} where", table["where"]) if "where" in table else "",
        verified_on=_day(f"{here} verified_on", verified.get("verified_on")),
        verified_by=str(verified.get("verified_by", "")).strip(),
    )


def _phone(
    here: str, table: Mapping[str, Any], numbers: Mapping[str, Mapping[str, Any]]
) -> tuple[str | None, Mapping[str, Any]]:
    """The number, and the table that says when it was verified: one that the line speaks stands in the file once."""
    if "number" in table:
        name = table["number"]
        if name not in numbers:
            raise ValueError(f"{here} number: there is no [numbers.{name}]")
        if {"phone", "verified_on", "verified_by"} & set(table):
            raise ValueError(f"{here}: its phone and verified_on stand under [numbers.{name}], so not here")
        table = {**numbers[name], "phone": numbers[name].get("number")}
    phone = str(table.get("phone") or "").strip()
    if phone and not _PHONE.fullmatch(phone):
        raise ValueError(f"{here} phone: {phone} is no phone number as one dials it, such as 040 251 27 38")
    return phone or None, table


def _in_languages(name: str, value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or set(value) != set(LOCALES):
        raise ValueError(f"{name}: must be words in each language of the console, such as {_EXAMPLE}")
    return {language: _text(f"{name}.{language}", words) for language, words in value.items()}


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name}: must be words between quotes")
    return value.strip()


def _day(name: str, value: object) -> date | None:
    if value in (None, ""):
        return None
    if isinstance(value, datetime):  # which is a date in Python, and cannot be compared with one
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"{name}: must be a day such as 2026-11-21") from error
