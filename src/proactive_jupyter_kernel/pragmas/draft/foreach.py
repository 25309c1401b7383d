"""`foreach=ITEM in VARIABLE`: a task that runs once for each item of a list, written as ProActive's replicate. Pure.

The task before it splits: it exports the list and how many items there are, and its flow script says how often the task
runs. Each copy takes its item by its replication index. Everything stands readably in the workflow's scripts, so that
a ProActive server runs it unchanged.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass

from proactive_jupyter_kernel.pragmas.declarations.kinds import InvalidValue, Kind, KnownNames, text_node
from proactive_jupyter_kernel.pragmas.grammar.syntax import Node
from proactive_jupyter_kernel.workflow.model import Script

__all__ = ["LANGUAGES", "Foreach", "ForeachKind"]

_FORM = re.compile(r"(?P<item>[^\W\d]\w*)\s+in\s+(?P<items>[^\W\d]\w*)")
#: Engines of tasks that can take an item out of a list.
LANGUAGES = frozenset({"cpython", "python"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreach:
    """One `foreach`."""

    #: The variable that is bound to the item.
    item: str
    #: The variable that holds the items.
    items: str

    def __str__(self) -> str:
        return f"{self.item} in {self.items}"

    @property
    def count(self) -> str:
        """The variable that holds the number of items."""
        return f"{self.items}_count"

    def split_script(self, *, from_job: bool, counted: bool) -> Script:
        """The script of the replication.

        `from_job`: the items are a variable of the job, a list in JSON. `counted`: every task that exports the items
        also exports their number.
        """
        head = f"// One run for each item of {self.items}.\n"
        if from_job:
            code = (
                f'try {{ runs = JSON.parse(variables.get("{self.items}")).length; }} catch (error) {{ runs = -1; }}\n'
                f'if (!(runs >= 0)) {{ throw new Error("foreach={self} needs a list, as JSON writes it: [1, 2]"); }}'
            )
        elif counted:
            code = f'runs = Number(variables.get("{self.count}"));'
        else:
            code = f'var items = variables.get("{self.items}");\nruns = items.size ? items.size() : items.length;'
        return Script(language="javascript", code=head + code)

    def count_lines(self) -> str:
        """The lines that export the number of items, in Python. A generator gives its items only once."""
        return "\n".join(
            (
                f'if hasattr({self.items}, "__next__"):',
                f"    {self.items} = list({self.items})",
                f'    variables.put("{self.items}", {self.items})',
                f'elif not hasattr({self.items}, "__iter__"):',
                f'    raise TypeError("foreach={self} needs a list, not " + type({self.items}).__name__)',
                f'variables.put("{self.count}", len(list({self.items})))',
            )
        )

    def item_lines(self, *, from_job: bool) -> str:
        """The lines that bind the item, in Python."""
        index = 'int(variables.get("PA_TASK_REPLICATION"))'
        if from_job:
            return f'import json\n{self.item} = json.loads(variables.get("{self.items}"))[{index}]'
        return f'{self.item} = list(variables.get("{self.items}"))[{index}]'

    @staticmethod
    def merge_lines(task: str) -> str:
        """The lines of the next task, in Python: without items the scheduler gives it the result of the split."""
        return (
            f"# The results of {task} alone; none where there was no item.\n"
            "results = [one for one in results\n"
            f'           if str(one.getTaskId().getReadableName()).split("#")[0].split("*")[0] == "{task}"]'
        )


class ForeachKind(Kind):
    """``item in variable``."""

    @property
    def description(self) -> str:
        return "of the form ITEM in VARIABLE, such as path in paths"

    def parse(self, node: Node) -> Foreach:
        found = _FORM.fullmatch(self.text_of(node).strip())
        if found is None:
            raise self.unfit(node)
        item, items = found["item"], found["items"]
        for name in (item, items):
            if keyword.iskeyword(name):
                raise InvalidValue(f"names {name!r}, which is a reserved word of Python.", node)
        if item == items:
            raise InvalidValue(f"uses the name {item!r} for the item and for the list.", node, hint="Rename the item.")
        return Foreach(item=item, items=items)

    def node(self, value: Foreach) -> Node:
        return text_node(str(value))

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        return [f"item in {name}" for name in known.variables]
