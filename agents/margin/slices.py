"""Slices (分批) of forced liquidation: the trading day cut into stretches of some minutes, what each may
still send, and how much has been planned in it (rulebook 7.5).

A slice begins with the first evaluation inside its minutes. Volumes are read then, so that everything a slice
sends is measured against the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from agents.kernels.layout import ADV_20, FIRM_HELD, QUOTE_TS, VOLUME
from agents.liquidation.participation import Traded, average_slice, quota
from agents.rules.hours import continuous_windows, minutes_in, minutes_traded, trades_at
from agents.rules.lots import lot
from schemas.units import DAY_MS, SHANGHAI_OFFSET_MS, shanghai_day, shanghai_minute

if TYPE_CHECKING:
    from agents.books.columns import Snapshot
    from agents.margin.desk import Desk

SALE, COVER = 0, 1
UNKNOWN = -1

HELD = 2
"""Column of the totals: shares held in credit accounts."""

_PER_DAY = 10_000
"""More slices than a day has minutes: day number * this + number of the slice."""
_CLOCK = "600000.SH"
"""Slices are counted in the hours of a Shanghai stock: the longest of all markets."""
_HOURS = ((_CLOCK, "stock"), ("510050.SH", "etf"), ("000001.SZ", "stock"), ("430047.BJ", "stock"))


class Slices:
    """`current` is the slice (day * 10_000 + number), -1 before the first. Of it: `accounts` and `planned`
    (milli) planned so far, `full` once the ceiling was passed; `fresh`: it began, or a halt ended in it, and
    nobody has looked yet at the accounts that waited. `volume_before` and `volume_now` are cumulative volumes
    of the day at the beginning of the slice before and of this one, by security row (-1 not known). `limits`
    (security row, side) -> what this slice may send, where somebody asked (None: no limit); `sent` (security
    row, side) -> [slice, shares sent in it, volume then]; `latest` account row -> slice of its latest plan
    today; `held` shares of this shard's accounts at the last `settled`. `market` and `minute` are the minutes
    of market time and of what is looked at now, None where they are not of the day.
    """

    def __init__(self) -> None:
        self.current = UNKNOWN
        self.minute: int | None = None
        self.market: int | None = None
        self.accounts = 0
        self.planned = 0
        self.full = False
        self.fresh = False
        self.volume_before = np.empty(0, dtype=np.int64)
        self.volume_now = np.empty(0, dtype=np.int64)
        self.held = np.empty(0, dtype=np.int64)
        self.limits: dict[tuple[int, int], int | None] = {}
        self.sent: dict[tuple[int, int], list[int]] = {}
        self.latest: dict[int, int] = {}

    # -- time

    def enter(self, desk: Desk, ts: int) -> None:
        """Goes to the slice of market time, and to the minute of an event at `ts` (ms) where that is later:
        an event from the future keeps itself from being acted on, and moves no slice. Times that are not of
        the books' day tell nothing, and no slice begins at noon.
        """
        day, market_ts = desk.books.day, desk.calendar.market_ts
        own = shanghai_minute(ts) if shanghai_day(ts) == day else None
        market = shanghai_minute(market_ts) if shanghai_day(market_ts) == day else own
        self.minute = market if market is None or own is None else max(market, own)
        if market == self.market and self.current // _PER_DAY == day:
            return
        self.market = market
        new = day * _PER_DAY + (0 if market is None else self._number(desk, market))
        if new > self.current:
            self._begin(desk, new)

    def _number(self, desk: Desk, minute: int) -> int:
        """Number of the slice, counted from 1; 0 outside continuous trading."""
        day = desk.books.day
        windows = continuous_windows(_CLOCK, "stock", day, desk.rules)
        if not any(minute in window for window in windows):
            return 0
        return 1 + minutes_traded(windows, minute) // max(1, desk.rules.number("slice_minutes", day))

    def _begin(self, desk: Desk, new: int) -> None:
        same_day = new // _PER_DAY == self.current // _PER_DAY
        self.current, self.accounts, self.planned, self.full, self.fresh = new, 0, 0, False, True
        first = new % _PER_DAY <= 1
        self.volume_before = np.empty(0, dtype=np.int64) if first or not same_day else self.volume_now
        self.volume_now = _volumes(desk)
        self.limits.clear()
        if not same_day:
            self.sent.clear()
            self.latest.clear()

    def take_fresh(self) -> bool:
        """Whether accounts that wait are to be looked at now; asked once."""
        fresh, self.fresh = self.fresh, False
        return fresh

    def resume(self) -> None:
        """Trading goes on after a halt: what was left is planned again without waiting for the next slice."""
        self.fresh = True
        self.latest = dict.fromkeys(self.latest, UNKNOWN)

    def open(self, desk: Desk, *, at_once: bool) -> bool:
        """Whether a slice may be sent now: continuous trading somewhere, and not after the last slice of the
        day unless the account is below its immediate line.
        """
        if not desk.calendar.trading():
            return False
        if self.minute is None:
            return True
        day, rules = desk.books.day, desk.rules
        if not any(trades_at(name, kind, day, self.minute, rules) for name, kind in _HOURS):
            return False
        return at_once or self.minute < rules.number("slice_stop", day)

    def trades(self, desk: Desk, security: int) -> bool:
        """Whether a security is within its hours of continuous auction."""
        if self.minute is None:
            return True
        securities = desk.books.securities
        name, kind = securities.names[security], securities.kind(security)
        return trades_at(name, kind, desk.books.day, self.minute, desk.rules)

    # -- plans

    def renews(self, account: int) -> bool:
        """Whether the account's latest plan is of an earlier slice."""
        return self.latest.get(account, UNKNOWN) < self.current

    def planned_today(self, account: int) -> bool:
        """Whether a plan of the account was published on the day of this slice."""
        return account in self.latest

    # -- volume

    def quota(self, desk: Desk, security: int, side: int) -> int | None:
        """Shares of a security that may still be sent in this slice; None where no volume is known."""
        key = (security, side)
        if key not in self.limits:
            self.limits[key] = self._limit(desk, security, side)
        most, last = self.limits[key], self.sent.get(key)
        if most is None or last is None or last[0] != self.current:
            return most
        return max(0, most - last[1])

    def _limit(self, desk: Desk, security: int, side: int) -> int | None:
        """What the slice may send of a security, before anything was sent."""
        securities, day, rules = desk.books.securities, desk.books.day, desk.rules
        traded, rate = self._traded(security, side), "slice_participation"
        if traded is None:
            traded, rate = self._average(desk, security, side), "slice_adv_participation"
        if traded is None:
            return None
        own, firm = self._part(desk, security) if side == SALE else (1, 1)
        rule = lot(securities.board(security), securities.kind(security), day, rules)
        return quota(traded, rules.number(rate, day), rule.minimum, own=own, firm=firm)

    def note_sent(self, security: int, side: int, qty: int) -> None:
        """So many shares were sent."""
        last = self.sent.get((security, side))
        before = last[1] if last is not None and last[0] == self.current else 0
        self.sent[security, side] = [self.current, before + qty, _at(self.volume_now, security)]

    def _traded(self, security: int, side: int) -> Traded | None:
        """By the day's cumulative volume: since the slice before, else the day's average slice."""
        now, before = _at(self.volume_now, security), _at(self.volume_before, security)
        if now < 0:
            return None
        recent = now - before if before >= 0 else now // max(1, self.current % _PER_DAY)
        last = self.sent.get((security, side))
        return Traded(max(0, recent), max(0, now - max(0, last[2])) if last is not None else now)

    def _average(self, desk: Desk, security: int, side: int) -> Traded | None:
        """By the average day, else the last one that quotes told of: every slice the same."""
        securities = desk.books.securities
        adv = securities.get(security, ADV_20)
        if adv <= 0 and shanghai_day(securities.get(security, QUOTE_TS)) < desk.books.day:
            adv = securities.get(security, VOLUME)
        if adv <= 0:
            return None
        day, rules = desk.books.day, desk.rules
        name, kind = securities.names[security], securities.kind(security)
        minutes = minutes_in(continuous_windows(name, kind, day, rules))
        each = average_slice(adv, minutes, rules.number("slice_minutes", day))
        last = self.sent.get((security, side))
        slices = self.current - last[0] if last is not None else max(1, self.current % _PER_DAY)
        return Traded(each, each * slices)

    def _part(self, desk: Desk, security: int) -> tuple[int, int]:
        """This shard's accounts' shares of a security, and the firm's, as of the last settled day; at least
        what is held now.
        """
        runs, holders = desk.books.positions.by_security, desk.books.positions.holders
        start, count = runs.start[security], runs.count[security]
        now = int(holders.array("qty")[start : start + count].sum())
        own = max(1, now, _at(self.held, security))
        return own, max(own, desk.books.securities.get(security, FIRM_HELD))

    def note_held(self, desk: Desk, totals: Mapping[str, list[int]]) -> None:
        """What this shard's accounts hold at `settled` (agents.margin.totals)."""
        securities = desk.books.securities
        self.held = np.zeros(securities.rows, dtype=np.int64)
        for name, figures in totals.items():
            self.held[securities.index[name]] = figures[HELD]

    # -- state

    def snapshot(self) -> Snapshot:
        """Everything."""
        now = [self.current, self.accounts, self.planned, self.full, self.fresh]
        limits = [[*key, most] for key, most in sorted(self.limits.items())]
        sent = [[*key, *figures] for key, figures in sorted(self.sent.items())]
        return {
            "slices.now": orjson.dumps([now, limits, sent, sorted(self.latest.items())]),
            "slices.volume_before": self.volume_before.copy(),
            "slices.volume_now": self.volume_now.copy(),
            "slices.held": self.held.copy(),
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Everything again."""
        now, limits, sent, latest = orjson.loads(bytes(snapshot["slices.now"]))
        self.current, self.accounts, self.planned, self.full, self.fresh = now
        self.minute = self.market = None
        self.limits = {(security, side): most for security, side, most in limits}
        self.sent = {(security, side): figures for security, side, *figures in sent}
        self.latest = dict(latest)
        self.volume_before = np.array(snapshot["slices.volume_before"], dtype=np.int64)
        self.volume_now = np.array(snapshot["slices.volume_now"], dtype=np.int64)
        self.held = np.array(snapshot["slices.held"], dtype=np.int64)


def _volumes(desk: Desk) -> NDArray[np.int64]:
    """The day's cumulative volume by security row, -1 where no quote of the day tells it."""
    table = desk.books.securities.used("table")
    days = (table[:, QUOTE_TS] + SHANGHAI_OFFSET_MS) // DAY_MS
    return np.where(days == desk.books.day, table[:, VOLUME], UNKNOWN).astype(np.int64)


def _at(column: NDArray[np.int64], security: int) -> int:
    return int(column[security]) if security < len(column) else UNKNOWN
