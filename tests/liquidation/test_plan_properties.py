"""Properties of every plan (rulebook 17.1, nos. 7 and 8), against a plain recomputation with fractions."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agents.liquidation.plan import make_plan
from agents.liquidation.situation import Book, Holding, Plan, Short, Situation
from agents.rules.costs import buy_cost, sell_cost
from agents.rules.lots import is_legal_buy, is_legal_sale, lot
from schemas.units import parse_day

DAY = parse_day("2025-04-07")
BOARDS = st.sampled_from(
    [("main", "stock"), ("chinext", "stock"), ("star", "stock"), ("bse", "stock"), ("main", "etf")]
)
PRICES = st.integers(200, 2_000_000)
QUANTITIES = st.integers(1, 700_000)


@st.composite
def holdings(draw: st.DrawFn, code: int, tradable: bool) -> Holding:
    board, kind = draw(BOARDS)
    qty, mark = draw(QUANTITIES), draw(PRICES)
    frozen = 0 if tradable else draw(st.integers(0, qty))
    prev_close = draw(st.sampled_from([-1, mark]))
    return Holding(
        security=f"{code:06d}.SH",
        qty=qty,
        sellable=qty if tradable else draw(st.sampled_from([0, qty - frozen, (qty - frozen) // 2])),
        mark=mark,
        expected=max(1, mark * draw(st.integers(95 if tradable else 60, 105)) // 100),
        board=board,
        kind=kind,
        why_unsellable=None if tradable else draw(st.sampled_from([None, None, "suspended", "limit_down"])),
        frozen=frozen,
        days_to_liquidate=draw(st.none() | st.tuples(st.integers(1, 9), st.integers(1, 9))),
        concentration_excess=draw(st.integers(0, 2)),
        book=Book(prev_close=prev_close, last=prev_close),
    )


@st.composite
def shorts(draw: st.DrawFn, code: int) -> Short:
    board, kind = draw(BOARDS)
    mark = draw(PRICES)
    return Short(
        contract=f"L{code}",
        security=f"{code:06d}.SZ",
        qty=draw(QUANTITIES),
        sale_price=draw(PRICES),
        mark=mark,
        expected=max(1, mark * draw(st.integers(95, 140)) // 100),
        board=board,
        kind=kind,
        why_uncoverable=draw(st.sampled_from([None, None, "limit_up"])),
    )


@st.composite
def situations(draw: st.DrawFn, *, plain: bool = False) -> Situation:
    held = tuple(draw(holdings(code, plain)) for code in range(draw(st.integers(1 if plain else 0, 4))))
    owed = tuple(draw(shorts(code)) for code in range(0 if plain else draw(st.integers(0, 2))))
    free_cash, proceeds = draw(st.integers(0, 10**9)), 0 if plain else draw(st.integers(0, 10**9))
    long_value = sum(item.qty * item.mark for item in held)
    short_value = sum(item.qty * item.mark for item in owed)
    worth = free_cash + proceeds + long_value
    repayable = max(0, worth * 100 // draw(st.integers(95, 160)) - short_value)
    return Situation(
        free_cash=free_cash,
        short_proceeds=proceeds,
        repayable=repayable,
        assets=worth,
        debt=repayable + short_value,
        target=draw(st.sampled_from([14_000, 15_000, 16_000])),
        day=DAY,
        commission=250,
        holdings=held,
        shorts=owed,
    )


def papers(situation: Situation) -> list[Holding | Short]:
    return [*situation.holdings, *situation.shorts]


def outcome(situation: Situation, plan: Plan) -> tuple[Fraction, Fraction, Fraction]:
    """Assets, debt and cash when every order fills at its expected price; checks that no step overspends."""
    cash = Fraction(situation.free_cash + situation.short_proceeds)
    own = Fraction(situation.free_cash)
    owed = Fraction(situation.repayable)
    assets, debt = Fraction(situation.assets), Fraction(situation.debt)
    kinds = {item.security: item.kind for item in papers(situation)}
    for order in plan.orders:
        if order.business == "repay":
            assert order.amount is not None
            assert 0 < order.amount <= min(own, owed)
            paid, value = Fraction(order.amount), Fraction(0)
            cash, own = cash - paid, own - paid
            assets, debt, owed = assets - paid, debt - paid, owed - paid
            continue
        assert order.security
        assert order.qty
        assert order.expected_price
        assert order.mark
        gross, value = Fraction(order.qty * order.expected_price), Fraction(order.qty * order.mark)
        if order.side == "S":
            net = (
                gross
                * (10**6 - sell_cost(situation.day, situation.commission, kinds[order.security]))
                / 10**6
            )
            paid = min(net, owed) if order.business == "sell_to_repay" else Fraction(0)
            cash += net - paid
            assets, debt, owed = assets - value + net - paid, debt - paid, owed - paid
        else:
            price = (
                gross * (10**6 + buy_cost(situation.day, situation.commission, kinds[order.security])) / 10**6
            )
            cash -= price
            assets, debt = assets - price, debt - value
            assert cash >= 0, "covering spends only cash that is there"
    return assets, debt, cash


@settings(max_examples=300, deadline=None)
@given(situations())
def test_the_ratio_stated_is_the_ratio_of_a_plain_recomputation(situation: Situation) -> None:
    plan = make_plan(situation)
    assets, debt, _ = outcome(situation, plan)
    assert (Fraction(plan.ratio_after[0], 10**6), Fraction(plan.ratio_after[1], 10**6)) == (assets, debt)
    assert plan.achieved is (assets * 10_000 >= debt * situation.target)


@settings(max_examples=300, deadline=None)
@given(situations())
def test_no_order_leaves_lots_sellable_quantity_or_price_limits(situation: Situation) -> None:
    plan = make_plan(situation)
    left = {item.security: item.sellable for item in situation.holdings if item.why_unsellable is None}
    owed = {item.contract: item.qty for item in situation.shorts if item.why_uncoverable is None}
    rules = {item.security: lot(item.board, item.kind, DAY) for item in papers(situation)}
    floors = {item.security: item for item in situation.holdings}
    for order in plan.orders:
        if order.business == "repay":
            continue
        assert order.security
        assert order.qty
        assert order.price
        if order.side == "S":
            assert is_legal_sale(rules[order.security], order.qty, left[order.security])
            left[order.security] -= order.qty
            book = floors[order.security].book
            if book.prev_close > 0:
                assert order.price * 100 >= book.prev_close * 69  # widest limit, 30%, and its rounding
        else:
            assert order.contract
            assert is_legal_buy(rules[order.security], order.qty)
            owed[order.contract] -= order.qty
            assert owed[order.contract] >= 0


@settings(max_examples=300, deadline=None)
@given(situations(plain=True))
def test_one_lot_less_of_the_last_sale_to_repay_misses_the_target_unless_the_debt_capped_it(
    situation: Situation,
) -> None:
    plan = make_plan(situation)
    sales = [order for order in plan.orders if order.business == "sell_to_repay"]
    assume(plan.achieved and situation.assets >= situation.debt)
    assume(sales and sales[-1] is plan.orders[-1])
    last = sales[-1]
    assert last.security
    assert last.qty
    assert last.expected_price
    assert last.mark
    item = next(item for item in situation.holdings if item.security == last.security)
    rule = lot(item.board, item.kind, DAY)
    sold = sum(order.qty or 0 for order in sales if order.security == last.security)
    fewer = sold - (sold % rule.step or rule.step)  # without the odd remainder, else one lot less
    if fewer < rule.minimum:
        fewer = 0
    others = replace(plan, orders=tuple(order for order in plan.orders if order.security != last.security))
    assets, debt, _ = outcome(situation, others)
    repaid = situation.repayable - (situation.debt - debt)
    net = fewer * last.expected_price * Fraction(10**6 - sell_cost(DAY, 250, item.kind), 10**6)
    paid = min(net, repaid)
    assets, debt = assets - fewer * last.mark + net - paid, debt - paid
    assert assets * 10_000 < debt * situation.target


@settings(max_examples=200, deadline=None)
@given(situations())
def test_every_share_is_ordered_kept_with_a_reason_or_not_needed(situation: Situation) -> None:
    plan = make_plan(situation)
    ordered: dict[str, int] = {}
    for order in plan.orders:
        if order.security and order.qty:
            ordered[order.security] = ordered.get(order.security, 0) + order.qty
    kept: dict[str, int] = {}
    for security, qty, why in plan.residual:
        assert qty > 0
        assert why
        kept[security] = kept.get(security, 0) + qty
    for item in situation.holdings:
        accounted = ordered.get(item.security, 0) + kept.get(item.security, 0)
        assert accounted <= item.qty
        if not plan.achieved and not situation.shorts and plan.ratio_after[1] > 0:
            assert accounted == item.qty


@settings(max_examples=100, deadline=None)
@given(situations(), st.randoms(use_true_random=False))
def test_the_order_in_which_holdings_are_given_changes_no_order_of_the_plan(
    situation: Situation, shuffler: object
) -> None:
    shuffled = list(situation.holdings)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]
    assert make_plan(replace(situation, holdings=tuple(shuffled))).orders == make_plan(situation).orders
