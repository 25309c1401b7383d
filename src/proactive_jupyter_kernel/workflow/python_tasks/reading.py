"""Opens tagged bytes.

Runs inside tasks, under Python 3.6 or later, and in the notebook; see the package's docstring for what that means.
"""

import sys

from .tagged import LONGEST_TEXT, PYTHON, PngImage, Unreadable, Untrusted, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["decode"]

#: The classes that an untrusted pickle may use: classes of the standard library that only hold data.
_HARMLESS = {
    "builtins": ("complex", "set", "frozenset", "bytearray", "range", "slice"),
    "collections": ("OrderedDict", "Counter", "deque"),
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "pathlib": ("PurePath", "PurePosixPath", "PureWindowsPath", "Path", "PosixPath", "WindowsPath"),
    "uuid": ("UUID", "SafeUUID"),
    "zoneinfo": ("ZoneInfo", "ZoneInfo._unpickle"),
}


def decode(data: "bytes", where: "str" = "The value", trust: "bool" = True) -> "Any":
    """See `tagged.decode`."""
    header, payload = split(data)
    reader = _READERS.get(header["kind"])
    if reader is None:
        raise _unreadable(header, where, "this release does not support that kind; install a newer one")
    try:
        return reader(header, payload, where, trust)
    except Unreadable:
        raise
    except ImportError as error:
        root = (error.name or "").split(".")[0] or str(error)
        here = sys.executable or "this Python"
        raise _unreadable(header, where, f"the module {root} is missing here; install it for {here}") from None
    except Exception as error:  # whatever a library or a class's own methods raise
        problem = "{}: {}".format(type(error).__name__, " ".join(str(error).split())[:LONGEST_TEXT])
        raise _unreadable(header, where, f"it cannot be opened here ({problem})" + _advice(header)) from None


def _unreadable(
    header: "dict[str, Any]", where: "str", why: "str", kind: "type[Unreadable]" = Unreadable
) -> "Unreadable":
    library = " with {}".format(header["library"]) if header["library"] else ""
    return kind(
        "{} is a value of type {} that Python {}{} wrote; {}.".format(
            where, header["type"], header["python"], library, why
        )
    )


def _advice(header: "dict[str, Any]") -> "str":
    """What to do if versions differ or a class is not defined."""
    root, _, version = header["library"].partition(" ")
    ours = getattr(sys.modules.get(root), "__version__", "") if root else ""
    differences = []
    if header["python"] != PYTHON:
        differences.append(f"Python {PYTHON}")
    if ours and ours != version:
        differences.append(f"{root} {ours}")
    if differences:
        return "; here is {}: use the same versions on both sides, or pass plain data".format(
            " with ".join(differences)
        )
    return ""


def _read_npy(header: "dict[str, Any]", payload: "bytes", where: "str", trust: "bool") -> "Any":
    import io

    import numpy

    found = numpy.load(io.BytesIO(payload), allow_pickle=False)
    return found if header["type"] == "numpy.ndarray" else found[()]


def _read_arrow(header: "dict[str, Any]", payload: "bytes", where: "str", trust: "bool") -> "Any":
    name = header["type"]
    if name.startswith("polars."):
        import io

        import polars

        frame = polars.read_ipc_stream(io.BytesIO(payload))
        return frame if name == "polars.DataFrame" else frame.to_series()
    if name.startswith("nanoarrow.") and "pyarrow" not in sys.modules:
        import nanoarrow

        return nanoarrow.ArrayStream(nanoarrow.ipc.InputStream.from_readable(payload)).read_all()
    if name.startswith("pandas."):
        import pandas  # noqa: F401  # missing, it is what the reader has to install
    import pyarrow

    table = pyarrow.ipc.open_stream(payload).read_all()
    if name == "pandas.DataFrame":
        return table.to_pandas()
    if name == "pandas.Series":
        series = table.to_pandas().iloc[:, 0]
        return series if isinstance(series.name, str) else series.rename(None)
    if name.startswith("nanoarrow."):
        import nanoarrow

        return nanoarrow.Array(table)
    return table.to_batches()[0] if name == "pyarrow.RecordBatch" and table.num_rows else table


def _read_png(header: "dict[str, Any]", payload: "bytes", where: "str", trust: "bool") -> "Any":
    """A Pillow image if it was one and Pillow is installed, else the PNG itself."""
    if header["type"].startswith("PIL."):
        try:
            import io

            from PIL import Image

            found = Image.open(io.BytesIO(payload))
            found.load()
            return found
        except ImportError:
            pass
    return PngImage(payload)


def _read_pickle(header: "dict[str, Any]", payload: "bytes", where: "str", trust: "bool") -> "Any":
    size = header["by_value"]
    if size is None:
        return _unpickled(header, payload, where, trust)
    if size:
        try:
            return _unpickled(header, payload[:size], where, trust)
        except (AttributeError, ImportError):
            pass  # the classes are not defined here: their code is in the second pickle
    if not trust:
        raise _untrusted(header, where)
    if header["python"] != PYTHON:
        why = "it holds code, which only Python {} can read; this is Python {}: use the same Python on both sides"
        raise _unreadable(header, where, why.format(header["python"], PYTHON) + " (PYTHON_COMMAND), or pass plain data")
    import pickle

    return pickle.loads(payload[size:])


def _unpickled(header: "dict[str, Any]", payload: "bytes", where: "str", trust: "bool") -> "Any":
    import io
    import pickle

    class Reader(pickle.Unpickler):
        def find_class(self, module: "str", name: "str") -> "Any":
            if module.split(".")[0] == "pathlib":
                module, name = "pathlib", _PATHS.get((sys.platform == "win32", name), name)
            if not trust and name not in _HARMLESS.get(module, ()):
                raise _untrusted(header, where)
            try:
                return super().find_class(module, name)
            except AttributeError:
                if module != "__main__":
                    raise
                raise AttributeError(
                    f"{name} is defined in the task that wrote it, and not here: define it here, too (#%import puts "
                    "code at the start of every task), or install cloudpickle where the other task runs"
                ) from None

    return Reader(io.BytesIO(payload)).load()


#: Paths of the other system are read as pure paths: they cannot be opened here anyway.
_PATHS = {(False, "WindowsPath"): "PureWindowsPath", (True, "PosixPath"): "PurePosixPath"}


def _untrusted(header: "dict[str, Any]", where: "str") -> "Unreadable":
    return _unreadable(header, where, "opening it can run code of its author", Untrusted)


_READERS: "dict[str, Callable[[dict[str, Any], bytes, str, bool], Any]]" = {
    "npy": _read_npy,
    "arrow": _read_arrow,
    "png": _read_png,
    "pickle": _read_pickle,
}
