"""What is heard and what is waited for, as values for the page of `rehearsal`: words to show, and a way to sound them.

A recording has no words of its own on the way: they are looked up in the prompts. Synthetic words come with themselves
sealed, which is how the page asks `/phone/sound` to speak them and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, assert_never
from urllib.parse import urlsplit

from ivr import sound
from ivr.phone_calls import Kind, Sound
from ivr.prompt_files import has_words
from ivr.prompts import Prompt, Prompts
from ivr.seal import Seal
from ivr.twiml_verbs import Gather, Record

RECORDINGS = "/voice/prompts/"  # where `webhooks` serves them


@dataclass(frozen=True)
class Captioner:
    """Makes captions for one line; `seal` is that of its sounds."""

    prompts: Prompts
    seal: Seal

    def caption(self, heard: Sound) -> dict[str, str | None]:
        """The words (as read, and as a voice is given them), their language, and a recording or sealed words."""
        match heard.kind:
            case Kind.PLAY:
                return self._recorded(urlsplit(heard.url).path)
            case Kind.SAY:
                return self._synthetic(heard)
            case _:
                assert_never(heard.kind)

    def _recorded(self, path: str) -> dict[str, str | None]:
        recording = path.partition(RECORDINGS)[2]
        code, text = recording.partition("/")[0], self._words.get(recording, "")
        locale = next((language.locale for language in self.prompts.languages if language.code == code), "")
        return {"text": text, "aloud": text, "language": locale, "recording": path, "words": None}

    def _synthetic(self, heard: Sound) -> dict[str, str | None]:
        voice = next((one.espeak for one in self.prompts.languages if one.locale == heard.language), None)
        can_speak = voice is not None and sound.program() is not None
        return {
            "text": heard.text,
            "aloud": sound.aloud(heard.text),
            "language": heard.language,
            "recording": None,
            "words": self.seal.close({"text": heard.text, "voice": voice}) if can_speak else None,
        }

    @cached_property
    def _words(self) -> Mapping[str, str]:
        """The words of every recording, by its path in prompts/."""
        prompts = (
            self.prompts.prompt(name, language.code)
            for language in self.prompts.languages
            for name in self.prompts.names
        )
        return {recording: words for prompt in prompts for recording, words in _recorded_words(prompt)}


def _recorded_words(prompt: Prompt) -> Iterator[tuple[str, str]]:
    """Each recording of a prompt with its words: those around its placeholders, in order."""
    if prompt.recordings:
        yield from zip(prompt.recordings, filter(has_words, prompt.parts[::2]), strict=True)


def waits(verb: Gather | Record | None) -> dict[str, Any] | None:
    """What the line listens to now: keys (how many, ended by which), words, and how long a silence is (seconds)."""
    match verb:
        case Gather():
            return {
                "keys": verb.takes_keys,
                "words": verb.takes_words,
                "digits": verb.num_digits,
                "finish": verb.finish_on_key,
                "seconds": verb.timeout,
                "records": False,
            }
        case Record():
            return {
                "keys": True,
                "words": True,
                "digits": 1,
                "finish": verb.finish_on_key,
                "seconds": verb.timeout,
                "records": True,
            }
        case None:
            return None
        case _:
            assert_never(verb)
