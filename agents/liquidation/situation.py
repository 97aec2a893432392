"""What the planner is told about an account, and what it answers. Money and prices are integer milli,
quantities shares.

`Situation` holds everything a plan depends on: no clock, no look-up in the account's books.
"""

from dataclasses import dataclass

from agents.rules.schedule import Schedule

SUSPENDED = "suspended"
HALTED = "halted"
LIMIT_DOWN = "limit_down"
LIMIT_UP = "limit_up"
FROZEN = "frozen"
BOUGHT_TODAY = "t+1"
ODD_LOT = "odd_lot"
LOWERS_RATIO = "lowers_ratio"
NO_CASH = "no_cash"
NO_PRICE = "no_price"
IN_ORDERS = "in_open_orders"
IN_TRANSIT = "in_transit"
PARTICIPATION = "participation"

NOT_GIVEN = -1


@dataclass(frozen=True, slots=True)
class Book:
    """Prices around an order, milli; -1 = not known. `best_bid` and `best_ask` of 0: that side of the book
    is empty. `prev_close` is the day's reference price, or else the price the security closed at last.
    """

    best_bid: int = NOT_GIVEN
    best_ask: int = NOT_GIVEN
    last: int = NOT_GIVEN
    prev_close: int = NOT_GIVEN
    limit_down: int = NOT_GIVEN
    limit_up: int = NOT_GIVEN


NO_BOOK = Book()


@dataclass(frozen=True, slots=True)
class Holding:
    """One security held. `sellable` leaves out what was bought today (T+1), what is frozen and `in_orders`:
    what the client's own open orders will sell. `in_transit` comes on top of `qty`: shares that a corporate
    action has yet to deliver.

    `why_unsellable` (see `agents.liquidation.tradable`) keeps the whole holding in the residual. `quota`:
    the most that may be sent in this slice, None where nothing limits it. `days_to_liquidate` is (numerator,
    denominator), None where no volume is known; `concentration_excess` any integer measure, larger sells
    first.
    """

    security: str
    qty: int
    sellable: int
    mark: int
    expected: int
    board: str
    kind: str
    why_unsellable: str | None = None
    frozen: int = 0
    st: bool = False
    delisting: bool = False
    days_to_liquidate: tuple[int, int] | None = None
    concentration_excess: int = 0
    book: Book = NO_BOOK
    quota: int | None = None
    in_orders: int = 0
    in_transit: int = 0


@dataclass(frozen=True, slots=True)
class Short:
    """One lending contract: `qty` not yet returned, sold at `sale_price`; `fresh` of it were sold today and
    go back from the next trading day, `in_orders` will be bought back by the client's own open orders.
    `must_cover`: all of it, whatever the ratio. `quota` as of a holding.
    """

    contract: str
    security: str
    qty: int
    sale_price: int
    mark: int
    expected: int
    board: str
    kind: str
    why_uncoverable: str | None = None
    st: bool = False
    delisting: bool = False
    book: Book = NO_BOOK
    must_cover: bool = False
    quota: int | None = None
    fresh: int = 0
    in_orders: int = 0

    @property
    def coverable(self) -> int:
        """Shares that forced orders may buy back now."""
        return self.qty - self.fresh - self.in_orders


@dataclass(frozen=True, slots=True)
class Situation:
    """An account at one moment, and what its plan has to achieve.

    `free_cash`: own cash, neither short-sale proceeds nor frozen. `short_proceeds`: cash that may only
    cover shorts. `repayable`: the part of `debt` that money repays (financing principal, interest, fees).
    `target` in 1e-4, above 10_000, to be reached unless `to_target` is false; `must_repay`: money to be
    repaid whatever the ratio. `commission` in 1e-6; `day` a day number; `rules` None: the built-in ones.
    """

    free_cash: int
    short_proceeds: int
    repayable: int
    assets: int
    debt: int
    target: int
    day: int
    commission: int
    holdings: tuple[Holding, ...] = ()
    shorts: tuple[Short, ...] = ()
    must_repay: int = 0
    to_target: bool = True
    rules: Schedule | None = None


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """One order of a plan. `business`: repay | sell_to_repay | collateral_sell | buy_to_return.

    A `repay` has only `amount` (milli). `price` is the lowest legal price of a sale, the highest legal of a
    cover. `contract` is set for covers.
    """

    business: str
    security: str | None
    side: str | None
    qty: int | None
    amount: int | None
    price: int | None
    expected_price: int | None
    mark: int | None
    contract: str | None
    reason: str
    rule: str


@dataclass(frozen=True, slots=True)
class Later:
    """What is to be traded next, in a later slice or session: `qty` at about `price` (milli)."""

    business: str
    security: str
    qty: int
    price: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Orders in their order of execution and what cannot be sold or covered now.

    `needed`: gross value at mark still to be sold (or covered) after own cash, rounded up to 0.001 yuan;
    the whole debt where no sale can reach the target. `planned`: gross value at mark of the orders that
    repay or cover. `still_needed`: the measure of `needed` after the plan. `residual`: (security, quantity,
    why); `later`: what of it will be traded as soon as it can be, were nothing else to change.
    `ratio_after`: exact (assets, debt) after every order fills at its expected price, in 1e-6 milli; the
    debt may be 0. `achieved`: the target is reached where it is wanted, and every obligation met.
    """

    orders: tuple[PlannedOrder, ...]
    residual: tuple[tuple[str, int, str], ...]
    needed: int
    planned: int
    still_needed: int
    ratio_after: tuple[int, int]
    achieved: bool
    later: tuple[Later, ...]
