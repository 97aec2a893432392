"""Least initial margin ratio (保证金比例) of a contract, by the day it was opened; rulebook 3.1 and 0.2.

Kept on the contract: later notices change new contracts only (rulebook 3.2). Integers in 1e-4.
"""

from agents.rules.schedule import Schedule, built_in

PRIVATE_FUND = "private_fund"


def initial_margin(
    contract_type: str, opened: int, account_class: str | None = None, schedule: Schedule | None = None
) -> int:
    """The minimum for a `financing` or `lending` contract opened on day number `opened`.

    `account_class` matters for lending: private securities funds (私募证券投资基金) have their own minimum.
    Raises NoRuleError before the business began, ValueError for another contract type.
    """
    if contract_type not in {"financing", "lending"}:
        raise ValueError(f"not a contract type: {contract_type}")
    rules = built_in() if schedule is None else schedule
    private = contract_type == "lending" and account_class == PRIVATE_FUND
    return rules.number(f"margin_{contract_type}{'_private_fund' if private else ''}", opened)
