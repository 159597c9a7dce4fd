"""Settings are read once, refuse early what cannot work, and name everything that is wrong at the same time."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from settings import (
    HERE,
    REHEARSAL_ACCOUNT_SID,
    REHEARSAL_AUTH_TOKEN,
    REHEARSAL_BASE_URL,
    REHEARSAL_LINE_NUMBER,
    VARIABLES,
    Organisation,
    Settings,
    SettingsError,
)

LIVE = {
    "ZORGLIJN_ENV": "production",
    "DATABASE_URL": "postgresql://line:quiet@db.internal/zorglijn",
    "PUBLIC_BASE_URL": "https://line.example.org",
    "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
    "TWILIO_AUTH_TOKEN": "89abcdef0123456789abcdef01234567",
    "SECRET_KEY": "kP3vX8mQ2tR7wY5zB9nC4dF6gH1jL0sA-_uEiO",
}
OFFICE = (HERE / "organisation.toml").read_text(encoding="utf-8")


def problems(**changes: str) -> list[str]:
    """What is wrong with a production line whose settings are all right but for these."""
    try:
        Settings.from_env(LIVE | changes)
    except SettingsError as error:
        return error.problems
    return []


def organisation(tmp_path: Path, old: str, new: str) -> Organisation:
    """The organisation's file with one thing changed."""
    assert old in OFFICE
    path = tmp_path / "organisation.toml"
    path.write_text(OFFICE.replace(old, new, 1), encoding="utf-8")
    return Organisation.load(path)


def test_an_empty_environment_is_a_rehearsal_that_needs_nothing() -> None:
    settings = Settings.from_env({})
    assert settings.is_rehearsal
    assert settings.public_base_url == REHEARSAL_BASE_URL
    assert settings.twilio_account_sid == REHEARSAL_ACCOUNT_SID
    assert settings.twilio_auth_token == REHEARSAL_AUTH_TOKEN
    assert settings.database_url == f"sqlite:///{HERE}/var/zorglijn.sqlite3"
    assert settings.organisation.name == "Vluchtelingen in de Knel"


def test_blank_is_the_same_as_not_set() -> None:
    assert Settings.from_env(dict.fromkeys([*VARIABLES, "ZORGLIJN_ENV"], " ")) == Settings.from_env({})


def test_a_rehearsal_can_have_settings_of_its_own() -> None:
    settings = Settings.from_env({"DATABASE_URL": "sqlite:///x.sqlite3", "PUBLIC_BASE_URL": "http://localhost:9000/"})
    assert settings.database_url == "sqlite:///x.sqlite3"
    assert settings.public_base_url == "http://localhost:9000"


def test_a_rehearsal_asks_its_own_phone_for_calls_wherever_it_is_served() -> None:
    assert Settings.from_env({}).twilio_api_base_url == f"{REHEARSAL_BASE_URL}/phone/api"
    elsewhere = Settings.from_env({"PUBLIC_BASE_URL": "http://localhost:9000/"})
    assert elsewhere.twilio_api_base_url == "http://localhost:9000/phone/api"
    assert elsewhere.line_number == REHEARSAL_LINE_NUMBER


def test_a_live_line_asks_the_provider_for_calls_and_may_have_no_number_of_its_own() -> None:
    settings = Settings.from_env(LIVE)
    assert settings.twilio_api_base_url == "https://api.twilio.com"
    assert settings.line_number is None
    ours = {"LINE_NUMBER": "+31401234567", "TWILIO_API_BASE_URL": "https://calls.example.org/twilio/"}
    named = Settings.from_env(LIVE | ours)
    assert (named.line_number, named.twilio_api_base_url) == ("+31401234567", "https://calls.example.org/twilio")


@pytest.mark.parametrize("number", ["0401234567", "+0401234567", "anonymous", "+31 40 123 45 67"])
def test_the_number_of_the_line_is_written_with_its_country(number: str) -> None:
    assert problems(LINE_NUMBER=number) == ["LINE_NUMBER: must be like +31401234567"]


