"""Limit prices of forced orders: the lowest legal price of a sale, the highest of a cover. Rulebook 7.5.
Integer milli.
"""

from dataclasses import replace

from agents.liquidation.situation import Book, Holding, Short
from agents.rules.cage import buy_base, cage_ceiling, cage_floor, sell_base
from agents.rules.limits import PriceLimits, price_limits, tick
from agents.rules.schedule import Schedule
from schemas.units import RATE_SCALE


def _computed(item: Holding | Short, book: Book, day: int, rules: Schedule | None) -> PriceLimits | None:
    if book.prev_close <= 0:
        return None
    return price_limits(
        item.board, item.kind, day, book.prev_close, st=item.st, delisting=item.delisting, schedule=rules
    )


def expected_sale(holding: Holding, slippage: int, day: int, rules: Schedule | None = None) -> Holding:
    """The holding expected to be sold `slippage` (1e-6) below its mark, on the price step, but never below
    the lowest legal price.
    """
    if not slippage or holding.expected <= 0:
        return holding
    lower = _on_step(holding.expected * (RATE_SCALE - slippage), holding.kind)
    slipped = replace(holding, expected=lower)
    return replace(slipped, expected=max(lower, lowest_sale_price(slipped, day, rules)))


def expected_cover(short: Short, slippage: int, day: int, rules: Schedule | None = None) -> Short:
    """The short expected to be bought back `slippage` above its mark, but never above the highest legal
    price.
    """
    if not slippage or short.expected <= 0:
        return short
    upper = _on_step(short.expected * (RATE_SCALE + slippage), short.kind)
    slipped = replace(short, expected=upper)
    return replace(slipped, expected=min(upper, highest_cover_price(slipped, day, rules)))


def _on_step(scaled: int, kind: str) -> int:
    """A price (milli x 1e6) rounded half up to the price step, at least one."""
    step = tick(kind)
    return max(step, (2 * scaled + step * RATE_SCALE) // (2 * step * RATE_SCALE) * step)


def lowest_sale_price(holding: Holding, day: int, rules: Schedule | None = None) -> int:
    """The cage's floor, not below the lower limit (published, else computed); the expected price where
    neither is known.
    """
    book = holding.book
    computed = _computed(holding, book, day, rules)
    limit = book.limit_down if book.limit_down > 0 else computed.down if computed else None
    base = sell_base(book.best_bid, book.best_ask, book.last, book.prev_close)
    cage = None if base is None else cage_floor(holding.board, holding.kind, day, base, rules)
    return max((price for price in (limit, cage) if price is not None), default=holding.expected)


def highest_cover_price(short: Short, day: int, rules: Schedule | None = None) -> int:
    """The cage's ceiling, not above the upper limit (published, else computed); the expected price where
    neither is known.
    """
    book = short.book
    computed = _computed(short, book, day, rules)
    limit = book.limit_up if book.limit_up > 0 else computed.up if computed else None
    base = buy_base(book.best_bid, book.best_ask, book.last, book.prev_close)
    cage = None if base is None else cage_ceiling(short.board, short.kind, day, base, rules)
    return min((price for price in (limit, cage) if price is not None), default=short.expected)
