"""Writing a recorded day: one zstd Parquet file per topic, sorted by ``ts`` then arrival, and ``day.json``.

Files are written beside their final name and renamed, so a day that was interrupted never looks complete:
``day.json`` comes last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.topics import TOPICS
from schemas.units import format_day
from streams.errors import UsageError

FORMAT = 1
"""Version of the directory's form, in ``day.json``."""


@dataclass(frozen=True, slots=True)
class DayLabel:
    """What ``day.json`` says beside the date: where the facts come from and what may be done with them."""

    origin: str
    licence: str
    notes: tuple[str, ...] = ()


def day_directory(parent: Path, day: int) -> Path:
    """``parent/date=YYYY-MM-DD`` of a day number."""
    return parent / f"date={format_day(day)}"


def write_day(
    directory: Path, day: int, tables: Mapping[str, pa.Table], label: DayLabel, *, add: bool = False
) -> Path:
    """Write ``tables`` (by topic) as the recorded day ``directory``; returns it.

    A day that exists already is refused (UsageError) unless ``add`` is true, which adds topics and refuses
    those that are there. Every table has a ``key`` column; rows are put into the order of ``ts`` (stable)
    where they are not.
    """
    label_file = directory / "day.json"
    if label_file.exists() and not add:
        raise UsageError(
            f"{directory} holds a recorded day already",
            advice="name another directory, or remove this one first",
        )
    for topic in tables:
        if topic not in TOPICS:
            raise UsageError(f"{topic} is no topic")
        if topic_file(directory, topic).exists():
            raise UsageError(
                f"{topic_file(directory, topic)} exists already", advice="remove it first to write it anew"
            )
    directory.mkdir(parents=True, exist_ok=True)
    for topic, table in tables.items():
        write_topic(directory, topic, table)
    _write_label(label_file, day, label)
    return directory


def topic_file(directory: Path, topic: str) -> Path:
    """The Parquet file of a topic."""
    return directory / f"{topic}.parquet"


def write_topic(directory: Path, topic: str, table: pa.Table) -> None:
    """Write one topic's table, ordered by ``ts``; strings are dictionary-encoded by Parquet itself."""
    target = topic_file(directory, topic)
    partial = target.with_suffix(".partial")
    pq.write_table(in_time_order(table), partial, compression="zstd", compression_level=6)
    partial.rename(target)


def in_time_order(table: pa.Table) -> pa.Table:
    """``table`` ordered by ``ts``; rows of equal ``ts`` keep their order of arrival. Without ``ts`` it
    stays as it is."""
    if "ts" not in table.column_names or table.num_rows < 2:
        return table
    ts = table.column("ts").to_numpy()
    if (ts[1:] >= ts[:-1]).all():
        return table
    return table.take(pa.array(ts.argsort(kind="stable")))


def _write_label(path: Path, day: int, label: DayLabel) -> None:
    before: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {}
    merged = {
        "format": FORMAT,
        "date": format_day(day),
        "origin": _joined(before.get("origin"), label.origin),
        "licence": _joined(before.get("licence"), label.licence),
        "notes": [
            *before.get("notes", []),
            *(note for note in label.notes if note not in before.get("notes", [])),
        ],
    }
    partial = path.with_suffix(".partial")
    partial.write_bytes(orjson.dumps(merged, option=orjson.OPT_INDENT_2) + b"\n")
    partial.rename(path)


def _joined(before: str | None, now: str) -> str:
    texts: Sequence[str] = [text for text in (before, now) if text]
    return texts[0] if len(set(texts)) == 1 else "; ".join(dict.fromkeys(texts))
