"""All benchmarks, one process each: `python -m tests.bench [WORD]` runs those whose name contains WORD."""

from __future__ import annotations

import subprocess
import sys

from tests.bench.choice import chosen


def main(word: str) -> int:
    """Run the chosen benchmarks; the number of those that failed."""
    failed = 0
    for name in chosen(word):
        print(f"--- {name}", flush=True)
        command = [sys.executable, "-m", f"tests.bench.bench_{name}"]
        failed += subprocess.run(command, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
