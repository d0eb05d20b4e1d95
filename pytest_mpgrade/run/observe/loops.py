"""What ends a polling loop of the student: the end of a process, or the arrival of something.

No system call shows what such a loop asks for, so this module reads the student's source. It goes
by the names of the standard library's functions, never by the names of the student's variables.
"""

from __future__ import annotations

import ast
import functools
import itertools
import linecache
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pytest_mpgrade.records import Awaited, Frame

_OF_EXITS = frozenset(
    (
        "is_alive",
        "exitcode",
        "sentinel",
        "active_children",
        "waitpid",
        "waitid",
        "pidfd_open",
        "pid_exists",
    )
)
_OF_MESSAGES = frozenset(
    (
        "get",
        "get_nowait",
        "recv",
        "recv_bytes",
        "recv_bytes_into",
        "poll",
        "empty",
        "qsize",
        "ready",
        "done",
        "result",
    )
)
MOST_SOURCE = 300_000
"""Characters of a file. A longer one is not read."""
MOST_STATEMENTS = 300
"""Statements of a loop. Further ones are not read."""

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def awaited_by_loop(frames: Sequence[Frame]) -> frozenset[Awaited]:
    """Return what would end the innermost loop around these frames; nothing where there is no loop.

    *frames* are the submission's, innermost first.
    """
    for frame in frames:
        module = _module(frame.file)
        loops = [
            node
            for node in ast.walk(module)
            if isinstance(node, ast.While) and _spans(node, frame.line)
        ]
        if loops:
            return _Loop(max(loops, key=lambda node: node.lineno), module).ends_by()
    return frozenset()


def called_at(frame: Frame) -> frozenset[str]:
    """Return the names of the functions and methods that the line of a frame calls.

    The name "with" stands for a `with` statement.
    """
    names = set()
    for node in ast.walk(_module(frame.file)):
        if isinstance(node, ast.Call) and _spans(node, frame.line):
            names.add(_name(node.func))
        elif isinstance(node, (ast.With, ast.AsyncWith)) and any(
            _spans(item.context_expr, frame.line) for item in node.items
        ):
            names.add("with")
    return frozenset(names)


def sentinels_at(frame: Frame) -> tuple[bool, bool]:
    """Tell whether the line of a frame waits for sentinels, and whether for anything else."""
    exits, messages = False, False
    for node in ast.walk(_module(frame.file)):
        if (
            isinstance(node, ast.Call)
            and _name(node.func) == "wait"
            and node.args
            and _spans(node, frame.line)
        ):
            listed = _assigned(node.args[0], _module(frame.file))
            for each in listed.elts if isinstance(listed, (ast.List, ast.Tuple)) else [listed]:
                of_exit = any(_name(inner) == "sentinel" for inner in ast.walk(each))
                exits, messages = exits or of_exit, messages or not of_exit
    return exits, messages or not exits


def _assigned(node: ast.expr, module: ast.Module) -> ast.expr:
    """Return the value of a variable that is assigned in one place; else the expression itself."""
    given = [
        each.value
        for each in ast.walk(module)
        if isinstance(each, ast.Assign)
        and isinstance(node, ast.Name)
        and node.id in map(_name, each.targets)
    ]
    return given[0] if len(given) == 1 else node


def holds(waiting: Frame, other: Frame) -> bool:
    """Tell whether *other* stands behind the line at which *waiting* waits, in the same function.

    For a `with` statement, behind it means in its body.
    """
    if (waiting.file, waiting.function) != (other.file, other.function):
        return False
    blocks = [
        node
        for node in ast.walk(_module(waiting.file))
        if isinstance(node, ast.With)
        and any(_spans(item.context_expr, waiting.line) for item in node.items)
    ]
    if not blocks:
        return other.line > waiting.line
    return any(_spans(inner, other.line) for node in blocks for inner in node.body)


