"""The JSON schema of workflows, derived from the model; its descriptions are the comments of the model's fields.

``python -m proactive_jupyter_kernel.workflow.formats.json_schema`` prints it; ``workflow.schema.json`` in this folder
and in docs/reference is its output.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from typing import Any

from proactive_jupyter_kernel.workflow import model
from proactive_jupyter_kernel.workflow.formats.json import FORMAT
from proactive_jupyter_kernel.workflow.formats.record_codec import record_shape
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["page", "schema"]


def schema() -> dict[str, Any]:
    """The whole schema."""
    shape = dict(record_shape(Workflow).schema)
    properties = {
        "format": {"const": FORMAT, "description": "The format and its version."},
        "$schema": {"type": "string", "description": "Ignored; for editors."},
        **shape["properties"],
    }
    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{FORMAT.replace('/', ':')}",
        "title": "ProActive workflow",
        "description": "A graph of tasks with a name and variables. A field that is left out has its default.",
        **shape,
        "properties": properties,
        "required": ["format", *shape["required"]],
    }
    comments = _comments()
    result = _described(found, comments["Workflow"], comments)
    assert isinstance(result, dict)
    return result


def page() -> str:
    """The schema as the text of its file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _comments() -> dict[str, dict[str, str]]:
    """Class -> field -> its comment in model.py; a class inherits the comments of its bases."""
    source = inspect.getsource(model)
    lines = source.splitlines()
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef):
            continue
        fields = dict(found.get(ast.unparse(node.bases[0]), {})) if node.bases else {}
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                comment: list[str] = []
                line = item.lineno - 2
                while lines[line].strip().startswith("#:"):
                    comment.insert(0, lines[line].strip().removeprefix("#:").strip())
                    line -= 1
                if comment:
                    fields[item.target.id] = " ".join(comment)
        found[node.name] = fields
    return found


#: Position of a record -> its class, to find the comments of its fields.
_CLASS_OF = {
    "variables": "TaskVariable",
    "tasks": "Task",
    "selection": "SelectionScript",
    "fork_environment": "ForkEnvironment",
    "input_files": "FileSelector",
    "output_files": "FileSelector",
    "script": "Script",
    "pre": "Script",
    "post": "Script",
    "clean": "Script",
}
_CLASS_OF_TYPE = {
    "script": "Script",
    "java": "JavaClass",
    "native": "NativeCommand",
    "branch": "Branch",
    "loop": "Loop",
    "replicate": "Replicate",
}


def _described(found: Any, fields: dict[str, str], comments: dict[str, dict[str, str]]) -> Any:
    """The schema with the comments as descriptions."""
    if isinstance(found, list):
        return [_described(one, fields, comments) for one in found]
    if not isinstance(found, dict):
        return found
    if "properties" not in found:
        return {key: _described(one, fields, comments) for key, one in found.items()}
    kind = found["properties"].get("type", {}).get("const", "")
    fields = comments[_CLASS_OF_TYPE[kind]] if kind in _CLASS_OF_TYPE else fields
    properties = {}
    for name, one in found["properties"].items():
        inner = comments.get(_CLASS_OF.get(name, ""), {})
        described = _described(one, inner, comments)
        if name in fields and isinstance(described, dict):
            described = {"description": _plain(fields[name]), **described}
        properties[name] = described
    return {**found, "properties": properties}


def _plain(comment: str) -> str:
    """A comment without markup."""
    return textwrap.dedent(re.sub(r"``([^`]*)``|`([^`]*)`", lambda match: match.group(1) or match.group(2), comment))


if __name__ == "__main__":
    print(page(), end="")
