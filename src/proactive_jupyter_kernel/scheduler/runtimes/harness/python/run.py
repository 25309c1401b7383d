"""The program that a Python task's process runs: ``python run.py FOLDER``, or ``python run.py --warm FD``.

FOLDER is a stage's folder with its request. With ``--warm`` the process waits for stages on the socket FD and forks for
each; the children come out of `serve` and go on here. Plain top-level code, so that the oldest Python can say that it
is too old.
"""

import sys

if sys.version_info < (3, 8):  # noqa: UP036  # this file is read by whatever interpreter a task names
    sys.exit(sys.executable + " is too old for tasks; they need Python 3.8 or newer")

import importlib.util
import os

_here = os.path.dirname(os.path.abspath(__file__))
_values = os.path.join(_here, "values.py")
if not os.path.exists(_values):
    _values = os.path.join(_here, os.pardir, os.pardir, os.pardir, os.pardir, "workflow", "values.py")
# This folder is no place for the task's own imports.
sys.path[:1] = [] if sys.path and os.path.abspath(sys.path[0]) == _here else sys.path[:1]
for _name, _path, _folders in (
    ("_proactive_values", os.path.abspath(_values), None),
    ("_proactive", os.path.join(_here, "__init__.py"), [_here]),
):
    _spec = importlib.util.spec_from_file_location(_name, _path, submodule_search_locations=_folders)
    assert _spec is not None
    assert _spec.loader is not None
    sys.modules[_name] = _module = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(_module)

stage = importlib.import_module("_proactive.stage")

if __name__ == "__main__":
    if sys.argv[1:2] == ["--warm"]:
        _folder = importlib.import_module("_proactive.warm").serve(int(sys.argv[2]))
        _code = 0 if _folder is None else stage.run(_folder)
        importlib.import_module("_proactive.leaving").leave(_code)
        sys.exit(_code)
    sys.exit(stage.run(sys.argv[1]))
