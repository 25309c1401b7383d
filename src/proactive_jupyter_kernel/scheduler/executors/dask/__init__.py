"""Runs attempts on the workers of a Dask cluster: `DaskExecutor`. Needs the extra ``dask``.

The scheduler's end: ``executor`` knows the workers (``cluster``) and the connection to each of them (``site``), on
which nodes work (``remote_node``). The worker's end is ``worker``. ``comms`` carries bytes between the two.
"""
