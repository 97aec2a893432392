"""One history told to the oracle and to the core at once, record by record, and compared after each."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.oracle.calls import Step
from tests.oracle.comparison import Comparison
from tests.oracle.driver import Driver, Record
from tests.oracle.gate import Gate
from tests.oracle.ledger import FEN, ZERO, RefusedError
from tests.oracle.moments import at
from tests.oracle.oracle import Oracle
from tests.oracle.presets import Preset
from tests.oracle.valuation import shortfall

ACCOUNTS = ["{G7}A1", "{G7}B2", "C3"]
PRESET_NAMES = ["A", "B", "C", "D", "X"]
PHASES = ["pre_open", "continuous", "close", "settled"]
CONTINUOUS = PHASES.index("continuous")
UNIVERSE = [
    ("600000.SH", "stock", "main", "2006-08-21"),
    ("000001.SZ", "stock", "main", "2006-08-21"),
    ("688981.SH", "stock", "star", "2020-07-16"),
    ("430047.BJ", "stock", "bse", "2021-11-15"),
    ("510300.SH", "etf", "main", "2012-05-28"),
    ("300750.SZ", "stock", "chinext", "2018-06-11"),
]
"""Security, kind, board and since when it is traded."""
FIRST_PRICES = ("10.00", "7.77", "50.05")


class Story:
    """`amount` of an operation, 0 to 1000, is read as a share of what is possible.

    An operation is (kind, account, security, amount): small integers that mean something only in the state
    the oracle is in, so that a history stays sensible and shrinks well.
    """

    def __init__(self, preset_x: Record, first_day: date, *, simulates: bool = False) -> None:
        self.oracle = Oracle(simulates=simulates)
        self.driver = Driver(liquidation="simulate" if simulates else "propose")
        self.compare = Comparison(self.oracle, self.driver)
        self.day, self.phase, self.seconds, self.minutes, self.ids = first_day, 0, 0, 0, 0
        self.preset_x = preset_x
        self.last_event: Record | None = None
        listed = [row for row in UNIVERSE if date.fromisoformat(row[3]) <= first_day]
        self.securities = [row[0] for row in listed]
        self.nature = {row[0]: {"kind": row[1], "board": row[2]} for row in listed}
        self.reference("reference.rules", preset_x)
        self.enter("pre_open")
        for security in self.securities[:4]:
            self.about(security, financing=True, lending=True, haircut="0.60")
        for security, price in zip(self.securities[:3], FIRST_PRICES, strict=False):
            self.trade_at(security, Decimal(price))

    # -- telling both

    def market_time(self) -> int:
        """Time moves through continuous trading with `minutes`, over the lunch break."""
        begins = ("09:15", "09:30" if self.minutes < 120 else "11:00", "15:00", "16:00")[self.phase]
        minutes = self.minutes if self.phase == CONTINUOUS else 0
        return at(self.day, begins) + minutes * 60_000

    def now(self) -> int:
        self.seconds += 1
        return self.market_time() + self.seconds * 10

    def new_id(self) -> str:
        self.ids += 1
        return f"e{self.ids}"

    def reference(self, topic: str, record: Record) -> None:
        """Reference data; both refuse a record, or neither does."""
        refused = []
        try:
            self.oracle.reference(topic, record)
        except RefusedError as error:
            refused = [error.field]
        letters = self.driver.of("dead.letters", self.driver.reference(topic, record))
        assert [letter["field"] for letter in letters] == refused, (record, letters)
        self.compare.outputs([])

    def about(self, security: str, **fields: Any) -> None:
        """A reference record of today."""
        known = {"security": security, "date": self.day.isoformat(), **self.nature[security]}
        self.reference("reference.securities", {**known, **fields})

    def send(self, event: Record) -> None:
        """An account event; both refuse it, or neither does."""
        steps: list[Step] = []
        try:
            steps = self.oracle.event(event)
            refused = None
        except RefusedError as error:
            refused = error.field
        letters = self.driver.of("dead.letters", self.driver.event(event))
        found = [letter["field"] for letter in letters]
        assert found == ([] if refused is None else [refused]), (event, letters)
        self.last_event = event if refused is None else self.last_event
        self.compare.outputs(steps)

    def fact(self, account: str, kind: str, **fields: Any) -> None:
        self.send({"account": account, "ts": self.now(), "id": self.new_id(), "kind": kind, **fields})

    def command(self, name: str, what: str, **more: Any) -> None:
        """An operator's word; both refuse it, or neither does."""
        record = {"id": self.new_id(), "ts": self.now(), "by": "desk", "command": what, "account": name}
        steps, refused = [], []
        try:
            steps = self.oracle.command({**record, **more})
        except RefusedError as error:
            refused = [error.field]
        letters = self.driver.of("dead.letters", self.driver.command({**record, **more}))
        assert [letter["field"] for letter in letters] == refused, (record, letters)
        self.compare.outputs(steps)

    def request(self, order: Record) -> Record:
        """A request to the gate; the same again gets the same answer."""
        order = {"ts": self.now(), "id": self.new_id(), **order}
        request = Gate(self.oracle, self.oracle.open, order)
        decided = self.driver.of("order.decisions", self.driver.reference("account.orders", order))
        assert len(decided) == 1, order
        self.compare.decision(request, decided[0])
        again = self.driver.of("order.decisions", self.driver.reference("account.orders", order))
        assert again == decided
        self.compare.outputs([])
        return decided[0]

    def trade_at(self, security: str, price: Decimal, *, late_by: int = 0) -> None:
        ts = self.now() - late_by
        self.oracle.trade(security, ts, price)
        self.driver.trade(security, ts, str(price))

    def quoted(self, record: Record) -> None:
        self.oracle.quote(record)
        self.driver.quote(record)

    def enter(self, phase: str) -> None:
        """A phase of the day. What an earlier phase left to look at is looked at first, by a clock."""
        if phase != "pre_open":
            self.clock()
        self.phase, self.seconds, self.minutes = PHASES.index(phase), 0, 0
        ts = self.now()
        steps = self.oracle.session(phase, self.day, ts)
        self.driver.session_at(phase, self.day, ts)
        self.compare.outputs(steps)
        if phase == "pre_open":
            self.clock()

    def clock(self) -> None:
        ts = self.now()
        steps = self.oracle.session("clock", self.day, ts)
        self.driver.session_at("clock", self.day, ts)
        self.compare.outputs(steps)

    # -- what operations look at

    def price(self, security: str, amount: int) -> Decimal:
        """85 % to 115 % of the mark, to the hundredth."""
        mark = self.oracle.prices.mark(security) or Decimal(10)
        return max(FEN, (mark * (850 + amount * 3 // 10) / 1000).quantize(FEN))

    def preset(self, name: str) -> Preset:
        return self.oracle.preset(self.oracle.accounts[name])

    def missing(self, name: str) -> Decimal:
        view = self.oracle.view(name)
        return shortfall(view.assets, view.debt, self.preset(name).target)

    def opening(self, account: str, preset: str | None, leverage: int, short: int) -> Record:
        """Cash, two holdings, a financing contract that brings the ratio near the lines, at times a short."""
        held = {self.securities[0]: 1000 + leverage}
        if short % 9:
            held[self.securities[1]] = 3000
        value = sum((qty * (self.oracle.prices.mark(s) or ZERO) for s, qty in held.items()), ZERO)
        rich = short % 4 == 1
        principal = (value * 1000 / (1050 + leverage) / (5 if rich else 1)).quantize(FEN)
        opened_on = self.day - timedelta(days=short % 40)
        opened = opened_on.isoformat()
        financed = {"contract": "F", "type": "financing", "security": self.securities[0], "opened": opened}
        contracts: list[Record] = [
            {**financed, "qty": 1000, "price": "10", "principal": str(principal), "rate": "0.0835"}
        ]
        if short % 2 == 0:
            due = max(self.day + timedelta(days=leverage % 8 - 1), opened_on + timedelta(days=3))
            contracts[0]["due"] = due.isoformat()
        if short % 11 == 0:
            del contracts[0]["rate"]
        if short % 3 == 0:
            contracts[0]["accrued"] = "12.345"
            lent = {"contract": "L", "type": "lending", "security": self.securities[-1], "opened": opened}
            contracts.append({**lent, "qty": 50 + short % 100, "price": "49.5", "rate": "0.106"})
        book: Record = {
            "account": account,
            "ts": self.now(),
            "id": self.new_id(),
            "kind": "opening",
            "cash": str(short * (900 if rich else 7)),
            "positions": [{"security": s, "qty": qty} for s, qty in held.items()],
            "contracts": contracts,
        }
        if preset is not None:
            book["preset"] = preset
        if short % 5 == 0:
            book["class"] = "private_fund"
        if short % 4 == 0:
            most = str(15_000 + leverage * 20)
            book["credit"] = {"total": most, "financing": most, "lending": "5000"}
            if short % 8 == 0:
                until = self.day + timedelta(days=leverage % 6)
                book["credit"]["until"] = until.isoformat()
        if short % 6 == 1:
            book["group_credit"] = {"total": "90000", "financing": "80000", "lending": "6000"}
        if short % 7 == 0:
            book["positions"][-1]["sellable"] = 100
        return book
