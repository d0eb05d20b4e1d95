"""The tasks of a grading as plain functions: their source, without what reports to the grader.

A student who repeats a call without mpgrade needs functions that do the same work. They are read
off `inside/workloads.py`, so that there is one definition of each.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Iterable, Iterator
from types import ModuleType

from pytest_mpgrade.inside import workloads

_REPORTS = frozenset(("tell", "ask", "stand_at_gate", "_line_up", "_announce_the_end"))
"""Functions by which a task talks to the grader. What one of them returns is a text."""
_ALIASES = {"quiet_square": "square"}
"""A task that differs from another one only in what it reports."""

_Defined = dict[str, "ast.FunctionDef | ast.ClassDef"]


def is_task(value: object) -> bool:
    """Tell whether a value is one of the functions that tests hand out as tasks."""
    return getattr(value, "__module__", "") == workloads.__name__ and callable(value)


def name_of(task: object) -> str:
    """Return the name of the plain function that does a task's work."""
    name = str(getattr(task, "__name__", ""))
    return _ALIASES.get(name, name)


def plain_sources(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the modules that these tasks import, and the source of each, with what it calls."""
    needed: dict[str, str] = {}
    modules: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop(0)
        if name in needed:
            continue
        plain = _Plain().visit(_defined()[name])
        needed[name] = "\n".join(
            line for line in ast.unparse(ast.fix_missing_locations(plain)).splitlines() if line
        )
        used = {node.id for node in ast.walk(plain) if isinstance(node, ast.Name)}
        modules |= {each for each in used if isinstance(vars(workloads).get(each), ModuleType)}
        todo += sorted(used & _defined().keys())
    return sorted(modules), list(reversed(needed.values()))


@functools.cache
def _source() -> str:
    return inspect.getsource(workloads)


def _defined() -> _Defined:
    """Return the functions and classes of the module, parsed anew: whoever asks may change them."""
    body = ast.parse(_source()).body
    return {node.name: node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


class _Plain(ast.NodeTransformer):
    """Takes out reports, docstrings and annotations."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Leave a function with its code alone."""
        node.returns = None
        arguments = node.args
        for each in (*arguments.args, arguments.vararg, arguments.kwarg):
            if each is not None:
                each.annotation = None
        node.body = list(_without_docstring(node.body))
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Leave a class with its methods alone."""
        node.body = list(_without_docstring(node.body))
        self.generic_visit(node)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """Take a report out."""
        return None if _reports(node.value) else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Put a text in the place of what the grader would answer."""
        self.generic_visit(node)
        return ast.Constant("") if _reports(node) else node


def _reports(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in _REPORTS


def _without_docstring(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for place, node in enumerate(body):
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if place or not text:
            yield node
