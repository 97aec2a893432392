"""Effective-dated parameters and formulas of margin trading (融资融券), readable next to the rulebook.

Values live in `schedule.yaml` with the first trading day they hold for, a confidence code and a source; the
modules beside it are exact integer formulas. Nothing here knows arrays, topics or accounts.
"""
