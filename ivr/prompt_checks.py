"""Whether callers can follow what the line says: length, plain words, menus that tell their keys, a flow without traps.

Whoever writes texts runs `zorglijn prompts check` and reads sentences about what to change. The limits are those of the
content: about 3 million people in the Netherlands struggle with reading or numbers, and nobody hears a phone line at
their best. `prompts` has already refused what could not be spoken at all; `readability` scores how plain a text is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from ivr.flow import CALLBACK, GOODBYE, START, Flow
from ivr.nodes import Listener, Menu, exits_of
from ivr.numbers import Reason
from ivr.prompts import Kind, Prompt, Prompts
from ivr.readability import AIM, HARDEST, ease, sentences, words
from ivr.sayings import Saying
from ivr.spoken import SMALL_PROMPTS, SPELT

WORDS_A_MINUTE = 150
LONGEST = {Kind.ORDINARY: 12, Kind.INFORMATION: 25}  # seconds
LONGEST_WELCOME = 10  # seconds until the language can be chosen, all languages together
MOST_OPTIONS = 4
MOST_WORDS = 10  # in a sentence, on average
COUNTED_FROM = 3  # options: "for yes, press 1; for no, press 2" needs no count

# Spoken without being named in the flow: by the web layer, as reasons why a number is refused, and to agents.
SPOKEN_ELSEWHERE = frozenset({"apology", "we_will_call_you", *Reason, *Saying})
_COMMANDS = frozenset({"0", "9"})  # work at every node; a menu may name them as well

# How many words a placeholder takes when its value is not known here: digits are said one by one.
_SPOKEN_WORDS = {"reference": 4, "due": 7, "days_kept": 1, "organisation": 4, "region": 1}
_A_NUMBER = 10
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_NUMERAL = re.compile(r"\d+")
_READ_WHOLE = 2  # digits: 17 is a word, 112 is three


@dataclass(frozen=True)
class Problem:
    """Something to change: `where` (a file or a node), and `what`, as a sentence for whoever writes the texts."""

    where: str
    what: str


@dataclass(frozen=True)
class _Style:
    """What style.toml says of a language."""

    avoid: tuple[str, ...]
    press: str
    choices: tuple[str, ...]
    goals: tuple[str, ...]


def check(prompts: Prompts, flow: Flow) -> list[Problem]:
    """Everything that must be put right before these prompts are spoken; an empty list when all is well."""
    problems = [*_check_flow(flow), *_check_unused(prompts, flow)]
    missing = [*_check_missing(prompts, flow)]
    if missing:  # what is not there cannot be judged
        return [*problems, *missing]
    for language in prompts.languages:
        problems.extend(_check_language(prompts, flow, language.code))
    return [*problems, *_check_welcome(prompts, flow)]


def warnings(prompts: Prompts, today: date) -> list[Problem]:
    """What needs care but keeps nobody from calling: facts that have expired, and recordings that are not played."""
    expired = [
        Problem(one.what, f"the facts were good until {one.expires}; compare them with their source again")
        for one in prompts.expiring(today, within_days=0)
    ]
    unplayed = [
        Problem(_file(prompt), f"not played: {', '.join(prompt.stray_recordings)}; each piece of the text needs one")
        for language in prompts.languages
        for prompt in _texts(prompts, language.code)
        if prompt.stray_recordings
    ]
    return [*expired, *unplayed]


def _check_flow(flow: Flow) -> Iterator[Problem]:
    """No node that no caller can come to, none that no caller can leave, no menu too long to remember."""
    onward = {
        name: {*exits_of(node), *([CALLBACK] if isinstance(node, Listener) else [])}
        for name, node in flow.nodes.items()
    }
    backward: dict[str, set[str]] = {name: set() for name in flow.nodes}
    for name, following in onward.items():
        for exit_ in following & set(flow.nodes):
            backward[exit_].add(name)
        for exit_ in sorted(following - set(flow.nodes)):
            yield Problem(f"node {name}", f"leads to {exit_!r}, which is no node of the flow")
    for name in sorted(set(flow.nodes) - _reached(START, onward)):
        yield Problem(f"node {name}", f"no caller can come here from {START!r}")
    for name in sorted(set(flow.nodes) - _reached(GOODBYE, backward)):
        yield Problem(f"node {name}", f"a caller who comes here can never get to {GOODBYE!r}")
    for node in _menus(flow):
        if len(node.options) > MOST_OPTIONS:
            yield Problem(
                f"node {node.name}", f"has {len(node.options)} options; nobody remembers more than {MOST_OPTIONS}"
            )


def _reached(start: str, ways: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name in ways and name not in reached:
            reached.add(name)
            ahead.extend(ways[name])
    return reached


def _check_missing(prompts: Prompts, flow: Flow) -> Iterator[Problem]:
    for name in sorted((flow.prompts() | SPOKEN_ELSEWHERE | SMALL_PROMPTS) - prompts.names):
        yield Problem(f"{name}.txt", "the line says this somewhere, but nobody has written it")


def _check_unused(prompts: Prompts, flow: Flow) -> Iterator[Problem]:
    spoken = (flow.prompts() | SPOKEN_ELSEWHERE) & prompts.names
    with_fallbacks = {
        prompt.name
        for language in prompts.languages
        for name in spoken
        for prompt in prompts.chain(name, language.code)
    }
    for name in sorted(prompts.names - with_fallbacks - SMALL_PROMPTS):
        yield Problem(f"{name}.txt", "no node of the flow says this, and no prompt falls back on it")


def _check_language(prompts: Prompts, flow: Flow, code: str) -> Iterator[Problem]:
    try:
        style = _read_style(prompts, code)
    except (OSError, ValueError, KeyError) as error:
        yield Problem(f"prompts/{code}/style.toml", f"cannot be read: {error!r}")
        return
    scores = []
    for prompt in _texts(prompts, code):
        yield from _check_length(prompt, prompts)
        yield from _check_words(prompt, style)
        score = ease(_PLACEHOLDER.sub("x", _NUMERAL.sub("x", prompt.text)), code)
        scores.extend([] if score is None else [score])
        if score is not None and score < HARDEST:
            yield Problem(_file(prompt), f"is hard to read ({score:.0f}; at least {HARDEST:.0f}): use shorter words")
    average = sum(scores) / len(scores) if scores else AIM
    if average < AIM:
        yield Problem(
            f"prompts/{code}",
            f"the texts are hard to read on average ({average:.0f}; at least {AIM:.0f}): use shorter words",
        )
    for node in _menus(flow):
        yield from _check_menu(node, prompts, style, code)


def _check_length(prompt: Prompt, prompts: Prompts) -> Iterator[Problem]:
    seconds = _seconds(prompt.text, prompts)
    limit = LONGEST[prompt.kind]
    if seconds > limit:
        yield Problem(_file(prompt), f"takes {seconds:.1f} seconds to say, and may take {limit}: leave something out")
    average = len(words(_PLACEHOLDER.sub("x", prompt.text))) / len(sentences(_PLACEHOLDER.sub("x", prompt.text)))
    if average > MOST_WORDS:
        yield Problem(
            _file(prompt),
            f"has {average:.1f} words a sentence on average, and may have {MOST_WORDS}: make more sentences",
        )


def _check_words(prompt: Prompt, style: _Style) -> Iterator[Problem]:
    for word in style.avoid:
        if re.search(rf"\b{re.escape(word)}", prompt.text, re.IGNORECASE):
            yield Problem(_file(prompt), f"says {word!r}, a word to avoid on this line")
    goals = "|".join(map(re.escape, style.goals))
    late = re.search(rf"\b{re.escape(style.press)} \d,? (?:{goals})\b[^.?!]*", prompt.text, re.IGNORECASE)
    if late:
        yield Problem(_file(prompt), f"names the key before the goal ({late[0]!r}): say what it is for, then the key")


def _check_menu(node: Menu, prompts: Prompts, style: _Style, code: str) -> Iterator[Problem]:
    """A menu tells each of its keys and no other, and how many options it has; so do the texts it falls back on."""
    if node.name == START:  # heard in every language in turn, and each names its own key
        keys = {option.key for option in node.options if option.name == code}
        counted = False
    else:
        keys = {option.key for option in node.options}
        counted = len(keys) >= COUNTED_FROM
    for where, text in _menu_texts(node, prompts, code):
        named = set(re.findall(rf"\b{re.escape(style.press)} (\d)", text, re.IGNORECASE))
        for key in sorted(keys - named):
            yield Problem(where, f"does not say what key {key} is for (node {node.name})")
        for key in sorted(named - keys - _COMMANDS):
            yield Problem(where, f"names key {key}, which does nothing there (node {node.name})")
        numbers = re.findall(rf"\b(\d+) (?:{'|'.join(map(re.escape, style.choices))})\b", text, re.IGNORECASE)
        if (counted and not numbers) or any(int(number) != len(keys) for number in numbers):
            yield Problem(where, f"must say that there are {len(keys)} choices (node {node.name})")


def _menu_texts(node: Menu, prompts: Prompts, code: str) -> Iterator[tuple[str, str]]:
    """What this menu asks, as a file and words: as written, and with each fallback in the place of a prompt."""
    asked = [name for name in node.asks if "@" not in name]  # words in another language are for somebody else
    for place, name in enumerate(asked):
        for number, prompt in enumerate(prompts.chain(name, code)):
            if number or place == len(asked) - 1:
                said = [*asked[:place], prompt.name, *asked[place + 1 :]]
                yield _file(prompt), " ".join(prompts.text(one, code) for one in said)


def _check_welcome(prompts: Prompts, flow: Flow) -> Iterator[Problem]:
    said = (*flow.listener(START).tells, *flow.listener(START).asks)
    seconds = sum(_seconds(prompts.text(name, one.code), prompts) for name in said for one in prompts.languages)
    if seconds > LONGEST_WELCOME:
        what = f"takes {seconds:.1f} seconds in all languages together, and may take {LONGEST_WELCOME}"
        yield Problem(f"node {START}", f"{what}: shorten {' and '.join(said)}")


def _seconds(text: str, prompts: Prompts) -> float:
    """How long a voice takes: long numerals are said digit by digit, three letters take as long as two words."""
    counts = [_words_of_value(name, prompts) for name in _PLACEHOLDER.findall(text)]
    for word in words(_PLACEHOLDER.sub(" ", text)):
        if word.isdigit() and len(word) > _READ_WHOLE:
            counts.append(len(word))
        else:
            counts.append(2 if SPELT.fullmatch(word) else 1)
    return sum(counts) * 60 / WORDS_A_MINUTE


def _words_of_value(placeholder: str, prompts: Prompts) -> int:
    fact = prompts.facts.get(placeholder)
    known = (len(fact.value) or len(words(fact.text))) if fact else 0
    return known or _SPOKEN_WORDS.get(placeholder, _A_NUMBER)


def _menus(flow: Flow) -> list[Menu]:
    return [node for node in flow.nodes.values() if isinstance(node, Menu)]


def _texts(prompts: Prompts, code: str) -> list[Prompt]:
    """The prompts with sentences in them, by name."""
    every = [prompts.prompt(name, code) for name in sorted(prompts.names)]
    return [prompt for prompt in every if prompt.kind is not Kind.SMALL]


def _file(prompt: Prompt) -> str:
    return f"prompts/{prompt.language}/{prompt.name}.txt"


def _read_style(prompts: Prompts, code: str) -> _Style:
    values = tomllib.loads((prompts.directory / code / "style.toml").read_text(encoding="utf-8-sig"))
    return _Style(tuple(values["avoid"]), values["press"], tuple(values["choices"]), tuple(values["goals"]))
