"""The offline run: the same whatever the partitions, and nothing swallowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from agents.books.accounts import Accounts
from agents.core import Output
from schemas.units import format_day
from streams.cli import root
from streams.days.reader import open_days
from streams.errors import UserError
from streams.results import Results
from streams.run import RunOptions, run_days
from streams.state_hash import combine, digest_rows
from tests.replay.small_days import FIRST, SECOND, two_days, write_day


def outcome(paths: list[Path], **options: Any) -> tuple[str, list[tuple[Any, ...]]]:
    outputs: list[Output] = []
    settings = RunOptions(window_ms=60_000, liquidation="simulate", **options)
    report = run_days(open_days(paths), settings, lambda _, output: outputs.append(output))
    alerts = sorted(
        (o.value["ts"], o.value["account"], o.value["id"], str(o.value))
        for o in outputs
        if o.topic in ("margin.calls", "liquidation.orders")
    )
    return report["state_hash"], alerts


def test_the_same_alerts_and_state_whatever_the_number_of_partitions(tmp_path: Path) -> None:
    days = two_days(tmp_path)
    one = outcome(days, partitions=1, market_partitions=1)
    assert one[1]
    assert outcome(days, partitions=1, market_partitions=1) == one
    assert outcome(days, partitions=5, market_partitions=3) == one


def test_the_fall_brings_calls_and_the_next_day_expires_them(tmp_path: Path) -> None:
    outputs: list[Output] = []
    run_days(open_days(two_days(tmp_path)), RunOptions(window_ms=60_000), lambda _, o: outputs.append(o))
    calls = [o.value for o in outputs if o.topic == "margin.calls"]
    called = {c["account"] for c in calls if c["event"] == "called" and c["date"] == format_day(FIRST)}
    expired = {c["account"] for c in calls if c["event"] == "expired" and c["date"] == format_day(SECOND)}
    assert called
    assert expired == called
    finals = [
        o.value["date"] for o in outputs if o.topic == "system.events" and o.value["kind"] == "day_final"
    ]
    assert finals == [format_day(FIRST), format_day(SECOND)]


def test_a_broken_line_becomes_a_dead_letter_and_the_rest_goes_on(tmp_path: Path) -> None:
    directory = write_day(tmp_path, FIRST, ["10.00", "9.90"], accounts=2)
    with (directory / "market.trades.jsonl").open("ab") as lines:
        lines.write(b'{"security":"600000.SH","ts":1743651000000,"price":-1,"qty":100}\n{nonsense\n')
    outputs: list[Output] = []
    run_days(open_days([directory]), RunOptions(window_ms=60_000), lambda _, o: outputs.append(o))
    letters = [o.value for o in outputs if o.topic == "dead.letters"]
    assert sorted(letter.get("field", "") for letter in letters) == ["", "price"]
    assert sum(o.topic == "margin.ratios" for o in outputs) >= 2


def test_an_audit_recomputes_the_books_after_each_day(tmp_path: Path) -> None:
    report = run_days(
        open_days(two_days(tmp_path)), RunOptions(window_ms=60_000), lambda *_: None, audit=True
    )
    assert report["audited_days"] == 2


def test_an_audit_ends_a_run_whose_sums_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_cash = Accounts.add_cash

    def forgetful(accounts: Accounts, account: int, amount: int) -> None:
        add_cash(accounts, account, amount)
        accounts.cash[account] += 1

    monkeypatch.setattr(Accounts, "add_cash", forgetful)
    days = open_days([write_day(tmp_path, FIRST, ["10.00"], accounts=1)])
    monkeypatch.setattr("agents.margin.shard.open_new", lambda _fold, batch, _unseen: np.full(len(batch), -1))
    with pytest.raises(UserError, match="do not balance") as refused:
        run_days(days, RunOptions(window_ms=60_000), lambda *_: None, audit=True)
    assert "own" in str(refused.value)


def test_the_state_hash_does_not_depend_on_who_holds_a_row() -> None:
    rows = [("account", "B", b"1"), ("account", "A", b"2"), ("security", "600000.SH", b"3")]
    apart = combine([digest_rows(rows[:1]), digest_rows(rows[1:]), digest_rows(rows[2:])])
    assert combine([digest_rows(rows)]) == apart
    assert combine([digest_rows(rows[:2])]) != apart
    assert combine([digest_rows([*rows[:2], ("security", "600000.SH", b"4")])]) != apart


def test_the_command_keeps_results_as_parquet_and_prints_the_state_hash_last(tmp_path: Path) -> None:
    days = [str(path) for path in two_days(tmp_path)]
    out = tmp_path / "out"
    arguments = ["run", *days, "--out", str(out), "--window", "1m", "--partitions", "2"]
    for _ in range(2):  # a run is replaced by the next one
        done = CliRunner().invoke(root, arguments, catch_exceptions=False)
        assert done.exit_code == 0
        assert done.stdout.splitlines()[-1].startswith("state hash ")
    calls = pq.read_table(out / f"date={format_day(SECOND)}" / "margin.calls.parquet", partitioning=None)
    assert {"id", "account", "event", "ratio", "evidence", "key"} <= set(calls.column_names)


def test_results_never_replace_what_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(Exception, match="holds no run"):
        Results(tmp_path)


def test_results_of_a_run_that_was_interrupted_are_replaced_by_the_next(tmp_path: Path) -> None:
    Results(tmp_path)
    (tmp_path / "date=2025-04-07").mkdir()
    Results(tmp_path).close({})
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
