"""One stage: reads the request, runs the script as ``__main__``, writes the report."""

from __future__ import annotations

import builtins
import json
import os
import sys
import types

from . import bindings, errors, originals

TYPE_CHECKING = False  # importing `typing` would take longer than a small task
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from proactive_jupyter_kernel.workflow import values
    from proactive_jupyter_kernel.workflow.python_tasks import rich_outputs
else:
    values, rich_outputs = sys.modules["_proactive_values"], sys.modules["_proactive_tasks.rich_outputs"]

__all__ = ["REHEARSALS", "again", "rehearse", "run"]

# What the report needs, kept before the script can replace it.
_open, _replace_file, _getpid = open, os.replace, os.getpid
_open_file, _write_file, _close_file = os.open, os.write, os.close
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_DECODE: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_make_encoder = getattr(json.encoder, "c_make_encoder", None)
if _make_encoder is None:
    _encode: Any = _ENCODER.encode
else:
    _chunks = _make_encoder(
        None, _ENCODER.default, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, False
    )

    def _encode(report: Any) -> str:
        """As the encoder does it, without a function that the script could have replaced."""
        return "".join(_chunks(report, 0))


#: Values that need nothing of the standard library to travel.
_SIMPLE = frozenset((type(None), bool, int, float, str))
#: The request of a rehearsal.
_REHEARSAL = _encode(
    {
        "label": "<rehearsal>",
        "stage": "main",
        "main": "rehearsal.py",
        "code": "result = 1",
        "returns": ["result"],
        "report": os.devnull,
        "limit": 1000,
        "args": [],
        "variables": {"PA_JOB_ID": "1"},
        "resultMetadata": {},
        "resultMap": {},
        "results": [],
        **{name: {} for name in ("genericInformation", "credentials", "spaces", "node", "services")},
        **dict.fromkeys(("result", "nodesurl", "forkEnvironment")),
        "progressFile": "rehearsal",
    }
)
#: The integers that other languages can hold.
_LONG_MIN, _LONG_MAX = -(2**63), 2**63 - 1
#: Compile to a syntax tree; the value of `ast.PyCF_ONLY_AST`, whose module takes longer to import than a small task.
_ONLY_AST = 0x400
#: How often a template rehearses: Python counts the calls of a function, and rewrites its code after eight of them.
#: Both change memory.
REHEARSALS = 10
#: Where a script's last expression leaves its value. The code that the kernel adds for a server has `_proactive_last`.
_LAST = "_proactive_value_of_script"


def run(where: str) -> int:
    """Run a stage, whose request this is or lies in this folder, and return the exit code of its process."""
    request = _read(where)
    if "driver" in request:
        return _drive(request)
    here = _getpid()
    if not originals.taken():  # else the template did both
        originals.take()
        _prepare_streams()
    _prepare_process(request)
    scope = _new_main(request)
    maps = {name: scope.get(name) for name in ("variables", "resultMap", "forkEnvironment")}
    entries: dict[str, str] = {}
    outputs = _outputs(request, entries)
    outputs.install(scope)
    report: dict[str, Any] = {}
    code = _execute(request, scope, report)
    _wait_for_threads()
    last = scope.pop(_LAST, None)
    if code or last is not None or not _is_simple(request, scope, maps):
        originals.restore()
    if _getpid() == here:  # else: a child that the script forked, and that came to the script's end
        code = _report(request, {**scope, **maps, _LAST: last}, report, outputs, entries, code)
    return code


