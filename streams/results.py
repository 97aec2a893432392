"""What a run published, kept as Parquet: one folder a day, one file a topic, as in a recorded day."""

from __future__ import annotations

import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from agents.core import Output
from schemas.units import format_day
from streams.errors import UsageError

REPORT = "run.json"
UNFINISHED = "run.unfinished"
"""A file that lies in the directory until the run is over."""


class Results:
    """Collects outputs and writes them when a day is done. Lists and objects become JSON text, all else
    stays."""

    def __init__(self, directory: Path) -> None:
        """UsageError if ``directory`` holds anything but an earlier run, which is replaced."""
        self.directory = directory
        self._rows: dict[int, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        if directory.exists() and any(directory.iterdir()):
            if not any((directory / name).exists() for name in (REPORT, UNFINISHED)):
                raise UsageError(
                    f"{directory} is not empty and holds no run", advice="name another --out directory"
                )
            for old in directory.glob("date=*"):
                shutil.rmtree(old)
            (directory / REPORT).unlink(missing_ok=True)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / UNFINISHED).touch()

    def keep(self, day: int, output: Output) -> None:
        """Remember one output of ``day`` (a day number); those of earlier days are written."""
        for done in [other for other in self._rows if other < day]:
            self._write(done)
        self._rows[day][output.topic].append({**output.value, "key": output.key})

    def close(self, report: dict[str, Any]) -> None:
        """Write what is left, and the report, which makes the directory a finished run."""
        for day in list(self._rows):
            self._write(day)
        (self.directory / REPORT).write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
        (self.directory / UNFINISHED).unlink()

    def _write(self, day: int) -> None:
        folder = self.directory / f"date={format_day(day)}"
        folder.mkdir(exist_ok=True)
        for topic, rows in self._rows.pop(day).items():
            names = list(dict.fromkeys(name for row in rows for name in row))
            columns = {name: _column([row.get(name) for row in rows]) for name in names}
            pq.write_table(pa.table(columns), folder / f"{topic}.parquet", compression="zstd")


def _column(values: list[Any]) -> pa.Array:
    nested = any(isinstance(value, list | dict) for value in values)
    if nested:
        return pa.array([None if v is None else orjson.dumps(v).decode() for v in values], pa.string())
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool} or kinds <= {int} or kinds <= {str}:
        return pa.array(values)
    return pa.array([None if v is None else str(v) for v in values], pa.string())
