"""Events of all public topics: one record's JSON value to a typed event and back."""

from __future__ import annotations

from typing import Any

import orjson

from schemas import alerts, market, reference
from schemas.account import EVENT_CLASSES, KINDS, AccountEvent, Opening
from schemas.commands import Command
from schemas.errors import BadRecord, shown
from schemas.fields import Choice
from schemas.orders import AccountOrder
from schemas.records import decode_object, encode_object
from schemas.topics import TOPICS

VERSION = 1
"""Schema version `v` of a record; 1 when absent."""

CLASSES: dict[str, tuple[type, ...]] = {
    "market.trades": (market.Trade,),
    "market.quotes": (market.Quote,),
    "market.session": (market.Session,),
    "reference.securities": (reference.SecurityReference,),
    "reference.actions": (reference.CorporateAction,),
    "reference.balances": (reference.PublishedBalance,),
    "reference.notices": (reference.Notice,),
    "reference.rules": (reference.RulesReference,),
    "reference.custody": (reference.CustodyStatement,),
    "account.events": tuple(EVENT_CLASSES.values()),
    "account.orders": (AccountOrder,),
    "commands": (Command,),
    "margin.ratios": (alerts.MarginRatio,),
    "margin.calls": (alerts.MarginCall,),
    "liquidation.orders": (alerts.LiquidationOrder, alerts.LiquidationPlan),
    "order.decisions": (alerts.OrderDecision,),
    "security.signals": (alerts.SecuritySignal,),
    "financing.balances": (alerts.FinancingBalance,),
    "dead.letters": (alerts.DeadLetter,),
    "system.events": (alerts.SystemEvent,),
}
"""The event classes of each public topic."""

_KIND = Choice(KINDS)


def parse_json(value: bytes | None) -> dict[str, Any]:
    """A record's value as a JSON object of a known version. Raises `BadRecord`."""
    if not value:
        raise BadRecord("", "is empty, must be a JSON object")
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise BadRecord("", f"is not JSON: {error}") from None
    check_version(parsed)
    return parsed  # type: ignore[no-any-return]


def check_version(parsed: Any) -> None:
    """Refuse what is not an object, and versions from the future."""
    if not isinstance(parsed, dict):
        raise BadRecord("", f"must be a JSON object, got {shown(parsed)}")
    version = parsed.get("v", VERSION)
    if type(version) is not int or version != VERSION:
        raise BadRecord("v", f"is an unknown version: {shown(version)} (known: {VERSION})")


def decode(topic: str, value: bytes | None) -> Any:
    """The typed event of a JSON record of logical `topic`. Raises `BadRecord` with field and reason.

    Raises `KeyError` for a topic without a schema.
    """
    return decode_parsed(topic, parse_json(value))


def decode_parsed(topic: str, parsed: dict[str, Any]) -> Any:
    """The same from an object already parsed; its version is checked again."""
    check_version(parsed)
    return decode_object(class_for(topic, parsed), parsed)


def class_for(topic: str, parsed: dict[str, Any]) -> type:
    """The event class a record of `topic` belongs to."""
    if topic == "account.events":
        return _account_class(parsed)
    classes = CLASSES[topic]
    if topic == "liquidation.orders" and parsed.get("event") == "plan":
        return classes[1]
    return classes[0]


def _account_class(parsed: dict[str, Any]) -> type[AccountEvent]:
    kind = parsed.get("kind")
    if kind is None:
        raise BadRecord("kind", "is missing")
    try:
        return EVENT_CLASSES[_KIND.decode(kind)]
    except BadRecord as bad:
        raise bad.inside("kind") from None


def encode(event: Any) -> bytes:
    """Canonical JSON of a typed event: fields in declaration order, decimals as strings, no blanks."""
    return orjson.dumps(to_json_object(event))


def to_json_object(event: Any) -> dict[str, Any]:
    """The JSON object of a typed event, before it is written."""
    out = encode_object(event)
    kind = getattr(type(event), "kind", None)
    if isinstance(kind, str):
        head = {name: out.pop(name) for name in ("account", "ts", "id")}
        return {**head, "kind": kind, **out}
    return out


def decode_opening(raw: bytes) -> Opening:
    """The books of an `opening` event from the raw bytes kept in an `AccountBatch`. Raises `BadRecord`."""
    return decode_object(Opening, parse_json(raw))


assert set(CLASSES) == {name for name, topic in TOPICS.items() if topic.direction != "internal"}
