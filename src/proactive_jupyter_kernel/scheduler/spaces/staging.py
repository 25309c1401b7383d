"""Data spaces: files carried into the folder of a task before it runs, and out of it when it has ended.

The rules are those of ``DataSpaces`` of ProActive: where several spaces have the same path, the output space wins over
the input space, that over the user space, that over the global one; what is there and no older is not copied again.
Copies keep the contents of files, not their times or rights.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Wire
from proactive_jupyter_kernel.scheduler.file_locks import try_lock
from proactive_jupyter_kernel.scheduler.spaces.folders import Folder, Interrupted, LeavesSpace
from proactive_jupyter_kernel.scheduler.spaces.transfers import TransferFailed
from proactive_jupyter_kernel.workflow import references, values
from proactive_jupyter_kernel.workflow.globs import FilePattern, InvalidPattern, LeavingPattern, compile_pattern
from proactive_jupyter_kernel.workflow.model import FileSelector

__all__ = [
    "WARNING",
    "DataSpaces",
    "Source",
    "chosen_outputs",
    "clean_cache",
    "failures_as_messages",
    "is_remote",
    "lock_cache",
    "wanted_inputs",
    "writable_space",
]

_T = TypeVar("_T")

#: What lines about transfers start with in a task's log.
WARNING = "[DATASPACES-WARNING]"

#: Which space an access mode means, and whether files go to the cache. The later row wins over the earlier.
_SOURCES = ("global", "user", "input", "output")
_FETCHES = {
    **{f"transferFrom{space.capitalize()}Space": (space, False) for space in _SOURCES},
    **{f"cacheFrom{space.capitalize()}Space": (space, True) for space in _SOURCES},
}
_DELIVERIES = {f"transferTo{space.capitalize()}Space": space for space in ("output", "global", "user")}
#: A selector that carries nothing.
_NOTHING = "none"

#: Seconds after which an unused file leaves the cache: four weeks, as on a ProActive node.
CACHE_AGE = 28 * 24 * 3600.0
#: Seconds between two checks for cancellation while another task fills the cache.
_CACHE_LOOK = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file to be copied."""

    folder: Folder
    path: str


