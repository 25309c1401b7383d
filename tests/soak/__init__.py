"""Faults, injected at random and at every place in turn, and what must hold after each: nothing lost, nothing twice.

`make test` runs a bounded number of rounds (`test_rounds.py`), `make soak` goes on for minutes (`__main__.py`).
`invariants.py` is the judge of all rounds. `memory_world.py` runs the service over a real store with scripted tasks in
one process, hundreds of rounds in seconds; `process_world.py` runs real schedulers and real tasks.
"""