@functools.lru_cache(maxsize=8)
def _module(file: str) -> ast.Module:
    text = "".join(linecache.getlines(file))
    try:
        return ast.parse(text if len(text) < MOST_SOURCE else "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])


def _spans(node: ast.expr | ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


@dataclass(kw_only=True)
class _Place:
    """A statement in a loop, and the tests that decide whether the loop reaches it."""

    node: ast.AST
    tests: list[ast.expr] = field(default_factory=list)


class _Loop:
    """One `while` loop, in its module."""

    def __init__(self, loop: ast.While, module: ast.Module) -> None:
        self._test = loop.test
        self._places = [*itertools.islice(_inner(loop.body, []), MOST_STATEMENTS)]
        self._known: dict[tuple[ast.AST, int], frozenset[Awaited]] = {}
        self._functions = {
            node.name: node
            for node in ast.walk(module)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        }

    def ends_by(self) -> frozenset[Awaited]:
        """Return what can end the loop; nothing, if nothing can.

        Its test can, and whatever leads to a `break` or `return` in it.
        """
        awaited = frozenset() if isinstance(self._test, ast.Constant) else self._of_test(self._test)
        for place in self._places:
            if isinstance(place.node, (ast.Break, ast.Return)):
                awaited |= self._of_place(place)
        return awaited

    def _of_test(self, test: ast.expr) -> frozenset[Awaited]:
        if isinstance(test, ast.BoolOp):
            parts = [self._of_test(value) for value in test.values]
            only_exit = frozenset((Awaited.EXIT,))
            # This part has to become false before the loop ends, whatever the other parts are.
            if isinstance(test.op, ast.Or) and only_exit in parts:
                return only_exit
            return frozenset().union(*parts)
        return self._asked(test) or self._of_changes(test) or frozenset((Awaited.MESSAGE,))

    def _of_place(self, place: _Place) -> frozenset[Awaited]:
        awaited = self._asked(place.node)
        for test in place.tests:
            awaited |= self._asked(test) or self._of_changes(test)
        return awaited or frozenset((Awaited.MESSAGE,))

    def _of_changes(self, test: ast.expr) -> frozenset[Awaited]:
        """Return what the loop asks where it changes the variables of a test."""
        names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
        awaited: frozenset[Awaited] = frozenset()
        for place in self._places:
            if names & _changed(place.node):
                awaited |= self._asked(place.node)
                awaited = awaited.union(*(self._asked(each) for each in place.tests))
        return awaited

    def _asked(self, node: ast.AST, depth: int = 3) -> frozenset[Awaited]:
        """Return what a piece of code asks, itself or in the student's functions that it calls."""
        if (node, depth) not in self._known:
            self._known[node, depth] = frozenset(self._asked_in(node, depth))
        return self._known[node, depth]

    def _asked_in(self, node: ast.AST, depth: int) -> Iterator[Awaited]:
        for each in ast.walk(node):
            if _name(each) in _OF_EXITS:
                yield Awaited.EXIT
            called = _name(each.func) if isinstance(each, ast.Call) else ""
            if called in _OF_MESSAGES:
                yield Awaited.MESSAGE
            if depth and called in self._functions:
                yield from self._asked(self._functions[called], depth - 1)


def _inner(
    body: Sequence[ast.stmt], tests: list[ast.expr], *, breaks: bool = True
) -> Iterator[_Place]:
    """Yield the statements of a loop. A `break` of an inner loop is not one of this loop's."""
    for node in body:
        if isinstance(node, _SCOPES) or (isinstance(node, ast.Break) and not breaks):
            continue
        within = [*tests, node.test] if isinstance(node, ast.If) else tests
        inside_loop = isinstance(node, (ast.While, ast.For, ast.AsyncFor))
        blocks = [
            getattr(node, name)
            for name in ("body", "orelse", "finalbody")
            if isinstance(getattr(node, name, 0), list)
        ]
        blocks += [handler.body for handler in getattr(node, "handlers", [])]
        blocks += [case.body for case in getattr(node, "cases", [])]
        if not blocks:
            yield _Place(node=node, tests=tests)
        for block in blocks:
            yield from _inner(block, within, breaks=breaks and not inside_loop)


def _changed(node: ast.AST) -> set[str]:
    """Return the variables that a statement may change.

    It changes them by assignment, or by a method that it calls.
    """
    names = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, (ast.Store, ast.Del)):
            names.add(each.id)
        elif isinstance(each, (ast.Attribute, ast.Subscript)) and isinstance(each.value, ast.Name):
            called = isinstance(each, ast.Attribute) or not isinstance(each.ctx, ast.Load)
            names |= {each.value.id} if called else set()
    return names
