"""Long random histories for a shard: seeded, replayable, and the same whatever shard they are told to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from agents.core import Output, Segment
from agents.margin.shard import MarginShard
from agents.market.conflate import conflate_quotes, conflate_trades
from schemas.account_decoding import decode_account_events
from schemas.batch_decoding import decode_quotes, decode_trades
from schemas.market import Session
from schemas.units import day_start, format_day, parse_day

Record = dict[str, Any]
SECURITIES = ["600000.SH", "000001.SZ", "688981.SH", "430047.BJ", "510300.SH", "300750.SZ"]
FIRST_DAY = parse_day("2025-04-07")
PHASES_BEGIN = {"pre_open": 540, "opening_call": 555, "continuous": 570, "close": 900, "settled": 960}
"""Minutes of the day."""
PHASES = ("pre_open", "opening_call", "continuous", "close", "settled")


@dataclass(frozen=True)
class Step:
    """One input of a shard: topic and records, or marks, or a session record."""

    topic: str
    records: tuple[Record, ...] = ()
    evaluate: bool = False


class Teller:
    """Tells steps to one shard and keeps the offsets of its sources."""

    def __init__(self, shard: MarginShard) -> None:
        self.shard = shard
        self.offsets: dict[str, int] = {}

    def tell(self, step: Step) -> list[Output]:
        values = [orjson.dumps(record) for record in step.records]
        if step.topic == "market.session":
            return [output for record in step.records for output in self.shard.apply_session(session(record))]
        offsets = self._offsets(step.topic, len(values))
        if step.topic == "market.trades":
            marks = conflate_trades(decode_trades(values, None).batch, offsets)
            return self.shard.apply_marks(marks, step.evaluate)
        if step.topic == "market.quotes":
            marks = conflate_quotes(decode_quotes(values, None).batch, offsets)
            return self.shard.apply_marks(marks, step.evaluate)
        zeros = np.zeros(len(values), dtype=np.int64)
        source = (step.topic, 0)
        place = (offsets, zeros, zeros.astype(np.int32), offsets)
        if step.topic != "account.events":
            return self.shard.apply_events(Segment(source, *place, values=values))
        decoded = decode_account_events(values, None)
        assert not decoded.bad, decoded.bad
        return self.shard.apply_events(Segment(source, *place, batch=decoded.batch))

    def _offsets(self, topic: str, n: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        first = self.offsets.get(topic, 0)
        self.offsets[topic] = first + n
        return np.arange(first, first + n, dtype=np.int64)


def session(record: Record) -> Session:
    return Session(record["ts"], parse_day(record["date"]), record.get("market", "ALL"), record["phase"])


def tell_all(shard: MarginShard, steps: Iterable[Step]) -> list[Output]:
    teller = Teller(shard)
    return [output for step in steps for output in teller.tell(step)]


def only_for(step: Step, accounts: set[str]) -> Step:
    """The step as a shard with these accounts gets it."""
    if step.topic != "account.events":
        return step
    return Step(step.topic, tuple(r for r in step.records if r["account"] in accounts), step.evaluate)


class Author:
    """Writes a history: mostly sensible, at times refused."""

    def __init__(self, seed: int, accounts: int = 12) -> None:
        self.dice = np.random.default_rng(seed)
        self.accounts = [f"A{number:03d}" for number in range(accounts)]
        self.day = FIRST_DAY
        self.ts = day_start(self.day) + 9 * 3_600_000
        self.ids = 0
        self.prices = dict(zip(SECURITIES, (8000, 12340, 50050, 9870, 3999, 201500), strict=True))
        self.known = {account: ["F"] for account in self.accounts}
        self.actions = ["none"]

    def write(self, days: int, steps_a_day: int) -> list[Step]:
        steps = [Step("reference.rules", (self.preset(),))]
        for number in range(days):
            steps += self.one_day(number, steps_a_day)
        return steps

    def one_day(self, number: int, steps_a_day: int) -> list[Step]:
        steps = [self.references(), self.phase("pre_open")]
        if number == 0:
            steps += [self.trades(all_of_them=True), Step("account.events", self.openings())]
        for part in ("opening_call", "continuous", "close"):
            steps.append(self.phase(part))
            steps += [self.anything() for _ in range(steps_a_day // 3)]
        steps.append(self.clock())
        if self.dice.random() < 0.85:
            steps.append(self.phase("settled"))
        if self.dice.random() < 0.3:
            steps += [Step("account.events", (self.event(),)), self.phase("settled")]
        if self.dice.random() < 0.3:
            steps.append(self.action())
        if self.dice.random() < 0.4:
            since = format_day(self.day + self.number(-3, 4))
            new_rates = {"from": since, "financing_rate": f"0.0{self.number(1, 10)}"}
            steps.append(Step("reference.rules", (self.preset() | new_rates,)))
        self.day += 1 + int(self.dice.integers(0, 3))
        self.ts = day_start(self.day) + 9 * 3_600_000
        return steps

    def now(self) -> int:
        self.ts += int(self.dice.integers(1, 20_000))
        return self.ts

    def pick(self, things: list[str]) -> str:
        return things[int(self.dice.integers(0, len(things)))]

    def number(self, low: int, high: int) -> int:
        return int(self.dice.integers(low, high))

    def phase(self, name: str) -> Step:
        minutes = PHASES_BEGIN.get(name, 0)
        self.ts = max(self.ts, day_start(self.day) + minutes * 60_000)
        record = {"ts": self.now(), "date": format_day(self.day), "market": "ALL", "phase": name}
        return Step("market.session", (record,))

    def clock(self) -> Step:
        return self.phase("clock")

    def anything(self) -> Step:
        draw = self.dice.random()
        if draw < 0.45:
            events = tuple(self.event() for _ in range(self.number(1, 6)))
            return Step("account.events", events)
        if draw < 0.75:
            return self.trades()
        if draw < 0.85:
            return self.quotes()
        if draw < 0.93:
            return self.clock()
        if draw < 0.95:
            return self.action()
        return Step("commands", (self.command(),))

    def price(self, security: str) -> int:
        moved = self.prices[security] * self.number(930, 1065) // 1000
        self.prices[security] = max(10, moved // 10 * 10)
        return self.prices[security]

    def trades(self, *, all_of_them: bool = False) -> Step:
        chosen = SECURITIES[:-1] if all_of_them else [self.pick(SECURITIES) for _ in range(self.number(1, 4))]
        records = [
            {"security": s, "ts": self.now(), "price": self.price(s) / 1000, "qty": 100} for s in chosen
        ]
        return Step("market.trades", tuple(records), evaluate=bool(self.dice.random() < 0.7))

    def quotes(self) -> Step:
        security = self.pick(SECURITIES)
        price = self.price(security)
        record: Record = {
            "security": security,
            "ts": self.now(),
            "last": price / 1000,
            "ask": [[price / 1000, 5]],
        }
        if self.dice.random() < 0.3:
            record |= {"limit_down": price / 1000, "bid": []}
        if self.dice.random() < 0.1:
            record["halted"] = True
        return Step("market.quotes", (record,), evaluate=True)

    def references(self) -> Step:
        records = []
        for security in SECURITIES[:4]:
            record: Record = {
                "security": security,
                "date": format_day(self.day),
                "kind": "stock",
                "board": "main",
            }
            record |= {"prev_close": self.prices[security] / 1000, "haircut": "0.65"}
            if self.dice.random() < 0.1:
                record["valuation"] = self.pick(["exclude", "manual", "index_adjusted"])
                record["fair_price"] = self.price(security) / 1000
            records.append(record | ({"suspended": True} if self.dice.random() < 0.1 else {}))
        return Step("reference.securities", tuple(records))

    def action(self) -> Step:
        self.actions.append(f"ca{len(self.actions)}")
        security, ex_date = self.pick(SECURITIES), self.day + self.number(1, 4)
        record: Record = {"action": self.actions[-1], "security": security}
        record |= {"ex_date": format_day(ex_date), "pay_date": format_day(ex_date + self.number(1, 4))}
        record |= (
            {"kind": "dividend", "cash_per_share": "0.321", "tax": "0.1"},
            {"kind": "bonus", "shares_per_share": "0.35"},
            {"kind": "rights", "shares_per_share": "0.3", "price": "2.00"},
        )[self.number(0, 3)]
        return Step("reference.actions", (record,))

    def preset(self) -> Record:
        lines = {"preset": "X", "from": "2010-01-01", "warn": "1.6", "min": "1.35", "immediate": "1.2"}
        modes = {"immediate_mode": "realtime", "target": "1.55", "cure_by": 1, "cure_at": "intraday"}
        rest = {"liquidate_from": 2, "rearm": "0.02", "commission": "0.0003", "auto_pay": True}
        return lines | modes | rest | {"financing_rate": "0.0835", "lending_rate": "0.1"}

    def command(self) -> Record:
        about = {
            "id": f"c{self.number(0, 10**6)}",
            "ts": self.now(),
            "by": "op",
            "account": self.pick(self.accounts),
        }
        word = self.pick(["acknowledge", "approve", "hold", "resume", "extend_deadline", "set_preset"])
        more: dict[str, Record] = {
            "extend_deadline": {"days": 1},
            "set_preset": {"preset": self.pick(["A", "D", "X"])},
        }
        return about | {"command": word} | more.get(word, {})

    def openings(self) -> tuple[Record, ...]:
        return tuple(self.opening(account) for account in self.accounts)

    def opening(self, account: str) -> Record:
        held = [s for s in SECURITIES if self.dice.random() < 0.6] or SECURITIES[:1]
        positions: list[Record] = [{"security": s, "qty": 10 * self.number(1, 2000)} for s in held]
        value = sum(p["qty"] * self.prices[p["security"]] for p in positions)
        principal = value * 100 // self.number(115, 230)
        opened = format_day(self.day - self.number(0, 90))
        first: Record = {
            "contract": "F",
            "type": "financing",
            "security": held[0],
            "opened": opened,
            "qty": 1000,
        }
        contracts = [first | {"price": "1", "principal": f"{principal / 1000:.3f}", "accrued": "7.01"}]
        if self.dice.random() < 0.3:
            contracts[0]["due"] = format_day(self.day + self.number(0, 6))
        if self.dice.random() < 0.4:
            lent: Record = {"contract": "L", "type": "lending", "security": SECURITIES[2], "opened": opened}
            contracts.append(lent | {"qty": self.number(1, 900), "price": "50.05", "rate": "0.106"})
        preset: Record = {"preset": self.pick(["A", "B", "C", "D", "X"])} if self.dice.random() < 0.8 else {}
        if self.dice.random() < 0.2:
            ends = format_day(self.day + self.number(0, 6))
            preset["credit"] = {"total": 10**9, "financing": 10**9, "lending": 10**9, "until": ends}
        book = {"account": account, "ts": self.now(), "id": self.new_id(), "kind": "opening"}
        return (
            book
            | {"cash": f"{self.number(0, 90000)}", "positions": positions, "contracts": contracts}
            | preset
        )

    def new_id(self) -> str:
        self.ids += self.dice.random() < 0.97
        return f"e{self.ids}"

    def event(self) -> Record:
        account, security, qty = self.pick(self.accounts), self.pick(SECURITIES), self.number(1, 900)
        event = {"account": account, "ts": self.now(), "id": self.new_id()}
        draw = self.dice.random()
        if draw < 0.5:
            return event | self.fill(account, security, qty)
        if draw < 0.62:
            amount = self.number(-20_000_000, 60_000_000) / 1000
            cash = {"kind": "cash", "amount": amount, "reason": "deposit"}
            return event | cash | ({"action": self.pick(self.actions)} if self.dice.random() < 0.4 else {})
        if draw < 0.72:
            moved = {"kind": "transfer", "security": security, "qty": qty if draw < 0.68 else -qty}
            action = {"action": self.pick(self.actions)} if self.dice.random() < 0.4 else {}
            return event | moved | {"reason": "adjustment"} | action
        if draw < 0.82:
            named = {"contract": self.pick(self.known[account])} if self.dice.random() < 0.3 else {}
            return event | {"kind": "repay", "amount": self.number(1, 50_000_000) / 1000} | named
        if draw < 0.88:
            return event | {"kind": "return", "security": security, "qty": qty}
        if draw < 0.93:
            frozen = {"kind": "freeze", "security": security, "qty": qty if draw < 0.91 else -qty}
            return event | frozen | {"reason": self.pick(["court", "seizure", "order"])}
        if draw < 0.96:
            return event | {"kind": "other_collateral", "value": self.number(0, 10**5)}
        if draw < 0.97:
            return event | {"kind": "close"}
        if draw < 0.98:
            due = format_day(self.day + self.number(-5, 200))
            return event | {"kind": "extend", "contract": self.pick(self.known[account]), "due": due}
        return event | {k: v for k, v in self.opening(account).items() if k not in event}

    def fill(self, account: str, security: str, qty: int) -> Record:
        business = self.pick(
            [
                "collateral_buy",
                "collateral_sell",
                "financing_buy",
                "sell_to_repay",
                "short_sell",
                "buy_to_return",
            ]
        )
        fee = self.number(0, 9999) / 1000
        price = self.prices[security] / 1000
        record = {
            "kind": "fill",
            "business": business,
            "security": security,
            "qty": qty,
            "price": price,
            "fee": fee,
        }
        if business in ("financing_buy", "short_sell") and self.dice.random() < 0.5:
            name = f"K{self.number(0, 5)}"
            self.known[account].append(name)
            due = {"due": format_day(self.day + self.number(0, 9))} if self.dice.random() < 0.5 else {}
            return record | {"contract": name} | due
        return record
