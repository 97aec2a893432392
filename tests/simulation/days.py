"""Trading days for the real cores: debts, falling prices, every phase, deposits, fills and repayments."""

from __future__ import annotations

import random
from typing import Any

from schemas.routing import home_partition
from streams.shardlog.positions import Sources
from tests.simulation.world import DAY_MS, OPEN_MS, SECURITIES, Event, EventWriter, Window

PHASES = ("pre_open", "continuous", "clock", "clock", "close", "settled")
DATES = ("2025-04-03", "2025-04-07", "2025-04-08", "2025-04-09")
CALENDAR_DAYS = (-4, 0, 1, 2)


def generate_days(seed: int, sources: Sources, replay: bool) -> list[Window]:
    """Two to four days, a window for each phase."""
    r = random.Random(seed * 104_729 + 5)
    writer = DayWriter(r, sources, replay)
    windows = []
    for number in range(r.randint(2, 4)):
        writer.date = DATES[number]
        start = OPEN_MS + CALENDAR_DAYS[number] * DAY_MS
        for place, phase in enumerate(PHASES):
            ts = start + (place - 1) * 1_800_000
            events = writer.morning(ts) if phase == "pre_open" else []
            if number == 0 and place == 0:
                events += writer.openings(ts)
            events += writer.with_frames([writer.day_event(ts) for _ in range(r.randint(0, 6))])
            session = {"ts": ts + 60_000, "date": writer.date, "market": "ALL", "phase": phase}
            windows.append(Window(events, session))
    return windows


class DayWriter(EventWriter):
    """Writes what happens around accounts in debt."""

    def __init__(self, r: random.Random, sources: Sources, replay: bool) -> None:
        super().__init__(r, sources, replay)
        self.date = DATES[0]
        self.price = dict.fromkeys(SECURITIES, 1_000)
        """In fen: 10.00 yuan at first."""
        self.asked: list[dict[str, Any]] = []

    def morning(self, ts: int) -> list[Event]:
        """What the exchange says before the market opens."""
        found = []
        for security, fen in self.price.items():
            value: dict[str, Any] = {
                "security": security,
                "date": self.date,
                "kind": "stock",
                "board": "main",
            }
            value |= {
                "prev_close": yuan(fen),
                "limit_up": yuan(fen * 11 // 10),
                "limit_down": yuan(fen * 9 // 10),
            }
            value |= {"haircut": "0.65", "financing": True, "lending": True}
            if self.r.random() < 0.08:
                value["suspended"] = True
            found.append(Event(("reference.securities", 0), value))
            if self.r.random() < 0.15:
                found.append(self._corporate_action(security))
        return found

    def _corporate_action(self, security: str) -> Event:
        self.number += 1
        value: dict[str, Any] = {"action": f"a{self.number}", "security": security, "ex_date": self.date}
        if self.r.random() < 0.5:
            value |= {"kind": "dividend", "cash_per_share": "0.25", "pay_date": self.date}
        else:
            value |= {"kind": "bonus", "shares_per_share": "0.1"}
        return Event(("reference.actions", 0), value)

    def openings(self, start: int) -> list[Event]:
        return [self._opening(start, name) for name in self.accounts]

    def _opening(self, ts: int, name: str) -> Event:
        r = self.r
        held = {s: r.randint(1, 20) * 100 for s in SECURITIES if r.random() < 0.7}
        positions = [{"security": s, "qty": qty} for s, qty in held.items()]
        worth = sum(held.values()) * 10
        contracts = []
        if worth and r.random() < 0.85:
            quantity = max(100, worth * r.randint(50, 80) // 100 // 10)
            financing = {
                "contract": f"F{name}",
                "type": "financing",
                "security": SECURITIES[0],
                "qty": quantity,
            }
            financing |= {"opened": "2025-03-03", "price": "10.00", "rate": "0.0835"}
            if r.random() < 0.3:
                financing["due"] = r.choice(DATES)
            contracts.append(financing)
        if worth and r.random() < 0.2:
            lending = {"contract": f"L{name}", "type": "lending", "security": SECURITIES[1], "qty": 100}
            contracts.append(lending | {"opened": "2025-03-03", "price": "10.00", "rate": "0.10"})
        cash = r.randint(0, 3_000)
        return self._account(ts, name, kind="opening", cash=cash, positions=positions, contracts=contracts)

    def day_event(self, ts: int) -> Event:
        """Mostly ticks, downwards more often than up."""
        r, x = self.r, self.r.random()
        self.number += 1
        name, security = r.choice(self.accounts), r.choice(SECURITIES)
        ts += r.randint(0, 59) * 1_000
        if x < 0.03:
            frozen = {"security": security, "qty": 100, "reason": r.choice(["court", "order"])}
            return self._account(ts, name, kind="freeze", **frozen)
        if x < 0.05:
            return self._statement(name)
        if x < 0.12:
            return self._account(ts, name, kind="cash", amount=r.choice([-500, 700, 3_000]), reason="deposit")
        if x < 0.18:
            return self._account(ts, name, kind="repay", amount=r.randint(1, 2_000))
        if x < 0.28:
            business = r.choice(["collateral_buy", "collateral_sell", "sell_to_repay"])
            price = yuan(self.price[security])
            fields = {"business": business, "security": security, "qty": 100, "price": price}
            return self._account(ts, name, kind="fill", **fields)
        if x < 0.31:
            return Event(r.choice([("account.events", 0), ("market.quotes", 0)]), None)
        if x < 0.34:
            value = {"id": f"c{self.number}", "ts": ts, "by": "desk", "command": "approve", "account": name}
            return Event(("commands", 0), value)
        if x < 0.46:
            return self._request(ts, name, security)
        return self._tick(ts, security)

    def _statement(self, name: str) -> Event:
        """A custodian who knows of nothing but cash."""
        value = {"account": name, "date": self.date, "cash": self.r.randint(0, 3_000), "positions": []}
        return Event(("reference.custody", home_partition(name, self.sources.partitions)), value)

    def _request(self, ts: int, name: str, security: str) -> Event:
        """A question to the gate, now and then a repeated one."""
        r = self.r
        business = r.choice(["collateral_buy", "collateral_sell", "financing_buy", "withdraw_cash"])
        value: dict[str, Any] = {"account": name, "ts": ts, "id": f"r{self.number}", "business": business}
        if business == "withdraw_cash":
            value["amount"] = r.randint(1, 1_000)
        else:
            price = yuan(self.price[security])
            value |= {"security": security, "qty": 100 * r.randint(1, 9), "price": price}
            value["order_type"] = "limit"
        if self.asked and r.random() < 0.1:
            value = r.choice(self.asked)
        self.asked.append(value)
        home = home_partition(str(value["account"]), self.sources.partitions)
        return Event(("account.orders", home), value)

    def _tick(self, ts: int, security: str) -> Event:
        self.price[security] = max(100, self.price[security] * self.r.randint(93, 103) // 100)
        partition = SECURITIES.index(security) % self.sources.market_partitions
        value: dict[str, Any] = {"security": security, "ts": ts}
        price = yuan(self.price[security])
        if self.r.random() < 0.6:
            return Event(("market.trades", partition), value | {"price": price, "qty": 100})
        return Event(("market.quotes", partition), value | {"last": price, "prev_close": "10.00"})


def yuan(fen: int) -> str:
    """Fen as yuan."""
    return f"{fen // 100}.{fen % 100:02d}"
