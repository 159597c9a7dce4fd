"""A web server with one of the contestants in it, and the processor time that it takes.

Every contestant gets the same server with the same numbers of processes and threads. `contest` starts them side by
side; the one that nobody calls costs nothing.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers import ROOT, ServerError, free_port

START_SECONDS = 30.0
STOP_SECONDS = 10.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Setup:
    """Which web server, with how many worker processes and how many threads in each."""

    server: str = "granian"
    workers: int = 2
    threads: int = 8
    reuse_port: bool = True

    def __str__(self) -> str:
        shared = "" if self.reuse_port or self.server == "granian" else ", one socket for all"
        return f"{self.server} {self.workers} x {self.threads}{shared}"

    def command(self, factory: str, port: int) -> list[str]:
        """The command that serves the application made by `factory` ("module:function")."""
        program = str(Path(sys.executable).parent / self.server)
        workers = ["--workers", str(self.workers)]
        if self.server == "granian":
            quiet = ["--log-level", "error", "--no-access-log"]
            threads = ["--blocking-threads", str(self.threads)]
            address = ["--host", "127.0.0.1", "--port", str(port)]
            return [
                program,
                "--interface",
                "wsgi",
                "--http",
                "1",
                "--factory",
                *quiet,
                *workers,
                *threads,
                *address,
                factory,
            ]
        address = ["--bind", f"127.0.0.1:{port}", *(["--reuse-port"] if self.reuse_port else [])]
        kind = ["--worker-class", "gthread", "--threads", str(self.threads), "--keep-alive", "30"]
        return [program, *kind, *workers, *address, "--log-level", "warning", "--no-control-socket", f"{factory}()"]


class Served:
    """A contestant behind a server of its own on a free port; use it as a context manager."""

    def __init__(self, setup: Setup, factory: str, env: Mapping[str, str], root: Path = ROOT) -> None:
        self._root = root
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._command = setup.command(factory, self.port)
        inherited = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "BENCH_JOURNAL") if name in os.environ
        }
        self._env = {**inherited, **env, "PUBLIC_BASE_URL": self.base_url, "PYTHONPATH": str(root)}
        self._home = Path(tempfile.mkdtemp(prefix="zorglijn-bench-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *self._command],
                cwd=self._root,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._await_start(self._process)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def output(self) -> str:
        """What the server printed: nothing, when all is well."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def cpu_seconds(self) -> float:
        """Processor time that the server's processes have taken until now, user and system."""
        return 0.0 if self._process is None else cpu_seconds(self._process.pid)

    @property
    def _log(self) -> Path:
        return self._home / "log"

    def _await_start(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
                connection.request("GET", "/healthz")  # the rivals have none: any answer will do
                connection.getresponse().read()
                connection.close()
                return
            time.sleep(0.05)
        raise ServerError(f"{' '.join(self._command)} did not answer:\n{self.output}")

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_SECONDS)
        shutil.rmtree(self._home, ignore_errors=True)


def cpu_seconds(root: int) -> float:
    """Processor time of this process and of all that descend from it, user and system."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            pid = int(path.parent.name)
            parents[pid], ticks[pid] = int(fields[1]), int(fields[11]) + int(fields[12])
    return sum(ticks[pid] for pid in ticks if _descends(pid, root, parents)) / _TICKS


def parent_of(pid: int) -> int:
    """The process that started this one."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def _descends(pid: int, root: int, parents: Mapping[int, int]) -> bool:
    while pid not in (root, 0):
        pid = parents.get(pid, 0)
    return pid == root
