"""How much of a security one slice may send: a share of what the market traded since the slice before
(rulebook 7.5). Quantities in shares, rates in 1e-4.

A slice whose share is less than the board's smallest order sends one such order as soon as the share of
everything traded since the last one covers it: a thin stock is sold slowly, not never.
"""

from dataclasses import dataclass

from schemas.units import RATIO_SCALE


@dataclass(frozen=True, slots=True)
class Traded:
    """What the market traded: `recent` since the slice before, `since_sent` since forced orders of this side
    were last sent (or the day began).
    """

    recent: int
    since_sent: int


def quota(traded: Traded, rate: int, minimum: int, *, own: int = 1, firm: int = 1) -> int:
    """Shares that a slice may send. `own` of `firm` is this shard's part of what the firm's accounts hold:
    all shards together stay within the share of the firm.
    """
    most = traded.recent * rate * own // (RATIO_SCALE * firm)
    if most >= minimum:
        return most
    saved = traded.since_sent * rate * own // (RATIO_SCALE * firm)
    return minimum if saved >= minimum else most


def average_slice(adv: int, minutes: int, slice_minutes: int) -> int:
    """The part of an average day's volume that falls on one slice."""
    return adv * slice_minutes // minutes if minutes > 0 else 0
