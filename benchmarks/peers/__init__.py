"""The same work with other programs: each script runs in an environment of its own (`benchmarks/suite/peers.py`).

    python run_NAME.py FOLDER python=1000 chain=100 fan=502

`python`: independent functions that return their number. `chain`: each adds one to what the one before returned.
`fan`: one function, then all but two that depend on it, then one that sums up. Each script checks the results and
prints a JSON object with the seconds from handing the work over to the last result. What is started once (a cluster, a
pool) is started before and not counted, as the embedded scheduler is.
"""
