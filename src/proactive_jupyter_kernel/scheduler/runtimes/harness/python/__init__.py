"""Runs Python scripts of tasks, inside their own processes, under any Python from 3.8 on.

Loaded by path, under the private name ``_proactive``, by `run.py`; needs the standard library, ``values.py`` and
``python_tasks/``, which lie beside it or in the package's ``workflow`` folder. Keep the syntax and the
imports to Python 3.8.
"""
