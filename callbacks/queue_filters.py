"""The filters of the queue's list: what an address asks for, how an address asks for it, and each filter in words.

A list is a bookmark: everything chosen stands in the address, nothing else. `queue_views.Filters` is what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask_babel import LazyString, lazy_gettext
from werkzeug.datastructures import MultiDict

from callbacks.console_words import ANSWERS, LANGUAGES, NEEDS, STATUSES, Words, words
from callbacks.lifecycle import Urgency
from callbacks.queue_views import ANY, OPEN, Filters
from callbacks.queue_views import STATUSES as LISTS
from callbacks.searching import LONGEST

Pair = tuple[str, str]

_SWITCHES: Sequence[tuple[str, str, LazyString]] = (
    ("mine", "mine", lazy_gettext("Mine")),
    ("overdue", "overdue", lazy_gettext("Overdue")),
    ("coordinator", "for_coordinator", lazy_gettext("For the coordinator")),
)
_CHOICES: Sequence[tuple[str, Words]] = (("need", NEEDS), ("language", LANGUAGES), ("region", ANSWERS["region"]))


LISTS_IN_WORDS: Words = {**{status: STATUSES[status] for status in LISTS if status != ANY}, ANY: lazy_gettext("All")}
_TABLES: Mapping[str, Words] = {**dict(_CHOICES), "status": LISTS_IN_WORDS}


@dataclass(frozen=True)
class Chosen:
    """One filter that is set, in words, and the address of the list without it."""

    words: LazyString | str
    without: str


def filters_of(args: MultiDict[str, str]) -> Filters:
    """What an address asks for; what no list can have is left out, so that an old bookmark still opens."""
    status = args.get("status", OPEN)
    urgencies = {int(Urgency[urgency]) for urgency in args.getlist("urgency") if urgency in Urgency.__members__}
    return Filters(
        urgency=frozenset(urgencies),
        status=status if status in LISTS else OPEN,
        language=_plain(args.get("language")),
        region=_plain(args.get("region")),
        need=_plain(args.get("need")),
        mine="mine" in args,
        overdue="overdue" in args,
        for_coordinator="coordinator" in args,
        words=args.get("words", "").strip()[:LONGEST],
    )


def _plain(told: str | None) -> str | None:
    return told if told and told.isprintable() else None  # PostgreSQL takes no NUL


def query_of(filters: Filters, *, after: str | None = None) -> str:
    """How an address asks for this list: what stands behind its question mark, and the question mark, if anything."""
    return _query([*_pairs(filters), *([("after", after)] if after else [])])


def chosen(filters: Filters) -> list[Chosen]:
    """Each filter that is set."""
    pairs = list(_pairs(filters))
    return [Chosen(_words(*pair), _query([other for other in pairs if other != pair])) for pair in pairs]


def _query(pairs: Sequence[Pair]) -> str:
    return f"?{urlencode(pairs)}" if pairs else ""


def _pairs(filters: Filters) -> Iterator[Pair]:
    if filters.status != OPEN:
        yield "status", filters.status
    for urgency in sorted(filters.urgency):
        yield "urgency", Urgency(urgency).name
    for name, _ in _CHOICES:
        if value := getattr(filters, name):
            yield name, value
    for name, field, _ in _SWITCHES:
        if getattr(filters, field):
            yield name, "1"
    if filters.words:
        yield "words", filters.words


def _words(name: str, value: str) -> LazyString | str:
    if name == "words":
        return f"“{value}”"
    switches = {name: label for name, _, label in _SWITCHES}
    return switches.get(name) or words(_TABLES.get(name, {}), value)
