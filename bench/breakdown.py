"""Where the time of one step goes: the line's own functions with a stop-watch around each, in this process, one caller.

The rows follow a step through the rooms. What the web server adds is the difference with the same step over HTTP.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from itertools import islice
from statistics import mean
from typing import Any
from unittest import mock

from flask import Flask

from bench.contest import databases, environment, ours, serve
from bench.load import Crowd
from bench.replay import replay
from bench.served import Setup
from bench.steps import STEPS_A_CALL, Request, calls
from settings import REHEARSAL_AUTH_TOKEN, REHEARSAL_BASE_URL, Settings

# Whatever else the machine does only makes a pass slower, so of several passes the quietest counts.
PASSES, CALLS, WARM_UP = 8, 20, 10
SECONDS = 0.4  # of a pass over HTTP
Spans = Counter[str]

# A span, and the functions that make it up ("module:function" or "module:Class.method"); one that is called by another
# of its own span counts once.
WATCHED = {
    "form": ("ivr.provided:_pairs",),
    "verify": ("ivr.signature:Verifier.verify",),
    "caller": ("ivr.numbers:NumberPolicy.caller",),
    "national": ("ivr.numbers:NumberPolicy.national",),
    "write": ("callbacks.db:Database.write",),
    "unit": ("ivr.switchboard:Switchboard._ring", "ivr.switchboard:Switchboard._answer"),
    "begin": ("callbacks.sqlite_channel:SqliteChannel.begin", "callbacks.postgres_channel:PostgresChannel.begin"),
    "commit": ("callbacks.sqlite_channel:SqliteChannel.commit", "callbacks.postgres_channel:PostgresChannel.commit"),
    "load": ("callbacks.service:open_call", "callbacks.service:find_call"),
    "store": ("callbacks.service:record_step",),
    "listen": ("ivr.switchboard:Switchboard._listen",),
    "decide": ("ivr.conversation:begin", "ivr.conversation:resume"),
    "render": ("ivr.twiml:Renderer.render",),
}


def breakdown(database: str, setup: Setup) -> str:
    """A Markdown table of one step on this database, in microseconds."""
    with databases(database) as (new_database, _):
        spans, total = _in_process(new_database())
        with serve(ours(setup), new_database()) as entry, Crowd(entry.served.port, 1, entry.calls) as crowd:
            crowd.call(SECONDS)
            over_http = min(mean(crowd.call(SECONDS).latencies) for _ in range(PASSES)) / 1e3
    rows = _rows(spans, total, over_http)
    lines = [f"| {what} | {spent:,.0f} | {spent / over_http:.0%} |" for what, spent in rows]
    head = [f"**{database}**", "", "| of one step | µs | share |", "|---|--:|--:|"]
    return "\n".join([*head, *lines, f"| **a step, over HTTP** | **{over_http:,.0f}** | |"])


def _rows(spans: Spans, total: float, over_http: float) -> list[tuple[str, float]]:
    worked = spans["begin"] + spans["unit"] + spans["commit"]
    inside = spans["load"] + spans["listen"] + spans["decide"] + spans["store"] + spans["national"]
    outside = spans["form"] + spans["verify"] + spans["caller"] + spans["write"] + spans["render"]
    return [
        ("the web server and the socket", over_http - total),
        ("Flask: routing, request, response", total - outside),
        ("reading the form", spans["form"]),
        ("the signature and the checks", spans["verify"]),
        ("the caller's number: may we dial it, how is it spoken", spans["caller"] + spans["national"]),
        ("handing the unit to the writing thread and back", spans["write"] - worked),
        ("the writers' turn, BEGIN", spans["begin"]),
        ("loading the call (SELECT)", spans["load"]),
        ("listening and deciding", spans["listen"] + spans["decide"]),
        ("storing the step (INSERT)", spans["store"]),
        ("positions to JSON and back, the reply", spans["unit"] - inside),
        ("COMMIT, until it is on the disk", spans["commit"]),
        ("rendering (from what is kept)", spans["render"]),
    ]


def _in_process(url: str) -> tuple[Spans, float]:
    """Mean microseconds of every span, and of a whole step, with the application in this process."""
    from app import create_app

    env = environment(url) | {"PUBLIC_BASE_URL": REHEARSAL_BASE_URL}
    app = create_app(Settings.from_env(env))
    house = app.extensions["zorglijn"]
    house.database.migrate()
    script = calls(REHEARSAL_BASE_URL, REHEARSAL_AUTH_TOKEN)
    for _ in replay(app, islice(script, WARM_UP)):
        pass
    passes = [_measure(app, list(islice(script, CALLS))) for _ in range(PASSES)]
    house.database.close()
    return min(passes, key=lambda measured: measured[1])


def _measure(app: Flask, script: Sequence[Sequence[Request]]) -> tuple[Spans, float]:
    spans: Spans = Counter()
    running: set[str] = set()
    with ExitStack() as stack:
        for span, functions in WATCHED.items():
            for function in functions:
                stack.enter_context(_watched(function, span, spans, running))
        spent = sum(answered.took for answered in replay(app, script))
    steps = len(script) * STEPS_A_CALL
    return Counter({span: ns // steps // 1000 for span, ns in spans.items()}), spent / steps / 1e3


@contextmanager
def _watched(name: str, span: str, spans: Spans, running: set[str]) -> Iterator[None]:
    """Put a stop-watch around one function; one that is not there (any more) is left out."""
    module, _, path = name.partition(":")
    owner: Any = __import__(module, fromlist=["_"])
    *classes, function = path.split(".")
    for one in classes:
        owner = getattr(owner, one)
    original: Callable[..., Any] | None = getattr(owner, function, None)
    if original is None:
        yield
        return

    @wraps(original)
    def timed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  whatever the function takes and gives
        if span in running:
            return original(*args, **kwargs)
        running.add(span)
        began = time.perf_counter_ns()
        try:
            return original(*args, **kwargs)
        finally:
            spans[span] += time.perf_counter_ns() - began
            running.discard(span)

    with mock.patch.object(owner, function, timed):
        yield
