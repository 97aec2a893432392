"""Random histories told to the oracle and to the core at once, compared after every step.

An operation is (kind, account, security, amount): small integers that mean something only in the state the
oracle is in, so that a history stays sensible and shrinks well.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from tests.oracle import plan_orders
from tests.oracle.calls import Step
from tests.oracle.driver import Driver, Record
from tests.oracle.ledger import FEN, ZERO, RefusedError
from tests.oracle.moments import at
from tests.oracle.oracle import Oracle
from tests.oracle.valuation import shortfall

ACCOUNTS = ["A1", "B2", "C3"]
SECURITIES = ["600000.SH", "000001.SZ", "688981.SH", "430047.BJ"]
PRESET_NAMES = ["A", "B", "C", "D", "X"]
PHASES = ["pre_open", "continuous", "close", "settled"]
FIRST_DAY = date(2025, 4, 7)
WITH_SHORTFALL = ("called", "partly_met", "expired")

Operation = tuple[str, int, int, int]


class Play:
    """One history. `amount` of an operation, 0 to 1000, is read as a share of what is possible."""

    def __init__(self, preset_x: Record, openings: list[tuple[int, int, int]]) -> None:
        self.oracle, self.driver = Oracle(), Driver()
        self.day, self.phase, self.seconds, self.ids = FIRST_DAY, 0, 0, 0
        self.told: list[Step] = []
        self.heard = 0
        self.last_event: Record | None = None
        self.reference("reference.rules", preset_x)
        self.enter("pre_open")
        for security, price in zip(SECURITIES[:3], ("10.00", "7.77", "50.05"), strict=True):
            self.trade_at(security, Decimal(price))
        for number, (preset, leverage, short) in enumerate(openings):
            self.send(self.opening(ACCOUNTS[number], PRESET_NAMES[preset], leverage, short))

    # -- telling both

    def now(self) -> int:
        self.seconds += 1
        begins = ("09:24:50", "10:26:00", "17:26:00", "18:26:00")[self.phase]
        return at(self.day, begins) + self.seconds * 1000

    def new_id(self) -> str:
        self.ids += 1
        return f"e{self.ids}"

    def reference(self, topic: str, record: Record) -> None:
        self.oracle.reference(topic, record)
        letters = self.driver.of("dead.letters", self.driver.reference(topic, record))
        assert letters == []

    def send(self, event: Record) -> None:
        """An account event; both refuse it, or neither does."""
        try:
            self.told += self.oracle.event(event)
            refused = None
        except RefusedError as error:
            refused = error.field
        letters = self.driver.of("dead.letters", self.driver.event(event))
        assert [letter["field"] for letter in letters] == ([] if refused is None else [refused]), (
            event,
            letters,
        )
        self.last_event = event if refused is None else self.last_event

    def fact(self, account: str, kind: str, **fields: Any) -> None:
        self.send({"account": account, "ts": self.now(), "id": self.new_id(), "kind": kind, **fields})

    def trade_at(self, security: str, price: Decimal, *, late_by: int = 0) -> None:
        ts = self.now() - late_by
        self.oracle.trade(security, ts, price)
        self.driver.trade(security, ts, str(price))

    def enter(self, phase: str) -> None:
        """A phase of the day. What an earlier phase left to look at is looked at first, by a clock."""
        if phase != "pre_open":
            self.clock()
        self.seconds = 0
        self.told += self.oracle.session(phase, self.day)
        self.driver.session(phase, self.day, self.clock_time())
        if phase == "pre_open":
            self.clock()

    def clock_time(self) -> str:
        return f"{9 if self.phase == 0 else 10 if self.phase == 1 else 15 + self.phase}:25:00"

    def clock(self) -> None:
        self.told += self.oracle.clock()
        self.driver.session("clock", self.day, self.clock_time())

    def accept_shortfalls(self) -> None:
        """The core says that nothing is left to sell: true if nothing is held; the oracle takes it."""
        for call in self.driver.calls()[self.heard :]:
            if call["event"] == "shortfall":
                account = self.oracle.accounts[call["account"]]
                assert not account.held, call
                assert Decimal(call["debt"]) > 0, call
                self.told.append(self.oracle.lives[call["account"]].write_off())
        self.heard = len(self.driver.calls())

    # -- what may happen

    def do(self, operation: Operation) -> None:
        self._do(operation)
        self.accept_shortfalls()

    def _do(self, operation: Operation) -> None:
        kind, account, security, amount = operation
        name = ACCOUNTS[account % len(ACCOUNTS)]
        if kind in MARKET:
            MARKET[kind](self, SECURITIES[security % len(SECURITIES)], amount)
        elif name in self.oracle.accounts and not self.oracle.accounts[name].closed:
            ACCOUNT[kind](self, name, SECURITIES[security % len(SECURITIES)], amount)

    def price(self, security: str, amount: int) -> Decimal:
        """85 % to 115 % of the mark, to the hundredth."""
        mark = self.oracle.prices.mark(security) or Decimal(10)
        return max(FEN, (mark * (850 + amount * 3 // 10) / 1000).quantize(FEN))

    def trade(self, security: str, amount: int) -> None:
        self.trade_at(security, self.price(security, amount))

    def stale_trade(self, security: str, amount: int) -> None:
        self.trade_at(security, self.price(security, amount), late_by=amount * 5)

    def quote(self, security: str, amount: int) -> None:
        last = self.price(security, amount) if amount % 7 else ZERO
        ts = self.now()
        record: Record = {"security": security, "ts": ts, "last": str(last)}
        previous = self.price(security, amount // 2) if amount % 5 == 0 else None
        if previous is not None:
            record["prev_close"] = str(previous)
        self.oracle.quote(security, ts, last, previous)
        self.driver.quote(record)

    def evaluate(self, security: str, amount: int) -> None:
        self.clock()

    def phase_ends(self, security: str, amount: int) -> None:
        self.phase = (self.phase + 1) % len(PHASES)
        if self.phase == 0:
            self.day += timedelta(days=1 + amount % 4)
            if amount % 3 == 0:
                self.corporate_action(security, amount)
        self.enter(PHASES[self.phase])

    def corporate_action(self, security: str, amount: int) -> None:
        """A dividend or bonus with this ex-date; the adjusted previous close is published with it."""
        action: Record = {"action": self.new_id(), "security": security, "ex_date": self.day.isoformat()}
        if amount % 2:
            action |= {"kind": "dividend", "cash_per_share": "0.25", "tax": "0.2" if amount % 4 == 1 else "0"}
        else:
            action |= {"kind": "bonus", "shares_per_share": "0.5"}
        self.reference("reference.actions", action)
        about = {"security": security, "date": self.day.isoformat(), "kind": "stock", "board": "main"}
        previous = str(self.price(security, amount))
        self.reference("reference.securities", {**about, "prev_close": previous})

    def valued(self, security: str, amount: int) -> None:
        """From today on the security counts at a fair price, not at all, or again at its last price."""
        about = {"security": security, "date": self.day.isoformat(), "kind": "stock", "board": "main"}
        policy = ("last", "manual", "exclude", "index_adjusted")[amount % 4]
        fair = {"fair_price": str(self.price(security, amount))} if amount % 3 else {}
        self.reference("reference.securities", {**about, "valuation": policy, **fair})

    def opening(self, account: str, preset: str, leverage: int, short: int) -> Record:
        """Cash, two holdings, a financing contract that brings the ratio near the lines, at times a short."""
        held = {SECURITIES[0]: 1000 + leverage, SECURITIES[1]: 3000}
        value = sum((qty * (self.oracle.prices.mark(s) or ZERO) for s, qty in held.items()), ZERO)
        principal = (value * 1000 / (1050 + leverage)).quantize(FEN)
        opened = (self.day - timedelta(days=short % 40)).isoformat()
        contracts: list[Record] = [
            {
                "contract": "F",
                "type": "financing",
                "security": SECURITIES[0],
                "opened": opened,
                "qty": 1000,
                "price": "10",
                "principal": str(principal),
                "rate": "0.0835",
            }
        ]
        if short % 3 == 0:
            contracts[0]["accrued"] = "12.345"
            lent = {"contract": "L", "type": "lending", "security": SECURITIES[2], "opened": opened}
            contracts.append({**lent, "qty": 50 + short % 100, "price": "49.5", "rate": "0.106"})
        return {
            "account": account,
            "ts": self.now(),
            "id": self.new_id(),
            "kind": "opening",
            "cash": str(short * 7),
            "positions": [{"security": s, "qty": qty} for s, qty in held.items()],
            "contracts": contracts,
            "preset": preset,
        }

    def reopening(self, name: str, security: str, amount: int) -> None:
        self.send(self.opening(name, self.oracle.accounts[name].preset, amount, amount % 97))

    def deposit(self, name: str, security: str, amount: int) -> None:
        self.fact(name, "cash", amount=str(Decimal(amount + 1) * 17 / 100), reason="deposit")

    def missing(self, name: str) -> Decimal:
        view = self.oracle.view(name)
        preset = self.oracle.presets[self.oracle.accounts[name].preset]
        return shortfall(view.assets, view.debt, preset.target)

    def exact_deposit(self, name: str, security: str, amount: int) -> None:
        """The shortfall to the fen, or one fen less."""
        needed = self.missing(name) - (FEN if amount % 2 else 0)
        if needed > 0:
            self.fact(name, "cash", amount=str(needed), reason="deposit")

    def withdraw(self, name: str, security: str, amount: int) -> None:
        part = self.share(self.oracle.accounts[name].cash, amount)
        if part > 0:
            self.fact(name, "cash", amount=str(-part), reason="withdrawal")

    def share(self, whole: Decimal, amount: int) -> Decimal:
        return (whole * amount / 1000).quantize(FEN, rounding=ROUND_DOWN)

    def fill(self, name: str, business: str, security: str, qty: int, amount: int, **more: Any) -> None:
        if qty > 0:
            price = self.price(security, amount)
            fee = str(min(Decimal(amount) / 1000, qty * price))
            about = {"business": business, "security": security, "qty": qty, "price": str(price), "fee": fee}
            self.fact(name, "fill", **about, **more)

    def collateral_buy(self, name: str, security: str, amount: int) -> None:
        affordable = int(self.oracle.accounts[name].cash / (self.price(security, 1000) + 1))
        self.fill(name, "collateral_buy", security, affordable * amount // 1000, amount)

    def collateral_sell(self, name: str, security: str, amount: int) -> None:
        held = self.oracle.accounts[name].held.get(security, 0)
        self.fill(name, "collateral_sell", security, held * amount // 1000, amount)

    def financing_buy(self, name: str, security: str, amount: int) -> None:
        if self.oracle.accounts[name].cash < 1:
            return  # there is a fee to pay
        self.fill(name, "financing_buy", security, amount, amount, rate="0.0786", margin_ratio="1.00")

    def sell_to_repay(self, name: str, security: str, amount: int) -> None:
        held = self.oracle.accounts[name].held.get(security, 0)
        self.fill(name, "sell_to_repay", security, held * amount // 1000, amount)

    def short_sell(self, name: str, security: str, amount: int) -> None:
        self.fill(name, "short_sell", security, amount, amount, rate="0.106", margin_ratio="1.00")

    def buy_to_return(self, name: str, security: str, amount: int) -> None:
        account = self.oracle.accounts[name]
        qty = account.short_qty(security) * amount // 1000
        affordable = int(max(ZERO, account.cash) / (self.price(security, 1000) + 1))
        self.fill(name, "buy_to_return", security, min(qty, affordable), amount)

    def repay(self, name: str, security: str, amount: int) -> None:
        account = self.oracle.accounts[name]
        owed = sum(
            (c.interest_due(self.day) + c.principal for c in account.of_kind("financing", self.day)), ZERO
        )
        part = min(self.share(account.cash, amount), owed)
        if part > 0:
            self.fact(name, "repay", amount=str(part))

    def repay_named(self, name: str, security: str, amount: int) -> None:
        account = self.oracle.accounts[name]
        for contract in account.of_kind("financing", self.day)[amount % 3 :][:1]:
            part = min(account.cash, contract.interest_due(self.day) + contract.principal)
            if part >= FEN:
                self.fact(name, "repay", amount=str(part.quantize(FEN, ROUND_DOWN)), contract=contract.name)

    def give_back(self, name: str, security: str, amount: int) -> None:
        account = self.oracle.accounts[name]
        qty = min(account.short_qty(security), account.held.get(security, 0)) * amount // 1000
        if qty:
            self.fact(name, "return", security=security, qty=qty)

    def move_in(self, name: str, security: str, amount: int) -> None:
        self.fact(name, "transfer", security=security, qty=amount + 1, reason="collateral_in")

    def move_out(self, name: str, security: str, amount: int) -> None:
        qty = self.oracle.accounts[name].held.get(security, 0) * amount // 1000
        if qty:
            self.fact(name, "transfer", security=security, qty=-qty, reason="collateral_out")

    def house(self, name: str, security: str, amount: int) -> None:
        self.fact(name, "other_collateral", value=str(amount * 10))

    def extend(self, name: str, security: str, amount: int) -> None:
        for contract in list(self.oracle.accounts[name].contracts.values())[:1]:
            due = self.day + timedelta(days=amount % 180)
            self.fact(name, "extend", contract=contract.name, due=due.isoformat())

    def freeze(self, name: str, security: str, amount: int) -> None:
        qty = self.oracle.accounts[name].held.get(security, 0) * amount // 2000
        if qty:
            self.fact(name, "freeze", security=security, qty=qty, reason="court")

    def paid_out(self, name: str, security: str, amount: int) -> None:
        """What a corporate action owed arrives."""
        for item in self.oracle.accounts[name].receivable[:1]:
            if item.shares:
                bonus = {"security": item.security, "qty": item.shares, "reason": "bonus"}
                self.fact(name, "transfer", action=item.action, **bonus)
            else:
                self.fact(name, "cash", amount=str(item.cash), reason="dividend", action=item.action)

    def repeat(self, name: str, security: str, amount: int) -> None:
        if self.last_event is not None:
            changed = {"ts": self.last_event["ts"] + 1} if amount % 2 else {}
            self.send({**self.last_event, **changed})

    def impossible(self, name: str, security: str, amount: int) -> None:
        """Records that must be refused and change nothing."""
        account = self.oracle.accounts[name]
        more = account.short_qty(security) + 1
        kind = amount % 4
        if kind == 0:
            self.fact("ZZ", "cash", amount="5", reason="deposit")
        elif kind == 1 and account.held.get(security, 0) >= more:
            self.fact(name, "return", security=security, qty=more)
        elif kind == 2:
            self.fact(name, "repay", amount="9999999", contract="nobody")
        elif kind == 3 and account.borrowed():
            self.fact(name, "close")


MARKET: dict[str, Callable[[Play, str, int], None]] = {
    "trade": Play.trade,
    "stale_trade": Play.stale_trade,
    "quote": Play.quote,
    "evaluate": Play.evaluate,
    "valued": Play.valued,
    "phase_ends": Play.phase_ends,
}

ACCOUNT: dict[str, Callable[[Play, str, str, int], None]] = {
    "orders_filled": plan_orders.orders_filled,
    "sold_out": plan_orders.sold_out,
} | {
    method.__name__: method
    for method in (
        Play.reopening,
        Play.deposit,
        Play.exact_deposit,
        Play.withdraw,
        Play.collateral_buy,
        Play.collateral_sell,
        Play.financing_buy,
        Play.sell_to_repay,
        Play.short_sell,
        Play.buy_to_return,
        Play.repay,
        Play.repay_named,
        Play.give_back,
        Play.move_in,
        Play.move_out,
        Play.house,
        Play.extend,
        Play.freeze,
        Play.paid_out,
        Play.repeat,
        Play.impossible,
    )
}
