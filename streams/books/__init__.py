"""Synthetic account books (`liangrong books make`): as many accounts as asked for, shaped like the public
market.

No broker's accounts are public, so they are drawn, from a seed, to fit what is. Figures of the whole market
that the default parameters follow, with how far they can be trusted:

- Balance: both exchanges publish the financing and lending balance daily; the record of the earlier cycle is
  2.273 * 10^12 yuan on 18 June 2015. Early in April 2025 it stood near 1.9 * 10^12, of which lending (融券)
  about 0.6 % (daily figures of the exchanges; recalled, not read again for this work).
- Accounts with a debt: about 1.7 to 1.8 million (China Securities Finance Corporation 中证金融, monthly
  statistics; recalled). Hence a mean debt of about 1.1 million yuan; debts are drawn log-normal with that
  mean and a far smaller median, since the many small accounts and the few large ones are both well attested.
- Mean maintenance ratio (平均维持担保比例), assets over debts of all indebted accounts: between 2.4 and 2.8
  in ordinary months of 2019 to 2025, 2.23 in the week of 5 February 2024 (same statistics, and spokesmen of
  the CSRC; recalled). Drawn around 2.6, with a thin tail down to the minimum line.
- Holdings: about five securities an account (two million accounts hold ten million positions). Popularity
  follows a Zipf law over the securities; its exponent is a choice, no statistic of it was found.
- Private funds and institutions are about one account in a hundred each, all others are individuals'
  (recalled).

What is *not* a statistic but a choice made so that one crash day shows every outcome: the share of accounts
on preset D, of accounts just above the lines, of accounts below 1.30 from the start, and the deposits of
some of them.
"""

from __future__ import annotations

from streams.books.draw import Books, BooksShape, draw_books
from streams.books.events import deposit_events, opening_events

__all__ = ["Books", "BooksShape", "deposit_events", "draw_books", "opening_events"]
