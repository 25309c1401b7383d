"""Workflows as ProActive's XML: `dumps` writes what a server accepts, `loads` reads any workflow.

The input is not trusted: no document type, no entities, no network, limits for size, depth and number of tasks.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import replace

from lxml import etree

from proactive_jupyter_kernel.errors import InvalidWorkflow, UnreadableWorkflow
from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.checks.structure import structure_problems
from proactive_jupyter_kernel.workflow.elements import job_element
from proactive_jupyter_kernel.workflow.formats.loaded import MAX_BYTES, MAX_TASKS, Loaded, ReadFile
from proactive_jupyter_kernel.workflow.formats.xml_read import Reader
from proactive_jupyter_kernel.workflow.formats.xml_schema import NAMESPACE, Validator, line_of, version_number
from proactive_jupyter_kernel.workflow.formats.xml_versions import (
    NEWEST,
    VERSIONS,
    MissingFeature,
    notices,
    number_of,
    reduced,
)
from proactive_jupyter_kernel.workflow.formats.xml_write import write
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["MAX_BYTES", "MAX_TASKS", "NEWEST", "VERSIONS", "Loaded", "dumps", "is_newer", "loads", "version_of"]

#: The check for a dependency on a task that does not exist: such a workflow can still be read.
_UNKNOWN_DEPENDENCE = "PA108"
_DECLARATION = re.compile(r"<\?xml\b[^>]*\?>")
_NAMED_VERSION = re.compile(rb"urn:proactive:jobdescriptor:(3\.\d+|dev)\b")
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
#: What may precede the document type: blanks, a comment, a processing instruction.
_PROLOG = re.compile(r"\s+|<!--.*?-->|<\?.*?\?>", re.DOTALL)
#: Encodings that are read, without regard to case and separators; others that Python knows take quadratic time, or do
#: not encode text.
_ENCODINGS = re.compile(
    r"utf(?:8|16|16le|16be|32|32le|32be)|(?:us)?ascii|iso8859\d{1,2}|latin\d{1,2}|windows12\d\d|cp(?:12\d\d|437|850)"
    r"|gb2312|gbk|gb18030|big5|eucjp|euckr|shiftjis|koi8[ru]|macintosh",
    re.IGNORECASE,
)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def dumps(
    workflow: Workflow, version: str = NEWEST, *, notice: Callable[[str], None] | None = None, reader: str = ""
) -> str:
    """`workflow` as XML of a schema version, 3.0 to 3.14 or dev.

    Raises InvalidWorkflow, with all problems, if it is not valid, and ValueError for any other version. What an older
    version does not have is one of the problems or, with `notice`, left out: that gets a sentence for each kind of
    loss. `reader` is who does not know it, in these sentences; empty: the schema.
    """
    number_of(version)
    root = job_element(workflow)
    problems = list(structure_problems(workflow, root))
    losses = reduced(root, version)
    if notice is None:
        problems += [_problem(loss, version) for loss in losses]
    if problems:
        raise InvalidWorkflow(workflow.name, problems)
    if notice is not None:
        for sentence in notices(losses, reader or f"Schema {version}"):
            notice(sentence)
    return write(root, version)


def version_of(text: str | bytes) -> str:
    """The schema version that the XML names; empty if none can be seen without parsing."""
    content = text if isinstance(text, bytes) else text.encode("utf-8")
    # In UTF-16 every other byte is zero.
    found = _NAMED_VERSION.search(content.replace(b"\0", b""))
    return found[1].decode() if found else ""


def is_newer(version: str, other: str) -> bool:
    """Whether a schema version is newer than another one."""
    return number_of(version) > number_of(other)


def _problem(loss: MissingFeature, version: str) -> Problem:
    return Problem(
        code="PA114",
        message=f"schema {version} has no {loss.what}",
        task=loss.task,
        place=loss.place,
        explanation=f"Write {loss.since}, or remove it.",
    )


def loads(text: str | bytes, *, read_file: ReadFile | None = None, keep_going: bool = False) -> Loaded:
    """The workflow in `text`, of any schema version, with unresolved references.

    `read_file` returns the text of a script in a file beside the workflow; without it such a script is a problem.
    Raises UnreadableWorkflow if the text is not workflow XML, InvalidWorkflow if its parts are wrong.
    With `keep_going`, dependencies on tasks that do not exist are omitted and listed in `Loaded.problems` instead, so
    that the caller can look for more problems.
    """
    root = _parse(_decode(text))
    namespace, version = _version(root)
    validator = Validator(version, namespace)
    validator.validate(root)
    name = root.get("name") or "?"
    found = list(validator.problems)
    readable = keep_going and all(problem.code == _UNKNOWN_DEPENDENCE for problem in found)
    if found and not readable:
        raise InvalidWorkflow(name, found)
    _limit_tasks(root, namespace)
    workflow = Reader(validator, read_file).workflow(root)
    if len(validator.problems) > len(found):
        raise InvalidWorkflow(name, validator.problems)
    if found:
        workflow = _without_unknown_parents(workflow)
    return Loaded(workflow=workflow, notices=tuple(map(str, validator.notices)), problems=tuple(found))


def _without_unknown_parents(workflow: Workflow) -> Workflow:
    names = {task.name for task in workflow.tasks}
    tasks = (
        replace(task, depends=tuple(parent for parent in task.depends if parent in names)) for task in workflow.tasks
    )
    return replace(workflow, tasks=tuple(tasks))


def _decode(text: str | bytes) -> str:
    """Text without its XML declaration; line and column numbers do not change."""
    if len(text) > MAX_BYTES:
        raise UnreadableWorkflow(
            f"The workflow has {len(text):,} bytes; at most {MAX_BYTES:,} are read.",
            hint="Move large data out of its scripts, into files.",
        )
    if isinstance(text, bytes):
        text = _decode_bytes(text)
    text = text.removeprefix("\ufeff")
    declaration = _DECLARATION.match(text)
    if declaration:
        text = re.sub(r"[^\n]", " ", declaration.group()) + text[declaration.end() :]
    _refuse_doctype(text)
    return text


def _decode_bytes(text: bytes) -> str:
    declared = _ENCODING.match(text[:300])
    encoding = declared.group(1).decode() if declared else "utf-8"
    encoding = next((known for mark, known in _BOMS if text.startswith(mark)), encoding)
    if not _ENCODINGS.fullmatch(re.sub("[-_.]", "", encoding)):
        raise UnreadableWorkflow(f"The workflow is in the encoding {encoding}, which is not read.", hint="Use UTF-8.")
    try:
        return text.decode(encoding)
    except LookupError as error:
        raise UnreadableWorkflow(f"The workflow is in an unknown encoding, {encoding}.", hint="Use UTF-8.") from error
    except (UnicodeError, ValueError) as error:
        message = f"The workflow is not in {encoding}, the encoding that it names: {error}."
        raise UnreadableWorkflow(message, hint="Save it as UTF-8.") from error


def _refuse_doctype(text: str) -> None:
    """A document type could define entities that expand without limit or read files; a workflow needs none."""
    position = 0
    while prolog := _PROLOG.match(text, position):
        position = prolog.end()
    if text.startswith("<!DOCTYPE", position):
        line = text.count("\n", 0, position) + 1
        raise UnreadableWorkflow(
            f"Line {line}: the workflow has a document type (<!DOCTYPE …>), which is refused.",
            hint="It could define entities: remove it, and replace each entity by its value.",
        )


def _parse(text: str) -> etree._Element:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
    )
    try:
        return etree.fromstring(text.encode("utf-8"), parser)
    except UnicodeEncodeError as error:
        raise UnreadableWorkflow(f"The workflow contains half of a surrogate pair: {error}.") from error
    except etree.XMLSyntaxError as error:
        line, column = error.position
        lines = text.splitlines()
        shown = lines[line - 1].strip()[:120] if 0 < line <= len(lines) else ""
        message = f"Line {line}, column {column}: this is not well-formed XML: {error.msg}"
        raise UnreadableWorkflow(f"{message}\n    {shown}" if shown else message) from error


def _version(root: etree._Element) -> tuple[str, int]:
    name = etree.QName(root)
    namespace = name.namespace or ""
    if name.localname != "job" or not namespace.startswith(NAMESPACE):
        shown = f"<{name.localname}> of namespace {namespace!r}" if namespace else f"<{name.localname}>"
        raise UnreadableWorkflow(
            f"Line {line_of(root)}: this XML is not a ProActive workflow: its root is {shown}.",
            hint=f'The root of a workflow is <job xmlns="{NAMESPACE}3.14" …>.',
        )
    version = namespace.removeprefix(NAMESPACE)
    number = version_number(version)
    if number is None:
        raise UnreadableWorkflow(
            f"Line {line_of(root)}: schema version {version!r} is not known.",
            hint="Known are 3.0 to 3.14 and dev.",
        )
    return namespace, number


def _limit_tasks(root: etree._Element, namespace: str) -> None:
    count = sum(1 for flow in root.iterchildren(f"{{{namespace}}}taskFlow") for _ in flow)
    if count > MAX_TASKS:
        raise UnreadableWorkflow(f"The workflow has {count:,} tasks; at most {MAX_TASKS:,} are read.")
