"""Rows of an Arrow table as JSON texts, built column by column.

A recorded day of 200,000 opening books becomes JSON without a Python object per field: every column is
turned into text by Arrow, fragments ``"name":value`` are joined by row, nulls are left out. Money is
written as a decimal string, dates as ``"YYYY-MM-DD"``, book levels as ``[[price, qty], ...]``, just as the
contract spells them.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from streams.days.columns import LEVELS

_PAIRS = frozenset({"bid", "ask"})


def json_rows(table: pa.Table, leave_out: Sequence[str] = ("key",)) -> list[bytes]:
    """One JSON object per row of ``table``, UTF-8, fields in column order, nulls absent; columns
    ``leave_out`` are dropped."""
    if table.num_rows == 0:
        return []
    names = [
        name
        for name in table.column_names
        if name not in leave_out and not pa.types.is_null(table.schema.field(name).type)
    ]
    columns = [_texts(table.column(name).combine_chunks(), pairs=name in _PAIRS) for name in names]
    rows: list[bytes] = _objects(names, columns, table.num_rows).cast(pa.large_binary()).to_pylist()
    return rows


def _join(*parts: pa.Array | str, separator: str = "", nulls: str = "emit_null") -> pa.Array:
    operands = [pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(
        *operands, pa.scalar(separator, pa.large_string()), null_handling=nulls
    )


def _objects(names: Sequence[str], columns: Sequence[pa.Array], rows: int) -> pa.Array:
    """``{"name":value,...}`` per row; a null value leaves its name out."""
    # Arrow's null_handling="skip" drops rows whose every operand is null, so one operand is never null.
    never_null = pa.array([""] * rows, pa.large_string())
    fragments = [_join(f',"{name}":', texts) for name, texts in zip(names, columns, strict=True)]
    body = _join(never_null, *fragments, nulls="skip")
    return _join(pc.binary_replace_slice(body, start=0, stop=1, replacement="{"), "}")


def _texts(column: pa.Array, *, pairs: bool = False) -> pa.Array:
    """JSON text of each value of ``column`` as large strings, null where it is null."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode(), pairs=pairs)
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return column.cast(pa.large_string())
    if pa.types.is_decimal(kind) or pa.types.is_date(kind):
        return _quoted(column.cast(pa.large_string()))
    if pa.types.is_floating(kind):
        return pa.array(
            [None if v is None else orjson.dumps(v).decode() for v in column.to_pylist()], pa.large_string()
        )
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _string_texts(column)
    if pa.types.is_map(kind):
        items = [None if v is None else orjson.dumps(dict(v)).decode() for v in column.to_pylist()]
        return pa.array(items, pa.large_string())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _list_texts(column, pairs=pairs or kind == LEVELS)
    if pa.types.is_struct(kind):
        return _struct_texts(column)
    raise ValueError(f"a column of type {kind} has no JSON form here")


def _quoted(texts: pa.Array) -> pa.Array:
    return _join('"', texts, '"')


def _string_texts(column: pa.Array) -> pa.Array:
    plain = column.cast(pa.large_string())
    awkward = pc.any(pc.match_substring_regex(plain, r'["\\\x00-\x1f]')).as_py()
    if not awkward:
        return _quoted(plain)
    return pa.array(
        [None if v is None else orjson.dumps(v).decode() for v in plain.to_pylist()], pa.large_string()
    )


def _list_texts(column: pa.Array, *, pairs: bool) -> pa.Array:
    compact = pa.concat_arrays([column])
    values = compact.flatten()
    items = _pair_texts(values) if pairs and pa.types.is_struct(values.type) else _texts(values)
    offsets = compact.value_lengths()
    ends = pc.cumulative_sum(pc.fill_null(offsets, 0)).cast(pa.int64())
    starts = pa.concat_arrays([pa.array([0], pa.int64()), ends])
    joined = pc.binary_join(pa.LargeListArray.from_arrays(starts, items), pa.scalar(",", pa.large_string()))
    wrapped = _join("[", joined, "]")
    return pc.if_else(compact.is_valid(), wrapped, pa.scalar(None, pa.large_string()))


def _pair_texts(values: pa.Array) -> pa.Array:
    first, second = (_texts(values.field(i)) for i in range(2))
    return _join("[", first, ",", second, "]")


def _struct_texts(column: pa.Array) -> pa.Array:
    names = [column.type.field(i).name for i in range(column.type.num_fields)]
    texts = _objects(names, [_texts(part) for part in column.flatten()], len(column))
    return pc.if_else(column.is_valid(), texts, pa.scalar(None, pa.large_string()))
