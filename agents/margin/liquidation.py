"""Forced liquidation (强制平仓) inside a shard: situations for the planner, plans and orders published,
ceilings, simulated fills.

Plans of one evaluation are made together, in the order of account names, after every account was looked at:
only then is it known whether they pass the ceiling.
"""

from __future__ import annotations

from typing import Any

from agents.books.contracts import LENDING
from agents.books.repayment import repay
from agents.kernels.layout import (
    ADV_20,
    ASK_PRICE,
    ASK_QTY,
    BID_PRICE,
    BID_QTY,
    BLIND,
    HALTED,
    HOT_WIDTH,
    MARK,
    ST,
    SUSPENDED,
    VALUE,
)
from agents.liquidation.plan import make_plan
from agents.liquidation.situation import BOUGHT_TODAY, Book, Holding, Plan, PlannedOrder, Short, Situation
from agents.liquidation.tradable import why_uncoverable, why_unsellable
from agents.margin.calls import Calls, may_plan
from agents.margin.desk import LIQUIDATIONS, SIMULATE, SYSTEM, Desk, Moment
from agents.margin.episodes import LIQUIDATING
from agents.margin.orders import BUY_TO_RETURN, REPAY, SELL_TO_REPAY
from agents.margin.records import tell_call
from agents.rules.costs import buy_cost, cost_milli, sell_cost
from schemas.alerts import LIQUIDATION_BUSINESSES
from schemas.units import MILLI, format_day, format_money, format_ratio

NOT_GIVEN = -1


