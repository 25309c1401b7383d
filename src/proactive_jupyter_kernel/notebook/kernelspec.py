"""The kernel in Jupyter's list: write the kernelspec, and remove it.

pip puts one in place that names ``python``, which Jupyter replaces by the interpreter it runs under itself. The one
written here names this interpreter by its path, so that a Jupyter of another environment can start the kernel, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.errors import SetupError

__all__ = ["DISPLAY_NAME", "NAME", "Installed", "install", "uninstall"]

#: What ``jupyter kernelspec list`` and papermill's ``-k`` call it.
NAME = "proactive"
#: What people see in the launcher.
DISPLAY_NAME = "ProActive"

_RESOURCES = Path(__file__).with_name("resources")
#: jupyter_client's own rule (``kernelspec.py``); it compares names without case, so they are written in small letters.
_VALID_NAME = re.compile(r"[a-z0-9._-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A kernelspec that was written."""

    #: The folder of the kernelspec.
    path: Path
    #: False: a Jupyter of this environment does not look there; ``JUPYTER_PATH`` or ``--prefix`` must be changed.
    visible: bool


def install(
    *,
    user: bool = False,
    sys_prefix: bool = False,
    prefix: str | Path | None = None,
    name: str = NAME,
    display_name: str | None = None,
) -> Installed:
    """Write the kernelspec for this interpreter, in place of an older one of ours with that name.

    Where no place is chosen it goes into the environment of this interpreter, if it is a virtual or conda one, else
    among the user's own. `SetupError` if the name is not one that Jupyter accepts, if more than one place is chosen, if
    another program's kernel has that name, or if the folder cannot be written.
    """
    name = _checked_name(name)
    destination = _kernels_folder(user=user, sys_prefix=sys_prefix, prefix=prefix) / name
    _refuse_foreign(destination)
    with _explained(f"cannot write the kernelspec {destination}"):
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{name}-") as workshop:
            fresh = Path(workshop, "new")
            shutil.copytree(_RESOURCES, fresh)
            (fresh / "kernel.json").write_text(_kernel_json(name, display_name), encoding="utf-8")
            if destination.exists():
                destination.rename(Path(workshop, "old"))
            fresh.rename(destination)
    return Installed(path=destination, visible=destination.parent in _search_path())


def uninstall(
    *, user: bool = False, sys_prefix: bool = False, prefix: str | Path | None = None, name: str = NAME
) -> list[Path]:
    """Remove the kernelspec of that name from the chosen place, or from every place where Jupyter would find it.

    Returns the folders that were removed. `SetupError` if there is none, or if it belongs to another program.
    """
    name = _checked_name(name)
    if user or sys_prefix or prefix:
        folders = [_kernels_folder(user=user, sys_prefix=sys_prefix, prefix=prefix)]
    else:
        folders = _search_path()
    found = [folder / name for folder in folders if (folder / name).is_dir()]
    if not found:
        looked = "\n".join(f"  {folder}" for folder in folders)
        raise SetupError(f"no kernelspec {name!r} is installed; looked in\n{looked}")
    for path in found:
        _refuse_foreign(path)
    for path in found:
        with _explained(f"cannot remove the kernelspec {path}"):
            shutil.rmtree(path)
    return found


def _checked_name(name: str) -> str:
    lowered = name.lower()
    if not _VALID_NAME.fullmatch(lowered) or lowered in {".", ".."}:
        raise SetupError(
            f"{name!r} cannot be the name of a kernel",
            hint="A name is made of ASCII letters, digits, '-', '.' and '_'.",
        )
    return lowered


def _kernels_folder(*, user: bool, sys_prefix: bool, prefix: str | Path | None) -> Path:
    """The folder of kernelspecs that the options name."""
    if user + sys_prefix + bool(prefix) > 1:
        raise SetupError("--user, --sys-prefix and --prefix exclude each other", hint="Give one of them.")
    if user or not (sys_prefix or prefix or _in_environment()):
        from jupyter_core.paths import jupyter_data_dir

        return Path(jupyter_data_dir(), "kernels")
    root = Path(prefix).expanduser().absolute() if prefix else Path(sys.prefix)
    return root / "share" / "jupyter" / "kernels"


def _in_environment() -> bool:
    """Does this interpreter belong to a virtual or conda environment?"""
    return sys.prefix != sys.base_prefix or Path(sys.prefix, "conda-meta").is_dir()


def _search_path() -> list[Path]:
    from jupyter_core.paths import jupyter_path

    return [Path(folder) for folder in jupyter_path("kernels")]


def _kernel_json(name: str, display_name: str | None) -> str:
    spec = _read_spec(_RESOURCES)
    spec["argv"] = [sys.executable, *spec["argv"][1:]]
    spec["display_name"] = display_name or (DISPLAY_NAME if name == NAME else name)
    return json.dumps(spec, indent=1) + "\n"


def _read_spec(folder: Path) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads((folder / "kernel.json").read_text(encoding="utf-8"))
    return spec


def _refuse_foreign(folder: Path) -> None:
    """Leave alone what another program installed; a broken or an older ProActive kernelspec is ours to replace."""
    try:
        spec = _read_spec(folder)
        foreign = not any("proactive" in str(word).lower() for word in spec["argv"][1:])
    except (OSError, ValueError, KeyError, TypeError):
        return
    if foreign:
        raise SetupError(
            f"{folder} is the kernel {spec.get('display_name', folder.name)!r} of another program",
            hint="Choose another name with --name.",
        )


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn a refusal of the operating system into one that says what to do."""
    try:
        yield
    except OSError as error:
        hint = ""
        if isinstance(error, PermissionError):
            hint = "Use --user for the folder of your own account, or --prefix for one that you may write."
        raise SetupError(f"{what}: {os.strerror(error.errno) if error.errno else error}", hint=hint) from error
