"""What stands behind the steps of an explanation: rules that are formulas, and the articles that dated
parameters come from.

Sources: the margin trading rules (融资融券交易实施细则) of the exchanges in Shanghai and Shenzhen, notices of
the exchanges and of the CSRC (证监会), the essentials of margin contracts (融资融券合同必备条款); where none
decides, what brokers agree in contracts, or this engine's own policy.
"""

from __future__ import annotations

from typing import NamedTuple


class Version(NamedTuple):
    """A rule from its first day (YYYY-MM-DD, "" where none was found): text, article, confidence code."""

    since: str
    confidence: str
    text: str
    article: str


FORMULAS: dict[str, tuple[Version, ...]] = {
    "mmr.formula": (
        Version(
            "2006-08-21",
            "V1",
            "maintenance ratio (维持担保比例) = assets ÷ debts, holdings at market value without haircut",
            "Shanghai Art. 42, Shenzhen 4.9",
        ),
    ),
    "px.debt": (
        Version("2006-08-21", "V1", "a short counts at the current market price", "Shanghai Art. 42"),
    ),
    "px.ladder": (
        Version(
            "",
            "R/P",
            "mark = last trade of the day, else previous close; nothing before 09:25 is a trade",
            "contracts and practice",
        ),
    ),
    "px.special": (
        Version(
            "2015-07-02",
            "V1/R",
            "suspended, at risk, delisting or in transit: a fair price or another agreed method",
            "Shenzhen 4.9, last paragraph",
        ),
    ),
    "int.in_ratios": (
        Version(
            "2006-08-21",
            "V1",
            "accrued interest and fees are debt every day, payable or not; asked for to 0.01 yuan",
            "Shanghai Art. 40, 42",
        ),
    ),
    "line.min": (
        Version(
            "2006-08-21",
            "V1",
            "no client below 1.30: the exchanges' floor",
            "Shanghai Art. 43, Shenzhen 4.11",
        ),
        Version(
            "2019-08-19",
            "V1/R",
            "no floor of the exchanges: the minimum line is agreed in the contract",
            "CSRC 2019-08-09",
        ),
    ),
    "line.topup_target": (
        Version(
            "2006-08-21",
            "V2",
            "top-up (追加担保物) within two trading days, to at least 1.50",
            "pilot rules, rules of 2011",
        ),
        Version(
            "2015-07-02",
            "V1",
            "deadline and target of a top-up are agreed in the contract",
            "Shenzhen 4.11",
        ),
    ),
    "topup.cash": (Version("", "D", "cash missing to a target = target × debt − assets", "arithmetic"),),
    "liquidation.after_call": (
        Version(
            "2006-08-21",
            "V1",
            "not cured by the deadline: the broker must liquidate (强制平仓)",
            "CSRC before 2015-07-02",
        ),
        Version(
            "2015-07-02", "V1", "not cured by the deadline: the broker chooses its remedy", "CSRC 2015-07-01"
        ),
    ),
    "liquidation.maturity": (
        Version(
            "",
            "V2",
            "a contract matured and unpaid is liquidated from the session after maturity",
            "brokers' contracts",
        ),
    ),
    "liquidation.freeze": (
        Version("", "V2", "a court's freeze: the broker's claim comes first, at once", "brokers' contracts"),
    ),
    "liquidation.credit": (
        Version("", "V2", "a credit line that ended with debt makes all of it due", "brokers' contracts"),
    ),
    "liquidation.disposal": (
        Version(
            "",
            "P",
            "own cash repays first, then the most liquid and largest holdings, then shorts, losses first",
            "no statutory order exists",
        ),
    ),
    "liquidation.sale": (
        Version(
            "", "D", "a sale moves assets by its mark and debt by its proceeds after costs", "arithmetic"
        ),
    ),
    "lim.indicator": (
        Version(
            "2006-08-21",
            "V1",
            "financing balance ÷ float value; shares lent ÷ float shares",
            "Shenzhen 6.1, 6.2",
        ),
    ),
    "lim.notice": (Version("", "P", "an exchange's notice always wins over figures", "the notice itself"),),
    "am.formula": (
        Version(
            "2006-08-21",
            "V1/R",
            "available margin (保证金可用余额): gains at the haircut, losses in full, contract by contract",
            "Shanghai Art. 40",
        ),
    ),
    "am.use": (
        Version(
            "2006-08-21",
            "V1",
            "the margin of new debt may not exceed what is available",
            "Shanghai Art. 40",
        ),
    ),
}

ARTICLES: dict[str, str] = {
    "mmr_floor_exchange": "Shanghai Art. 43, Shenzhen 4.11",
    "mmr_withdraw_line": "Shenzhen 4.12",
    "mmr_other_collateral": "Shenzhen 4.9 as revised in 2019",
    "topup_deadline_trading_days_max": "Shenzhen 4.11",
    "topup_target_min": "Shenzhen 4.11",
    "withdraw_within_available_margin": "Shenzhen 4.12",
    "short_proceeds_withdrawable": "Shenzhen 4.12",
    "short_proceeds_use": "Shanghai Art. 17",
    "margin_financing": "Shanghai Art. 38, Shenzhen 4.5",
    "margin_lending": "Shanghai Art. 39",
    "margin_lending_private_fund": "Shanghai Art. 39",
    "haircut_pe_zero_from": "Shanghai Art. 35",
    "haircut_pe_negative_zero": "Shanghai Art. 35",
    "short_uptick": "Shenzhen 2.10",
    "short_uptick_own_shares": "Shenzhen 2.10, paragraph 2",
    "short_uptick_etf": "Shenzhen 2.10, paragraph 3",
    "short_market_orders": "Shenzhen 2.11",
    "short_return_min_sessions_after_sale": "Shanghai Art. 15, Shenzhen 2.13",
    "sell_to_repay_first": "contract essentials Art. 12 (3)",
    "limit_stock": "Shenzhen 6.1, 6.2, Shanghai Art. 49 to 52",
    "limit_etf": "Shanghai, ETF risk controls",
    "financing_indicator": "Shanghai Art. 49 to 52, Shenzhen 6.1",
    "concentration_gate": "the exchanges' notice of 2023-04-28",
    "contract_extension_max_months": "Shanghai rules of 2015",
    "contract_term_max_months": "Shanghai rules of 2015",
    "eligibility_removed_on_delisting": "Shanghai and Shenzhen, underlying securities",
    "firm_client_financing_share": "risk-control indicators of securities companies",
    "firm_client_lending_share": "risk-control indicators of securities companies",
    "firm_single_collateral_share": "risk-control indicators of securities companies",
}
