"""Everything that can be set, read once from the environment and organisation.toml, typed and frozen.

`Settings.from_env` fails early and by name; `app` reads it and hands plain values on, so that no other room knows where
a value came from. The names of the environment's variables are the upper-case names of the fields.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from callbacks.office_hours import WEEKDAYS, OfficeHours, Opening

HERE = Path(__file__).resolve().parent
REHEARSAL_ACCOUNT_SID = "AC" + "0" * 32
REHEARSAL_AUTH_TOKEN = "rehearsal-auth-token"  # noqa: S105  made up on purpose; production refuses it
REHEARSAL_BASE_URL = "http://127.0.0.1:8000"
NUMBER_LIFE = timedelta(days=90)  # a phone number that nobody verified for longer is not spoken

_ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
_AUTH_TOKEN = re.compile(r"[0-9a-f]{32}")


class SettingsError(ValueError):
    """Something that is set, or is not, keeps the line from starting; `problems` names each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class PhoneNumber:
    """A number that the line speaks: its digits, and the last day on which it is spoken."""

    digits: str
    verified_on: date | None

    @property
    def expires(self) -> date | None:
        """The day after which nobody has verified it recently enough to speak it; None where nobody ever did."""
        return self.verified_on + NUMBER_LIFE if self.verified_on else None


@dataclass(frozen=True)
class Organisation:
    """organisation.toml, read."""

    name: str
    region: str
    hours: OfficeHours
    hours_verified_on: date | None
    numbers: Mapping[str, PhoneNumber]
    callback_regions: tuple[str, ...]
    callback_types: tuple[str, ...]
    takes_voice_messages: bool
    days_kept: int

    @classmethod
    def load(cls, path: Path) -> Organisation:
        """Read the file; a SettingsError names what is missing or malformed in it."""
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
            return _organisation(document)
        except FileNotFoundError:
            raise SettingsError([f"ORGANISATION_FILE: there is no file {path}"]) from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError([f"ORGANISATION_FILE: {path} cannot be read: {error}"]) from error
        except KeyError as error:
            raise SettingsError([f"ORGANISATION_FILE: {path} lacks {error}"]) from error
        except (ValueError, TypeError, AttributeError, ZoneInfoNotFoundError) as error:
            raise SettingsError([f"ORGANISATION_FILE: {path}: {error}"]) from error


