"""Writes values as tagged bytes: one function for each kind of value, selected by its class.

Runs inside tasks, under Python 3.6 or later; see the package's docstring for what that means.
"""

import sys

from .tagged import LONGEST_TEXT, PYTHON, NotSerializable, PngImage, Travelled, is_tagged, join, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["encode", "takes", "type_name"]

#: Protocol 4 is the newest that Python 3.6 reads.
_PROTOCOL = 4


def takes(value: "Any") -> "bool":
    """See `tagged.takes`."""
    kind = type(value)
    if kind in (str, int, list, dict, tuple):
        return False
    if isinstance(value, bytes):
        return is_tagged(value) or isinstance(value, PngImage)
    return _encoder(kind) is not None or (isinstance(value, tuple) and hasattr(kind, "_fields"))


def _encoder(kind: "type") -> "Callable[[Any], Any] | None":
    for base in kind.__mro__:
        found = _ENCODERS.get((_root(base), base.__name__))
        if found is not None:
            return found
    return None


def encode(value: "Any", plain: "bool" = False) -> "Any":
    """See `tagged.encode`."""
    if plain:
        found = _as_plain(value)
        if found is not value:
            return found
    if isinstance(value, PngImage):
        return _tagged("png", value, bytes(value))
    encoder = _encoder(type(value))
    return _pickled(value) if encoder is None else encoder(value)


def _scalar(value: "Any") -> "Any":
    """NumPy's numbers and texts become Python's; times and wider types keep their type."""
    kind, size = value.dtype.kind, value.dtype.itemsize
    if not (kind in "biuSU" or (kind == "f" and size <= 8) or (kind == "c" and size <= 16)):
        return _array(value)
    found = value.item()
    return _pickled(found) if kind == "c" or (kind == "u" and found >= 2**63) else found


def _array(value: "Any") -> "bytes":
    import io

    numpy = sys.modules["numpy"]
    is_scalar = isinstance(value, numpy.generic)
    if value.dtype.hasobject or not (is_scalar or type(value) is numpy.ndarray):
        return _pickled(value)
    stream = io.BytesIO()
    numpy.save(stream, value, allow_pickle=False)
    about = str(value.dtype) if is_scalar else f"{value.dtype} {value.shape}"
    return _tagged("npy", value, stream.getvalue(), about, text=str(value) if is_scalar else None)


def _arrow(value: "Any", table: "Any", about: "str") -> "bytes":
    """A table of pyarrow in Arrow's stream format."""
    import io

    import pyarrow

    stream = io.BytesIO()
    with pyarrow.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    return _tagged("arrow", value, stream.getvalue(), about)


def _about_table(rows: "int", columns: "Any") -> "str":
    names = [str(name) for name in columns]
    shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    return "{:,} row{} x {:,} column{} ({})".format(
        rows, "" if rows == 1 else "s", len(names), "" if len(names) == 1 else "s", shown
    )


def _pandas_frame(value: "Any") -> "bytes":
    """Arrow if it preserves the table, else a pickle."""
    if type_name(type(value)) != "pandas.DataFrame":
        return _pickled(value)
    about = _about_table(len(value), value.columns)
    try:
        import pyarrow

        table = pyarrow.Table.from_pandas(value)
        same = table.slice(0, 50).to_pandas()
        if not (same.dtypes.equals(value.dtypes) and same.equals(value.head(50))):
            return _pickled(value, about)
    except Exception:  # not installed, or columns that Arrow has no form for
        return _pickled(value, about)
    return _arrow(value, table, about)


def _pandas_series(value: "Any") -> "bytes":
    about = f"{value.dtype} ({len(value):,})"
    if type_name(type(value)) != "pandas.Series" or not (value.name is None or isinstance(value.name, str)):
        return _pickled(value, about)
    header, payload = split(_pandas_frame(value.to_frame()))
    return _tagged("arrow", value, payload, about) if header["kind"] == "arrow" else _pickled(value, about)


