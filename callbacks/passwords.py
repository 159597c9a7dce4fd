"""What an agent proves who they are with: a password, a code from an app, a recovery code. Nothing is stored here.

`staff` keeps what is made here, `sign_in` asks for it. A password is slow to check on purpose (argon2id), and therefore
never checked inside a unit of work, where it would hold up the callers. Codes are random enough for a plain hash.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from threading import BoundedSemaphore
from urllib.parse import quote

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from callbacks.errors import TooManyAtOnce

FEWEST_CHARACTERS = 12
MOST_CHARACTERS = 128
FEWEST_DIFFERENT = 5  # "aaaaaaaaaaaa" is long and no secret
RECOVERY_CODES = 10
ONE_TIME_LASTS = timedelta(days=7)
ISSUER = "Zorglijn"

# With these in it a password is only as long as what is beside them.
_COMMON = (ISSUER, "password", "wachtwoord", "welkom", "welcome", "qwerty", "azerty", "geheim", "secret", "letmein")
_ROW = 0.6  # of the letters

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is taken for another when it is read out or copied by hand
_GROUPS, _GROUP = 4, 4  # 79 bits
_STEP_SECONDS = 30
_STEPS_AROUND = 1  # a phone's clock may be half a minute off
# A crowd at the door must take neither the memory (64 MiB a check) nor the threads of those who are on the phone.
_AT_ONCE = 2
MOST_AT_THE_DOOR = 6  # of the eight threads that a process has; a team that signs in at nine is let in


class Passwords:
    """Hashes passwords with argon2id; the defaults are the second recommendation of RFC 9106 (64 MiB, three passes)."""

    def __init__(self, *, time_cost: int = 3, memory_kib: int = 65536, parallelism: int = 4) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism)
        self._turn = BoundedSemaphore(_AT_ONCE)
        self._room = BoundedSemaphore(MOST_AT_THE_DOOR)

    def hash(self, password: str) -> str:
        """What is stored for a password; TooManyAtOnce."""
        with self._in_turn():
            return self._hasher.hash(_plain(password))

    def hash_one_time(self, password: str, now: datetime) -> str:
        """What is stored for a password that somebody else made up: it carries the day on which it ends."""
        return f"{int((now + ONE_TIME_LASTS).timestamp())}{self.hash(password)}"

    def is_right(self, password: str, stored: str | None, now: datetime) -> bool:
        """Whether this is the password; takes as long where there is none to compare with. TooManyAtOnce."""
        until, hashed = _parts(stored)
        with self._in_turn():
            nobodys = self._nobodys  # the first time it is made here, whether it is needed or not
            try:
                self._hasher.verify(hashed or nobodys, _plain(password)[:MOST_CHARACTERS])
            except (VerificationError, InvalidHashError):
                return False
        return bool(hashed) and (until is None or now.timestamp() < until)

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe(16))

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            raise TooManyAtOnce
        try:
            with self._turn:
                yield
        finally:
            self._room.release()

    def is_outdated(self, stored: str) -> bool:
        """Whether it was hashed with weaker parameters than today's."""
        until, hashed = _parts(stored)
        return until is None and self._hasher.check_needs_rehash(hashed)


def is_good(password: str, *known: str) -> bool:
    """Whether a password of one's own is long, varied, and not made of what everybody knows, such as the login."""
    plain = _plain(password)
    if not FEWEST_CHARACTERS <= len(plain) <= MOST_CHARACTERS or len(set(plain)) < FEWEST_DIFFERENT:
        return False
    rest = plain.casefold()
    for word in (*known, *_COMMON):
        rest = rest.replace(word.casefold(), "") if word else rest
    return len(rest) >= FEWEST_CHARACTERS // 2 and not _is_a_row(rest)


def new_code() -> str:
    """A one-time password or a recovery code: four groups that can be read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def new_recovery_codes() -> tuple[str, ...]:
    """A sheet of recovery codes."""
    return tuple(new_code() for _ in range(RECOVERY_CODES))


def hash_code(code: str) -> str:
    """What is stored for a recovery code, however it was typed; it is as random as a key, so one pass is enough."""
    letters = "".join(letter for letter in code.casefold() if letter.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest()


def totp_secret(key: bytes) -> str:
    """The secret of an authenticator app made from 20 or more random bytes, in the alphabet that apps read."""
    import base64

    return base64.b32encode(key[:20]).decode()


def totp_step(secret: str, code: str, now: datetime, *, after: int) -> int | None:
    """The half minute whose code this is, later than `after` (the last one used); None where it is no code of now."""
    typed = "".join(code.split())
    found = None
    for step in _steps(now):
        if hmac.compare_digest(totp_code(secret, step).encode(), typed.encode()) and step > after:
            found = step
    return found


def next_totp_code(secret: str, now: datetime, *, after: int) -> str:
    """A code that would be taken now: how a rehearsal spares its visitors an authenticator app."""
    fresh: Sequence[int] = [step for step in _steps(now) if step > max(after, _step(now) - 1)]
    return totp_code(secret, fresh[0] if fresh else _step(now))


def totp_code(secret: str, step: int) -> str:
    """The six digits of a half minute."""
    import pyotp

    return pyotp.TOTP(secret).generate_otp(step)


def totp_address(secret: str, login: str) -> str:
    """What an authenticator app reads from the QR code."""
    label = quote(f"{ISSUER}:{login}")
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(ISSUER)}"


def _steps(now: datetime) -> range:
    return range(_step(now) - _STEPS_AROUND, _step(now) + _STEPS_AROUND + 1)


def _step(now: datetime) -> int:
    return int(now.timestamp()) // _STEP_SECONDS


def _plain(password: str) -> str:
    """The same letters typed on another keyboard are the same password."""
    return unicodedata.normalize("NFKC", password)


def _parts(stored: str | None) -> tuple[int | None, str]:
    until, dollar, rest = (stored or "").partition("$")
    return (int(until) if until.isdecimal() else None), (dollar + rest if dollar else "")


def _is_a_row(letters: str) -> bool:
    """Whether most letters are the neighbour of the one before, or all are the same: 1234567890, abcdef."""
    distances = Counter(ord(right) - ord(left) for left, right in pairwise(letters))
    return distances.most_common(1)[0][1] > _ROW * (len(letters) - 1)
