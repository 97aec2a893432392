"""Money columns of a recorded day: Arrow decimals outside, int64 thousandths of a yuan inside.

Parquet holds money and prices as ``decimal128(18, 3)`` so that any reader (DuckDB, polars, a spreadsheet)
sees yuan, exactly. Inside they are int64 in 0.001 yuan. A decimal128 value with three decimals *is* that
integer in 16 little-endian bytes, so the conversion copies words instead of making a Python object per row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

MONEY_TYPE = pa.decimal128(18, 3)
"""Yuan with three decimals: money up to 10^11 yuan and beyond, far below what 18 digits hold."""


def money_array(milli: NDArray[np.int64], missing: NDArray[np.bool_] | None = None) -> pa.Array:
    """Arrow decimals of ``milli``, int64[n] in 0.001 yuan; rows where ``missing`` is true become null."""
    words = np.empty((len(milli), 2), dtype="<i8")
    words[:, 0] = milli
    words[:, 1] = np.where(milli < 0, -1, 0)
    validity = None
    nulls = 0
    if missing is not None and missing.any():
        nulls = int(missing.sum())
        validity = pa.py_buffer(np.packbits(~missing, bitorder="little").tobytes())
    return pa.Array.from_buffers(MONEY_TYPE, len(milli), [validity, pa.py_buffer(words.tobytes())], nulls)


def milli_column(column: pa.ChunkedArray | pa.Array, absent: int) -> NDArray[np.int64]:
    """int64[n] in 0.001 yuan of a money column; null becomes ``absent``.

    Decimals and strings of up to three decimals, integers (yuan) and doubles that mean a number of at most
    three decimals are read; anything else raises ValueError, never rounds.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    missing = array.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_null(array.type):
        return np.full(len(array), absent, dtype=np.int64)
    if pa.types.is_integer(array.type):
        yuan = pc.fill_null(array, 0).to_numpy(zero_copy_only=False).astype(np.int64)
        return np.where(missing, absent, yuan * 1000).astype(np.int64)
    if pa.types.is_floating(array.type):
        return _from_doubles(pc.fill_null(array, 0.0).to_numpy(zero_copy_only=False), missing, absent)
    try:
        exact = array.cast(MONEY_TYPE)
    except pa.ArrowInvalid as error:
        raise ValueError(f"not a number of at most three decimals: {error}") from error
    words = np.frombuffer(exact.buffers()[1], dtype="<i8")
    values = words[2 * exact.offset : 2 * (exact.offset + len(exact)) : 2].copy()
    values[missing] = absent
    return values


def _from_doubles(values: NDArray[Any], missing: NDArray[np.bool_], absent: int) -> NDArray[np.int64]:
    scaled = np.rint(values * 1000)
    if not (np.isfinite(scaled).all() and (scaled / 1000 == values).all()):
        row = int(np.argmax(~(scaled / 1000 == values)))
        raise ValueError(f"{values[row]!r} is not a number of at most three decimals")
    return np.where(missing, absent, scaled.astype(np.int64)).astype(np.int64)


def milli_from_noise(
    values: NDArray[np.float64], tick: NDArray[np.int64] | int, what: str
) -> NDArray[np.int64]:
    """int64[n] in 0.001 yuan of prices that a vendor wrote as floats, rounded to their tick.

    Sources hold 7.400000000000001 where the exchange said 7.40. The nearest multiple of ``tick`` (0.001
    yuan, scalar or one per row) is taken; a value further than a thousandth of the tick from it is no float
    noise and raises ValueError.
    """
    ticks = np.asarray(tick, dtype=np.int64)
    steps = np.rint(values * 1000 / ticks)
    milli = (steps * ticks).astype(np.int64)
    off = np.abs(values * 1000 - milli) > np.maximum(ticks * 1e-3, np.abs(values) * 1e-9)
    if not np.isfinite(values).all() or off.any():
        row = int(np.argmax(off | ~np.isfinite(values)))
        raise ValueError(f"{what}: row {row + 1} holds {values[row]!r}, which is no multiple of its tick")
    return milli
