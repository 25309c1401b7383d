"""The rich outputs of a Python task, as in a notebook cell: figures, ``display(...)``, the value of a last expression.

Each output is a MIME bundle, and becomes an entry of the task's result metadata, ``proactive.display.1`` and so on:
JSON ``{"data": {type: content}, "metadata": {...}}``, images in base64. Any scheduler passes it to the client.

Runs inside tasks, under Python 3.6 or later; see the package's docstring for what that means.
"""

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["MOST", "NO_RESULT", "PREFIX", "RESULT", "WANTED", "Outputs", "bundle_of", "is_effect"]

#: Prefix of the metadata entries of outputs; a number, from 1, follows.
PREFIX = "proactive.display."
#: The number of the output that is also the result of the task, because it is the value of the last expression.
RESULT = "proactive.display_of_result"
#: Generic information with which the kernel asks the embedded scheduler for the value of a task's last expression.
WANTED = "PYTHON_LAST_VALUE"
#: Maps and objects of ProActive: their methods are called for their side effects.
_EFFECTS = ("variables", "resultMap", "resultMetadata", "progress", "genericInformation")
#: Present if a task set no result: its value, true, is the default of the scheduler.
NO_RESULT = "proactive.no_result"
#: Maximum number of characters of all outputs of one task, and of the text of one output.
MOST = 4000000
_LONGEST_TEXT = 20000

#: Method -> MIME type, in the order of IPython.
_METHODS = (
    ("_repr_html_", "text/html"),
    ("_repr_markdown_", "text/markdown"),
    ("_repr_svg_", "image/svg+xml"),
    ("_repr_png_", "image/png"),
    ("_repr_jpeg_", "image/jpeg"),
    ("_repr_latex_", "text/latex"),
    ("_repr_json_", "application/json"),
)
#: Always removed: it would run in the browser of the reader.
_REFUSED = ("application/javascript",)


