"""Says what is missing before the line may go live: `zorglijn doctor`.

Everything that can be looked at is looked at, also when something else is wrong, so that one visit is enough. The
checks are in `doctor_checks`; here the values for them are gathered. What lies outside (database, disk, programs) is
asked through `Probes`, so that a test can be any machine. Like `app` it reads the environment; it changes nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from textwrap import fill

from sqlalchemy import Connection, text
from sqlalchemy.exc import ArgumentError

from callbacks import scripts
from callbacks.channels import parse_url
from callbacks.db import Database
from callbacks.migrations import is_current
from callbacks.sqlite_channel import wal_is_safe
from ivr.doctor_checks import (
    DatabaseState,
    Finding,
    Severity,
    check_addresses,
    check_database,
    check_environment,
    check_line_number,
    check_made_up,
    check_mail,
    check_mode,
    check_organisation,
    check_prompts,
)
from ivr.doctor_scripts import check_scripts
from ivr.prompts import PromptError, Prompts
from settings import HERE, VARIABLES, Organisation, Settings, SettingsError

__all__ = ["Finding", "Probes", "Severity", "examine", "report"]

WAIT_SECONDS = 3.0
WIDTH = 100
MARKS = {Severity.ERROR: "MISSING", Severity.WARNING: "LOOK AT", Severity.OK: "well"}
COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.OK: "32"}


def examine(env: Mapping[str, str], *, today: date | None = None, probes: Probes | None = None) -> list[Finding]:
    """Look at everything a live line needs, as if `env` were to be used in production; what is wrong comes first."""
    findings = _findings(env, today or datetime.now(UTC).date(), probes or Probes())
    return sorted(findings, key=lambda finding: list(Severity).index(finding.severity))


def report(findings: Sequence[Finding], *, colour: bool = False) -> str:
    """The findings for a terminal: the mark, the sentence, and below it what to do."""
    lines = []
    for finding in findings:
        mark = f"{MARKS[finding.severity]:<8}"
        shown = f"\x1b[{COLOURS[finding.severity]}m{mark}\x1b[0m" if colour else mark
        lines.append(shown + _wrapped(finding.what))
        if finding.remedy:
            lines.append(" " * len(mark) + _wrapped(f"→ {finding.remedy}"))
    errors = sum(finding.is_error for finding in findings)
    lines.append("")
    lines.append(f"{errors} to mend before going live." if errors else "Nothing keeps this line from going live.")
    return "\n".join(lines)


def _wrapped(sentence: str) -> str:
    indent = " " * 8
    return fill(
        sentence, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ).lstrip()


def look_at_database(url: str) -> DatabaseState:
    """Ask a database how it is; it is not made where it is not there, and answers within some seconds."""
    parsed = parse_url(url)
    engine = "PostgreSQL" if parsed.get_backend_name() == "postgresql" else "SQLite"
    if engine == "SQLite" and not Path(str(parsed.database)).exists():
        return DatabaseState(engine, is_new=True)
    database = Database(url, wait_seconds=WAIT_SECONDS)
    try:
        return database.read(_ask_postgres if engine == "PostgreSQL" else _ask_sqlite)
    except Exception as error:  # noqa: BLE001  whatever it is, that is the finding; it may hold the password
        return DatabaseState(engine, trouble=type(error.__cause__ or error).__name__)
    finally:
        database.close()


def _ask_sqlite(connection: Connection) -> DatabaseState:
    version = str(connection.scalar(text("SELECT sqlite_version()")))
    journal = str(connection.scalar(text("PRAGMA journal_mode")))
    fixed = wal_is_safe(tuple(int(part) for part in version.split(".")))
    return DatabaseState("SQLite", version, journal, has_fixed_wal=fixed, is_migrated=is_current(connection))


def _ask_postgres(connection: Connection) -> DatabaseState:
    version = str(connection.scalar(text("SHOW server_version")))
    return DatabaseState("PostgreSQL", version, is_migrated=is_current(connection))


def can_write(folder: Path) -> bool:
    """Whether files can be made in this folder, or the folder itself where it is not there yet."""
    nearest = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


@dataclass(frozen=True)
class Probes:
    """What the doctor asks of the world outside."""

    database: Callable[[str], DatabaseState] = look_at_database
    can_write: Callable[[Path], bool] = can_write
    program: Callable[[str], str | None] = shutil.which
    prompts: Path = HERE / "prompts"


def _findings(env: Mapping[str, str], today: date, probes: Probes) -> Iterator[Finding]:
    mode = env.get("ZORGLIJN_ENV", "").strip() or "rehearsal"
    problems = _problems(env)
    values = {name: env.get(name, "").strip() for name in VARIABLES}
    wrong = {problem.partition(":")[0] for problem in problems}
    organisation = _organisation(values["ORGANISATION_FILE"])
    yield from check_mode(mode)
    yield from check_environment(problems)
    yield from check_made_up({name: value for name, value in values.items() if name not in wrong})
    if "LINE_NUMBER" not in wrong:
        yield from check_line_number(values["LINE_NUMBER"])
    yield from check_mail(values["SMTP_URL"])
    if organisation is not None:
        yield from check_organisation(organisation, today)
        yield from check_scripts(scripts.library(), organisation.directory, today)
    yield from _look_at_prompts(probes.prompts, organisation, today)
    yield from _look_at_store(values["DATABASE_URL"], probes)
    yield from _look_at_programs(mode, probes)
    base_url = "<PUBLIC_BASE_URL>" if "PUBLIC_BASE_URL" in wrong else values["PUBLIC_BASE_URL"].rstrip("/")
    yield from check_addresses(base_url)


def _problems(env: Mapping[str, str]) -> list[str]:
    """What production would refuse, whatever the mode is now."""
    try:
        Settings.from_env({**env, "ZORGLIJN_ENV": "production"})
    except SettingsError as error:
        return error.problems
    return []


def _organisation(path: str) -> Organisation | None:
    """The organisation's file, or None where it cannot be read, which is a problem of the settings already."""
    try:
        return Organisation.load(Path(path) if path else HERE / "organisation.toml")
    except SettingsError:
        return None


