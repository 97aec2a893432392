"""What an account must pay or return whatever its ratio (contracts that matured, a court's freeze, an ended
credit line), recomputed from the evidence of its call.
"""

from __future__ import annotations

from agents.explain.citations import Citation, cite, cite_parameter
from agents.explain.statement import Explanation, Section, yuan
from agents.rules.interest import payable_milli
from agents.rules.schedule import Schedule
from schemas.alerts import CallObligations, EvidenceContract, MarginCall
from schemas.units import format_day


def explain_obligations(
    told: Explanation, call: MarginCall, what: CallObligations, schedule: Schedule
) -> None:
    """The money that is due, contract by contract, and why it is."""
    section = told.section("due whatever the ratio (yuan)")
    reason = cite(f"liquidation.{what.reason}", call.date)
    known = {contract.contract: contract for contract in call.evidence.contracts}
    total = 0
    for name in what.contracts:
        contract = known.get(name)
        if contract is None:
            told.problems.append(f"contract {name}: it is due but not in the evidence")
            continue
        total += _line(section, contract, cite("int.in_ratios", call.date))
        if what.reason == "maturity":
            _matured(told, section, call, contract, reason)
    told.compare(section, "money due", "sum", yuan(total), yuan(what.money), rule=reason)
    if what.reason == "freeze":
        _frozen(told, section, call, reason)
    if what.reason == "maturity":
        told.beside.append(cite_parameter("liquidation_after_maturity", call.date, schedule))


def _line(section: Section, contract: EvidenceContract, rule: Citation) -> int:
    """Principal and interest as they are asked for."""
    asked = payable_milli(contract.interest)
    principal = contract.principal or 0
    if contract.type == "financing":
        working = f"{yuan(principal)} + {yuan(asked)}"
        section.add(
            f"{contract.contract}: principal and interest", working, yuan(principal + asked), rule=rule
        )
        return principal + asked
    section.add(f"{contract.contract}: interest", "", yuan(asked), rule=rule)
    section.add(f"{contract.contract}: to be returned", f"{contract.qty:,} {contract.security}")
    return asked


def _matured(
    told: Explanation, section: Section, call: MarginCall, contract: EvidenceContract, rule: Citation
) -> None:
    day = contract.due if contract.maturity is None else contract.maturity
    if day is None:
        told.problems.append(f"contract {contract.contract}: the day it fell due is not in the evidence")
        return
    label = f"{contract.contract}: fell due on {format_day(day)}"
    told.claim(section, label, f"by {format_day(call.date)}", holds=day <= call.date, rule=rule)


def _frozen(told: Explanation, section: Section, call: MarginCall, rule: Citation) -> None:
    frozen = [f"{p.frozen:,} {p.security}" for p in call.evidence.positions if p.frozen]
    if call.evidence.frozen_cash:
        frozen.append(f"{yuan(call.evidence.frozen_cash)} yuan")
    told.claim(section, "frozen", ", ".join(frozen) or "nothing", holds=bool(frozen), rule=rule)
