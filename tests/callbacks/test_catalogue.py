"""The console says everything in Dutch too, and what it reads is what people wrote."""

from __future__ import annotations

import gettext
import io
from pathlib import Path

import pytest

from callbacks import catalogue
from tests.callbacks.people import console, database_of, signed_in_client, sqlite

ADVICE = "run python -m callbacks.catalogue, translate what is empty in messages.po, and run it again"


def test_every_text_has_its_dutch() -> None:
    known = {message.id for message in catalogue.read()}
    texts = {message.id for message in catalogue.texts() if message.id}
    assert texts <= known, ADVICE
    assert not known - texts - {""}, ADVICE
    assert not list(catalogue.untranslated(catalogue.read())), ADVICE


def test_a_placeholder_is_in_both_languages() -> None:
    for message in catalogue.read():
        if message.id:
            assert not list(message.check(catalogue.read())), message.id


def test_what_the_console_reads_is_what_people_wrote() -> None:
    compiled = gettext.GNUTranslations(io.BytesIO(catalogue.compiled(catalogue.read())))
    with catalogue.MO.open("rb") as file:
        kept = gettext.GNUTranslations(file)
    for message in catalogue.read():
        text = message.id if isinstance(message.id, str) else message.id[0]
        if text:
            assert kept.gettext(text) == compiled.gettext(text), ADVICE
    assert kept.ngettext("You have one recovery code left.", "You have %(num)s recovery codes left.", 1) == (
        "U hebt nog één herstelcode."
    )


@pytest.mark.parametrize(
    "login, asked, said",
    [
        (None, "en-GB,en;q=0.9", "Sign in"),
        (None, "nl,en;q=0.8", "Inloggen"),
        (None, "ti", "Inloggen"),
        ("anna", "nl", "Your account"),
        ("bram", "en", "Uw account"),
    ],
)
def test_the_console_speaks_the_language_of_whoever_reads_it(
    tmp_path: Path, login: str | None, asked: str, said: str
) -> None:
    app = console(sqlite(tmp_path))
    client = signed_in_client(app, login) if login else app.test_client()
    answer = client.get("/console/account" if login else "/console/sign-in", headers={"Accept-Language": asked})
    assert f"<h1>{said}</h1>" in answer.text
    assert f'<html lang="{"en" if said in ("Sign in", "Your account") else "nl"}"' in answer.text
    database_of(app).close()
