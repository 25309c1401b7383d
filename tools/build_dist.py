"""`make dist`: build the sdist and the wheel, and prove that they can be reproduced.

    python tools/build_dist.py

Both are built twice from copies of the tracked files that differ in all that must not matter: the folder, the dates
and permissions of the files, the time zone, the locale, the hash seed; one wheel is built from the sdist, the other
from the tree. If the two builds are the same byte for byte and `twine check --strict` accepts them, they go to dist/.
SOURCE_DATE_EPOCH is the date of everything inside, by default the date of the last commit. Needs the extra `dist`.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "dist"
BUILD = ("-m", "build", "--no-isolation")
#: What differs between the two builds: the name of the folder, permissions of files, their date, options, environment.
FIRST = ("project", 0o644, 1_000_000_000, (), {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"})
SECOND = (
    "a copy",
    0o600,
    1_700_000_000,
    ("--sdist", "--wheel"),
    {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "2"},
)


def main() -> int:
    date = os.environ.get("SOURCE_DATE_EPOCH") or output("git", "log", "-1", "--format=%ct")
    with tempfile.TemporaryDirectory() as name:
        built = [build(Path(name), date, *way) for way in (FIRST, SECOND)]
        problems = differences(*built)
        if problems:
            print("The two builds differ:", *problems, sep="\n  ")
            return 1
        shutil.rmtree(OUTPUT, ignore_errors=True)
        shutil.copytree(built[0], OUTPUT)
    files = sorted(OUTPUT.iterdir())
    if subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *files], check=False).returncode:
        return 1
    print(f"Built twice with the same bytes, SOURCE_DATE_EPOCH={date}:")
    for path in files:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"  {path.relative_to(ROOT)}  {path.stat().st_size:,} bytes  sha256 {digest}")
    return 0


def build(
    home: Path, date: str, name: str, mode: int, touched: int, options: tuple[str, ...], environment: Mapping[str, str]
) -> Path:
    """Build a copy of the tracked files; the folder with the sdist and the wheel."""
    copy, target = home / name, home / f"{name} dist"
    for tracked in output("git", "ls-files", "-z").rstrip("\0").split("\0"):
        source, path = ROOT / tracked, copy / tracked
        if source.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, path)
            path.chmod(mode | source.stat().st_mode & 0o100)
            os.utime(path, (touched, touched))
    subprocess.run(
        [sys.executable, *BUILD, *options, "--outdir", target, copy],
        env={**os.environ, **environment, "SOURCE_DATE_EPOCH": date},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return target


def differences(first: Path, second: Path) -> list[str]:
    """The files that are not the same in both folders, with their members that differ."""
    names = [sorted(path.name for path in folder.iterdir()) for folder in (first, second)]
    if names[0] != names[1]:
        return [f"{names[0]} and {names[1]}"]
    found = []
    for name in names[0]:
        if not filecmp.cmp(first / name, second / name, shallow=False):
            one, other = (members(folder / name) for folder in (first, second))
            changed = sorted(member for member in one.keys() | other.keys() if one.get(member) != other.get(member))
            found.append(f"{name}: {', '.join(changed) or 'the order of the members'}")
    return found


def members(archive: Path) -> dict[str, object]:
    """What an archive says of each member."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {each.filename: (each.CRC, each.date_time, each.external_attr) for each in wheel.infolist()}
    with tarfile.open(archive) as sdist:
        return {
            each.name: (
                hashlib.sha256(file.read()).digest() if (file := sdist.extractfile(each)) else b"",
                each.get_info(),
            )
            for each in sdist
        }


def output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main())
