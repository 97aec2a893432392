"""Watching a run: a board of facts, a live terminal view of it, plain lines without a terminal, a summary.

| module | what |
|---|---|
| `board` | what is known: market time, levels, worst accounts, alerts seen so far; no printing |
| `picture` | accounts below their lines through the day, as coloured blocks |
| `live` | the board as one screen (rich) |
| `plain` | the board as lines, one a quarter of an hour of market time |
| `summary` | what happened, and commands to look closer |
"""
