"""The doctor names everything that is missing before going live, with its remedy, and is content with a whole line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest

from callbacks.db import Database
from ivr.doctor import Finding, Probes, Severity, can_write, examine, look_at_database, report
from ivr.doctor_checks import NUMBERS, DatabaseState, check_database, check_expiring
from ivr.prompts import Expiring
from settings import HERE, REHEARSAL_ACCOUNT_SID, REHEARSAL_AUTH_TOKEN

TODAY = date(2026, 11, 22)
LIVE = {
    "ZORGLIJN_ENV": "production",
    "DATABASE_URL": "postgresql://line:quiet@db.internal/zorglijn",
    "PUBLIC_BASE_URL": "https://line.zorglijn.nl/",
    "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
    "TWILIO_AUTH_TOKEN": "89abcdef0123456789abcdef01234567",
    "LINE_NUMBER": "+31401234567",
    "SECRET_KEY": "kP3vX8mQ2tR7wY5zB9nC4dF6gH1jL0sA-_uEiO",
    "SMTP_URL": "smtp://line:quiet@mail.internal:587",
    "MAIL_FROM": "line@zorglijn.nl",
    "MAIL_TO": "team@zorglijn.nl",
}
WELL = DatabaseState("PostgreSQL", "15.4", is_migrated=True)
OFFICE = (HERE / "organisation.toml").read_text(encoding="utf-8")
VERIFIED = OFFICE.replace('verified_on = ""', "verified_on = 2026-11-20").replace(
    'number = ""', 'number = "040 211 00 00"\nverified_on = 2026-11-20'
)


@dataclass
class Machine:
    """A machine on which all is well, until a test says otherwise; it remembers what it was asked."""

    database: DatabaseState = WELL
    is_writable: bool = True
    programs: tuple[str, ...] = ("espeak-ng",)
    prompts: Path = HERE / "prompts"
    asked: list[str] = field(default_factory=list)

    def probes(self) -> Probes:
        return Probes(self._ask, lambda folder: self.is_writable, self._find, self.prompts)

    def _ask(self, url: str) -> DatabaseState:
        self.asked.append(url)
        return self.database

    def _find(self, program: str) -> str | None:
        return f"/usr/bin/{program}" if program in self.programs else None


@pytest.fixture
def organisation(tmp_path: Path) -> Path:
    """The file of an organisation that has confirmed everything."""
    path = tmp_path / "organisation.toml"
    path.write_text(VERIFIED, encoding="utf-8")
    return path


def live(organisation: Path, **changes: str) -> dict[str, str]:
    return {**LIVE, "ORGANISATION_FILE": str(organisation), **changes}


def changed(organisation: Path, old: str, new: str) -> Path:
    assert old in VERIFIED
    organisation.write_text(VERIFIED.replace(old, new, 1), encoding="utf-8")
    return organisation


def visit(env: Mapping[str, str], machine: Machine | None = None, today: date = TODAY) -> list[Finding]:
    return examine(env, today=today, probes=(machine or Machine()).probes())


def found(severity: Severity, findings: list[Finding]) -> list[str]:
    return [finding.what for finding in findings if finding.severity is severity]


def errors(env: Mapping[str, str], machine: Machine | None = None, today: date = TODAY) -> list[str]:
    return found(Severity.ERROR, visit(env, machine, today))


def warnings(env: Mapping[str, str], machine: Machine | None = None, today: date = TODAY) -> list[str]:
    return found(Severity.WARNING, visit(env, machine, today))


def test_a_line_that_has_everything_may_go_live(organisation: Path) -> None:
    findings = visit(live(organisation))
    assert not [finding for finding in findings if finding.severity is not Severity.OK]
    assert report(findings).endswith("Nothing keeps this line from going live.")


def test_a_line_without_a_number_of_its_own_may_go_live_and_calls_nobody_back(organisation: Path) -> None:
    found = [finding for finding in visit(live(organisation, LINE_NUMBER="")) if finding.severity is not Severity.OK]
    assert [(finding.severity, finding.what.split()[0]) for finding in found] == [(Severity.WARNING, "LINE_NUMBER")]
    assert "nobody can be called back through the line" in found[0].what


@pytest.mark.parametrize("number", ["+3140123", "+314012345678", "+9991234567"])
def test_a_number_that_looks_like_nobodys_is_noticed(organisation: Path, number: str) -> None:
    found = [
        finding.what for finding in visit(live(organisation, LINE_NUMBER=number)) if finding.severity is not Severity.OK
    ]
    assert found == [f"LINE_NUMBER {number} looks like nobody's number: is a digit wrong?"]


def test_a_line_without_a_mail_server_may_go_live_and_tells_nobody_by_e_mail(organisation: Path) -> None:
    found = [finding for finding in visit(live(organisation, SMTP_URL="")) if finding.severity is not Severity.OK]
    assert [(finding.severity, finding.what.split()[0]) for finding in found] == [(Severity.WARNING, "SMTP_URL")]
    assert "nobody is told of an urgent request by e-mail" in found[0].what


def test_a_mail_server_that_nobody_can_use_is_told_without_its_password(organisation: Path) -> None:
    told = errors(live(organisation, SMTP_URL="smtp+plain://line:quiet@mail.internal", MAIL_TO=""))
    assert len(told) == 2
    assert "SMTP_URL must begin with smtp:// or smtps://" in told[0]
    assert "MAIL_TO is not set, but SMTP_URL is" in told[1]
    assert not any("quiet" in one for one in told)


def test_a_rehearsal_hears_all_that_production_would_refuse() -> None:
    told = errors({})
    assert told[0] == "Before going live: ZORGLIJN_ENV is rehearsal, not production."
    for name in ("DATABASE_URL", "PUBLIC_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        assert f"Before going live: {name} is not set." in told


def test_every_error_and_warning_has_a_remedy(tmp_path: Path) -> None:
    machine = Machine(database=DatabaseState("SQLite", "3.40.1", "delete", has_fixed_wal=False), programs=())
    for finding in [*visit({}, machine), *visit({"ORGANISATION_FILE": str(tmp_path)}, machine)]:
        assert finding.severity is Severity.OK or finding.remedy
        assert finding.what.endswith((".", ":"))


def test_errors_come_first_and_what_is_well_last() -> None:
    severities = [finding.severity for finding in visit({})]
    assert severities == sorted(severities, key=list(Severity).index)
    assert set(severities) == set(Severity)


def test_values_of_a_rehearsal_are_made_up(organisation: Path) -> None:
    told = errors(live(organisation, TWILIO_ACCOUNT_SID=REHEARSAL_ACCOUNT_SID, TWILIO_AUTH_TOKEN=REHEARSAL_AUTH_TOKEN))
    assert [what.split()[3] for what in told] == ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"]
    assert all("is made up" in what for what in told)


@pytest.mark.parametrize("host", ["line.example.org", "example.com", "zorg.test", "line.invalid"])
def test_an_address_of_the_examples_is_made_up(organisation: Path, host: str) -> None:
    assert errors(live(organisation, PUBLIC_BASE_URL=f"https://{host}")) == [
        f"PUBLIC_BASE_URL is made up: nobody owns {host}."
    ]


def test_a_token_of_one_letter_is_made_up(organisation: Path) -> None:
    assert errors(live(organisation, TWILIO_AUTH_TOKEN="a" * 32)) == ["TWILIO_AUTH_TOKEN looks made up."]
    assert errors(live(organisation, TWILIO_ACCOUNT_SID="AC" + "12" * 16)) == ["TWILIO_ACCOUNT_SID looks made up."]


def test_http_is_not_for_real_calls(organisation: Path) -> None:
    assert errors(live(organisation, PUBLIC_BASE_URL="http://line.zorglijn.nl")) == [
        "Before going live: PUBLIC_BASE_URL must begin with https:// outside a rehearsal."
    ]


def test_no_finding_tells_a_secret(organisation: Path) -> None:
    told = report(visit(live(organisation), Machine(database=DatabaseState("PostgreSQL", trouble="OperationalError"))))
    assert "OperationalError" in told
    assert "quiet" not in told
    assert LIVE["TWILIO_AUTH_TOKEN"] not in told


def test_the_addresses_to_enter_are_printed_whole(organisation: Path) -> None:
    told = report(visit(live(organisation)))
    for path in ("/voice/incoming", "/voice/fallback", "/voice/status"):
        assert f"HTTP POST https://line.zorglijn.nl{path}\n" in told


def test_the_addresses_of_a_rehearsal_leave_room_for_the_real_one() -> None:
    assert "HTTP POST <PUBLIC_BASE_URL>/voice/incoming" in report(visit({"PUBLIC_BASE_URL": "http://127.0.0.1:8000"}))


def test_hours_that_nobody_confirmed_are_an_error(organisation: Path) -> None:
    told = errors(live(changed(organisation, "verified_on = 2026-11-20", 'verified_on = ""')))
    assert told == ["Nobody has confirmed the opening hours: callers are told when we call, counted from them."]


def test_what_is_verified_tomorrow_is_not_verified(organisation: Path) -> None:
    told = errors(live(organisation), today=date(2026, 11, 19))
    assert [what for what in told if "hours" in what] == [
        "The opening hours were verified on 2026-11-20, which is not yet."
    ]
    assert len([what for what in told if what.startswith("The number")]) == len(NUMBERS)


def test_a_missing_emergency_gp_is_worth_a_look(organisation: Path) -> None:
    env = live(changed(organisation, 'number = "040 211 00 00"', 'number = ""'))
    assert warnings(env) == ["The number emergency_gp is missing: the line says “we will call you” instead."]
    assert not errors(env)


def test_without_the_number_of_the_office_nobody_goes_live(organisation: Path) -> None:
    assert errors(live(changed(organisation, "040 251 27 38", ""))) == [
        "The number office is missing: the line says “we will call you” instead."
    ]


def test_a_number_that_nobody_verified_is_not_spoken(organisation: Path) -> None:
    env = live(changed(organisation, 'number = "088 112 2 112"\nverified_on = 2026-11-21', 'number = "088 112 2 112"'))
    assert warnings(env) == ["The number asylum_gp (0881122112) was never verified: it is not spoken."]


@pytest.mark.parametrize(
    "days_left, severity, told",
    [
        (15, Severity.OK, "is verified; it expires on 2027-02-19"),
        (14, Severity.WARNING, "is not spoken from 2027-02-19 on"),
        (1, Severity.WARNING, "is not spoken from 2027-02-19 on"),
        (0, Severity.ERROR, "expired on 2027-02-19: it is not spoken"),
        (-9, Severity.ERROR, "expired on 2027-02-19: it is not spoken"),
    ],
)
def test_a_number_is_watched_from_two_weeks_before_its_last_day(
    organisation: Path, days_left: int, severity: Severity, told: str
) -> None:
    findings = visit(live(organisation), today=date(2027, 2, 19) - timedelta(days=days_left))
    assert [f.severity for f in findings if "office (0402512738)" in f.what and told in f.what] == [severity]


def test_a_number_that_no_prompt_knows_is_never_spoken(organisation: Path) -> None:
    env = live(changed(organisation, "[numbers.dental]", '[numbers.dentist]\nnumber = "020 1"\n[numbers.dental]'))
    assert warnings(env) == ["[numbers.dentist] of organisation.toml is never spoken: no prompt knows it."]


def test_numbers_of_others_that_nobody_verified_are_told_together(organisation: Path) -> None:
    kruispost = 'phone = "020 624 90 31"\nverified_on = 2026-11-20'
    env = live(changed(organisation, kruispost, kruispost.replace("2026-11-20", "2026-08-01")))
    assert warnings(env) == ["The console says to verify these numbers before referring: Kruispost, Amsterdam."]


def test_call_scripts_are_watched_from_two_weeks_before_their_last_day(organisation: Path) -> None:
    told = warnings(live(organisation), today=date(2027, 1, 7))
    assert [what for what in told if what.startswith("After 2027-01-20 the console says to look up the facts of")]
    assert not [what for what in warnings(live(organisation), today=date(2027, 1, 6)) if "look up" in what]


def test_a_script_names_only_organisations_of_the_directory(organisation: Path) -> None:
    env = live(changed(organisation, 'key = "comensha"', 'key = "trafficking"'))
    assert warnings(env) == ["Call scripts refer to organisations that the directory lacks: comensha."]


def test_voice_messages_need_somebody_who_listens(organisation: Path) -> None:
    env = live(changed(organisation, "voice_messages = false", "voice_messages = true"))
    assert warnings(env) == ["Voice messages are switched on, but nobody listens to the recordings yet."]


def test_a_number_of_days_that_the_line_cannot_say_is_an_error(organisation: Path) -> None:
    env = live(changed(organisation, "closed_days = 30", "closed_days = 47"))
    assert errors(env) == ["The line cannot say for how many days data is kept (47), and so it does not start."]


def test_a_broken_organisation_file_does_not_hide_the_rest(tmp_path: Path) -> None:
    told = errors(live(tmp_path / "none.toml", TWILIO_AUTH_TOKEN=""))
    assert told[0] == "Before going live: TWILIO_AUTH_TOKEN is not set."
    assert told[1].startswith("Before going live: ORGANISATION_FILE cannot be used: there is no file")


def test_facts_past_their_day_are_errors_and_emergency_numbers_are_alarms(organisation: Path) -> None:
    told = errors(live(organisation), today=date(2027, 10, 1))
    assert [what for what in told if "names an emergency number and expired" in what]
    assert [what for what in told if what.startswith("Expired on") and "not spoken any more" in what]
    ringing = {what.split()[0] for what in told if "names an emergency number" in what}
    assert not [what for what in told if what.startswith("Expired") and any(name in what for name in ringing)]


def test_prompts_of_one_day_are_told_together() -> None:
    day = TODAY + timedelta(days=3)
    findings = list(check_expiring([Expiring(name, day) for name in "abcde"], TODAY))
    assert found(Severity.WARNING, findings) == ["Not spoken from 2026-11-25 on: a, b, c and 2 more."]


def test_a_line_that_cannot_speak_says_why(organisation: Path, tmp_path: Path) -> None:
    told = errors(live(organisation), Machine(prompts=tmp_path / "silence"))
    assert len(told) == 1
    assert told[0].startswith("The line cannot speak: there is no language in")


def test_a_synthetic_voice_is_no_fault(organisation: Path) -> None:
    assert "No prompt is recorded: the provider's synthetic voice speaks." in found(
        Severity.OK, visit(live(organisation))
    )


def test_a_machine_without_a_voice_matters_to_rehearsals_only(organisation: Path) -> None:
    silent = Machine(programs=())
    assert not warnings(live(organisation), silent)
    assert [what for what in warnings(live(organisation, ZORGLIJN_ENV="rehearsal"), silent) if "espeak-ng" in what]


def test_a_folder_that_cannot_be_written_is_an_error(organisation: Path) -> None:
    machine = Machine(is_writable=False)
    env = live(organisation, DATABASE_URL="sqlite:////var/lib/line/line.sqlite3")
    assert errors(env, machine) == ["The database's folder cannot be written: /var/lib/line."]
    assert not machine.asked


def test_the_database_of_the_settings_is_asked(organisation: Path) -> None:
    machine = Machine()
    visit(live(organisation), machine)
    visit({}, machine)
    assert machine.asked == [LIVE["DATABASE_URL"], f"sqlite:///{HERE}/var/zorglijn.sqlite3"]


@pytest.mark.parametrize(
    "state, severity, told",
    [
        (DatabaseState("PostgreSQL", trouble="OperationalError"), Severity.ERROR, "does not answer"),
        (DatabaseState("SQLite", is_new=True), Severity.WARNING, "is not there yet"),
        (DatabaseState("SQLite", "3.51.3", "wal"), Severity.WARNING, "lacks tables"),
        (DatabaseState("SQLite", "3.51.3", "wal"), Severity.OK, "answers: SQLite 3.51.3, journal mode wal."),
        (DatabaseState("SQLite", "3.40.1", "delete", has_fixed_wal=False), Severity.OK, "can lose commits in WAL mode"),
    ],
)
def test_the_state_of_a_database_is_told(state: DatabaseState, severity: Severity, told: str) -> None:
    assert [f.severity for f in check_database(state) if told in f.what] == [severity]


def test_a_real_database_is_looked_at(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        assert look_at_database(database_url).is_new
    else:
        assert not look_at_database(database_url).is_migrated
    line = Database(database_url)
    line.migrate()
    line.close()
    state = look_at_database(database_url)
    assert state.is_migrated
    assert not state.trouble
    assert state.version[0].isdigit()
    assert bool(state.journal) == database_url.startswith("sqlite")


def test_looking_makes_nothing(tmp_path: Path) -> None:
    examine({"DATABASE_URL": f"sqlite:///{tmp_path}/new/line.sqlite3"}, today=TODAY)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_in_trouble(tmp_path: Path) -> None:
    path = tmp_path / "line.sqlite3"
    path.write_text("not a database " * 1000)
    assert look_at_database(f"sqlite:///{path}").trouble


def test_a_server_that_is_not_there_is_in_trouble_soon() -> None:
    trouble = look_at_database("postgresql://line:quiet@127.0.0.1:1/zorglijn").trouble
    assert trouble
    assert "quiet" not in trouble


def test_a_folder_that_is_not_there_can_be_made_where_its_parent_can_be_written(tmp_path: Path) -> None:
    assert can_write(tmp_path / "var" / "line")
    (tmp_path / "file").touch()
    assert not can_write(tmp_path / "file" / "line")


def test_the_report_is_plain_unless_colour_is_asked_for() -> None:
    findings = visit({})
    assert "\x1b" not in report(findings)
    assert "\x1b[31mMISSING" in report(findings, colour=True)
    assert report(findings).splitlines()[-1].endswith("to mend before going live.")


def test_an_address_is_never_broken_over_two_lines() -> None:
    url = f"https://{'long.' * 30}zorglijn.nl"
    assert f"HTTP POST {url}" in report([Finding(Severity.OK, "Enter:", f"HTTP POST {url}")]).replace("\n        ", " ")


def test_the_report_fits_a_terminal() -> None:
    assert all(len(line) <= 100 for line in report(visit({})).splitlines())
