"""Which numbers may be dialled, and with which words the others are refused."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.numbers import Allowed, NumberPolicy, Reason, Refused

POLICY = NumberPolicy()


@pytest.mark.parametrize(
    "keyed,e164",
    [
        ("0612345678", "+31612345678"),
        ("06 1234 5678", "+31612345678"),
        ("0031612345678", "+31612345678"),
        ("+31612345678", "+31612345678"),
        ("31612345678", "+31612345678"),
        ("+31 (0)6 12345678", "+31612345678"),
        ("00310612345678", "+31612345678"),
        ("0402512738", "+31402512738"),
        ("0206249031", "+31206249031"),
        ("0497123456", "+31497123456"),
    ],
)
def test_dutch_mobile_and_fixed_lines_may_be_dialled(keyed: str, e164: str) -> None:
    assert POLICY.check(keyed) == Allowed(e164)


@pytest.mark.parametrize(
    "keyed,reason",
    [
        ("09001234", "number_premium"),
        ("0906123456", "number_premium"),
        ("09091234", "number_premium"),
        ("0031906123456", "number_premium"),
        ("+979123456789", "number_premium"),
        ("00881612345678", "number_satellite"),
        ("+88216123456", "number_satellite"),
        ("+870773123456", "number_satellite"),
        ("0018765551234", "number_foreign"),  # Jamaica, in the guise of North America
        ("+12125551234", "number_foreign"),
        ("0032470123456", "number_foreign"),
        ("+80012345678", "number_foreign"),
        ("112", "number_short"),
        ("113", "number_short"),
        ("14040", "number_short"),
        ("06", "number_short"),
        ("7", "number_short"),
        ("061234567", "number_invalid"),
        ("06123456789", "number_invalid"),
        ("0676123456", "number_invalid"),
        ("", "number_invalid"),
        ("+", "number_invalid"),
        ("0" * 500, "number_invalid"),
        ("9" * 17, "number_invalid"),
        ("0881122112", "number_not_allowed"),  # UAN
        ("08000113", "number_not_allowed"),
        ("0851234567", "number_not_allowed"),  # VoIP
        ("097012345678", "number_not_allowed"),  # machines, which phonenumbers calls mobile
        ("0661234567", "number_not_allowed"),  # pager
    ],
)
def test_other_numbers_are_refused_with_a_reason(keyed: str, reason: str) -> None:
    assert POLICY.check(keyed) == Refused(Reason(reason))


@given(st.text(alphabet="0123456789+ ", max_size=24))
def test_whatever_is_allowed_is_a_dutch_number(keyed: str) -> None:
    match POLICY.check(keyed):
        case Allowed(e164):
            assert e164.startswith("+31")
            assert 11 <= len(e164) <= 12
        case Refused(reason):
            assert reason.value.startswith("number_")


def test_a_caller_with_a_number_we_may_dial_can_be_called_on_it() -> None:
    assert POLICY.caller("+31612345678") == "+31612345678"
    assert POLICY.caller("+31402512738") == "+31402512738"


@pytest.mark.parametrize(
    "from_",
    [
        "anonymous",
        "Anonymous",
        "unknown",
        "restricted",
        "",
        "+266696687",
        "+7378742833",
        "+2562533",
        "+8656696",
        "+86282452253",
        "client:anna",
        "sip:anna@example.org",
        "sip:+31612345678@example.org",
        "0612345678",
        "+31612345678 ",
        "+3161234567",
        "+31881122112",
        "+32470123456",
        "+881612345678",
        "+٣١٦١٢٣٤٥٦٧٨",
    ],
)
def test_a_caller_we_cannot_or_may_not_dial_has_no_number(from_: str) -> None:
    assert POLICY.caller(from_) is None


@pytest.mark.parametrize("from_", ["+266696687", "+7378742833", "+86282452253"])
def test_a_withheld_number_is_none_even_where_its_country_is_allowed(from_: str) -> None:
    assert NumberPolicy(("LS", "RU", "CN", "NL")).caller(from_) is None


def test_a_number_is_read_out_as_people_at_home_dial_it() -> None:
    assert POLICY.national("+31612345678") == "0612345678"
    assert POLICY.national("+31402512738") == "0402512738"
    assert NumberPolicy(("NL", "BE")).national("+32470123456") == "0032470123456"


def test_an_organisation_can_allow_more() -> None:
    wider = NumberPolicy(("NL", "BE"), ("mobile", "fixed_line", "voip"))
    assert wider.check("0032470123456") == Allowed("+32470123456")
    assert wider.check("0851234567") == Allowed("+31851234567")
    assert wider.check("0033612345678") == Refused(Reason.FOREIGN)


def test_a_number_that_can_be_either_type_needs_both_allowed() -> None:
    assert NumberPolicy(("US",)).check("2125551234") == Allowed("+12125551234")
    assert NumberPolicy(("US",), ("mobile",)).check("2125551234") == Refused(Reason.NOT_ALLOWED)
    assert NumberPolicy(("US",)).check("8765551234") == Refused(Reason.FOREIGN)


@pytest.mark.parametrize(
    "regions,types",
    [(("001",), ("mobile",)), (("nl",), ("mobile",)), (("NL",), ("premium_rate",)), ((), ("mobile",)), (("NL",), ())],
)
def test_what_can_never_be_right_is_refused_at_the_start(regions: tuple[str, ...], types: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="cannot allow"):
        NumberPolicy(regions, types)


def test_the_library_of_numbers_is_not_loaded_before_it_is_needed() -> None:
    look = "import sys, ivr.listening, ivr.numbers; ivr.numbers.NumberPolicy(); sys.exit('phonenumbers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
