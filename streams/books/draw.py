"""Drawing the books: arrays of accounts, positions and contracts from a seed. Nothing here is an event yet.

The order of drawing is fixed, so the same date, prices, shape and seed give the same books on any machine.
Doubles occur only in the draws; every amount is an integer of 0.001 yuan from the moment it is an amount,
and assets equal cash plus the value of positions exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]

LOT = 100
MILLI = 1000
_FEN = 10
BODY, TAIL, CALLED, SUNK, DEBTLESS = range(5)
"""What an account was drawn as: ordinary, just above the lines, below the minimum line, below the immediate
line, no debt."""
PRESETS = ("", "A", "D", "E")
"""Presets an account may be on; "" is the default of the date."""
RATES = ("0.0520", "0.0595", "0.0680", "0.0835")
LENDING_RATE = "0.0850"


@dataclass(frozen=True, slots=True)
class BooksShape:
    """Parameters of the draw; ``streams.books`` says where the defaults come from.

    ``tail``: share of accounts with a ratio between 1.31 and ``tail_top``; ``called``: between 1.16 and 1.29,
    ``sunk``: between 0.94 and 1.12; ``debtless``: no debt; ``late``: of the called ones, those that come over
    from another broker on the second day; ``preset_d``: on preset D; ``preset_e``: of the tail, those on the
    broker's own preset E; ``lending``: with lending contracts.
    """

    mean_debt: float = 1_100_000.0
    debt_sigma: float = 1.6
    mean_ratio: float = 2.6
    ratio_sigma: float = 0.55
    tail: float = 0.06
    tail_top: float = 1.80
    called: float = 0.008
    sunk: float = 0.0015
    debtless: float = 0.04
    late: float = 0.4
    preset_d: float = 0.15
    preset_e: float = 0.3
    lending: float = 0.03
    lending_of_debt: float = 0.2
    holdings: float = 5.0
    zipf: float = 0.8
    branches: int = 120


@dataclass(slots=True)
class Books:
    """n accounts.

    By account: ``names``, ``group``, ``holder`` (index into CLIENT_CLASSES), ``preset`` (index into PRESETS),
    ``late`` (not there before the second day), ``branch``; ``cash``, ``debt`` and ``assets`` in 0.001 yuan,
    with accrued interest, and shorts at the price of the draw.

    Positions and contracts are flat and ordered by account: ``position_account``, ``position_security``
    (index into ``securities``), ``position_qty``; ``contract_*`` with ``contract_short`` true for lending,
    ``contract_opened`` day numbers, ``contract_price`` and ``contract_accrued`` 0.001 yuan,
    ``contract_rate`` index into RATES.
    """

    as_of: int
    seed: int
    securities: list[str]
    names: list[str]
    group: NDArray[np.int8]
    holder: NDArray[np.int8]
    preset: NDArray[np.int8]
    late: NDArray[np.bool_]
    branch: Ints
    cash: Ints
    debt: Ints
    assets: Ints
    position_account: Ints
    position_security: Ints
    position_qty: Ints
    contract_account: Ints
    contract_security: Ints
    contract_short: NDArray[np.bool_]
    contract_opened: Ints
    contract_qty: Ints
    contract_price: Ints
    contract_accrued: Ints
    contract_rate: Ints

    def __len__(self) -> int:
        return len(self.names)


def draw_books(
    as_of: int, prices: Mapping[str, int], accounts: int, seed: int, shape: BooksShape | None = None
) -> Books:
    """Draw ``accounts`` accounts as they stand on the morning of ``as_of`` (day number).

    ``prices``: 0.001 yuan by security, those of the evening before; at least one. Raises ValueError
    otherwise.
    """
    form = shape or BooksShape()
    if not prices or min(prices.values()) <= 0:
        raise ValueError("books need at least one security, each with a price")
    random = np.random.Generator(np.random.PCG64([seed, as_of]))
    securities = sorted(prices)
    price = np.array([prices[name] for name in securities], dtype=np.int64)
    popularity = _popularity(random, len(securities), form.zipf)
    group = _groups(random, accounts, form)
    holder = np.searchsorted([0.98, 0.99], random.random(accounts)).astype(np.int8)
    preset = _presets(random, group, form)
    late = (group == CALLED) & (random.random(accounts) < form.late)
    wanted_debt = _debts(random, group, form)
    ratio = _ratios(random, group, form)
    contracts = _Contracts.draw(random, as_of, wanted_debt, ratio, price, popularity, form)
    debt = contracts.debts(accounts, price)
    assets = _assets(random, debt, ratio, wanted_debt)
    cash_share = random.beta(0.6, 6.0, accounts) * 0.9
    positions = _positions(random, assets, cash_share, contracts, price, popularity, form)
    account, security, qty, cash = positions
    width = max(7, len(str(accounts)))
    return Books(
        as_of, seed, securities, [f"A{i:0{width}d}" for i in range(1, accounts + 1)],
        group, holder, preset, late,
        random.integers(1, form.branches + 1, accounts), cash, debt, assets, account, security, qty,
        contracts.account, contracts.security, contracts.short, contracts.opened, contracts.qty,
        contracts.price, contracts.accrued, contracts.rate,
    )  # fmt: skip


def _popularity(random: np.random.Generator, count: int, exponent: float) -> Doubles:
    """Cumulative probability of each security: Zipf over a seeded order of them."""
    weights = 1.0 / np.arange(1, count + 1) ** exponent
    return np.asarray(np.cumsum(random.permutation(weights / weights.sum())))


def _pick(random: np.random.Generator, popularity: Doubles, count: int) -> Ints:
    place = np.searchsorted(popularity, random.random(count), side="right")
    return np.minimum(place, len(popularity) - 1).astype(np.int64)


def _groups(random: np.random.Generator, accounts: int, form: BooksShape) -> NDArray[np.int8]:
    bounds = np.cumsum([form.tail, form.called, form.sunk, form.debtless])
    kinds = np.array([TAIL, CALLED, SUNK, DEBTLESS, BODY], dtype=np.int8)
    return kinds[np.searchsorted(bounds, random.random(accounts), side="right")]


def _presets(random: np.random.Generator, group: NDArray[np.int8], form: BooksShape) -> NDArray[np.int8]:
    """Half of the sunk accounts are on A, which has no immediate line; some of the tail on E, some of all
    on D."""
    chance = random.random(len(group))
    preset = np.where(chance < form.preset_d, PRESETS.index("D"), 0)
    preset = np.where((group == TAIL) & (chance > 1 - form.preset_e), PRESETS.index("E"), preset)
    return np.where((group == SUNK) & (chance > 0.5), PRESETS.index("A"), preset).astype(np.int8)


def _debts(random: np.random.Generator, group: NDArray[np.int8], form: BooksShape) -> Ints:
    mu = np.log(form.mean_debt) - form.debt_sigma**2 / 2
    yuan = np.clip(random.lognormal(mu, form.debt_sigma, len(group)), 20_000, 80_000_000)
    return np.where(group == DEBTLESS, 0, np.rint(yuan) * MILLI).astype(np.int64)


def _ratios(random: np.random.Generator, group: NDArray[np.int8], form: BooksShape) -> Doubles:
    """Target ratio: 1.45 and a log-normal part whose mean brings the whole to ``mean_ratio``; other groups
    are uniform."""
    mu = np.log(form.mean_ratio - 1.45) - form.ratio_sigma**2 / 2
    ratio = 1.45 + random.lognormal(mu, form.ratio_sigma, len(group))
    uniform = random.random(len(group))
    for kind, low, high in ((TAIL, 1.31, form.tail_top), (CALLED, 1.16, 1.29), (SUNK, 0.94, 1.12)):
        ratio = np.where(group == kind, low + (high - low) * uniform, ratio)
    return ratio


@dataclass(slots=True)
class _Contracts:
    account: Ints
    security: Ints
    short: NDArray[np.bool_]
    opened: Ints
    qty: Ints
    price: Ints
    accrued: Ints
    rate: Ints

    @classmethod
    def draw(
        cls, random: np.random.Generator, as_of: int, debt: Ints, ratio: Doubles, price: Ints,
        popularity: Doubles, form: BooksShape,
    ) -> _Contracts:  # fmt: skip
        """One to three financing contracts an indebted account, and a lending contract for some."""
        accounts = len(debt)
        counts = np.where(debt > 0, 1 + random.binomial(2, 0.35, accounts), 0)
        lends = (random.random(accounts) < form.lending) & (debt > 0)
        account = np.concatenate([np.repeat(np.arange(accounts), counts), np.flatnonzero(lends)])
        short = np.concatenate([np.zeros(int(counts.sum()), np.bool_), np.ones(int(lends.sum()), np.bool_)])
        security = _pick(random, popularity, len(account))
        age = random.integers(1, 175, len(account))
        drift = np.exp(random.normal(0.0, 0.09, len(account)))
        # The financed shares are still held, so at today's price they must fit into the account's assets.
        drift = np.where(short, drift, np.maximum(drift, 1 / (0.85 * ratio[account])))
        opened_at = np.maximum(np.rint(price[security] * drift / _FEN), 1).astype(np.int64) * _FEN
        share = np.where(short, form.lending_of_debt, 1 / np.maximum(counts[account], 1))
        lots = np.rint(debt[account] * share / (opened_at * LOT)).astype(np.int64)
        qty = np.where(short, lots, np.maximum(lots, 1)) * LOT
        rate = random.choice(len(RATES), len(account), p=[0.25, 0.35, 0.25, 0.15])
        micro = np.array([_micro(text) for text in RATES])[rate]
        micro = np.where(short, _micro(LENDING_RATE), micro)
        per_day = qty * opened_at // _FEN * micro
        accrued = (per_day // 360 * age + 500_000) // 1_000_000 * _FEN
        keep = qty > 0
        order = np.flatnonzero(keep)[np.argsort(account[keep], kind="stable")]
        return cls(
            account[order], security[order], short[order], as_of - age[order],
            qty[order], opened_at[order], accrued[order], rate[order],
        )  # fmt: skip

    def debts(self, accounts: int, price: Ints) -> Ints:
        """Each account's debt: principal, shorts at ``price``, accrued interest."""
        each = self.qty * np.where(self.short, price[self.security], self.price) + self.accrued
        return _sum_by(self.account, each, accounts)

    def proceeds(self, accounts: int) -> Ints:
        """Cash that short sales brought in and that is still there."""
        return _sum_by(self.account, np.where(self.short, self.qty * self.price, 0), accounts)


