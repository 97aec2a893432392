"""What the README says is so: its commands run, and print what it shows."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.cli import COMMANDS
from streams.settings import DESCRIPTIONS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"<!-- tested: (\w+) -->\n```(\w+)\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)
BLOCKS = {name: (language, code, shown) for name, language, code, shown in _BLOCK.findall(README)}
SECONDS = 300


def environment(folder: Path) -> dict[str, str]:
    """A command `liangrong` on the path, no settings of the outside, announcements in `folder`."""
    command = folder / "bin" / "liangrong"
    if not command.exists():
        command.parent.mkdir()
        command.write_text(
            f'#!/bin/sh\nexec {sys.executable} -c "from streams.cli import main; main()" "$@"\n'
        )
        command.chmod(0o755)
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("KAFKA_", "LIANGRONG_"))}
    return kept | {
        "PATH": f"{command.parent}:{kept['PATH']}",
        "PYTHONPATH": str(ROOT),
        "XDG_RUNTIME_DIR": str(folder),
        "LIANGRONG_CHECKPOINTS": str(folder / "checkpoints"),
        "LIANGRONG_WEB": "127.0.0.1:0",
    }


@contextmanager
def worker(folder: Path) -> Iterator[None]:
    """`liangrong worker` with a broker of its own, holding its partitions."""
    log = folder / "worker.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            ["liangrong", "worker"], env=environment(folder), cwd=folder, stdout=out, stderr=out
        )
        try:
            subprocess.run(
                ["bash", "-c", f"until grep -q 'holds partition 8' {log}; do sleep 0.2; done"],
                check=True,
                timeout=SECONDS,
            )
            yield
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0, log.read_text()


def run(block: str, folder: Path) -> str:
    """Run a block of the README and return what it prints."""
    language, code, _ = BLOCKS[block]
    program = ["bash", "-e", "-c"] if language == "sh" else [sys.executable, "-c"]
    done = subprocess.run(
        [*program, code], env=environment(folder), cwd=folder, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def assert_shown(block: str, printed: str, *, exact: bool = True) -> None:
    """Every line that the README shows was printed; `...` stands for lines left out.

    Not `exact`: numbers and hashes may be others, since rules and books of the day move on.
    """
    lines = {_comparable(line, exact) for line in printed.splitlines()}
    for line in BLOCKS[block][2].splitlines():
        assert line.strip() == "..." or _comparable(line, exact) in lines, f"{line!r} is not in\n{printed}"


def _comparable(line: str, exact: bool) -> str:
    line = line.rstrip()
    return line if exact else re.sub(r"\b[0-9a-f]{64}\b|[\d,.]*\d", "#", re.sub(r" +", " ", line))


def test_a_call_from_the_command_line_its_cure_from_python_and_requests_before_the_trade(
    tmp_path: Path,
) -> None:
    with worker(tmp_path):
        for block in ("cli", "python", "gate"):
            assert_shown(block, run(block, tmp_path))


def test_books_run_and_replay_of_the_shipped_days(tmp_path: Path) -> None:
    with worker(tmp_path):
        assert_shown("replay", run("replay", tmp_path), exact=False)


def test_every_command_and_setting_stands_in_the_readme() -> None:
    for name, (_, text) in COMMANDS.items():
        assert f"| `liangrong {name}` | {text} |" in README
    for name, text in DESCRIPTIONS.items():
        assert f"| `{name}` | {text} |" in README


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", README))))
def test_links_lead_to_files(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:schemas|agents|streams|tests|deploy)/[\w./]*)`", README)))
)
def test_files_that_are_named_exist(path: str) -> None:
    assert (ROOT / path).exists()
