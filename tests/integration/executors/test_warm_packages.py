"""Packages that templates have imported for the tasks that use them."""

from __future__ import annotations

import os
from typing import Any

import pytest

from proactive_jupyter_kernel.workflow.model import ForkEnvironment

pytestmark = [
    pytest.mark.needs(modules=["numpy"]),
    pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs to know the threads of a process"),
]

CODE = """
import numpy
import os
result = [os.getppid(), numpy.random.random(), float(numpy.ones(2).sum()), len(os.listdir("/proc/self/task"))]
"""


def template_of(lab: Any, usual: int) -> int:
    """The template that has imported numpy, once it is there."""
    for _ in range(500):
        found = lab.run(CODE).value[0]
        if found != usual:
            return int(found)
    pytest.fail("no template imports what tasks import")


def test_a_package_is_imported_once_for_all_tasks(warm_lab: Any) -> None:
    """Each has random numbers of its own, and no thread of others."""
    usual = warm_lab.run("import os\nresult = os.getppid()").value
    importing = template_of(warm_lab, usual)
    first, second = (warm_lab.run(CODE).value for _ in range(2))
    assert (first[0], second[0], first[1] == second[1], first[2:], second[2:]) == (
        importing,
        importing,
        False,
        [2.0, 1],
        [2.0, 1],
    )


def test_what_counts_at_an_import_is_as_the_task_has_it(warm_lab: Any) -> None:
    """Its environment, and modules in its folder."""
    usual = warm_lab.run("import os\nresult = os.getppid()").value
    template_of(warm_lab, usual)
    fork = ForkEnvironment(environment={"OMP_NUM_THREADS": "1"})
    own = warm_lab.run(CODE.replace("import numpy", "import os\nos.environ['OMP_NUM_THREADS'] = '1'\nimport numpy", 1))
    shadow = "open('numpy.py', 'w').write('def ones(x): return 7\\nclass random: random = lambda: 1')"
    shadowed = warm_lab.run(
        "import numpy, os\nresult = [os.getppid(), hasattr(numpy, 'linalg')]", pre=warm_lab.script(shadow)
    )
    assert (warm_lab.run(CODE, fork_environment=fork).value[0], own.value[0], shadowed.value) == (
        usual,
        usual,
        [usual, False],
    )