def rehearse() -> None:
    """Run a stage that does nothing, in a template before it forks: what is done for the first time changes more of the
    memory than later, and each page that a fork changes has to be copied."""
    request = _read(_REHEARSAL)
    # The only variable that a stage sets by itself; a look at all of them would touch as much memory as the rest.
    backend, main = os.environ.get("MPLBACKEND"), sys.modules["__main__"]
    _prepare_process(request)
    scope = _new_main(request)
    outputs = _outputs(request, {})
    outputs.install(scope)
    _execute(request, scope, {})
    _has_no_threads(sys.modules.get("threading"))
    last = scope.pop(_LAST, None)
    maps = {name: scope.get(name) for name in ("variables", "resultMap", "forkEnvironment")}
    if _is_simple(request, scope, maps):
        _report(request, {**scope, **maps, _LAST: last}, {}, outputs, {}, 0)
    # What the stage put in front; each stage sets the arguments anew.
    del sys.path[0], sys.meta_path[0]
    if backend is None:
        del os.environ["MPLBACKEND"]
    else:
        os.environ["MPLBACKEND"] = backend
    sys.modules["__main__"] = main
    errors.forget(request["label"])


def _is_simple(request: Mapping[str, Any], scope: Mapping[str, Any], maps: Mapping[str, Any]) -> bool:
    """Whether the report can be made without anything that a script could have replaced: that is looked for in vain in
    nearly all tasks, and to put everything back takes as long as all the rest of a small one."""
    return (
        all(type(scope.get(name)) in _SIMPLE for name in request["returns"])
        and not any(type(one) is bindings.VariablesMap and one.is_changed for one in maps.values())
        and not scope.get("resultMetadata")
        and maps["forkEnvironment"] is None
        and "matplotlib.pyplot" not in sys.modules
    )


def _outputs(request: Mapping[str, Any], entries: dict[str, str]) -> Any:
    """What the script shows; the entries are those of the result's metadata."""
    already = sum(name.startswith(rich_outputs.PREFIX) for name in request["resultMetadata"] or ())
    return rich_outputs.Outputs(entries.__setitem__, already)


def again(where: str, scope: dict[str, Any]) -> None:
    """Run the script once more, in a child that `multiprocessing` spawned and that imports its parent's main module."""
    request = _read(where)
    scope.update(bindings.from_request(request))
    scope.update(os=os, sys=sys)
    _outputs(request, {}).install(scope)
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


def _read(where: str) -> dict[str, Any]:
    if where.startswith("{"):
        request = _DECODE(where, 0)[0]
    else:
        with open(os.path.join(where, "request.json"), encoding="ascii") as file:
            request = json.load(file)
    assert isinstance(request, dict)
    return request


def _prepare_process(request: Mapping[str, Any]) -> None:
    """What `python -u FILE args…` would find: the working folder on the path, its arguments, line by line output."""
    sys.path.insert(0, os.getcwd())
    sys.argv[:] = [request["main"], *request["args"]]
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = [sys.executable, *sys.argv]


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
    source = request.get("code")
    if source is None:
        with open(request["script"], encoding="utf-8", errors="surrogatepass", newline="") as file:
            source = file.read()
    errors.register(request["label"], source)
    if not _wants_last(request) or source.rstrip().endswith(";"):
        return compile(source, request["label"], "exec", dont_inherit=True)
    tree = compile(source, request["label"], "exec", _ONLY_AST, dont_inherit=True)
    _keep_last(tree)
    return compile(tree, request["label"], "exec", dont_inherit=True)


def _wants_last(request: Mapping[str, Any]) -> bool:
    """Whether the value of the last expression counts: the kernel asks for that, and a workflow from elsewhere not."""
    return bool(request["stage"] == "main" and request["genericInformation"].get(rich_outputs.WANTED) == "result")


def _keep_last(tree: Any) -> None:
    """Have the value of the script's last expression assigned; the lines that export variables may follow it."""
    index = len(tree.body) - 1
    while index >= 0 and _exports(tree.body[index]):
        index -= 1
    if index >= 0 and type(tree.body[index]).__name__ == "Expr" and not rich_outputs.is_effect(tree.body[index].value):
        import _ast

        expression = tree.body[index]
        span: dict[str, Any] = {name: getattr(expression, name, None) for name in expression._attributes}
        target = _ast.Name(id=_LAST, ctx=_ast.Store(), **span)
        tree.body[index] = _ast.Assign(targets=[target], value=expression.value, type_comment=None, **span)


