"""Decides what the line says next. Pure: it touches nothing, and it knows neither the web, the provider nor a database.

`begin` and `resume` walk the `flow` from node to node until one of them waits: for the caller (a turn to be spoken),
for the callback queue (a task, whose result comes back through `resume_task`), or for nothing more (the end). All that
a call knows of itself is in its `Position`, which is stored after every step and read back for the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from ivr import triage
from ivr.flow import ALREADY_ASKED, CALLBACK, EMERGENCY, GOODBYE, OFFER, START, SUICIDE_HELP, Flow
from ivr.heard import Command, Heard, Kind
from ivr.nodes import (
    Branch,
    End,
    Listener,
    Menu,
    Message,
    NumberEntry,
    Question,
    SpokenAnswer,
    Task,
    VoiceMessage,
)
from ivr.position import Circumstances, Position, Promise

PATIENCE = 2  # silences, or answers not understood, in a row at one node before the call goes on elsewhere
LONGEST_CALL = 200  # turns; a line left open beside a radio ends some day


@dataclass(frozen=True)
class CallbackDetails:
    """What is known about a callback: stored when it is asked for and again whenever more is known."""

    outcome: str
    urgency: int
    number: str | None
    language: str | None
    answers: Mapping[str, str]
    flags: tuple[str, ...]
    is_confirmed: bool  # the caller heard this number and said that it is right


@dataclass(frozen=True)
class Turn:
    """What we say (names of prompts, in order) and where the call now waits; `enriches` when the callback has grown."""

    position: Position
    says: tuple[str, ...]
    enriches: bool = False


def begin(flow: Flow, circumstances: Circumstances) -> Turn:
    """Answer the phone."""
    return _go(flow, Position(START, office_open=circumstances.office_open), START, circumstances)


def resume(flow: Flow, position: Position, heard: Heard, circumstances: Circumstances) -> Turn:
    """Go on from where the call waits, with what was heard; at an ended call the last words again."""
    node = flow[position.node]
    if not isinstance(node, Listener):
        return _stay(flow, position)
    if position.turn >= LONGEST_CALL:
        return _go(flow, position, GOODBYE, circumstances)
    noted = _note_flags(position, heard.flags)
    turn = _react(flow, node, noted, heard, circumstances)
    grown = noted.flags != position.flags or turn.position.answers != position.answers
    return replace(turn, enriches=turn.enriches or (grown and position.promise is not None))


def resume_task(flow: Flow, turn: Turn, result: str, promise: Promise, circumstances: Circumstances) -> Turn:
    """Go on after the queue has done what a task asked for: `result` is one of the task's exits."""
    task = flow[turn.position.node]
    if not isinstance(task, Task):
        raise TypeError(f"{task.name} is not a task")
    position = replace(turn.position, promise=promise)
    return _go(flow, position, task.exits[result], circumstances, said=turn.says)


def waits_for_queue(flow: Flow, turn: Turn) -> bool:
    """Whether this turn asks for a callback and cannot be spoken before that is done."""
    return isinstance(flow[turn.position.node], Task)


def is_over(flow: Flow, position: Position) -> bool:
    """Whether the line has said goodbye."""
    return isinstance(flow[position.node], End)


def details(flow: Flow, position: Position, caller_number: str | None) -> CallbackDetails:
    """What is to be stored about this caller's callback. Only a finished triage has an outcome of its own."""
    decision = triage.decide(triage.Case.from_answers(position.answers, office_open=position.office_open))
    number, is_confirmed = _number_of(flow, position, caller_number)
    return CallbackDetails(
        outcome=decision.outcome,
        urgency=decision.urgency,
        number=number,
        language=position.language,
        answers=position.answers,
        flags=position.flags,
        is_confirmed=is_confirmed,
    )


def _number_of(flow: Flow, position: Position, caller_number: str | None) -> tuple[str | None, bool]:
    """The number to call back, and whether the caller confirmed it; one that was turned down is never dialled."""
    node = flow[position.node]
    if isinstance(node, Task) and not node.with_number:
        return None, False
    if position.number is not None:
        return position.number, position.answers.get("number_is_right") == "right"
    chosen = position.answers.get("which_number")
    return (None, False) if chosen == "another" else (caller_number, chosen == "this_number")


def _react(flow: Flow, node: Listener, position: Position, heard: Heard, circumstances: Circumstances) -> Turn:
    match heard.kind:
        case Kind.RED_FLAG:
            return _speak_emergency(node, position, heard.flags)
        case Kind.COMMAND:
            return _obey(flow, node, position, Command(heard.value), circumstances)
        case Kind.MATCH:
            return _accept(flow, node, _patient(position), heard.value, circumstances)
        case Kind.NO_INPUT:
            return _after_silence(flow, node, position, circumstances)
        case Kind.NO_MATCH:
            return _after_miss(flow, node, position, heard.value, circumstances)
        case _:
            assert_never(heard.kind)


def _obey(flow: Flow, node: Listener, position: Position, command: Command, circumstances: Circumstances) -> Turn:
    match command:
        case Command.REPEAT:
            return _next(_patient(position), (*position.told, *node.tells, *node.asks))
        case Command.EMERGENCY:
            return _speak_emergency(node, position, ())
        case Command.CALLBACK:
            return _ask_for_callback(flow, node, position, circumstances)
        case _:
            assert_never(command)


