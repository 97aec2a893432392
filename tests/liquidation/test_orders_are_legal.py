"""No forced order leaves lot, cage, limit, T+1, session or its share of the volume (rulebook 17.1, no. 7):
random days of the whole desk, against the rulebook's tables written down here once more.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.units import shanghai_minute
from tests.liquidation.floor import Floor, Record
from tests.worked_examples.records import PRESET

CENT = Decimal("0.01")
DAYS = ("2012-03-01", "2015-07-08", "2019-08-01", "2021-03-01", "2023-04-07", "2025-04-07")
BOARDS = {"600000.SH": "main", "000001.SZ": "main", "300001.SZ": "chinext", "688001.SH": "star"}
REAL_TIME = {"preset": "A", "min": "1.48", "immediate": "1.47", "immediate_mode": "realtime"}
CLOCKS = ("09:31", "09:36", "11:29", "11:31", "13:01", "14:55", "14:57", "14:59", "15:01")


@dataclass(frozen=True)
class Paper:
    """A security of the random account."""

    name: str
    qty: int
    today: int
    price: Decimal
    st: bool
    suspended: bool
    spread: int
    volume: int | None


@st.composite
def papers(draw: st.DrawFn, name: str) -> Paper:
    return Paper(
        name=name,
        qty=draw(st.integers(1, 40_000)),
        today=draw(st.sampled_from([0, 0, 150, 1_000])),
        price=Decimal(draw(st.integers(150, 9_000))) / 100,
        st=draw(st.sampled_from([False, False, True])),
        suspended=draw(st.sampled_from([False, False, False, True])),
        spread=draw(st.integers(0, 3)),
        volume=draw(st.none() | st.integers(0, 50_000)),
    )


def share_of_limit(day: str, paper: Paper) -> Decimal:
    """Daily price limit by board and date."""
    board = BOARDS[paper.name]
    if board == "star" or (board == "chinext" and day >= "2020-08-24"):
        return Decimal("0.20")
    return Decimal("0.05") if paper.st else Decimal("0.10")


def lowest_by_cage(day: str, paper: Paper, bid: Decimal) -> Decimal | None:
    """Floor of the price cage over the best bid."""
    board = BOARDS[paper.name]
    since = {"main": "2023-04-10", "chinext": "2020-08-24", "star": "2019-07-22"}[board]
    if day < since:
        return None
    floor = (bid * Decimal("0.98")).quantize(CENT, ROUND_CEILING)
    return min(floor, bid - 10 * CENT) if board == "main" else floor


def is_lot(board: str, qty: int, sellable: int) -> bool:
    if qty == sellable:
        return True
    return qty >= 200 if board == "star" else qty % 100 == 0


def in_session(day: str, security: str, minute: int) -> bool:
    end = 900 if security.endswith(".SH") and day < "2018-08-20" else 897
    return 570 <= minute < 690 or 780 <= minute < end


def start(
    mode: str, day: str, held: list[Paper], debt_share: int
) -> tuple[Floor, dict[str, int], dict[str, int]]:
    """Quotes, an opening in the morning, purchases of the day; sellable shares and volumes of the day."""
    floor = Floor(mode, day, clock=None)
    for paper in held:
        floor.facts(paper.name, board=BOARDS[paper.name], st=paper.st, suspended=paper.suspended,
                    prev_close=str(paper.price))  # fmt: skip
        quote(floor, paper, "09:26", paper.price, paper.volume)
    floor.session("continuous", "09:30")
    worth = sum((paper.price * (paper.qty + paper.today) for paper in held), Decimal(0))
    owes = (worth * debt_share / 100).quantize(CENT, ROUND_FLOOR)
    cash = sum((paper.price * paper.today for paper in held), Decimal(0))
    floor.opens(str(owes), held={paper.name: paper.qty for paper in held}, cash=str(cash), clock="09:30:10",
                preset="A")  # fmt: skip
    for paper in held:
        if paper.today:
            floor.event("fill", "09:30:20", business="collateral_buy", security=paper.name,
                        qty=paper.today, price=str(paper.price))  # fmt: skip
    volumes = {paper.name: paper.volume for paper in held if paper.volume is not None}
    return floor, {paper.name: paper.qty for paper in held}, volumes


def quote(floor: Floor, paper: Paper, clock: str, last: Decimal, volume: int | None) -> None:
    bid, ask = last - paper.spread * CENT, last + paper.spread * CENT
    sides = {"bid": [[str(bid), 500]], "ask": [[str(ask), 500]]}
    floor.quote(paper.name, clock, str(last), volume, prev_close=str(paper.price), **sides)


def check(order: Record, day: str, paper: Paper, last: Decimal, sellable: int) -> None:
    """One order against the tables."""
    board, price = BOARDS[paper.name], Decimal(order["price"])
    assert not paper.suspended
    assert in_session(day, paper.name, shanghai_minute(order["ts"]))
    assert 0 < order["qty"] <= sellable
    assert is_lot(board, order["qty"], sellable), (order, sellable)
    assert order["qty"] <= {"main": 1_000_000, "chinext": 300_000, "star": 100_000}[board]
    limit = share_of_limit(day, paper)
    down = (paper.price * (1 - limit)).quantize(CENT, ROUND_HALF_UP)
    up = (paper.price * (1 + limit)).quantize(CENT, ROUND_HALF_UP)
    cage = lowest_by_cage(day, paper, last - paper.spread * CENT)
    assert price == (down if cage is None else max(down, cage)), (order, down, cage)
    assert price <= up
    assert price % CENT == 0


@settings(max_examples=25, deadline=None)
@given(
    st.data(),
    st.sampled_from(DAYS),
    st.sampled_from(["auto", "simulate"]),
    st.integers(66, 105),
    st.lists(st.sampled_from(CLOCKS), min_size=2, max_size=5, unique=True).map(sorted),
)
def test_every_order_of_a_random_day_is_legal(
    data: st.DataObject, day: str, mode: str, debt_share: int, clocks: list[str]
) -> None:
    names = [name for name in BOARDS if not (name.startswith("688") and day < "2019-07-22")]
    held = [data.draw(papers(name)) for name in names]
    floor, sellable, volumes = start(mode, day, held, debt_share)
    floor.book.reference("reference.rules", PRESET | REAL_TIME | {"from": day})
    sent: Counter[str] = Counter()
    last = {paper.name: paper.price for paper in held}
    by_name = {paper.name: paper for paper in held}
    for clock in clocks:
        said: list[Record] = []
        for paper in held:
            last[paper.name] = paper.price - data.draw(st.integers(0, 4)) * CENT
            if paper.volume is not None:
                volumes[paper.name] += data.draw(st.integers(0, 20_000))
            before = len(floor.orders())
            quote(floor, paper, clock, last[paper.name], volumes.get(paper.name))
            said += floor.orders()[before:]
        said += floor.orders(floor.clock(f"{clock}:30"))
        for order in said:
            name = order["security"]
            check(order, day, by_name[name], Decimal(order["mark"]), sellable[name])
            sellable[name] -= order["qty"]
            sent[name] += order["qty"]
            if mode == "auto":
                said += floor.orders(floor.fill(order, f"{clock}:40"))
    assume(sent)
    for name, volume in volumes.items():
        assert sent[name] * 5 <= volume, "a fifth of the day's volume"
