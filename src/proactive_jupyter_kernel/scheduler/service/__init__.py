"""The verbs of the embedded scheduler: submit, kill, pause, ask. It joins engine, store and executor.

Nothing is imported here: the process that checks workflows needs one of these modules, and not the scheduler.
"""
