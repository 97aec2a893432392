"""Concentration (集中度) of one security in an account's collateral, rulebook 5.3, 8 and E15.

Values are integer milli; shares of the account and maintenance ratios are integer 1e-4, a security's share in
the market's collateral and static P/E are 1e-6. Every comparison is exact, by cross-multiplication.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agents.rules.values import ConcentrationGate, Tier
from schemas.units import RATIO_SCALE

_SHARE_PER_RATIO = 100
"""1e-6 in 1e-4."""
_PE_SCALE = 1_000_000


def _ratio_below(assets: int, debt: int, line: int, *, inclusive: bool) -> bool:
    """Whether the ratio lies below the line, or at it; without debt it lies above every line."""
    left, right = assets * RATIO_SCALE, debt * line
    return debt > 0 and (left < right or (inclusive and left == right))


def tier_of(tiers: Iterable[Tier], assets: int, debt: int) -> Tier | None:
    """The tier, from the lowest ratio up, that an account is in; None: no limit."""
    return next(
        (tier for tier in tiers if _ratio_below(assets, debt, tier.mmr, inclusive=tier.including)), None
    )


def within(tiers: Iterable[Tier], value: int, assets: int, debt: int, *, inclusive: bool = True) -> bool:
    """Whether a security worth `value` may be that much of the account's `assets`; exactly as much as the
    tier's share only where that is read inclusive.
    """
    tier = tier_of(tiers, assets, debt)
    return tier is None or not _reached(value * RATIO_SCALE, assets * tier.share, inclusive=not inclusive)


@dataclass(frozen=True, slots=True)
class Readings:
    """Which of the gate's lines count as reached at equality."""

    ratio: bool = True
    share: bool = True
    mmr: bool = True
    pe: bool = True


def gate_blocks(
    gate: ConcentrationGate,
    market_share: int,
    pe: int | None,
    value: int,
    assets: int,
    debt: int,
    readings: Readings,
) -> bool:
    """Whether the gate of 2023-07-31 stops financing buys of a security: its share in the market's
    collateral, its P/E (None: not known), the client's holding worth `value` and the client's maintenance
    ratio have all reached their lines.
    """
    dear = pe is not None and (
        (gate.negative and pe < 0) or _reached(pe, gate.pe_from * _PE_SCALE, inclusive=readings.pe)
    )
    crowded = _reached(market_share, gate.security_ratio * _SHARE_PER_RATIO, inclusive=readings.ratio)
    large = _reached(value * RATIO_SCALE, assets * gate.client_share, inclusive=readings.share)
    return dear and crowded and large and _ratio_below(assets, debt, gate.mmr, inclusive=readings.mmr)


def _reached(figure: int, line: int, *, inclusive: bool) -> bool:
    return figure > line or (inclusive and figure == line)
