"""Supervision of credit accounts: levels, margin calls (追保), evidence, forced liquidation, the shard's
core.
"""
