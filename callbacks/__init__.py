"""The queue: the life of a callback, from the caller's yes to the day it is closed.

A callback is asked for during a call (`service.request`), in the transaction that stores the caller's step, and is due
at a moment that `lifecycle` computes from its urgency and the `office_hours`. `models` holds what is stored, `db` opens
the database and makes every change durable before anybody is told of it. What goes wrong has a name in `errors`.
"""
