"""Every sort of bad record lands in dead.letters with origin, field and reason; neighbours are unaffected."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from typing import Any

from tests.acceptance.days import LIVE_PAUSE, account_in_need, phase, trade
from tests.acceptance.firm import Firm, Record
from tests.oracle.moments import at
from tests.worked_examples.records import BANK, MONDAY, happens

NOW = at(MONDAY, "10:00")


@dataclass(frozen=True)
class Bad:
    """`field` None: the record as a whole cannot be read, so no field can be named."""

    topic: str
    key: str
    value: bytes
    field: str | None


def bad(topic: str, key: str, field: str | None, record: Record) -> Bad:
    return Bad(topic, key, json.dumps(record).encode(), field)


TRADE = {"security": BANK, "ts": NOW, "price": "9.99", "qty": 100}
QUOTE = {"security": BANK, "ts": NOW, "last": "9.99"}
SESSION = {"ts": NOW, "date": "2025-04-07", "market": "ALL", "phase": "clock"}
ABOUT = {"security": BANK, "date": "2025-04-07", "kind": "stock", "board": "main"}
DEPOSIT = happens("cash", amount="1000000", reason="deposit", event_id="bad")


def without(record: Record, field: str) -> Record:
    return {name: value for name, value in record.items() if name != field}


ON_ACCOUNTS = [
    Bad("account.events", "A1", b'{"account": "A1", "ts": 17', None),
    Bad("account.events", "A1", b"\xff\xfe not json", None),
    Bad("account.events", "A1", b"[1, 2]", None),
    Bad("account.events", "A1", b"", None),
    bad("account.events", "A1", "amount", without(DEPOSIT, "amount")),
    bad("account.events", "A1", "amount", {**DEPOSIT, "amount": "1.2345"}),
    bad("account.events", "A1", "amount", {**DEPOSIT, "amount": 1.2345}),
    bad("account.events", "A1", "amount", {**DEPOSIT, "amount": "NaN"}),
    bad("account.events", "A1", "amount", {**DEPOSIT, "amount": "1e12"}),
    bad("account.events", "A1", "amount", {**DEPOSIT, "amount": 10**30}),
    bad("account.events", "A1", "amount", {**DEPOSIT, "amount": True}),
    bad("account.events", "A1", "reason", {**DEPOSIT, "reason": "gift"}),
    bad("account.events", "A1", "kind", {**DEPOSIT, "kind": "wish"}),
    bad("account.events", "A1", "ts", {**DEPOSIT, "ts": "yesterday"}),
    bad("account.events", "A1", "id", {**DEPOSIT, "id": "x" * 65}),
    bad("account.events", "A1", "v", {**DEPOSIT, "v": 2}),
    bad("account.events", "A1", "account", {**DEPOSIT, "account": "A 1"}),
    bad("account.events", "NOBODY", "account", {**DEPOSIT, "account": "NOBODY"}),
    bad(
        "account.events",
        "A1",
        "price",
        happens("fill", business="collateral_buy", security=BANK, qty=1, price="-1"),
    ),
    bad(
        "account.events",
        "A1",
        "qty",
        happens("fill", business="collateral_buy", security=BANK, qty=1.5, price="1"),
    ),
    bad("account.events", "A1", "contract", happens("repay", amount="1", contract="none", event_id="r1")),
    bad("account.events", "A1", "amount", happens("repay", amount="1000000.01", event_id="r2")),
    bad("account.events", "A1", "qty", happens("return", security=BANK, qty=1, event_id="r3")),
    bad("account.events", "A1", "account", happens("close", event_id="c1")),
]

ON_MARKET = [
    bad("market.trades", BANK, "price", {**TRADE, "price": "-9.99"}),
    bad("market.trades", BANK, "price", {**TRADE, "price": 0}),
    bad("market.trades", BANK, "price", {**TRADE, "price": "9.9999"}),
    bad("market.trades", BANK, "price", {**TRADE, "price": "10000000.01"}),
    bad("market.trades", BANK, "price", without(TRADE, "price")),
    bad("market.trades", BANK, "security", {**TRADE, "security": "600000"}),
    bad("market.trades", BANK, "v", {**TRADE, "v": 99}),
    Bad("market.trades", BANK, b"{", None),
    bad("market.quotes", BANK, "last", {**QUOTE, "last": "-1"}),
    bad("market.quotes", BANK, "halted", {**QUOTE, "halted": "no"}),
    Bad("market.quotes", BANK, b"nonsense", None),
]

ON_THE_REST = [
    bad("market.session", "ALL", "phase", {**SESSION, "phase": "lunch"}),
    bad("market.session", "ALL", "date", {**SESSION, "date": "2025-02-30"}),
    bad("market.session", "SH", "market", {**SESSION, "market": "SH", "phase": "settled"}),
    bad("reference.securities", BANK, "kind", {**ABOUT, "kind": "coin"}),
    bad("reference.securities", BANK, "haircut", {**ABOUT, "haircut": "1.01"}),
    bad("reference.rules", "Y", "warn", {"preset": "Y", "from": "2025-04-07"}),
    bad("commands", "A1", None, {"id": "c", "ts": NOW, "by": "me", "command": "fly"}),
]


def says(letter: Record, sent: Bad, origin: tuple[int, int]) -> None:
    assert (letter["partition"], letter["offset"]) == origin
    assert base64.b64decode(letter["value_base64"]) == sent.value, letter
    assert letter["reason"]
    assert letter["error"]
    if sent.field is not None:
        assert letter.get("field") == sent.field, (letter, sent)


async def publish_all(firm: Firm, records: list[Bad]) -> dict[tuple[str, int, int], Bad]:
    sent: dict[tuple[str, int, int], Bad] = {}
    for record in records:
        partition, offset = await firm.publish(record.topic, record.key, record.value)
        sent[record.topic, partition, offset] = record
    return sent


async def test_bad_records_become_dead_letters_and_the_rest_goes_on(firm: Firm) -> None:
    firm.start_worker()
    await phase(firm, MONDAY, "pre_open", "09:00")
    await firm.account_events(account_in_need(), account_in_need("B2"))
    sent = await publish_all(firm, [*ON_ACCOUNTS, *ON_MARKET, *ON_THE_REST])
    await trade(firm, MONDAY, "10:01", "12.50")
    await asyncio.sleep(LIVE_PAUSE)
    await phase(firm, MONDAY, "settled", "16:00")
    letters = await firm.until(
        "dead.letters", lambda seen: len(seen) >= len(sent), what=f"{len(sent)} letters"
    )
    by_origin: dict[Any, Record] = {(r["topic"], r["partition"], r["offset"]): r for r in letters}
    assert set(by_origin) == set(sent)
    for origin, record in sent.items():
        says(by_origin[origin], record, origin[1:])
    calls = await firm.until(
        "margin.calls", lambda seen: {c["account"] for c in seen if c["event"] == "called"} == {"A1", "B2"}
    )
    assert {call["assets"] for call in calls if call["event"] == "called"} == {"1250000.00"}


async def test_a_security_never_heard_of_is_unpriced_and_no_error(firm: Firm) -> None:
    firm.start_worker()
    await phase(firm, MONDAY, "pre_open", "09:00")
    await firm.account_events(account_in_need())
    await asyncio.sleep(LIVE_PAUSE)
    await phase(firm, MONDAY, "settled", "16:00")
    ratios = await firm.until("margin.ratios", lambda seen: any(r["settled"] for r in seen))
    assert [r["unpriced"] for r in ratios if r["settled"]] == [[BANK]]
    assert await firm.now_on("dead.letters") == []
    assert await firm.now_on("margin.calls") == []
