"""A broker's own file is laid over the schedule: stricter than the exchange, never laxer, and whole or not at
all.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.rules.overlay import differences, overlay
from agents.rules.presets import Presets
from agents.rules.schedule import ScheduleError, built_in, ratio_of
from schemas.units import format_day, parse_day

ENTRY = 'from: "{since}", value: {value}, conf: P, source: our board'


def file(name: str, *entries: tuple[str, str]) -> str:
    lines = [f"      - {{{ENTRY.format(since=since, value=value)}}}" for since, value in entries]
    return "\n".join(["schema: 1", "parameters:", f"  {name}:", "    entries:", *lines])


def test_a_brokers_value_holds_from_its_first_day_on() -> None:
    rules = overlay(built_in(), file("margin_financing", ("2024-03-01", '"1.10"')))
    assert rules.number("margin_financing", parse_day("2024-02-29")) == 8_000
    assert rules.number("margin_financing", parse_day("2024-03-01")) == 11_000
    assert rules.number("margin_financing", parse_day("2026-01-19")) == 11_000
    assert rules.parameters["margin_financing"].section == "3.1"
    assert built_in().number("margin_financing", parse_day("2024-03-01")) == 8_000


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            file("margin_financing", ("2024-03-01", '"0.79"')),
            "[0]: must lie not below the exchange's on 2024-03-01 (margin_financing@2023-09-11)",
        ),
        (
            file("margin_financing", ("2024-03-01", '"0.80"')),
            "[0]: must lie not below the exchange's on 2026-01-19 (margin_financing@2026-01-19)",
        ),
        (
            file("haircut_index_stock", ("2020-01-02", '"0.71"')),
            "parameters.haircut_index_stock[0]: must lie not above the exchange's",
        ),
        (
            file("haircut_bse_other_stock", ("2024-01-02", '"0.66"')),
            "parameters.haircut_bse_other_stock[0]: must lie not above the exchange's",
        ),
        (
            file("haircut_pe_negative_zero", ("2020-01-02", "false")),
            "must lie not below the exchange's on 2020-01-02 (haircut_pe_negative_zero@2016-12-12)",
        ),
        (file("short_market_orders", ("2020-01-02", "true")), "must lie not above the exchange's"),
        (file("short_uptick", ("2020-01-02", "false")), "must lie not below the exchange's"),
        (file("mmr_floor_exchange", ("2010-01-04", "null")), "must lie not below the exchange's"),
        (file("mmr_withdraw_line", ("2010-01-04", '"2.99"')), "must lie not below the exchange's"),
        (file("contract_extension_max_months", ("2016-01-04", "7")), "must lie not above the exchange's"),
        (
            file("limit_stock", ("2016-01-04", '{suspend: "0.20", resume: "0.25", remind: "0.10"}')),
            "resume and remind must not lie above suspend",
        ),
        (file("available_margin_netting", ("2016-01-04", "security")), "is not one of ['contract']"),
        (file("client_assets_min", ("2016-01-04", '"1"')), "client_assets_min: is only stated"),
        (file("margin_finance", ("2016-01-04", '"1.00"')), "there is no such parameter"),
        (
            file("margin_financing", ("2026-03-02", '"1.00"'), ("2026-03-02", '"1.10"')),
            "parameters.margin_financing[1]: 2026-03-02 does not follow 2026-03-02",
        ),
        (
            file("margin_financing", ("2026-03-02", '"1.00"')).replace(
                "entries:", "type: rate\n    entries:"
            ),
            "its type is ratio",
        ),
        ("schema: 1\nboundary: {call_under: inclusive}", "boundary.call_under: there is no such boundary"),
        ("schema: 1\nboundary: {call_below: perhaps}", "boundary.call_below: 'perhaps'"),
        ("schema: 1\nparameters: []", "parameters must be mappings"),
        ("schema: 1\nsections: {'99': Ours}", "sections: titles"),
        ("schema: 1\npresets: {E: 3}", "presets.E: a preset is a mapping"),
        ("parameters: {}", "schema must be 1"),
    ],
)
def test_what_contradicts_is_refused_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(ScheduleError, match=re.escape(complaint)):
        overlay(built_in(), text)


def test_a_value_at_the_exchanges_bound_is_allowed() -> None:
    text = file("margin_financing", ("2024-03-01", '"0.80"'), ("2026-01-19", '"1.00"'))
    for day, ratio in (("2024-03-01", 8_000), ("2026-01-18", 8_000), ("2026-01-19", 10_000)):
        assert overlay(built_in(), text).number("margin_financing", parse_day(day)) == ratio
    haircuts = overlay(built_in(), file("haircut_index_stock", ("2020-01-02", '"0.70"')))
    assert haircuts.number("haircut_index_stock", parse_day("2020-01-02")) == 7_000


def test_a_parameter_that_ended_may_begin_again_only_without_a_gap() -> None:
    value = '{l1: "0.05", l1_minutes: 15, l1_to_close_from: "14:45", l2: "0.07"}'
    with pytest.raises(ScheduleError, match="gap after 2016-01-07"):
        overlay(built_in(), file("index_breaker", ("2016-01-11", value)))
    rules = overlay(built_in(), file("index_breaker", ("2016-01-08", value)))
    assert rules.find("index_breaker", parse_day("2016-01-08")) is not None


PRESET = """
schema: 1
presets:
  C: {from: "2024-03-01", warn: "1.60", min: "1.40", immediate: "1.20", immediate_mode: realtime,
      target: "1.60", cure_by: 1, cure_at: settled, liquidate_from: 2, rearm: "0.01", commission: "0.0003",
      financing_rate: "0.065", source: our board}
  VIP: {warn: "1.40", min: "1.20", immediate: null, immediate_mode: by_settled, target: "1.30", cure_by: 5,
      cure_at: settled, liquidate_from: 6, rearm: "0.01", commission: "0.0003", source: our board}
