"""Which benchmarks there are: the modules `bench_*` of this folder."""

from __future__ import annotations

from pathlib import Path


def chosen(word: str = "") -> list[str]:
    """Names of the benchmarks that contain `word`, in order."""
    names = [path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")]
    return sorted(name for name in names if word in name)