@dataclass(frozen=True)
class Settings:
    """The settings of one running line."""

    zorglijn_env: str
    database_url: str
    public_base_url: str
    twilio_account_sid: str
    twilio_auth_token: str = field(repr=False)
    organisation_file: Path
    organisation: Organisation = field(repr=False)

    @property
    def is_rehearsal(self) -> bool:
        """Whether this line runs without a phone company."""
        return self.zorglijn_env == "rehearsal"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read and check everything; a SettingsError lists every problem by the name of its variable."""
        mode = env.get("ZORGLIJN_ENV") or "rehearsal"
        rehearsal = mode == "rehearsal"
        defaults = _rehearsal_defaults() if rehearsal else {"ORGANISATION_FILE": str(HERE / "organisation.toml")}
        values = {name: env.get(name, "").strip() or defaults.get(name, "") for name in VARIABLES}
        problems = [] if mode in ("rehearsal", "production") else ["ZORGLIJN_ENV: must be rehearsal or production"]
        problems += [problem for name in VARIABLES if (problem := _problem(name, values[name], rehearsal=rehearsal))]
        organisation = None
        try:
            organisation = Organisation.load(Path(values["ORGANISATION_FILE"]))
        except SettingsError as error:
            problems += error.problems
        if problems or organisation is None:
            raise SettingsError(problems)
        return cls(
            zorglijn_env=mode,
            database_url=values["DATABASE_URL"],
            public_base_url=values["PUBLIC_BASE_URL"].rstrip("/"),
            twilio_account_sid=values["TWILIO_ACCOUNT_SID"],
            twilio_auth_token=values["TWILIO_AUTH_TOKEN"],
            organisation_file=Path(values["ORGANISATION_FILE"]),
            organisation=organisation,
        )


VARIABLES = ("DATABASE_URL", "PUBLIC_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "ORGANISATION_FILE")


def _rehearsal_defaults() -> dict[str, str]:
    return {
        "DATABASE_URL": f"sqlite:///{HERE / 'var' / 'zorglijn.sqlite3'}",
        "PUBLIC_BASE_URL": REHEARSAL_BASE_URL,
        "TWILIO_ACCOUNT_SID": REHEARSAL_ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": REHEARSAL_AUTH_TOKEN,
        "ORGANISATION_FILE": str(HERE / "organisation.toml"),
    }


def _problem(name: str, value: str, *, rehearsal: bool) -> str | None:
    """What is wrong with one variable, or None."""
    if not value:
        return f"{name}: is not set"
    match name:
        case "DATABASE_URL":
            return None if value.startswith(("sqlite:///", "postgresql:", "postgresql+psycopg:")) else (
                f"{name}: must be sqlite:///PATH or postgresql://..."
            )
        case "PUBLIC_BASE_URL":
            return _url_problem(name, value, rehearsal=rehearsal)
        case "TWILIO_ACCOUNT_SID":
            if not _ACCOUNT_SID.fullmatch(value):
                return f"{name}: must be AC and 32 hexadecimal digits"
            return f"{name}: is made up" if not rehearsal and value == REHEARSAL_ACCOUNT_SID else None
        case "TWILIO_AUTH_TOKEN":
            return f"{name}: is made up (a token has 32 hexadecimal digits)" if not (
                rehearsal or _AUTH_TOKEN.fullmatch(value)
            ) else None
        case _:
            return None


def _url_problem(name: str, value: str, *, rehearsal: bool) -> str | None:
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return f"{name}: is no URL"
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        return f"{name}: must be like https://line.example.org"
    if rehearsal:
        return None
    if parts.scheme != "https":
        return f"{name}: must begin with https:// outside a rehearsal"
    return f"{name}: is made up" if host in ("127.0.0.1", "localhost", "::1") else None


def _organisation(document: dict[str, Any]) -> Organisation:
    zone = ZoneInfo(document["zone"])
    week = {day: _opening(document["hours"][name]) for day, name in enumerate(WEEKDAYS) if name in document["hours"]}
    if not week:
        raise ValueError("[hours] names no day: nobody could ever phone back")
    callback = document["callback"]
    return Organisation(
        name=str(document["name"]),
        region=str(document["region"]),
        hours=OfficeHours(week, zone, str(document["country"])),
        hours_verified_on=_day(document["hours"].get("verified_on")),
        numbers={name: _number(name, table) for name, table in document["numbers"].items() if table.get("number")},
        callback_regions=tuple(callback["regions"]),
        callback_types=tuple(callback["types"]),
        takes_voice_messages=bool(callback["voice_messages"]),
        days_kept=int(document["retention"]["closed_days"]),
    )


def _opening(text: str) -> Opening:
    opens, _, closes = str(text).partition("-")
    opening = Opening(time.fromisoformat(opens.strip()), time.fromisoformat(closes.strip()))
    if opening.opens >= opening.closes:
        raise ValueError(f"[hours] {text}: opens after it closes")
    return opening


def _number(name: str, table: Mapping[str, Any]) -> PhoneNumber:
    digits = re.sub(r"[\s-]", "", str(table["number"]))
    if not digits.isdecimal():
        raise ValueError(f"[numbers.{name}] {table['number']}: is no phone number")
    return PhoneNumber(digits, _day(table.get("verified_on")))


def _day(value: object) -> date | None:
    if value in (None, ""):
        return None
    return value if isinstance(value, date) else date.fromisoformat(str(value))
