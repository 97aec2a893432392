"""The pre-trade gate (前端控制): requests of `account.orders`, answered on `order.decisions`, and what
accepted ones reserve.
"""
