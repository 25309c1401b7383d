"""Install ProActive's own clients and a tester of REST APIs for tests/conformance.

    python tools/foreign_clients.py

Each gets an environment of its own in build/conformance. They are test material: nothing of the project imports them,
and the project's own environment never gets them. What is there already, in these versions, is left as it is.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "build" / "conformance"

#: The environment -> what pip is called with, one call after the other.
CLIENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "sdk-13": (("proactive==13.0.3",),),
    # pytest runs the tests that the source package ships.
    "sdk-14": (("proactive==14.2.0.2505080030.dev0", "pytest"),),
    "schemathesis": (("schemathesis==4.32.5",),),
    # Without its dependencies: it names Notebook for an import that Notebook 7 does not have, see kernel_launcher.py.
    "kernel": (
        ("proactive==13.0.3", "ipykernel", "matplotlib", "networkx", "pygraphviz"),
        ("--no-deps", "proactive-jupyter-kernel==13.0.4"),
    ),
}


#: Source packages, for the examples and tests in them that an installation leaves out.
SOURCES = ("proactive==13.0.3", "proactive==14.2.0.2505080030.dev0")


def python_of(name: str) -> Path | None:
    """The interpreter of an environment that was installed completely, else None."""
    folder = FOLDER / name
    stamp = folder / "installed.txt"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != _content(name):
        return None
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def install(name: str) -> None:
    """Create the environment, unless it exists."""
    if python_of(name) is not None:
        return
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    for arguments in CLIENTS[name]:
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary"]
        subprocess.run([*pip, *arguments], check=True)
    (folder / "installed.txt").write_text(_content(name), encoding="utf-8")


def fetch_sources() -> None:
    """Fetch and unpack the source packages, unless they are there."""
    folder = FOLDER / "sources"
    if folder.exists():
        return
    half = FOLDER / "sources.part"
    shutil.rmtree(half, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    for source in SOURCES:
        subprocess.run([*pip, "--no-binary=proactive", "--dest", str(half), source], check=True)
    for archive in sorted(half.iterdir()):
        shutil.unpack_archive(archive, half)
        archive.unlink()
    half.rename(folder)


def _content(name: str) -> str:
    return "\n".join(" ".join(arguments) for arguments in CLIENTS[name]) + "\n"


if __name__ == "__main__":
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(fetch_sources), *(pool.submit(install, name) for name in CLIENTS)]
        for each in waiting:
            each.result()
