"""The demonstration from start to end, as somebody sees it who has just cloned the repository."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

SECONDS = 240
_LIANGRONG = [sys.executable, "-c", "from streams.cli import main; main()"]
_STAYS = "The demo goes on until Ctrl-C"


def environment(folder: Path) -> dict[str, str]:
    """No settings of the outside, and announcements in a folder of the test's own."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("KAFKA_", "LIANGRONG_"))}
    return kept | {
        "XDG_RUNTIME_DIR": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TERM": "xterm-256color",
    }


def liangrong(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_LIANGRONG, *arguments], env=environment(folder), capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A demo on a terminal of its own, and the other end of that terminal."""
    ours, theirs = pty.openpty()
    demo = subprocess.Popen(
        [*_LIANGRONG, "demo", "--accounts", "1500", "--speed", "max", "--window", "5m"],
        env=environment(tmp_path),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    yield demo, ours
    demo.kill()
    demo.wait()
    os.close(ours)


def read_until(end: int, wanted: str, process: subprocess.Popen[bytes]) -> str:
    """What the terminal shows, without colours, up to the line with `wanted`."""
    text, deadline = b"", time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError):
            text += os.read(end, 65536)
        if wanted.encode() in text or process.poll() is not None:
            break
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.decode(errors="replace"))


def test_on_a_terminal_it_stays_for_other_commands_and_ctrl_c_leaves_nothing_behind(
    terminal: tuple[subprocess.Popen[bytes], int], tmp_path: Path
) -> None:
    demo, end = terminal
    shown = read_until(end, _STAYS, demo)
    assert "2025-04-07 is over: 1,500 accounts" in shown, shown[-3000:]
    assert "forced liquidation" in shown

    (name,) = re.findall(r"liangrong account (\S+)", shown)
    alerts = re.findall(rf"explain ({name}\S+)", shown)
    asked = liangrong(tmp_path, "account", name)
    assert "available margin" in asked.stdout, asked.stderr
    for alert in alerts:
        told = liangrong(tmp_path, "explain", alert)
        assert "Adds up" in told.stdout, told.stdout + told.stderr
    followed = liangrong(
        tmp_path, "subscribe", "margin.calls", "--from-beginning", "--account", name, "--no-follow"
    )
    assert name in followed.stdout

    children = psutil.Process(demo.pid).children(recursive=True)
    assert children, "the broker is a process of the demo"
    demo.send_signal(signal.SIGINT)
    read_until(end, "never shown", demo)
    assert demo.wait(timeout=60) == 0
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
    assert not list(tmp_path.glob("liangrong*"))


def test_without_a_terminal_it_prints_plain_lines_and_ends_after_the_summary(tmp_path: Path) -> None:
    demo = subprocess.run(
        [*_LIANGRONG, "demo", "--accounts", "300", "--speed", "max", "--window", "5m"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert demo.returncode == 0, demo.stderr
    assert "\x1b" not in demo.stdout
    assert re.search(r"^2025-04-07 1\d:\d\d +\d+ %  warn", demo.stdout, re.MULTILINE)
    assert "2025-04-07 is over: 300 accounts" in demo.stdout
    assert not list(tmp_path.glob("liangrong*"))