def _polars(value: "Any") -> "bytes":
    """Polars writes Arrow itself."""
    import io

    name = type_name(type(value))
    if name not in ("polars.DataFrame", "polars.Series"):
        return _pickled(value)
    frame = value if name == "polars.DataFrame" else value.to_frame()
    about = _about_table(frame.height, frame.columns) if frame is value else f"{value.dtype} ({len(value):,})"
    stream = io.BytesIO()
    try:
        frame.write_ipc_stream(stream)
    except Exception:  # columns of Python objects
        return _pickled(value, about)
    return _tagged("arrow", value, stream.getvalue(), about)


def _pyarrow(value: "Any") -> "bytes":
    import pyarrow

    is_batch = isinstance(value, pyarrow.RecordBatch)
    table = pyarrow.Table.from_batches([value]) if is_batch else value
    return _arrow(value, table, _about_table(table.num_rows, table.column_names))


def _nanoarrow(value: "Any") -> "bytes":
    import io

    from nanoarrow.ipc import StreamWriter

    stream = io.BytesIO()
    try:
        with StreamWriter.from_writable(stream) as writer:
            writer.write_stream(value)
    except Exception as error:
        raise NotSerializable(f"nanoarrow cannot write it ({error})", "pass it as a pyarrow.Table") from None
    return _tagged("arrow", value, stream.getvalue())


def _figure(value: "Any") -> "bytes":
    import io

    stream = io.BytesIO()
    value.savefig(stream, format="png", bbox_inches="tight")
    return _tagged("png", value, stream.getvalue(), "{:g} x {:g} inches".format(*value.get_size_inches()))


def _image(value: "Any") -> "bytes":
    import io

    about = f"{value.width} x {value.height} {value.mode}"
    stream = io.BytesIO()
    try:
        value.save(stream, format="png")
    except Exception:  # a mode that PNG has no form for
        return _pickled(value, about)
    return _tagged("png", value, stream.getvalue(), about)


def _open_file(value: "Any") -> "Any":
    """Refused: cloudpickle would send the whole content, and its position has no meaning in another process."""
    raise NotSerializable("it is an open file", "")


def _pickled(value: "Any", about: "str" = "") -> "bytes":
    """A pickle; if it uses classes or functions of the task, a second one contains their code.

    The first of the two has ``by_value`` bytes, 0 if there is none. Readers that define the classes themselves open the
    first one; only cloudpickle can write the second one.
    """
    import pickle

    payload, problem = b"", None
    try:
        payload = pickle.dumps(value, _PROTOCOL)
    except Exception as error:  # whatever a class's own methods raise
        problem = error
    by_value = None
    if problem is not None or b"__main__" in payload:
        try:
            import cloudpickle

            code = cloudpickle.dumps(value, _PROTOCOL)
        except ImportError:
            code = b""
        except Exception as error:
            code, problem = b"", problem or error
        if code:
            by_value, payload = len(payload), payload + code
        elif problem is not None:
            message = " ".join(str(problem).split())[:LONGEST_TEXT] or type(problem).__name__
            raise NotSerializable(f"it cannot be pickled ({message})", "")
    return _tagged("pickle", value, payload, about, text=_short_text(value), by_value=by_value)


def _short_text(value: "Any") -> "str | None":
    """The text or number that tasks of other languages read for a value; None if there is none."""
    if isinstance(value, int):
        return str(int(value))
    for base in type(value).__mro__:
        make = _TEXTS.get((_root(base), base.__name__))
        if make is not None:
            return str(make(value))
    return None


_TEXTS: "dict[tuple[str, str], Callable[[Any], Any]]" = {
    ("enum", "Enum"): lambda value: value.value,
    ("datetime", "timedelta"): lambda value: value.total_seconds(),
    ("datetime", "date"): lambda value: value.isoformat(),
    ("datetime", "time"): lambda value: value.isoformat(),
    ("decimal", "Decimal"): str,
    ("fractions", "Fraction"): str,
    ("pathlib", "PurePath"): str,
    ("uuid", "UUID"): str,
    ("builtins", "complex"): str,
}


