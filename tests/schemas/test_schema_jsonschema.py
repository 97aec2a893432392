"""The JSON Schema files are those of the event classes, and agree with the decoder on the examples."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas import encode
from schemas.events import CLASSES
from schemas.jsonschema import FOLDER, render, topic_schema
from schemas.topics import PUBLIC_TOPICS
from tests.schemas import examples
from tests.schemas.event_strategies import of_class
from tests.schemas.test_schema_events import BAD_TRADES, _with


@pytest.mark.parametrize("topic", PUBLIC_TOPICS)
def test_the_file_of_a_topic_is_current(topic: str) -> None:
    text = (FOLDER / f"{topic}.json").read_text(encoding="utf-8")
    assert text == render(topic), "run: python -m schemas.jsonschema"
    Draft202012Validator.check_schema(orjson.loads(text))


def test_there_is_a_file_for_every_public_topic_and_no_other() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{topic}.json" for topic in PUBLIC_TOPICS}


@pytest.mark.parametrize(("topic", "record"), examples.ALL)
def test_an_example_validates(topic: str, record: examples.Json) -> None:
    Draft202012Validator(topic_schema(topic)).validate(record)


@pytest.mark.parametrize(
    ("topic", "cls"), [(topic, cls) for topic, classes in CLASSES.items() for cls in classes]
)
@given(data=st.data())
@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_written_validates(topic: str, cls: type, data: st.DataObject) -> None:
    written = orjson.loads(encode(data.draw(of_class(cls))))
    Draft202012Validator(topic_schema(topic)).validate(written)


# Decimals of a JSON number are beyond JSON Schema, and Python's `$` lets a final newline pass.
SEEN = [case for case in BAD_TRADES if case[1] not in (1.2345, "600519.SH\n")]


@pytest.mark.parametrize(("field", "value", "reason"), SEEN)
def test_a_bad_trade_does_not_validate(field: str, value: Any, reason: str) -> None:
    record = _with(examples.RECORDS["market.trades"], field, 10.0**25 if value == 10**25 else value)
    assert not Draft202012Validator(topic_schema("market.trades")).is_valid(orjson.loads(record))
