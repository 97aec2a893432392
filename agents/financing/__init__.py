"""Per-security financing and lending balances, and the halts that follow from them. Rulebook 5."""
