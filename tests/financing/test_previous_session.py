"""Property 17.1 (9): halts flip only on published figures of the session before, never on own balances."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.financing.firm import Firm, following

SECURITY, FIRST, FLOAT = "600001.SH", "2022-03-01", 1_000_000
PERCENTS = st.integers(15, 30)


def publish(firm: Firm, date: str, percent: int) -> None:
    figures = {"lending_qty": percent * FLOAT // 100, "float_shares": FLOAT}
    firm.events("reference.balances", {"security": SECURITY, "date": date, **figures})


@settings(max_examples=60)
@given(st.lists(st.tuples(PERCENTS, PERCENTS), min_size=1, max_size=8))
def test_figures_of_a_session_govern_the_next_and_own_balances_none(days: list[tuple[int, int]]) -> None:
    firm, expected = Firm(), False
    for number, (published, own) in enumerate(days):
        date = following(FIRST, number)
        firm.day(date, {SECURITY: [0, own * FLOAT // 100, FLOAT, 1, 0, 0, 0, 0]}, {SECURITY: 10_000})
        assert firm.halted(SECURITY, "lending", date) == expected
        publish(firm, date, published)
        assert firm.halted(SECURITY, "lending", date) == expected, "not on the day itself"
        expected = published > 20 if expected else published >= 25
        assert firm.halted(SECURITY, "lending", following(date)) == expected
    assert all(value["basis"] == "published" for value in firm.of("security.signals"))
