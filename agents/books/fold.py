"""The fold of account events into the books (contract section 2, table of kinds).

Each kind checks everything first and then changes the books: a BadRecord leaves them as they were. The
events are facts that a counter reports, so what only a counter can judge (enough cash, enough margin) is
not judged again here.
"""

from __future__ import annotations

from collections.abc import Callable

from agents.books.actions import owes_compensation, release_cash, release_shares
from agents.books.book import Books
from agents.books.contracts import FINANCING, LENDING, NewContract, least_margin
from agents.books.maturities import advance, date_contract, due_in_force
from agents.books.opening import open_account
from agents.books.rates import changes_old_contracts, follow_rates
from agents.books.repayment import give_back, repay, returnable
from agents.books.rows import EventRows
from agents.books.securities import BUYS, SHORT_SALES
from agents.books.terms import Terms
from agents.kernels.layout import (
    FINANCING_MARGIN,
    FLAGS,
    HAIRCUT,
    HOT_WIDTH,
    KIND,
    LENDING_MARGIN,
    MARK,
    VALUE,
)
from agents.rules.margin_addons import with_addon
from agents.rules.maturity import check_extension, check_term, least_due
from schemas.account import BUSINESSES, CONTRACT_TYPES, KINDS, REASONS
from schemas.errors import BadRecord
from schemas.reference import SECURITY_KINDS
from schemas.units import MONEY_MAX, QTY_MAX, format_day

_OPENING = KINDS.index("opening")
_WITHDRAWAL = REASONS.index("withdrawal")