"""


def test_presets_of_the_file_are_versions_of_their_names() -> None:
    presets = Presets(overlay(built_in(), PRESET))
    before, after = presets.at("C", parse_day("2024-02-29")), presets.at("C", parse_day("2024-03-01"))
    assert (before.min, after.min) == (13_000, 14_000)
    assert (before.financing_rate, after.financing_rate) == (0, 65_000)
    assert "VIP" in presets
    assert "VIP" not in Presets()


def test_while_the_exchange_has_a_floor_target_and_deadline_no_contract_goes_below() -> None:
    presets = Presets(overlay(built_in(), PRESET))
    lines = [
        (found.min, found.target, found.cure_by, found.liquidate_from)
        for date in ("2015-07-01", "2015-07-02", "2019-08-16", "2019-08-19")
        for found in [presets.at("VIP", parse_day(date))]
    ]
    assert lines == [
        (13_000, 15_000, 2, 3),
        (13_000, 13_000, 5, 6),
        (13_000, 13_000, 5, 6),
        (12_000, 13_000, 5, 6),
    ]


def test_what_the_file_says_of_presets_is_not_state() -> None:
    presets = Presets(overlay(built_in(), PRESET))
    assert presets.dump() == []
    presets.load(presets.dump())
    assert presets.at("C", parse_day("2024-03-01")).min == 14_000


def test_differences_between_two_days() -> None:
    day, later = parse_day("2023-10-27"), parse_day("2023-10-30")
    found = {parameter.name for parameter, _, _ in differences(built_in(), day, later)}
    assert found == {"margin_lending", "margin_lending_private_fund"}
    assert list(differences(built_in(), day, day)) == []


@given(st.integers(-400, 400), st.sampled_from(["1.20", "1.50"]), st.integers(-400, 400))
def test_before_the_files_first_day_nothing_changes_and_from_it_on_the_file_holds(
    start: int, value: str, moment: int
) -> None:
    middle = parse_day("2024-07-22")
    first, day = middle + start, middle + moment
    rules = overlay(built_in(), file("margin_lending", (format_day(first), f'"{value}"')))
    for name in ("margin_lending", "margin_lending_private_fund"):
        ours = name == "margin_lending" and day >= first
        expected = ratio_of(value, "") if ours else built_in().number(name, day)
        assert rules.number(name, day) == expected
