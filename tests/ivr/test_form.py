"""A form is read as the standard library reads it, strictly: what is signed must not be understood in two ways."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr import form

MOST = 5
WORDS = st.text(st.characters(exclude_categories=["Cs"]))


def by_the_book(body: bytes) -> list[tuple[str, str]] | None:
    """What the standard library makes of it; None where it refuses."""
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MOST,
        )
    except ValueError:
        return None


def read(body: bytes) -> list[tuple[str, str]] | None:
    """What we make of it; None where we refuse."""
    try:
        return form.read(body, MOST)
    except ValueError:
        return None


@given(
    st.lists(
        st.sampled_from([b"a", b"Digits", b"=", b"&", b"+", b"%", b"%2", b"%C3%A9", b"%C3", b"%00", b";", b"\xff"])
    )
)
def test_any_bytes_are_read_or_refused_by_the_book(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    assert read(body) == by_the_book(body)


@given(st.lists(st.tuples(WORDS, WORDS), max_size=MOST))
def test_whatever_was_sent_is_read(pairs: list[tuple[str, str]]) -> None:
    assert read(urlencode(pairs).encode()) == by_the_book(urlencode(pairs).encode()) == pairs


@pytest.mark.parametrize(
    "body", [b"a", b"a=1&", b"&a=1", b"a=1&&b=2", b"a=%C3", b"a=\xc3\xa9", b"&".join([b"a=1"] * (MOST + 1))]
)
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    assert read(body) is None
