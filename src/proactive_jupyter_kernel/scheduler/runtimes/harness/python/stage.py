"""One stage: reads the request, runs the script as ``__main__``, writes the report."""

from __future__ import annotations

import builtins
import json
import os
import sys
import types

from . import bindings, errors

TYPE_CHECKING = False  # importing `typing` would take longer than a small task
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from proactive_jupyter_kernel.workflow import values
else:
    values = sys.modules["_proactive_values"]

__all__ = ["again", "run"]


def run(folder: str) -> int:
    """Run the stage of that folder and return the exit code of its process."""
    request = _read(folder)
    if "driver" in request:
        return _drive(request)
    here = os.getpid()
    _prepare_process(request)
    scope = _new_main(request)
    maps = {name: scope.get(name) for name in ("variables", "resultMap", "forkEnvironment")}
    report: dict[str, Any] = {}
    code = _execute(request, scope, report)
    _wait_for_threads()
    if os.getpid() == here:  # else: a child that the script forked, and that came to the script's end
        code = _report(request, {**scope, **maps}, report, code)
    return code


def again(folder: str, scope: dict[str, Any]) -> None:
    """Run the script once more, in a child that `multiprocessing` spawned and that imports its parent's main module."""
    request = _read(folder)
    scope.update(bindings.from_request(request))
    scope.update(os=os, sys=sys)
    exec(_compiled(request), scope)


def _drive(request: Mapping[str, Any]) -> int:
    """Hand the stage to another language's harness, one that runs inside a Python process."""
    import importlib.util

    _prepare_streams()
    spec = importlib.util.spec_from_file_location("_proactive_driver", request["driver"])
    assert spec is not None
    assert spec.loader is not None
    driver = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(driver)
    code: int = driver.run(request)
    return code


def _read(folder: str) -> dict[str, Any]:
    with open(os.path.join(folder, "request.json"), encoding="ascii") as file:
        request = json.load(file)
    assert isinstance(request, dict)
    return request


def _prepare_process(request: Mapping[str, Any]) -> None:
    """What `python -u FILE args…` would find: the working folder on the path, its arguments, line by line output."""
    sys.path.insert(0, os.getcwd())
    sys.argv[:] = [request["main"], *request["args"]]
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = [sys.executable, *sys.argv]
    _prepare_streams()


def _prepare_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, __import__("io").TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _new_main(request: Mapping[str, Any]) -> dict[str, Any]:
    """A fresh ``__main__`` with the script's globals in it."""
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __file__=request["main"], os=os, sys=sys)
    main.__dict__.update(bindings.from_request(request))
    sys.modules["__main__"] = main
    return main.__dict__


def _compiled(request: Mapping[str, Any]) -> types.CodeType:
    with open(request["script"], encoding="utf-8", errors="surrogatepass", newline="") as file:
        source = file.read()
    errors.register(request["label"], source)
    return compile(source, request["label"], "exec", dont_inherit=True)


def _execute(request: Mapping[str, Any], scope: dict[str, Any], report: dict[str, Any]) -> int:
    """Run the script; puts what went wrong into the report and returns the exit code."""
    try:
        exec(_compiled(request), scope)
    except SystemExit as ended:
        report["exit"] = code = _exit_code(ended)
        return code
    except BaseException as error:
        errors.show(error)
        report["error"] = errors.describe(error)
        report["exit"] = code = 130 if isinstance(error, KeyboardInterrupt) else 1
        return code
    return 0


def _exit_code(ended: SystemExit) -> int:
    if ended.code is None:
        return 0
    if isinstance(ended.code, int):
        return ended.code & 0xFF
    errors.say(f"{ended.code}\n")
    return 1


def _wait_for_threads() -> None:
    """As the interpreter does before it ends, but while their changes still count."""
    threading = sys.modules.get("threading")
    shutdown = getattr(threading, "_shutdown", None)
    if shutdown is not None:
        try:
            shutdown()
        except KeyboardInterrupt as error:
            errors.show(error)


def _report(request: Mapping[str, Any], scope: Mapping[str, Any], report: dict[str, Any], code: int) -> int:
    """Write the report; returns the exit code, 1 where a value cannot travel."""
    try:
        _collect_maps(scope, report)
        if "exit" not in report:
            _collect_values(request, scope, report)
    except ValueError as error:
        code = _refuse(report, error, code)
    text = _as_text(report)
    if len(text) > request["limit"]:
        report.clear()
        code = _refuse(report, _too_large(len(text), request["limit"]), code)
        text = _as_text(report)
    half = request["report"] + ".part"
    with open(half, "w", encoding="ascii") as file:
        file.write(text)
    os.replace(half, request["report"])
    return code


def _refuse(report: dict[str, Any], error: ValueError, code: int) -> int:
    """Note that a value cannot travel. No line of the script is at fault, so no traceback: the message names it."""
    errors.say(f"{error}\n")
    kind = "" if isinstance(error, values.NotPortableValue) else type(error).__name__
    report.pop("values", None)
    report["error"] = {"type": kind, "message": str(error), "trace": str(error)}
    report["exit"] = code or 1
    return code or 1


def _as_text(report: Mapping[str, Any]) -> str:
    return json.dumps(report, separators=(",", ":"), allow_nan=False)


def _collect_maps(scope: Mapping[str, Any], report: dict[str, Any]) -> None:
    variables, results = scope.get("variables"), scope.get("resultMap")
    if isinstance(variables, bindings.VariablesMap):
        report["variablesSet"], report["variablesRemoved"] = variables.changes()
    if isinstance(results, bindings.VariablesMap):
        report["resultMap"] = results.changes()[0]
    environment = scope.get("forkEnvironment")
    if isinstance(environment, bindings.ForkEnvironment):
        report["forkEnvironment"] = environment.report


def _collect_values(request: Mapping[str, Any], scope: Mapping[str, Any], report: dict[str, Any]) -> None:
    """What ProActive's epilogue sends back; a script that left by ``sys.exit`` never gets there."""
    report["values"] = {
        name: values.to_wire(values.portable(scope[name], name)) for name in request["returns"] if name in scope
    }
    metadata = scope.get("resultMetadata")
    if request["resultMetadata"] is not None and metadata is not None:
        plain = values.portable(metadata, "resultMetadata")
        if not isinstance(plain, dict):
            raise values.NotPortableValue(
                "resultMetadata", type(metadata).__name__, "it is a map of texts", "use resultMetadata['name'] = 'text'"
            )
        report["resultMetadata"] = {values.text(name): values.text(value) for name, value in plain.items()}


def _too_large(size: int, limit: int) -> values.NotPortableValue:
    return values.NotPortableValue(
        "the result",
        f"{size / 1e6:.1f} MB with the variables",
        f"it is larger than {limit / 1e6:.1f} MB",
        "write large data to a file",
    )
