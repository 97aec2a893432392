"""The price cage (价格笼子, 有效申报价格范围) of limit orders in continuous auction, rulebook 7.5 and E11.
Prices are integer milli.

Outside it an order is invalid, so a forced sale is priced at the cage's floor, not at the lower limit.
Funds and bonds have no cage; not applied in call auctions.
"""

from agents.rules.limits import STOCK_TICK
from agents.rules.schedule import CageWidth, Schedule, built_in
from schemas.units import RATIO_SCALE


def sell_base(best_bid: int, best_ask: int, last: int, prev_close: int) -> int | None:
    """Base of a sale: best bid, else best ask, else last trade, else previous close; prices <= 0 are
    absent.
    """
    return next((price for price in (best_bid, best_ask, last, prev_close) if price > 0), None)


def buy_base(best_bid: int, best_ask: int, last: int, prev_close: int) -> int | None:
    """Base of a purchase: best ask, else best bid, else last trade, else previous close; prices <= 0 are
    absent.
    """
    return next((price for price in (best_ask, best_bid, last, prev_close) if price > 0), None)


def _width(board: str, kind: str, day: int, schedule: Schedule | None) -> CageWidth | None:
    if kind != "stock":
        return None
    entry = (built_in() if schedule is None else schedule).find(f"cage_{board}", day)
    return entry.value if entry is not None and isinstance(entry.value, CageWidth) else None


def cage_floor(board: str, kind: str, day: int, base: int, schedule: Schedule | None = None) -> int | None:
    """The lowest legal price of a sale, on the price step inside the cage; None where there is no cage."""
    width = _width(board, kind, day, schedule)
    if width is None:
        return None
    by_ratio = -(-base * (RATIO_SCALE - width.width) // (RATIO_SCALE * STOCK_TICK)) * STOCK_TICK
    return min(by_ratio, base - width.ticks * STOCK_TICK) if width.ticks else by_ratio


def cage_ceiling(board: str, kind: str, day: int, base: int, schedule: Schedule | None = None) -> int | None:
    """The highest legal price of a purchase, on the price step inside the cage; None where there is no
    cage.
    """
    width = _width(board, kind, day, schedule)
    if width is None:
        return None
    by_ratio = base * (RATIO_SCALE + width.width) // (RATIO_SCALE * STOCK_TICK) * STOCK_TICK
    return max(by_ratio, base + width.ticks * STOCK_TICK) if width.ticks else by_ratio
