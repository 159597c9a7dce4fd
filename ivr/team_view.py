"""A callback in plain words, as the team will read it: shown on the phone in the browser when the call is over.

`rehearsal` shows it; the record comes from `callbacks.export` and the words from phone.en.toml or phone.nl.toml.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Words = Mapping[str, Mapping[str, Any]]


def in_words(record: Mapping[str, Any], words: Words, zone: ZoneInfo) -> dict[str, Any]:
    """Say what this callback (a record of `callbacks.export`) means, in the words of one language of the page.

    Gives `urgency` (P0 to P4), `when` (what that means) and `rows`: pairs of a name and a list of sentences. Times are
    as the office's clock (`zone`) has them.
    """
    rows = [{"name": words["team"][name], "says": says} for name, says in _rows(record, words, zone) if says]
    return {"urgency": record["urgency"], "when": words["urgency"][record["urgency"]], "rows": rows}


def _rows(record: Mapping[str, Any], words: Words, zone: ZoneInfo) -> Iterator[tuple[str, list[str]]]:
    team = words["team"]
    yield "reference", [record["reference"]]
    yield "about", [_known(words["outcome"], record["outcome"])]
    yield "phone", [_number(record, team)]
    yield "due", [team["at_once"] if record["urgency"] == "P0" else _moment(record["due_at"], words["moment"], zone)]
    yield "answers", list(_answers(record["answers"], words["answer"]))
    yield "language", [_language(record, words)]
    yield "message", [team[_MESSAGE[record["safe_message"]]]]
    yield "part_of_day", _optional(words["part_of_day"], record["part_of_day"])
    yield "region", _optional(words["region"], record["region"])
    yield "flags", [", ".join(flag.replace("_", " ") for flag in record["flags"])] if record["flags"] else []
    yield "linked", [team["linked_to"].format(value=record["linked_to"])] if record["linked_to"] else []


_MESSAGE = {True: "message_yes", False: "message_no", None: "message_unknown"}


def _number(record: Mapping[str, Any], team: Mapping[str, str]) -> str:
    import phonenumbers

    if record["phone"] is None:
        return team["no_number"]
    number = phonenumbers.parse(record["phone"])
    shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return shown if record["number_confirmed"] else f"{shown} ({team['not_confirmed']})"


def _answers(answers: Mapping[str, str], known: Mapping[str, str]) -> Iterator[str]:
    """The answers to the questions about the care, in the order of the questions."""
    for question in (name for name in known if "." not in name):
        if question in answers:
            yield f"{known[question]}: {_known(known, f'{question}.{answers[question]}')}"


def _language(record: Mapping[str, Any], words: Words) -> str:
    spoken, wanted = record["language"], record["callback_language"]
    says = _known(words["language"], spoken) if spoken else words["team"]["no_language"]
    if wanted is None or wanted == spoken:
        return str(says)
    return f"{says}, {words['team']['interpreter'].format(value=_known(words['language'], wanted))}"


def _optional(known: Mapping[str, str], name: str | None) -> list[str]:
    return [_known(known, name)] if name else []


def _known(known: Mapping[str, str], name: str) -> str:
    """The words for a name; where there are none yet, the name itself, readable."""
    return known.get(name, name.rpartition(".")[2].replace("_", " "))


def _moment(iso: str, moment: Mapping[str, Any], zone: ZoneInfo) -> str:
    local = datetime.fromisoformat(iso).astimezone(zone)
    return str(
        moment["format"].format(
            weekday=moment["weekdays"][local.weekday()],
            day=local.day,
            month=moment["months"][local.month - 1],
            clock=f"{local:%H:%M}",
        )
    )
