"""Records from a file or a pipe: JSON lines, CSV or Parquet, with the line numbers to name a bad one."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from streams.days.columns import column_type
from streams.days.rowjson import json_rows
from streams.errors import UsageError

Chunk = tuple[list[int], list[bytes]]
"""Line numbers from 1 (rows in Parquet, the heading not counted) and the JSON of each."""

CHUNK_ROWS = 2000
_CHUNK_BYTES = 256 * 1024


def read_chunks(path: Path, topic: str) -> Iterator[Chunk]:
    """Records of a file by its suffix: .jsonl, .json, .csv (each also .gz) or .parquet; else UsageError."""
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    kind = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if kind == ".parquet":
        return _parquet_chunks(path)
    if kind not in {".jsonl", ".json", ".ndjson", ".csv"}:
        raise UsageError(
            f"{path}: the name ends in none of .jsonl, .json, .csv (or these with .gz), .parquet"
        )
    return _text_chunks(path, topic, kind)


def _text_chunks(path: Path, topic: str, kind: str) -> Iterator[Chunk]:
    try:
        with _opened(path) as stream:
            yield from csv_chunks(stream, topic) if kind == ".csv" else json_chunks(stream)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(f"{path} cannot be read as gzip: {error}") from error


def json_chunks(stream: IO[bytes]) -> Iterator[Chunk]:
    """JSON lines as they arrive: a chunk is what the pipe holds. Blank lines are passed over."""
    number = 0
    rest = b""
    while block := _available(stream):
        *lines, rest = (rest + block).split(b"\n")
        chunk = _numbered(lines, number)
        number += len(lines)
        if chunk[0]:
            yield chunk
    last = _numbered([rest], number)
    if last[0]:
        yield last


def csv_chunks(stream: IO[bytes], topic: str) -> Iterator[Chunk]:
    """CSV with a heading of field names; empty cells are absent fields, nested fields are JSON in a cell."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    rows = csv.reader(text)
    try:
        head = next(rows, [])
        numbers: list[int] = []
        values: list[bytes] = []
        for row in rows:
            if row:
                numbers.append(rows.line_num)
                values.append(_csv_json(topic, head, row))
            if len(values) == CHUNK_ROWS:
                yield numbers, values
                numbers, values = [], []
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"line {rows.line_num}: this is no CSV in UTF-8: {error}") from error
    if values:
        yield numbers, values


def _available(stream: IO[bytes]) -> bytes:
    read1 = getattr(stream, "read1", stream.read)
    data: bytes = read1(_CHUNK_BYTES)
    return data


def _numbered(lines: list[bytes], before: int) -> Chunk:
    kept = [(before + place, line) for place, line in enumerate(lines, 1) if line.strip()]
    return [number for number, _ in kept], [line.rstrip(b"\r") for _, line in kept]


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


def _parquet_chunks(path: Path) -> Iterator[Chunk]:
    try:
        file = pq.ParquetFile(path)
        done = 0
        for batch in file.iter_batches(batch_size=CHUNK_ROWS):
            table = pa.Table.from_batches([batch])
            values = json_rows(table)
            yield list(range(done + 1, done + 1 + len(values))), values
            done += len(values)
    except (pa.ArrowInvalid, ValueError) as error:
        raise UsageError(f"{path} cannot be read as Parquet: {error}") from error


def _csv_json(topic: str, head: list[str], row: list[str]) -> bytes:
    """A row as JSON. A row of another length keeps what has a name; validation says what is missing."""
    cells = zip(head, row, strict=False)
    return orjson.dumps({name: _cell(topic, name, text) for name, text in cells if text and name != "key"})


def _cell(topic: str, name: str, text: str) -> Any:
    """A cell by the kind of its field. What does not fit stays text, for validation to name it."""
    kind = column_type(topic, name)
    if pa.types.is_integer(kind):
        return int(text) if text.removeprefix("-").isdecimal() and len(text) < 19 else text
    if pa.types.is_boolean(kind):
        return {"true": True, "false": False, "1": True, "0": False}.get(text.lower(), text)
    if pa.types.is_nested(kind):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text
