"""The kernelspec: written with this interpreter, replaced, removed, and never another program's."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.errors import SetupError
from proactive_jupyter_kernel.notebook import kernelspec

FILES = ["kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"]


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jupyter looks into folders of this test alone."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "user"))
    monkeypatch.delenv("JUPYTER_PATH", raising=False)
    # Made when jupyter_core was imported: the real ones, where a kernelspec of the developer's may stand.
    monkeypatch.setattr("jupyter_core.paths.ENV_JUPYTER_PATH", [str(tmp_path / "env/share/jupyter")])
    monkeypatch.setattr("jupyter_core.paths.SYSTEM_JUPYTER_PATH", [])


def spec(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((path / "kernel.json").read_text())
    return found


def write_spec(path: Path, **fields: object) -> None:
    path.mkdir(parents=True)
    (path / "kernel.json").write_text(json.dumps(fields))


def test_spec_is_complete_and_names_this_interpreter(tmp_path: Path) -> None:
    """A Jupyter of another environment can start the kernel: the path of the interpreter is absolute."""
    installed = kernelspec.install(prefix=tmp_path / "there")
    assert installed.path == tmp_path / "there/share/jupyter/kernels/proactive"
    assert sorted(path.name for path in installed.path.iterdir()) == FILES
    assert spec(installed.path) == {
        "argv": [sys.executable, "-P", "-m", "proactive_jupyter_kernel.notebook", "-f", "{connection_file}"],
        "display_name": "ProActive",
        "language": "python",
        "interrupt_mode": "signal",
        "env": {"PYDEVD_DISABLE_FILE_VALIDATION": "1"},
        "metadata": {"debugger": True, "supported_encryption": ["curve"]},
        "kernel_protocol_version": "5.5",
    }
    assert not installed.visible


def test_places(tmp_path: Path) -> None:
    """The user's own folder, the environment's, or in an environment by default that one."""
    assert kernelspec.install(user=True).path == tmp_path / "user/kernels/proactive"
    assert kernelspec.install(sys_prefix=True).path == tmp_path / "env/share/jupyter/kernels/proactive"
    assert kernelspec.install().path == tmp_path / "env/share/jupyter/kernels/proactive"


def test_without_an_environment_it_goes_to_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter of the system keeps its folders for the system."""
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)
    assert kernelspec.install().path == tmp_path / "user/kernels/proactive"


def test_folder_that_jupyter_searches_is_visible(tmp_path: Path) -> None:
    """Where Jupyter looks the kernel is visible at once."""
    assert kernelspec.install(user=True).visible


def test_name_and_display_name(tmp_path: Path) -> None:
    """A second kernelspec has its own name, which is also shown unless told otherwise."""
    assert spec(kernelspec.install(user=True, name="ProActive-Dev").path)["display_name"] == "proactive-dev"
    installed = kernelspec.install(user=True, name="ProActive-Dev", display_name="Développement")
    assert installed.path.name == "proactive-dev"
    assert spec(installed.path)["display_name"] == "Développement"


def test_older_spec_of_ours_is_replaced_whole(tmp_path: Path) -> None:
    """Files of an older version do not stay; nothing else is left beside it."""
    old = tmp_path / "user/kernels/proactive"
    write_spec(old, argv=["python3", "-m", "proactive", "-f", "{connection_file}"], display_name="Old")
    (old / "old.js").write_text("")
    installed = kernelspec.install(user=True)
    assert sorted(path.name for path in installed.path.iterdir()) == FILES
    assert [path.name for path in installed.path.parent.iterdir()] == ["proactive"]


def test_broken_spec_is_replaced(tmp_path: Path) -> None:
    """A folder without a readable kernel.json has no owner."""
    (tmp_path / "user/kernels/proactive").mkdir(parents=True)
    (tmp_path / "user/kernels/proactive/kernel.json").write_text("{")
    assert sorted(path.name for path in kernelspec.install(user=True).path.iterdir()) == FILES


def test_kernel_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """An existing Python kernel of the same name is not replaced."""
    other = tmp_path / "user/kernels/python3"
    write_spec(other, argv=["python", "-m", "ipykernel_launcher"], display_name="Python 3")
    for action in (kernelspec.install, kernelspec.uninstall):
        with pytest.raises(SetupError, match="is the kernel 'Python 3' of another program"):
            action(user=True, name="python3")
    assert spec(other)["display_name"] == "Python 3"


@pytest.mark.parametrize("name", ["", "a b", "../x", "..", "é", "a/b", "a\\b"])
def test_name_that_jupyter_does_not_accept(name: str) -> None:
    """A name that Jupyter would not find, or that leaves the folder, is refused."""
    with pytest.raises(SetupError, match="cannot be the name of a kernel"):
        kernelspec.install(user=True, name=name)


def test_places_exclude_each_other(tmp_path: Path) -> None:
    """Two places at once are no place."""
    with pytest.raises(SetupError, match="exclude each other"):
        kernelspec.install(user=True, prefix=tmp_path)


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """The system's refusal comes with the folder and the way out."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot write the kernelspec") as caught:
        kernelspec.install(prefix=tmp_path / "file")
    assert str(tmp_path / "file") in str(caught.value)


def test_uninstall_removes_it_wherever_jupyter_finds_it(tmp_path: Path) -> None:
    """Without a place every kernelspec of ours with that name goes."""
    paths = {kernelspec.install(user=True).path, kernelspec.install(sys_prefix=True).path}
    kernelspec.install(user=True, name="other")
    assert set(kernelspec.uninstall()) == paths
    assert [path.exists() for path in paths] == [False, False]
    assert (tmp_path / "user/kernels/other").is_dir()


def test_uninstall_from_one_place(tmp_path: Path) -> None:
    """With a place the others stay."""
    user, environment = kernelspec.install(user=True).path, kernelspec.install(sys_prefix=True).path
    assert kernelspec.uninstall(user=True) == [user]
    assert environment.is_dir()


def test_uninstall_of_nothing_says_where_it_looked(tmp_path: Path) -> None:
    """There is nothing to remove, and here is where it would have been."""
    with pytest.raises(SetupError, match="no kernelspec 'proactive' is installed") as caught:
        kernelspec.uninstall(user=True)
    assert str(tmp_path / "user/kernels") in str(caught.value)
