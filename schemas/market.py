"""Market events (contract section 2): trades, quotes, session records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from schemas.errors import BadRecord
from schemas.fields import (
    Bool,
    Choice,
    Count,
    Cut,
    Day,
    Level,
    MarketMoney,
    Price,
    PriceOrZero,
    Qty,
    Security,
    Shares,
    Ts,
)

SIDES = ("B", "S", "N")
"""Aggressor of a trade: buyer, seller, neither. A batch holds the index, 255 when not given."""

MARKETS = ("ALL", "SH", "SZ", "BJ")
PHASES = (
    "pre_open",
    "opening_call",
    "continuous",
    "break",
    "closing_call",
    "close",
    "settled",
    "clock",
    "halt",
    "resume",
)
"""The first seven follow one another; the last three may appear at any time."""

Side = Annotated[str, Choice(SIDES)]
Market = Annotated[str, Choice(MARKETS)]
Phase = Annotated[str, Choice(PHASES)]
Levels = tuple[Annotated[tuple[int, int], Level()], ...]


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade of the exchange."""

    security: Security
    ts: Ts
    price: Price
    qty: Qty
    side: Side | None = None
    seq: Count | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """A snapshot of a security's book.

    `last` absent, null or 0 means no trade yet today. Zero prices stand for "none". `bid` and `ask` begin
    with the best level; an empty array, or a level of zeros, says that nobody bids or asks.
    """

    security: Security
    ts: Ts
    last: PriceOrZero | None = None
    prev_close: PriceOrZero | None = None
    open: PriceOrZero | None = None
    high: PriceOrZero | None = None
    low: PriceOrZero | None = None
    volume: Shares | None = None
    amount: MarketMoney | None = None
    bid: Levels | None = None
    ask: Levels | None = None
    limit_up: PriceOrZero | None = None
    limit_down: PriceOrZero | None = None
    halted: Bool | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A phase of the trading day, the clock, or a halt of a market; each is a cut through all inputs.

    `cut` maps `topic-partition` to the next offset; a live publisher leaves it out.
    """

    ts: Ts
    date: Day
    market: Market
    phase: Phase
    cut: Cut | None = None

    def check(self) -> None:
        """`settled` closes the books of all markets at once."""
        if self.phase == "settled" and self.market != "ALL":
            raise BadRecord("market", f"must be ALL for settled, got '{self.market}'")


__all__ = ["MARKETS", "PHASES", "SIDES", "Levels", "Market", "Phase", "Quote", "Session", "Side", "Trade"]
