"""Every path through the triage, read from the questions themselves: the one list that all layers are tested with.

`expected` says the table of the content again in other words, path by path, so that a row that is changed by mistake in
`ivr.triage` disagrees with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

NEEDS = ("doctor", "medicine", "pregnancy", "stress", "teeth", "bill", "shelter")


@dataclass(frozen=True)
class Path:
    """The answers of one caller by question, in the order in which they are asked."""

    answers: Mapping[str, str]

    def __str__(self) -> str:
        return " ".join(self.answers.values())


def all_paths() -> Iterator[Path]:
    """Every way through the seven questions."""
    yield Path({"danger": "body"})
    yield Path({"danger": "suicide"})
    for need in NEEDS:
        for wait in _waits(need):
            for who in ("child", "pregnant", "adult") if need != "pregnancy" else (None,):
                if need == "shelter":
                    yield _path(need, wait, who, None, None, None)
                    continue
                for group, payer in _groups():
                    for refused in ("yes", "no"):
                        yield _path(need, wait, who, group, payer, refused)


def _waits(need: str) -> tuple[str | None, ...]:
    if need in ("bill", "shelter"):
        return (None,)
    return ("today", "medicine_runs_out", "can_wait") if need == "medicine" else ("today", "can_wait")


def _groups() -> tuple[tuple[str, str | None], ...]:
    return (
        ("asylum", None),
        ("eu_or_dutch", None),
        ("permit_or_visa", None),
        ("none", "yes"),
        ("none", "no"),
        ("none", "unknown"),
    )


def _path(*answers: str | None) -> Path:
    """The answers after "no danger", in order; None where the question is skipped."""
    questions = ("need", "wait", "who", "group", "payer", "refused")
    given = {question: answer for question, answer in zip(questions, answers, strict=True) if answer is not None}
    return Path({"danger": "no", **given})


def expected(path: Path, *, office_open: bool) -> tuple[str, str]:  # noqa: C901, PLR0911, PLR0912  a table told as a story
    """The outcome and the urgency that the table gives to this path."""
    a = path.answers
    family = a.get("need") == "pregnancy" or a.get("who") in ("child", "pregnant")
    refused = a.get("refused") == "yes"
    if a["danger"] == "body":
        return "emergency", "P0"
    if a["danger"] == "suicide":
        return "suicide", "P0"
    if a["need"] == "shelter":
        return "shelter_request", "P2" if family else "P3"
    if a.get("wait") == "today":
        return ("today_open" if office_open else "today_closed"), "P1"
    if a.get("wait") == "medicine_runs_out":
        return "medicine_running_out", "P1"
    if family and refused:
        return "refused_priority", "P1"
    match a["group"]:
        case "asylum":
            return "asylum", "P2" if refused else "P3"
        case "eu_or_dutch":
            return "eu_or_dutch", "P4"
        case "permit_or_visa":
            return "permit_or_visa", "P3"
        case _:
            pass
    if a["payer"] == "yes":
        return "payer_check", "P2" if refused else "P3"
    if family:
        return "likely_maternity_child", "P2"
    if refused:
        return "likely_refused", "P2"
    return {
        "stress": ("likely_stress", "P2"),
        "bill": ("bill", "P3"),
        "teeth": ("teeth", "P4"),
    }.get(a["need"], ("likely_intake", "P3"))
