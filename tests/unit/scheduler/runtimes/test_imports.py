"""Which packages a template may import before a script does."""

from __future__ import annotations

from pathlib import Path

import pytest

from proactive_jupyter_kernel.scheduler.runtimes.imports import at_the_beginning, may_be_shadowed

SCRIPTS = {
    "import numpy as np\nresult = 1": ("numpy",),
    "# first\n\nimport os, numpy; import json\nx = 1": ("numpy",),
    "import numpy as np\nimport pandas as pd": ("pandas",),
    "from pandas import DataFrame, Series as S": ("pandas:DataFrame", "pandas:Series"),
    "from numpy import (linalg)\nimport numpy.random": ("numpy.random", "numpy:linalg"),
    "import os\nos.environ['OMP_NUM_THREADS'] = '1'\nimport numpy": (),
    "import mine\nimport numpy": (),
    "import numpy\nimport mine\nimport pandas": ("numpy",),
    "if True:\n    import numpy": (),
    "    import numpy": (),
    "result = 'numpy'": (),
}


@pytest.mark.parametrize("code", SCRIPTS)
def test_only_imports_at_the_beginning_count(code: str) -> None:
    """What comes before an import, or another module, may change what it gives."""
    assert at_the_beginning(code) == SCRIPTS[code]


def test_a_folder_with_modules_may_shadow_packages(tmp_path: Path) -> None:
    """Data files do not."""
    (tmp_path / "data.csv").touch()
    before = may_be_shadowed(tmp_path)
    (tmp_path / "numpy.py").touch()
    assert (before, may_be_shadowed(tmp_path)) == (False, True)
