"""Real days through the real cores, beside a recomputation in plain decimals."""
