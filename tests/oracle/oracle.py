"""The whole firm in plain objects: accounts, prices, trading days, calls. Slow, obvious, apart from the core.

Feed it the same records as the core, in the same order. After every evaluation it returns the `Step`s of
margin calls it expects and notes in `states` the margin.ratios records; `view` gives what a person would
look up about one account.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.oracle import corporate_actions, haircuts, obligations, operators, simulated, told, valuation
from tests.oracle.account_events import FOLDS, Terms, brings_money, released_by_courts
from tests.oracle.calls import EXPIRED, NOTICE, CallLife, Moment, Step
from tests.oracle.custody import Custody
from tests.oracle.ledger import ZERO, Account, RefusedError, money
from tests.oracle.listings import Listings
from tests.oracle.presets import Preset, Versions
from tests.oracle.prices import Prices, shanghai
from tests.oracle.reservations import Open
from tests.oracle.wire import shown_ratio

Record = dict[str, Any]


@dataclass(frozen=True)
class View:
    assets: Decimal
    debt: Decimal
    ratio: str | None
    level: str
    episode: str | None
    unpriced: tuple[str, ...]


class Oracle:
    def __init__(self, *, simulates: bool = False) -> None:
        self.simulates = simulates
        self.forced: dict[str, list[Record]] = {}
        """Open orders of the latest plans, where the shard fills them itself."""
        self.accounts: dict[str, Account] = {}
        self.lives: dict[str, CallLife] = {}
        self.prices = Prices()
        self.presets = Versions()
        self.listings = Listings()
        self.waiting: list[Record] = []
        self.actions: list[Record] = []
        self.days: list[date] = []
        self.day: date | None = None
        self.known = 0  # days of the books so far, the one before the first session included
        self.phase: str | None = None
        self.time: time | None = None
        self.settled_day: date | None = None
        self.seen: dict[tuple[str, str], tuple[int, Record]] = {}
        self.observations = 0
        self.adjusted: dict[tuple[str, date], tuple[Decimal | None, Any, list[Record]]] = {}
        self.open: dict[str, Open] = {}
        self.halted: set[tuple[str, str]] = set()
        self.custody = Custody()
        self.snapshots: list[Record] = []
        self.topups: list[Record] = []
        self.states: list[Record] = []
        self.totals: list[Record] = []

    # -- inputs

    def trade(self, security: str, ts: int, price: Decimal) -> None:
        self.observations += 1
        self.prices.trade(security, ts, price, self.observations)

    def quote(self, record: Record) -> None:
        """A quote as it is published; `last` 0 or absent means no trade yet today."""
        self.observations += 1
        self.prices.quote(record, self.observations)

    def reference(self, topic: str, record: Record) -> None:
        if topic == "reference.rules":
            self.presets.take(record)
        elif topic == "reference.actions":
            self.actions.append(record)
            if self.days and date.fromisoformat(record["ex_date"]) == self.day:
                self._go_ex([record])
        elif topic == "reference.custody":
            self.custody.take(record, self.day or date.min, self.settled_day)
        elif topic == "reference.balances":
            self.listings.published.append(record)
        elif topic == "security.signals":
            change = self.halted.add if record["signal"] == "halt" else self.halted.discard
            change((record["security"], record["business"]))
        elif topic == "reference.securities":
            haircuts.refuse_above_cap(record)
            if self.day is None or date.fromisoformat(record["date"]) > self.day:
                self.waiting.append(record)
            else:
                self._security(record)
                self._review()
                self._fall_due()

    def _security(self, record: Record) -> None:
        if self.listings.take(record):
            self.prices.refer(record)

    def _review(self) -> None:
        assert self.day is not None
        self.listings.review(self.day, self.days)
        self.prices.suspended = self.listings.suspended

    def _fall_due(self) -> None:
        assert self.day is not None
        before = max((day for day in self.days if day < self.day), default=None)
        for account in self.accounts.values():
            for contract in account.contracts.values():
                suspended, since = self.listings.suspension(contract.security)
                contract.fall_due(before, self.day, suspended=suspended, suspended_since=since)

    def event(self, event: Record) -> list[Step]:
        """Apply one account event and evaluate its account; a repeated id changes nothing."""
        if self.day is None:
            self._know(shanghai(event["ts"]).date())
        assert self.day is not None
        name, kind = event["account"], event["kind"]
        if self.time is not None and shanghai(event["ts"]).date() == self.day:
            self.time = max(self.time, shanghai(event["ts"]).time())
        key = (name, event["id"])
        if key in self.seen and self.seen[key][0] >= self.known - 1:
            if self.seen[key][1] != event:
                raise RefusedError("id", "seen before with other content")
            return []
        account = self.accounts.get(name)
        if account is None or (account.closed and kind != "opening"):
            if kind != "opening":
                raise RefusedError("account", "never opened or closed")
            account = Account(name)
        other_before, before = account.other_collateral, valuation.wealth(account, self.prices, self.day)
        chosen = (event.get("preset") if kind == "opening" else None) or account.preset
        FOLDS[kind](account, event, self.day, self.terms(chosen))
        released_by_courts(account)
        account.preset = chosen
        account.closed = account.closed and kind != "opening"
        self.open.setdefault(name, Open()).note(event)
        if kind == "repay" and name in self.forced:
            self.forced[name] = simulated.after_repayment(self.forced[name], money(event["amount"]))
        self.seen[key] = (self.known, event)
        self.accounts[name] = account
        life = self.lives.setdefault(name, CallLife(name))
        after = valuation.wealth(account, self.prices, self.day)
        money_in = after[1] > before[1] if kind == "opening" else brings_money(event, other_before)
        hope = money_in or (kind == "opening" and after[0] > before[0])
        life.written_off = life.written_off and not hope
        return [] if account.closed else self._evaluate(name, money_in=money_in)

    def command(self, record: Record) -> list[Step]:
        """An operator's word about an open account and its open episode."""
        name, what = record["account"], record["command"]
        account, life = self.accounts[name], self.lives[name]
        if self.time is not None:
            self.time = max(self.time, shanghai(record["ts"]).time())
        if what == "set_preset":
            if record["preset"] not in self.presets.by_name:
                raise RefusedError("preset", "nobody has described it")
            account.preset = record["preset"]
        if life.episode is not None:
            if what == "acknowledge" and not life.episode.acknowledged:
                self._snapshot(name, "acknowledged")
                life.episode.acknowledged = True
            operators.change(life.episode, record, self.moment(name), self.preset(account))
        return [] if what in ("acknowledge", "hold") else self._evaluate(name)

    def _snapshot(self, name: str, moment: str) -> None:
        """Evidence between the records of a call."""
        assert self.day is not None
        figures = {"moment": moment, "evidence": told.evidence(self.accounts[name], self.prices, self.day)}
        self.snapshots.append({"account": name, "date": self.day.isoformat(), "figures": figures})

    def clock(self) -> list[Step]:
        return self._evaluate_all()

    def session(self, phase: str, day: date, ts: int | None = None) -> list[Step]:
        steps: list[Step] = []
        if phase == "clock" and self.days and day > self.days[-1]:
            return steps
        self.time = None if ts is None else shanghai(ts).time()
        if self.day is None or day > self.day or (phase == "pre_open" and not self.days):
            steps += self._begin(day)
        self.phase = phase if phase != "clock" else self.phase
        if self.simulates and self.phase == "continuous" and phase in ("clock", "continuous"):
            simulated.fill_forced(self)
        if phase == "clock":
            return steps + self.clock()
        if phase == "settled":
            self.open.clear()
            self.settled_day = day
            steps += self._settle(day)
        if phase == "continuous":
            steps += self._evaluate_all()
        return steps

    # -- what follows from them

    def preset(self, account: Account) -> Preset:
        assert self.day is not None
        return self.presets.at(account.preset, self.day)

    def terms(self, preset: str | None) -> Terms:
        assert self.day is not None
        margins = {
            (kind, security): money(record[f"{kind}_margin"])
            for security, record in self.listings.records.items()
            for kind in ("financing", "lending")
            if record.get(f"{kind}_margin") is not None
        }
        announced = {
            action["action"]
            for action in self.actions
            if corporate_actions.is_rights(action) and date.fromisoformat(action["ex_date"]) > self.day
        }
        suspensions = {security: self.listings.suspension(security) for security in self.listings.records}
        suspended = {security: since for security, (is_so, since) in suspensions.items() if is_so}
        return Terms(lambda day: self.presets.at(preset, day), margins, announced, suspended)

    def _settle(self, day: date) -> list[Step]:
        steps = self._evaluate_all(settled=True)
        self.topups.append(told.topups(self.lives, self._asked, self.days))
        self.totals.append(self._totals())
        self.custody.settle(day, self.accounts)
        return steps

    def _asked(self, name: str) -> tuple[Decimal, Decimal]:
        """Cash to the target, and what must be repaid whatever the ratio."""
        now, preset = self.moment(name), self.preset(self.accounts[name])
        return valuation.shortfall(now.value, now.owed, preset.target), now.due.money

    def _know(self, day: date) -> None:
        """What is dated up to this day holds now."""
        self.prices.begin(day)
        self.known += int(day != self.day)
        self.day = day
        due = [record for record in self.waiting if date.fromisoformat(record["date"]) <= day]
        self.waiting = [record for record in self.waiting if record not in due]
        self.listings.begin_day()
        for record in sorted(due, key=lambda record: str(record["date"])):
            self._security(record)

    def _begin(self, day: date) -> list[Step]:
        """Evaluate yesterday if nobody did; then shares become sellable and corporate actions take effect."""
        steps: list[Step] = []
        before = self.days[-1] if self.days else None
        if before is not None and self.settled_day != before:
            self.settled_day, self.phase = before, "settled"
            steps = self._settle(before)
        self.listings.lend_on([account.flows for account in self.accounts.values()])
        self._know(day)
        self.open.clear()
        self.forced.clear()
        self.phase = "pre_open"
        self.days.append(day)
        self._review()
        self._fall_due()
        for account in self.accounts.values():
            terms = self.terms(account.preset)
            for contract in account.contracts.values():
                contract.run_to(day, terms.rate_on)
        for account in self.accounts.values():
            account.locked, account.flows = {}, {}
            corporate_actions.pay_out(account, day, auto_pay=self.preset(account).auto_pay)
            corporate_actions.new_day(account, self.prices)
        last = before or day - timedelta(days=1)
        self._go_ex([a for a in self.actions if last < date.fromisoformat(a["ex_date"]) <= day])
        if before is not None:
            for name in sorted(self.accounts):
                if not self.accounts[name].closed and self.moment(name).due:
                    steps += self._evaluate(name, opens=True)
        return steps

    def _go_ex(self, actions: list[Record]) -> None:
        """Close and agreed price from before lose the right, where nobody publishes others; then items
        begin.
        """
        assert self.day is not None
        for action in actions:
            security, today = action["security"], self.day.isoformat()
            known = self.prices.latest.get(security, {})
            agreed = known.get("fair_price") if known.get("date", today) < today else None
            before: tuple[Any, Any, list[Record]] = (self.prices.carried.get(security), agreed, [])
            close, fair, earlier = self.adjusted.get((security, self.day), before)
            brought = [*earlier, action]
            self.adjusted[security, self.day] = (close, fair, brought)
            tick = Decimal("0.01" if known.get("kind", "stock") == "stock" else "0.001")
            if close is not None:
                self.prices.carried[security] = corporate_actions.adjusted_close(close, brought, tick)
            if fair is not None and known["date"] < today:
                changed = corporate_actions.adjusted_close(money(fair), brought, tick)
                self.prices.latest[security] = {**known, "fair_price": str(changed)}
        for action in sorted(actions, key=lambda a: (a["security"], a["action"])):
            for account in self.accounts.values():
                corporate_actions.go_ex(account, action, self.prices)

    def _evaluate_all(self, *, settled: bool = False) -> list[Step]:
        living = [name for name in sorted(self.accounts) if not self.accounts[name].closed]
        return [step for name in living for step in self._evaluate(name, settled=settled, own=False)]

    def moment(self, name: str, **about: bool) -> Moment:
        account, day = self.accounts[name], self.day
        assert day is not None
        until = day if self.settled_day == day else day - timedelta(days=1)
        return Moment(
            day=day,
            days=self.days,
            phase=self.phase,
            time=self.time,
            value=valuation.assets(account, self.prices),
            owed=valuation.debt(account, self.prices, day),
            unpriced=bool(valuation.unpriced(account, self.prices)),
            due=obligations.owed(account, day, until),
            **about,
        )

    def _evaluate(self, name: str, **about: bool) -> list[Step]:
        account, life, day = self.accounts[name], self.lives[name], self.day
        assert day is not None
        now = self.moment(name, **about)
        shown, preset, before = life.shown, self.preset(account), life.episode
        steps = life.evaluate(now, preset)
        if life.shown != shown or (now.settled and now.owed > 0):
            margin = self.available_margin(name)
            self.states.append(told.state(account, life.shown, self.prices, day, margin, settled=now.settled))
        if life.episode is None or life.episode.state <= EXPIRED:
            self.forced.pop(name, None)
        silent = now.settled and now.owed > 0 and not now.unpriced and not steps
        if silent and before is not None and life.episode is before and before.state > NOTICE:
            self._snapshot(name, "daily")
        for step in steps:
            step.record.update(told.call(account, preset, self.prices, day, step.shortfall, step.reason))
        return steps

    def _totals(self) -> Record:
        """Per security what the firm's accounts owe, hold and did today."""
        names = {security for account in self.accounts.values() for _, security in account.flows}
        for account in self.accounts.values():
            names |= {*account.held, *(contract.security for contract in account.contracts.values())}
        return {"day": self.day, "securities": {name: self._total(name) for name in sorted(names)}}

    def _total(self, security: str) -> Record:
        accounts = self.accounts.values()
        contracts = [c for account in accounts for c in account.contracts.values() if c.security == security]
        total: Record = {
            "financing_balance": sum((c.principal for c in contracts if c.kind == "financing"), ZERO),
            "lending_qty": sum(c.qty for c in contracts if c.kind == "lending"),
            "credit_holding_qty": sum(account.held.get(security, 0) for account in accounts),
            "accounts": sum(owes(account, security) for account in accounts),
        }
        for flow in ("buys", "repayments", "short_sales", "returns"):
            total[flow] = sum((account.flows.get((flow, security), ZERO) for account in accounts), ZERO)
        return total

    # -- what a person looks up

    def view(self, name: str) -> View:
        account, life, day = self.accounts[name], self.lives[name], self.day
        assert day is not None
        value, owed = valuation.assets(account, self.prices), valuation.debt(account, self.prices, day)
        return View(
            assets=value,
            debt=owed,
            ratio=shown_ratio(value, owed),
            level=life.shown,
            episode=None if life.episode is None else life.episode.name,
            unpriced=tuple(valuation.unpriced(account, self.prices)),
        )

    def evidence(self, name: str) -> Record:
        assert self.day is not None
        return told.evidence(self.accounts[name], self.prices, self.day)

    def forced_orders(self, name: str) -> list[Record]:
        """Open forced orders on their way; a plan that is only proposed, or held, binds nobody."""
        episode = self.lives[name].episode
        return [] if episode is None or episode.held else self.forced.get(name, [])

    def haircut(self, security: str) -> Decimal:
        assert self.day is not None
        return self.listings.haircut(security, self.day)

    def available_margin(self, name: str) -> Fraction:
        assert self.day is not None
        counted = {security: self.haircut(security) for security in self.listings.records}
        return valuation.available_margin(self.accounts[name], self.prices, self.day, counted)


def owes(account: Account, security: str) -> bool:
    """Whether anything is borrowed under a contract in the security."""
    return any(c.security == security and c.principal for c in account.contracts.values())