MAIL = {
    "SMTP_URL": "smtps://line:planted@mail.example.org",
    "MAIL_FROM": "line@example.org",
    "MAIL_TO": "team@example.org, evening@example.org",
}


def test_no_line_needs_a_mail_server() -> None:
    for env in (LIVE, {}):
        settings = Settings.from_env({**env, "MAIL_TO": "nobody"})
        assert (settings.smtp_url, settings.mail_to) == ("", ())


def test_the_team_has_addresses_and_the_password_is_shown_to_nobody() -> None:
    settings = Settings.from_env(LIVE | MAIL)
    assert settings.mail_from == "line@example.org"
    assert settings.mail_to == ("team@example.org", "evening@example.org")
    assert "planted" in settings.smtp_url
    assert "planted" not in repr(settings)


@pytest.mark.parametrize(
    "changed, told",
    [
        ({"SMTP_URL": "mail.example.org"}, "SMTP_URL: must be like smtp://"),
        ({"SMTP_URL": "smtp+plain://mail.example.org:25"}, "SMTP_URL: must begin with smtp:// or smtps://"),
        ({"MAIL_FROM": ""}, "MAIL_FROM: is not set, but SMTP_URL is"),
        ({"MAIL_TO": " "}, "MAIL_TO: is not set, but SMTP_URL is"),
        ({"MAIL_FROM": "line@example.org,team@example.org"}, "MAIL_FROM: must be one address"),
        ({"MAIL_TO": "team@example.org\r\nBcc: x@example.com"}, "MAIL_TO: must be addresses"),
        ({"MAIL_TO": ",".join(f"a{number}@example.org" for number in range(21))}, "MAIL_TO: must be addresses"),
    ],
)
def test_a_mail_server_that_cannot_be_used_is_refused(changed: dict[str, str], told: str) -> None:
    (problem,) = problems(**MAIL | changed)
    assert problem.startswith(told)
    assert "planted" not in problem


@pytest.mark.parametrize("url", ["smtp+plain://mailbox:1025", "smtp://localhost:25"])
def test_a_rehearsal_may_send_unencrypted_and_any_line_to_its_own_machine(url: str) -> None:
    assert Settings.from_env(MAIL | {"SMTP_URL": url}).smtp_url == url
    assert bool(problems(**MAIL | {"SMTP_URL": url})) is url.startswith("smtp+plain")


def test_production_with_everything_starts() -> None:
    settings = Settings.from_env(LIVE)
    assert not settings.is_rehearsal
    assert settings.organisation_file == HERE / "organisation.toml"


