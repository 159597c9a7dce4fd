"""The kinds of place that a call can be in: plain values of which `flow` builds the line.

A node says something and then waits for the caller, decides, asks for work to be done, or ends the call. What a node
says is given as names of prompts; a name may carry a language (`receptionist_duty@nl`) when the words must be spoken
in that language whatever the caller chose. `conversation` walks the nodes, `twiml` renders those that wait, `prompts`
checks them all, and the flow's picture is drawn from their exits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ivr.position import Circumstances, Position

# First time and second time that nothing usable was heard; the second time the node also gives the caller a way out.
NO_INPUT = ("no_input_first", "no_input_second")
NO_MATCH = ("no_match_first", "no_match_second")
YES_NO_NO_MATCH = ("yes_no_no_match_first", "no_match_second")


@dataclass(frozen=True)
class Option:
    """One choice in a menu: the key, its name (in answers.toml and in the stored answers) and where it leads."""

    key: str
    name: str
    goto: str


@dataclass(frozen=True, kw_only=True)
class Node:
    """A place in the flow, found by its name."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Listener(Node):
    """A node that speaks and then waits for keys or words.

    `tells` is said when the caller arrives and when they ask to repeat; `asks` also at every reprompt. After two
    silences, or two answers not understood, the call goes on at `gives_up_to`.
    """

    asks: tuple[str, ...]
    tells: tuple[str, ...] = ()
    no_input: tuple[str, str] = NO_INPUT
    no_match: tuple[str, str] = NO_MATCH
    gives_up_to: str = "callback"


@dataclass(frozen=True, kw_only=True)
class Menu(Listener):
    """A choice by key or word; nothing is remembered but where it leads.

    `unasked` are answers that are understood when somebody says them, though no key is offered for them here: who is
    asked what help they need says "a toothache", and not "something else".
    """

    options: tuple[Option, ...]
    unasked: tuple[Option, ...] = ()

    @property
    def answers(self) -> tuple[Option, ...]:
        """Everything that can be understood here."""
        return self.options + self.unasked


@dataclass(frozen=True, kw_only=True)
class Question(Menu):
    """A choice whose answer is kept under the name `remembers`.

    With `enriches` the answer is also added to a callback that is queued already. With `names_danger` an option's own
    words win over the words of danger, because they are the answer.
    """

    remembers: str
    enriches: bool = False
    names_danger: bool = False


@dataclass(frozen=True, kw_only=True)
class SpokenAnswer(Listener):
    """A question that is answered aloud, with no keys: a name that is known (a language), or the words as they came."""

    remembers: str
    choices: str  # the table of answers.toml that holds the names that are known
    goto: str


@dataclass(frozen=True, kw_only=True)
class NumberEntry(Listener):
    """A phone number keyed in and ended with #, or spoken digit by digit."""

    goto: str


@dataclass(frozen=True, kw_only=True)
class VoiceMessage(Listener):
    """A message spoken after the tone, at most `max_seconds` long; silence and refusal lose nothing."""

    goto: str
    max_seconds: int = 120


@dataclass(frozen=True, kw_only=True)
class Message(Node):
    """Something said on the way; the call goes on at once."""

    says: tuple[str, ...]
    goto: str


@dataclass(frozen=True, kw_only=True)
class Branch(Node):
    """A fork decided from what is known, unheard by the caller: `decide` returns the name of one of `exits`."""

    decide: Callable[[Position, Circumstances], str]
    exits: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Task(Node):
    """Work for the callback queue; the call goes on by its result. `with_number` is False where there is none."""

    exits: Mapping[str, str]
    with_number: bool = True


@dataclass(frozen=True, kw_only=True)
class End(Node):
    """The last words of the line, after which it hangs up."""

    says: tuple[str, ...]


def exits_of(node: Node) -> tuple[str, ...]:
    """Every node that can follow this one by an answer of the caller or by itself (commands aside)."""
    match node:
        case Menu():
            return (*(option.goto for option in node.answers), node.gives_up_to)
        case SpokenAnswer() | NumberEntry() | VoiceMessage():
            return (node.goto, node.gives_up_to)
        case Message():
            return (node.goto,)
        case Branch():
            return node.exits
        case Task():
            return tuple(node.exits.values())
        case _:
            return ()


def prompts_of(node: Node) -> tuple[str, ...]:
    """Every prompt, without its language, that this node can speak."""
    match node:
        case Listener():
            spoken = (*node.tells, *node.asks, *node.no_input, *node.no_match)
        case Message() | End():
            spoken = node.says
        case _:
            spoken = ()
    return tuple(name.partition("@")[0] for name in spoken)
