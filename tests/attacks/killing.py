"""Calls that go on while the server is killed, the callers' own journal of them, and the verdict over what was stored.

A caller writes down every complete answer, and repeats a request that had none, as it was. The verdict compares that
journal with the database, row by row: `bench.kills` and `test_killed_server` both call it.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import Connection, select

from callbacks import call_log, service
from callbacks.db import Database
from tests.attacks.wire import Answer, Unanswered, Wire, about
from tests.servers import ROOT, RunningServer

GIVE_UP_SECONDS = 60.0
CONFIRMED = "Uw vraag is bewaard"  # prompts/nl/callback_queued
LINKED = "U had ons al gevraagd"  # prompts/nl/callback_linked
SHARED_NUMBERS = tuple(f"+3161111110{digit}" for digit in range(4))  # some people call again, or share a phone


@dataclass(frozen=True)
class Story:
    """What a caller presses, one key or number a turn; the turn that agrees, and the one that is confirmed."""

    keys: tuple[str, ...]
    agrees: int | None = None
    confirms: int | None = None
    is_withheld: bool = False

    @property
    def wants_callback(self) -> bool:
        """Whether this caller is to be called back in the end."""
        return self.agrees is not None


STORIES = (
    Story(("1", "0", "1", "1", "1", "1", "3", "1", "2"), agrees=2, confirms=4),
    Story(("1", "1", "3", "1", "3", "3", "4", "2", "2", "1", "1", "2", "2", "1", "2", "2"), agrees=10, confirms=11),
    Story(("1", "0", "1", "0687654321", "1", "1", "1", "3", "1", "2"), agrees=2, confirms=5, is_withheld=True),
    Story(("1", "0", "1", "2", "0687654321", "2", "0687654329", "1", "2", "2"), agrees=2, confirms=8),
    Story(("1", "2", "1", "1", "1", "2", "1")),
    Story(("1", "3", "1", "2", "2", "1", "2")),
)


@dataclass
class Call:
    """One call in the callers' journal: what was sent, and every answer that came back whole."""

    sid: str
    story: Story
    from_: str
    stops_after: int  # turns; the caller is then gone for good and nobody tells the line
    sent: int = -1
    answers: list[Answer] = field(default_factory=list)  # by turn, that of the ring first
    ended: bool = False  # the news of the end was taken
    is_spoilt: bool = False  # the line apologised and hung up

    @property
    def answered(self) -> int:
        """The newest turn whose answer came back whole; 0 is the ring."""
        return len(self.answers) - 1

    @property
    def heard_confirmation(self) -> bool:
        """Whether the line said that the request is kept."""
        return any(CONFIRMED in answer.body or LINKED in answer.body for answer in self.answers)

    @property
    def has_agreed(self) -> bool:
        """Whether the line has answered a yes, so that it knows."""
        return self.story.agrees is not None and self.answered >= self.story.agrees

    @property
    def may_have_agreed(self) -> bool:
        """Whether a yes was sent at all, answered or not."""
        return self.story.agrees is not None and self.sent >= self.story.agrees

    @property
    def reference(self) -> str | None:
        """The reference that was heard, if it was."""
        for answer in self.answers:
            found = re.search(r"Uw code is:?((?:\W*\d)+)", re.sub(r"<[^>]+>", " ", answer.body))
            if found:
                return re.sub(r"\D", "", found[1])
        return None


