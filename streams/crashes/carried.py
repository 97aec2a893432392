"""Prices that the package carries: facts taken from public collections, in a form of our own.

``streams.crashes.extracts`` says how they were taken, the JSON file beside each where from.
"""

from __future__ import annotations

from importlib.resources import files

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from streams.days.writer import DayLabel


def carried_label(name: str) -> DayLabel:
    """Origin and licence of the prices ``name``."""
    text = orjson.loads(files("streams").joinpath("data", f"{name}.json").read_bytes())
    return DayLabel(text["origin"], text["licence"], tuple(text["notes"]))


def carried_table(name: str) -> pa.Table:
    """The prices ``name``, one row a bar."""
    with files("streams").joinpath("data", f"{name}.parquet").open("rb") as source:
        return pq.read_table(source)
