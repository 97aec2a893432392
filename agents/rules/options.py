"""Options (期权), rulebook 15 and E20: how much premium an individual may hold long, and what a market maker
owes the market. Money is milli, shares of a whole are integers in 1e-4.
"""

from dataclasses import dataclass

from agents.rules.schedule import Schedule, built_in
from schemas.units import RATIO_SCALE

LEAST = "least"


@dataclass(frozen=True, slots=True)
class OptionClient:
    """What decides an individual's cap: own assets at the broker and the average daily holdings of six months
    (milli), strong risk capacity together with a level-3 permission, and the long side's position limit.
    """

    assets: int
    holdings: int
    strong: bool = False
    position_limit: int = 0


def premium_cap(client: OptionClient, day: int, schedule: Schedule | None = None) -> int | None:
    """The most premium for long positions on `day`, milli, rounded down; None before there was a cap.

    The exchange's text: the greater of a share of assets and a share of holdings; a strong client or one
    with a large limit has a share of assets of its own. The greatest of the caps holds, or the least where
    a broker's preset says so.
    """
    rules = built_in() if schedule is None else schedule
    by_assets = rules.number_or_none("option_premium_assets_share", day)
    by_holdings = rules.number_or_none("option_premium_holdings_share", day)
    if by_assets is None or by_holdings is None:
        return None
    caps = [max(client.assets * by_assets, client.holdings * by_holdings)]
    if client.strong:
        caps.append(client.assets * rules.number("option_tier_strong_share", day))
    if client.position_limit >= rules.number("option_tier_large_position", day):
        caps.append(client.assets * rules.number("option_tier_large_share", day))
    least = rules.text("option_caps_combine", day) == LEAST
    return (min(caps) if least else max(caps)) // RATIO_SCALE


def may_buy_to_open(
    held: int, premium: int, client: OptionClient, day: int, schedule: Schedule | None = None
) -> bool:
    """Whether a purchase of `premium` fits beside the premium already `held`. A cap that has fallen below
    what is held closes nothing: it only stops new purchases.
    """
    rules = built_in() if schedule is None else schedule
    cap = premium_cap(client, day, rules)
    if cap is None:
        return True
    return held + premium < cap or (rules.inclusive("option_within") and held + premium == cap)


def may_open(long: int, total: int, opened: int, day: int, schedule: Schedule | None = None) -> bool:
    """Whether a new account may open one more contract: contracts held long, contracts in all, contracts
    opened that day before it. Without limits before they began.
    """
    rules = built_in() if schedule is None else schedule
    counts = (
        ("option_position_long", long),
        ("option_position_total", total),
        ("option_opens_per_day", opened),
    )
    limits = ((rules.number_or_none(name, day), count) for name, count in counts)
    return all(limit is None or count < limit for limit, count in limits)


@dataclass(frozen=True, slots=True)
class Quote:
    """A market maker's two-sided quote over some time: prices in one scale, `ms` for which it stood."""

    bid: int
    ask: int
    qty: int
    theoretical: int
    ms: int


def quotes_enough(
    quotes: list[Quote], minimum: int, session_ms: int, day: int, schedule: Schedule | None = None
) -> bool | None:
    """Whether quotes of at least `minimum` and not too wide stood for enough of the session; None before the
    obligation began.
    """
    rules = built_in() if schedule is None else schedule
    spread = rules.number_or_none("option_maker_spread", day)
    presence = rules.number_or_none("option_maker_presence", day)
    if spread is None or presence is None:
        return None
    inclusive = rules.inclusive("quote_within")
    stood = 0
    for quote in quotes:
        width, widest = (quote.ask - quote.bid) * RATIO_SCALE, spread * quote.theoretical
        if quote.qty >= minimum and (width < widest or (inclusive and width == widest)):
            stood += quote.ms
    present, needed = stood * RATIO_SCALE, presence * session_ms
    return present > needed or (inclusive and present == needed)
