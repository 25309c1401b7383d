"""`make test-wheel`: install the wheel in a bare environment of each Python and run the demo there.

    python tools/test_wheel.py [VERSION ...]

The versions are those of the classifiers in pyproject.toml. A Python is the one that runs this, or one from PATH, pyenv
or build/pythons, where tools/debian_python.py puts one. The last lines say which versions were not found; with versions
as arguments, one that is not found is a failure. Needs dist/, which `make dist` writes. Nothing of this clone can be
imported in the environments: the package, its dependencies and the kernel come from the wheel alone.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "wheel"
CLASSIFIER = "Programming Language :: Python :: 3."
#: Seconds for one step in one environment.
PATIENCE = 600
#: Fails unless Jupyter finds the kernel that the wheel installed.
LISTED = "from jupyter_client.kernelspec import KernelSpecManager; KernelSpecManager().get_kernel_spec('proactive')"


def main() -> int:
    wanted = sys.argv[1:] or supported()
    wheels = sorted((ROOT / "dist").glob("*.whl"))
    if len(wheels) != 1:
        raise SystemExit(f"dist/ holds {len(wheels)} wheels instead of one. Run make dist first.")
    found = {version: python for version in wanted if (python := find(version))}
    shutil.rmtree(WORK, ignore_errors=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = dict(
            zip(found, pool.map(lambda version: check(version, found[version], wheels[0]), found), strict=True)
        )
    missing = [version for version in wanted if version not in found]
    for version, result in results.items():
        print(f"Python {version}: {result}")
    for version in missing:
        print(f"Python {version}: not found on this machine, not tested")
    failed = sum(not result.startswith("ok") for result in results.values()) + (len(missing) if sys.argv[1:] else 0)
    print(f"{len(results) - failed} passed, {failed} failed, {0 if sys.argv[1:] else len(missing)} skipped")
    return bool(failed or not results)


def supported() -> list[str]:
    """The versions that pyproject.toml promises."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [f"3.{each.removeprefix(CLASSIFIER)}" for each in project["classifiers"] if each.startswith(CLASSIFIER)]


def find(version: str) -> list[str] | None:
    """How to run a Python of this version: its path, perhaps behind a command that runs others."""
    report = "import sys, venv; print('%d.%d' % sys.version_info[:2], sys.executable)"
    for command in candidates(version):
        try:
            done = subprocess.run([*command, "-c", report], capture_output=True, text=True, timeout=60, check=False)
        except OSError:
            continue
        reported, _, path = done.stdout.strip().partition(" ")
        if reported == version:
            return [*command[:-1], path]
    return None


def candidates(version: str) -> Iterator[list[str]]:
    """Commands that may be it; pyenv's shims are called like that, too, and may refuse to run."""
    name = f"python{version}"
    yield [sys.executable]
    yield [name]
    roots = [os.environ.get("PYENV_ROOT", ""), str(Path.home() / ".pyenv")]
    yield from (
        [path] for root in roots if root for path in sorted(glob.glob(f"{root}/versions/{version}.*/bin/python"))
    )
    yield [str(ROOT / "build" / "pythons" / version / "run"), name]


def check(version: str, python: list[str], wheel: Path) -> str:
    """`ok` with what was measured, or the output of the step that failed."""
    home = WORK / version
    home.mkdir(parents=True)
    installed = [*python[:-1], str(home / "env" / ("Scripts" if os.name == "nt" else "bin") / "python")]
    steps = (
        ("environment", [*python, "-m", "venv", home / "env"]),
        ("installation", [*installed, "-m", "pip", "install", "--quiet", wheel]),
        ("pip check", [*installed, "-m", "pip", "check"]),
        ("list of kernels", [*installed, "-c", LISTED]),
        ("demo", [*installed, ROOT / "examples" / "demo.py", home / "demo"]),
    )
    took = {}
    for name, command in steps:
        start = time.monotonic()
        done = subprocess.run(
            command,
            cwd=home,
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        with (home / "log.txt").open("a", encoding="utf-8") as log:
            log.write(f"== {name}\n{done.stdout}")
        if done.returncode:
            return f"{name} failed\n{done.stdout[-4000:]}"
        took[name] = time.monotonic() - start
    shutil.rmtree(home / "env")
    return f"ok (installation {took['installation']:.0f} s, demo {took['demo']:.0f} s)"


def environment(home: Path) -> dict[str, str]:
    """The variables of this process without those that lead to packages, kernels or settings elsewhere."""
    foreign = ("PYTHON", "VIRTUAL_ENV", "JUPYTER", "IPYTHON", "PROACTIVE", "PYENV", "COVERAGE", "PYTEST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    cache = os.environ.get("PIP_CACHE_DIR") or str(Path.home() / ".cache" / "pip")
    return {**kept, "HOME": str(home), "PIP_CACHE_DIR": cache, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


if __name__ == "__main__":
    raise SystemExit(main())
