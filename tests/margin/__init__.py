"""The margin core as specification: books, levels, calls, liquidation, state."""