#: (library, class) -> its encoder; looked up along the base classes.
_ENCODERS: "dict[tuple[str, str], Callable[[Any], Any]]" = {
    ("numpy", "generic"): _scalar,
    ("numpy", "ndarray"): _array,
    ("pandas", "DataFrame"): _pandas_frame,
    ("pandas", "Series"): _pandas_series,
    ("pandas", "Index"): _pickled,
    ("pandas", "Timestamp"): _pickled,
    ("polars", "DataFrame"): _polars,
    ("polars", "Series"): _polars,
    ("pyarrow", "Table"): _pyarrow,
    ("pyarrow", "RecordBatch"): _pyarrow,
    ("nanoarrow", "Array"): _nanoarrow,
    ("nanoarrow", "ArrayStream"): _nanoarrow,
    ("matplotlib", "Figure"): _figure,
    ("PIL", "Image"): _image,
    ("enum", "Enum"): _pickled,
    ("torch", "Tensor"): _pickled,
    ("_io", "_IOBase"): _open_file,
    # An entry of results of the embedded scheduler.
    ("_proactive", "TaskResult"): lambda value: Travelled(value.portable()),
}


def _as_plain(value: "Any") -> "Any":
    """Lists, records, numbers and texts for a value; the value itself if there is no plain form."""
    kind = type(value)
    for base in kind.__mro__:
        make = _PLAIN.get((_root(base), base.__name__))
        if make is not None:
            return make(value)
    if hasattr(kind, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in kind.__dataclass_fields__}
    if isinstance(value, tuple):
        return list(value)
    return value


_PLAIN: "dict[tuple[str, str], Callable[[Any], Any]]" = {
    ("numpy", "generic"): lambda value: value.item(),
    ("numpy", "ndarray"): lambda value: value.tolist(),
    ("pandas", "DataFrame"): lambda value: value.to_dict("records"),
    ("pandas", "Series"): lambda value: value.tolist(),
    ("pandas", "Index"): lambda value: value.tolist(),
    ("polars", "DataFrame"): lambda value: value.to_dicts(),
    ("polars", "Series"): lambda value: value.to_list(),
    ("pyarrow", "Table"): lambda value: value.to_pylist(),
    ("pyarrow", "RecordBatch"): lambda value: value.to_pylist(),
    ("enum", "Enum"): lambda value: value.value,
    ("datetime", "timedelta"): lambda value: value.total_seconds(),
    ("datetime", "date"): lambda value: value.isoformat(),
    ("datetime", "time"): lambda value: value.isoformat(),
    ("fractions", "Fraction"): str,
    ("pathlib", "PurePath"): str,
    ("uuid", "UUID"): str,
    ("builtins", "complex"): lambda value: [value.real, value.imag],
}


# --- the header ---


def _tagged(kind: "str", value: "Any", payload: "bytes", about: "str" = "", **more: "Any") -> "bytes":
    header: dict[str, Any] = {
        "kind": kind,
        "type": type_name(type(value)),
        "python": PYTHON,
        "library": _library(type(value)),
        "about": about[:LONGEST_TEXT],
    }
    header.update(more)
    return join(header, payload)


def type_name(kind: "type") -> "str":
    """The usual name of a class: ``pandas.DataFrame``, ``Point``."""
    module = str(kind.__module__)
    if module in ("builtins", "__main__"):
        return kind.__qualname__
    root = module.split(".")[0]
    # Libraries define classes in submodules and export them at the top level.
    shown = root if getattr(sys.modules.get(root), kind.__qualname__, None) is kind else module
    return f"{shown}.{kind.__qualname__}"


def _root(kind: "type") -> "str":
    return str(kind.__module__).split(".")[0]


def _library(kind: "type") -> "str":
    """The library of a class and its version: ``numpy 2.4.6``; empty for the standard library."""
    root = _root(kind)
    version = getattr(sys.modules.get(root), "__version__", None)
    known = getattr(sys, "stdlib_module_names", ())
    return f"{root} {version}" if isinstance(version, str) and root not in known else ""
