"""The margin core for a notebook: plain dictionaries of the public contract in, alerts out.

book = Book()
book.event({"account": "A1", "ts": 1743989400000, "id": "1", "kind": "opening", "cash": "20000", ...})
book.price("600000.SH", "8.00", ts=1743989460000)
book.session("settled", "2025-04-07", ts=1744012800000)
book.ratio("A1"), book.account("A1"), book.alerts("margin.calls")
print("\n".join(book.explain("A1:2025-04-07:1:1").lines()))
"""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from agents.core import Output, Segment
from agents.explain import EXPLAINED, Explanation, explain
from agents.margin.desk import ShardConfig
from agents.margin.shard import MarginShard
from agents.market.conflate import conflate_quotes, conflate_trades
from schemas import BadRecord, decode
from schemas.account_decoding import decode_account_events
from schemas.batch_decoding import decode_quotes, decode_trades
from schemas.batches import MarkBatch
from schemas.topics import ACCOUNT_EVENTS, ACCOUNT_ORDERS, COMMANDS

Record = dict[str, Any]


class Book:
    """One shard without any broker. Every method that feeds it returns the alerts it caused, as records of
    the contract.

    A record that the processor would send to `dead.letters` raises BadRecord here. Prices are evaluated at
    once, as live.
    """

    def __init__(self, liquidation: str = "propose", **settings: Any) -> None:
        self.core = MarginShard(ShardConfig(liquidation=liquidation, **settings))
        self._said: list[Output] = []
        self._told: list[tuple[str, Record]] = []
        self._fed = 0

    def event(self, record: Record) -> list[Record]:
        """An account event of any kind (topic account.events)."""
        decoded = decode_account_events([orjson.dumps(record)], None)
        if decoded.bad:
            raise decoded.bad[0][1]
        return self._keep(self.core.apply_events(self._segment(ACCOUNT_EVENTS, batch=decoded.batch)))

    def reference(self, topic: str, record: Record) -> list[Record]:
        """A record of `reference.securities`, `reference.actions` or `reference.rules`."""
        value = orjson.dumps(record)
        decode(topic, value)
        self._told.append((topic, record))
        return self._keep(self.core.apply_events(self._segment(topic, values=[value])))

    def command(self, record: Record) -> list[Record]:
        """An operator's word (topic commands)."""
        return self.reference(COMMANDS, record)

    def order(self, record: Record) -> Record:
        """A request of an account (topic account.orders); its decision."""
        return self.reference(ACCOUNT_ORDERS, record)[-1]

    def price(self, security: str, price: str | int, ts: int, qty: int = 1) -> list[Record]:
        """A trade."""
        return self.trade({"security": security, "ts": ts, "price": price, "qty": qty})

    def trade(self, record: Record) -> list[Record]:
        """A record of market.trades."""
        decoded = decode_trades([orjson.dumps(record)], None)
        if decoded.bad:
            raise decoded.bad[0][1]
        return self._marks(conflate_trades(decoded.batch, self._offset()))

    def quote(self, record: Record) -> list[Record]:
        """A record of market.quotes."""
        decoded = decode_quotes([orjson.dumps(record)], None)
        if decoded.bad:
            raise decoded.bad[0][1]
        return self._marks(conflate_quotes(decoded.batch, self._offset()))

    def session(self, phase: str, date: str, ts: int, market: str = "ALL") -> list[Record]:
        """A phase of the day, a halt, or the clock (topic market.session)."""
        record = {"ts": ts, "date": date, "market": market, "phase": phase}
        return self._keep(self.core.apply_session(decode("market.session", orjson.dumps(record))))

    def account(self, name: str) -> Record:
        """An account now: state, lines, open call, evidence. Raises KeyError for one never opened."""
        return self.core.account(name)

    def ratio(self, name: str) -> str | None:
        """Maintenance ratio (维持担保比例), None while the account owes nothing."""
        ratio: str | None = self.core.account(name)["ratio"]
        return ratio

    def alerts(self, topic: str | None = None) -> list[Record]:
        """Everything said so far, of one topic or of all."""
        return [output.value for output in self._said if topic in (None, output.topic)]

    def explain(self, alert_id: str) -> Explanation:
        """The arithmetic of a call, a plan, an order or a decision, line by line. Raises KeyError for an id
        that was not said.
        """
        said = [(output.topic, output.value) for output in self._said]
        for topic, value in reversed(said):
            if topic in EXPLAINED and value.get("id") == alert_id:
                return explain(topic, value, [*said, *self._told], self.core.desk.rules)
        raise KeyError(alert_id)

    def _marks(self, marks: MarkBatch) -> list[Record]:
        return self._keep(self.core.apply_marks(marks, evaluate=True))

    def _offset(self) -> NDArray[np.int64]:
        self._fed += 1
        return np.array([self._fed - 1], dtype=np.int64)

    def _segment(self, topic: str, **content: Any) -> Segment:
        offsets = self._offset()
        nothing, ts = np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.int64)
        return Segment((topic, 0), offsets, ts, nothing, offsets, **content)

    def _keep(self, outputs: list[Output]) -> list[Record]:
        for output in outputs:
            if output.topic == "dead.letters":
                raise BadRecord(output.value.get("field", ""), output.value["reason"])
        self._said += outputs
        return [output.value for output in outputs]
