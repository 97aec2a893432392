"""Columns of the two-dimensional int64 tables that kernels walk. One account is one cache line, one
security one row.

Account table `hot` int64[n, HOT_WIDTH]: assets = OWN + LONG, debt = OWED + SHORT (0.001 yuan). Security
table int64[n, SECURITY_WIDTH]; -1 stands for "not known" wherever a price, time or date may be missing.
"""

from __future__ import annotations

HOT_WIDTH = 8
LONG = 0
"""Value of everything held and of shares in transit."""
SHORT = 1
"""Market value of what was borrowed and of shares owed to lenders."""
OWN = 2
"""Cash, other collateral and cash in transit."""
OWED = 3
"""Principal of financing contracts, interest of all contracts, cash compensation owed."""
BLIND = 4
"""Number of rows that cannot be valued: no price, or a value beyond the bounds."""
LEVEL = 5
"""Latched level, 0 normal to 3 immediate."""
SHOWN = 6
"""What was last made public: a level, NO_DEBT or UNPRICED."""
FLAGS = 7
"""Preset index * 2, + 1 when every evaluation must look at the account."""

NORMAL = 0
WARN = 1
BELOW_MIN = 2
IMMEDIATE = 3
NO_DEBT = 4
UNPRICED = 5

SECURITY_WIDTH = 59
MARK = 0
"""The price that shorts count at (rulebook 1.4)."""
VALUE = 1
"""The price that holdings count at: the mark unless another valuation policy is in force."""
PRICE = 2
PRICE_TS = 3
PRICE_KIND = 4
PRICE_OFFSET = 5
QUOTE_TS = 6
QUOTE_OFFSET = 7
PREV_CLOSE = 8
"""Previous close a reference record names for PREV_DATE."""
PREV_DATE = 9
LIMIT_UP = 10
"""LIMIT_UP to ASK_QTY and QUOTE_PREV_CLOSE are the newest quote's fields, all of them; they hold on its
date only.
"""
LIMIT_DOWN = 11
HALTED = 12
BID_PRICE = 13
BID_QTY = 14
ASK_PRICE = 15
ASK_QTY = 16
POLICY = 17
FAIR_PRICE = 18
SUSPENDED = 19
KIND = 20
BOARD = 21
ST = 22
HAIRCUT = 23
FINANCING_MARGIN = 24
LENDING_MARGIN = 25
ADV_20 = 26
REFERENCE_DATE = 27
INDEX_MEMBER = 28
"""1 in an index whose stocks have the higher haircut cap, 0 not, -1 not said."""
DELISTING = 29
FINANCING_HALTED = 30
LENDING_HALTED = 31
CARRIED = 32
"""The mark with which the current day began."""
QUOTE_PREV_CLOSE = 33
REFERENCE_LIMIT_UP = 34
"""Limits a reference record names for REFERENCE_DATE."""
REFERENCE_LIMIT_DOWN = 35
NEXT_PRICE = 36
"""NEXT_PRICE to NEXT_OFFSET: the latest observation of the earliest date after the current day. It waits for
that day, so that a price that comes before its day's session record blinds nobody.
"""
NEXT_TS = 37
NEXT_KIND = 38
NEXT_OFFSET = 39
VOLUME = 40
"""Shares traded on its date by the newest quote, one of the quote's fields."""
GIVEN_HAIRCUT = 41
"""GIVEN_HAIRCUT, GIVEN_POLICY, GIVEN_FAIR: what reference data say; HAIRCUT, POLICY and FAIR_PRICE are what
holds after the day's rules.
"""
GIVEN_POLICY = 42
GIVEN_FAIR = 43
PE = 44
"""Static price-earnings ratio in 1e-6, UNKNOWN_PE when it was not given; negative when the company lost."""
FINANCING_LISTED = 45
"""1 on the published list of underlying securities, 0 taken off it, -1 never said. The same for lending."""
LENDING_LISTED = 46
LENDABLE = 47
"""Shares the firm has to lend."""
FLOAT_SHARES = 48
SUSPENDED_SINCE = 49
"""Day number on which the suspension began."""
SUSPENDED_SESSIONS = 50
"""Sessions suspended so far, today included; 0 while it trades."""
COLLATERAL_SHARE = 51
"""Shares posted as collateral in the whole market over float shares, 1e-6, as published for the last day."""
FIRM_HELD = 52
"""Shares held in all credit accounts of the firm on the last final day."""
PE_REVIEWED = 53
"""The P/E that decides this week: that of the last weekly review, or the first one said since."""
COLLATERAL_DATE = 54
"""Days of the figures in COLLATERAL_SHARE and FIRM_HELD."""
FIRM_DATE = 55
SUSPENDED_FROM = 56
"""Which trading day (counted from 0 by this shard) the suspension began with; kept until the day after it."""
INDEX_BASE = 57
"""The index by which a suspended security is valued, before its suspension began."""
LAST_TRADING_DAY = 58
"""Day number of the last trading day of a security that leaves the exchange."""
UNKNOWN_PE = -(2**62)

POLICY_LAST = 0
POLICY_INDEX_ADJUSTED = 1
POLICY_EXCLUDE = 2
POLICY_MANUAL = 3

LINES_WIDTH = 5
LINE_WARN = 0
LINE_MIN = 1
LINE_IMMEDIATE = 2
"""0 when the preset has none: no ratio is below it."""
LINE_REARM = 3
LINE_REACHED = 4
"""1 when a ratio that equals a line counts as below it (boundary `call_below` inclusive), else 0."""

MONEY_BOUND = 10**14
"""10^11 yuan: beyond it an account is flagged, not valued (contract section 1)."""
