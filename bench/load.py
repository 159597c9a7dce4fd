"""The callers: as many as wanted at once, each waiting for an answer before the next key, over connections kept open.

One thread and non-blocking sockets, so that measuring takes little of the machine that is measured. An answer counts
only if it is a 200 with TwiML that leads to the very turn the step should lead to.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bench.steps import Request

PATIENCE_SECONDS = 15.0  # what the provider waits; after that an answer is no answer
_LENGTH = re.compile(rb"[Cc]ontent-[Ll]ength: *(\d+)")
_TWIML = re.compile(rb"[Cc]ontent-[Tt]ype: *text/xml")


@dataclass
class Sample:
    """What one stretch of calling gave: latencies in nanoseconds of the right answers, and what went wrong."""

    seconds: float
    in_time: int = 0  # right answers within the seconds; those that were still on their way count as answered only
    latencies: list[int] = field(default_factory=list)
    failures: int = 0
    first_failure: str = ""
    own_cpu_seconds: float = 0.0  # of this process: what measuring itself costs

    @property
    def answered(self) -> int:
        """How many steps were answered rightly."""
        return len(self.latencies)

    def fail(self, what: str) -> None:
        """Count a failure and keep the first one's words."""
        self.failures += 1
        self.first_failure = self.first_failure or what


class Caller:
    """One phone: a connection, the call it is in, and how far."""

    def __init__(self, address: tuple[str, int], calls: Iterator[list[Request]]) -> None:
        self._address = address
        self._calls = calls
        self._call: Iterator[Request] = iter(())
        self._received = b""
        self._request = Request(b"", b"")
        self.started = 0
        self.waits = False
        self.line = self._connect()

    def speak(self) -> None:
        """Send the next request: of this call, or of a new one when it is over."""
        request = next(self._call, None)
        if request is None:
            self._call = iter(next(self._calls))
            request = next(self._call)
        self._request, self._received, self.waits = request, b"", True
        self.started = time.perf_counter_ns()
        self.line.send(request.wire)  # two kilobytes into an empty buffer: never in parts

    def listen(self) -> str | None:
        """Read what came: None while the answer is incomplete, "" when it is right, else what is wrong with it."""
        try:
            part = self.line.recv(65536)
        except OSError as error:
            return f"the connection broke: {error}"
        if not part:
            return "the connection was closed without an answer"
        self._received += part
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = _LENGTH.search(head)
        if length is None:
            return f"an answer without a length: {head!r}"
        if len(body) < int(length[1]):
            return None
        return self._judge(head, body)

    def reconnect(self) -> None:
        """Give this call up and begin on a fresh connection."""
        self.line.close()
        self._call, self.line = iter(()), self._connect()

    def _judge(self, head: bytes, body: bytes) -> str:
        self.waits = False
        if head.startswith(b"HTTP/1.1 200 ") and _TWIML.search(head) and self._request.expects in body:
            return ""
        return f"wanted {self._request.expects!r}, got {head[:60]!r} {body[:300]!r}"

    def _connect(self) -> socket.socket:
        line = socket.create_connection(self._address, timeout=PATIENCE_SECONDS)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setblocking(False)
        return line


class Crowd:
    """Callers who call at once; use it as a context manager."""

    def __init__(self, port: int, callers: int, calls: Iterator[list[Request]]) -> None:
        self._selector = selectors.DefaultSelector()
        self._callers = [Caller(("127.0.0.1", port), calls) for _ in range(callers)]
        for caller in self._callers:
            self._selector.register(caller.line, selectors.EVENT_READ, caller)

    def call(self, seconds: float) -> Sample:
        """Keep calling for so long, then wait for the last answers."""
        sample, cpu = Sample(seconds), time.process_time()
        end = time.perf_counter_ns() + int(seconds * 1e9)
        for caller in self._callers:
            caller.speak()
        waiting = len(self._callers)
        while waiting:
            events = self._selector.select(PATIENCE_SECONDS)
            if not events:
                waiting -= self._give_up(sample)
            for key, _ in events:
                waiting -= self._hear(key.data, sample, end)
        sample.own_cpu_seconds = time.process_time() - cpu
        return sample

    def _hear(self, caller: Caller, sample: Sample, end: int) -> bool:
        """Take what this caller hears; whether they hang on no longer."""
        wrong = caller.listen()
        if wrong is None:
            return False
        now = time.perf_counter_ns()
        if wrong:
            sample.fail(wrong)
            if caller.waits:
                self._reconnect(caller)
        else:
            sample.latencies.append(now - caller.started)
            sample.in_time += now <= end
        if now >= end:
            return True
        caller.speak()
        return False

    def _give_up(self, sample: Sample) -> int:
        """Nobody heard anything for as long as the provider would wait: the end, for all who still wait."""
        silent = [caller for caller in self._callers if caller.waits]
        for caller in silent:
            sample.fail(f"no answer within {PATIENCE_SECONDS:.0f} s")
            self._reconnect(caller)
        return len(silent)

    def _reconnect(self, caller: Caller) -> None:
        self._selector.unregister(caller.line)
        caller.waits = False
        caller.reconnect()
        self._selector.register(caller.line, selectors.EVENT_READ, caller)

    def close(self) -> None:
        """Hang up."""
        for caller in self._callers:
            caller.line.close()
        self._selector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