class Liquidation:
    """Makes plans for accounts that are due, and fills orders where the shard simulates."""

    def __init__(self, desk: Desk, calls: Calls) -> None:
        self.desk = desk
        self.calls = calls

    # -- plans

    def plan_due(self, moment: Moment) -> None:
        """Plans for every account noted as due, if its time has come; published unless they pass the
        ceiling together.
        """
        due, self.calls.due = self.calls.due, []
        desk = self.desk
        plans = []
        for account in desk.books.accounts.by_name(sorted(set(due))):
            if may_plan(desk, account, moment):
                plan = make_plan(self.situation(account))
                if plan.orders or plan.residual:
                    plans.append((account, plan))
                else:
                    self.calls.end(desk.books.accounts.episode[account], "shortfall", moment)
        capped = self._passes_ceiling(plans)
        for account, plan in plans:
            self._publish(account, plan, moment, capped=capped)
        if capped:
            self._tell_hold(plans, moment)

    def _passes_ceiling(self, plans: list[tuple[int, Plan]]) -> bool:
        config, desk = self.desk.config, self.desk
        fresh = [
            plan
            for account, plan in plans
            if not desk.episodes.approved[desk.books.accounts.episode[account]]
        ]
        planned = sum(plan.planned for plan in fresh)
        return (config.ceiling_accounts is not None and len(fresh) > config.ceiling_accounts) or (
            config.ceiling_yuan is not None and planned > config.ceiling_yuan * MILLI
        )

    def _publish(self, account: int, plan: Plan, moment: Moment, *, capped: bool) -> None:
        desk, episodes = self.desk, self.desk.episodes
        row = desk.books.accounts.episode[account]
        capped = capped and not episodes.approved[row]
        episodes.state[row] = LIQUIDATING
        episodes.batch[row] += 1
        episodes.capped[row] = int(capped)
        desk.orders.close_all(account)
        episode, batch = desk.episode_name(row), episodes.batch[row]
        names = [] if capped else [f"{episode}:o{batch}.{i}" for i in range(1, len(plan.orders) + 1)]
        more: dict[str, Any] = {"orders": names}
        if capped:
            more["flags"] = ["held"]
        tell_call(desk, row, "liquidating", moment.ts, **more)
        name = desk.books.accounts.names[account]
        desk.say(LIQUIDATIONS, name, self._plan_record(account, plan, moment, held=capped))
        for number, order_name in enumerate(names):
            order = plan.orders[number]
            self._keep(account, batch, number + 1, order_name, order)
            desk.say(LIQUIDATIONS, name, self._order_record(account, batch, order_name, order, moment))

    def _keep(self, account: int, batch: int, number: int, name: str, order: PlannedOrder) -> None:
        orders = self.desk.orders
        row = orders.add(account, name, order.contract)
        orders.batch[row], orders.number[row] = batch, number
        orders.business[row] = LIQUIDATION_BUSINESSES.index(order.business)
        orders.left[row] = order.qty if order.qty is not None else order.amount or 0
        orders.expected[row] = order.expected_price or 0
        if order.security is not None:
            orders.security[row] = self.desk.books.security(order.security)

    def _plan_record(self, account: int, plan: Plan, moment: Moment, *, held: bool) -> dict[str, Any]:
        desk = self.desk
        row = desk.books.accounts.episode[account]
        episode, batch = desk.episode_name(row), desk.episodes.batch[row]
        record: dict[str, Any] = {
            "id": f"{episode}:p{batch}",
            "account": desk.books.accounts.names[account],
            "episode": episode,
            "event": "plan",
            "batch": batch,
            "ts": moment.ts,
            "date": format_day(desk.books.day),
            "needed": format_money(plan.planned if plan.needed is None else plan.needed),
            "planned": format_money(plan.planned),
            "residual": [{"security": s, "qty": qty, "why": why} for s, qty, why in plan.residual],
            "ratio_after": format_ratio(*plan.ratio_after) if plan.ratio_after[1] > 0 else None,
        }
        if held:
            record["held"] = True
        return record

    def _order_record(
        self, account: int, batch: int, name: str, order: PlannedOrder, moment: Moment
    ) -> dict[str, Any]:
        desk = self.desk
        row = desk.books.accounts.episode[account]
        record: dict[str, Any] = {
            "id": name,
            "account": desk.books.accounts.names[account],
            "episode": desk.episode_name(row),
            "batch": batch,
            "ts": moment.ts,
            "date": format_day(desk.books.day),
            "business": order.business,
        }
        if order.security is None:
            record["amount"] = format_money(order.amount or 0)
            record["order_type"] = None
        else:
            record |= {
                "security": order.security,
                "side": order.side,
                "qty": order.qty,
                "order_type": "limit",
                "price": format_money(order.price or 0),
                "expected_price": format_money(order.expected_price or 0),
                "mark": format_money(order.mark or 0),
            }
        if order.contract is not None:
            record["contract"] = order.contract
        mode = desk.config.liquidation
        return record | {"forced": True, "mode": mode, "reason": order.reason, "rule": order.rule}

    def _tell_hold(self, plans: list[tuple[int, Plan]], moment: Moment) -> None:
        desk = self.desk
        yuan = sum(plan.planned for _, plan in plans)
        day, shard = format_day(desk.books.day), desk.config.shard
        record = {
            "id": f"hold:{shard}:{day}:{moment.ts}",
            "ts": moment.ts,
            "kind": "hold",
            "shard": shard,
            "date": day,
            "text": f"{len(plans)} liquidation plans worth {format_money(yuan)} yuan are held until approved",
            "figures": {"accounts": len(plans), "planned": format_money(yuan)},
        }
        desk.say(SYSTEM, "hold", record)

    # -- situations

    def situation(self, account: int) -> Situation:
        """What the planner is told about an account."""
        desk, books = self.desk, self.desk.books
        accounts, preset = books.accounts, self.desk.preset(account)
        own = accounts.cash[account] - accounts.frozen_cash[account]
        proceeds = accounts.proceeds[account]
        return Situation(
            free_cash=max(0, own - proceeds),
            short_proceeds=max(0, min(own, proceeds)),
            repayable=accounts.principal[account] + accounts.interest[account],
            assets=accounts.assets(account),
            debt=accounts.debt(account),
            target=preset.target,
            day=desk.books.day,
            commission=preset.commission,
            holdings=tuple(self._holdings(account)),
            shorts=tuple(self._shorts(account)),
        )

    def _holdings(self, account: int) -> list[Holding]:
        securities, rows = self.desk.books.securities, self.desk.books.positions.rows
        found = []
        for row in self.desk.books.positions.run(account):
            security, qty = rows.security[row], rows.qty[row]
            if not qty:
                continue
            adv = securities.get(security, ADV_20)
            found.append(
                Holding(
                    security=securities.names[security],
                    qty=qty,
                    sellable=max(0, qty - rows.locked[row] - rows.frozen[row]),
                    mark=max(0, securities.get(security, VALUE)),
                    expected=max(0, securities.get(security, MARK)),
                    board=securities.board(security),
                    kind=securities.kind(security),
                    why_unsellable=self._why_unsellable(security),
                    frozen=rows.frozen[row],
                    st=bool(securities.get(security, ST)),
                    days_to_liquidate=(qty, adv) if adv > 0 else None,
                    book=self._book(security),
                )
            )
        return sorted(found, key=lambda holding: holding.security)

    def _shorts(self, account: int) -> list[Short]:
        books = self.desk.books
        contracts, securities = books.contracts, books.securities
        found = []
        for row in contracts.chain(books.accounts.first[account]):
            security, qty = contracts.security[row], contracts.qty[row]
            if contracts.kind[row] != LENDING or not qty:
                continue
            mark = max(0, securities.get(security, MARK))
            found.append(
                Short(
                    contract=contracts.names[row],
                    security=securities.names[security],
                    qty=qty,
                    sale_price=contracts.base[row] // qty,
                    mark=mark,
                    expected=mark,
                    board=securities.board(security),
                    kind=securities.kind(security),
                    why_uncoverable=self._why_uncoverable(security)
                    or (None if books.returnable(row) else BOUGHT_TODAY),
                    st=bool(securities.get(security, ST)),
                    book=self._book(security),
                )
            )
        return sorted(found, key=lambda short: (short.security, short.contract))

    def _book(self, security: int) -> Book:
        day, securities = self.desk.books.day, self.desk.books.securities
        bid = _side(securities.quoted(security, BID_PRICE, day), securities.quoted(security, BID_QTY, day))
        ask = _side(securities.quoted(security, ASK_PRICE, day), securities.quoted(security, ASK_QTY, day))
        return Book(
            best_bid=bid,
            best_ask=ask,
            last=securities.last(security, day),
            prev_close=securities.prev_close(security, day),
            limit_down=securities.limit_down(security, day),
            limit_up=securities.limit_up(security, day),
        )

    def _stopped(self, security: int) -> bool:
        securities = self.desk.books.securities
        halted = securities.quoted(security, HALTED, self.desk.books.day) == 1
        return halted or self.desk.calendar.stopped(securities.names[security])

    def _why_unsellable(self, security: int) -> str | None:
        get, book = self.desk.books.securities.get, self._book(security)
        return why_unsellable(
            suspended=get(security, SUSPENDED) == 1,
            halted=self._stopped(security),
            last=book.last,
            limit_down=book.limit_down,
            best_bid=book.best_bid,
        )

    def _why_uncoverable(self, security: int) -> str | None:
        get, book = self.desk.books.securities.get, self._book(security)
        return why_uncoverable(
            suspended=get(security, SUSPENDED) == 1,
            halted=self._stopped(security),
            last=book.last,
            limit_up=book.limit_up,
            best_ask=book.best_ask,
        )

    # -- simulated fills

    def fill_simulated(self) -> list[int]:
        """Fills open orders at their expected price, in the order of account names; returns the accounts
        that changed.

        A suspended, halted or locked security fills nothing, and an account that holds something unpriced
        sells nothing; such orders stay open.
        """
        desk = self.desk
        if desk.config.liquidation != SIMULATE or not desk.calendar.trading():
            return []
        changed, hot = [], desk.books.accounts.hot
        for account in desk.books.accounts.by_name(desk.orders.accounts()):
            row = desk.books.accounts.episode[account]
            if desk.episodes.held[row] or hot[account * HOT_WIDTH + BLIND]:
                continue
            before = len(desk.orders.of(account))
            for order in list(desk.orders.of(account)):
                if self._fill(account, order):
                    desk.orders.close(order)
            if len(desk.orders.of(account)) != before:
                changed.append(account)
        return changed

    def _fill(self, account: int, order: int) -> bool:
        desk, orders = self.desk, self.desk.orders
        business, left = orders.business[order], orders.left[order]
        if business == REPAY:
            spent = repay(desk.books, account, left, None, keep_excess=True)
            desk.books.accounts.add_cash(account, -spent)
            return True
        return (self._fill_cover if business == BUY_TO_RETURN else self._fill_sale)(account, order)

    def _fill_sale(self, account: int, order: int) -> bool:
        """Sells what of the order is still sellable; nothing while the security cannot be sold."""
        desk, orders = self.desk, self.desk.orders
        security = orders.security[order]
        if self._why_unsellable(security) is not None:
            return False
        row, rows = desk.books.positions.find(account, security), desk.books.positions.rows
        sellable = rows.qty[row] - rows.locked[row] - rows.frozen[row] if row >= 0 else 0
        qty = min(orders.left[order], sellable)
        if qty <= 0:
            return True
        gross = qty * orders.expected[order]
        commission, kind = desk.preset(account).commission, desk.books.securities.kind(security)
        fee = cost_milli(gross, sell_cost(desk.books.day, commission, kind, desk.rules))
        if orders.business[order] == SELL_TO_REPAY:
            desk.fold.sell_to_repay(account, security, qty, gross, fee, None)
        else:
            desk.fold.collateral_sell(account, security, qty, gross, fee)
        return True

    def _fill_cover(self, account: int, order: int) -> bool:
        """Buys back what of the order may go back; nothing while the security cannot be bought."""
        desk, orders = self.desk, self.desk.orders
        security, name = orders.security[order], orders.contracts[order]
        if self._why_uncoverable(security) is not None:
            return False
        contract = desk.books.contract_named(account, name)
        qty = min(orders.left[order], desk.books.returnable(contract) if contract >= 0 else 0)
        if qty <= 0:
            return True
        gross = qty * orders.expected[order]
        commission, kind = desk.preset(account).commission, desk.books.securities.kind(security)
        fee = cost_milli(gross, buy_cost(desk.books.day, commission, kind, desk.rules))
        desk.fold.buy_to_return(account, security, qty, gross, fee, name)
        return True


def _side(price: int, qty: int) -> int:
    """Best price of a side of the book: 0 when it is empty, -1 when it was not given."""
    if price < 0:
        return NOT_GIVEN
    return price if qty != 0 else 0