@dataclass
class Caller:
    """A caller who calls again and again, and repeats what was not answered."""

    port: int
    dice: random.Random
    enough: Event
    journal: list[Call] = field(default_factory=list)
    repeats: int = 0
    error: BaseException | None = None

    def run(self) -> None:
        """Call until it is enough; the last call is brought to its end."""
        wire = Wire(self.port)
        try:
            while not self.enough.is_set():
                self._call(wire)
        except BaseException as error:  # noqa: BLE001  a thread has nobody to raise to: the verdict looks at it
            self.error = error
        finally:
            wire.close()

    def _call(self, wire: Wire) -> None:
        story = self.dice.choice(STORIES)
        stops = self.dice.randrange(1, len(story.keys)) if self.dice.random() < 0.25 else len(story.keys)
        shared = self.dice.random() < 0.2
        own = "anonymous" if story.is_withheld else f"+316{self.dice.randrange(20_000_000, 50_000_000)}"
        number = self.dice.choice(SHARED_NUMBERS) if shared and not story.is_withheld else own
        call = Call(f"CA{self.dice.getrandbits(128):032x}", story, number, stops)
        self.journal.append(call)
        self._ask(wire, call, "/voice/incoming", {})
        for keys in story.keys[:stops]:
            action = call.answers[-1].action
            if action is None:
                call.is_spoilt = True
                return
            self._ask(wire, call, action, {"Digits": keys})
        if stops == len(story.keys) and self.dice.random() < 0.5:
            self._tell(wire, call)

    def _ask(self, wire: Wire, call: Call, target: str, form: Mapping[str, str]) -> None:
        call.sent += 1
        answer = self._until_answered(wire, target, about(call.sid, call.from_, **form))
        call.answers.append(answer)

    def _tell(self, wire: Wire, call: Call) -> None:
        self._until_answered(wire, "/voice/status", about(call.sid, call.from_, CallStatus="completed"))
        call.ended = True

    def _until_answered(self, wire: Wire, target: str, form: list[tuple[str, str]]) -> Answer:
        end = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                answer = wire.post(target, form)
            except Unanswered:
                if time.monotonic() > end:
                    raise
                self.repeats += 1
                time.sleep(0.02)
            else:
                if answer.status != 200:
                    raise AssertionError(f"{target}: {answer.status}")
                return answer


@dataclass(frozen=True)
class Run:
    """What a run of kills has shown."""

    kills: int
    calls: int
    answered_steps: int
    confirmed: int
    abandoned_after_agreeing: int
    repeats: int
    spoilt: int
    swept: str
    seconds: float
    problems: Sequence[str]

    def __str__(self) -> str:
        return (
            f"{self.kills} kills in {self.seconds:.0f} s: {self.calls} calls, {self.answered_steps} answered steps, "
            f"{self.confirmed} confirmed callbacks, {self.abandoned_after_agreeing} callers gone after agreeing, "
            f"{self.repeats} requests repeated, {self.spoilt} calls apologised for, {self.swept}; "
            f"{len(self.problems)} problems"
        )


def run(
    env: Mapping[str, str],
    *,
    kills: int,
    seed: int,
    callers: int = 6,
    longest_life: float = 0.8,
    progress: Callable[[int], None] = lambda _: None,
) -> Run:
    """Call the line on the database of `env`, kill it that often at random moments, and compare what is left.

    `longest_life` (seconds) is how long the server lives at most before it is killed.
    """
    dice, began, enough = random.Random(seed), time.monotonic(), Event()
    server = RunningServer({})
    server = RunningServer({**env, "PUBLIC_BASE_URL": server.url}, server.port)
    with server:
        crowd = [Caller(server.port, random.Random(dice.getrandbits(64)), enough) for _ in range(callers)]
        threads = [Thread(target=caller.run, daemon=True) for caller in crowd]
        for thread in threads:
            thread.start()
        for kill in range(1, kills + 1):
            time.sleep(dice.uniform(0.05, longest_life))
            server.kill_hard()
            server.start()
            progress(kill)
        enough.set()
        for thread in threads:
            thread.join(GIVE_UP_SECONDS)
        problems = [f"a caller gave up: {caller.error!r}" for caller in crowd if caller.error is not None]
        problems += ["a caller hangs" for thread in threads if thread.is_alive()]
        journal = [call for caller in crowd for call in caller.journal]
        problems += _other_answers_now(server.port, dice.sample(journal, min(40, len(journal))))
    swept = sweep(env)
    problems += verdict(env["DATABASE_URL"], journal)
    return Run(
        kills=kills,
        calls=len(journal),
        answered_steps=sum(len(call.answers) for call in journal),
        confirmed=sum(call.heard_confirmation for call in journal),
        abandoned_after_agreeing=sum(call.has_agreed and not call.heard_confirmation for call in journal),
        repeats=sum(caller.repeats for caller in crowd),
        spoilt=sum(call.is_spoilt for call in journal),
        swept=swept,
        seconds=time.monotonic() - began,
        problems=problems,
    )


