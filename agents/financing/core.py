"""The financing core: per-security balances of the whole firm and the halts that follow. Contract section
3, rulebook 5.

It folds the firm log: reference data, marks, sessions and the totals of every shard. A day is final once
`settled` has passed and every shard has reported it: then balances, signals, the firm's totals for the
shards and one `day_final` record go out, in this order, and nothing of the day changes unless `settled`
comes again, after which only what came out otherwise is published once more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, field
from typing import Any, Literal

import orjson
from numpy.typing import NDArray

from agents.core import Output, Segment, Snapshot, StateRow
from agents.dead_letters import dead_letter
from agents.financing.closes import NO_DAY, Closes
from agents.financing.days import NOT_SETTLED, DayTotals, Report
from agents.financing.figures import Balances, MarketFigures
from agents.financing.halts import COMPUTED, FINANCING, LENDING, PUBLISHED, Halts, Signal
from agents.financing.records import balance_record, day_final, firm_totals, shown_figures
from agents.rules.haircuts import check_haircut
from agents.rules.halt_lines import limit_rule, uses_smaller_figure
from agents.rules.schedule import Schedule, built_in
from schemas import decode
from schemas.batches import MarkBatch
from schemas.errors import BadRecord
from schemas.market import Session
from schemas.reference import Notice, PublishedBalance, SecurityReference
from schemas.topics import (
    FINANCING_BALANCES,
    REFERENCE_ACTIONS,
    REFERENCE_BALANCES,
    REFERENCE_NOTICES,
    REFERENCE_SECURITIES,
    SECURITY_SIGNALS,
    SHARD_TOTALS,
    SYSTEM_EVENTS,
)
from schemas.units import day_start, format_day

DAY_FINAL = "day_final"


_STATE = "financing.state"


@dataclass(frozen=True, slots=True)
class FinancingConfig:
    """`shards`: number of account partitions. `scope` firm: the exchange's published figures and notices
    decide halts, own balances are reported; market: own balances decide, notices still win. `schedule`:
    lines and how boundaries are read.
    """

    shards: int
    scope: Literal["firm", "market"] = "firm"
    schedule: Schedule = field(default_factory=built_in)


class FinancingCore:
    """Implements `agents.core.Core` over the firm log."""

    def __init__(self, config: FinancingConfig) -> None:
        self.config = config
        self.closes = Closes()
        self.halts = Halts()
        self._days: dict[int, DayTotals] = {}
        self._final_day = NO_DAY
        self._current: dict[str, Balances] = {}
        self._before: dict[str, Balances] | None = None
        self._ts = 0

    # -- the log

    def apply_events(self, segment: Segment) -> list[Output]:
        """Reference data, published figures, notices, shards' totals; other topics say nothing about a
        security's balance.
        """
        if segment.topic == SHARD_TOTALS:
            return [output for raw in segment.values for output in self._report(Report.of(orjson.loads(raw)))]
        if segment.topic not in {
            REFERENCE_SECURITIES,
            REFERENCE_ACTIONS,
            REFERENCE_BALANCES,
            REFERENCE_NOTICES,
        }:
            return []
        outputs: list[Output] = []
        events = []
        for row, raw in enumerate(segment.values):
            try:
                event = decode(segment.topic, raw)
                if isinstance(event, SecurityReference):
                    check_haircut(event, self.config.schedule)
                events.append(event)
            except BadRecord as bad:
                outputs.append(dead_letter(segment, row, bad.field, bad.reason))
        if segment.topic == REFERENCE_SECURITIES:
            self.closes.refer(events)
        elif segment.topic == REFERENCE_ACTIONS:
            self.closes.act(events)
        elif segment.topic == REFERENCE_NOTICES:
            outputs += [output for event in events for output in self._notice(event)]
        elif self.config.scope == "firm":
            outputs += [output for event in events for output in self._published(event)]
        return outputs

    def apply_marks(self, marks: MarkBatch, evaluate: bool) -> list[Output]:  # noqa: ARG002 - balances wait for the day's end
        """Take newer observations; they matter as closing prices."""
        self.closes.observe(marks)
        return []

    def apply_session(self, session: Session) -> list[Output]:
        """Begin a day, or close it at `settled`; a record of a day that is over changes nothing, and neither
        does the clock of a day on which nothing has begun.
        """
        today = self.closes.day
        if session.date < today or (session.phase == "clock" and NO_DAY != today < session.date):
            return []
        self._ts = max(self._ts, session.ts)
        outputs = self._begin(session.date) if session.date > today else []
        if session.phase == "settled":
            self._day(session.date).settle(session.ts, self.closes.marks())
            outputs += self._finish(session.date)
        return outputs

    # -- the day

    def _begin(self, day: int) -> list[Output]:
        """A later day begins; one that never saw `settled` is closed as it stands."""
        outputs: list[Output] = []
        today = self.closes.day
        if today != NO_DAY and self._day(today).settled_at == NOT_SETTLED:
            self._day(today).settle(0, self.closes.marks())
            outputs = self._finish(today)
        self.closes.begin_day(day)
        return outputs

    def _day(self, day: int) -> DayTotals:
        return self._days.setdefault(day, DayTotals())

    def _report(self, report: Report) -> list[Output]:
        """A shard's totals. Those of a day before the last final one come too late to change anything."""
        if report.day < self._final_day:
            return []
        known = self._day(report.day).reports.get(report.shard)
        if known is not None and known.ts > report.ts:
            return []
        self._day(report.day).reports[report.shard] = report
        return self._finish(report.day)

    def _finish(self, day: int) -> list[Output]:
        """Publish a day that is complete: what changed of its balances, the signals, and one closing
        record.
        """
        totals = self._days[day]
        if not totals.complete(self.config.shards):
            return []
        ts = totals.settled_at or self._ts
        balances = totals.balances()
        self._move_on(day, balances)
        gone = {security: Balances() for security in self._before or {} if security not in balances}
        outputs, holdings = [], []
        for security, own in sorted((balances | gone).items()):
            shares = self.closes.float_shares(security)
            record = balance_record(security, day, own, totals.closes.get(security), shares)
            before = totals.published.get(security)
            if before != record:
                totals.published[security] = record
                outputs.append(Output(FINANCING_BALANCES, security, {**record, "ts": ts}))
            if before is None or before["credit_holding_qty"] != own.credit_holding_qty:
                holdings.append((security, own.credit_holding_qty))
        signals: list[Signal] = []
        if self.config.scope == "market":
            for security, own in sorted((balances | gone).items()):
                signals += self._evaluate(security, day, self._own_figures(security, own, totals), COMPUTED)
        outputs += self._signals(signals, day)
        if totals.finals and not outputs:
            return []
        totals.finals += 1
        outputs += self._holdings(day, ts, totals.finals, holdings)
        computed = [signal for signal in signals if signal.basis == COMPUTED]
        closing = day_final(day, ts, totals, balances, computed, self._breaks(balances | gone))
        return [*outputs, Output(SYSTEM_EVENTS, DAY_FINAL, closing)]

    def _holdings(self, day: int, ts: int, times: int, holdings: list[tuple[str, int]]) -> list[Output]:
        market = self.config.scope == "market"
        shares = {security: self.closes.float_shares(security) for security, _ in holdings}
        return firm_totals(day, ts, times, holdings, shares if market else None)

    def _move_on(self, day: int, balances: dict[str, Balances]) -> None:
        if day != self._final_day:
            self._before = None if self._final_day == NO_DAY else self._current
            self._final_day = day
            self._days = {kept: totals for kept, totals in self._days.items() if kept >= day}
        self._current = balances

    def _breaks(self, balances: Mapping[str, Balances]) -> list[str]:
        """Securities whose balances do not follow from the day before by the day's flows."""
        if self._before is None:
            return []
        nothing = Balances()
        broken = []
        for security, own in balances.items():
            before = self._before.get(security, nothing)
            if not own.agrees_with(before.financing_balance, before.lending_qty):
                broken.append(security)
        return sorted(broken)

    # -- halts

    def _own_figures(self, security: str, own: Balances, totals: DayTotals) -> MarketFigures:
        close, shares = totals.closes.get(security), self.closes.float_shares(security)
        return MarketFigures(
            financing_balance=own.financing_balance,
            credit_holding_value=None if close is None else own.credit_holding_qty * close,
            float_value=None if close is None or shares is None else shares * close,
            lending_qty=own.lending_qty,
            float_shares=shares,
        )

    def _notice(self, event: Notice) -> list[Output]:
        """The exchange's own decision."""
        today = self.closes.day if self.closes.day != NO_DAY else event.effective
        signals = self.halts.notice(event.security, event.business, event.effective, event.action, today)
        return self._signals(signals, today)

    def _published(self, event: PublishedBalance) -> list[Output]:
        """Figures the exchange published for a day decide its halts in the scope of a firm."""
        settled = self._days.get(event.date)
        closes = settled.closes if settled is not None and settled.closes else self.closes.marks()
        close = closes.get(event.security)
        shares = event.float_shares or self.closes.float_shares(event.security)
        value = event.float_value or (None if close is None or shares is None else shares * close)
        figures = MarketFigures(
            event.financing_balance, event.credit_holding_value, value, event.lending_qty, shares
        )
        return self._signals(self._evaluate(event.security, event.date, figures, PUBLISHED), event.date)

    def _evaluate(self, security: str, day: int, figures: MarketFigures, basis: str) -> list[Signal]:
        rule = limit_rule(self.closes.kind(security), day, self.config.schedule)
        if rule is None:
            return []
        smaller = uses_smaller_figure(day, self.config.schedule)
        found, today = [], max(day, self.closes.day)
        for business, indicator in (
            (FINANCING, figures.financing_indicator(smaller=smaller)),
            (LENDING, figures.lending_indicator()),
        ):
            if indicator is None:
                continue
            shown = shown_figures(business, figures, smaller=smaller)
            signal = self.halts.evaluate(security, business, day, indicator, rule, basis, shown, today)
            if signal is not None:
                found += [signal, *self.halts.ahead(security, business, signal.effective, today)]
        return found

    def _signals(self, signals: list[Signal], day: int) -> list[Output]:
        ts = self._ts or day_start(day)
        return [Output(SECURITY_SIGNALS, signal.security, signal.record(ts)) for signal in signals]

    # -- state

    def snapshot(self) -> Snapshot:
        """The whole state."""
        state = {
            "days": [[day, totals.dump()] for day, totals in sorted(self._days.items())],
            "final_day": self._final_day,
            "current": {security: astuple(own) for security, own in self._current.items()},
            "before": None
            if self._before is None
            else {security: astuple(own) for security, own in self._before.items()},
            "ts": self._ts,
            "halts": self.halts.dump(),
        }
        return {**self.closes.snapshot(), _STATE: orjson.dumps(state)}

    def restore(self, snapshot: Mapping[str, bytes | NDArray[Any]]) -> None:
        """Become the state that `snapshot` describes."""
        state = orjson.loads(bytes(snapshot[_STATE]))
        self.closes.restore(snapshot)
        self.halts.load(state["halts"])
        self._days = {day: DayTotals.load(totals) for day, totals in state["days"]}
        self._final_day = state["final_day"]
        self._current = {security: Balances.of(row) for security, row in state["current"].items()}
        before = state["before"]
        self._before = None if before is None else {name: Balances.of(row) for name, row in before.items()}
        self._ts = state["ts"]

    def state_rows(self) -> Iterator[StateRow]:
        """Last final balances, halts with their notices, and days not yet final."""
        for security, own in sorted(self._current.items()):
            yield "balance", security, orjson.dumps([self._final_day, *astuple(own)])
        for security, business, *state in self.halts.dump():
            yield "halt", f"{security}:{business}", orjson.dumps(state)
        for day, totals in sorted(self._days.items()):
            if totals.balances():
                own_sums = {security: astuple(own) for security, own in totals.balances().items()}
                yield "totals", format_day(day), orjson.dumps([totals.settled_at, own_sums])