def _exports(statement: Any) -> bool:
    """Whether it is one of the statements that the kernel puts after a task's code: ``try: x … variables.put(…)``."""
    if type(statement).__name__ != "Try" or len(statement.orelse) != 1:
        return False
    call = getattr(statement.orelse[0], "value", None)
    function = getattr(call, "func", None)
    owner = getattr(getattr(function, "value", None), "id", "")
    return getattr(function, "attr", "") == "put" and owner == "variables"


def _execute(request: Mapping[str, Any], scope: dict[str, Any], report: dict[str, Any]) -> int:
    """Run the script; puts what went wrong into the report and returns the exit code."""
    try:
        exec(_compiled(request), scope)
    except SystemExit as ended:
        with originals.InPlace():
            report["exit"] = code = _exit_code(ended)
        return code
    except BaseException as error:
        with originals.InPlace():
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
    errors.say(f"{errors.text_of(ended.code)}\n")
    return 1


def _wait_for_threads() -> None:
    """As the interpreter does before it ends, but while their changes still count."""
    threading = sys.modules.get("threading")
    if _has_no_threads(threading):
        return
    shutdown = getattr(threading, "_shutdown", None)
    if shutdown is not None:
        try:
            shutdown()
        except KeyboardInterrupt as error:
            errors.show(error)
        except Exception:  # the script has replaced what it needs
            originals.restore()
            threading._shutdown()  # type: ignore[union-attr]


def _has_no_threads(threading: Any) -> bool:
    """Whether there is nothing to wait for, by what `threading` keeps of it, where that is as it is known here.

    A thread that starts is in `_limbo` until it is in `_active`, where the main thread is, too.
    """
    try:
        return not threading._threading_atexits and len(threading._active) == 1 and not threading._limbo
    except (AttributeError, TypeError):
        return False


def _report(
    request: Mapping[str, Any],
    scope: Mapping[str, Any],
    report: dict[str, Any],
    outputs: Any,
    entries: Mapping[str, str],
    code: int,
) -> int:
    """Write the report; returns the exit code, 1 where a value cannot travel."""
    try:
        _collect_maps(scope, report)
        if "exit" not in report:
            _collect_values(request, scope, report, outputs)
        _show_figures(scope, outputs)
        _collect_metadata(request, scope, report, entries)
        text = _encode(report)
    except values.NotPortableValue as error:
        originals.restore()
        text, code = _refuse(report, error, code)
    except BaseException as error:  # code of the script that runs when a value is read: a generator, a pickled class
        originals.restore()
        text, code = _failed(report, error, code)
    if len(text) > request["limit"]:
        report.clear()
        text, code = _refuse(report, _too_large(len(text), request["limit"]), code)
    try:
        try:
            _write(request["report"], text)
        except OSError:
            # The node holds it open, and perhaps the script gave up the right to reach that.
            if "spare" not in request:
                raise
            _write(request["spare"], text)
    except OSError as error:
        message = f"The result could not be written: {error.strerror or error}"
        errors.say(f"{message}\n")
        text, code = _with_error(report, {"type": "", "message": message, "trace": message}, code)
        try:
            _write(request["report"], text)
        except OSError:
            return code  # then the end of the process without a report has to tell
    return code


def _write(path: str, text: str) -> None:
    if path.startswith(("/proc/", os.devnull)):  # in the memory of the node
        descriptor = _open_file(path, os.O_WRONLY | os.O_TRUNC)
        try:
            data = memoryview(text.encode("ascii"))
            while data:
                data = data[_write_file(descriptor, data) :]
        finally:
            _close_file(descriptor)
        return
    half = path + ".part"
    with _open(half, "w", encoding="ascii") as file:
        file.write(text)
    _replace_file(half, path)


