"""Spring expressions (SpEL), as variable models use them: `evaluate` runs one in a `Scope`."""

from __future__ import annotations

from proactive_jupyter_kernel.workflow.spel.interpreter import evaluate
from proactive_jupyter_kernel.workflow.spel.values import Scope, SpelError

__all__ = ["Scope", "SpelError", "evaluate"]