class Outputs:
    """The outputs of one script; `put` is called with the key and text of each metadata entry."""

    def __init__(self, put: "Callable[[str, str], Any]", already: "int" = 0) -> None:
        self._put = put
        self._count = already
        self._size = 0
        self._full = False

    def display(self, *objects: "Any", **options: "Any") -> None:
        """Display objects as IPython's ``display`` does; ``raw=True``: they are already MIME bundles."""
        for value in objects:
            if options.get("raw"):
                self.add({str(kind): _text_of(content) for kind, content in value.items()})
            else:
                self.add(*bundle_of(value))

    def add(self, data: "dict[str, Any]", metadata: "dict[str, Any] | None" = None) -> None:
        """Store one output; outputs beyond the limit are dropped, with one notice."""
        if self._full:
            return
        data = {kind: content for kind, content in data.items() if kind not in _REFUSED}
        text = json.dumps({"data": data, "metadata": metadata or {}})
        if self._size + len(text) > MOST:
            self._full = True
            note = f"Further outputs are not shown: a task shows {MOST:,} characters at most, images in base64."
            text = json.dumps({"data": {"text/plain": note}, "metadata": {}})
        self._size += len(text)
        self._count += 1
        self._put(PREFIX + str(self._count), text)

    def figures(self, but: "Any" = None) -> None:
        """Display pyplot's open figures, except one, and close them, as a notebook does."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        for number in pyplot.get_fignums():
            figure = pyplot.figure(number)
            if figure is not but:
                self.add(*bundle_of(figure))
        pyplot.close("all")

    def last(self, value: "Any", is_result: "bool") -> None:
        """Display the value of the last expression of a script; `is_result`: it is also the result of the task."""
        if is_part_of_figure(value) or self._full:
            return
        self.display(value)
        if is_result:
            self._put(RESULT, str(self._count))

    def install(self, scope: "dict[str, Any]") -> None:
        """Define ``display`` for the script, and redirect the displays of pyplot and IPython when they are imported."""
        scope["display"] = self.display
        # The backend of the kernel, which the scheduler may have inherited, needs a kernel; the others need a screen.
        if os.environ.get("MPLBACKEND", "").startswith(("module://matplotlib_inline", "module://ipykernel")):
            del os.environ["MPLBACKEND"]
        os.environ.setdefault("MPLBACKEND", "agg")
        sys.meta_path.insert(0, _AfterImport({
            "matplotlib.pyplot": {"show": lambda *arguments, **options: self.figures()},
            "IPython.core.display_functions": {"display": self.display, "update_display": self.display},
        }))  # fmt: skip


class _AfterImport:
    """Sets names in modules when the script imports them."""

    def __init__(self, changes: "dict[str, dict[str, Any]]") -> None:
        self._changes = changes

    def find_spec(self, name: "str", path: "Any" = None, target: "Any" = None) -> "Any":
        changes = self._changes.get(name)
        if changes is None:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find is not None else None
            if spec is not None:
                self._follow(spec.loader, changes)
                return spec
        return None

    @staticmethod
    def _follow(loader: "Any", changes: "dict[str, Any]") -> None:
        execute = getattr(loader, "exec_module", None)
        if execute is None:
            return

        def exec_module(module: "Any") -> None:
            execute(module)
            vars(module).update(changes)

        loader.exec_module = exec_module


def bundle_of(value: "Any") -> "list[dict[str, Any]]":
    """The MIME bundle of an object and its metadata, as IPython creates them; ``text/plain`` is always included."""
    data: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    if not isinstance(value, type):
        if _is(value, "matplotlib", "Figure"):
            data["image/png"] = _png(value)
        made = _asked(value, "_repr_mimebundle_")
        for part, target in zip(made if isinstance(made, tuple) else (made,), (data, metadata)):  # noqa: B905
            target.update(part or {})
        for method, kind in () if made else _METHODS:
            found = _asked(value, method)
            if isinstance(found, tuple) and found:
                metadata[kind] = found[1] if len(found) > 1 else {}
                found = found[0]
            if found is not None:
                data[kind] = found
    data = {str(kind): _text_of(content) for kind, content in data.items()}
    if "text/plain" not in data:
        data["text/plain"] = _shown(value)
    return [data, {kind: found for kind, found in metadata.items() if found and isinstance(found, dict)}]


def is_effect(expression: "Any") -> "bool":
    """Whether a syntax tree calls a method of ``variables`` or a similar object, whose value is not displayed."""
    owner = getattr(getattr(getattr(expression, "func", None), "value", None), "id", "")
    return owner in _EFFECTS and expression.func.attr not in ("get", "copy", "items", "keys", "values")


def is_part_of_figure(value: "Any") -> "bool":
    """Whether a value is the return value of a plotting function, such as lines or axes, which the figure shows."""
    if isinstance(value, (list, tuple)):
        return any(is_part_of_figure(item) for item in value[:10])
    if _is(value, "numpy", "ndarray"):
        return bool(value.dtype.hasobject and value.size and is_part_of_figure(value.flat[0]))
    return str(type(value).__module__).split(".")[0] in ("matplotlib", "seaborn") and not _is(
        value, "matplotlib", "Figure"
    )


def _is(value: "Any", library: "str", name: "str") -> "bool":
    return any(base.__name__ == name and str(base.__module__).split(".")[0] == library for base in type(value).__mro__)


def _asked(value: "Any", method: "str") -> "Any":
    """The return value of the object's method; None if it does not exist or fails, as in IPython."""
    found = getattr(type(value), method, None)
    if not callable(found):
        return None
    try:
        return getattr(value, method)()
    except Exception:
        return None


def _png(figure: "Any") -> "bytes":
    import io

    stream = io.BytesIO()
    figure.savefig(stream, format="png", bbox_inches="tight")
    return stream.getvalue()


def _shown(value: "Any") -> "str":
    try:
        text = value if isinstance(value, str) and type(value) is not str else repr(value)
    except Exception as error:
        text = f"<{type(value).__name__} whose text cannot be shown: {type(error).__name__}>"
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + " ..."


def _text_of(content: "Any") -> "Any":
    """A part of a bundle in JSON form."""
    if isinstance(content, (bytes, bytearray)):
        import base64

        return base64.b64encode(bytes(content)).decode("ascii")
    if isinstance(content, (str, dict, list)):
        return content
    return str(content)
