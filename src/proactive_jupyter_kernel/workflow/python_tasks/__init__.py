"""Code that runs inside Python tasks: on the embedded scheduler by path, on a ProActive server as part of the script.

Each file needs the standard library alone and keeps to the syntax of Python 3.6: no ``from __future__ import
annotations``, no walrus, no positional-only parameters. Nothing heavy is imported before a task uses it.
"""
