"""The servers that the other tests rely on: they keep what was committed, start afresh and leave nothing behind."""

import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psycopg
import pytest

from tests.servers import PrivatePostgres, RunningServer, ServerError, free_port, living_members

SILENT_SERVER = """
    import http.server, os, sys

    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

    print("secret", os.environ.get("SECRET"), "colour", os.environ.get("COLOUR"), flush=True)
    if os.environ.get("WORKER") and os.fork() == 0:
        import time
        time.sleep(600)
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[3])), Health).serve_forever()
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a small web server where `zorglijn serve` is looked for."""
    program = tmp_path / "zorglijn"
    program.write_text(f"#!{sys.executable}\n{textwrap.dedent(SILENT_SERVER)}", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    return program


def test_a_stopped_postgres_comes_back_on_its_port_with_its_data(stoppable_postgres: PrivatePostgres) -> None:
    url = stoppable_postgres.create_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    stoppable_postgres.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    stoppable_postgres.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_killed_postgres_keeps_what_was_committed(stoppable_postgres: PrivatePostgres) -> None:
    url = stoppable_postgres.create_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    stoppable_postgres.kill_hard()
    stoppable_postgres.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_only_who_knows_the_password_enters_postgres(postgres_server: PrivatePostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://zorglijn:guessed@127.0.0.1:{postgres_server.port}/postgres")


def test_postgres_dies_with_the_process_that_started_it() -> None:
    story = (
        "from tests.servers import PrivatePostgres as P; s = P().start(); print(s.port, s._home, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", story], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        port, home = starter.stdout.readline().split()
        starter.send_signal(signal.SIGKILL)
    pid_file = Path(home) / "data" / "postmaster.pid"
    end = time.monotonic() + 10
    while pid_file.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not pid_file.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host="127.0.0.1", port=int(port), connect_timeout=2)
    shutil.rmtree(home)


@pytest.mark.parametrize("time_of_day", ["morning", "afternoon"])
def test_every_test_gets_an_empty_database(database_url: str, time_of_day: str) -> None:
    if database_url.startswith("sqlite:///"):
        assert not Path(database_url.removeprefix("sqlite:///")).exists()
        return
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE once (moment text)")


@pytest.mark.server
def test_a_killed_server_takes_its_workers_along(stand_in: Path) -> None:
    with RunningServer({"WORKER": "yes"}) as server:
        group = server.pid
        assert len(living_members(group)) == 2
        server.kill_hard()
        assert living_members(group) == []
        server.start()
        assert server.output.count("secret None") == 2


@pytest.mark.server
def test_a_server_sees_only_the_environment_it_is_given(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "of the developer")
    with RunningServer({"COLOUR": "green"}) as server:
        assert server.output.startswith("secret None colour green")


@pytest.mark.server
def test_a_server_that_fails_says_what_it_printed(stand_in: Path) -> None:
    stand_in.write_text("#!/bin/sh\necho no database here\nexit 3\n", encoding="utf-8")
    with pytest.raises(ServerError, match=r"ended with 3:\n.*no database here"), RunningServer({}):
        pass


@pytest.mark.server
def test_a_server_that_never_answers_is_given_up_and_killed(stand_in: Path) -> None:
    stand_in.write_text("#!/bin/sh\nsleep 600\n", encoding="utf-8")
    server = RunningServer({}, free_port())
    with pytest.raises(ServerError, match="did not answer within 0 s"):
        server.start(deadline=0.3)
    with pytest.raises(ServerError, match="not running"):
        _ = server.pid
    server.close()
