"""Lots, costs, daily limits and the price cage, typed off rulebook 7.3 and 7.5."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from tests.oracle.prices import Prices

Record = dict[str, Any]
FUNDS = ("etf", "fund", "cash_product", "warrant")
LOTS = {
    "main": (100, 100, 1_000_000, 1_000_000),
    "chinext": (100, 100, 300_000, 150_000),
    "star": (200, 1, 100_000, 50_000),
    "bse": (100, 1, 1_000_000, 1_000_000),
}
"""Minimum, step, largest limit order, largest market order."""
LIMITS = {
    "main": [("1996-12-16", "0.10")],
    "main st": [("2005-01-01", "0.05"), ("2026-07-06", "0.10")],
    "chinext": [("2009-10-30", "0.10"), ("2020-08-24", "0.20")],
    "chinext st": [("2009-10-30", "0.05"), ("2020-08-24", "0.20")],
    "star": [("2019-07-22", "0.20")],
    "bse": [("2021-11-15", "0.30")],
}
CAGES = {
    "main": (date(2023, 4, 10), Decimal("0.02"), 10),
    "chinext": (date(2020, 8, 24), Decimal("0.02"), 0),
    "star": (date(2019, 7, 22), Decimal("0.02"), 0),
    "bse": (date(2021, 11, 15), Decimal("0.05"), 10),
}
STAMP_BUY = [("2005-01-24", "0.001"), ("2007-05-30", "0.003"), ("2008-04-24", "0.001"), ("2008-09-19", "0")]
STAMP_SELL = [
    ("2005-01-24", "0.001"),
    ("2007-05-30", "0.003"),
    ("2008-04-24", "0.001"),
    ("2023-08-28", "0.0005"),
]
TRANSFER_FEE = [("2005-01-24", "0"), ("2015-08-01", "0.00002"), ("2022-04-29", "0.00001")]
STOCK_CLOSING_CALL_SINCE = {"SH": date(2018, 8, 20), "SZ": date(2006, 7, 1), "BJ": date(2006, 7, 1)}
FUND_CLOSING_CALL_SINCE = {"SH": date(2026, 7, 6), "SZ": date(2006, 7, 1), "BJ": date(2006, 7, 1)}


def in_force(table: list[tuple[str, str]], day: date) -> Decimal | None:
    held = [value for since, value in table if date.fromisoformat(since) <= day]
    return Decimal(held[-1]) if held else None


def cost_rate(day: date, commission: Decimal, kind: str, *, buys: bool) -> Decimal:
    """Commission, and for stocks stamp duty and transfer fee."""
    if kind != "stock":
        return commission
    stamp = in_force(STAMP_BUY if buys else STAMP_SELL, day) or Decimal(0)
    return commission + stamp + (in_force(TRANSFER_FEE, day) or Decimal(0))


@dataclass(frozen=True)
class Lot:
    minimum: int
    step: int
    largest: int

    def whole(self, qty: int) -> bool:
        return qty >= self.minimum and (qty - self.minimum) % self.step == 0

    def next_buy(self, qty: int) -> int:
        return self.minimum if qty < self.minimum else qty + self.step

    def legal_sale(self, qty: int, sellable: int) -> bool:
        """Whole lots, or everything with its odd remainder."""
        return 0 < qty <= sellable and (qty == sellable or self.whole(qty))

    def next_sale(self, qty: int, sellable: int) -> int | None:
        """The next larger legal sale; None where everything is sold already."""
        if qty >= sellable:
            return None
        return min(self.next_buy(qty), sellable)


def lot(board: str, kind: str, *, market_order: bool = False) -> Lot:
    minimum, step, limit, market = LOTS["main" if kind in FUNDS else board]
    return Lot(minimum, step, market if market_order else limit)


def tick(kind: str) -> Decimal:
    return Decimal("0.001" if kind in FUNDS else "0.01")


def reference_close(prices: Prices, security: str) -> Decimal | None:
    """The previous close published for today, else the one carried over."""
    return prices.published(security, "prev_close") or prices.carried.get(security)


def limits(prices: Prices, security: str, nature: Record, day: date) -> tuple[Decimal | None, Decimal | None]:
    """Lower and upper limit of the day: published, else computed from the previous close, half up."""
    down, up = prices.published(security, "limit_down"), prices.published(security, "limit_up")
    close, board = reference_close(prices, security), nature["board"]
    if (down is not None and up is not None) or close is None:
        return down, up
    names = [f"{board} st"] if nature.get("st") and f"{board} st" in LIMITS else []
    delisted = nature.get("delisting") and board == "main" and day >= date(2013, 1, 1)
    shares = [Decimal("0.10")] if delisted else []
    shares += [share for name in [*names, board] if (share := in_force(LIMITS[name], day)) is not None]
    if not shares:
        return down, up
    step = tick(nature["kind"])
    lowest = (close * (1 - shares[0]) / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step
    rounding = ROUND_FLOOR if board == "bse" else ROUND_HALF_UP
    highest = (close * (1 + shares[0]) / step).quantize(Decimal(1), rounding=rounding) * step
    return (lowest if down is None else down), (highest if up is None else up)


def best(prices: Prices, security: str, side: str) -> Decimal | None:
    levels = prices.newest_quote(security).get(side)
    return Decimal(str(levels[0][0])) if levels else None


def cage(prices: Prices, security: str, nature: Record, day: date, *, buys: bool) -> Decimal | None:
    """The highest legal purchase, or the lowest legal sale, of continuous auction; None without a cage."""
    since, width, ticks = CAGES[nature["board"]]
    if nature["kind"] != "stock" or day < since:
        return None
    bid, ask = best(prices, security, "bid"), best(prices, security, "ask")
    ladder = [*((ask, bid) if buys else (bid, ask)), prices.last(security), reference_close(prices, security)]
    base = next((price for price in ladder if price is not None and price > 0), None)
    if base is None:
        return None
    step = tick("stock")
    edge = base * (1 + width if buys else 1 - width) / step
    rounded = edge.quantize(Decimal(1), rounding=ROUND_FLOOR if buys else ROUND_CEILING) * step
    if not ticks:
        return rounded
    return max(rounded, base + ticks * step) if buys else min(rounded, base - ticks * step)


def in_continuous_hours(security: str, kind: str, day: date, clock: time) -> bool:
    """09:30-11:30 and 13:00-14:57, to 15:00 where there was no closing call yet."""
    market = security[-2:]
    since = (FUND_CLOSING_CALL_SINCE if kind in FUNDS else STOCK_CLOSING_CALL_SINCE)[market]
    ends = time(14, 57) if day >= since else time(15)
    return time(9, 30) <= clock < time(11, 30) or time(13) <= clock < ends


def board_of(security: str) -> str:
    """What a code stands for where no reference record says it."""
    if security.endswith(".BJ"):
        return "bse"
    prefix = security[:3]
    return "star" if prefix in ("688", "689") else "chinext" if prefix in ("300", "301", "302") else "main"