class Fold:
    """Applies events to books. `apply` returns whether assets came in or debt went out otherwise than
    through prices.
    """

    def __init__(self, books: Books, terms: Terms) -> None:
        self.books = books
        self.terms = terms
        self.rules = terms.rules
        self._kinds: list[Callable[[EventRows, int, int], bool]] = [
            getattr(self, f"_{kind}") for kind in KINDS
        ]
        self._businesses: list[Callable[[EventRows, int, int, int, int, int], bool]] = [
            getattr(self, f"_{business}") for business in BUSINESSES
        ]

    def apply(self, events: EventRows, row: int) -> tuple[int, bool]:
        """Applies one event; returns the account and whether something came in. Raises BadRecord."""
        kind = events.kind[row]
        name = events.account_name(row)
        account = self.books.accounts.index.get(name, -1)
        if kind == _OPENING:
            before = self._net(account) if account >= 0 else 0
            account = open_account(self, events, row, name, account)
            return account, self._net(account) > before
        if account < 0:
            raise BadRecord("account", "was never opened")
        if self.books.accounts.closed[account]:
            raise BadRecord("account", "is closed")
        return account, self._kinds[kind](events, row, account)

    def _net(self, account: int) -> int:
        """Assets less debt, milli."""
        return self.books.accounts.assets(account) - self.books.accounts.debt(account)

    def begin_day(self) -> None:
        """Contracts as of a new day of the books, once its reference data are in: what falls due, at which
        rates interest runs, which shares sold short may go back. Interest is brought to the day afterwards.
        """
        books, rules = self.books, self.rules
        waits = rules.number("short_return_min_sessions_after_sale", books.day) > 0
        books.return_until = books.day - 1 if waits else books.day
        self.review_maturities()
        follow_rates(books, self.terms, rules, books.previous_day)

    def review_maturities(self) -> None:
        """What falls due today, once more: a security is suspended, or is not after all."""
        advance(self.books, self.rules)

    def rate(self, account: int, kind: int, given: int, opened: int) -> int:
        """The rate of a contract (1e-6 a year): its own, else the preset's, else 0. That of today, from which
        dated rates are followed; that of the day it was opened where a broker changes new contracts only.
        """
        if given >= 0:
            return given
        preset = self.books.accounts.hot[account * HOT_WIDTH + FLAGS] >> 1
        if opened < self.terms.since[preset] and not changes_old_contracts(self.rules, self.books.day):
            return int(self.terms.rates_at(opened)[int(kind == LENDING), preset])
        terms = self.terms.current[preset]
        return terms.lending_rate if kind == LENDING else terms.financing_rate

    def margin_ratio(self, account: int, kind: int, security: int, opened: int, given: int) -> int:
        """The margin ratio fixed for a new contract (1e-4): its own, else the security's, else the broker's
        by formula; the last two never below the exchange's minimum.
        """
        if given >= 0:
            return given
        get, published = self.books.securities.get, LENDING_MARGIN if kind == LENDING else FINANCING_MARGIN
        facts = (get(security, column) for column in (published, HAIRCUT, KIND))
        return self.standard_ratio(kind, self.books.accounts.client[account], opened, *facts)

    def standard_ratio(
        self, kind: int, client: int, opened: int, published: int, haircut: int, of: int
    ) -> int:
        """The margin ratio (1e-4) of a contract that names none: the security's `published` one (-1 none),
        else the broker's by formula. `client` and `of` index CLIENT_CLASSES and SECURITY_KINDS.
        """
        least = least_margin(kind, opened, client, self.rules)
        if published >= 0:
            return max(published, least)
        kind_of, type_of = SECURITY_KINDS[of], CONTRACT_TYPES[kind]
        return with_addon(least, type_of, kind_of, max(0, haircut), opened, self.rules)

    # -- kinds

    def _opening(self, _events: EventRows, _row: int, _account: int) -> bool:
        raise AssertionError("openings have a path of their own")

    def _cash(self, events: EventRows, row: int, account: int) -> bool:
        amount = events.amount[row]
        self._check_cash(account, amount, "amount")
        if amount < 0 and events.batch.reason[row] == _WITHDRAWAL:
            self._check_frozen_cash(account, -amount)
        release_cash(self.books, account, events.pool[events.action[row]], amount)
        self.books.accounts.add_cash(account, amount)
        return amount > 0

    def _transfer(self, events: EventRows, row: int, account: int) -> bool:
        books, qty = self.books, events.qty[row]
        security = books.security(events.security_name(row))
        action = events.pool[events.action[row]]
        if qty < 0:
            held = books.disposable(account, security, -qty)
            release_shares(books, account, action, qty)
            books.dispose(held, -qty)
            return False
        books.check_room(account, security, qty)
        release_shares(books, account, action, qty)
        books.receive(account, security, qty, events.day[row])
        return qty > 0

    def _fill(self, events: EventRows, row: int, account: int) -> bool:
        gross = events.qty[row] * events.price[row]
        if gross > MONEY_MAX:
            raise BadRecord("qty", "times price is beyond 10^11 yuan")
        security = self.books.security(events.security_name(row))
        fee = max(0, events.fee[row])
        return self._businesses[events.business[row]](events, row, account, security, gross, fee)

    def _order_closed(self, _events: EventRows, _row: int, _account: int) -> bool:
        return False

    def _repay(self, events: EventRows, row: int, account: int) -> bool:
        amount = events.amount[row]
        self._check_cash(account, -amount, "amount")
        repay(self.books, account, amount, events.contract_name(row), keep_excess=False)
        self.books.accounts.add_cash(account, -amount)
        return True

    def _return(self, events: EventRows, row: int, account: int) -> bool:
        books, qty = self.books, events.qty[row]
        security = books.security(events.security_name(row))
        held = books.disposable(account, security, qty)
        give_back(books, account, security, qty, events.contract_name(row))
        books.dispose(held, qty)
        return True

    def _extend(self, events: EventRows, row: int, account: int) -> bool:
        contract = self.books.contract_named(account, events.contract_name(row) or "")
        if contract < 0:
            raise BadRecord("contract", "the account has no such contract")
        books, due = self.books, events.due[row]
        check_extension(due_in_force(books, contract), due, books.day, self.rules)
        date_contract(books, contract, due, self.rules)
        return False

    def _freeze(self, events: EventRows, row: int, account: int) -> bool:
        books = self.books
        if events.security[row] < 0:
            frozen = books.accounts.frozen_cash[account] + events.amount[row]
            if not 0 <= frozen <= MONEY_MAX:
                raise BadRecord("cash", "would leave less than nothing frozen, or more than the bounds allow")
            books.accounts.frozen_cash[account] = frozen
            return False
        position = books.positions.find(account, books.security(events.security_name(row)))
        rows = books.positions.rows
        frozen = events.qty[row] + (rows.frozen[position] if position >= 0 else 0)
        if frozen < 0 or (frozen > 0 and (position < 0 or frozen > rows.qty[position])):
            raise BadRecord("qty", "would leave less than nothing frozen, or more than is held")
        if position >= 0:
            rows.frozen[position] = frozen
        return False

    def _other_collateral(self, events: EventRows, row: int, account: int) -> bool:
        accounts, value = self.books.accounts, events.amount[row]
        self.check_other_collateral(value)
        before = accounts.other_collateral[account]
        if accounts.assets(account) + value - before > MONEY_MAX and value > before:
            raise BadRecord("value", "would take the account's assets beyond 10^11 yuan")
        accounts.set_other_collateral(account, value)
        return value > before

    def other_collateral_counts(self) -> bool:
        """Whether other collateral counts on the current day."""
        return self.rules.flag("mmr_other_collateral", self.books.day)

    def check_other_collateral(self, value: int) -> None:
        """Refuses other collateral on a day on which it does not count (`mmr_other_collateral`)."""
        if value and not self.other_collateral_counts():
            raise BadRecord("other_collateral", f"does not count on {format_day(self.books.day)}")

    def _close(self, _events: EventRows, _row: int, account: int) -> bool:
        accounts = self.books.accounts
        if accounts.first[account] >= 0 or owes_compensation(self.books, account):
            raise BadRecord("account", "still owes")
        accounts.closed[account] = 1
        return False

    # -- the six businesses of a fill

    def _collateral_buy(
        self, events: EventRows, row: int, account: int, security: int, gross: int, fee: int
    ) -> bool:
        books, qty, paid = self.books, events.qty[row], gross + fee
        self._check_cash(account, -paid, "qty")
        position = books.check_room(account, security, qty, -paid)
        books.accounts.add_cash(account, -paid)
        books.receive(account, security, qty, events.day[row], position)
        return False

    def _collateral_sell(
        self, events: EventRows, row: int, account: int, security: int, gross: int, fee: int
    ) -> bool:
        self.collateral_sell(account, security, events.qty[row], gross, fee)
        return False

    def collateral_sell(self, account: int, security: int, qty: int, gross: int, fee: int) -> None:
        """A sale whose proceeds are the account's."""
        self._check_cash(account, gross - fee, "price", self._worth(security, qty))
        self.books.dispose(self.books.disposable(account, security, qty), qty)
        self.books.accounts.add_cash(account, gross - fee)

    def _worth(self, security: int, qty: int) -> int:
        return qty * max(0, self.books.securities.get(security, VALUE))

    def _financing_buy(
        self, events: EventRows, row: int, account: int, security: int, gross: int, fee: int
    ) -> bool:
        books, qty = self.books, events.qty[row]
        position = books.check_room(account, security, qty, -fee)
        self._lend(events, row, account, security, FINANCING, gross)
        books.accounts.add_cash(account, -fee)
        books.receive(account, security, qty, events.day[row], position)
        books.securities.flows[security * 4 + BUYS] += gross
        return False

    def _sell_to_repay(
        self, events: EventRows, row: int, account: int, security: int, gross: int, fee: int
    ) -> bool:
        self.sell_to_repay(account, security, events.qty[row], gross, fee, events.contract_name(row))
        return False

    def sell_to_repay(
        self, account: int, security: int, qty: int, gross: int, fee: int, contract: str | None
    ) -> None:
        """A sale whose proceeds repay; what is left of them is the account's."""
        books = self.books
        self._check_cash(account, gross - fee, "price", self._worth(security, qty))
        position = books.disposable(account, security, qty)
        spent = repay(books, account, max(0, gross - fee), contract, keep_excess=True)
        books.accounts.add_cash(account, gross - fee - spent)
        books.dispose(position, qty)

    def _short_sell(
        self, events: EventRows, row: int, account: int, security: int, gross: int, fee: int
    ) -> bool:
        self._check_cash(account, gross - fee, "price")
        self._lend(events, row, account, security, LENDING, gross)
        position = self.books.positions.ensure(account, security)
        self.books.move(position, short=events.qty[row])
        self.books.accounts.add_cash(account, gross - fee)
        self.books.securities.flows[security * 4 + SHORT_SALES] += events.qty[row]
        return False

    def _buy_to_return(
        self, events: EventRows, row: int, account: int, security: int, gross: int, fee: int
    ) -> bool:
        self.buy_to_return(account, security, events.qty[row], gross, fee, events.contract_name(row))
        return False

    def buy_to_return(
        self, account: int, security: int, qty: int, gross: int, fee: int, contract: str | None
    ) -> None:
        """Bought shares go straight to the lender."""
        self._check_cash(account, -gross - fee, "price")
        returnable(self.books, account, security, qty, contract)
        give_back(self.books, account, security, qty, contract)
        self.books.accounts.add_cash(account, -gross - fee)

    def _lend(self, events: EventRows, row: int, account: int, security: int, kind: int, gross: int) -> None:
        """Opens the contract that a fill names (else one named by the fill's id), or adds to it."""
        books, name = self.books, events.contract_name(row) or str(events.pool[events.id[row]])
        day, due, rules = books.day, events.due[row], self.rules
        self._check_debt(account, security, events.qty[row] if kind == LENDING else 0, gross)
        contract = books.contract_named(account, name)
        if contract >= 0:
            contracts = books.contracts
            if contracts.kind[contract] != kind or contracts.security[contract] != security:
                raise BadRecord("contract", "is of another type or security")
            contracts.lend_more(contract, events.qty[row], gross, day)
            contracts.note_fresh(contract, events.qty[row], min(day, events.day[row]))
            if kind == FINANCING:
                contracts.qty[contract] = contracts.unpaid_shares(contract)
            books.add_base(account, kind, gross)
            books.refresh_interest(contract)
            return
        if due >= 0:
            check_term(day, due, day, rules)
        new = NewContract(
            name=name,
            kind=kind,
            security=security,
            opened=day,
            qty=events.qty[row],
            base=gross,
            rate=self.rate(account, kind, events.rate[row], day),
            margin_ratio=self.margin_ratio(account, kind, security, day, events.margin_ratio[row]),
            floating=events.rate[row] < 0,
        )
        contract = books.borrow(account, new)
        books.contracts.fresh_day[contract] = min(day, events.day[row])
        date_contract(books, contract, due if due >= 0 else least_due(day, day, rules), rules)

    def _check_debt(self, account: int, security: int, short: int, gross: int) -> None:
        """Refuses what takes the debt beyond the bounds: `gross` milli, or `short` shares at their mark."""
        books = self.books
        worth = max(gross, short * max(0, books.securities.get(security, MARK)))
        if books.accounts.debt(account) + worth > MONEY_MAX:
            raise BadRecord("qty", "would take the account's debt beyond 10^11 yuan")
        row = books.positions.find(account, security)
        if row >= 0 and books.positions.rows.short[row] + short > QTY_MAX:
            raise BadRecord("qty", f"would take what is borrowed beyond {QTY_MAX}")

    def _check_frozen_cash(self, account: int, amount: int) -> None:
        """Refuses a withdrawal of `amount` that takes frozen cash away."""
        accounts = self.books.accounts
        frozen, free = accounts.frozen_cash[account], accounts.cash[account] - accounts.frozen_cash[account]
        if frozen and amount > free:
            raise BadRecord("amount", "takes cash away that is frozen")

    def _check_cash(self, account: int, amount: int, field: str, leaving: int = 0) -> None:
        """Refuses what takes cash, or assets less the value `leaving`, beyond the bounds."""
        accounts = self.books.accounts
        if abs(accounts.cash[account] + amount) > MONEY_MAX:
            raise BadRecord(field, "would take the account's cash beyond 10^11 yuan")
        if amount - leaving > 0 and accounts.assets(account) + amount - leaving > MONEY_MAX:
            raise BadRecord(field, "would take the account's assets beyond 10^11 yuan")
