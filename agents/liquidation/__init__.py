"""Forced liquidation (强制平仓): what to repay, sell and cover so that an account reaches its target.
Rulebook 7.3 to 7.5.
"""
