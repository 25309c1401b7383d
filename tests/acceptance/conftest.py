"""A home for kernels and a scheduler, gone after the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.notebook import kernelspec


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the kernels and the scheduler of these notebooks keep everything; the scheduler is stopped at the end."""
    home = tmp_path_factory.mktemp("home")
    kernelspec.install(prefix=home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(home / "share" / "jupyter"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(home / "runtime"))
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        patch.setenv("PROACTIVE_KERNEL_DATA_DIR", str(home / "data"))
        for name in ("PROACTIVE_URL", "PROACTIVE_LOGIN", "PROACTIVE_PASSWORD"):
            patch.delenv(name, raising=False)
        try:
            yield home
        finally:
            embedded.stop()
