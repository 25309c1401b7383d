"""Build ``proactive.jar``, the task-side harness of the languages that run on a Java machine, from its Java sources.

    python tools/jvm_harness.py

The archive ships built, because the Java that runs tasks is seldom one that compiles. Needs ``javac`` of a JDK from 9
on; the result runs on Java 8 and newer. The archive's manifest holds a digest of the sources, which a test compares.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HARNESS = Path(__file__).resolve().parents[1] / "src/proactive_jupyter_kernel/scheduler/runtimes/harness"
SOURCES, ARCHIVE = HARNESS / "jvm", HARNESS / "jvm" / "proactive.jar"
#: The earliest that a ZIP can tell; makes the archive depend on nothing but its content.
EPOCH = (1980, 1, 1, 0, 0, 0)


def sources() -> list[Path]:
    """The Java files, in a fixed order."""
    return sorted(SOURCES.rglob("*.java"))


def digest() -> str:
    """SHA-256 of all sources with their names."""
    total = hashlib.sha256()
    for path in sources():
        total.update(path.relative_to(SOURCES).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def build() -> None:
    """Compile the sources and write the archive."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["javac", "--release", "8", "-g:none", "-Xlint:all,-options", "-Werror", "-encoding", "UTF-8"]
        subprocess.run([*command, "-d", folder, *map(str, sources())], check=True)
        manifest = f"Manifest-Version: 1.0\r\nSources-SHA-256: {digest()[:32]}\r\n\r\n"
        with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
            _add(archive, "META-INF/MANIFEST.MF", manifest.encode("ascii"))
            for path in sorted(Path(folder).rglob("*.class")):
                _add(archive, path.relative_to(folder).as_posix(), path.read_bytes())


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    build()
    print(ARCHIVE, ARCHIVE.stat().st_size, "bytes", file=sys.stderr)
