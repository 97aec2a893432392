"""Venues and kinds of venue (rulebook 14): where a credit account may trade.

A venue is named by its exchange (SSE, SH or XSHG and so on), or by its kind and its own name (`fae:...` for a
local financial-asset exchange, 金交所).
"""

SHANGHAI, SHENZHEN, BEIJING = "SSE", "SZSE", "BSE"
_EXCHANGES = {
    "SSE": SHANGHAI,
    "SH": SHANGHAI,
    "XSHG": SHANGHAI,
    "SZSE": SHENZHEN,
    "SZ": SHENZHEN,
    "XSHE": SHENZHEN,
    "BSE": BEIJING,
    "BJ": BEIJING,
    "BJSE": BEIJING,
}


def venue_of(security: str) -> str:
    """The exchange that a security's name ends with; the ending itself where it is none of ours."""
    ending = security.rpartition(".")[2]
    return _EXCHANGES.get(ending, ending)


def venue_named(name: str) -> str:
    """The exchange that a name stands for; another venue's name as it is."""
    return _EXCHANGES.get(name.upper(), name)


def venue_kind(name: str) -> str:
    """The kind of a venue that is no exchange: what stands before `:` or `-`, in lower case."""
    kind = name.lower()
    for separator in (":", "-"):
        kind = kind.partition(separator)[0]
    return kind