def test_production_without_anything_names_everything_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"ZORGLIJN_ENV": "production"})
    assert caught.value.problems == [
        f"{name}: is not set" for name in ("DATABASE_URL", "PUBLIC_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
    ]
    assert "TWILIO_AUTH_TOKEN: is not set" in str(caught.value)


@pytest.mark.parametrize(
    "name, value",
    [
        ("TWILIO_ACCOUNT_SID", REHEARSAL_ACCOUNT_SID),
        ("TWILIO_AUTH_TOKEN", REHEARSAL_AUTH_TOKEN),
        ("TWILIO_AUTH_TOKEN", "secret"),
        ("SECRET_KEY", "abcd" * 8),
        ("LINE_NUMBER", REHEARSAL_LINE_NUMBER),
        ("TWILIO_API_BASE_URL", "https://127.0.0.1:8443"),
        ("PUBLIC_BASE_URL", "https://localhost"),
        ("PUBLIC_BASE_URL", "https://127.0.0.1:8443"),
        ("PUBLIC_BASE_URL", "https://127.1.2.3"),
        ("PUBLIC_BASE_URL", "https://[::1]"),
        ("PUBLIC_BASE_URL", "https://0.0.0.0"),
        ("PUBLIC_BASE_URL", "https://line.localhost"),
    ],
)
def test_production_refuses_what_is_made_up(name: str, value: str) -> None:
    assert len(problems(**{name: value})) == 1
    assert problems(**{name: value})[0].startswith(f"{name}: is made up")


def test_production_refuses_a_key_that_can_be_guessed() -> None:
    assert problems(SECRET_KEY=LIVE["SECRET_KEY"][:31]) == ["SECRET_KEY: is too short (at least 32 random characters)"]


def test_a_line_without_a_secret_key_makes_one_of_its_token() -> None:
    without = {name: value for name, value in LIVE.items() if name != "SECRET_KEY"}
    keys = {Settings.from_env(without | {"TWILIO_AUTH_TOKEN": token}).secret_key for token in ("a1" * 16, "b2" * 16)}
    assert len(keys) == 2
    assert all(len(key) == 64 for key in keys)
    assert Settings.from_env(LIVE).secret_key == LIVE["SECRET_KEY"]


def test_no_problem_tells_the_token_or_a_password() -> None:
    told = " ".join(problems(TWILIO_AUTH_TOKEN="hush-hush", DATABASE_URL="mysql://line:hush-hush@db/zorglijn"))
    assert "TWILIO_AUTH_TOKEN" in told
    assert "DATABASE_URL" in told
    assert "hush-hush" not in told


def test_settings_that_are_printed_keep_their_secrets() -> None:
    printed = repr(Settings.from_env(LIVE))
    assert LIVE["TWILIO_AUTH_TOKEN"] not in printed
    assert LIVE["SECRET_KEY"] not in printed
    assert "quiet" not in printed


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings.from_env({}).public_base_url = "http://elsewhere"  # type: ignore[misc]


def test_http_is_for_rehearsals_only() -> None:
    assert problems(PUBLIC_BASE_URL="http://line.example.org") == [
        "PUBLIC_BASE_URL: must begin with https:// outside a rehearsal"
    ]


@pytest.mark.parametrize("mode", ["prod", "PRODUCTION", "test"])
def test_an_unknown_mode_is_refused_and_never_a_rehearsal(mode: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"ZORGLIJN_ENV": mode})
    assert "ZORGLIJN_ENV: must be rehearsal or production" in caught.value.problems
    assert "TWILIO_AUTH_TOKEN: is not set" in caught.value.problems


@pytest.mark.parametrize("rehearsal", [True, False])
@pytest.mark.parametrize(
    "url",
    [
        "line.example.org",
        "ftp://line.example.org",
        "https://",
        "https://line.example.org?a=b",
        "https://line.example.org#top",
        "https://line.example.org:port",
        "https://line.example.org:99999",
        "https://[line",
        "https://line .example.org",
        "https://line.example.org\n/x",
        "https://anna:secret@line.example.org",
    ],
)
def test_what_is_no_plain_address_is_refused(url: str, rehearsal: bool) -> None:
    env = {"PUBLIC_BASE_URL": url} if rehearsal else LIVE | {"PUBLIC_BASE_URL": url}
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(env)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["PUBLIC_BASE_URL"]


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///line.sqlite3?mode=ro",
        "mysql://db/zorglijn",
        "postgresql:zorglijn",
        "postgresql+asyncpg://db/zorglijn",
        "zorglijn.sqlite3",
    ],
)
def test_a_database_that_could_not_keep_a_promise_is_refused(url: str) -> None:
    assert [problem.partition(":")[0] for problem in problems(DATABASE_URL=url)] == ["DATABASE_URL"]
    assert not problems(DATABASE_URL=url)[0].count("DATABASE_URL: DATABASE_URL")


@pytest.mark.parametrize(
    "url",
    ["sqlite:////var/lib/line.sqlite3", "postgres://db/zorglijn", "postgresql://db/x", "postgresql+psycopg://db/x"],
)
def test_a_database_that_the_line_can_open_is_taken(url: str) -> None:
    assert not problems(DATABASE_URL=url)


