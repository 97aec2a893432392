"""Reading a recorded day, whatever mixture of Parquet files, folders of Parquet and JSON lines it is made
of."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.errors import BadRecord
from schemas.topics import TOPICS
from schemas.units import parse_day
from streams.days.rowjson import json_rows
from streams.days.writer import FORMAT, in_time_order
from streams.errors import UsageError

START_OF_DAY = -1
"""``ts`` of a record that has none (reference data): it comes before everything of its day."""

_ADVICE = "a recorded day is a directory date=YYYY-MM-DD with one Parquet file or .jsonl file per topic"


@dataclass(frozen=True, slots=True)
class JsonTopic:
    """Records of one topic as JSON, in publishing order. ``ts`` int64[n]; ``keys`` and ``values`` are n long.

    JSON lines stay exactly the bytes they were, broken ones included: a replay hands them on, and they
    become dead letters where any other broken record would.
    """

    topic: str
    ts: NDArray[np.int64]
    keys: list[bytes]
    values: list[bytes]

    def __len__(self) -> int:
        return len(self.values)


class RecordedDay:
    """One directory ``date=YYYY-MM-DD``. Raises UsageError, naming what is wrong, for anything that is no
    recorded day."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        if not directory.is_dir():
            raise UsageError(f"{directory} is no directory", advice=_ADVICE)
        self.label = _label(directory)
        self.date = _date(directory, self.label)
        self.files = _topic_files(directory)
        if not self.files:
            raise UsageError(f"{directory} holds no file of any topic that is published", advice=_ADVICE)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics the day has records of, in registry order."""
        return tuple(topic for topic in TOPICS if topic in self.files)

    def is_json(self, topic: str) -> bool:
        """Whether the topic is kept as JSON lines."""
        return any(".jsonl" in path.name for path in self.files[topic])

    def table(self, topic: str, columns: list[str] | None = None) -> pa.Table:
        """The topic's Parquet rows in time order; ``columns`` that the files do not have are left out."""
        parts = []
        for path in self.files[topic]:
            try:
                schema = pq.read_schema(path)
                wanted = None if columns is None else [name for name in columns if name in schema.names]
                parts.append(pq.read_table(path, columns=wanted, partitioning=None))
            except (pa.ArrowInvalid, OSError) as error:
                raise UsageError(f"{path} cannot be read as Parquet: {error}") from error
        try:
            return in_time_order(pa.concat_tables(parts, promote_options="permissive"))
        except pa.ArrowInvalid as error:
            raise UsageError(
                f"the Parquet files of {topic} in {self.directory} do not fit together: {error}"
            ) from error

    def json_topic(self, topic: str) -> JsonTopic:
        """The topic's records as JSON, from either form."""
        if self.is_json(topic):
            return _read_json_lines(topic, self.files[topic])
        table = self.table(topic)
        names = table.column_names
        ts = (
            table.column("ts").to_numpy()
            if "ts" in names
            else np.full(table.num_rows, START_OF_DAY, np.int64)
        )
        key_column = "key" if "key" in names else TOPICS[topic].key
        keys = (
            [str(key).encode() for key in table.column(key_column).to_pylist()] if key_column in names else []
        )
        without_ts = ("key",) if _has_ts(topic) else ("key", "ts")
        values = json_rows(table, leave_out=without_ts)
        return JsonTopic(topic, ts.astype(np.int64), keys or [b""] * len(values), values)


def open_days(paths: list[Path]) -> list[RecordedDay]:
    """The recorded days ``paths``, which must be in the order of their dates, each date once."""
    days = [RecordedDay(path) for path in paths]
    dates = [day.date for day in days]
    if any(later <= earlier for earlier, later in pairwise(dates)):
        raise UsageError("recorded days must be named in the order of their dates, each date once")
    return days


def _has_ts(topic: str) -> bool:
    return not topic.startswith("reference.")


def _label(directory: Path) -> dict[str, Any]:
    path = directory / "day.json"
    if not path.exists():
        return {}
    try:
        label = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path} is not JSON: {error}") from error
    if not isinstance(label, dict):
        raise UsageError(f"{path} is no JSON object")
    if label.get("format", FORMAT) != FORMAT:
        raise UsageError(f"{path} names format {label['format']}; this version reads format {FORMAT}")
    return label


def _date(directory: Path, label: dict[str, Any]) -> int:
    name = directory.resolve().name
    if not name.startswith("date="):
        inside = sorted(path.name for path in directory.glob("date=*") if path.is_dir())
        if inside:
            raise UsageError(
                f"{directory} holds days ({', '.join(inside)}) but is none",
                advice=f"name {directory / inside[0]}",
            )
        raise UsageError(f"{directory} is no recorded day: its name is not date=YYYY-MM-DD", advice=_ADVICE)
    try:
        day = parse_day(name.removeprefix("date="))
    except BadRecord as error:
        raise UsageError(f"{directory} is no recorded day: {name!r} names no date", advice=_ADVICE) from error
    if label.get("date", name.removeprefix("date=")) != name.removeprefix("date="):
        raise UsageError(f"{directory / 'day.json'} says {label['date']}, but the directory is {name}")
    return day


def _topic_files(directory: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for topic in (t.name for t in TOPICS.values() if t.direction == "in"):
        parquet = [path for path in (directory / f"{topic}.parquet",) if path.is_file()]
        parquet += sorted((directory / topic).glob("*.parquet")) if (directory / topic).is_dir() else []
        lines = [p for p in (directory / f"{topic}.jsonl", directory / f"{topic}.jsonl.gz") if p.is_file()]
        if parquet and lines:
            raise UsageError(
                f"{directory} has {topic} both as Parquet and as JSON lines", advice="keep one of them"
            )
        if parquet or lines:
            found[topic] = parquet or lines
    return found


def _read_json_lines(topic: str, paths: list[Path]) -> JsonTopic:
    values: list[bytes] = []
    for path in paths:
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        values.extend(line for line in text.splitlines() if line.strip())
    ts = np.empty(len(values), np.int64)
    keys: list[bytes] = []
    key_field = "account" if TOPICS[topic].key.startswith("account") else TOPICS[topic].key
    last = START_OF_DAY
    for row, value in enumerate(values):
        last, key = _place(value, last, key_field)
        ts[row] = last
        keys.append(key)
    order = ts.argsort(kind="stable")
    return JsonTopic(topic, ts[order], [keys[i] for i in order.tolist()], [values[i] for i in order.tolist()])


def _place(value: bytes, last: int, key_field: str) -> tuple[int, bytes]:
    """Where a JSON line belongs: its ``ts`` (that of the line before, when it has none) and its key."""
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError:
        return last, b""
    if not isinstance(event, dict):
        return last, b""
    ts = event.get("ts")
    key = event.get("key", event.get(key_field, ""))
    place = ts if isinstance(ts, int) and not isinstance(ts, bool) and 0 <= ts < 2**62 else last
    return place, key.encode() if isinstance(key, str) else b""