def _micro(rate: str) -> int:
    """A rate of four decimals in 1e-6."""
    return int(rate.replace(".", "")) * 100


def _sum_by(account: Ints, amounts: Ints, accounts: int) -> Ints:
    """Sums by account in integers (a weighted bincount would go through doubles)."""
    totals = np.zeros(accounts, np.int64)
    np.add.at(totals, account, amounts)
    return totals


def _assets(random: np.random.Generator, debt: Ints, ratio: Doubles, wanted: Ints) -> Ints:
    own = random.lognormal(np.log(200_000), 1.2, len(debt)) * MILLI
    target = np.where(wanted > 0, debt * ratio, own)
    return np.rint(target / _FEN).astype(np.int64) * _FEN


def _positions(
    random: np.random.Generator, assets: Ints, cash_share: Doubles, contracts: _Contracts, price: Ints,
    popularity: Doubles, form: BooksShape,
) -> tuple[Ints, Ints, Ints, Ints]:  # fmt: skip
    """(account, security, qty) of all positions ordered by account, and each account's cash."""
    accounts = len(assets)
    financed = ~contracts.short
    base_value = _sum_by(
        contracts.account, np.where(financed, contracts.qty * price[contracts.security], 0), accounts
    )
    proceeds = contracts.proceeds(accounts)
    room = np.maximum(assets - base_value - proceeds, 0)
    spend = (room * (1 - cash_share)).astype(np.int64)
    extra = random.poisson(max(form.holdings - 1.7, 0.3), accounts) + (base_value == 0)
    owner = np.repeat(np.arange(accounts), extra)
    security = _pick(random, popularity, len(owner))
    weight = random.exponential(1.0, len(owner))
    total = np.bincount(owner, weights=weight, minlength=accounts)[owner] if len(owner) else weight
    value = spend[owner] * (weight / np.where(total > 0, total, 1.0))
    qty = (value / (price[security] * LOT)).astype(np.int64) * LOT
    account = np.concatenate([contracts.account[financed], owner])
    held = np.concatenate([contracts.security[financed], security])
    shares = np.concatenate([contracts.qty[financed], qty])
    account, held, shares = _merge(account, held, shares, len(price))
    cash = assets - _sum_by(account, shares * price[held], accounts)
    return account, held, shares, np.maximum(cash, proceeds)


def _merge(account: Ints, security: Ints, qty: Ints, securities: int) -> tuple[Ints, Ints, Ints]:
    """One row per account and security, without empty ones, ordered by both."""
    keys, place = np.unique(account * securities + security, return_inverse=True)
    sums = _sum_by(place, qty, len(keys))
    there = sums > 0
    return keys[there] // securities, keys[there] % securities, sums[there]
