"""The golden table of the rulebook (0.2): what the exchanges ask on both sides of every change of regime."""

from __future__ import annotations

import pytest

from agents.rules.initial_margin import initial_margin
from agents.rules.schedule import Schedule, built_in
from agents.rules.sources import cited, known_sources
from schemas.units import format_line, parse_day

GOLDEN = """
2010-03-31 0.50 0.50 0.50 1.30 2        1.50     no  yes off off 0.05
2015-07-01 0.50 0.50 0.50 1.30 2        1.50     no  yes off off 0.05
2015-07-02 0.50 0.50 0.50 1.30 contract contract 6   yes off off 0.05
2015-08-03 0.50 0.50 0.50 1.30 contract contract 6   yes off off 0.05
2015-08-04 0.50 0.50 0.50 1.30 contract contract 6   no  off off 0.05
2015-11-20 0.50 0.50 0.50 1.30 contract contract 6   no  off off 0.05
2015-11-23 1.00 0.50 0.50 1.30 contract contract 6   no  off off 0.05
2016-12-09 1.00 0.50 0.50 1.30 contract contract 6   no  off off 0.05
2016-12-12 1.00 0.50 0.50 1.30 contract contract 6   no  on  off 0.05
2019-08-16 1.00 0.50 0.50 1.30 contract contract 6   no  on  off 0.05
2019-08-19 1.00 0.50 0.50 none contract contract 6   no  on  off 0.05
2023-07-28 1.00 0.50 0.50 none contract contract 6   no  on  off 0.05
2023-07-31 1.00 0.50 0.50 none contract contract 6   no  on  on  0.05
2023-09-08 1.00 0.50 0.50 none contract contract 6   no  on  on  0.05
2023-09-11 0.80 0.50 0.50 none contract contract 6   no  on  on  0.05
2023-10-27 0.80 0.50 0.50 none contract contract 6   no  on  on  0.05
2023-10-30 0.80 0.80 1.00 none contract contract 6   no  on  on  0.05
2024-07-19 0.80 0.80 1.00 none contract contract 6   no  on  on  0.05
2024-07-22 0.80 1.00 1.20 none contract contract 6   no  on  on  0.05
2026-01-16 0.80 1.00 1.20 none contract contract 6   no  on  on  0.05
2026-01-19 1.00 1.00 1.20 none contract contract 6   no  on  on  0.05
2026-07-03 1.00 1.00 1.20 none contract contract 6   no  on  on  0.05
2026-07-06 1.00 1.00 1.20 none contract contract 6   no  on  on  0.10
""".strip().splitlines()


def row(rules: Schedule, day: int) -> list[str]:
    floor = rules.number_or_none("mmr_floor_exchange", day)
    deadline = rules.number_or_none("topup_deadline_trading_days_max", day)
    target = rules.number_or_none("topup_target_min", day)
    extension = rules.number("contract_extension_max_months", day)
    gate = rules.find("concentration_gate", day)
    return [
        format_line(initial_margin("financing", day, schedule=rules)),
        format_line(initial_margin("lending", day, "individual", rules)),
        format_line(initial_margin("lending", day, "private_fund", rules)),
        "none" if floor is None else format_line(floor),
        "contract" if deadline is None else str(deadline),
        "contract" if target is None else format_line(target),
        str(extension or "no"),
        "no" if rules.number("short_return_min_sessions_after_sale", day) else "yes",
        "off" if rules.number_or_none("haircut_pe_zero_from", day) is None else "on",
        "off" if gate is None or gate.value is None else "on",
        format_line(rules.number("limit_main_st", day)),
    ]


@pytest.mark.parametrize("line", GOLDEN)
def test_the_golden_table(line: str) -> None:
    date, *expected = line.split()
    assert row(built_in(), parse_day(date)) == expected


def test_no_change_of_regime_lies_between_two_rows() -> None:
    """Every first day of a column of the table is one of its rows."""
    columns = (
        "margin_financing", "margin_lending", "margin_lending_private_fund", "mmr_floor_exchange",
        "topup_deadline_trading_days_max", "topup_target_min", "contract_extension_max_months",
        "short_return_min_sessions_after_sale", "haircut_pe_zero_from", "concentration_gate", "limit_main_st",
    )  # fmt: skip
    rules = built_in()
    rows = {parse_day(line.split()[0]) for line in GOLDEN}
    first = min(rows)
    changes = {entry.since for name in columns for entry in rules.parameters[name].entries}
    assert {day for day in changes if day > first} <= rows


def test_every_parameter_names_its_section_and_every_section_has_parameters() -> None:
    rules = built_in()
    named = {parameter.section for parameter in rules.parameters.values()}
    assert named == set(rules.sections)


def test_every_value_has_a_confidence_and_a_source() -> None:
    for parameter in built_in().parameters.values():
        for entry in parameter.entries:
            assert entry.conf
            assert entry.source


def test_every_cited_source_is_listed_and_every_listed_one_is_cited() -> None:
    texts = [entry.source for parameter in built_in().parameters.values() for entry in parameter.entries]
    texts += [str(raw["source"]) for raw in built_in().presets.values()]
    assert set(cited(texts)) == set(known_sources())
