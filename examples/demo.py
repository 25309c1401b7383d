"""`make demo`: runs the notebook about the standard library, start to end, on a scheduler of its own.

    python examples/demo.py [FOLDER]

Prints what the notebook prints as it comes, and leaves in FOLDER (build/demo) the executed notebook and the workflow
that it exported. The scheduler keeps its data there, too, so that it meets no other; it is stopped at the end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "examples" / "standard_library.ipynb"


def main() -> int:
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1]).resolve()
        if folder.exists() and any(folder.iterdir()):
            raise SystemExit(f"{folder} is not empty. Give the name of a new folder.")
    else:
        folder = ROOT / "build" / "demo"
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    notebook = Path(shutil.copy(NOTEBOOK, folder))
    os.environ["PROACTIVE_KERNEL_DATA_DIR"] = str(folder / "scheduler")
    command = [sys.executable, "-m", "proactive_jupyter_kernel"]
    try:
        status = subprocess.run([*command, "run", notebook.name, "--output", notebook.name], cwd=folder).returncode
    finally:
        subprocess.run([*command, "scheduler", "stop"], stdout=subprocess.DEVNULL)
        shutil.rmtree(folder / "scheduler", ignore_errors=True)
    if status == 0:
        shown = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
        print(f"\nLeft in {shown}/:")
        for path in sorted(folder.iterdir()):
            print(f"  {path.name}  ({path.stat().st_size:,} bytes)")
    return status


if __name__ == "__main__":
    raise SystemExit(main())
