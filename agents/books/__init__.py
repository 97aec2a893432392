"""The books of credit accounts (信用账户) as integer arrays: accounts, securities, positions, contracts,
and their fold.
"""
