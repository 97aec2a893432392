"""A broker as a child process: started, watched, and ended with the process that owns it, even by SIGKILL.

On Linux the child asks the kernel for a signal at its parent's death (`PR_SET_PDEATHSIG`). That signal
follows the *thread* that started the child, so each child has a thread of its own, which lives as long as
the child does and watches it. Elsewhere the child is ended when the interpreter exits.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Self

from streams.errors import BrokerError

# The parent is compared after the request, for the case that it died in between.
_LAUNCH = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    os._exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""
_TAIL_BYTES = 4000


class BrokerProcess:
    """One child process and its output; use `stop()` or a `with` block to end it."""

    def __init__(self, name: str, command: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
        """Start `command` (its first word an absolute path); BrokerError when it cannot be executed."""
        self.name = name
        self._command = list(command)
        self._env = dict(env) if env is not None else None
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._started = threading.Event()
        self._failure: OSError | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watchers: list[Callable[[int], None]] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"{name} broker", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            raise BrokerError(f"cannot start the {name} broker: {self._failure}")
        atexit.register(self.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The child's process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the child still runs."""
        return self._process is not None and self._process.poll() is None

    def on_death(self, watcher: Callable[[int], None]) -> None:
        """Call `watcher(exit code)` from the watching thread if the child ends without `stop()`."""
        self._watchers.append(watcher)

    def tail(self) -> str:
        """The last lines the child wrote."""
        size = os.fstat(self._output.fileno()).st_size
        start = max(0, size - _TAIL_BYTES)
        return os.pread(self._output.fileno(), _TAIL_BYTES, start).decode(errors="replace").strip()

    def wait_until_listening(self, port: int, seconds: float, *, says: str = "") -> None:
        """Return once the loopback port is served and the child wrote `says`; BrokerError if it never is."""
        deadline = time.monotonic() + seconds
        while says not in self.tail() or not accepts_connections("127.0.0.1", port):
            if not self.alive:
                raise BrokerError(f"the {self.name} broker ended while starting:\n{self.tail()}")
            if time.monotonic() > deadline:
                self.stop()
                raise BrokerError(f"the {self.name} broker is not up after {seconds:g} s:\n{self.tail()}")
            time.sleep(0.005)
        if not self.alive:
            raise BrokerError(f"the {self.name} broker ended; another process listens on port {port}")

    def stop(self, seconds: float = 10.0) -> None:
        """Ask the child to end, insist after `seconds`; may be called again."""
        self._stopping = True
        atexit.unregister(self.stop)
        process = self._process
        if process is None or process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        self._thread.join(seconds)
        if self._thread.is_alive():
            with suppress(ProcessLookupError):
                process.kill()
            self._thread.join()

    def _run(self) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                self._launched(),
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                env=self._env,
                start_new_session=True,  # Ctrl-C in a terminal is for the owner, who then ends the child
            )
        except OSError as error:
            self._failure = error
            return
        finally:
            self._started.set()
        code = self._process.wait()
        if not self._stopping:
            for watcher in self._watchers:
                watcher(code)

    def _launched(self) -> list[str]:
        if not sys.platform.startswith("linux"):
            return self._command
        return [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *self._command]


def accepts_connections(host: str, port: int, seconds: float = 1.0) -> bool:
    """Whether something listens there."""
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return True
    except OSError:
        return False


def free_port() -> int:
    """A loopback port that was free a moment ago; the caller copes with losing it to somebody quicker."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    """Whether the loopback port can be listened on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def process_alive(pid: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