def _refuse(report: dict[str, Any], error: ValueError, code: int) -> tuple[str, int]:
    """Note that a value cannot travel. No line of the script is at fault, so no traceback: the message names it."""
    errors.say(f"{error}\n")
    return _with_error(report, {"type": "", "message": str(error), "trace": str(error)}, code)


def _failed(report: dict[str, Any], error: BaseException, code: int) -> tuple[str, int]:
    """Note that the script's own code failed when its values were read."""
    errors.say("The script ended, and then its values could not be read:\n")
    errors.show(error)
    return _with_error(report, errors.describe(error), code)


def _with_error(report: dict[str, Any], error: dict[str, str], code: int) -> tuple[str, int]:
    kept: dict[str, Any] = {name: report[name] for name in ("variablesSet", "variablesRemoved") if name in report}
    report.clear()
    report.update(kept, error=error, exit=code or 1)
    return _ENCODER.encode(report), code or 1


def _collect_maps(scope: Mapping[str, Any], report: dict[str, Any]) -> None:
    variables, results = scope.get("variables"), scope.get("resultMap")
    if isinstance(variables, bindings.VariablesMap):
        report["variablesSet"], report["variablesRemoved"] = variables.changes()
    if isinstance(results, bindings.VariablesMap):
        report["resultMap"] = results.changes()[0]
    environment = scope.get("forkEnvironment")
    if isinstance(environment, bindings.ForkEnvironment):
        report["forkEnvironment"] = environment.report


def _collect_values(request: Mapping[str, Any], scope: Mapping[str, Any], report: dict[str, Any], outputs: Any) -> None:
    """What ProActive's epilogue sends back; a script that left by ``sys.exit`` never gets there."""
    plain = bindings.wants_plain(request)
    found = report["values"] = {}
    for name in request["returns"]:
        if name not in scope:
            continue
        value = scope[name]
        kind = type(value)
        # Most results are simple, and need none of the functions that change memory when they are called.
        if (
            value is None
            or kind is bool
            or (kind is int and _LONG_MIN <= value <= _LONG_MAX)
            or (kind is str and value.isascii())
        ):
            found[name] = value
        else:
            found[name] = values.to_wire(values.portable(value, name, tags=True, plain=plain))
    last = scope[_LAST]
    if last is None or last is Ellipsis:
        return
    is_result = "result" not in found and not rich_outputs.is_part_of_figure(last)
    if is_result:
        try:
            found["result"] = values.to_wire(values.portable(last, "result", tags=True, plain=plain))
        except values.NotPortableValue:
            is_result = False  # not meant as the result: it is only shown
    outputs.last(last, is_result)


def _show_figures(scope: Mapping[str, Any], outputs: Any) -> None:
    """Show what the script drew and left open."""
    try:
        outputs.figures(but=scope.get("result", scope[_LAST]))
    except Exception as error:
        errors.say(f"A figure could not be drawn: {type(error).__name__}: {error}\n")


def _collect_metadata(
    request: Mapping[str, Any], scope: Mapping[str, Any], report: dict[str, Any], entries: Mapping[str, str]
) -> None:
    if request["resultMetadata"] is None:
        return
    metadata = scope.get("resultMetadata") if "exit" not in report else request["resultMetadata"]
    if not metadata and isinstance(metadata, (dict, type(None))):
        report["resultMetadata"] = dict(entries)
        return
    plain = values.portable(metadata, "resultMetadata")
    if not isinstance(plain, dict):
        raise values.NotPortableValue(
            "resultMetadata", type(metadata).__name__, "it is a map of texts", "use resultMetadata['name'] = 'text'"
        )
    report["resultMetadata"] = {values.text(name): values.text(value) for name, value in plain.items()}
    report["resultMetadata"].update(entries)


def _too_large(size: int, limit: int) -> values.NotPortableValue:
    return values.NotPortableValue(
        "the result",
        f"{size:,} bytes with the variables",
        f"it is larger than {limit:,} bytes (PROACTIVE_KERNEL_RESULT_BYTES)",
        "write large data to a file",
    )