class DataSpaces:
    """`FileTransfers` between folders of this machine; safe to use from several processes."""

    # --- in ------------------------------------------------------------------------------------------------------

    def fetch(self, attempt: Attempt, local: Path, say: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        """Carry the task's input files in; see `FileTransfers.fetch`."""
        with failures_as_messages():
            task_files, cache_files = wanted_inputs(attempt, say, stopped)
            _copy_newer(task_files, Folder(local, "task's folder"), stopped)
            if cache_files:
                cache = writable_space(attempt, "cache")
                with lock_cache(cache.root, stopped):
                    _copy_newer(cache_files, cache, stopped, touch=True)

    # --- out -----------------------------------------------------------------------------------------------------

    def deliver(
        self,
        attempt: Attempt,
        local: Path,
        variables: Mapping[str, Wire],
        say: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Carry the task's output files out; see `FileTransfers.deliver`."""
        source = Folder(local, "task's folder")
        with failures_as_messages():
            for space, paths in chosen_outputs(attempt, source, variables, say, stopped):
                target = writable_space(attempt, space)
                for path in paths:
                    _copy(Source(folder=source, path=path), target, stopped)


@contextlib.contextmanager
def failures_as_messages() -> Iterator[None]:
    """Turn what goes wrong into `TransferFailed`; a transfer that was interrupted ends without."""
    try:
        yield
    except (LeavesSpace, InvalidPattern, references.InfiniteReference) as error:
        raise TransferFailed(str(error)) from error
    except OSError as error:
        raise TransferFailed(_said(error)) from error
    except Interrupted:
        return


def wanted_inputs(
    attempt: Attempt, say: Callable[[str], None], stopped: Callable[[], bool]
) -> tuple[dict[str, Source], dict[str, Source]]:
    """Path in the task's folder and path in the cache -> where the file is, the strongest space for each."""
    found: tuple[dict[str, Source], dict[str, Source]] = ({}, {})
    chosen = [
        (*_mode_of(selector, _FETCHES, "inputFiles"), selector)
        for selector in attempt.input_files
        if selector.access_mode != _NOTHING
    ]
    for space, cached, selector in sorted(chosen, key=lambda entry: _SOURCES.index(entry[0])):
        folder = _existing(attempt, space)
        paths = _find(folder, selector, say, stopped)
        found[cached].update({path: Source(folder=folder, path=path) for path in paths})
    return found


def chosen_outputs(
    attempt: Attempt,
    source: Folder,
    variables: Mapping[str, Wire],
    say: Callable[[str], None],
    stopped: Callable[[], bool],
) -> Iterator[tuple[str, list[str]]]:
    """For each selector of output files the space that they go to, and their paths in the task's folder."""
    known = {name: _text(value) for name, value in variables.items()}
    for selector in (_resolved(selector, known) for selector in attempt.output_files):
        if selector.access_mode == _NOTHING:
            continue
        space = _mode_of(selector, _DELIVERIES, "outputFiles")
        try:
            yield space, _find(source, selector, say, stopped)
        except LeavingPattern as error:
            # As on a server: the task has done its work.
            say(f"{WARNING} {error}")


@contextlib.contextmanager
def lock_cache(root: Path, stopped: Callable[[], bool]) -> Iterator[None]:
    """One transfer at a time, so that two tasks never fetch the same large file at once."""
    with open(root.with_name(f".{root.name}.lock"), "a+b") as lock:
        while not try_lock(lock):
            if stopped():
                raise Interrupted
            time.sleep(_CACHE_LOOK)
        yield


def clean_cache(folder: Path, *, age: float = CACHE_AGE, now: float | None = None) -> None:
    """Remove what no task has asked for during `age` seconds, and folders that are empty then."""
    limit = (time.time() if now is None else now) - age
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in files:
            path = Path(parent, name)
            status = path.lstat()
            if max(status.st_atime, status.st_mtime) < limit:
                path.unlink(missing_ok=True)
        for name in folders:
            path = Path(parent, name)
            if not path.is_symlink() and not any(path.iterdir()):
                path.rmdir()


def is_remote(url: str) -> bool:
    """Whether a space's address is neither a folder of this machine nor a ``file:`` URL."""
    # One letter is a drive of Windows.
    return re.match(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]+:", url) is not None


def _mode_of(selector: FileSelector, modes: Mapping[str, _T], element: str) -> _T:
    mode = modes.get(selector.access_mode)
    if mode is None:
        raise TransferFailed(
            f"{selector.access_mode!r} is not an access mode of {element}; known: {', '.join((*modes, _NOTHING))}."
        )
    return mode


def _existing(attempt: Attempt, space: str) -> Folder:
    folder = _folder(attempt, space)
    if not folder.root.is_dir():
        raise TransferFailed(
            f"The {folder.name} cannot be reached: there is no folder {folder.root} on this machine."
            f" Make it, or correct the address in the workflow's {space}Space."
        )
    return folder


def writable_space(attempt: Attempt, space: str) -> Folder:
    """A space as a folder that exists. Raises `TransferFailed`."""
    folder = _folder(attempt, space)
    try:
        folder.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TransferFailed(f"The {folder.name} cannot be reached: {_said(error)}") from error
    return folder


def _folder(attempt: Attempt, space: str) -> Folder:
    address = attempt.spaces.get(f"{space}space", "")
    if not address:
        raise TransferFailed(f"This scheduler has no {space} space.")
    if is_remote(address):
        raise TransferFailed(
            f"The {space} space cannot be reached: {address} is not a folder of this machine,"
            " and the embedded scheduler carries files between folders alone."
        )
    return Folder(Path(address), f"{space} space")


def _find(folder: Folder, selector: FileSelector, say: Callable[[str], None], stopped: Callable[[], bool]) -> list[str]:
    """What a selector chooses; says so where it is nothing."""
    include = compile_pattern(selector.includes)
    excludes = [compile_pattern(selector.excludes)] if selector.excludes else []

    def outside(path: str) -> None:
        if include.matches(path) or include.prefix.startswith(f"{path}/"):
            raise LeavesSpace(f"{path!r} leaves the {folder.name}: it is a link that leads out of it.")
        say(f"{WARNING} The link {path!r} is not followed: it leads out of the {folder.name}.")

    found = list(folder.find([include], excludes, stopped=stopped, outside=outside))
    if not found:
        say(f"{WARNING} No file of the {folder.name} matches {selector.includes!r}{_hint(folder, include)}")
    return found


def _hint(folder: Folder, include: FilePattern) -> str:
    if include.is_plain and (folder.root / include.text.removeprefix("glob:")).is_dir():
        return f": it is a folder; {include.text.rstrip('/')}/** means the files in it."
    return "."


def _copy_newer(files: Mapping[str, Source], target: Folder, stopped: Callable[[], bool], touch: bool = False) -> None:
    for path, source in files.items():
        if stopped():
            raise Interrupted
        place = target.at(path)
        if not _is_current(place, source.folder.at(source.path)):
            _copy(source, target, stopped)
        elif touch:
            # When it was last asked for; when it was copied decides whether it is current.
            os.utime(place, ns=(time.time_ns(), place.stat().st_mtime_ns))


def _is_current(copy: Path, source: Path) -> bool:
    try:
        there, here = copy.stat(), source.stat()
    except FileNotFoundError:
        return False
    return there.st_size == here.st_size and there.st_mtime_ns >= here.st_mtime_ns


def _copy(source: Source, target: Folder, stopped: Callable[[], bool]) -> None:
    with source.folder.at(source.path).open("rb") as file:
        target.write(source.path, file, stopped=stopped)


def _resolved(selector: FileSelector, known: Mapping[str, str]) -> FileSelector:
    return FileSelector(
        includes=references.substitute(selector.includes, known),
        excludes=references.substitute(selector.excludes, known),
        access_mode=references.substitute(selector.access_mode, known),
    )


def _text(wire: Wire) -> str:
    if isinstance(wire, str):
        return wire
    return "" if wire is None else values.text(values.from_wire(wire))


def _said(error: OSError) -> str:
    """What the system says, with the file."""
    return f"{error.filename}: {error.strerror}." if error.filename and error.strerror else f"{error}."
