"""Publishing events: validated, keyed, sent to the partition where they belong, acknowledged by all replicas.

    async with Publisher() as publisher:
        await publisher.publish("market.trades", {"security": "600519.SH", "ts": ts, "price": 9, "qty": 1})

Leaving the block waits for the acknowledgements. Trades, quotes and account events can travel as binary
frames, many events in one record (`frames=True`), for throughput.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Self

import orjson

from schemas import BadRecord, decode, encode
from schemas.account_decoding import decode_account_events
from schemas.batch_decoding import Decoded, decode_quotes, decode_trades
from schemas.batches import AccountBatch, QuoteBatch, TradeBatch
from schemas.frames import CONTENT_TYPE_FRAME, encode_account_events, encode_quotes, encode_trades
from schemas.topics import TOPICS
from streams.errors import PublishError, UsageError
from streams.headers import CONTENT_TYPE, Headers
from streams.routes import Routes, key_field, record_key
from streams.sending import Sender
from streams.settings import Settings, load
from streams.topics import check_topics

FRAME_ROWS = 512
"""Events in a frame; openings are long, so `FRAME_BYTES` of their JSON end one earlier."""
FRAME_BYTES = 256 * 1024

Event = Mapping[str, Any] | bytes | str | object
"""What can be published: a dict, JSON text, or an event of `schemas`."""

_BATCHED: dict[str, Callable[[Sequence[bytes], None], Decoded[Any]]] = {
    "market.trades": decode_trades,
    "market.quotes": decode_quotes,
    "account.events": decode_account_events,
}


class BadLineError(PublishError):
    """A record was refused before it was sent; `number` is its place among those given, from 1."""

    def __init__(self, number: int, bad: BadRecord) -> None:
        super().__init__(f"line {number}: {bad}")
        self.number = number
        self.bad = bad


class Publisher:
    """Publishes to the input topics of the contract; a context manager.

    `frames`: trades, quotes and account events as binary frames. `validate=False` sends whatever is
    given, as a client of another make would; the processor answers with a dead letter.
    """

    def __init__(
        self, settings: Settings | None = None, *, frames: bool = False, validate: bool = True
    ) -> None:
        self._settings = settings or load()
        self._frames = frames
        self._validate = validate
        self._sender = Sender(self._settings)
        self._routes: Routes | None = None

    async def __aenter__(self) -> Self:
        """Connect; BrokerError without a broker, TopicError when its topics are not those of the settings."""
        self._routes = Routes(await check_topics(self._settings))
        await self._sender.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        await self._sender.__aexit__(kind, *rest)

    @property
    def acknowledged(self) -> dict[tuple[str, int], int]:
        """Next offset after the last acknowledged record, by (logical topic, partition) published to here."""
        return self._sender.acknowledged

    async def flush(self) -> None:
        """Return once everything published is acknowledged; PublishError if something was refused."""
        await self._sender.flush()

    async def publish(self, topic: str, event: Event, *, headers: Headers | None = None) -> None:
        """Publish one event; BadLineError (a PublishError) names field and reason when it is not valid.

        Returns as soon as the record is queued; `flush`, or leaving the block, waits for the
        acknowledgement.
        """
        await self.publish_many(topic, [event], headers=headers)

    async def publish_many(
        self,
        topic: str,
        events: Sequence[Event],
        *,
        headers: Headers | None = None,
        numbers: Sequence[int] | None = None,
    ) -> None:
        """Publish several events in order; those before a bad one are sent, the bad one and the rest are not.

        `numbers` are the line numbers to name in a complaint (default: from 1).
        """
        check_input_topic(topic)
        values = [_json(event) for event in events]
        try:
            if not self._validate:
                await self._send_unchecked(topic, values, headers or [])
            elif topic in _BATCHED:
                await self._send_batch(topic, values, headers or [])
            else:
                await self._send_singles(topic, values, headers or [])
        except BadLineError as bad:
            if numbers is None:
                raise
            raise BadLineError(numbers[bad.number - 1], bad.bad) from None

    async def _send_unchecked(self, topic: str, values: Sequence[bytes], headers: Headers) -> None:
        for value in values:
            key, partition = self._guess(topic, value)
            await self._put(topic, partition, key, value, headers)

    def _guess(self, topic: str, value: bytes) -> tuple[bytes | None, int]:
        """Key and partition of a record that may be anything."""
        try:
            parsed = orjson.loads(value)
        except orjson.JSONDecodeError:
            return None, 0
        key = record_key(topic, parsed) if isinstance(parsed, dict) else None
        return (None, 0) if key is None else self._place(topic, key)

    async def _send_singles(self, topic: str, values: Sequence[bytes], headers: Headers) -> None:
        name = key_field(topic)
        for number, value in enumerate(values, 1):
            try:
                key = getattr(decode(topic, value), name)
            except BadRecord as bad:
                raise BadLineError(number, bad) from None
            bytes_key, partition = self._place(topic, key or "*")
            await self._put(topic, partition, bytes_key, value, headers)

    async def _send_batch(self, topic: str, values: Sequence[bytes], headers: Headers) -> None:
        decoded = _BATCHED[topic](values, None)
        first_bad = min(decoded.bad, default=None, key=lambda bad: bad[0])
        good = len(values) if first_bad is None else first_bad[0]
        batch = decoded.batch if first_bad is None else decoded.batch.take(decoded.record < good)
        if self._frames:
            await self._send_frames(topic, batch, headers)
        else:
            places = self._places(topic, batch)
            for value, row in zip(values[:good], batch.column(key_field(topic)).tolist(), strict=True):
                key, partition = places[row]
                await self._put(topic, partition, key, value, headers)
        if first_bad is not None:
            raise BadLineError(first_bad[0] + 1, first_bad[1])

    async def _send_frames(
        self, topic: str, batch: TradeBatch | QuoteBatch | AccountBatch, headers: Headers
    ) -> None:
        places = self._places(topic, batch)
        rows_of: dict[int, list[int]] = {}
        for row, pooled in enumerate(batch.column(key_field(topic)).tolist()):
            rows_of.setdefault(places[pooled][1], []).append(row)
        headers = [*headers, (CONTENT_TYPE, CONTENT_TYPE_FRAME)]
        for partition, rows in rows_of.items():
            for part in _frame_parts(batch, rows):
                await self._put(topic, partition, None, _frame(batch.take(part)), headers)

    def _places(
        self, topic: str, batch: TradeBatch | QuoteBatch | AccountBatch
    ) -> dict[int, tuple[bytes, int]]:
        """Kafka key and partition by index of the key in the batch's pool."""
        used = set(batch.column(key_field(topic)).tolist())
        return {index: self._place(topic, batch.strings[index]) for index in used}

    def _place(self, topic: str, key: str) -> tuple[bytes, int]:
        assert self._routes is not None, "the publisher is used inside its context"
        return self._routes.place(topic, key)

    async def _put(
        self, topic: str, partition: int, key: bytes | None, value: bytes, headers: Headers
    ) -> None:
        # Almost always there is room: no coroutine is made then.
        if not self._sender.offer(topic, partition, key, value, headers):
            await self._sender.send(topic, partition, key, value, headers)


