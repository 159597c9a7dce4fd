"""The team: who joins, who leaves, what is kept of their proofs; and `zorglijn agents`, which manages it."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app import main
from callbacks import passwords, sessions, staff
from callbacks.db import Database
from callbacks.errors import LoginTaken, NoSuchAgent, NotAllowed
from callbacks.passwords import Passwords, hash_code, is_good
from callbacks.staff import Newcomer, Role
from tests.callbacks.people import (
    ANNA,
    CHEAP,
    HASHED,
    MONDAY,
    PASSWORD,
    RECOVERY_CODE,
    SECRET,
    join,
    signed_in_token,
    sqlite,
)

# Passwords


def test_the_hash_is_argon2id_with_64_mebibytes() -> None:
    assert re.match(r"\$argon2id\$v=19\$m=65536,t=3,p=4\$", Passwords().hash(PASSWORD))


def test_a_weaker_hash_is_noticed() -> None:
    assert Passwords().is_outdated(HASHED)
    assert not CHEAP.is_outdated(HASHED)
    assert not Passwords().is_outdated(CHEAP.hash_one_time(PASSWORD, MONDAY))


def test_the_same_letters_from_another_keyboard_are_the_same_password() -> None:
    assert CHEAP.is_right("cafe\u0301 au lait, twice", CHEAP.hash("caf\u00e9 au lait, twice"), MONDAY)


def test_nobody_has_the_empty_password() -> None:
    assert not CHEAP.is_right("", None, MONDAY)
    assert not CHEAP.is_right("", "", MONDAY)
    assert not CHEAP.is_right(PASSWORD, "not a hash", MONDAY)


@pytest.mark.parametrize(
    "password, good",
    [
        ("four words of tea", True),
        ("ሰላም ለኩሉ ሰብ ኣብ ዓለም", True),
        ("elevenchars", False),
        ("a" * 40, False),
        ("x1y2" * 40, False),
        ("anna anna anna 1", False),
        ("zorglijn2026", False),
        ("abcdefghijklmnop", False),
        ("1234567890123", False),
        ("Wachtwoord2026!", False),
    ],
)
def test_a_password_of_ones_own_is_long_and_varied(password: str, good: bool) -> None:
    assert is_good(password, "anna", "Anna") is good


def test_codes_that_are_made_differ_and_can_be_read_out() -> None:
    codes = {passwords.new_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(re.fullmatch(r"(?:[2-9a-hjkmnp-z]{4}-){3}[2-9a-hjkmnp-z]{4}", code) for code in codes)


def test_an_app_can_read_the_address() -> None:
    address = passwords.totp_address(SECRET, "anna@example.org")
    assert address == f"otpauth://totp/Zorglijn%3Aanna%40example.org?secret={SECRET}&issuer=Zorglijn"


def test_the_codes_are_those_of_the_standard() -> None:
    # RFC 6238, appendix B: the last six digits at 59 seconds and at 1111111109.
    secret = passwords.totp_secret(b"12345678901234567890")
    assert passwords.totp_code(secret, 59 // 30) == "287082"
    assert passwords.totp_code(secret, 1111111109 // 30) == "081804"


# The team


def test_somebody_joins_without_an_app(database: Database) -> None:
    member = database.write(partial(staff.add, newcomer=ANNA, password_hash=HASHED, now=MONDAY))
    assert (member.login, member.name, member.role) == ("anna", "Anna", Role.AGENT)
    assert member.languages == ("nl", "en")
    assert not member.has_totp
    assert not member.is_disabled
    assert database.read(staff.list_members) == [member]


def test_a_login_is_one_persons(database: Database) -> None:
    join(database, "anna")
    with pytest.raises(LoginTaken):
        database.write(partial(staff.add, newcomer=ANNA, password_hash=HASHED, now=MONDAY))
    assert len(database.read(staff.list_members)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"login": "Anna"},
        {"login": "a"},
        {"login": "anna; --"},
        {"name": " "},
        {"name": "A\nB"},
        {"languages": ()},
        {"languages": ("Dutch!",)},
        {"phone": "0612345678"},
        {"locale": "fr"},
    ],
)
def test_who_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        Newcomer(**{"login": "anna", "name": "Anna"} | changes)  # type: ignore[arg-type]


def test_who_is_disabled_has_no_session_any_more(database: Database) -> None:
    token = signed_in_token(database, "anna", MONDAY)
    assert database.read(partial(sessions.find, token=token, now=MONDAY))
    member = database.write(partial(staff.disable, login="anna", now=MONDAY))
    assert member.is_disabled
    assert database.read(partial(sessions.find, token=token, now=MONDAY)) is None
    assert database.read(partial(sessions.list_sessions, agent_id=member.id, now=MONDAY)) == []


def test_a_reset_leaves_nothing_of_before(database: Database) -> None:
    token = signed_in_token(database, "anna", MONDAY)
    hashed = CHEAP.hash_one_time("new", MONDAY)
    member = database.write(partial(staff.reset, login="anna", password_hash=hashed, now=MONDAY))
    known = database.read(partial(staff.proofs, agent_id=member.id))
    assert (known.totp_secret, known.recovery_codes, known.password_hash) == (None, (), hashed)
    assert database.read(partial(sessions.find, token=token, now=MONDAY)) is None
    assert not database.write(partial(staff.reset, login="anna", password_hash=hashed, now=MONDAY)).is_disabled


def test_an_app_is_added_once(database: Database) -> None:
    member = join(database, "anna")
    enrol = partial(staff.enrol, agent_id=member.id, password_hash=HASHED, secret="ANOTHER", step=0, code_hashes=())
    with pytest.raises(NotAllowed):
        database.write(enrol)
    assert database.read(partial(staff.proofs, agent_id=member.id)).totp_secret == SECRET


def test_a_code_and_all_before_it_are_used_up(database: Database) -> None:
    member = join(database, "anna")
    used = [database.write(partial(staff.use_totp_step, agent_id=member.id, step=step)) for step in (100, 100, 99, 101)]
    assert used == [True, False, False, True]


def test_a_recovery_code_is_used_up(database: Database) -> None:
    member = join(database, "anna")
    use = partial(staff.use_recovery_code, agent_id=member.id, code_hash=hash_code(RECOVERY_CODE))
    assert [database.write(use), database.write(use)] == [True, False]


def test_what_is_printed_of_somebody_holds_no_secret(database: Database) -> None:
    member = join(database, "anna")
    printed = repr(member) + repr(database.read(partial(staff.proofs, agent_id=member.id)))
    assert SECRET not in printed
    assert "argon2" not in printed


def test_a_session_can_be_ended_by_its_owner_only(database: Database) -> None:
    anna, bram = (join(database, login) for login in ("anna", "bram"))
    token = signed_in_token(database, "anna", MONDAY)
    revoke = partial(sessions.revoke, session_id=sessions.token_hash(token), now=MONDAY)
    assert not database.write(lambda connection: revoke(connection, agent_id=bram.id))
    assert database.write(lambda connection: revoke(connection, agent_id=anna.id))


def test_old_sessions_are_forgotten(database: Database) -> None:
    signed_in_token(database, "anna", MONDAY)
    signed_in_token(database, "anna", MONDAY + timedelta(days=40))
    assert len(database.read(lambda connection: connection.execute(sessions.sessions.select()).all())) == 1


@pytest.mark.parametrize(
    "sent, name",
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari, iOS"),
        ("<script>", ""),
    ],
)
def test_a_browser_is_called_what_its_owner_calls_it(sent: str, name: str) -> None:
    assert sessions.browser_name(sent) == name


# The command line


def agents(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["agents", *words], env={"DATABASE_URL": sqlite(tmp_path)})


def test_anna_is_added_with_a_password_for_the_first_time(tmp_path: Path) -> None:
    done = agents(tmp_path, "add", "Anna", "--name", "Anna", "--languages", "nl, EN,ti", "--phone", "06 1234 5678")
    assert done.exit_code == 0, done.output
    password = re.search(r"Password +([a-z0-9-]{19})\n", done.output)
    assert password
    assert "/console/" in done.output
    database = Database(sqlite(tmp_path))
    (member,) = database.read(staff.list_members)
    assert (member.login, member.languages, member.phone) == ("anna", ("nl", "en", "ti"), "+31612345678")
    stored = database.read(partial(staff.proofs, agent_id=member.id)).password_hash
    assert Passwords().is_right(password[1], stored, MONDAY.now(MONDAY.tzinfo))
    database.close()


def test_the_list_says_who_signs_in(tmp_path: Path) -> None:
    database = Database(sqlite(tmp_path))
    database.migrate()
    for login in ("anna", "chris"):
        join(database, login)
    database.close()
    lines = agents(tmp_path, "list").output.splitlines()
    assert lines[0].split() == ["LOGIN", "NAME", "ROLE", "LANGUAGES", "PHONE", "SIGNS", "IN"]
    assert lines[1].split() == ["anna", "Anna", "agent", "nl,en", "+31611111111", "yes"]
    assert lines[2].endswith("no: disabled")
    assert "argon2" not in "".join(lines)


def test_a_new_phone_and_role_leave_the_rest_as_it_was(tmp_path: Path) -> None:
    agents(tmp_path, "add", "anna", "--name", "Anna", "--languages", "nl,ti", "--phone", "0612345678")
    said = agents(tmp_path, "change", "ANNA", "--phone", "040 251 27 38", "--role", "coordinator").output
    assert said.splitlines()[-1].split() == ["anna", "Anna", "coordinator", "nl,ti", "+31402512738", "not", "yet"]
    assert said.splitlines()[-1] in agents(tmp_path, "list").output
    agents(tmp_path, "change", "anna", "--phone", "", "--name", "Anne", "--languages", "NL", "--locale", "en")
    assert agents(tmp_path, "list").output.splitlines()[1].split()[:5] == ["anna", "Anne", "coordinator", "nl", "-"]


def test_disabling_and_resetting_say_what_came_of_it(tmp_path: Path) -> None:
    agents(tmp_path, "add", "anna", "--name", "Anna")
    assert "Anna cannot sign in any more" in agents(tmp_path, "disable", "ANNA").output
    assert "no: disabled" in agents(tmp_path, "list").output
    assert "begins anew" in agents(tmp_path, "reset", "anna").output
    assert agents(tmp_path, "list").output.splitlines()[1].endswith("not yet")


@pytest.mark.parametrize(
    "words, said",
    [
        (("add", "demo", "--name", "Demo"), "invented agent of rehearsals"),
        (("add", "a b", "--name", "Anna"), "a login has"),
        (("add", "anna", "--name", "Anna", "--phone", "0900 1234"), "does not dial"),
        (("change", "nobody", "--phone", "0612345678"), "nobody has the login nobody"),
        (("disable", "nobody"), "nobody has the login nobody"),
        (("reset", "nobody"), "nobody has the login nobody"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = agents(tmp_path, *words)
    assert done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output


def test_nobody_can_be_found_who_is_not_there(database: Database) -> None:
    with pytest.raises(NoSuchAgent):
        database.read(partial(staff.by_login, login="anna"))
