"""How jobs and tasks are shown, for the card of a notebook and for the portals. Pure: the clock time is given.

Marks and words of statuses, durations, counts, bars, families of tasks, groups of errors and reasons for waiting become
records of display texts here; the caller writes the markup. A task is anything with the properties of
`records.Task`: a row of the store as well as a record that a client read.
"""