@pytest.mark.parametrize(
    "sid", ["AC123", "CA" + "0" * 31 + "1", "AC" + "0" * 31 + "1 x", "ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"]
)
def test_an_account_that_cannot_be_is_refused_in_a_rehearsal_too(sid: str) -> None:
    with pytest.raises(SettingsError, match="TWILIO_ACCOUNT_SID: must be AC and 32 hexadecimal digits"):
        Settings.from_env({"TWILIO_ACCOUNT_SID": sid})


def test_an_organisation_file_that_is_not_there_is_named() -> None:
    assert problems(ORGANISATION_FILE="/nowhere/x.toml") == ["ORGANISATION_FILE: there is no file /nowhere/x.toml"]


def test_a_folder_is_no_organisation_file(tmp_path: Path) -> None:
    assert problems(ORGANISATION_FILE=str(tmp_path))[0].startswith(f"ORGANISATION_FILE: {tmp_path} cannot be read")


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b"name = 'x'"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    assert problems(ORGANISATION_FILE=str(path))[0].startswith(f"ORGANISATION_FILE: {path}")


def test_problems_of_the_file_come_with_those_of_the_environment(tmp_path: Path) -> None:
    names = [
        problem.partition(":")[0] for problem in problems(ORGANISATION_FILE=str(tmp_path / "no"), TWILIO_AUTH_TOKEN="")
    ]
    assert names == ["TWILIO_AUTH_TOKEN", "ORGANISATION_FILE"]


def test_the_organisation_is_read() -> None:
    office = Organisation.load(HERE / "organisation.toml")
    assert office.region == "Eindhoven"
    assert office.hours.week[0].opens == time(9)
    assert 5 not in office.hours.week
    assert office.callback_regions == ("NL",)
    assert office.callback_types == ("mobile", "fixed_line")
    assert not office.takes_voice_messages
    assert office.days_kept == 30
    assert office.claim_lasts == timedelta(minutes=30)
    assert office.before_due == timedelta(minutes=30)
    assert office.hours_verified_on is None


def test_a_claim_lasts_as_long_as_the_organisation_says(tmp_path: Path) -> None:
    assert organisation(tmp_path, "claim_minutes = 30", "claim_minutes = 45").claim_lasts == timedelta(minutes=45)
    assert organisation(tmp_path, "[queue]\nclaim_minutes = 30\n", "").claim_lasts == timedelta(minutes=30)


def test_the_team_is_told_as_early_as_the_organisation_says(tmp_path: Path) -> None:
    told = organisation(tmp_path, "minutes_before_due = 30", "minutes_before_due = 15").before_due
    assert told == timedelta(minutes=15)


def test_a_number_is_spoken_for_ninety_days_after_it_was_verified() -> None:
    number = Organisation.load(HERE / "organisation.toml").numbers["office"]
    assert number.digits == "0402512738"
    assert number.verified_on == date(2026, 11, 21)
    assert number.expires == date(2027, 2, 19)


def test_a_number_that_is_not_known_is_left_out() -> None:
    assert "emergency_gp" not in Organisation.load(HERE / "organisation.toml").numbers


def test_a_number_that_nobody_verified_has_no_day_until_which_it_is_spoken(tmp_path: Path) -> None:
    office = organisation(tmp_path, "verified_on = 2026-11-21", 'verified_on = ""')
    assert office.numbers["office"].expires is None


@pytest.mark.parametrize("day", ["2026-11-20T10:30:00", "2026-11-20T10:30:00Z", '"2026-11-20"'])
def test_a_day_may_be_written_as_a_moment_or_as_words(tmp_path: Path, day: str) -> None:
    office = organisation(tmp_path, "verified_on = 2026-11-21", f"verified_on = {day}")
    assert office.numbers["office"].verified_on == date(2026, 11, 20)
    assert type(office.numbers["office"].verified_on) is date


