"""What `liangrong subscribe` prints of an alert: one line that says what matters of its topic."""

from __future__ import annotations

import pytest

from schemas.topics import TOPICS
from streams.cli.subscribe import describe
from streams.subscriber import ALERT_TOPICS, Alert

AT = {"ts": 1_743_989_460_000}
WHEN = "2025-04-07 09:31:00.000"


def line(topic: str, key: str, **value: object) -> str:
    return describe(Alert(topic, key, AT | value, 0, 0, 0))


@pytest.mark.parametrize(
    ("topic", "key", "value", "shown"),
    [
        ("margin.calls", "A1", {"event": "called", "reason": "ratio"}, "event=called reason=ratio"),
        ("margin.ratios", "A1", {"level": "unpriced", "unpriced": ["1", "2"]}, "level=unpriced unpriced=1,2"),
        ("liquidation.orders", "A1", {"event": "plan", "needed": "5.00"}, "event=plan needed=5.00"),
        ("system.events", "hold", {"kind": "hold", "text": "plans wait"}, "plans wait"),
        ("dead.letters", "m/0/1", {"field": "qty", "reason": "is missing"}, "field=qty  is missing"),
        ("financing.balances", "600000.SH", {"security": "600000.SH", "accounts": 2}, "accounts=2"),
    ],
)
def test_a_line_says_what_matters_of_its_topic(
    topic: str, key: str, value: dict[str, object], shown: str
) -> None:
    assert line(topic, key, **value) == f"{WHEN}  {topic}  {key}  {shown}"


def test_every_alert_topic_has_a_line() -> None:
    for topic in ALERT_TOPICS:
        assert TOPICS[topic].direction == "out"
        assert line(topic, "k") == f"{WHEN}  {topic}  k"
