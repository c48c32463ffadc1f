"""What runs in the child processes that hold the textworld package, and what talks to them.

`client` is a world's side of the process that plays, `server` is that process; `builder` is the
process that builds games. `interpreter`, `tracking` and `patches` are parts of the child processes
and the only modules here, beside `builder`, that import textworld. Tasks, texts and the cache of
games are not here.
"""
