"""Two real days: what accounts are worth, by the project and by plain decimals over the same rows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from streams.run import RunOptions
from tests.recorded.comparison import SAMPLED, TEN_MOMENTS, At, add_books, compare, sampled
from tests.recorded.days import STAND_IN_CLOSES, forget_accrued, recorded_day
from tests.recorded.extracts import QUOTES, TRADES, read_extract
from tests.recorded.observations import Observation

OPTIONS = RunOptions(window_ms=30_000, partitions=2, market_partitions=2)


def day_with_books(extract: Path, parent: Path) -> Path:
    day = recorded_day(extract, parent)
    add_books(day)
    forget_accrued(day)
    return day


def compared(extract: Path, parent: Path, rows: list[Observation]) -> list[At]:
    return compare(day_with_books(extract, parent), rows, STAND_IN_CLOSES[extract], OPTIONS)


@pytest.mark.parametrize("extract", [TRADES, QUOTES], ids=["level-2 trades", "level-1 quotes"])
def test_assets_debt_and_ratio_of_100_accounts_at_ten_moments_are_those_of_plain_decimals(
    extract: Path, tmp_path: Path
) -> None:
    rows = read_extract(extract)
    moments = compared(extract, tmp_path, rows)
    assert [difference for at in moments for difference in at.differences] == []
    assert len({at.ts for at in moments}) == len(TEN_MOMENTS) == 10
    assert moments[-1].rows == len(rows)
    for at in moments:
        assert len(at.ratios) + at.unpriced + at.debtless >= SAMPLED
    assert all(len(at.ratios) > 90 for at in moments[2:])


@pytest.mark.parametrize("extract", [TRADES, QUOTES], ids=["level-2 trades", "level-1 quotes"])
def test_the_accounts_compared_are_of_every_kind(extract: Path, tmp_path: Path) -> None:
    openings = sampled(day_with_books(extract, tmp_path)).values()
    contracts = [contract for opening in openings for contract in opening["contracts"]]
    assert len(openings) == SAMPLED
    assert sum(contract["type"] == "lending" for contract in contracts) > 10
    assert sum(contract["accrued"] is None for contract in contracts) > 10
    assert any(not opening["contracts"] for opening in openings)
    assert {item["security"] for opening in openings for item in opening["positions"]} == {
        row.security for row in read_extract(extract) if row.security != "000001.SH"
    }


def test_before_the_auction_ends_there_are_previous_closes_and_nothing_else(tmp_path: Path) -> None:
    """A quote's `last` before 09:25 is a virtual match: what has no previous close stays unpriced."""
    before = compared(QUOTES, tmp_path, read_extract(QUOTES))[1]
    assert before.rows > 0
    assert before.unpriced > 0
    assert before.ratios


def test_one_price_one_fen_off_would_be_noticed(tmp_path: Path) -> None:
    rows = read_extract(TRADES)
    place = max(number for number, row in enumerate(rows) if row.security == "600536.SH")
    rows[place] = replace(rows[place], price=rows[place].price + Decimal("0.01"))
    moments = compared(TRADES, tmp_path, rows)
    assert moments[-1].differences
    assert not moments[0].differences
