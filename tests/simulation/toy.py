"""Two small cores with everything that can go wrong.

Order, repetition, marks, latches, fills, totals of a day.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from agents.core import Output, Segment, Snapshot, StateRow
from schemas.batches import MarkBatch
from schemas.market import Session
from schemas.units import format_day

LINE, REARM = 100_000, 10_000
"""A toy account is warned below this value and recovers above the line plus the rest, in 0.001 yuan."""

KINDS_WITH_CASH = {"cash": "amount", "opening": "cash"}


class Marks:
    """The later price and the newer quote of each security."""

    def __init__(self) -> None:
        self.price: dict[str, tuple[tuple[int, int, int], int]] = {}
        self.limit: dict[str, tuple[tuple[int, int], int]] = {}

    def update(self, marks: MarkBatch) -> None:
        for row, code in enumerate(marks.security.tolist()):
            name = marks.securities[code]
            if marks.price_ts[row] >= 0:
                key = (int(marks.price_ts[row]), int(marks.price_kind[row]), int(marks.price_offset[row]))
                self.take_price(name, key, int(marks.price[row]))
            if marks.quote_ts[row] >= 0:
                own = (int(marks.quote_ts[row]), int(marks.quote_offset[row]))
                if name not in self.limit or own > self.limit[name][0]:
                    self.limit[name] = (own, int(marks.limit_up[row]))

    def take_price(self, name: str, key: tuple[int, int, int], price: int) -> None:
        if name not in self.price or key > self.price[name][0]:
            self.price[name] = (key, price)

    def rows(self) -> dict[str, tuple[int, int]]:
        names = sorted(set(self.price) | set(self.limit))
        return {n: (self.price.get(n, (0, -1))[1], self.limit.get(n, (0, -1))[1]) for n in names}


class ToyShard:
    """Accounts with cash and holdings; an order-sensitive fingerprint of everything that was applied."""

    def __init__(self, shard: int) -> None:
        self.shard = shard
        self.state: dict[str, Any] = {
            "cash": {},
            "qty": {},
            "low": {},
            "episode": {},
            "fills": {},
            "print": {},
            "ids": {},
            "line": LINE,
            "day": -1,
            "settled": 0,
        }
        self.marks = Marks()
        self.history: list[tuple[tuple[str, int], int]] = []
        self.evaluations = 0

    # -- events --

    def apply_events(self, segment: Segment) -> list[Output]:
        outputs: list[Output] = []
        offsets = segment.offsets.tolist()
        for row in range(len(segment)):
            self.history.append((segment.source, offsets[row]))
            event = orjson.loads(segment.raw(row))
            match segment.topic:
                case "account.events":
                    self._account_event(event, outputs)
                case "commands" | "security.signals":
                    self._everybody(str(event["id"]))
                case "reference.rules":
                    self.state["line"] = int(float(event["warn"]) * 100) * 1000
                    self._everybody(event["warn"])
                case _:
                    self._everybody(segment.topic)
        return outputs

    def _account_event(self, event: dict[str, Any], outputs: list[Output]) -> None:
        s, name, ident = self.state, event["account"], (event["account"], event["id"])
        if name not in s["cash"]:
            s["cash"][name], s["qty"][name], s["low"][name] = 0, {}, False
            s["episode"][name], s["fills"][name], s["print"][name] = 0, 0, 0
        known = ident in s["ids"]
        s["ids"][ident] = s["ids"].get(ident, 0) + (0 if known else 1)
        if known:
            return
        self._stamp(name, event["id"])
        if event["kind"] == "fill":
            security = event["security"]
            price = self.marks.price.get(security, (None, 0))[1]
            accepted = 0 < price * event["qty"] <= s["cash"][name]
            if accepted:
                s["cash"][name] -= price * event["qty"]
                s["qty"][name][security] = s["qty"][name].get(security, 0) + event["qty"]
            self._put(outputs, "order.decisions", name, f"{name}:{event['id']}", [accepted, s["cash"][name]])
        else:
            s["cash"][name] += int(event[KINDS_WITH_CASH[event["kind"]]]) * 1000
        self._evaluate(name, outputs)

    def _everybody(self, text: str) -> None:
        for name in self.state["cash"]:
            self._stamp(name, text)

    def _stamp(self, name: str, text: str) -> None:
        """Order-sensitive: two events in another order leave another number."""
        self.state["print"][name] = (self.state["print"][name] * 31 + sum(text.encode())) % 1_000_003

    # -- marks and sessions --

    def apply_marks(self, marks: MarkBatch, evaluate: bool) -> list[Output]:
        outputs: list[Output] = []
        self.marks.update(marks)
        if evaluate:
            self._evaluate_all(outputs)
        return outputs

    def apply_session(self, session: Session) -> list[Output]:
        outputs: list[Output] = []
        self.state["day"] = session.date
        if session.phase == "clock":
            self._evaluate_all(outputs)
        if session.phase == "settled":
            self._settle(session, outputs)
        return outputs

    def _settle(self, session: Session, outputs: list[Output]) -> None:
        self.state["settled"] += 1
        number, day = self.state["settled"], format_day(session.date)
        for name in sorted(self.state["cash"]):
            self._put(outputs, "margin.ratios", name, f"{name}:settled:{number}", self._value(name))
        value = {"shard": self.shard, "date": day, "sum": sum(map(self._value, self.state["cash"]))}
        outputs.append(
            Output("shard.totals", str(self.shard), value | {"id": f"totals:{self.shard}:{number}"})
        )

    def _value(self, name: str) -> int:
        held = self.state["qty"][name].items()
        return int(self.state["cash"][name] + sum(q * self.marks.price.get(x, (0, 0))[1] for x, q in held))

    def _evaluate_all(self, outputs: list[Output]) -> None:
        self.evaluations += 1
        for name in sorted(self.state["cash"]):
            if self.state["fills"][name]:
                self._forced_sale(name, outputs)
            self._evaluate(name, outputs)

    def _forced_sale(self, name: str, outputs: list[Output]) -> None:
        """Fills at the next evaluation, so a frame that evaluates twice sells twice."""
        s = self.state
        held = [x for x, q in s["qty"][name].items() if q > 0]
        if held:
            security = max(held)
            price = self.marks.price.get(security, (0, 0))[1]
            s["qty"][name][security] -= 1
            s["cash"][name] += price - 1
            self._put(
                outputs, "liquidation.orders", name, f"{name}:{s['episode'][name]}:{s['fills'][name]}", price
            )
        s["fills"][name] -= 1

    def _evaluate(self, name: str, outputs: list[Output]) -> None:
        s, value = self.state, self._value(name)
        if not s["low"][name] and value < s["line"]:
            s["low"][name], s["fills"][name] = True, 2
            s["episode"][name] += 1
            self._put(outputs, "margin.ratios", name, f"{name}:{s['episode'][name]}:low", [value, s["line"]])
        elif s["low"][name] and value >= s["line"] + REARM:
            s["low"][name], s["fills"][name] = False, 0
            self._put(
                outputs, "margin.ratios", name, f"{name}:{s['episode'][name]}:normal", [value, s["line"]]
            )

    def _put(self, outputs: list[Output], topic: str, key: str, ident: str, value: Any) -> None:
        outputs.append(Output(topic, key, {"id": ident, "value": value, "print": self.state["print"][key]}))

    # -- state --

    def snapshot(self) -> Snapshot:
        return {"all": pickle.dumps((self.state, self.marks, self.history))}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        self.state, self.marks, self.history = pickle.loads(snapshot["all"])

    def state_rows(self) -> Iterable[StateRow]:
        rows = {
            name: [self.state[key][name] for key in ("cash", "print", "low", "episode", "fills")]
            for name in self.state["cash"]
        }
        for name, row in sorted(rows.items()):
            held = sorted(self.state["qty"][name].items())
            yield ("account", name, repr((row, held, self.state["line"], self.state["day"])).encode())
        for name, mark in self.marks.rows().items():
            yield ("security", name, repr(mark).encode())


class ToyFirm:
    """Sums the totals of the shards by day and publishes a day once every shard has reported it."""

    def __init__(self, shards: int) -> None:
        self.shards = shards
        self.totals: dict[str, dict[int, int]] = {}
        self.final: dict[str, int] = {}
        self.marks = Marks()
        self.history: list[tuple[tuple[str, int], int]] = []
        self.sessions = 0

    def apply_events(self, segment: Segment) -> list[Output]:
        outputs = []
        for row, offset in enumerate(segment.offsets.tolist()):
            self.history.append((segment.source, offset))
            event = orjson.loads(segment.raw(row))
            if segment.topic == "shard.totals":
                self.totals.setdefault(event["id"].split(":")[2], {})[event["shard"]] = event["sum"]
                outputs += self._finals()
        return outputs

    def _finals(self) -> list[Output]:
        ready = [
            day for day, totals in self.totals.items() if len(totals) == self.shards and day not in self.final
        ]
        for day in ready:
            self.final[day] = sum(self.totals[day].values())
        return [
            Output("system.events", "day_final", {"id": f"final:{day}", "value": self.final[day]})
            for day in ready
        ]

    def apply_marks(self, marks: MarkBatch, evaluate: bool) -> list[Output]:
        self.marks.update(marks)
        return []

    def apply_session(self, session: Session) -> list[Output]:
        self.sessions += 1
        return [
            Output("system.events", "session", {"id": f"session:{self.sessions}", "value": self.marks.rows()})
        ]

    def snapshot(self) -> Snapshot:
        return {"all": pickle.dumps((self.totals, self.final, self.marks, self.history, self.sessions))}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        self.totals, self.final, self.marks, self.history, self.sessions = pickle.loads(snapshot["all"])

    def state_rows(self) -> Iterable[StateRow]:
        yield ("firm", "final", repr((sorted(self.final.items()), self.sessions)).encode())
        for name, mark in self.marks.rows().items():
            yield ("security", name, repr(mark).encode())


def copied(core: Any) -> Any:
    """A core that later events do not change."""
    return copy.deepcopy(core)
