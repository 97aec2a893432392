"""What accepted requests reserve until they are filled or closed, or the day ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Any

from tests.oracle.amounts import MILLI, ZERO, money

SELLING = ("collateral_sell", "sell_to_repay", "withdraw_security")


@dataclass
class Reservation:
    """Figures as they were at acceptance; what is still reserved is in proportion to what is left."""

    business: str
    security: str | None
    wanted: Decimal
    left: Decimal
    figures: dict[str, Decimal] = field(default_factory=dict)

    def still(self, name: str) -> Decimal:
        whole = self.figures.get(name, ZERO)
        return (whole * self.left / self.wanted).quantize(MILLI, rounding=ROUND_CEILING)


@dataclass
class Open:
    """The open requests of one account, oldest first."""

    by_order: dict[str, Reservation] = field(default_factory=dict)

    def sum(self, name: str) -> Decimal:
        return sum((r.still(name) for r in self.by_order.values()), ZERO)

    def shares(self, security: str, *businesses: str) -> int:
        found = [r for r in self.by_order.values() if r.security == security and r.business in businesses]
        return int(sum((r.left for r in found), ZERO))

    def note(self, event: dict[str, Any]) -> None:
        """What an event has used: of the order it names, or of the oldest requests of its kind."""
        kind, reason = event["kind"], event.get("reason")
        if kind == "order_closed":
            self.by_order.pop(event["order"], None)
        elif kind == "fill" and event.get("order") in self.by_order:
            self._use(event["order"], Decimal(event["qty"]))
        elif kind == "repay":
            self._use_oldest("repay", None, money(event["amount"]))
        elif kind == "cash" and reason == "withdrawal":
            self._use_oldest("withdraw_cash", None, -money(event["amount"]))
        elif kind == "transfer" and reason == "collateral_out":
            self._use_oldest("withdraw_security", event["security"], Decimal(-event["qty"]))

    def _use_oldest(self, business: str, security: str | None, done: Decimal) -> None:
        for name, reservation in list(self.by_order.items()):
            if done > 0 and (reservation.business, reservation.security) == (business, security):
                part = min(done, reservation.left)
                self._use(name, part)
                done -= part

    def _use(self, name: str, done: Decimal) -> None:
        self.by_order[name].left -= done
        if self.by_order[name].left <= 0:
            del self.by_order[name]
