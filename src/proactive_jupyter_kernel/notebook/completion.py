"""Tab in a pragma: what the pragmas propose, through IPython's own completer, so in kernels and terminals alike."""

from __future__ import annotations

import re
from typing import Any

from proactive_jupyter_kernel.notebook.runner import Runner
from proactive_jupyter_kernel.notebook.transformer import has_pragma

__all__ = ["Completion"]

#: Above all of IPython's own matchers, which take a pragma for a comment or the name of a magic.
PRIORITY = 1000


_BEGUN = re.compile(r"#[ \t]*%")


class _Completions(list[Any]):
    """A list that claims to hold something: IPython only listens to a matcher that has something to say.

    Where nothing may stand in a pragma, the names of Python may not either.
    """

    def __len__(self) -> int:
        return super().__len__() or 1


class Completion:
    """One more matcher of a shell's completer."""

    def __init__(self, shell: Any, runner: Runner) -> None:
        self._completer = shell.Completer
        self._runner = runner
        self._matcher: Any = None

    def install(self) -> None:
        from IPython.core.completer import completion_matcher

        def proactive_pragmas(context: Any) -> Any:
            return self._matches(context)

        declare = completion_matcher(priority=PRIORITY, identifier="proactive_pragmas", api_version=2)
        self._matcher = declare(proactive_pragmas)
        self._completer.custom_matchers.append(self._matcher)

    def remove(self) -> None:
        self._completer.custom_matchers.remove(self._matcher)

    def _matches(self, context: Any) -> dict[str, Any]:
        """IPython's record of what may stand at the cursor; other matchers answer outside of pragmas only."""
        from IPython.core.completer import SimpleCompletion

        cell = context.full_text
        lines = cell.split("\n")
        cursor = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        # The name of a pragma may not have begun yet, and a half-typed name is not a pragma.
        if not _BEGUN.search(lines[context.cursor_line]) and not has_pragma(cell):
            return {"completions": []}
        from proactive_jupyter_kernel.pragmas.assist.completion import complete

        found = complete(cell, cursor, self._runner.started)
        if found is None:
            return {"completions": []}
        return {
            "completions": _Completions(SimpleCompletion(text=match.text, type=match.kind) for match in found.matches),
            "matched_fragment": cell[found.start : cursor],
            "suppress": True,
            "ordered": True,
        }
