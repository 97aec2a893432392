"""What a six-digit code says by itself: its exchange, board, kind and tick (最小变动价位)."""

from __future__ import annotations

from streams.errors import UserError

_EXCHANGES = {"SH": "SH", "SZ": "SZ", "BJ": "BJ", "XSHG": "SH", "XSHE": "SZ", "101": "SH", "102": "SZ"}
_SHANGHAI = ("5", "6", "9")
_SHENZHEN = ("0", "1", "2", "3")

STOCK_TICK = 10
"""0.01 yuan in 0.001 yuan."""
FUND_TICK = 1
"""0.001 yuan: funds, bonds, warrants, and the resolution kept of an index."""


def security_name(code: str, exchange: str = "") -> str:
    """``600519`` (with or without a suffix) as ``600519.SH``; a code of no known exchange is a UserError.

    Without ``exchange`` the exchange of a *stock or fund* with this code is taken; an index (000001 of
    Shanghai) must say its own.
    """
    bare, _, suffix = code.strip().partition(".")
    market = _EXCHANGES.get((suffix or exchange).strip())
    if market is None:
        market = _exchange_of(bare)
    return f"{bare}.{market}"


def _exchange_of(code: str) -> str:
    if code.startswith(("4", "8", "92")) and len(code) == 6:
        return "BJ"
    if code.startswith(_SHANGHAI) and len(code) == 6:
        return "SH"
    if code.startswith(_SHENZHEN) and len(code) == 6:
        return "SZ"
    raise UserError(f"{code!r} is no code of Shanghai, Shenzhen or Beijing")


def is_index(security: str) -> bool:
    """Whether the code belongs to an index (指数): 000xxx of Shanghai, 399xxx of Shenzhen, 899xxx of
    Beijing."""
    return (security.endswith(".SH") and security.startswith("000")) or security.startswith(("399", "899"))


def kind_of(security: str) -> str:
    """The ``kind`` of ``reference.securities`` that the code implies."""
    if is_index(security):
        return "index"
    code, market = security[:6], security[7:]
    if market == "SH":
        kinds = {
            "51": "etf",
            "52": "etf",
            "53": "etf",
            "56": "etf",
            "58": "etf",
            "50": "fund",
            "60": "stock",
            "68": "stock",
        }
        return kinds.get(code[:2], "bond" if code[0] in "012" else "stock")
    if market == "SZ":
        kinds = {
            "15": "etf",
            "16": "fund",
            "18": "fund",
            "10": "treasury",
            "11": "bond",
            "12": "bond",
            "13": "bond",
        }
        return kinds.get(code[:2], "stock")
    return "stock"


def board_of(security: str) -> str:
    """The ``board`` of ``reference.securities``: star (科创板), chinext (创业板), bse (北交所) or main
    (主板)."""
    if security.endswith(".BJ"):
        return "bse"
    if security.startswith(("688", "689")):
        return "star"
    return "chinext" if security.startswith(("300", "301", "302")) else "main"


def tick_of(security: str) -> int:
    """Smallest price step in 0.001 yuan."""
    return STOCK_TICK if kind_of(security) == "stock" and not security.startswith("900") else FUND_TICK
