"""The web server: it finishes what it began, replaces what dies, leaves nothing behind, and limits what it is sent."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attacks.wire import Unanswered, about, raw, signature, wire
from tests.servers import RunningServer, free_port

pytestmark = pytest.mark.server
SID = "CA" + "5" * 32
PATIENCE = 10.0  # seconds


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "line.sqlite3"


@pytest.fixture
def server(database: Path) -> Iterator[RunningServer]:
    """A line that is up."""
    port = free_port()
    env = {"DATABASE_URL": f"sqlite:///{database}", "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}"}
    with RunningServer(env, port) as running:
        yield running


@contextmanager
def turn_taken(database: Path) -> Iterator[None]:
    """Keep the writers' turn, so that a caller's step has to wait."""
    with Path(f"{database}-lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def workers(server: RunningServer) -> list[int]:
    """The processes that the server has started."""
    children = Path(f"/proc/{server.pid}/task").glob("*/children")
    return [int(pid) for listed in children for pid in listed.read_text(encoding="ascii").split()]


def until(is_so: Callable[[], bool]) -> bool:
    """Wait for it, as long as patience lasts."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.02)
    return False


def answers(server: RunningServer) -> bool:
    """Whether somebody answers at the port."""
    try:
        with wire(server.port, timeout=2) as line:
            return line.get("/healthz").status == 200
    except Unanswered:
        return False


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_step_in_flight_is_answered_before_the_server_ends(
    server: RunningServer, database: Path, told: signal.Signals
) -> None:
    process = server._process
    assert process is not None
    with wire(server.port) as idle, wire(server.port) as line, ThreadPoolExecutor(1) as caller:
        assert idle.get("/healthz").status == 200  # a connection that stays open keeps nobody
        with turn_taken(database):
            answer = caller.submit(line.post, "/voice/incoming", about(SID))
            time.sleep(0.5)
            os.kill(server.pid, told)
            time.sleep(0.5)
        assert answer.result(PATIENCE).action == "/voice/turn/1"
        assert process.wait(PATIENCE) == 0
    assert '"level": "error"' not in server.output


def test_a_server_that_has_only_just_started_ends_as_well(server: RunningServer) -> None:
    """A worker that is told to end while it starts must not miss it."""
    for _ in range(4):
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < PATIENCE / 2
        server.start()


def test_workers_that_are_killed_are_replaced_however_often(server: RunningServer) -> None:
    for _ in range(3):
        assert until(lambda: len(workers(server)) == 2)
        for worker in workers(server):
            os.kill(worker, signal.SIGKILL)
        assert until(lambda: answers(server))
    with wire(server.port) as line:
        assert line.post("/voice/incoming", about(SID)).action == "/voice/turn/1"


def test_workers_leave_when_their_server_was_killed(server: RunningServer) -> None:
    os.kill(server.pid, signal.SIGKILL)
    assert until(lambda: not answers(server))


def test_several_workers_answer_at_the_port(server: RunningServer, database: Path) -> None:
    """Each has a writing clerk of its own, and so the database open."""

    def all_have_opened_it() -> bool:
        with wire(server.port) as line:
            line.get("/readyz")
        return all(_has_open(worker, database) for worker in workers(server))

    assert until(all_have_opened_it)


@pytest.mark.parametrize(
    "head, refusals",
    [
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (b"414", b"431")),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", (b"431",)),
        (b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 1000 + b"\r\n", (b"431",)),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (b"400", b"505", b"")),
    ],
    ids=["a long line", "a long header", "many headers", "HTTP/2"],
)
def test_what_no_provider_sends_is_cut_off(server: RunningServer, head: bytes, refusals: tuple[bytes, ...]) -> None:
    answer = raw(server.port, head, hangs_up=False)
    assert answer.partition(b"\r\n")[0].split(b" ")[1:2] in [[status] if status else [] for status in refusals]
    assert answers(server)


def test_an_address_is_verified_as_it_must_be_written(server: RunningServer) -> None:
    """The query to the letter, the path in its normal form."""
    targets: Mapping[str, int] = {
        "/voice/incoming?a=%20b&c=d+e&e=%74": 200,
        "/voice/turn/2%23rc=2": 404,  # signed rightly, but there is no such turn
        "/voice/turn/%C3%A9": 404,
    }
    with wire(server.port) as line:
        for target, status in targets.items():
            assert line.post(target, about(SID)).status == status, target
        sign = signature(line.base_url, "/voice/incoming?a= b", about(SID))
        headers = {"X-Twilio-Signature": sign, "Content-Type": "application/x-www-form-urlencoded"}
        assert line.send("POST", "/voice/incoming?a=%20b", b"CallSid=" + SID.encode(), headers).status == 403


def _has_open(pid: int, path: Path) -> bool:
    return any(os.path.realpath(link) == str(path) for link in Path(f"/proc/{pid}/fd").iterdir())
