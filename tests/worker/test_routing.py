"""Orders and custody statements live where their account lives, whichever partition a client chose."""

from __future__ import annotations

import orjson
import pytest
from aiokafka import ConsumerRecord

from schemas.routing import home_partition
from streams.worker.intake import ORIGIN_OFFSET, ORIGIN_PARTITION, Run, take_in

PARTITIONS = 8
ORDER = {"account": "A1", "ts": 1744000000000, "id": "o1", "business": "withdraw_cash", "amount": "1"}
ORDER |= {"order_type": "limit"}
STATEMENT = {"account": "A1", "date": "2025-04-07", "cash": "1", "positions": []}
HOME = home_partition("A1", PARTITIONS)


def consumed(topic: str, partition: int, value: dict[str, object]) -> Run:
    raw = orjson.dumps(value)
    record = ConsumerRecord(topic, partition, 5, 1000, 0, b"A1", raw, None, 2, len(raw), ())
    return Run((topic, partition), 5, 6, [record])


@pytest.mark.parametrize(("topic", "value"), [("account.orders", ORDER), ("reference.custody", STATEMENT)])
def test_at_home_it_is_taken(topic: str, value: dict[str, object]) -> None:
    taken = take_in(consumed(topic, HOME, value), PARTITIONS)
    assert (len(taken.input), taken.forwards, taken.letters) == (1, [], [])


@pytest.mark.parametrize(("topic", "value"), [("account.orders", ORDER), ("reference.custody", STATEMENT)])
def test_elsewhere_a_copy_goes_home_with_its_origin(topic: str, value: dict[str, object]) -> None:
    elsewhere = (HOME + 1) % PARTITIONS
    taken = take_in(consumed(topic, elsewhere, value), PARTITIONS)
    assert len(taken.input) == 0
    assert taken.pending() == {5}
    (forward,) = taken.forwards
    assert (forward.topic, forward.partition, forward.value) == (topic, HOME, orjson.dumps(value))
    assert dict(forward.headers) == {ORIGIN_PARTITION: b"%d" % elsewhere, ORIGIN_OFFSET: b"5"}


def test_a_bad_order_becomes_a_dead_letter_wherever_it_was_published() -> None:
    taken = take_in(consumed("account.orders", 0, ORDER | {"business": "gamble"}), PARTITIONS)
    assert [letter.value["field"] for _, letter in taken.letters] == ["business"]
