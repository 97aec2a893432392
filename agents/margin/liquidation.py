"""Forced liquidation (强制平仓) inside a shard: which accounts get a plan now, ceilings, plans and orders
published.

Plans of one evaluation are made together, in the order of account names, after every account was looked at:
only then is it known whether they pass the ceiling. A plan sends what its slice allows; what is left is
planned again, from the account as it then is, as soon as its orders are filled or closed and at the latest
in the next slice. A newer batch replaces whatever is still open of an older one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from agents.liquidation.plan import make_plan
from agents.liquidation.situation import Plan, PlannedOrder
from agents.margin.calls import Calls
from agents.margin.desk import SIMULATE, Desk, Moment
from agents.margin.episodes import AT_ONCE, EXPIRED, LIQUIDATING
from agents.margin.obligations import due_now
from agents.margin.plan_records import hold_record, order_record, plan_record
from agents.margin.records import tell_call
from agents.margin.situations import Market, situation_of
from agents.margin.slices import COVER, SALE
from schemas.alerts import LIQUIDATION_BUSINESSES
from schemas.topics import LIQUIDATION_ORDERS, SYSTEM_EVENTS
from schemas.units import MILLI

Planned = tuple[int, Plan]
"""An account and its plan."""


class Liquidation:
    """Makes plans for accounts that are due."""

    def __init__(self, desk: Desk, calls: Calls) -> None:
        self.desk = desk
        self.calls = calls

    def enter_slice(self, moment: Moment) -> list[int]:
        """Goes to the slice of the moment; returns the accounts in liquidation when a new one begins."""
        desk, episodes = self.desk, self.desk.episodes
        desk.slices.enter(desk, moment.ts)
        if not desk.slices.take_fresh():
            return []
        waiting = (episodes.used("account") >= 0) & (episodes.used("state") >= EXPIRED)
        accounts: list[int] = episodes.used("account")[np.flatnonzero(waiting)].tolist()
        return accounts

    def plan_due(self, moment: Moment) -> None:
        """Plans for every account noted as due, if its time has come; published unless they pass the
        ceiling together.
        """
        due, self.calls.due = self.calls.due, []
        desk = self.desk
        desk.slices.enter(desk, moment.ts)
        if not due:
            return
        sent, market = desk.slices.sent.copy(), Market(desk)
        plans: list[Planned] = []
        for account in desk.books.accounts.by_name(sorted(set(due))):
            if not self._may_plan(account, moment):
                continue
            plan = self._plan(market, account)
            if plan.orders or (plan.residual and not desk.slices.planned_today(account)):
                plans.append((account, plan))
            elif plan.residual or plan.achieved or desk.reservations.of(account):
                desk.slices.latest[account] = desk.slices.current
            else:
                self._end_short(account, moment)
        capped = self._passes_ceiling(plans)
        if capped:
            desk.slices.sent = sent
            for account, plan in plans:
                if desk.episodes.approved[desk.books.accounts.episode[account]]:
                    self._count(plan)
            self._tell_hold(plans, moment)
        for account, plan in plans:
            self._publish(account, plan, moment, capped=capped)

    # -- whose turn it is

    def _may_plan(self, account: int, moment: Moment) -> bool:
        """Whether a plan may be made now for an account whose episode asks for one."""
        desk, episodes = self.desk, self.desk.episodes
        row = desk.books.accounts.episode[account]
        if row < 0 or episodes.held[row] or episodes.capped[row]:
            return False
        if not desk.slices.open(desk, at_once=bool(episodes.at_once[row])):
            return False
        if episodes.state[row] == LIQUIDATING:
            if not self._goes_on(account, moment):
                return False
        elif episodes.state[row] not in (EXPIRED, AT_ONCE):
            return False
        aim = due_now(desk, account)
        return bool(aim) or aim.to_target

    def _goes_on(self, account: int, moment: Moment) -> bool:
        """Whether the latest plan is to be followed by another. While orders are open the counter has the
        word; where the shard simulates, it gives up with the slice what nobody bought.
        """
        renews = self.desk.slices.renews(account)
        if self.desk.orders.of(account):
            return renews and self.desk.config.liquidation == SIMULATE
        return renews or moment.begins or account in moment.progressed

    def _plan(self, market: Market, account: int) -> Plan:
        """A plan, its orders counted against the slice."""
        plan = make_plan(situation_of(market, account), self.desk.config.disposal)
        self._count(plan)
        return plan

    def _count(self, plan: Plan) -> None:
        desk = self.desk
        for order in plan.orders:
            if order.security is not None and order.qty:
                side = SALE if order.side == "S" else COVER
                desk.slices.note_sent(desk.books.security(order.security), side, order.qty)

    def _end_short(self, account: int, moment: Moment) -> None:
        """Nothing sellable is left and debt remains."""
        self.calls.end(self.desk.books.accounts.episode[account], "shortfall", moment)
        self.desk.shortfalls.enter(self.desk, account, moment.ts)

    # -- ceilings

    def _passes_ceiling(self, plans: list[Planned]) -> bool:
        """Whether the plans not yet approved, with what was planned earlier in this slice, pass a ceiling;
        from then on everything in the slice waits.
        """
        desk, config, slices = self.desk, self.desk.config, self.desk.slices
        episode = desk.books.accounts.episode
        fresh = [item for item in plans if item[1].orders and not desk.episodes.approved[episode[item[0]]]]
        if not fresh:
            return False
        accounts = slices.accounts + sum(slices.renews(account) for account, _ in fresh)
        planned = slices.planned + sum(plan.planned for _, plan in fresh)
        most_accounts, most_yuan = config.ceiling_accounts, config.ceiling_yuan
        if (most_accounts is not None and accounts > most_accounts) or (
            most_yuan is not None and planned > most_yuan * MILLI
        ):
            slices.full = True
        if not slices.full:
            slices.accounts, slices.planned = accounts, planned
        return slices.full

    def _tell_hold(self, plans: list[Planned], moment: Moment) -> None:
        approved, episode = self.desk.episodes.approved, self.desk.books.accounts.episode
        held = [item for item in plans if not approved[episode[item[0]]]]
        planned = sum(plan.planned for _, plan in held)
        record = hold_record(self.desk, held[0][0], len(held), planned, moment)
        self.desk.say(SYSTEM_EVENTS, "hold", record)

    # -- publishing

    def _publish(self, account: int, plan: Plan, moment: Moment, *, capped: bool) -> None:
        desk, episodes = self.desk, self.desk.episodes
        row = desk.books.accounts.episode[account]
        capped = capped and not episodes.approved[row]
        episodes.state[row] = LIQUIDATING
        episodes.batch[row] += 1
        episodes.capped[row] = int(capped)
        desk.slices.latest[account] = desk.slices.current
        desk.orders.close_all(account)
        episode, batch = desk.episode_name(row), episodes.batch[row]
        names = [] if capped else [f"{episode}:o{batch}.{i}" for i in range(1, len(plan.orders) + 1)]
        more: dict[str, Any] = {"orders": names}
        if capped:
            more["flags"] = ["held"]
        tell_call(desk, row, "liquidating", moment.ts, **more)
        name = desk.books.accounts.names[account]
        desk.say(LIQUIDATION_ORDERS, name, plan_record(desk, account, plan, moment, held=capped))
        for number, order_name in enumerate(names):
            order = plan.orders[number]
            self._keep(account, batch, number + 1, order_name, order)
            desk.say(LIQUIDATION_ORDERS, name, order_record(desk, account, batch, order_name, order, moment))

    def _keep(self, account: int, batch: int, number: int, name: str, order: PlannedOrder) -> None:
        orders = self.desk.orders
        row = orders.add(account, name, order.contract)
        orders.batch[row], orders.number[row] = batch, number
        orders.business[row] = LIQUIDATION_BUSINESSES.index(order.business)
        orders.left[row] = order.qty if order.qty is not None else order.amount or 0
        orders.expected[row] = order.expected_price or 0
        if order.security is not None:
            orders.security[row] = self.desk.books.security(order.security)
