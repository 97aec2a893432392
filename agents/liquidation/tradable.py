"""What keeps a security from being sold or bought right now. Rulebook 7.4, 7.5 and 16.

A stock at its limit still trades; only a missing counterparty blocks it: last at the lower limit and no bid
at all.
"""

from agents.liquidation.situation import HALTED, LIMIT_DOWN, LIMIT_UP, SUSPENDED


def _stopped(*, suspended: bool, halted: bool) -> str | None:
    if suspended:
        return SUSPENDED
    return HALTED if halted else None


def why_unsellable(*, suspended: bool, halted: bool, last: int, limit_down: int, best_bid: int) -> str | None:
    """Why nothing of the security can be sold now, or None. Prices milli, <= 0 not known; `best_bid` 0: the
    bid side is empty, -1: the side was not given, which proves nothing.
    """
    locked = 0 < last <= limit_down and best_bid == 0
    return _stopped(suspended=suspended, halted=halted) or (LIMIT_DOWN if locked else None)


def why_uncoverable(*, suspended: bool, halted: bool, last: int, limit_up: int, best_ask: int) -> str | None:
    """Why nothing of the security can be bought now, or None; `best_ask` as `best_bid` in
    `why_unsellable`.
    """
    locked = limit_up > 0 and last >= limit_up and best_ask == 0
    return _stopped(suspended=suspended, halted=halted) or (LIMIT_UP if locked else None)
