"""What clients do over many days: contracts that fall due are paid or extended, or not; money comes in when
prices fall.

A choice, not a statistic. Of the contracts that fall due, most are paid with money from outside on their
last trading day; from 2015-07-02, when extensions began (展期, rulebook 7.6), a part is extended a week
before instead; the rest is left to the broker. Amounts follow from the drawn books alone: a client does not
know what a forced sale has repaid in the meantime, so a few payments and extensions name contracts that are
gone, and the processor refuses them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from agents.rules.interest import interest_milli, payable_milli
from agents.rules.schedule import built_in
from schemas.units import MINUTE_MS, day_start, format_day
from streams.books.draw import BODY, LENDING_RATE, RATES, TAIL, Books, Ints
from streams.books.events import CONTRACT_DAYS
from streams.days.decimals import money_array

_EXTENSION = "contract_extension_max_months"
_NOTICE = 7
"""Calendar days before the due date on which an extension is asked for."""


@dataclass(frozen=True, slots=True)
class Habits:
    """Shares of contracts that are `extended` (once that is allowed) and `neglected`; all others are paid.
    On a day on which the middle stock falls by `alarm` or more, `helped` of the accounts bring money.
    """

    extended: float = 0.3
    neglected: float = 0.1
    alarm: float = 0.05
    helped: float = 0.04


class Lives:
    """Account events of the days after the books were drawn, asked for in order. `days`: all trading days,
    the first is the books' own.
    """

    def __init__(self, books: Books, days: list[int], habits: Habits | None = None) -> None:
        self._books = books
        self._days = days
        self._habits = habits or Habits()
        random = np.random.Generator(np.random.PCG64([books.seed, books.as_of, 2]))
        self._choice = random.random(len(books.contract_qty))
        self._due = books.contract_opened + CONTRACT_DAYS
        first = np.searchsorted(books.contract_account, books.contract_account)
        self._extends = self._extended()
        self._open = np.ones(len(books.contract_qty), np.bool_)
        self._paid = [0] * len(books.contract_qty)
        self._number = np.arange(len(books.contract_qty)) - first + 1

    def events(self, day: int, middle_move: float) -> pa.Table:
        """The events of one trading day, in order of time; `middle_move`: return of the middle stock."""
        rows = [*self._extensions(day), *self._payments(day), *self._deposits(day, middle_move)]
        rows.sort(key=lambda row: (row["ts"], row["account"], row["id"]))
        table = {
            "account": pa.array([row["account"] for row in rows], pa.string()),
            "ts": pa.array([row["ts"] for row in rows], pa.int64()),
            "id": pa.array([row["id"] for row in rows], pa.string()),
            "kind": pa.array([row["kind"] for row in rows], pa.string()),
            "amount": money_array(
                np.array([row.get("amount", 0) for row in rows], np.int64),
                np.array(["amount" not in row for row in rows], np.bool_),
            ),
            "reason": pa.array([row.get("reason") for row in rows], pa.string()),
            "contract": pa.array([row.get("contract") for row in rows], pa.string()),
            "due": pa.array([row.get("due") for row in rows], pa.int32()).cast(pa.date32()),
        }
        return pa.table(table).append_column("key", table["account"])

    def _extended(self) -> NDArray[np.bool_]:
        """Which contracts the client extends, where the rules of the day of asking allow it."""
        asked = self._last_trading_day(self._due - _NOTICE)
        open_days = [day for day in self._days if built_in().number(_EXTENSION, day) > 0]
        wanted = (self._choice < self._habits.extended) & ~self._books.contract_short
        return np.asarray(wanted & np.isin(asked, open_days))

    def _extensions(self, day: int) -> list[dict[str, object]]:
        asked = self._last_trading_day(self._due - _NOTICE) == day
        return [
            self._about(i, day, "extend", 10 * 60) | {"due": int(self._due[i]) + CONTRACT_DAYS}
            for i in np.flatnonzero(asked & self._extends).tolist()
        ]

    def _payments(self, day: int) -> list[dict[str, object]]:
        neglected = self._choice > 1 - self._habits.neglected
        due = (self._last_trading_day(self._due) == day) & ~self._extends & ~neglected
        rows: list[dict[str, object]] = []
        for i in np.flatnonzero(due & ~self._books.contract_short).tolist():
            money = {"amount": self._pay(i, day)}
            rows.append(self._about(i, day, "cash", 9 * 60 + 40) | money | {"reason": "deposit"})
            repayment = self._about(i, day, "repay", 9 * 60 + 45) | money
            del repayment["contract"]
            rows.append(repayment)
        return rows

    def _deposits(self, day: int, middle_move: float) -> list[dict[str, object]]:
        books, random = self._books, np.random.Generator(np.random.PCG64([self._books.seed, day, 3]))
        chance, size, moment = (random.random(len(books)) for _ in range(3))
        if middle_move > -self._habits.alarm:
            return []
        helped = (chance < self._habits.helped) & (books.debt > 0)
        helped &= (books.group == BODY) | (books.group == TAIL)
        amount = (books.debt * (0.05 + 0.2 * size)).astype(np.int64) // 1000 * 1000
        return [
            {
                "account": books.names[i],
                "ts": day_start(day) + (13 * 60 + int(moment[i] * 110)) * MINUTE_MS,
                "id": f"help-{format_day(day)}",
                "kind": "cash",
                "amount": int(amount[i]),
                "reason": "deposit",
            }
            for i in np.flatnonzero(helped & (amount > 0)).tolist()
        ]

    def _about(self, contract: int, day: int, kind: str, minute: int) -> dict[str, object]:
        """An event on a contract; a payment's money comes under the id `cash-`."""
        name = f"C{self._number[contract]}"
        row: dict[str, object] = {
            "account": self._books.names[self._books.contract_account[contract]],
            "ts": day_start(day) + minute * MINUTE_MS,
            "id": f"{kind}-{name}-{format_day(day)}",
            "kind": kind,
        }
        return row if kind == "cash" else row | {"contract": name}

    def _pay(self, i: int, day: int) -> int:
        """Pays a financing contract off; returns its principal and the payable interest of all contracts of
        its account, 0.001 yuan: interest is paid first.
        """
        books = self._books
        own = np.flatnonzero((books.contract_account == books.contract_account[i]) & self._open).tolist()
        amount = int(books.contract_qty[i] * books.contract_price[i])
        for other in own:
            interest = self._interest(other, day)
            amount += payable_milli(interest - self._paid[other])
            self._paid[other] = interest
        self._open[i] = False
        return amount

    def _interest(self, i: int, day: int) -> int:
        books = self._books
        base, opened = int(books.contract_qty[i] * books.contract_price[i]), int(books.contract_opened[i])
        rate = LENDING_RATE if books.contract_short[i] else RATES[books.contract_rate[i]]
        days = max(1, day - opened) - (books.as_of - opened)
        return int(books.contract_accrued[i]) + interest_milli(base * days, int(rate.replace(".", "")) * 100)

    def _last_trading_day(self, dates: Ints) -> Ints:
        """The trading day on or before each date; -1 before the first and after the last."""
        days = np.array([-1, *self._days], dtype=np.int64)
        found = days[np.searchsorted(days[1:], dates, side="right")]
        return np.asarray(np.where(dates > self._days[-1], -1, found))
