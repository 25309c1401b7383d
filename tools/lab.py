"""`make lab`: open JupyterLab on a copy of the examples, so that the files of the clone stay as they are.

    python tools/lab.py [options of jupyter lab]

The copy is in build/lab. A notebook that was changed there is kept; the others are replaced when the example changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
COPY = ROOT / "build" / "lab"
#: In the copy: name of a file -> digest of what was last copied. Jupyter does not list files with a dot.
COPIED = ".copied.json"


def main() -> None:
    kept = refresh(EXAMPLES, COPY)
    print(f"This JupyterLab works on a copy of the examples in {COPY.relative_to(ROOT)}; make clean removes it.")
    if kept:
        print(f"Kept your version of {', '.join(kept)}; delete a file there to get the example again.")
    sys.stdout.flush()
    command = [sys.executable, "-m", "jupyterlab", *root_options(), *sys.argv[1:]]
    os.chdir(COPY)
    if os.name == "nt":
        # exec on Windows gives the terminal back while the new process runs.
        import subprocess

        raise SystemExit(subprocess.run(command, check=False).returncode)
    os.execv(sys.executable, command)


def root_options() -> list[str]:
    """JupyterLab refuses to run as root without an option, and in a container root is often the only user."""
    return ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def refresh(examples: Path, copy: Path) -> list[str]:
    """Bring the copy up to date; the names of the files that were kept, because they were changed in the copy."""
    copy.mkdir(parents=True, exist_ok=True)
    record = copy / COPIED
    copied: dict[str, str] = json.loads(record.read_text("utf-8")) if record.exists() else {}
    kept = []
    for path in _to_copy(examples):
        content, target = path.read_bytes(), copy / path.name
        if target.exists() and _digest(target.read_bytes()) not in (copied.get(path.name), _digest(content)):
            kept.append(path.name)
            continue
        target.write_bytes(content)
        copied[path.name] = _digest(content)
    record.write_text(json.dumps(copied, indent=1), encoding="utf-8")
    return kept


def _to_copy(examples: Path) -> Iterator[Path]:
    yield from sorted(examples.glob("*.ipynb"))
    yield from sorted(examples.glob("*.md"))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()
