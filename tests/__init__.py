"""Tests of liangrong; run with `python -m pytest` from the root of the repository."""