def _speak_emergency(node: Listener, position: Position, flags: tuple[str, ...]) -> Turn:
    help_for = SUICIDE_HELP if "suicide" in flags else EMERGENCY
    return _next(_patient(position), (help_for, *node.asks))


def _ask_for_callback(flow: Flow, node: Listener, position: Position, circumstances: Circumstances) -> Turn:
    """0 is a request: at the offer it is a yes, and in the middle of the callback's questions it changes nothing."""
    if node.name == OFFER:
        return _accept(flow, node, _patient(position), "yes", circumstances)
    if position.promise is not None:
        if node.gives_up_to in ("callback_reference", GOODBYE):
            return _next(_patient(position), (ALREADY_ASKED, *node.asks))
        return _go(flow, _patient(position), "callback_number", circumstances)
    if node.name.startswith("callback_"):
        return _next(_patient(position), node.asks)
    return _go(flow, replace(_patient(position), agreed=True), CALLBACK, circumstances)


def _accept(flow: Flow, node: Listener, position: Position, value: str, circumstances: Circumstances) -> Turn:
    """An answer that was understood: keep it, and go where it leads."""
    match node:
        case Menu():
            option = next(option for option in node.answers if option.name == value)
            return _go(flow, _remember(node, position, value), option.goto, circumstances)
        case SpokenAnswer():
            answered = replace(position, answers={**position.answers, node.remembers: value})
            return _go(flow, answered, node.goto, circumstances)
        case NumberEntry():
            return _go(flow, replace(position, number=value), node.goto, circumstances)
        case VoiceMessage():
            return _go(flow, position, node.goto, circumstances)
        case _:
            raise TypeError(f"{node.name} takes no answer")


def _remember(node: Menu, position: Position, value: str) -> Position:
    if not isinstance(node, Question):
        return _start_triage_anew(position) if value == "care_now" else position
    if node.remembers == "language":
        return replace(position, language=value)
    kept = replace(position, answers={**position.answers, node.remembers: value})
    match (node.remembers, value):
        case ("call_me", "yes"):
            return replace(kept, agreed=True)
        case ("call_me", "no"):
            return replace(kept, agreed=False)
        case ("which_number", "another") | ("number_is_right", "wrong"):
            return replace(kept, number=None)
        case _:
            return kept


def _start_triage_anew(position: Position) -> Position:
    """Questions about another person or another need begin afresh; what concerns the callback stays."""
    asked = {question.answer for question in triage.QUESTIONS}
    return replace(position, answers={name: value for name, value in position.answers.items() if name not in asked})


def _after_silence(flow: Flow, node: Listener, position: Position, circumstances: Circumstances) -> Turn:
    waiting = replace(position, silences=position.silences + 1, misses=0)
    return _ask_again(flow, node, waiting, waiting.silences, node.no_input, circumstances)


def _after_miss(flow: Flow, node: Listener, position: Position, reason: str, circumstances: Circumstances) -> Turn:
    """An answer not understood; where there is a reason to tell, it is told instead of the general words."""
    waiting = replace(position, misses=position.misses + 1, silences=0)
    if node.name == OFFER:  # only silence ends the call there
        said = node.no_match[min(waiting.misses, PATIENCE) - 1]
        return _next(waiting, (said, *node.asks))
    first = (reason or node.no_match[0], node.no_match[1])
    return _ask_again(flow, node, waiting, waiting.misses, first, circumstances)


def _ask_again(
    flow: Flow,
    node: Listener,
    position: Position,
    attempt: int,
    reprompts: tuple[str, str],
    circumstances: Circumstances,
) -> Turn:
    if attempt < PATIENCE:
        return _next(position, (reprompts[0], *node.asks))
    said = () if node.gives_up_to == GOODBYE else (reprompts[1],)
    return _go(flow, _patient(position), node.gives_up_to, circumstances, said=said)


def _go(flow: Flow, position: Position, name: str, circumstances: Circumstances, *, said: tuple[str, ...] = ()) -> Turn:
    """Walk on from the node `name` until one of them waits, collecting what is said on the way."""
    while True:
        node = flow[name]
        match node:
            case Message():
                said, name = (*said, *node.says), node.goto
            case Branch():
                name = node.decide(position, circumstances)
            case Task():
                return Turn(replace(position, node=name), said)
            case End():
                return _next(replace(position, node=name, told=()), (*said, *node.says))
            case Listener():
                arrived = replace(_patient(position), node=name, told=said)
                return _next(arrived, (*said, *node.tells, *node.asks))
            case _:
                raise TypeError(f"{name} is no kind of node that a call can be in")


def _stay(flow: Flow, position: Position) -> Turn:
    node = flow[position.node]
    return Turn(position, node.says if isinstance(node, End) else ())


def _next(position: Position, says: tuple[str, ...]) -> Turn:
    """A turn of the caller's: every one of them has a number of its own."""
    return Turn(replace(position, turn=position.turn + 1), says)


def _patient(position: Position) -> Position:
    return replace(position, silences=0, misses=0)


def _note_flags(position: Position, flags: tuple[str, ...]) -> Position:
    new = tuple(flag for flag in flags if flag not in position.flags)
    return replace(position, flags=(*position.flags, *new)) if new else position
