"""A batch of account events as Python lists, for the fold that goes through it row by row."""

from __future__ import annotations

from typing import NamedTuple

from agents.books.contracts import FINANCING
from schemas.account_decoding import CREDIT_COLUMNS
from schemas.batches import AccountBatch
from schemas.units import DAY_MS, SHANGHAI_OFFSET_MS


class PositionRow(NamedTuple):
    """A position of an opening; `sellable` -1 = all."""

    security: str
    qty: int
    sellable: int


class ContractRow(NamedTuple):
    """A contract of an opening; `kind` as in agents.books.contracts, figures -1 where not given."""

    name: str
    kind: int
    security: str
    opened: int
    qty: int
    price: int
    principal: int
    rate: int
    margin_ratio: int
    due: int
    accrued: int

    @property
    def base(self) -> int:
        """Outstanding principal, or quantity x sale price of a lending contract, milli."""
        return self.principal if self.kind == FINANCING and self.principal >= 0 else self.qty * self.price


class EventRows:
    """Columns of an account batch as lists; strings by their pool index, None where absent."""

    def __init__(self, batch: AccountBatch) -> None:
        self.batch = batch
        self.pool: list[str | None] = [*batch.pool, None]
        self.kind: list[int] = batch.kind.tolist()
        self.business: list[int] = batch.business.tolist()
        self.ts: list[int] = batch.ts.tolist()
        self.day: list[int] = ((batch.ts + SHANGHAI_OFFSET_MS) // DAY_MS).tolist()
        self.account: list[int] = batch.account.tolist()
        self.id: list[int] = batch.id.tolist()
        self.security: list[int] = batch.security.tolist()
        self.qty: list[int] = batch.qty.tolist()
        self.price: list[int] = batch.price.tolist()
        self.amount: list[int] = batch.amount.tolist()
        self.fee: list[int] = batch.fee.tolist()
        self.contract: list[int] = batch.contract.tolist()
        self.order: list[int] = batch.order.tolist()
        self.action: list[int] = batch.action.tolist()
        self.rate: list[int] = batch.rate.tolist()
        self.margin_ratio: list[int] = batch.margin_ratio.tolist()
        self.due: list[int] = batch.due.tolist()
        self.client: list[int] = batch.client.tolist()
        self.preset: list[int] = batch.preset.tolist()
        self.other_collateral: list[int] = batch.other_collateral.tolist()

    def credit(self, row: int) -> list[int]:
        """The credit lines of an opening, in the order of CREDIT_COLUMNS."""
        return [int(self.batch.column(name)[row]) for name in CREDIT_COLUMNS]

    def __len__(self) -> int:
        return len(self.kind)

    def account_name(self, row: int) -> str:
        """Name of the account the event is about."""
        return self.batch.pool[self.account[row]]

    def security_name(self, row: int) -> str:
        """The event's security."""
        return self.batch.pool[self.security[row]]

    def contract_name(self, row: int) -> str | None:
        """The contract named, if any."""
        return self.pool[self.contract[row]]

    def positions(self, row: int) -> list[PositionRow]:
        """The positions of an opening."""
        batch = self.batch
        lists = batch.positions.spelled_out(batch.pool, batch.positions_start[row], batch.positions_end[row])
        return [PositionRow(*entry) for entry in zip(*lists, strict=True)]

    def contracts(self, row: int) -> list[ContractRow]:
        """The contracts of an opening."""
        batch = self.batch
        lists = batch.contracts.spelled_out(batch.pool, batch.contracts_start[row], batch.contracts_end[row])
        return [ContractRow(*entry) for entry in zip(*lists, strict=True)]
