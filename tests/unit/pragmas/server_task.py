"""Runs a Python task as a ProActive server's Python engine does: proxies of Java's maps, and what may not pass them.

Started by tests under any Python from 3.6 on: ``python server_task.py SCRIPT STATE``. STATE is a pickle of variables,
results and the rest; what came of the task is written back to it. Semantics of ``jsr223-cpython`` and py4j.
"""

import collections.abc
import decimal
import os
import pickle
import sys


class JavaObject:
    """Whatever Python has no form for."""

    def _get_object_id(self):
        return "o1"


class JavaMap(collections.abc.MutableMapping):
    """A live proxy: no dict, a missing key is None, values are converted at once."""

    def __init__(self, content):
        self.content = {key: java(value) for key, value in content.items()}

    def __getitem__(self, key):
        return proxy(self.content.get(key))

    def __setitem__(self, key, value):
        self.content[key] = java(value)

    def __delitem__(self, key):
        del self.content[key]

    def __iter__(self):
        return iter(list(self.content))

    def __len__(self):
        return len(self.content)

    def __contains__(self, key):
        return key in self.content

    containsKey = __contains__

    def get(self, key, default=None):
        return self[key]

    def remove(self, key):
        return self.content.pop(key, None)

    def copy(self):
        raise TypeError("'JavaObject' object is not callable")


class JavaList(collections.abc.MutableSequence):
    """No list."""

    def __init__(self, content):
        self.content = content

    def __getitem__(self, index):
        return proxy(self.content[index])

    def __setitem__(self, index, value):
        self.content[index] = java(value)

    def __delitem__(self, index):
        del self.content[index]

    def __len__(self):
        return len(self.content)

    def insert(self, index, value):
        self.content.insert(index, java(value))


class JavaSet(collections.abc.Set):
    """No set."""

    def __init__(self, content):
        self.content = content

    def __contains__(self, value):
        return value in self.content

    def __iter__(self):
        return iter(self.content)

    def __len__(self):
        return len(self.content)


def java(value):
    """What py4j hands to Java; an error for what it cannot."""
    kind = type(value)
    if value is None or kind in (bool, float, str, bytes, decimal.Decimal):
        if kind is str:
            value.encode("utf-8")
        return value
    if kind is int and -(2**63) <= value < 2**63:
        return value
    if kind is bytearray:
        return bytes(value)
    if isinstance(value, (JavaMap, JavaList, JavaSet)):
        return value.content
    if kind in (list, tuple, range):
        return [java(item) for item in value]
    if kind is set:
        return {java(item) for item in value}
    if kind is dict:
        return {java(key): java(item) for key, item in value.items()}
    raise AttributeError(f"'{kind.__name__}' object has no attribute '_get_object_id'")


def proxy(value):
    """What Python sees of it."""
    if isinstance(value, list):
        return JavaList(value)
    if isinstance(value, set):
        return JavaSet(value)
    if isinstance(value, dict):
        found = JavaMap({})
        found.content = value
        return found
    return value


class Result:
    """An entry of ``results``."""

    def __init__(self, value):
        self.content = value

    def value(self):
        return proxy(self.content)

    def hadException(self):
        return False

    def __str__(self):
        return str(self.content)


def main(script, state_path):
    with open(state_path, "rb") as file:
        state = pickle.load(file)
    scope = {"__name__": "__main__", "__file__": script, "os": os, "sys": sys}
    sys.modules["__main__"].__dict__.update(scope)
    scope = sys.modules["__main__"].__dict__
    scope["variables"] = variables = JavaMap(state.get("variables", {}))
    scope["resultMap"] = JavaMap({})
    scope["resultMetadata"] = JavaMap(state.get("metadata", {}))
    scope["genericInformation"] = JavaMap(state.get("information", {}))
    scope["results"] = [Result(java(value)) for value in state.get("results", ())]
    if "result" in state:
        scope["result"] = state["result"]
    with open(script, encoding="utf-8") as file:
        source = file.read()
    # The engine writes a file with lines of its own in front.
    whole = "\n" * 30 + source
    with open(script, "w", encoding="utf-8") as file:
        file.write(whole)
    exec(compile(whole, script, "exec"), scope)
    state = {
        "variables": variables.content,
        "result": java(scope["result"]) if "result" in scope else True,
        "metadata": java(scope["resultMetadata"]),
    }
    with open(state_path, "wb") as file:
        pickle.dump(state, file, 4)


if __name__ == "__main__":
    main(*sys.argv[1:])
