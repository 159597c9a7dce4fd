"""Real servers of our own: a private PostgreSQL, and the line itself in a process that can be killed.

Tests and benchmarks that must see true durability use these; `conftest` hands them out as fixtures. Both die with
the process that started them, also when that one is killed.
"""

import contextlib
import http.client
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

ROOT = Path(__file__).resolve().parent.parent
START_DEADLINE = 20.0
STOP_DEADLINE = 10.0


class ServerError(RuntimeError):
    """A server did not start, did not stop, or is not installed; the message names what is missing."""


def free_port() -> int:
    """Find a loopback port on which nobody listens just now; another process may still take it first."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class PrivatePostgres:
    """A PostgreSQL server on a free loopback port with a directory of its own; use it as a context manager.

    `stop` and `start` keep the data and the port, so that a test can take the database away and give it back.
    Durability is PostgreSQL's default. Under root it runs as the user postgres, elsewhere as whoever runs the tests.
    """

    def __init__(self) -> None:
        self.port = 0
        self._binaries = postgres_binaries()
        self._home = Path(tempfile.mkdtemp(prefix="zorglijn-postgres-", dir=_reachable_by_postgres()))
        self._password = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        try:
            self._initialise()
        except BaseException:
            self.close()
            raise

    def start(self) -> Self:
        """Start serving, on the port of before if there is one. Raises ServerError with the server's own words."""
        attempts = 1 if self.port else 3
        for attempt in range(1, attempts + 1):
            port = self.port or free_port()
            try:
                self._serve(port)
            except ServerError:
                if attempt == attempts:
                    raise
            else:
                self.port = port
                break
        return self

    def stop(self) -> None:
        """Stop serving: open connections are cut, committed data stays. Harmless when it does not run."""
        _end(self._process, signal.SIGINT)
        self._process = None

    def kill_hard(self) -> None:
        """Take the server away as a power cut would."""
        _end(self._process, signal.SIGQUIT)
        self._process = None

    def close(self) -> None:
        """Stop serving and delete everything."""
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def create_database(self, template: str = "template1") -> str:
        """Make a fresh database, empty or a copy of `template` (a name), and return its URL."""
        self._databases += 1
        name = f"zl_{self._databases}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database that `create_database` made, also when someone is still connected to it."""
        self._administer(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def url(self, database: str = "postgres") -> str:
        """Say under which URL SQLAlchemy and libpq find this database."""
        return f"postgresql://zorglijn:{self._password}@127.0.0.1:{self.port}/{database}"

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _data(self) -> Path:
        return self._home / "data"

    @property
    def _log(self) -> Path:
        return self._home / "log"

    def _initialise(self) -> None:
        password_file = self._home / "password"
        password_file.write_text(self._password, encoding="utf-8")
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            for path in (self._home, password_file):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        command = [str(self._binaries / "initdb"), "-D", str(self._data), "--username=zorglijn", "--auth=password"]
        options = [f"--pwfile={password_file}", "--encoding=UTF8", "--no-locale", "--no-sync"]
        done = subprocess.run(
            [*_as_postgres(), *command, *options], cwd="/", env=self._environment(), capture_output=True, check=False
        )
        if done.returncode:
            raise ServerError(f"initdb failed: {done.stderr.decode(errors='replace')}")

    def _serve(self, port: int) -> None:
        settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"]
        command = [str(self._binaries / "postgres"), "-D", str(self._data)]
        options = [word for setting in settings for word in ("-c", setting)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_as_postgres(), *command, *options],
                cwd="/",
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.port, before = port, self.port
        try:
            _await_start(self._process, self._answers, self._log)
        except BaseException:
            self.port = before
            self.stop()
            raise

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url(), connect_timeout=2):
            return True
        return False

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self._home), "TZ": "UTC", "LC_ALL": "C"}


class RunningServer:
    """The line, served by `zorglijn serve` in processes of its own; use it as a context manager.

    It sees `env` and nothing else of our environment but the paths, so that a developer's settings change no test.
    """

    def __init__(self, env: Mapping[str, str], port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        self._env = inherited | dict(env)
        self._home = Path(tempfile.mkdtemp(prefix="zorglijn-server-"))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, deadline: float = START_DEADLINE) -> Self:
        """Serve, and return once `/healthz` answers (`deadline` in seconds). Raises ServerError with the output."""
        command = [str(Path(sys.executable).parent / "zorglijn"), "serve", "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command],
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _await_start(self._process, self._answers, self._log, deadline)
        except BaseException:
            self.kill_hard()
            raise
        return self

    @property
    def output(self) -> str:
        """All that the server printed until now, over all its starts."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    @property
    def pid(self) -> int:
        """Give the process id of the server's master, which is also its process group. Raises ServerError if down."""
        if self._process is None:
            raise ServerError("the server is not running")
        return self._process.pid

    def stop(self) -> None:
        """Ask politely (SIGTERM) and wait; harmless when it does not run. Raises ServerError if it has to be killed."""
        _end(self._process, signal.SIGTERM)
        self._process = None

    def kill_hard(self) -> None:
        """Kill the master and every worker with -9 at once, as the kernel would when memory runs out."""
        _kill_group(self._process)
        self._process = None

    def close(self) -> None:
        """Stop, and delete the output."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self._home, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _log(self) -> Path:
        return self._home / "log"

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.HTTPStatus.OK
        return False


def postgres_binaries() -> Path:
    """Find the directory of initdb and postgres, the newest version where there are several."""
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts[-3].zfill(3))
    if candidates:
        return candidates[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise ServerError("PostgreSQL is not installed: `make test` installs it, or run `apt-get install postgresql`")
    return Path(on_path).resolve().parent


def chromium() -> str | None:
    """Find a browser for Playwright: the system's, else the one that Playwright brought; None when there is neither."""
    installed = shutil.which("chromium") or shutil.which("google-chrome")
    if installed:
        return installed
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _reachable_by_postgres() -> str | None:
    """Under root the directory may not lie in a home that only root may enter, wherever TMPDIR points."""
    return "/tmp" if os.geteuid() == 0 else None  # noqa: S108 - mkdtemp makes a directory that is only ours


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root; and it is to shut down (SIGINT: at once) when we are gone."""
    becoming = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *becoming, "--pdeathsig", "INT"]


def _await_start(
    process: subprocess.Popen[bytes], answers: Callable[[], bool], log: Path, deadline: float = START_DEADLINE
) -> None:
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        if process.poll() is not None:
            raise ServerError(f"the server ended with {process.returncode}:\n{log.read_text(errors='replace')}")
        if answers():
            return
        time.sleep(0.02)
    raise ServerError(f"the server did not answer within {deadline:.0f} s:\n{log.read_text(errors='replace')}")


def _end(process: subprocess.Popen[bytes] | None, polite: signal.Signals) -> None:
    """Send the polite signal and wait; what is left of the process group is killed either way."""
    if process is None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(polite)
    try:
        process.wait(STOP_DEADLINE)
    except subprocess.TimeoutExpired:
        raise ServerError(f"the server was still there {STOP_DEADLINE:.0f} s after {polite.name}") from None
    finally:
        _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes] | None) -> None:
    """Kill the whole group and wait until its ports and locks are free."""
    if process is None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(STOP_DEADLINE)
    end = time.monotonic() + STOP_DEADLINE
    while living_members(process.pid) and time.monotonic() < end:
        time.sleep(0.005)


def living_members(group: int) -> list[int]:
    """List the processes of a process group; those that ended but were not yet collected do not count."""
    living = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _parent, its_group = path.read_text(encoding="utf-8").rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                living.append(int(path.parent.name))
    return living
