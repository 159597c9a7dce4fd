"""The verbs of TwiML that the caller's phone knows, as plain values: `twiml_reader` makes them, `phone` follows them.

Times are whole seconds. A URL is as the document has it; the phone resolves it. Defaults are the provider's.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Say:
    """Words for the synthetic voice."""

    text: str
    voice: str
    language: str
    loop: int = 1


@dataclass(frozen=True)
class Play:
    """A recording."""

    url: str
    loop: int = 1


@dataclass(frozen=True)
class Pause:
    """Silence of the line's."""

    seconds: int = 1


@dataclass(frozen=True)
class Gather:
    """Waits for keys, words or both, while its prompts are heard. Without an action it asks the same document again."""

    prompts: tuple[Say | Play | Pause, ...] = ()
    inputs: frozenset[str] = frozenset({"dtmf"})
    timeout: int = 5
    speech_timeout: str = ""
    num_digits: int | None = None
    finish_on_key: str = "#"
    action: str = ""
    action_on_empty_result: bool = False
    language: str = "en-US"
    hints: tuple[str, ...] = ()
    barge_in: bool = True
    profanity_filter: bool = True

    @property
    def takes_keys(self) -> bool:
        """Whether it listens to the keypad."""
        return "dtmf" in self.inputs

    @property
    def takes_words(self) -> bool:
        """Whether it listens to what is said."""
        return "speech" in self.inputs


@dataclass(frozen=True)
class Record:
    """Records the caller until silence, a key, the longest length or a hang-up."""

    max_length: int
    timeout: int = 5
    play_beep: bool = True
    trim: bool = True
    finish_on_key: str = "1234567890*#"
    action: str = ""
    status_callback: str = ""
    status_events: frozenset[str] = frozenset({"completed"})


@dataclass(frozen=True)
class Dial:
    """Connects the caller to another number; with an action the call goes on there, else at the next verb."""

    number: str
    timeout: int = 30
    time_limit: int = 14400
    caller_id: str = ""
    action: str = ""
    whisper_url: str = ""
    status_callback: str = ""
    status_events: frozenset[str] = frozenset({"completed"})


@dataclass(frozen=True)
class Redirect:
    """Goes on with another document."""

    url: str


@dataclass(frozen=True)
class Hangup:
    """Ends the call."""


@dataclass(frozen=True)
class Reject:
    """Ends the call before it is answered, unbilled."""

    reason: str = "rejected"


Verb = Say | Play | Pause | Gather | Record | Dial | Redirect | Hangup | Reject
