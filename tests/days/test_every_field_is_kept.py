"""A recorded day keeps every field of every event that may be published, smallest and largest values too."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from schemas import encode, fields
from schemas.events import CLASSES
from schemas.records import Nested, RecordSpec, spec_of
from schemas.topics import TOPICS
from schemas.units import parse_day
from streams.days.rowjson import json_rows
from streams.days.tables import event_table
from tests.schemas import examples

PUBLISHED = [(t, cls) for t, classes in CLASSES.items() for cls in classes if TOPICS[t].direction == "in"]


def edge(codec: fields.Codec, *, largest: bool) -> Any:
    """The largest or smallest positive number that a field may hold; of what is no number, any value."""
    if isinstance(codec, fields.Scaled | fields.Whole):
        return codec.maximum if largest else max(1, codec.minimum)
    if isinstance(codec, fields.Text):
        return "600519.SH" if codec is fields.SECURITY else "A1"
    if isinstance(codec, fields.Choice):
        return codec.options[0]
    if isinstance(codec, fields.Listed):
        return (edge(codec.item, largest=largest),)
    if isinstance(codec, Nested):
        return codec.cls(**{f.name: edge(f.codec, largest=largest) for f in spec_of(codec.cls).fields})
    others: dict[type, Any] = {
        fields.Timestamp: examples.TS,
        fields.Flag: True,
        fields.Date: parse_day(examples.DATE),
        fields.Level: (10**10, 10**11) if largest else (1, 1),
        fields.Offsets: {"market.trades-0": 1},
    }
    return others[type(codec)]


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize(("topic", "cls"), PUBLISHED)
def test_each_field_comes_back_from_the_table_of_its_topic(topic: str, cls: type, largest: bool) -> None:
    spec = spec_of(cls)
    for field in spec.fields:
        parts = {f.name: edge(f.codec, largest=largest) for f in spec.fields if f.required or f is field}
        told = orjson.loads(encode(cls(**dict.fromkeys(f.name for f in spec.fields) | parts)))
        (kept,) = json_rows(event_table(topic, [told], ["key"]))
        assert _meant(spec, orjson.loads(kept)) == _meant(spec, told), field.name


def _meant(spec: RecordSpec, record: dict[str, Any]) -> dict[str, Any]:
    """What is read from a record, field by field."""
    decoders = {wire: decode for wire, decode, _ in spec.decoders} | {"kind": str}
    return {name: decoders[name](value) for name, value in record.items() if value is not None}
