"""The whole firm in plain objects: accounts, prices, trading days, calls. Slow, obvious, apart from the core.

Feed it the same records as the core, in the same order. After every evaluation it returns the `Step`s of
margin calls it expects; `view` gives what a person would look up about one account.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.oracle import valuation
from tests.oracle.account_events import FOLDS, brings_money
from tests.oracle.calls import CallLife, Moment, Step
from tests.oracle.ledger import Account, InTransit, RefusedError, money
from tests.oracle.presets import PRESETS, Preset, default_name, from_reference
from tests.oracle.prices import Prices, shanghai


@dataclass(frozen=True)
class View:
    assets: Decimal
    debt: Decimal
    ratio: str | None
    level: str
    episode: str | None
    unpriced: tuple[str, ...]


class Oracle:
    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.lives: dict[str, CallLife] = {}
        self.prices = Prices()
        self.presets: dict[str, Preset] = dict(PRESETS)
        self.haircuts: dict[str, Decimal] = {}
        self.actions: list[dict[str, Any]] = []
        self.day: date | None = None
        self.day_index = 0
        self.phase: str | None = None
        self.settled_day: date | None = None
        self.seen: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        self.observations = 0

    # -- inputs

    def trade(self, security: str, ts: int, price: Decimal) -> None:
        self.observations += 1
        self.prices.trade(security, ts, price, self.observations)

    def quote(self, security: str, ts: int, last: Decimal, prev_close: Decimal | None = None) -> None:
        self.observations += 1
        self.prices.quote(security, ts, last, prev_close, self.observations)

    def reference(self, topic: str, record: dict[str, Any]) -> None:
        if topic == "reference.rules":
            self.presets[record["preset"]] = from_reference(record)
        elif topic == "reference.actions":
            self.actions.append(record)
        elif topic == "reference.securities":
            at = (record["security"], date.fromisoformat(record["date"]))
            if record.get("prev_close") is not None:
                self.prices.previous[at] = money(record["prev_close"])
            if record.get("haircut") is not None:
                self.haircuts[record["security"]] = money(record["haircut"])
            fair = record.get("fair_price")
            self.prices.valuation[at] = (
                record.get("valuation", "last"),
                None if fair is None else money(fair),
            )

    def event(self, event: dict[str, Any]) -> list[Step]:
        """Apply one account event and evaluate its account; a repeated id changes nothing."""
        if self.day is None:
            self.day = self.prices.day = shanghai(event["ts"]).date()
        name, kind = event["account"], event["kind"]
        key = (name, event["id"])
        if key in self.seen and self.seen[key][0] >= self.day_index - 1:
            if self.seen[key][1] != event:
                raise RefusedError("id", "seen before with other content")
            return []
        account = self.accounts.get(name)
        if account is None or account.closed:
            if kind != "opening":
                raise RefusedError("account", "never opened")
            account = Account(name, event.get("preset") or default_name(self.day))
        if kind == "opening" and event.get("preset"):
            account.preset = event["preset"]
        other_before = account.other_collateral
        FOLDS[kind](account, event, self.day, self.presets[account.preset])
        self.seen[key] = (self.day_index, event)
        self.accounts[name] = account
        life = self.lives.setdefault(name, CallLife(name))
        money_in = brings_money(event, other_before)
        life.written_off = life.written_off and not money_in
        return self._evaluate(name, money_in=money_in)

    def clock(self) -> list[Step]:
        return self._evaluate_all()

    def session(self, phase: str, day: date) -> list[Step]:
        steps: list[Step] = []
        if self.day is None or day > self.day or (phase == "pre_open" and self.day_index == 0):
            steps += self._begin(day)
        if phase == "clock":
            return steps + self.clock()
        self.phase = phase
        if phase == "settled":
            self.settled_day = day
            steps += self._evaluate_all(settled=True)
        if phase == "continuous":
            steps += self._evaluate_all()
        return steps

    # -- what follows from them

    def _begin(self, day: date) -> list[Step]:
        """Evaluate yesterday if nobody did; then shares become sellable and corporate actions take effect."""
        steps: list[Step] = []
        if self.day_index and self.settled_day != self.day:
            steps = self._evaluate_all(settled=True)
        self.prices.begin(day)
        self.day, self.phase = day, "pre_open"
        self.day_index += 1
        for account in self.accounts.values():
            account.sellable = dict(account.held)
            if self.presets[account.preset].auto_pay:
                self._pay_out(account, day)
        for action in self.actions:
            if date.fromisoformat(action["ex_date"]) == day:
                for account in self.accounts.values():
                    self._ex_date(account, action)
        return steps

    def _ex_date(self, account: Account, action: dict[str, Any]) -> None:
        security = action["security"]
        per_share = money(action.get("cash_per_share") or 0)
        shares = money(action.get("shares_per_share") or 0)
        net = per_share * (1 - money(action.get("tax") or 0))
        pay_date = date.fromisoformat(action["pay_date"]) if action.get("pay_date") else None
        held, short = account.held.get(security, 0), account.short_qty(security)
        if held:
            account.receivable.append(
                InTransit(action["action"], security, held * net, int(held * shares), pay_date)
            )
        if short:
            account.compensation.append(
                InTransit(action["action"], security, short * per_share, int(short * shares), pay_date)
            )

    def _pay_out(self, account: Account, day: date) -> None:
        for item in [
            item for item in account.receivable if item.pay_date is not None and item.pay_date <= day
        ]:
            account.receivable.remove(item)
            account.cash += item.cash
            if item.shares:
                account.add(item.security, item.shares)

    def _evaluate_all(self, *, settled: bool = False) -> list[Step]:
        living = [name for name in sorted(self.accounts) if not self.accounts[name].closed]
        return [step for name in living for step in self._evaluate(name, settled=settled)]

    def _evaluate(self, name: str, *, money_in: bool = False, settled: bool = False) -> list[Step]:
        account, day = self.accounts[name], self.day
        assert day is not None
        now = Moment(
            day=day,
            day_index=self.day_index,
            phase=self.phase,
            value=valuation.assets(account, self.prices),
            owed=valuation.debt(account, self.prices, day),
            unpriced=bool(valuation.unpriced(account, self.prices)),
            money_in=money_in,
            settled=settled,
        )
        return self.lives[name].evaluate(now, self.presets[account.preset])

    # -- what a person looks up

    def view(self, name: str) -> View:
        account, life, day = self.accounts[name], self.lives[name], self.day
        assert day is not None
        value, owed = valuation.assets(account, self.prices), valuation.debt(account, self.prices, day)
        return View(
            assets=value,
            debt=owed,
            ratio=valuation.shown_ratio(value, owed),
            level=life.shown,
            episode=None if life.episode is None else life.episode.name,
            unpriced=tuple(valuation.unpriced(account, self.prices)),
        )

    def available_margin(self, name: str) -> Fraction:
        assert self.day is not None
        return valuation.available_margin(self.accounts[name], self.prices, self.day, self.haircuts)
