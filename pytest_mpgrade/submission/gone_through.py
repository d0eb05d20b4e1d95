"""Read from a module's syntax which functions go through one of their parameters twice.

A list can be gone through again; a generator is empty then. Nothing is imported or run, and what
is found explains an empty list of results, and decides nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from pytest_mpgrade.records import Use, again_in

_TAKES_ALL = frozenset(
    (
        *("list", "tuple", "set", "sorted", "sum", "max", "min", "any", "all", "dict", "deque"),
        *("enumerate", "zip", "map", "filter", "len"),
    )
)
"""Functions of Python that go through what they are given, or whose result does."""
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_LONGEST = 120
"""Characters of a line that is shown."""


def gone_through_twice(tree: ast.Module) -> Iterator[Use]:
    """Yield for each function at the top level the second place that goes through a parameter.

    A parameter that is given another value, as by ``tasks = list(tasks)``, may be a list then.
    """
    for function in tree.body:
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        given = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
        nodes = list(ast.walk(function))
        bound = {
            each.id
            for each in nodes
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
        for name in given:
            places = sorted(_places(nodes, name), key=lambda node: (node.lineno, node.col_offset))
            if name not in bound and len(places) > 1:
                place = places[1]
                again = again_in(function.name)
                yield Use(name=again, line=place.lineno, code=shown_code(place))


def _places(nodes: list[ast.AST], name: str) -> Iterator[ast.stmt | ast.expr]:
    """Yield the loops, comprehensions and calls that go through the value of a name."""
    for node in nodes:
        if isinstance(node, (ast.For, ast.AsyncFor, *_COMPREHENSIONS, ast.Call)) and any(
            isinstance(each, ast.Name) and each.id == name for each in _gone_through(node)
        ):
            yield node


def _gone_through(node: ast.AST) -> Sequence[ast.expr]:
    """Return what a loop, a comprehension or a call of one of the functions above goes through."""
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return [node.iter]
    if isinstance(node, _COMPREHENSIONS):
        return [each.iter for each in node.generators]
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _TAKES_ALL:
        return node.args
    return ()


def shown_code(node: ast.AST) -> str:
    """Return the first line of a statement or call, as reports show it."""
    try:
        return ast.unparse(node).partition("\n")[0][:_LONGEST]
    except RecursionError:  # it is nested too deeply to be shown
        return ""
