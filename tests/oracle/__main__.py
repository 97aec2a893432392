"""The soak of core against oracle, its parts over several processes: `python -m tests.oracle [PROCESSES]`.

Prints a line a part, then how many histories agreed in which time; exits with 1 if any did not.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.oracle.test_random_histories import PARTS, PER_PART

TEST = "tests/oracle/test_random_histories.py::test_core_and_oracle_agree_over_long_histories"


def run(part: int) -> bool:
    """One part in a process of its own."""
    began = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "soak",
        "-p",
        "no:cacheprovider",
        f"{TEST}[{part}]",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    verdict = "agree" if done.returncode == 0 else f"DISAGREE\n{done.stdout}{done.stderr}"
    sys.stdout.write(f"part {part + 1} of {PARTS}: {PER_PART} histories {verdict} ({seconds:.0f} s)\n")
    sys.stdout.flush()
    return done.returncode == 0


def main() -> int:
    processes = int(sys.argv[1]) if len(sys.argv) > 1 else os.cpu_count() or 1
    began = time.monotonic()
    with ThreadPoolExecutor(processes) as pool:
        results = list(pool.map(run, range(PARTS)))
    minutes = (time.monotonic() - began) / 60
    agreed = sum(results) * PER_PART
    sys.stdout.write(f"{agreed} of {PARTS * PER_PART} histories agree, {minutes:.1f} minutes\n")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
