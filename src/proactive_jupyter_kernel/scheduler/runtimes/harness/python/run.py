"""The program of a Python task's process: ``python run.py FOLDER``, or ``python run.py --warm FD FD [MODULE ...]``.

FOLDER is a stage's folder with its request. With ``--warm`` the process forks another one for each stage that comes
over the second socket; these return from `serve`, with their request, and continue here. Plain top-level code, so that
the oldest Python can say that it is too old.
"""

import sys

if sys.version_info < (3, 8):  # noqa: UP036  # this file is read by whatever interpreter a task names
    sys.exit(sys.executable + " is too old for tasks; they need Python 3.8 or newer")

import builtins
import os
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader

_here = os.path.dirname(os.path.abspath(__file__))
_workflow = os.path.abspath(os.path.join(_here, os.pardir, os.pardir, os.pardir, os.pardir, "workflow"))
if os.path.exists(os.path.join(_here, "values.py")):
    _workflow = _here  # a copy that went into a container
# This folder is not a place for the task's own imports.
sys.path[:1] = [] if sys.path and os.path.abspath(sys.path[0]) == _here else sys.path[:1]
# A script may replace what is built in. What the harness looks up is its own, and stays.
_builtins = dict(vars(builtins))
# By hand, because `importlib.util` brings along more than all of this needs.
for _name, _path in (
    ("_proactive_tasks", os.path.join(_workflow, "python_tasks", "__init__.py")),
    ("_proactive_tasks.tagged", os.path.join(_workflow, "python_tasks", "tagged.py")),
    ("_proactive_tasks.rich_outputs", os.path.join(_workflow, "python_tasks", "rich_outputs.py")),
    ("_proactive_values", os.path.join(_workflow, "values.py")),
    ("_proactive", os.path.join(_here, "__init__.py")),
    ("_proactive.originals", os.path.join(_here, "originals.py")),
    ("_proactive.errors", os.path.join(_here, "errors.py")),
    ("_proactive.bindings", os.path.join(_here, "bindings.py")),
    ("_proactive.stage", os.path.join(_here, "stage.py")),
):
    _package, _, _child = _name.rpartition(".")
    _loader = SourceFileLoader(_name, _path)
    _spec = ModuleSpec(_name, _loader, origin=_path, is_package=os.path.basename(_path) == "__init__.py")
    _spec.has_location = True
    sys.modules[_name] = _module = type(sys)(_name)
    _module.__spec__, _module.__loader__, _module.__file__ = _spec, _loader, _path
    _module.__package__ = _package or (_name if _spec.submodule_search_locations is not None else "")
    _module.__dict__["__builtins__"] = _builtins
    if _spec.submodule_search_locations is not None:
        _spec.submodule_search_locations.append(os.path.dirname(_path))
        _module.__path__ = _spec.submodule_search_locations
    if _package:
        setattr(sys.modules[_package], _child, _module)
    _loader.exec_module(_module)

stage = import_module("_proactive.stage")

if __name__ == "__main__":
    if sys.argv[1:2] == ["--warm"]:
        _serve, _leave = import_module("_proactive.warm").serve, import_module("_proactive.leaving").leave
        _exit, _run = sys.exit, stage.run
        _request = _serve(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
        _code = 0 if _request is None else _run(_request)
        _leave(_code)
    else:
        _exit = sys.exit
        _code = stage.run(sys.argv[1])
    _exit(_code)
