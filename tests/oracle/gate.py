"""The pre-trade gate: whether a request may be sent, said as conditions on its quantity.

`refusal` names the first rule that a quantity breaks. A decision is right if it accepts what breaks none, and
if its `limit` breaks none while the next larger legal quantity does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from tests.oracle import market_rules, valuation
from tests.oracle.amounts import ZERO, money
from tests.oracle.calls import NOTICE
from tests.oracle.requests import BUYS, MONEY, Request
from tests.oracle.reservations import SELLING, Open

Broken = Iterator[tuple[str, bool]]
NEW_DEBT = ("financing_buy", "short_sell")
EXCHANGES = {"SH": "SSE", "SZ": "SZSE", "BJ": "BSE"}
BSE_SINCE, FAE_CLOSED_SINCE = date(2023, 2, 13), date(2024, 3, 26)
REFINANCING = (date(2013, 2, 28), date(2024, 7, 11))
PROCEEDS_PAY_FOR_MORE_SINCE = date(2015, 7, 2)
CROWDING_SINCE, TIERS_SINCE = date(2023, 7, 31), date(2018, 6, 1)
TIERS = {
    "individual": [("1.80", "0.50"), ("2.40", "0.70")],
    "private_fund": [("1.80", "0.30"), ("3.00", "0.50")],
}
WITHDRAW_LINE = 3


class Gate(Request):
    """Every rule as a condition; in the order in which decisions name them."""

    # -- the answer

    def refusal(self, qty: Decimal) -> str | None:
        for broken in (self._objections(), self._caps(qty)):
            for name, is_broken in broken:
                if is_broken:
                    return name
        return None if self.legal(qty) else "lot"

    def legal(self, qty: Decimal) -> bool:
        if self.business in MONEY:
            return True
        lot = market_rules.lot(self.nature["board"], self.nature["kind"])
        if self.business in SELLING:
            return lot.legal_sale(int(qty), self.sellable())
        return lot.whole(int(qty))

    def next_larger(self, qty: Decimal) -> Decimal | None:
        """The next larger legal quantity; None where everything is asked for."""
        if self.business in MONEY:
            return qty + Decimal("0.01")
        lot = market_rules.lot(self.nature["board"], self.nature["kind"])
        if self.business in SELLING:
            larger = lot.next_sale(int(qty), self.sellable())
            return None if larger is None else Decimal(larger)
        return Decimal(lot.next_buy(int(qty)))

    # -- what no quantity overcomes

    def _objections(self) -> Broken:
        if self.business not in (*MONEY, "withdraw_security"):
            yield from self._place()
        if self.business in NEW_DEBT:
            yield "eligibility_removed_on_delisting", bool(self.nature.get("delisting"))
            kind = "financing" if self.business == "financing_buy" else "lending"
            yield "listed", not self.nature.get(kind)
            halted = (self.security, kind) in self.oracle.halted
            yield "limit_etf" if self.nature["kind"] == "etf" else "limit_stock", halted
        if self.business in (*NEW_DEBT, "withdraw_cash", "withdraw_security"):
            yield "custody_break", self.account.name in self.oracle.custody.breaks
            yield "unpriced", self.blind
        if self.business in NEW_DEBT:
            episode = self.oracle.lives[self.account.name].episode
            yield "topup_blocks_new_debt", episode is not None and episode.state > NOTICE
        if self.business == "short_sell":
            yield "short_market_orders", not self.limit_order
        if self.business not in (*MONEY, "withdraw_security"):
            yield from self._form()
        if self.business == "short_sell":
            yield "short_uptick", self._below_uptick()
        if self.business == "financing_buy":
            yield "concentration_gate", self._crowded()
        if self.business in SELLING:
            yield "position", self.account.held.get(self.security, 0) == 0
        if self.business == "buy_to_return":
            yield "position", self.account.short_qty(self.security) == 0
        if self.business in ("sell_to_repay", "repay"):
            yield "debt", self._owed_in_money() <= 0

    def _owed_in_money(self) -> Decimal:
        account = self.account
        owed = account.interest(self.day) + sum((item.cash for item in account.compensation), ZERO)
        return owed + sum((c.principal for c in account.contracts.values() if c.kind == "financing"), ZERO)

    def _place(self) -> Broken:
        home = EXCHANGES[self.security[-2:]]
        place = self.order.get("venue") or home
        fae = place.lower().startswith("fae") and self.day >= FAE_CLOSED_SINCE
        yield "venue_kinds_blocked", fae
        allowed = ["SSE", "SZSE"] + (["BSE"] if self.day >= BSE_SINCE else [])
        yield "venues_allowed", EXCHANGES.get(place, place) not in allowed
        yield "venues_allowed", EXCHANGES.get(place, place) != home
        lender = self.order.get("lender")
        if lender == "refinancing" and self.business == "short_sell":
            yield "short_refinancing", not REFINANCING[0] <= self.day < REFINANCING[1]
        else:
            yield "lenders_licensed", lender is not None
        yield "suspended", bool(self.nature.get("suspended"))

    def _form(self) -> Broken:
        buys = self.business in BUYS
        yield "side", self.order.get("side") not in (None, "B" if buys else "S")
        yield "price", self.price <= 0
        if not self.limit_order:
            return
        yield "price_step", self.price % market_rules.tick(self.nature["kind"]) != 0
        down, up = market_rules.limits(self.prices, self.security, self.nature, self.day)
        outside = (down is not None and self.price < down) or (up is not None and self.price > up)
        yield "limit_", outside
        bound = market_rules.cage(self.prices, self.security, self.nature, self.day, buys=buys)
        if bound is not None and self.oracle.phase == "continuous":
            yield "cage_", self.price > bound if buys else self.price < bound

    def _below_uptick(self) -> bool:
        lowest = self.prices.last(self.security)
        lowest = market_rules.reference_close(self.prices, self.security) if lowest is None else lowest
        return lowest is None or not self.limit_order or self.price < lowest

    def _crowded(self) -> bool:
        """The gate of 2023-07-31: crowded in the market, dear, most of the account, and not far from 300%."""
        pe, share = (
            self.nature.get("pe_static"),
            self.oracle.listings.collateral_share(self.security, self.day),
        )
        if self.day < CROWDING_SINCE or pe is None or share is None:
            return False
        dear = money(pe) >= 300 or money(pe) < 0
        own = self.account.held.get(self.security, 0) * self.worth
        low = self.debt > 0 and self.assets <= 3 * self.debt
        return dear and share >= Decimal("0.25") and own * 10 >= self.assets * 7 and low

    # -- what a smaller quantity may overcome

    def _caps(self, qty: Decimal) -> Broken:
        if self.business not in MONEY:
            yield from self._sizes(qty)
        if self.business in SELLING:
            yield from self._sales(qty)
        gross = qty * self.price
        if self.business == "collateral_buy":
            liquid = self.nature["kind"] == "cash_product" and self.day >= PROCEEDS_PAY_FOR_MORE_SINCE
            cash = self.all_cash if liquid else self.own_cash
            yield "short_proceeds_use", gross + self.cost(gross) > cash
            yield "margin_financing", self._spends_promised_margin(qty)
        if self.business in NEW_DEBT:
            yield from self._new_debt(qty, gross)
        if self.business == "buy_to_return":
            short, returning = self.account.short_qty(self.security), self._returning()
            yield "borrowed", qty > short - returning
            yield "short_return_min_sessions_after_sale", qty > self._may_go_back() - returning
            yield "cash", gross + self.cost(gross) > self.all_cash
        if self.business in ("withdraw_cash", "withdraw_security"):
            yield from self._withdrawal(qty)
        if self.business == "repay":
            contracts = self.account.contracts.values()
            owed = sum((c.interest_due(self.day) for c in contracts), ZERO)
            owed += sum((c.principal for c in contracts if c.kind == "financing"), ZERO)
            pending = [r.left for r in self.mine.by_order.values() if r.business == "repay"]
            yield "debt", qty > owed - sum(pending, ZERO)
            fees = ZERO
            if self.day >= PROCEEDS_PAY_FOR_MORE_SINCE:
                fees = min(self.all_cash - self.own_cash, max(ZERO, self.account.interest(self.day)))
            yield "short_proceeds_use", qty > self.own_cash + fees
        if self.business in ("collateral_buy", "financing_buy"):
            yield "concentration_", self._too_much_of_one(qty)

    def _returning(self) -> int:
        return self.mine.shares(self.security, "buy_to_return")

    def _may_go_back(self) -> int:
        contracts = self.account.contracts.values()
        lent = [c for c in contracts if c.kind == "lending" and c.security == self.security]
        return sum(c.returnable(self.day) for c in lent)

    def _sizes(self, qty: Decimal) -> Broken:
        if self.business == "withdraw_security":
            return
        yield "bounds", qty * self.price > 10**11
        market = not self.limit_order
        lot = market_rules.lot(self.nature["board"], self.nature["kind"], market_order=market)
        yield "largest", qty > lot.largest

    def _sales(self, qty: Decimal) -> Broken:
        held, security = self.account.held.get(self.security, 0), self.security
        selling = self.selling()
        yield "position", qty > held
        yield "frozen", qty > held - self.account.frozen.get(security, 0)
        yield "t_plus_1", qty > self.account.sellable(security)
        yield "reserved", selling > 0 and qty > self.account.sellable(security) - selling
        if self.business != "sell_to_repay":
            contracts = self.account.contracts.values()
            mine = [c for c in contracts if c.kind == "financing" and c.security == security]
            financed = min(held, sum(valuation.unpaid_shares(c) for c in mine))
            leaving = self.mine.shares(security, "collateral_sell", "withdraw_security")
            yield "sell_to_repay_first", financed > 0 and qty > held - financed - leaving
        if self.business != "withdraw_security":
            own = borrowed = 0
            for member in self.group:
                open_ = self.open.setdefault(member.name, Open())
                own += member.held.get(security, 0) - open_.shares(security, *SELLING)
                borrowed += member.short_qty(security) + open_.shares(security, "short_sell")
            bound = borrowed > 0 and self._below_uptick()
            yield "short_uptick_own_shares", bound and qty > max(0, own - borrowed)

    def _spends_promised_margin(self, qty: Decimal) -> bool:
        """Cash counts in full, what is bought for it at its haircut."""
        if not self.mine.sum("financing") + self.mine.sum("lending"):
            return False
        spent = Fraction(self.price) * (1 + self.cost_rate()) - Fraction(self.worth) * Fraction(self.haircut)
        return spent > 0 and Fraction(qty) * spent > max(Fraction(0), Fraction(self.margin))

    def _new_debt(self, qty: Decimal, gross: Decimal) -> Broken:
        kind = "lending" if self.business == "short_sell" else "financing"
        if kind == "lending" and self.nature.get("lendable_qty") is not None:
            flows = [a.flows.get(("short_sales", self.security), ZERO) for a in self.oracle.accounts.values()]
            promised = sum(o.shares(self.security, "short_sell") for o in self.open.values())
            yield "lendable", qty > self.nature["lendable_qty"] - sum(flows, ZERO) - promised
        yield "margin_", gross * self.margin_ratio() > self.margin
        for name in ("total", kind):
            own = self.line(self.account.credit, name)
            if own is not None:
                yield "credit_", gross > own - self.used(self.account, name)
            shared = [self.line(member.group_credit, name) for member in self.group]
            least = min((line for line in shared if line is not None), default=None)
            if least is not None:
                used = sum((self.used(member, name) for member in self.group), ZERO)
                yield "group_credit_", gross > least - used

    def _withdrawal(self, qty: Decimal) -> Broken:
        gross = qty if self.business == "withdraw_cash" else qty * self.price
        room = self.assets - WITHDRAW_LINE * self.debt
        if self.debt > 0:
            yield "mmr_withdraw_line", gross > room or room <= 0
        if self.business == "withdraw_cash":
            yield "withdraw_within_available_margin", gross > max(ZERO, self.margin)
            yield "short_proceeds_withdrawable", gross > self.own_cash
        else:
            over = gross * self.haircut > max(ZERO, self.margin)
            yield "withdraw_within_available_margin", over or self.margin < 0
            yield "short_proceeds_withdrawable", self._takes_proceeds(gross)

    def _takes_proceeds(self, gross: Decimal) -> bool:
        """Cash products and cash that is promised to nobody cover what the shorts brought."""
        if self.nature["kind"] != "cash_product" or not self.proceeds:
            return False
        left = self.account.cash - self.mine.sum("own_cash") - self.proceeds - gross
        for security, qty in self.account.held.items():
            if self._is_liquid(security):
                left += qty * (self.prices.collateral_price(security) or ZERO)
        leaving = [r for r in self.mine.by_order.values() if r.business == "withdraw_security"]
        left -= sum((r.still("leaving") for r in leaving if self._is_liquid(r.security)), ZERO)
        return gross > 0 and left < 0

    def _is_liquid(self, security: str | None) -> bool:
        return security is not None and self.oracle.listings.of(security).get("kind") == "cash_product"

    def _too_much_of_one(self, qty: Decimal) -> bool:
        """Share of the account after the fill, by the tier of the ratio after the fill."""
        if self.day < TIERS_SINCE:
            return False
        pending = self.mine.shares(self.security, "collateral_buy", "financing_buy")
        value = (self.account.held.get(self.security, 0) + pending + qty) * self.worth
        assets, debt = self.after(qty)
        tiers = TIERS["private_fund" if self.account.client == "private_fund" else "individual"]
        allowed = next((Decimal(share) for line, share in tiers if assets < debt * Decimal(line)), None)
        return debt > 0 and allowed is not None and value > assets * allowed
