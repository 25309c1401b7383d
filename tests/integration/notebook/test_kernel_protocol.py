"""The kernel against the official check of kernels, with Python cells and with pragma cells."""

from __future__ import annotations

import os
import tempfile
from typing import Any, ClassVar
from unittest import mock

import jupyter_kernel_test
from jupyter_client.manager import start_new_kernel

from proactive_jupyter_kernel.notebook import kernelspec

# The base classes are no tests of ours: pytest would collect them from this module's names.
OfficialTests = jupyter_kernel_test.KernelTests
WelcomeTests = jupyter_kernel_test.IopubWelcomeTests
del jupyter_kernel_test


class PrivateHome:
    """A kernelspec, a history and a scheduler's folder that vanish with the test."""

    _stack: ClassVar[list[Any]] = []

    @classmethod
    def enter(cls) -> None:
        home = tempfile.TemporaryDirectory()
        kernelspec.install(prefix=home.name)
        environment = mock.patch.dict(
            os.environ,
            JUPYTER_PATH=os.path.join(home.name, "share", "jupyter"),
            JUPYTER_RUNTIME_DIR=home.name,
            IPYTHONDIR=home.name,
            PROACTIVE_KERNEL_DATA_DIR=os.path.join(home.name, "data"),
        )
        environment.start()
        cls._stack += [home.cleanup, environment.stop]

    @classmethod
    def leave(cls) -> None:
        while cls._stack:
            cls._stack.pop()()


class KernelChecks(PrivateHome, OfficialTests):
    """What both sets of samples share."""

    __test__ = False
    kernel_name = kernelspec.NAME
    language_name = "python"
    file_extension = ".py"
    supported_history_operations = ("tail", "range", "search")
    code_page_something = "zip?"
    code_clear_output = "from IPython.display import clear_output; clear_output()"

    @classmethod
    def setUpClass(cls) -> None:
        cls.enter()
        cls.km, cls.kc = start_new_kernel(kernel_name=cls.kernel_name)

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        cls.kc.context.term()
        cls.leave()


class TestPythonCells(KernelChecks):
    """Cells without pragmas behave as in any Python kernel."""

    __test__ = True
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('test', file=sys.stderr)"
    completion_samples: ClassVar = [{"text": "zi", "matches": {"zip"}}]
    complete_code_samples: ClassVar = ["1", "print('hello')", "def f(x):\n  return x\n\n", "#%%\n1"]
    incomplete_code_samples: ClassVar = ["print('''hello", "def f(x):\n  x*2"]
    invalid_code_samples: ClassVar = ["import = 7q"]
    code_generate_error = "raise ValueError('no')"
    code_execute_result: ClassVar = [
        {"code": "6*7", "result": "42"},
        {"code": "await __import__('asyncio').sleep(0, 3)", "result": "3"},
        {"code": "6*9", "result": "54"},
    ]
    code_display_data: ClassVar = [
        {"code": "from IPython.display import HTML, display; display(HTML('<b>test</b>'))", "mime": "text/html"}
    ]
    code_history_pattern = "6?7*"
    code_inspect_sample = "zip"


class TestPragmaCells(KernelChecks):
    """Cells with pragmas obey the same protocol."""

    __test__ = True
    code_hello_world = "#%task(name=Greet)\nprint('task')\n#%job(name=Greetings)\nprint('hello, world')"
    code_stderr = "#%job(name=Greetings)\nimport sys; print('test', file=sys.stderr)"
    completion_samples: ClassVar = [
        {"text": "#%submit_j", "matches": {"submit_job"}},
        {"text": "#%task(desc", "matches": {"description="}},
        {"text": "#%submit_job(wait=o", "matches": {"on", "off"}},
        {"text": "x = 1\n#%task(name=A, on_error=sus", "matches": {"suspend"}},
    ]
    complete_code_samples: ClassVar = [
        "#%submit_job()",
        "#%help",
        "#%task(name=A)\nprint(1)\n",
        "#%task(name=A, language=bash)\nif true; then echo 1\n",
        "#%task(name=A, path=a.py)",
        "#%job(name=Jobs)\nx = 1",
    ]
    incomplete_code_samples: ClassVar = ["#%task(name=A,", "#%task(name=A)", "#%task(name=A)\nprint(1)"]
    invalid_code_samples: ClassVar = ["#%unheard_of()", "#%job(name=Jobs))", "#%submit_job()\nimport = 7q"]
    code_generate_error = "#%unheard_of()"
    code_execute_result: ClassVar = [
        {"code": "#%job(name=Greetings)\n6*7", "result": "42"},
        {"code": "#%job(name=Others)\n6*8", "result": "48"},
        {"code": "#%job(name=Third)\n6*9", "result": "54"},
    ]
    code_display_data: ClassVar = [{"code": "#%help()", "mime": "text/html"}]
    code_history_pattern = "*6?7*"
    code_inspect_sample = "#%task(name"


class TestWelcome(PrivateHome, WelcomeTests):
    """A subscriber of iopub is greeted."""

    __test__ = True
    kernel_name = kernelspec.NAME
    support_iopub_welcome = True

    @classmethod
    def setUpClass(cls) -> None:
        cls.enter()
        super().setUpClass()

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        cls.kc.context.term()
        cls.leave()


OfficialTests.__test__ = False
WelcomeTests.__test__ = False
