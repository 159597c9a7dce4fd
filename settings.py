"""Everything that can be set, read once from the environment and organisation.toml, typed and frozen.

`Settings.from_env` fails early and by name; `app` reads it and hands plain values on, so that no other room knows where
a value came from. The names of the environment's variables are the upper-case names of the fields.
"""

from __future__ import annotations

import hmac
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.exc import ArgumentError

from callbacks.channels import parse_url
from callbacks.directory import NUMBER_LIFE, Referral
from callbacks.directory import read as read_directory
from callbacks.lifecycle import CLAIM_LASTS
from callbacks.mail_server import parse_addresses
from callbacks.mail_server import problems as mail_problems
from callbacks.notices import BEFORE_DUE
from callbacks.office_hours import WEEKDAYS, OfficeHours, Opening
from ivr.numbers import NumberPolicy

HERE = Path(__file__).resolve().parent
REHEARSAL_ACCOUNT_SID = "AC" + "0" * 32
REHEARSAL_AUTH_TOKEN = "rehearsal-auth-token"  # noqa: S105  made up on purpose; production refuses it
REHEARSAL_BASE_URL = "http://127.0.0.1:8000"
REHEARSAL_LINE_NUMBER = "+31850000000"  # looks like a number, and is nobody's
TWILIO_API = "https://api.twilio.com"
REHEARSAL_API_PATH = "/phone/api"  # where the phone of a rehearsal stands in for the provider
SHORTEST_SECRET = 32  # characters
FEWEST_DIFFERENT = 8  # of them: 32 random ones have more
MOST_MINUTES = 24 * 60  # minutes

_ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
_AUTH_TOKEN = re.compile(r"[0-9a-f]{32}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_LOOPBACK = re.compile(r"localhost|.+\.localhost|127(\.\d+){3}|0\.0\.0\.0|::1?")


class SettingsError(ValueError):
    """Something that is set, or is not, keeps the line from starting; `problems` names each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class PhoneNumber:
    """A number that the line speaks, and the day on which somebody last verified it."""

    digits: str
    verified_on: date | None

    @property
    def expires(self) -> date | None:
        """The day from which it is not spoken, because nobody verified it for so long; None where nobody ever did."""
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
    claim_lasts: timedelta = CLAIM_LASTS
    before_due: timedelta = BEFORE_DUE  # in opening hours: how long before the team is told
    directory: tuple[Referral, ...] = ()

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
        except (ValueError, TypeError, AttributeError, NotImplementedError) as error:
            raise SettingsError([f"ORGANISATION_FILE: {path}: {error}"]) from error
        except KeyError as error:
            raise SettingsError([f"ORGANISATION_FILE: {path} lacks {error}"]) from error


@dataclass(frozen=True)
class Settings:
    """The settings of one running line."""

    zorglijn_env: str
    database_url: str = field(repr=False)  # it may hold a password
    public_base_url: str
    twilio_account_sid: str
    twilio_auth_token: str = field(repr=False)
    twilio_api_base_url: str
    line_number: str | None  # without it, nobody is called back through the line
    secret_key: str = field(repr=False)
    organisation_file: Path
    smtp_url: str = field(repr=False)  # it may hold a password; empty where the team gets no e-mails
    mail_from: str
    mail_to: tuple[str, ...]
    organisation: Organisation = field(repr=False)

    @property
    def is_rehearsal(self) -> bool:
        """Whether this line runs without a phone company."""
        return self.zorglijn_env == "rehearsal"

    @property
    def mail(self) -> tuple[str, str, tuple[str, ...]]:
        """The mail server, the address from which the line sends, and those to which."""
        return self.smtp_url, self.mail_from, self.mail_to

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read and check everything; a SettingsError lists every problem by the name of its variable."""
        mode = env.get("ZORGLIJN_ENV", "").strip() or "rehearsal"
        rehearsal = mode == "rehearsal"
        defaults = _rehearsal_defaults() if rehearsal else _production_defaults()
        values = {name: env.get(name, "").strip() or defaults.get(name, "") for name in VARIABLES}
        problems = [] if mode in ("rehearsal", "production") else ["ZORGLIJN_ENV: must be rehearsal or production"]
        problems += [problem for name in VARIABLES if (problem := _problem(name, values[name], rehearsal=rehearsal))]
        mail = values["SMTP_URL"], values["MAIL_FROM"], values["MAIL_TO"]
        problems += mail_problems(*mail, is_rehearsal=rehearsal)
        organisation = None
        try:
            organisation = Organisation.load(Path(values["ORGANISATION_FILE"]))
        except SettingsError as error:
            problems += error.problems
        if problems or organisation is None:
            raise SettingsError(problems)
        base_url = values["PUBLIC_BASE_URL"].rstrip("/")
        return cls(
            zorglijn_env=mode,
            database_url=values["DATABASE_URL"],
            public_base_url=base_url,
            twilio_account_sid=values["TWILIO_ACCOUNT_SID"],
            twilio_auth_token=values["TWILIO_AUTH_TOKEN"],
            twilio_api_base_url=(values["TWILIO_API_BASE_URL"] or base_url + REHEARSAL_API_PATH).rstrip("/"),
            line_number=values["LINE_NUMBER"] or None,
            secret_key=values["SECRET_KEY"] or _derived_key(values["TWILIO_AUTH_TOKEN"]),
            organisation_file=Path(values["ORGANISATION_FILE"]),
            smtp_url=values["SMTP_URL"],
            mail_from=values["MAIL_FROM"],
            mail_to=parse_addresses(values["MAIL_TO"]) if values["SMTP_URL"] else (),
            organisation=organisation,
        )


VARIABLES = (
    "DATABASE_URL",
    "PUBLIC_BASE_URL",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_API_BASE_URL",
    "LINE_NUMBER",
    "SECRET_KEY",
    "ORGANISATION_FILE",
    "SMTP_URL",
    "MAIL_FROM",
    "MAIL_TO",
)

OPTIONAL = frozenset({"LINE_NUMBER", "SECRET_KEY", "TWILIO_API_BASE_URL", "SMTP_URL", "MAIL_FROM", "MAIL_TO"})


def _derived_key(auth_token: str) -> str:
    """A key for the console from the one secret that every line has, so that it needs no second one to start."""
    return hmac.digest(auth_token.encode(), b"zorglijn console", "sha256").hex()


def _production_defaults() -> dict[str, str]:
    return {"TWILIO_API_BASE_URL": TWILIO_API, "ORGANISATION_FILE": str(HERE / "organisation.toml")}


def _rehearsal_defaults() -> dict[str, str]:
    return {
        "DATABASE_URL": f"sqlite:///{HERE / 'var' / 'zorglijn.sqlite3'}",
        "PUBLIC_BASE_URL": REHEARSAL_BASE_URL,
        "TWILIO_ACCOUNT_SID": REHEARSAL_ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": REHEARSAL_AUTH_TOKEN,
        "LINE_NUMBER": REHEARSAL_LINE_NUMBER,
        "ORGANISATION_FILE": str(HERE / "organisation.toml"),
    }


def _problem(name: str, value: str, *, rehearsal: bool) -> str | None:  # noqa: PLR0911  a return for each
    """What is wrong with one variable, or None."""
    if not value:
        return None if name in OPTIONAL else f"{name}: is not set"
    match name:
        case "DATABASE_URL":
            return _database_problem(name, value)
        case "PUBLIC_BASE_URL" | "TWILIO_API_BASE_URL":
            return _url_problem(name, value, rehearsal=rehearsal)
        case "LINE_NUMBER":
            return _line_number_problem(name, value, rehearsal=rehearsal)
        case "TWILIO_ACCOUNT_SID":
            return _account_problem(name, value, rehearsal=rehearsal)
        case "TWILIO_AUTH_TOKEN" | "SECRET_KEY" if not rehearsal:
            return _secret_problem(name, value)
        case _:
            return None


def _secret_problem(name: str, value: str) -> str | None:
    if name == "TWILIO_AUTH_TOKEN":
        return None if _AUTH_TOKEN.fullmatch(value) else f"{name}: is made up (a token has 32 hexadecimal digits)"
    if len(value) < SHORTEST_SECRET:
        return f"{name}: is too short (at least {SHORTEST_SECRET} random characters)"
    return f"{name}: is made up" if len(set(value)) < FEWEST_DIFFERENT else None


def _account_problem(name: str, value: str, *, rehearsal: bool) -> str | None:
    if not _ACCOUNT_SID.fullmatch(value):
        return f"{name}: must be AC and 32 hexadecimal digits"
    return f"{name}: is made up" if not rehearsal and value == REHEARSAL_ACCOUNT_SID else None


def _line_number_problem(name: str, value: str, *, rehearsal: bool) -> str | None:
    if not _E164.fullmatch(value):
        return f"{name}: must be like +31401234567"
    return f"{name}: is made up" if not rehearsal and value == REHEARSAL_LINE_NUMBER else None


def _database_problem(name: str, value: str) -> str | None:
    try:
        parse_url(value)
    except (ArgumentError, ValueError) as error:
        told = str(error).removeprefix(f"{name}: ") if isinstance(error, ValueError) else "is no URL of a database"
        return f"{name}: {told}"
    return None


def _url_problem(name: str, value: str, *, rehearsal: bool) -> str | None:
    try:
        parts = urlsplit(value)
        host = parts.hostname
        parts.port  # noqa: B018  a ValueError where it is no port
    except ValueError:
        return f"{name}: is no URL"
    is_plain = not (parts.query or parts.fragment or parts.username is not None or re.search(r"\s", value))
    if parts.scheme not in ("http", "https") or not host or not is_plain:
        return f"{name}: must be like https://line.example.org"
    if rehearsal:
        return None
    if parts.scheme != "https":
        return f"{name}: must begin with https:// outside a rehearsal"
    return f"{name}: is made up" if _LOOPBACK.fullmatch(host) else None


def _organisation(document: dict[str, Any]) -> Organisation:
    hours, callback = document["hours"], document["callback"]
    numbers = {name: _number(name, table) for name, table in document["numbers"].items() if table.get("number")}
    policy = NumberPolicy(_words("callback.regions", callback["regions"]), _words("callback.types", callback["types"]))
    return Organisation(
        name=_text("name", document["name"]),
        region=_text("region", document["region"]),
        hours=_hours(hours, _zone(document["zone"]), _text("country", document["country"])),
        hours_verified_on=_day(hours.get("verified_on")),
        numbers=numbers,
        callback_regions=policy.regions,
        callback_types=policy.types,
        takes_voice_messages=_switch("callback.voice_messages", callback["voice_messages"]),
        days_kept=_count("retention.closed_days", document["retention"]["closed_days"]),
        claim_lasts=_minutes("queue.claim_minutes", document, CLAIM_LASTS),
        before_due=_minutes("notices.minutes_before_due", document, BEFORE_DUE),
        directory=read_directory(document.get("directory", []), document["numbers"]),
    )


def _hours(hours: Mapping[str, Any], zone: ZoneInfo, country: str) -> OfficeHours:
    """The opening hours; a country without known holidays or a day without a name would only be noticed in a call."""
    unknown = sorted(set(hours) - {*WEEKDAYS, "verified_on"})
    if unknown:
        raise ValueError(f"[hours] {unknown[0]}: is no day of the week (they are {', '.join(WEEKDAYS)})")
    week = {day: _opening(hours[name]) for day, name in enumerate(WEEKDAYS) if hours.get(name)}
    if not week:
        raise ValueError("[hours] names no day: nobody could ever phone back")
    office = OfficeHours(week, zone, country)
    office.is_open(datetime(2026, 1, 1, 12, tzinfo=zone))
    return office


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(_text("zone", name))
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:  # a KeyError, but nothing is lacking
        raise ValueError(f"zone: {name!r} is no time zone such as Europe/Amsterdam") from error


def _opening(text: object) -> Opening:
    opens, _, closes = str(text).partition("-")
    try:
        opening = Opening(time.fromisoformat(opens.strip()), time.fromisoformat(closes.strip()))
    except ValueError as error:
        raise ValueError(f"[hours] {text}: must be like 09:00-17:00") from error
    if opening.opens.tzinfo or opening.closes.tzinfo:
        raise ValueError(f"[hours] {text}: must be like 09:00-17:00")
    if opening.opens >= opening.closes:
        raise ValueError(f"[hours] {text}: opens after it closes")
    return opening


def _number(name: str, table: Mapping[str, Any]) -> PhoneNumber:
    digits = re.sub(r"[\s-]", "", str(table["number"]))
    if not (digits.isascii() and digits.isdecimal()):
        raise ValueError(
            f"[numbers.{name}] {table['number']}: is no phone number as one dials it, such as 040 251 27 38"
        )
    return PhoneNumber(digits, _day(table.get("verified_on")))


def _day(value: object) -> date | None:
    if value in (None, ""):
        return None
    if isinstance(value, datetime):  # which is a date in Python, and cannot be compared with one
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name}: must be words between quotes")
    return value.strip()


def _words(name: str, value: object) -> tuple[str, ...]:
    """A list of words: a single word would otherwise be taken for a list of its letters."""
    if not isinstance(value, list) or not value:
        raise ValueError(f'{name}: must be a list such as ["NL"]')
    return tuple(_text(name, word) for word in value)


def _switch(name: str, value: object) -> bool:
    """True or false: the word "false" between quotes would otherwise be taken for true."""
    if not isinstance(value, bool):
        raise ValueError(f"{name}: must be true or false, without quotes")  # noqa: TRY004  it is a setting that is wrong
    return value


def _minutes(name: str, document: Mapping[str, Any], default: timedelta) -> timedelta:
    """A time such as queue.claim_minutes; the section and the entry may be left out."""
    section, _, entry = name.partition(".")
    minutes = document.get(section, {}).get(entry, default // timedelta(minutes=1))
    if not isinstance(minutes, int) or isinstance(minutes, bool) or not 1 <= minutes <= MOST_MINUTES:
        raise ValueError(f"{name}: must be a number of minutes, 1 to {MOST_MINUTES}")
    return timedelta(minutes=minutes)


def _count(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: must be a number of days, 1 or more")
    return value
