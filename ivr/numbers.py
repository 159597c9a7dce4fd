"""Which phone numbers we may dial: an allow-list of regions and types, because "call me back" is also a way to steal.

Whoever can make us phone a number of their choice can make us phone one that pays them by the minute. So a number must
be of a region and of a type that the organisation allows (by default Dutch mobile and fixed lines), and what is refused
is refused with a reason that the line can say. `listening` asks here about every number a caller gives, `webhooks`
about the number a call comes from. `phonenumbers` is imported at the first question, not when the program starts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

# What a withheld number can come as: the word for it, spelled on a keypad (anonymous, restricted, blocked, unknown,
# unavailable). They look like numbers of Lesotho, Russia, Uganda and China.
WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})

LONGEST_NUMBER = 20  # keys; E.164 has 15, and somebody may dial 00 and a zero too many
TYPES = frozenset({"mobile", "fixed_line", "voip", "uan", "toll_free"})

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_REGION = re.compile(r"[A-Z]{2}")
_SATELLITE = frozenset({870, 881, 882, 883})  # pass as valid mobile numbers of "001"
_INTERNATIONAL_PREMIUM = 979
_LONGEST_SHORT_NUMBER = 5  # 112, 14 040
_DUTCH_MACHINES = re.compile(r"\+3197")  # alarms and meters, sold by the minute too; phonenumbers calls them mobile


class Reason(StrEnum):
    """Why a number is refused: the name of the prompt that says so."""

    PREMIUM = "number_premium"
    FOREIGN = "number_foreign"
    SATELLITE = "number_satellite"
    SHORT = "number_short"
    INVALID = "number_invalid"
    NOT_ALLOWED = "number_not_allowed"


@dataclass(frozen=True)
class Allowed:
    """A number we may dial, in E.164."""

    e164: str


@dataclass(frozen=True)
class Refused:
    """A number we do not dial, and why."""

    reason: Reason


@dataclass(frozen=True)
class NumberPolicy:
    """The regions (ISO 3166, the first is home) and the types of number that may be dialled.

    Raises ValueError for a region or a type that can never be allowed.
    """

    regions: tuple[str, ...] = ("NL",)
    types: tuple[str, ...] = ("mobile", "fixed_line")

    def __post_init__(self) -> None:
        wrong = [region for region in self.regions if not _REGION.fullmatch(region)]
        wrong += [kind for kind in self.types if kind not in TYPES]
        if wrong or not self.regions or not self.types:
            raise ValueError(f"cannot allow these regions or types of number: {wrong or 'none at all'}")

    def check(self, digits: str) -> Allowed | Refused:
        """Decide whether we may dial a number as a person keys or says it: at home, or with +, 00 or the code alone."""
        import phonenumbers

        dialled = _only_digits(digits)
        if len(dialled) > LONGEST_NUMBER:
            return Refused(Reason.INVALID)
        try:
            number = phonenumbers.parse(dialled, self.regions[0])
        except phonenumbers.NumberParseException:
            short = 0 < len(dialled.removeprefix("+")) <= _LONGEST_SHORT_NUMBER
            return Refused(Reason.SHORT if short else Reason.INVALID)
        reason = self._why_not(number)
        return Refused(reason) if reason else Allowed(_e164(number))

    def caller(self, from_: str) -> str | None:
        """The number a call comes from, in E.164, if we may dial it; None for a withheld one, `client:` and `sip:`."""
        if from_ in WITHHELD or not _E164.fullmatch(from_):
            return None
        match self.check(from_):
            case Allowed(e164):
                return e164
            case Refused():
                return None
            case never:
                assert_never(never)

    def national(self, e164: str) -> str:
        """The digits of a number as a person at home dials them ("0612345678")."""
        import phonenumbers

        number = phonenumbers.parse(e164)
        home = self.regions[0]
        if number.country_code == phonenumbers.country_code_for_region(home):
            return _only_digits(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))
        return _only_digits(phonenumbers.format_out_of_country_calling_number(number, home))

    def _why_not(self, number: PhoneNumber) -> Reason | None:
        import phonenumbers

        if number.country_code in _SATELLITE:
            return Reason.SATELLITE
        if number.country_code == _INTERNATIONAL_PREMIUM:
            return Reason.PREMIUM
        if not self._is_of_our_countries(number):
            return Reason.FOREIGN
        if not phonenumbers.is_valid_number(number):
            short = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.TOO_SHORT
            return Reason.SHORT if short else Reason.INVALID
        if phonenumbers.region_code_for_number(number) not in self.regions:
            return Reason.FOREIGN  # shares its country code with one of ours
        return self._why_not_this_type(number)

    def _is_of_our_countries(self, number: PhoneNumber) -> bool:
        import phonenumbers

        return number.country_code in {phonenumbers.country_code_for_region(region) for region in self.regions}

    def _why_not_this_type(self, number: PhoneNumber) -> Reason | None:
        from phonenumbers import PhoneNumberType, number_type

        kind = number_type(number)
        if kind in (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST):
            return Reason.PREMIUM
        if len(str(number.national_number)) <= _LONGEST_SHORT_NUMBER:
            return Reason.SHORT
        if _DUTCH_MACHINES.match(_e164(number)):
            return Reason.NOT_ALLOWED
        wanted = {getattr(PhoneNumberType, name.upper()) for name in self.types}
        if kind == PhoneNumberType.FIXED_LINE_OR_MOBILE:  # cannot be told apart, so both must be allowed
            return None if {PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE} <= wanted else Reason.NOT_ALLOWED
        return None if kind in wanted else Reason.NOT_ALLOWED


def _only_digits(text: str) -> str:
    plus = "+" if text.lstrip().startswith("+") else ""
    return plus + "".join(character for character in text if character in "0123456789")


def _e164(number: PhoneNumber) -> str:
    import phonenumbers

    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
