"""Reading vendors' CSV files: columns by name, times of the exchange, prices freed of float noise."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
from numpy.typing import NDArray

from schemas.units import SHANGHAI_OFFSET_MS, parse_day
from streams.days.decimals import milli_from_noise
from streams.errors import UserError
from streams.importers.codes import tick_of

_DATE_IN_NAME = re.compile(r"(?<!\d)(20\d{2})[-_.]?([01]\d)[-_.]?([0-3]\d)(?!\d)")


def header(path: Path) -> list[str]:
    """Column names of the first line."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            return [name.strip().strip('"') for name in lines.readline().rstrip("\r\n").split(",")]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error


def read_columns(path: Path, texts: Iterable[str], numbers: Iterable[str]) -> pa.Table:
    """The named columns of a CSV file (plain or gzip): ``texts`` as strings, ``numbers`` as doubles; an
    empty number is null."""
    text_names, number_names = list(dict.fromkeys(texts)), list(dict.fromkeys(numbers))
    types = {**dict.fromkeys(text_names, pa.string()), **dict.fromkeys(number_names, pa.float64())}
    options = pcsv.ConvertOptions(column_types=types, include_columns=[*text_names, *number_names])
    try:
        return pcsv.read_csv(path, convert_options=options)
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error


def date_in_name(path: Path) -> int | None:
    """The day number that a file's name holds (``…_20230201.csv``), if any."""
    found = _DATE_IN_NAME.search(path.name)
    return parse_day("-".join(found.groups())) if found else None


def exchange_ts(dates: pa.ChunkedArray | str, times: pa.ChunkedArray | None) -> NDArray[np.int64]:
    """``ts`` of Shanghai dates (``2023.07.11`` or ``2023-07-11``) and times (``09:25:00.180``), or of both
    in one column."""
    if isinstance(dates, str):
        assert times is not None
        joined = pc.binary_join_element_wise(pa.scalar(dates), times, "T")
    elif times is None:
        joined = dates
    else:
        joined = pc.binary_join_element_wise(dates, times, "T")
    iso = pc.replace_substring_regex(joined, r"^(\d{4})[./](\d{2})[./](\d{2})", r"\1-\2-\3")
    try:
        local = (
            pc.replace_substring(iso, " ", "T", max_replacements=1).cast(pa.timestamp("ms")).cast(pa.int64())
        )
    except pa.ArrowInvalid as error:
        raise UserError(f"a time of the source is not understood: {error}") from error
    return np.asarray(local.to_numpy()) - SHANGHAI_OFFSET_MS


def doubles(table: pa.Table, name: str) -> NDArray[np.float64]:
    """A number column; null becomes 0, which every layout here uses for "none"."""
    return np.asarray(pc.fill_null(table.column(name), 0.0).to_numpy())


def whole(table: pa.Table, name: str) -> NDArray[np.int64]:
    """A column of whole numbers; a fraction is a UserError."""
    values = doubles(table, name)
    rounded = np.rint(values)
    if not (rounded == values).all():
        row = int(np.argmax(rounded != values))
        raise UserError(f"{name}: row {row + 1} holds {values[row]!r}, which is no whole number")
    return rounded.astype(np.int64)


def prices(table: pa.Table, name: str, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    """A price column in 0.001 yuan, float noise rounded to each row's tick (see ``milli_from_noise``)."""
    try:
        return milli_from_noise(doubles(table, name), ticks, name)
    except ValueError as error:
        raise UserError(str(error)) from error


def ticks_of(names: list[str], index: NDArray[np.int32]) -> NDArray[np.int64]:
    """Each row's tick in 0.001 yuan."""
    return np.array([tick_of(name) for name in names], dtype=np.int64)[index]
