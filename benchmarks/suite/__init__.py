"""`make bench`: the targets of the embedded scheduler, the figures of the other scripts, and peers on the same work.

    python -m benchmarks.suite [--quick] [--only CASE,CASE] [--peers NAME,NAME] [--rounds N] ...

`targets.py` has the table of targets, `runs.py` measures them, `peers.py` and `benchmarks/peers` run the others,
`verdicts.py` and `report.py` turn a run into words (pure), `plot.py` draws it.
"""
