"""Measures a signed, durable step of the line beside its rivals: `python -m bench`, or `make bench`.

`steps` is the call that every caller makes, `load` the callers, `served` the web servers that answer them. The rivals
are `bare` (a Flask route that does nothing) and `tutorial` (the same step as the libraries' own guides would have it,
with the line's words from `screens`). `contest` lets them take turns, `report` makes the tables; `replay` makes the
call without a server, for `breakdown`, which says where the time of our own step goes.
"""
