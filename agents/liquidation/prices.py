"""Limit prices of forced orders: the lowest legal price of a sale, the highest of a cover. Rulebook 7.5.
Integer milli.
"""

from agents.liquidation.situation import Book, Holding, Short
from agents.rules.cage import buy_base, cage_ceiling, cage_floor, sell_base
from agents.rules.limits import PriceLimits, price_limits
from agents.rules.schedule import Schedule


def _computed(item: Holding | Short, book: Book, day: int, rules: Schedule | None) -> PriceLimits | None:
    if book.prev_close <= 0:
        return None
    return price_limits(
        item.board, item.kind, day, book.prev_close, st=item.st, delisting=item.delisting, schedule=rules
    )


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