def _look_at_prompts(directory: Path, organisation: Organisation | None, today: date) -> Iterator[Finding]:
    try:
        prompts = Prompts.load(directory, {})
    except PromptError as error:
        for problem in error.problems:
            yield Finding(Severity.ERROR, f"The line cannot speak: {problem}.", "Correct the text.")
        return
    yield from check_prompts(prompts, organisation.days_kept if organisation else None, today)


def _look_at_store(url: str, probes: Probes) -> Iterator[Finding]:
    """The database that is set, or the one of a rehearsal; and, for a file, the folder that it is in."""
    try:
        chosen = url or Settings.from_env({}).database_url
        parsed = parse_url(chosen)
    except (ArgumentError, ValueError):
        return  # a problem of the settings, which has been told
    if parsed.get_backend_name() == "sqlite":
        folder = Path(str(parsed.database)).parent
        if probes.can_write(folder):
            yield Finding(Severity.OK, f"The database's folder can be written: {folder}.")
        else:
            remedy = "Give the user that runs the line the right to write there, or set DATABASE_URL to another place."
            yield Finding(Severity.ERROR, f"The database's folder cannot be written: {folder}.", remedy)
            return
    yield from check_database(probes.database(chosen))


def _look_at_programs(mode: str, probes: Probes) -> Iterator[Finding]:
    if probes.program("espeak-ng") is None and mode != "production":
        yield Finding(
            Severity.WARNING,
            "espeak-ng is not installed: in a rehearsal the browser's own voice speaks. Real calls do not need it.",
            "sudo apt-get install espeak-ng",
        )
