"""A small recorded day in JSON lines, as contract section 4 describes it: made once, the same every time."""

from __future__ import annotations

import json
import random
from datetime import date
from pathlib import Path

from tests.oracle.moments import at
from tests.worked_examples.records import Record, deposit, financed, opening

DAY = date(2025, 4, 7)
SECURITIES = [f"60000{number}.SH" for number in range(6)]
ACCOUNTS = [f"K{number:03}" for number in range(60)]
MINUTES = 60


def write_day(folder: Path, seed: int = 20250407) -> Path:
    """60 accounts, six falling securities, an hour of trading, then settlement."""
    chance = random.Random(seed)
    day = folder / f"date={DAY.isoformat()}"
    day.mkdir(parents=True)
    books = [book(name, chance) for name in ACCOUNTS]
    top_ups = [top_up(name, chance) for name in chance.sample(ACCOUNTS, 15)]
    lines(day / "account.events.jsonl", [*books, *sorted(top_ups, key=lambda event: event["ts"])], "account")
    lines(day / "market.trades.jsonl", trades(chance), "security")
    lines(day / "market.session.jsonl", sessions(), "market")
    lines(day / "reference.securities.jsonl", references(), "security")
    (day / "day.json").write_text(
        json.dumps({"date": DAY.isoformat(), "origin": "made by the tests", "licence": "Apache-2.0"})
    )
    return day


def book(name: str, chance: random.Random) -> Record:
    """A ratio from 1.25 to 2.0 at prices of 10.00, so that a fall of a fifth shows every outcome."""
    held = {security: chance.randrange(100, 5_000, 100) for security in chance.sample(SECURITIES, 3)}
    principal = sum(held.values()) * 10 * 1000 // chance.randrange(1250, 2000)
    contract = financed(str(principal), security=min(held), rate="0.0835")
    preset = chance.choice("ABCD")
    return opening(name=name, held=held, owes=[contract], day=DAY, clock="08:50", preset=preset)


def top_up(name: str, chance: random.Random) -> Record:
    clock = f"10:{chance.randrange(MINUTES):02}:30"
    return {
        **deposit(str(chance.randrange(100, 20_000)), day=DAY, clock=clock, event_id="top"),
        "account": name,
    }


def references() -> list[Record]:
    about = {"date": DAY.isoformat(), "kind": "stock", "board": "main", "prev_close": "10.00"}
    return [{"security": security, "ts": at(DAY, "08:30"), **about} for security in SECURITIES]


def trades(chance: random.Random) -> list[Record]:
    price = dict.fromkeys(SECURITIES, 10_00)
    made = []
    for minute in range(MINUTES):
        for second in range(0, 60, 2):
            security = chance.choice(SECURITIES)
            price[security] += chance.choice([-4, -3, -2, -1, 0, 1, 2])
            clock = f"10:{minute:02}:{second:02}"
            made.append(
                {
                    "security": security,
                    "ts": at(DAY, clock),
                    "price": f"{price[security] / 100:.2f}",
                    "qty": 100,
                }
            )
    return made


def sessions() -> list[Record]:
    phases = [("09:00", "pre_open"), ("09:59", "continuous"), ("15:00", "close"), ("16:00", "settled")]
    whole = {"date": DAY.isoformat(), "market": "ALL"}
    return [{"ts": at(DAY, clock), "phase": phase, **whole} for clock, phase in phases]


def lines(path: Path, records: list[Record], key: str) -> None:
    ordered = sorted(records, key=lambda record: record["ts"])
    path.write_text("".join(json.dumps({"key": record[key], **record}) + "\n" for record in ordered))
