"""Start the reference kernel with a stand-in for its one import that today's packages do not have.

`notebook.notebookapp` left with Notebook 7. The kernel only asks it for running servers, to find the notebook's folder.
"""

from __future__ import annotations

import runpy
import sys
import types

notebook, notebookapp = types.ModuleType("notebook"), types.ModuleType("notebook.notebookapp")
notebookapp.list_running_servers = list  # type: ignore[attr-defined]
notebook.notebookapp = notebookapp  # type: ignore[attr-defined]
sys.modules |= {"notebook": notebook, "notebook.notebookapp": notebookapp}
runpy.run_module("proactive-jupyter-kernel", run_name="__main__", alter_sys=True)
