"""The directory of organisations in organisation.toml: read early, refused by name, and doubted when nobody rang."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from callbacks import directory
from callbacks.directory import NUMBER_LIFE, Referral
from settings import HERE, Organisation, SettingsError

OFFICE = (HERE / "organisation.toml").read_text(encoding="utf-8")
TODAY = date(2026, 11, 21)
ASKV = 'name = "ASKV, Amsterdam"'


def shipped() -> tuple[Referral, ...]:
    return Organisation.load(HERE / "organisation.toml").directory


def changed(tmp_path: Path, old: str, new: str) -> tuple[Referral, ...]:
    """The directory of a file with one thing changed."""
    assert old in OFFICE
    path = tmp_path / "organisation.toml"
    path.write_text(OFFICE.replace(old, new, 1), encoding="utf-8")
    return Organisation.load(path).directory


def named(found: tuple[Referral, ...], key: str) -> Referral:
    referral = directory.find(found, key)
    assert referral is not None
    return referral


def test_an_organisation_has_a_name_a_purpose_hours_and_a_number_with_its_day() -> None:
    kruispost = named(shipped(), "kruispost")
    assert kruispost.name == "Kruispost, Amsterdam"
    assert set(kruispost.purpose) == {"nl", "en"}
    assert kruispost.phone == "020 624 90 31"
    line = named(shipped(), "veilig_thuis")
    assert (line.verified_on, line.verified_by) == (TODAY, "published contact")
    assert line.hours["nl"] == "gratis, dag en nacht"


def test_a_number_that_the_line_speaks_stands_in_the_file_once(tmp_path: Path) -> None:
    found = changed(tmp_path, "088 112 2 112", "088 999 99 99")
    gza = named(found, "gza")
    assert (gza.phone, gza.verified_on) == ("088 999 99 99", TODAY)


def test_without_a_verified_number_an_organisation_is_a_row_without_one() -> None:
    askv = named(shipped(), "askv")
    assert askv.phone is None
    assert not askv.is_stale(TODAY)


@pytest.mark.parametrize(
    "verified_on, stale",
    [(None, True), (TODAY - NUMBER_LIFE, True), (TODAY - NUMBER_LIFE + timedelta(days=1), False), (TODAY, False)],
)
def test_a_number_that_nobody_verified_for_ninety_days_is_doubted(verified_on: date | None, stale: bool) -> None:
    assert Referral("x", "X", {}, {}, "040 1", verified_on=verified_on).is_stale(TODAY) is stale


def test_an_organisation_may_know_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "organisation.toml"
    path.write_text(OFFICE.partition("[[directory]]")[0], encoding="utf-8")
    assert Organisation.load(path).directory == ()


@pytest.mark.parametrize(
    "old, new, told",
    [
        (ASKV, "", "[[directory]] askv name: must be words"),
        ('key = "askv"', "", "[[directory]] key: must be words"),
        ('key = "askv"', 'key = "AS KV"', "[[directory]] AS KV: a key has only a-z, 0-9 and _"),
        ('key = "askv"', 'key = "stek"', "[[directory]] stek: stands there twice"),
        (ASKV, f'{ASKV}\ntelephone = "1"', "[[directory]] askv telephone: there is no such setting"),
        (ASKV, f'{ASKV}\nphone = "ask Anna"', "[[directory]] askv phone: ask Anna is no phone number"),
        (ASKV, f'{ASKV}\nphone = "020 1"\nverified_on = "soon"', "[[directory]] askv verified_on: must be a day"),
        (ASKV, f'{ASKV}\nnumber = "fax"', "[[directory]] askv number: there is no [numbers.fax]"),
        ('number = "asylum_gp"', 'number = "asylum_gp"\nphone = "1"', "[[directory]] gza: its phone and verified_on"),
        ('hours = {nl = "kantooruren", en = "office hours"}', 'hours = "9-5"', "[[directory]] comensha hours: must be"),
        (
            'purpose = {nl = "Geweld thuis", en = "Violence at home"}',
            'purpose = {nl = "Geweld"}',
            "veilig_thuis purpose",
        ),
        ('[[directory]]\nkey = "gza"', '[directory]\nkey = "gza"', "organisation.toml"),
    ],
)
def test_what_is_wrong_with_an_organisation_is_said_at_the_start(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        changed(tmp_path, old, new)
    assert told in caught.value.problems[0]


def test_a_single_table_is_no_directory() -> None:
    with pytest.raises(ValueError, match="double brackets"):
        directory.read({"key": "gza"}, {})
