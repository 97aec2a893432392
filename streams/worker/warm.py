"""Compiling the kernels, and sparing the garbage collector, before anything is joined.

numba compiles on first use, seconds each in a fresh installation, and nothing else runs meanwhile: a group
would take its partitions away from a worker that compiles while it should answer. So a small account lives
through two days first.
"""

from __future__ import annotations

import gc

from agents import Book
from schemas.batch_decoding import WORTH_SCANNING, decode_trades

_OPEN = 1_743_989_400_000
_DAY = 86_400_000
_YOUNG_OBJECTS = 100_000
_DATES = ("2025-04-07", "2025-04-08")


def compile_kernels() -> None:
    """Run every kernel once, on a book that is thrown away."""
    book = Book(liquidation="simulate")
    contract = {"contract": "1", "security": "600000.SH", "opened": "2025-04-01", "qty": 100, "price": 10}
    book.event(
        {
            "account": "A",
            "ts": _OPEN,
            "id": "1",
            "kind": "opening",
            "cash": 10,
            "positions": [{"security": "600000.SH", "qty": 100}, {"security": "600004.SH", "qty": 100}],
            "contracts": [
                {**contract, "type": "financing"},
                {**contract, "contract": "2", "type": "lending"},
            ],
        }
    )
    for number, date in enumerate(_DATES):
        ts = _OPEN + number * _DAY
        book.session("pre_open", date, ts)
        book.session("continuous", date, ts + 1)
        for step, security in enumerate(("600000.SH", "600004.SH")):
            book.price(security, 11 + number, ts + 2 + step)
        book.event(
            {
                "account": "A",
                "ts": ts + 4,
                "id": f"d{number}",
                "kind": "cash",
                "amount": 5,
                "reason": "deposit",
            }
        )
        book.session("clock", date, ts + 5)
        book.session("settled", date, ts + 6)
    book.core.restore(book.core.snapshot())
    trade = b'{"security":"600000.SH","ts":%d,"price":11,"qty":100}' % _OPEN
    decode_trades([trade] * WORTH_SCANNING)


def spare_collector() -> None:
    """Make cyclic garbage collection rare: a batch of JSON is tens of thousands of objects without cycles.

    At Python's own thresholds every batch would have the collector walk all objects again and again; that
    took a quarter of the time of a worker reading ticks.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 50, 50)
