"""What pip puts in place: the package, the command, the kernel in Jupyter's list; and the commands of the mission."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import proactive_jupyter_kernel

PROJECT = Path(proactive_jupyter_kernel.__file__).parents[2]
RESOURCES = Path(proactive_jupyter_kernel.__file__).parent / "notebook" / "resources"


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as `pip install .` makes it, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check", "--quiet"]
    run(sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, PROJECT, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel in it; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    options = ["--no-deps", "--no-index", "--disable-pip-version-check", "--quiet"]
    run(sys.executable, "-m", "pip", "--python", folder, "install", *options, wheel, cwd=folder)
    return folder


def python(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def test_kernel_is_in_the_list_after_installing(environment: Path) -> None:
    """pip alone makes the kernel appear, with its logos, started by the Python that Jupyter runs under."""
    listed = json.loads(
        run(
            *(sys.executable, "-m", "jupyter", "kernelspec", "list", "--json"),
            cwd=environment,
            JUPYTER_PATH=str(environment / "share" / "jupyter"),
        )
    )["kernelspecs"]["proactive"]
    resources = Path(listed["resource_dir"])
    assert resources == environment / "share" / "jupyter" / "kernels" / "proactive"
    assert sorted(path.name for path in resources.iterdir()) == sorted(path.name for path in RESOURCES.iterdir())
    assert listed["spec"]["display_name"] == "ProActive"
    assert listed["spec"]["argv"][:4] == ["python", "-P", "-m", "proactive_jupyter_kernel.notebook"]


def test_logos_are_what_jupyter_expects() -> None:
    """The bitmaps have the sizes of their names."""
    for size in (32, 64):
        content = (RESOURCES / f"logo-{size}x{size}.png").read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        assert (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) == (size, size)
    assert (RESOURCES / "logo-svg.svg").read_text().startswith("<svg ")


def test_wheel_holds_both_packages_and_needs_no_compiler(wheel: Path) -> None:
    """The wheel is for any platform and has the package whose name is that of the project."""
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "proactive-jupyter-kernel/install.py" in names
    assert "proactive_jupyter_kernel/notebook/kernel.py" in names
    assert "proactive_jupyter_kernel/py.typed" in names


@pytest.mark.parametrize(
    "command", [("-m", "proactive-jupyter-kernel.install"), ("-m", "proactive_jupyter_kernel", "install")]
)
def test_commands_of_the_mission_install_the_kernel(
    environment: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """`python -m proactive-jupyter-kernel.install` writes a kernelspec that names its interpreter by its path."""
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    output = run(
        *(python(environment), *command, "--prefix", tmp_path, "--name", "mine", "--display-name", "My ProActive"),
        cwd=tmp_path,
        PYTHONPATH=packages,
    )
    path = tmp_path / "share" / "jupyter" / "kernels" / "mine"
    spec = json.loads((path / "kernel.json").read_text())
    assert str(path) in output
    assert (spec["argv"][0], spec["display_name"]) == (str(python(environment)), "My ProActive")
