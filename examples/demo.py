"""`make demo`: runs the notebook about the standard library, start to end, on a scheduler of its own.

Prints what the notebook prints as it comes, and leaves in build/demo the executed notebook and the workflow that it
exported. The scheduler keeps its data in build/demo, too, so that it meets no other; it is stopped at the end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "examples" / "standard_library.ipynb"
OUTPUT = ROOT / "build" / "demo"


def main() -> int:
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    notebook = Path(shutil.copy(NOTEBOOK, OUTPUT))
    os.environ["PROACTIVE_KERNEL_DATA_DIR"] = str(OUTPUT / "scheduler")
    command = [sys.executable, "-m", "proactive_jupyter_kernel"]
    try:
        status = subprocess.run([*command, "run", notebook.name, "--output", notebook.name], cwd=OUTPUT).returncode
    finally:
        subprocess.run([*command, "scheduler", "stop"], stdout=subprocess.DEVNULL)
        shutil.rmtree(OUTPUT / "scheduler", ignore_errors=True)
    if status == 0:
        print(f"\nLeft in {OUTPUT.relative_to(ROOT)}/:")
        for path in sorted(OUTPUT.iterdir()):
            print(f"  {path.name}  ({path.stat().st_size:,} bytes)")
    return status


if __name__ == "__main__":
    raise SystemExit(main())
