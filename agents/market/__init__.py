"""Market data on its way to the books: from ticks to marks."""
