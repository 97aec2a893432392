"""Two real days: what accounts are worth, by the project and by plain decimals over the same rows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from streams.run import RunOptions
from tests.recorded.comparison import SAMPLED, TEN_MOMENTS, add_books, compare, sampled
from tests.recorded.days import STAND_IN_CLOSES, forget_accrued, recorded_day
from tests.recorded.extracts import QUOTES, TRADES, read_extract

OPTIONS = RunOptions(window_ms=30_000, partitions=2, market_partitions=2)
FIVE_MINUTES = replace(OPTIONS, window_ms=300_000)
BOTH = pytest.mark.parametrize("extract", [TRADES, QUOTES], ids=["level-2 trades", "level-1 quotes"])


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Path]:
    """Both days with books, by extract."""
    return {extract: day_with_books(extract, tmp_path_factory.mktemp("day")) for extract in (TRADES, QUOTES)}


def day_with_books(extract: Path, parent: Path) -> Path:
    day = recorded_day(extract, parent)
    add_books(day)
    forget_accrued(day)
    return day


@BOTH
def test_assets_debt_and_ratio_of_100_accounts_at_ten_moments_are_those_of_plain_decimals(
    days: dict[Path, Path], extract: Path
) -> None:
    rows = read_extract(extract)
    moments = compare(days[extract], rows, STAND_IN_CLOSES[extract], OPTIONS)
    assert [difference for at in moments for difference in at.differences] == []
    assert len({at.ts for at in moments}) == len(TEN_MOMENTS) == 10
    assert moments[-1].rows == len(rows)
    for at in moments:
        assert len(at.ratios) + at.unpriced + at.debtless >= SAMPLED
    assert all(len(at.ratios) > 90 for at in moments[2:])


@BOTH
def test_the_accounts_compared_are_of_every_kind(days: dict[Path, Path], extract: Path) -> None:
    openings = sampled(days[extract]).values()
    contracts = [contract for opening in openings for contract in opening["contracts"]]
    assert len(openings) == SAMPLED
    assert sum(contract["type"] == "lending" for contract in contracts) > 10
    assert sum(contract["accrued"] is None for contract in contracts) > 10
    assert any(not opening["contracts"] for opening in openings)
    assert {item["security"] for opening in openings for item in opening["positions"]} == {
        row.security for row in read_extract(extract) if row.security != "000001.SH"
    }


def test_before_the_auction_ends_there_are_previous_closes_and_nothing_else(days: dict[Path, Path]) -> None:
    """A quote's `last` before 09:25 is a virtual match: what has no previous close stays unpriced."""
    rows = read_extract(QUOTES)
    virtual = TEN_MOMENTS[1:2]
    (before,) = compare(days[QUOTES], rows, STAND_IN_CLOSES[QUOTES], FIVE_MINUTES, virtual)
    assert {row.security for row in rows[: before.rows]} > {"300756.SZ", "000004.SZ"}
    assert before.differences == []
    assert before.unpriced > 0
    assert before.ratios


def test_one_price_one_fen_off_would_be_noticed(days: dict[Path, Path]) -> None:
    rows = read_extract(TRADES)
    place = max(number for number, row in enumerate(rows) if row.security == "600536.SH")
    rows[place] = replace(rows[place], price=rows[place].price + Decimal("0.01"))
    moments = compare(days[TRADES], rows, STAND_IN_CLOSES[TRADES], FIVE_MINUTES)
    assert moments[-1].differences
    assert not moments[0].differences