def sweep(env: Mapping[str, str]) -> str:
    """Run `zorglijn sweep` over calls that have been silent for no time at all; what it says."""
    command = [str(Path(sys.executable).parent / "zorglijn"), "sweep", "--idle-minutes", "0"]
    inherited = {"PATH": "/usr/bin:/bin", **env}
    return subprocess.run(command, env=inherited, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _other_answers_now(port: int, calls: Sequence[Call]) -> list[str]:
    """Every request of these calls once more: the same words must come back."""
    problems, wire = [], Wire(port)
    for call in calls:
        target: str | None = "/voice/incoming"
        for turn, answer in enumerate(call.answers):
            form = {"Digits": call.story.keys[turn - 1]} if turn else {}
            again = wire.post(target or "", about(call.sid, call.from_, **form))
            if again != answer and not call.is_spoilt:
                problems.append(f"{call.sid} turn {turn}: another answer the second time: {again} instead of {answer}")
            target = answer.action
    wire.close()
    return problems


def verdict(database_url: str, journal: Sequence[Call]) -> list[str]:
    """Everything in which the database disagrees with what the callers were told; empty is well."""
    database = Database(database_url)
    try:
        stored = database.read(_stored)
    finally:
        database.close()
    known = {call.sid for call in journal}
    problems = [f"{sid}: nobody made this call" for sid in stored if sid not in known]
    for call in journal:
        problems += [f"{call.sid}: {problem}" for problem in _compare(call, stored.get(call.sid, Stored()))]
    return problems


@dataclass
class Stored:
    """What the database holds of one call."""

    ended: bool = False
    steps: dict[int, str | None] = field(default_factory=dict)
    doubled: int = 0
    callbacks: list[str] = field(default_factory=list)


def _stored(connection: Connection) -> dict[str, Stored]:
    names, found = dict[int, str](), dict[str, Stored]()
    for row in connection.execute(select(call_log.calls)):
        names[row.id] = row.sid
        found[row.sid] = Stored(ended=row.ended_at is not None)
    for row in connection.execute(select(call_log.steps)):
        call = found[names[row.call_id]]
        call.doubled += row.number in call.steps
        call.steps[row.number] = row.digits
        json.loads(row.position)
    for row in connection.execute(select(service.callbacks)):
        found[names[row.call_id]].callbacks.append(row.reference)
    taken = Counter(reference for call in found.values() for reference in call.callbacks)
    for call in found.values():
        call.doubled += sum(taken[reference] > 1 for reference in call.callbacks)
    return found


def _compare(call: Call, stored: Stored) -> list[str]:
    problems = []
    for turn in range(call.answered + 1):
        pressed = call.story.keys[turn - 1] if turn else None
        if turn not in stored.steps and not call.is_spoilt:
            problems.append(f"turn {turn} was answered and is lost")
        elif stored.steps.get(turn) != pressed and not call.is_spoilt:
            problems.append(f"turn {turn}: pressed {pressed}, stored {stored.steps.get(turn)}")
    if stored.doubled:
        problems.append("something is stored twice")
    if any(turn > call.sent for turn in stored.steps):
        problems.append("a step that nobody took")
    if not stored.ended and stored.steps:
        problems.append("never ended")
    return problems + _compare_callbacks(call, stored)


def _compare_callbacks(call: Call, stored: Stored) -> list[str]:
    problems = []
    promised = call.heard_confirmation or call.has_agreed
    if promised and not stored.callbacks:
        problems.append("a callback was promised and is lost")
    if len(stored.callbacks) > 1:
        problems.append("called back twice")
    if stored.callbacks and not call.may_have_agreed:
        problems.append("a callback that nobody agreed to")
    if call.reference is not None and call.reference not in stored.callbacks:
        problems.append(f"the reference heard was {call.reference}")
    expected = call.story.confirms
    if expected is not None and call.answered >= expected and not call.heard_confirmation and not call.is_spoilt:
        problems.append("no confirmation was heard: this story no longer fits the flow")
    return problems
