"""A module as mutators see it: its syntax, and for each place the function that it is in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import libcst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider

Node = TypeVar("Node", bound=libcst.CSTNode)

_SHOWN = 60
"""Characters of a piece of code in the name of a mutant."""


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One change that a mutator has made."""

    name: str
    line: int
    text: str


class MutableSource:
    """The syntax of one module. Only what is in its functions is changed."""

    def __init__(self, text: str) -> None:
        wrapper = MetadataWrapper(libcst.parse_module(text))
        self.module = wrapper.module
        self._positions = wrapper.resolve(PositionProvider)
        self._parents = wrapper.resolve(ParentNodeProvider)
        nodes = sorted(
            (node for node in self._positions if self.function(node) is not None), key=self._place
        )
        self._inside = [node for node in nodes if not isinstance(node, libcst.FunctionDef)]

    def all_of(self, kind: type[Node]) -> Iterator[Node]:
        """Yield all nodes of a kind that are in a function, in the order of the text."""
        return (node for node in self._inside if isinstance(node, kind))

    def function(self, node: libcst.CSTNode) -> libcst.FunctionDef | None:
        """Return the innermost function that a node is in, or None."""
        return next(
            (each for each in self._above(node) if isinstance(each, libcst.FunctionDef)), None
        )

    def statement(self, node: libcst.CSTNode) -> libcst.SimpleStatementLine | None:
        """Return the line that consists of a node alone, or None."""
        line = self._parents.get(node)
        alone = isinstance(line, libcst.SimpleStatementLine) and len(line.body) == 1
        return line if alone and isinstance(line, libcst.SimpleStatementLine) else None

    def code(self, node: libcst.CSTNode) -> str:
        """Return the code of a node in one short line: of a statement only its first line."""
        if isinstance(node, (libcst.SimpleStatementLine, libcst.BaseCompoundStatement)):
            first, *more = (
                self.module.code_for_node(node.with_changes(leading_lines=[])).strip().splitlines()
            )
            code = f"{first.strip()} …" if more else first
        else:
            code = " ".join(self.module.code_for_node(node).split())
        return code if len(code) <= _SHOWN else f"{code[: _SHOWN - 2]} …"

    def defined(self) -> frozenset[str]:
        """Return the names of the functions at the top level."""
        return frozenset(
            each.name.value for each in self.module.body if isinstance(each, libcst.FunctionDef)
        )

    def mutation(self, what: str, old: libcst.CSTNode, new: libcst.CSTNode) -> Mutation:
        """Return the change of one node, named after its function and *what* is changed."""
        names = [
            each.name.value
            for each in self._above(old)
            if isinstance(each, (libcst.FunctionDef, libcst.ClassDef))
        ]
        changed = self.module.deep_replace(old, new)
        assert isinstance(changed, libcst.Module)
        return Mutation(
            name=f"{'.'.join(reversed(names))}: {what}", line=self._place(old)[0], text=changed.code
        )

    def _above(self, node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
        above = self._parents.get(node)
        while above is not None:
            yield above
            above = self._parents.get(above)

    def _place(self, node: libcst.CSTNode) -> tuple[int, int]:
        start = self._positions[node].start
        return start.line, start.column


def called(node: libcst.CSTNode) -> str:
    """Return the last name of what a call calls; "" for what is no call, or has no name."""
    if not isinstance(node, libcst.Call):
        return ""
    function = node.func
    if isinstance(function, libcst.Attribute):
        return function.attr.value
    return function.value if isinstance(function, libcst.Name) else ""
