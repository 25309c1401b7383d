"""The forms in which a program hands over a workflow: the model, XML text, or the path of an XML file."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from pathlib import Path

from proactive_jupyter_kernel.client.server_version import ServerVersion
from proactive_jupyter_kernel.errors import SetupError, WorkflowError
from proactive_jupyter_kernel.workflow.fork_commands import VARIABLE, with_commands_added
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["for_server", "parsed", "read", "with_scripts"]

#: A script in a file beside the workflow (``script/file/@path``).
_SCRIPT_FILE = re.compile(rb"<(?:[\w.-]+:)?file\s[^>]*\bpath\s*=")


def read(workflow: Workflow | str | bytes | Path) -> Workflow | bytes:
    """The model, or XML with the scripts that are in files beside it. A text without ``<`` is a path."""
    if isinstance(workflow, Workflow):
        return workflow
    if isinstance(workflow, bytes):
        return workflow
    if isinstance(workflow, str) and "<" in workflow:
        return workflow.encode("utf-8")
    path = Path(workflow).expanduser()
    try:
        return with_scripts(path.read_bytes(), path.parent)
    except OSError as error:
        raise SetupError(f"The workflow file {path} cannot be read: {error.strerror or error}.") from error


def parsed(source: Workflow | bytes, notice: Callable[[str], None] = lambda text: None) -> Workflow:
    """The model; `notice` gets what the reader of the XML has to say."""
    if isinstance(source, Workflow):
        return source
    from proactive_jupyter_kernel.workflow.formats import xml

    loaded = xml.loads(source)
    for text in loaded.notices:
        notice(text)
    return loaded.workflow


def with_scripts(xml: bytes, folder: Path | None, notice: Callable[[str], None] = lambda text: None) -> bytes:
    """XML whose scripts are in it, also those in files of `folder`, which no scheduler could find.

    `folder` is None where the text comes from no file.
    """
    if folder is None or not _SCRIPT_FILE.search(xml):
        return xml
    from proactive_jupyter_kernel.workflow.formats import xml as xml_format

    def beside(path: str) -> str:
        """A workflow of another person must not send off any file that this user can read."""
        wanted = (folder / path).resolve()
        if not wanted.is_relative_to(folder.resolve()):
            raise PermissionError(errno.EACCES, "it is outside the folder of the workflow file", path)
        return wanted.read_text(encoding="utf-8")

    loaded = xml_format.loads(xml, read_file=beside)
    for text in loaded.notices:
        notice(text)
    return xml_format.dumps(loaded.workflow).encode("utf-8")


def for_server(
    source: Workflow | str | bytes, version: ServerVersion, notice: Callable[[str], None] = lambda text: None
) -> str | bytes:
    """The XML of a workflow as a ProActive server of this version understands it.

    Text that needs no change stays as it is written. `notice` gets what the schema of an older server does not have.
    """
    from proactive_jupyter_kernel.workflow.formats import xml

    def written(workflow: Workflow) -> str:
        return xml.dumps(workflow, version.schema, notice=notice, reader=version.name)

    if isinstance(source, Workflow):
        return written(with_commands_added(source))
    text = source.encode("utf-8") if isinstance(source, str) else source
    named = xml.version_of(text)
    is_newer = named in xml.VERSIONS and xml.is_newer(named, version.schema)
    # UTF-16 hides the name from this test.
    if not is_newer and VARIABLE.encode() not in text and b"\0" not in text:
        return source
    try:
        workflow = xml.loads(text).workflow
    except WorkflowError:
        return source  # the server says what is wrong
    changed = with_commands_added(workflow)
    return source if changed is workflow and not is_newer else written(changed)
