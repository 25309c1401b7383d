"""The language of the cells: how pragmas are read, what each does, how they are completed and explained.

`cells.plan` reads a cell, `run.run` does what a pragma asks, `completion` and `inspection` help while the user types;
`context.Context` is the notebook's state. `registry.PRAGMAS` holds every declaration.
"""
