"""What the command line says about the team: `zorglijn agents add|change|list|disable|reset`.

A one-time password is printed here, once, for whoever runs the command to hand over; it is written nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from callbacks import passwords, staff
from callbacks.clock import Clock, utc_now
from callbacks.db import Database
from callbacks.passwords import Passwords
from callbacks.staff import DEMO_LOGIN, Member, Newcomer, Role

HEADINGS = ("LOGIN", "NAME", "ROLE", "LANGUAGES", "PHONE", "SIGNS IN")


@dataclass(frozen=True)
class TeamDesk:
    """Where the team is kept, in sentences; a ValueError or a CallbackError says what cannot be done."""

    database: Database
    base_url: str
    dialled: Callable[[str], str | None]  # a number as somebody writes it, in E.164; None where we do not dial it
    clock: Clock = utc_now
    hasher: Passwords = field(default_factory=Passwords)

    def add(self, *, login: str, name: str, role: str, languages: Sequence[str], phone: str | None, locale: str) -> str:
        """Take somebody into the team."""
        plain = staff.plain_login(login)
        if plain == DEMO_LOGIN:
            raise ValueError(f"{DEMO_LOGIN} is the invented agent of rehearsals")
        newcomer = Newcomer(plain, name, Role(role), tuple(languages), self._number(phone), locale)
        password = passwords.new_code()
        unit = partial(staff.add, newcomer=newcomer, password_hash=self._hash(password), now=self.clock())
        return self._invitation(f"{newcomer.name} is in the team.", self.database.write(unit), password)

    def change(
        self,
        login: str,
        *,
        name: str | None,
        role: str | None,
        languages: Sequence[str] | None,
        phone: str | None,
        locale: str | None,
    ) -> str:
        """Change what is known of somebody; None leaves it, and a phone of no characters takes it away."""
        known = self.database.read(partial(staff.by_login, login=staff.plain_login(login)))
        changed = Newcomer(
            known.login,
            known.name if name is None else name,
            known.role if role is None else Role(role),
            known.languages if languages is None else tuple(languages),
            known.phone if phone is None else self._number(phone),
            locale or known.locale,
        )
        member = self.database.write(partial(staff.change, changed=changed))
        return f"{member.name} is known anew:\n" + _aligned([HEADINGS, _row(member)])

    def reset(self, login: str) -> str:
        """Let somebody begin anew."""
        password = passwords.new_code()
        unit = partial(
            staff.reset, login=staff.plain_login(login), password_hash=self._hash(password), now=self.clock()
        )
        member = self.database.write(unit)
        return self._invitation(f"{member.name} begins anew; what held before holds no more.", member, password)

    def disable(self, login: str) -> str:
        """Let somebody in no more."""
        unit = partial(staff.disable, login=staff.plain_login(login), now=self.clock())
        member = self.database.write(unit)
        return f"{member.name} cannot sign in any more, and is out wherever they were signed in."

    def table(self) -> str:
        """Everybody, a line each."""
        return _aligned([HEADINGS, *(_row(member) for member in self.database.read(staff.list_members))])

    def _number(self, phone: str | None) -> str | None:
        number = self.dialled(phone) if phone else None
        if phone and number is None:
            raise ValueError(f"the line does not dial {phone}, see [callback] in organisation.toml")
        return number

    def _hash(self, password: str) -> str:
        return self.hasher.hash_one_time(password, self.clock())

    def _invitation(self, what: str, member: Member, password: str) -> str:
        return (
            f"{what}\n\n"
            f"  Address   {self.base_url}/console/\n"
            f"  Login     {member.login}\n"
            f"  Password  {password}\n\n"
            f"Hand this over in person or by phone. It works for {passwords.ONE_TIME_LASTS.days} days: at the first\n"
            "sign-in they choose a password of their own and scan a picture with an authenticator app."
        )


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _row(member: Member) -> tuple[str, ...]:
    signs_in = "no: disabled" if member.is_disabled else "yes" if member.has_totp else "not yet"
    languages = ",".join(member.languages)
    return (member.login, member.name, member.role.value, languages, member.phone or "-", signs_in)
