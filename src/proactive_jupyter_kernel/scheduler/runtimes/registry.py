"""The table of runtimes, built from the modules of this folder that declare ``RUNTIMES``."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.scheduler import runtimes
from proactive_jupyter_kernel.scheduler.runtimes.base import Runtime
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart
from proactive_jupyter_kernel.workflow.languages import LANGUAGES, by_engine

__all__ = ["runtime_for", "table"]


@functools.cache
def table() -> Mapping[str, Runtime]:
    """Engine name -> runtime, as ``workflow/languages.py`` writes the engines."""
    found: dict[str, Runtime] = {}
    for module in pkgutil.iter_modules(runtimes.__path__):
        if module.ispkg:
            continue
        declared = getattr(importlib.import_module(f"{runtimes.__name__}.{module.name}"), "RUNTIMES", ())
        for runtime in declared:
            if runtime.engine in found:
                raise RuntimeError(f"two files declare a runtime for the engine {runtime.engine!r}")
            found[runtime.engine] = runtime
    return found


def runtime_for(engine: str) -> Runtime:
    """The runtime for the engine that a script names. Raises `CannotStart` where there is none."""
    language = by_engine(engine)
    if language is None:
        hint = did_you_mean(engine, [language.engine for language in LANGUAGES])
        raise CannotStart(f"no script language is called {engine!r}. {hint}".rstrip())
    runtime = table().get(language.engine)
    if runtime is None:
        raise CannotStart(f"{language.name} scripts run on a ProActive server, not on the embedded scheduler")
    return runtime
