"""Variables with their values and, as ProActive's models demand, what the values must be. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proactive_jupyter_kernel.pragmas.declarations.kinds import NOWHERE, Formula, InvalidValue, Modelled, text_node
from proactive_jupyter_kernel.pragmas.declarations.values import Pairs
from proactive_jupyter_kernel.pragmas.grammar.syntax import ListNode, Node, TextNode

__all__ = ["VariablePairs", "model_fault"]


def model_fault(name: str, model: str, value: str, others: Mapping[str, str]) -> str:
    """Why a value does not fit its model, as the rest of a sentence; empty where it does or that is not known yet."""
    from proactive_jupyter_kernel.workflow.variable_models import ModelError, check_value, is_model

    # References are resolved when the job is submitted; until then the value is unknown.
    if not is_model(model) or "${" in value or "${" in model:
        return ""
    try:
        check_value(model, value, variables={**others, name: value})
    except ModelError as error:
        return str(error).strip().rstrip(".")
    return ""


#: The bracket of what stands behind the name in a triple; it is not typed.
_VALUE_AND_MODEL = ""


@dataclass(frozen=True)
class VariablePairs(Pairs):
    """Pairs, and triples: a name, a value and a model, such as ``(n, 5, PA:INTEGER)``."""

    def parse(self, node: Node) -> Mapping[str, str | Formula | Modelled]:
        values: dict[str, str | Formula | Modelled] = {}
        nodes: dict[str, Node] = {}
        for key, value in self._rows(node):
            name = self.key.parse(key)
            if name in values:
                raise InvalidValue(f"gives {name!r} twice.", key)
            values[name] = one = self._modelled(value)
            nodes[name] = value.items[0] if isinstance(one, Modelled) and isinstance(value, ListNode) else value
        plain = {name: one.value if isinstance(one, Modelled) else one for name, one in values.items()}
        texts = {name: value for name, value in plain.items() if isinstance(value, str)}
        for name, one in values.items():
            if not isinstance(one, Modelled) or not isinstance(one.value, str):
                continue
            if fault := model_fault(name, one.model, one.value, texts):
                reason = f"gives {name} the value {one.value!r}, which does not match {one.model}: {fault}."
                raise InvalidValue(reason, nodes[name])
        return values

    def _rows(self, node: Node) -> Sequence[tuple[Node, Node]]:
        if isinstance(node, ListNode):
            if node.bracket == "(" and len(node.items) == 3 and all(isinstance(item, TextNode) for item in node.items):
                node = ListNode(items=(node,), span=node.span)
            if any(isinstance(item, ListNode) and len(item.items) == 3 for item in node.items):
                return [self._row(item) for item in node.items]
        return super()._rows(node)

    def _row(self, item: Node) -> tuple[Node, Node]:
        if not isinstance(item, ListNode) or len(item.items) not in (2, 3):
            raise self.unfit(item)
        key, *rest = item.items
        return key, rest[0] if len(rest) == 1 else ListNode(
            items=tuple(rest), bracket=_VALUE_AND_MODEL, span=rest[0].span
        )

    def _modelled(self, node: Node) -> str | Formula | Modelled:
        if isinstance(node, ListNode) and len(node.items) == 2 and isinstance(node.items[1], TextNode):
            value, model = node.items[0], node.items[1].text.strip()
            if node.bracket == _VALUE_AND_MODEL or (node.bracket == "(" and model.startswith("PA:")):
                return Modelled(value=self._value(value), model=model, span=value.span)
        return self._value(node)

    def node(self, value: Mapping[str, str | Formula | Modelled]) -> Node:
        def row(name: str, one: str | Formula | Modelled) -> Node:
            plain = one.value if isinstance(one, Modelled) else one
            pair = super(VariablePairs, self).node({name: plain})
            assert isinstance(pair, ListNode)
            (items,) = pair.items
            if not isinstance(one, Modelled):
                return items
            assert isinstance(items, ListNode)
            return ListNode(items=(*items.items, text_node(one.model)), bracket="(", span=NOWHERE)

        return ListNode(items=tuple(row(name, one) for name, one in value.items()), span=NOWHERE)

    def complete_model(self) -> Sequence[str]:
        """What may stand as the third item."""
        from proactive_jupyter_kernel.workflow.variable_models import MODELS

        return [f"PA:{name}" for name in MODELS]
