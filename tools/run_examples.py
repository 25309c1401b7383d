"""Run the notebooks in examples/ and store their outputs, so that readers of the files see what they would get.

    python tools/run_examples.py [--all] [NOTEBOOK ...]

Each notebook runs from its first cell to its last on an embedded scheduler of its own, in an empty folder. What would
differ on another machine or the next run is left out: times of cells, versions of Python, the folder. A notebook whose
outputs differ from those in its file in times alone keeps them, unless `--all` is given. The notebook's metadata hold a
digest of the code that the outputs belong to; the tests compare it with the code.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.notebook import kernelspec

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
TIMEOUT = 120
#: Where the metadata of a notebook hold the digest of its code.
KEY = "proactive"
#: What outputs say for the folder in which a notebook ran.
READERS_FOLDER = "~/examples"
#: What no output may hold: folders of the machine on which the notebook ran.
MACHINE = re.compile(r"/home/|/root/|/Users/|/tmp/|/var/|site-packages|[A-Z]:\\\\")
_EMBEDDED_FILE = re.compile(r"data:image/[^\"')]*")
#: The class of a picture, which is made of what it shows.
_PICTURE = re.compile(r"\bpak-[0-9a-f]+")
#: A number with its unit and the blanks that align it.
_TIME = re.compile(r" *\d[\d.]*(?: ?(?:ms|s|min|h)\b)?")


def main() -> int:
    everything = "--all" in sys.argv[1:]
    names = [Path(name).stem for name in sys.argv[1:] if name != "--all"]
    failed = []
    for name in names or sorted(path.stem for path in EXAMPLES.glob("*.ipynb")):
        path = EXAMPLES / f"{name}.ipynb"
        old = nbformat.read(path, as_version=4)
        new = run(name)
        places = machine_paths(new)
        if places:
            failed.append(name)
            print(f"{name}: left as it was, outputs hold folders of this machine: {'; '.join(places)}")
        elif not everything and fingerprint(old) == recorded(old) and masked(old) == masked(new):
            print(f"{name}: the same")
        else:
            path.write_text(json.dumps(as_written(new), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            print(f"{name}: written, {path.stat().st_size:,} bytes")
    return bool(failed)


def run(name: str) -> nbformat.NotebookNode:
    """The executed notebook, as it is committed."""
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    with tempfile.TemporaryDirectory() as home, _environment(Path(home)):
        folder = Path(home, "work", name)
        folder.mkdir(parents=True)
        try:
            client = NotebookClient(notebook, timeout=TIMEOUT, resources={"metadata": {"path": str(folder)}})
            with open(os.devnull, "w") as nowhere:
                client.execute(stderr=nowhere)
        finally:
            embedded.stop()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            cell.outputs = _normalized(cell.outputs, str(folder))
    notebook.metadata.language_info = {"name": "python"}
    notebook.metadata[KEY] = {"outputs_of": fingerprint(notebook)}
    return notebook


@contextmanager
def _environment(home: Path) -> Iterator[None]:
    """Nothing of the user's, and the same clock everywhere."""
    kernelspec.install(prefix=home)
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("PROACTIVE_")]:
        del os.environ[name]
    os.environ |= {
        "JUPYTER_PATH": str(home / "share" / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "PROACTIVE_KERNEL_DATA_DIR": str(home / "data"),
        "TZ": "UTC",
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def _normalized(outputs: list[nbformat.NotebookNode], folder: str) -> list[nbformat.NotebookNode]:
    """The outputs with the folder that a reader would have, and each run of texts of one stream in one piece."""
    told = json.loads(json.dumps(outputs, ensure_ascii=False).replace(folder, READERS_FOLDER))
    merged: list[nbformat.NotebookNode] = []
    for output in map(nbformat.from_dict, told):
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def fingerprint(notebook: nbformat.NotebookNode) -> str:
    """A digest of the code of all cells."""
    code = [(cell.id, cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(code).encode("utf-8")).hexdigest()[:16]


def recorded(notebook: nbformat.NotebookNode) -> str:
    """The digest of the code that the outputs belong to."""
    found: str = notebook.metadata.get(KEY, {}).get("outputs_of", "")
    return found


def machine_paths(notebook: nbformat.NotebookNode) -> list[str]:
    """The cells whose outputs hold a folder of this machine, with the place."""
    here = re.compile("|".join(map(re.escape, {str(ROOT), sys.prefix, str(Path.home()) + os.sep})))
    found = []
    for cell in notebook.cells:
        text = _EMBEDDED_FILE.sub("", json.dumps(cell.get("outputs", []), ensure_ascii=False))
        if match := MACHINE.search(text) or here.search(text):
            found.append(f"{cell.id}: {text[max(0, match.start() - 40) : match.end() + 40]}")
    return found


def masked(notebook: nbformat.NotebookNode) -> str:
    """The outputs without numbers, times and drawn pictures, which differ from run to run."""
    outputs = json.dumps([cell.get("outputs", []) for cell in notebook.cells], sort_keys=True, ensure_ascii=False)
    return _TIME.sub("0", _PICTURE.sub("", _EMBEDDED_FILE.sub("", outputs)))


def as_written(notebook: nbformat.NotebookNode) -> object:
    """The notebook as nbformat stores it: texts as lists of lines."""
    return json.loads(nbformat.writes(notebook))


if __name__ == "__main__":
    raise SystemExit(main())
