"""Find what a source imports, by its syntax: modules, names, lines, and whether it is optional."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_IMPORT_ERRORS = frozenset(("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))
_LEAVING = frozenset(("exit", "quit", "_exit", "SystemExit"))


@dataclass(frozen=True, kw_only=True)
class Import:
    """A statement or call that imports a module."""

    module: str  # "sklearn.ensemble"
    names: tuple[str, ...] = ()  # imported from it
    line: int
    last: int  # last line
    # The program goes on without it, or imports it only as a script or for a type checker.
    optional: bool = False

    @property
    def shown(self) -> str:
        """The module, or the module and the one name imported from it, with dots."""
        return ", ".join(f"{self.module}.{name}" for name in self.names) or self.module

    @property
    def package(self) -> str:
        """The top-level module."""
        return self.module.partition(".")[0]


def module_imports(tree: ast.Module) -> tuple[Import, ...]:
    """Return all imports of a module, at any depth, in the order of lines."""
    return tuple(sorted(_imports(tree), key=lambda each: (each.line, each.module)))


def _imports(tree: ast.Module) -> Iterator[Import]:
    pending: list[tuple[ast.AST, bool]] = [(tree, False)]
    while pending:
        node, optional = pending.pop()
        for module, names in _imported(node):
            line = getattr(node, "lineno", 1)
            last = getattr(node, "end_lineno", None) or line
            yield Import(module=module, names=names, line=line, last=last, optional=optional)
        guarded = set(_guarded(node))
        pending += [(child, optional or child in guarded) for child in ast.iter_child_nodes(node)]


def _imported(node: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    if isinstance(node, ast.Import):
        yield from ((each.name, ()) for each in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        yield node.module, tuple(each.name for each in node.names)
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called, first = _name(node.func), node.args[0].value
        if (
            called in ("import_module", "__import__")
            and isinstance(first, str)
            and not first.startswith(".")
        ):
            yield first, ()
        elif called == "run_line_magic" and first in ("matplotlib", "pylab"):  # %matplotlib inline
            yield "matplotlib", ()


def _guarded(node: ast.AST) -> list[ast.stmt]:
    """Return the statements in the body of this one whose imports are optional."""
    if isinstance(node, ast.Try):
        return node.body if any(map(_goes_on, node.handlers)) else []
    if isinstance(node, (ast.With, ast.AsyncWith)):
        calls = [
            item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)
        ]
        suppressed = [
            _name(arg) for call in calls if _name(call.func) == "suppress" for arg in call.args
        ]
        return node.body if _IMPORT_ERRORS.intersection(suppressed) else []
    if isinstance(node, ast.If) and (
        _name(node.test) == "TYPE_CHECKING" or _is_main_gate(node.test)
    ):
        return node.body
    return []


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler catches a failed import and lets the program continue."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    if not any(kind is None or _name(kind) in _IMPORT_ERRORS for kind in kinds):
        return False
    nodes = [node for statement in handler.body for node in ast.walk(statement)]
    leaves = (isinstance(node, ast.Call) and _name(node.func) in _LEAVING for node in nodes)
    return not any(leaves) and not any(isinstance(node, ast.Raise) for node in nodes)


def _is_main_gate(test: ast.expr) -> bool:
    sides = (
        (test.left, *test.comparators)
        if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq)
        else ()
    )
    return {getattr(side, "id", getattr(side, "value", None)) for side in sides} == {
        "__name__",
        "__main__",
    }


def _name(node: ast.AST | None) -> str:
    """Return the last part of a name with dots."""
    return str(getattr(node, "attr", getattr(node, "id", "")))
