"""What a market and those who publish about it do in a history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from tests.oracle.driver import Record
from tests.oracle.ledger import ZERO
from tests.oracle.story import PHASES, Story


def trade(story: Story, security: str, amount: int) -> None:
    story.trade_at(security, story.price(security, amount))


def stale_trade(story: Story, security: str, amount: int) -> None:
    story.trade_at(security, story.price(security, amount), late_by=amount * 5)


def quote(story: Story, security: str, amount: int) -> None:
    """At times without a trade yet, with a previous close, with an empty side of the book, at a limit."""
    last = story.price(security, amount) if amount % 7 else ZERO
    record: Record = {"security": security, "ts": story.now(), "last": str(last)}
    if amount % 5 == 0:
        record["prev_close"] = str(story.price(security, amount // 2))
    if amount % 3 == 0 and last:
        record["bid"] = [] if amount % 2 else [[str(last), 500]]
        record["ask"] = [[str(last + Decimal("0.01")), 500]]
    if amount % 4 == 0 and last:
        record["limit_down"] = str(last if amount % 8 else (last / 2).quantize(Decimal("0.01")))
        record["limit_up"] = str(last * 2)
    story.quoted(record)


def evaluate(story: Story, security: str, amount: int) -> None:
    """Some minutes later in the day; seldom in its last three minutes."""
    most = 238 if amount % 10 == 0 else 236
    story.minutes = min(most, story.minutes + amount % 40)
    story.clock()


def phase_ends(story: Story, security: str, amount: int) -> None:
    """The next phase; a new day comes after one to four days, seldom after some weeks."""
    following = (story.phase + 1) % len(PHASES)
    if following == 0:
        next_day(story, 1 + amount % 4 if amount % 50 else 45)
    else:
        story.enter(PHASES[following])


def next_day(story: Story, days: int) -> None:
    story.phase = 0
    story.day += timedelta(days=days)
    story.day += timedelta(days=max(0, 7 - story.day.weekday()) if story.day.weekday() > 4 else 0)
    story.enter("pre_open")


def unsettled_day(story: Story, security: str, amount: int) -> None:
    """The next day begins although nobody settled this one."""
    next_day(story, 1 + amount % 3)


def corporate_action(story: Story, security: str, amount: int) -> None:
    """With this ex-date, or a later one; at times the adjusted previous close is published with it."""
    ex_date = story.day if amount % 2 else story.day + timedelta(days=amount % 5)
    action: Record = {"action": story.new_id(), "security": security, "ex_date": ex_date.isoformat()}
    kind = amount % 7
    if kind in (0, 1):
        action |= {"kind": "dividend", "cash_per_share": "0.25"}
        if amount % 3:
            action["tax"] = "0.2" if amount % 3 == 1 else "0"
    elif kind in (2, 3):
        action |= {"kind": "bonus", "shares_per_share": "0.5"}
    elif kind == 4:
        action |= {"kind": "split", "shares_per_share": "1"}
    else:
        mark = story.oracle.prices.mark(security) or Decimal(10)
        offer = (mark * (amount % 3 + 2) / 5).quantize(Decimal("0.01")) + Decimal("0.01")
        action |= {"kind": "rights", "shares_per_share": "0.3", "price": str(offer)}
    if amount % 5:
        action["pay_date"] = (ex_date + timedelta(days=amount % 4)).isoformat()
    story.reference("reference.actions", action)
    if amount % 3 == 0:
        story.about(security, prev_close=str(story.price(security, amount)))


def valued(story: Story, security: str, amount: int) -> None:
    """From today on the security counts at a fair price, not at all, or at its last price."""
    policy = ("last", "manual", "exclude", "index_adjusted")[amount % 4]
    fair = {"fair_price": str(story.price(security, amount))} if amount % 3 else {}
    story.about(security, valuation=policy, **fair)


def judged(story: Story, security: str, amount: int) -> None:
    """Risk warning, delisting, suspension, price-earnings ratio, index membership."""
    said: Record = {"pe_static": ("299.99", "300", "-1", "15", "0")[amount % 5]}
    if amount % 2:
        said["index_member"] = amount % 4 == 1
    if amount % 3 == 0:
        said["st"] = True
    if amount % 11 == 0:
        said["delisting"] = True
    if amount % 4 == 0:
        said["suspended"] = True
        if amount % 8 == 0:
            since = story.day - timedelta(days=amount % 60)
            said["suspended_since"] = since.isoformat()
    later = timedelta(days=amount % 3)
    said["date"] = (story.day + later).isoformat()
    story.about(security, **said)


def described(story: Story, security: str, amount: int) -> None:
    """Haircut, limits and margin ratios of today."""
    close = story.oracle.prices.mark(security) or Decimal(10)
    limits = {
        "limit_up": str((close * Decimal("1.1")).quantize(Decimal("0.01"))),
        "limit_down": str((close * Decimal("0.9")).quantize(Decimal("0.01"))),
    }
    ratios = {"financing_margin": "1.05"} if amount % 11 == 0 else {}
    story.about(security, haircut=f"{amount % 101 / 100:.2f}", **limits, **ratios)


def listed(story: Story, security: str, amount: int) -> None:
    """The lists of underlying securities, and what there is to lend."""
    lists = {"financing": amount % 10 > 0, "lending": amount % 7 > 0, "haircut": "0.60"}
    if amount % 4 == 0:
        lists["lendable_qty"] = amount
    if amount % 3 == 0:
        lists["pe_static"] = "-1"
    story.about(security, **lists)


def halted(story: Story, security: str, amount: int) -> None:
    """An exchange halts new debt in a security, or lets it resume."""
    business = ("financing", "lending")[amount % 2]
    story.reference(
        "security.signals",
        {
            "id": f"{security}:{business}:{story.new_id()}",
            "security": security,
            "ts": story.now(),
            "date": story.day.isoformat(),
            "effective": story.day.isoformat(),
            "business": business,
            "signal": "halt" if amount % 3 else "resume",
            "indicator": "0.26",
            "line": "0.25",
            "basis": "notice",
            "figures": {},
            "rule": "notice",
        },
    )


def crowded(story: Story, security: str, amount: int) -> None:
    """The exchange publishes what part of a stock is collateral in the whole market."""
    share = ("0.25", "0.249999", "0.30")[amount % 3]
    record = {"security": security, "date": story.day.isoformat(), "collateral_share": share}
    story.reference("reference.balances", record)


def restarted(story: Story, security: str, amount: int) -> None:
    """The process dies, and another goes on from a snapshot."""
    story.driver.restart()
    story.compare.outputs([])


def terms_change(story: Story, security: str, amount: int) -> None:
    """The broker changes the lines of preset X from today or in two days."""
    since = story.day + timedelta(days=2 * (amount % 2))
    least = 110 + amount % 60
    changed = {
        "from": since.isoformat(),
        "min": f"{least / 100:.2f}",
        "warn": f"{(least + 5 + amount % 30) / 100:.2f}",
        "target": f"{(least + 10) / 100:.2f}",
        "immediate": f"{(least - 5) / 100:.2f}" if amount % 3 else None,
        "auto_pay": amount % 4 == 0,
        "financing_rate": "0.065",
    }
    story.reference("reference.rules", {**story.preset_x, **changed})


MARKET: dict[str, Callable[[Story, str, int], None]] = {
    operation.__name__: operation
    for operation in (
        trade,
        stale_trade,
        quote,
        evaluate,
        corporate_action,
        valued,
        judged,
        described,
        listed,
        halted,
        crowded,
        restarted,
        terms_change,
        unsettled_day,
        phase_ends,
    )
}
