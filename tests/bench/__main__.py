"""All benchmarks, one process each: `python -m tests.bench [WORD]` runs those whose name contains WORD."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main(word: str) -> int:
    """Run the modules `bench_*` of this folder; the number of those that failed."""
    failed = 0
    for path in sorted(Path(__file__).parent.glob(f"bench_*{word}*.py")):
        print(f"--- {path.stem.removeprefix('bench_')}", flush=True)
        failed += (
            subprocess.run([sys.executable, "-m", f"tests.bench.{path.stem}"], check=False).returncode != 0
        )
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
