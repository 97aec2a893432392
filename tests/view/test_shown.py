"""What a person sees: the screen at any size, plain lines without a terminal, the summary."""

from __future__ import annotations

import io

import orjson
import pytest
from rich.console import Console

from streams.view.board import Board
from streams.view.live import Screen
from streams.view.plain import PlainLines
from streams.view.summary import figures, next_commands, summary
from streams.view.words import hundred_millions, percent, short_money
from tests.view.test_board import call, counts, progress, sale


def watched() -> Board:
    board = Board(title="a crash day", pace="240×", status="replaying")
    board.note_progress(progress(600), 1000)
    worst = [{"account": "A1", "ratio": "1.099", "level": "immediate", "debt": "100.00", "assets": "109.90"}]
    board.note_levels([counts(normal=7, warn=2, below_min=1, immediate=1)], worst)
    board.note_alert("margin.calls", call("A1", "called", shortfall="40.10"))
    board.note_alert("margin.calls", call("A1", "liquidating", 2))
    board.note_alert("liquidation.orders", sale("A1"))
    board.note_alert("margin.calls", call("B2", "warned"))
    return board


def screen(board: Board, width: int, height: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, height=height).print(Screen(board))
    return out.getvalue().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60)])
def test_the_screen_fits_the_terminal(width: int, height: int) -> None:
    lines = screen(watched(), width, height)
    assert len(lines) <= height
    text = "\n".join(lines)
    assert "2025-04-07 10:00:00" in text
    assert "109.90 %" in text
    assert "sell 100 600000.SH" in text
    assert "liquidating" in text


def test_a_small_terminal_gets_fewer_columns_and_whole_names_and_numbers() -> None:
    board = watched()
    worst = [{"account": "A0000935", "ratio": "1.099", "level": "warn", "debt": "1234567.00", "assets": "2"}]
    board.note_levels([counts(normal=1_234_567, warn=2)], worst)
    text = "\n".join(screen(board, 50, 20))
    for whole in ("1,234,567", "A0000935", "109.90 %"):
        assert whole in text


def test_before_anything_is_known_the_screen_says_what_is_going_on() -> None:
    assert "starting the broker" in "\n".join(screen(Board(status="starting the broker"), 80, 24))


def test_a_plain_line_comes_once_a_quarter_of_an_hour_of_market_time() -> None:
    board = Board()
    plain = PlainLines(board)
    assert plain.due() is None
    shown = []
    for minute in (570, 571, 584, 585, 586, 600):
        board.note_progress(progress(minute), minute)
        line = plain.due()
        shown += [line[:16]] if line is not None else []
    assert shown == ["2025-04-07 09:30", "2025-04-07 09:45", "2025-04-07 10:00"]


def test_the_summary_counts_levels_and_steps() -> None:
    text = "\n".join(summary(watched(), 1000, 61))
    assert "2025-04-07 is over: 11 accounts, 1,000 events of the day in 61 s." in text
    assert "4 accounts at first" in text
    assert "left without assets" not in text
    assert "called 1  liquidating 1" in text


def test_the_figures_for_programs_are_those_of_the_summary() -> None:
    shown = figures(watched(), 1000, 61.23, finished=True)
    assert orjson.loads(orjson.dumps(shown)) == shown
    assert (shown["date"], shown["finished"], shown["seconds"]) == ("2025-04-07", True, 61.2)
    assert sum(next(iter(shown["below"].values())).values()) == 4
    assert (shown["calls"]["called"], shown["calls"]["liquidating"]) == (1, 1)
    assert shown["unsecured"] == "0.00"
    assert figures(Board(), 0, 0.0, finished=False)["date"] is None


def test_debts_without_any_assets_left_are_summed() -> None:
    board = watched()
    board.note_alert("margin.calls", call("C3", "shortfall", debt="12345.67"))
    assert "1 account, which still owes 12,345 yuan" in "\n".join(summary(board, 1, 1))


def test_the_commands_to_try_name_an_account_and_an_alert_of_this_run() -> None:
    commands = [command for command, _ in next_commands(watched(), "liangrong")]
    assert commands == [
        "liangrong subscribe margin.calls --from-beginning --account A1",
        "liangrong account A1",
        "liangrong explain A1:2025-04-07:1:1",
        "liangrong explain A1:2025-04-07:1:o1.1",
    ]


@pytest.mark.parametrize(
    ("milli", "text"),
    [
        (0, "0"),
        (1_234_567, "1,234"),
        (-5_000_000, "-5,000"),
        (1_234_567_890, "1.23 m"),
        (2 * 10**12, "2.00 bn"),
    ],
)
def test_money_is_shown_in_the_unit_of_its_size(milli: int, text: str) -> None:
    assert short_money(milli) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [("1.252151", "125.22 %"), ("0.999949", "99.99 %"), ("0.99995", "100.00 %"), (None, "-")],
)
def test_a_ratio_reads_as_per_cent_with_two_decimals(ratio: str | None, text: str) -> None:
    assert percent(ratio) == text


def test_hundred_millions_of_yuan_keep_two_decimals() -> None:
    assert hundred_millions(123_456_789_000_000) == "1,234.56"
    assert hundred_millions(0) == "0.00"