def check_input_topic(topic: str) -> None:
    """UsageError for a topic that nobody but the processor writes, or that does not exist."""
    if topic not in TOPICS or TOPICS[topic].direction != "in":
        inputs = ", ".join(name for name, known in TOPICS.items() if known.direction == "in")
        raise UsageError(f"{topic} is not a topic that people publish to", advice=f"Those are: {inputs}")


def _json(event: Event) -> bytes:
    if isinstance(event, bytes):
        return event
    if isinstance(event, str):
        return event.encode()
    if is_dataclass(event):
        return encode(event)
    return orjson.dumps(event, default=_plain)


def _plain(value: object) -> str:
    """Exact decimals and dates in a dict of the caller's."""
    if isinstance(value, Decimal | date):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _frame_parts(batch: TradeBatch | QuoteBatch | AccountBatch, rows: list[int]) -> list[list[int]]:
    """`rows` cut into frames of at most `FRAME_ROWS` events and about `FRAME_BYTES` of original JSON."""
    if not isinstance(batch, AccountBatch):
        return [rows[at : at + FRAME_ROWS] for at in range(0, len(rows), FRAME_ROWS)]
    sizes = (batch.raw_end - batch.raw_start).tolist()
    parts: list[list[int]] = [[]]
    size = 0
    for row in rows:
        if parts[-1] and (len(parts[-1]) == FRAME_ROWS or size + sizes[row] > FRAME_BYTES):
            parts.append([])
            size = 0
        parts[-1].append(row)
        size += sizes[row]
    return parts


def _frame(batch: TradeBatch | QuoteBatch | AccountBatch) -> bytes:
    if isinstance(batch, TradeBatch):
        return encode_trades(batch)
    if isinstance(batch, QuoteBatch):
        return encode_quotes(batch)
    return encode_account_events(batch)