@pytest.mark.parametrize(
    "old, new, told",
    [
        ('name = "Vluchtelingen in de Knel"', 'name = " "', "name: must be words"),
        ('name = "Vluchtelingen in de Knel"', "name = 7", "name: must be words"),
        ('region = "Eindhoven"', "", "lacks 'region'"),
        ('country = "NL"', 'country = "XX"', "XX"),
        ('zone = "Europe/Amsterdam"', 'zone = "Europe/Eindhoven"', "zone: 'Europe/Eindhoven' is no time zone"),
        ('zone = "Europe/Amsterdam"', 'zone = "../../etc/passwd"', "is no time zone"),
        ('zone = "Europe/Amsterdam"', 'zone = "Europe"', "is no time zone"),
        ('monday = "09:00-17:00"', 'maandag = "09:00-17:00"', "maandag: is no day of the week"),
        ('monday = "09:00-17:00"', 'monday = "17:00-09:00"', "opens after it closes"),
        ('monday = "09:00-17:00"', 'monday = "09:00-09:00"', "opens after it closes"),
        ('monday = "09:00-17:00"', 'monday = "nine to five"', "must be like 09:00-17:00"),
        ('monday = "09:00-17:00"', 'monday = "09:00"', "must be like 09:00-17:00"),
        ('monday = "09:00-17:00"', 'monday = "09:00-12:00-13:00"', "must be like 09:00-17:00"),
        ('monday = "09:00-17:00"', 'monday = "09:00Z-17:00Z"', "must be like 09:00-17:00"),
        ('monday = "09:00-17:00"', "monday = 9", "must be like 09:00-17:00"),
        ('number = "040 251 27 38"', 'number = "+31 40 251 27 38"', "is no phone number as one dials it"),
        ('number = "040 251 27 38"', 'number = "ask Anna"', "is no phone number"),
        ('number = "040 251 27 38"', 'number = "٠٤٠"', "is no phone number"),
        ("verified_on = 2026-11-21", 'verified_on = "yesterday"', "yesterday"),
        ("[numbers.office]", '[numbers]\nfax = "040"\n[numbers.office]', "attribute"),
        ('regions = ["NL"]', 'regions = "NL"', 'must be a list such as ["NL"]'),
        ('regions = ["NL"]', "regions = []", "must be a list"),
        ('regions = ["NL"]', 'regions = ["nl"]', "nl"),
        ('types = ["mobile", "fixed_line"]', 'types = ["mobile", "premium_rate"]', "premium_rate"),
        ("voice_messages = false", 'voice_messages = "false"', "must be true or false, without quotes"),
        ("closed_days = 30", "closed_days = 0", "1 or more"),
        ("closed_days = 30", "closed_days = true", "1 or more"),
        ("closed_days = 30", 'closed_days = "30"', "1 or more"),
        ("[retention]", "[keeping]", "lacks 'retention'"),
        ("claim_minutes = 30", "claim_minutes = 0", "queue.claim_minutes: must be a number of minutes, 1 to 1440"),
        ("claim_minutes = 30", "claim_minutes = 1441", "1 to 1440"),
        ("claim_minutes = 30", "claim_minutes = true", "1 to 1440"),
        ("claim_minutes = 30", 'claim_minutes = "30"', "1 to 1440"),
        (
            "minutes_before_due = 30",
            "minutes_before_due = 0",
            "notices.minutes_before_due: must be a number of minutes",
        ),
    ],
)
def test_what_is_wrong_in_the_organisation_file_is_said_before_a_call_meets_it(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        organisation(tmp_path, old, new)
    assert told in caught.value.problems[0]
    assert caught.value.problems[0].startswith("ORGANISATION_FILE: ")


def test_an_office_that_is_never_open_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "organisation.toml"
    path.write_text("\n".join(line for line in OFFICE.splitlines() if "day = " not in line), encoding="utf-8")
    with pytest.raises(SettingsError, match="names no day"):
        Organisation.load(path)


def test_a_day_may_be_left_blank(tmp_path: Path) -> None:
    office = organisation(tmp_path, 'monday = "09:00-17:00"', 'monday = ""')
    assert 0 not in office.hours.week
    assert not office.hours.is_open(datetime(2026, 11, 23, 12, tzinfo=UTC))
