"""A small language for rules of points.

It has numbers, names, + - * /, comparisons, `and or not`, `a if c else b`, and functions. Python's
own parser reads it, and only the syntax listed here is accepted. Evaluators on PyPI report an
unknown name when they evaluate. A course author has to be told when the assignment is read, months
before anybody is late.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping
from itertools import pairwise

from pytest_mpgrade.system.did_you_mean import nearest_or_all

LONGEST = 300
"""Characters. A rule for late points is one line."""

_BINARY: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[float], float]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
_COMPARE: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ONE_ARGUMENT: Mapping[str, Callable[[float], float]] = {
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
}
_MORE_ARGUMENTS: Mapping[str, Callable[..., float]] = {"min": min, "max": max}
FUNCTIONS = (*_MORE_ARGUMENTS, *_ONE_ARGUMENT)


def check_expression(text: str, names: Collection[str]) -> None:
    """Raise ValueError, with the column, for a *text* that is no expression.

    Also raise it for a name that is not in *names*.
    """
    if len(text) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    try:
        _check(_parsed(text), names)
    except SyntaxError as error:
        raise _wrong(text, (error.offset or 1) - 1, "this is no expression") from error
    except _NotTakenError as error:
        raise _wrong(text, error.node.col_offset, error.why) from error
    except (RecursionError, MemoryError) as error:
        raise ValueError("too deeply nested") from error


def names_in(text: str) -> frozenset[str]:
    """Return the names that a checked expression depends on."""
    return frozenset(node.id for node in ast.walk(_parsed(text)) if isinstance(node, ast.Name))


def evaluate(text: str, values: Mapping[str, float]) -> float:
    """Return the value of a checked expression.

    Raises ArithmeticError where it divides by zero or the value is no number.
    """
    value = float(_value(_parsed(text), values))
    if math.isnan(value):
        raise ArithmeticError("not a number")
    return value


def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


class _NotTakenError(Exception):
    def __init__(self, node: ast.expr, why: str) -> None:
        super().__init__(why)
        self.node = node
        self.why = why


def _wrong(text: str, column: int, why: str) -> ValueError:
    return ValueError(f"{why}, at column {column + 1} of {text!r}")


def _check(node: ast.expr, names: Collection[str]) -> None:
    if isinstance(node, ast.Constant):
        if (
            isinstance(node.value, bool)
            or not isinstance(node.value, (int, float))
            or not abs(node.value) <= 1e9
        ):
            raise _NotTakenError(node, "expected a number, at most a thousand millions")
    elif isinstance(node, ast.Name):
        if node.id not in names:
            raise _NotTakenError(
                node, f"there is no name {node.id!r} ({nearest_or_all(node.id, names)})"
            )
    elif isinstance(node, ast.Call):
        _check_call(node)
    elif not _is_taken(node):
        raise _NotTakenError(
            node, "only numbers, names, + - * /, comparisons and functions can be used"
        )
    called = node.func if isinstance(node, ast.Call) else None
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and child is not called:
            _check(child, names)


def _check_call(node: ast.Call) -> None:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in FUNCTIONS:
        raise _NotTakenError(
            node,
            f"there is no function {ast.unparse(node.func)!r} ({nearest_or_all(name, FUNCTIONS)})",
        )
    fits = len(node.args) == 1 if name in _ONE_ARGUMENT else len(node.args) > 1
    if node.keywords or not fits or any(isinstance(each, ast.Starred) for each in node.args):
        takes = "one number" if name in _ONE_ARGUMENT else "two numbers or more"
        raise _NotTakenError(node, f"{name}() takes {takes}")


def _is_taken(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return type(node.op) in _BINARY
    if isinstance(node, ast.UnaryOp):
        return type(node.op) in _UNARY
    if isinstance(node, ast.Compare):
        return all(type(op) in _COMPARE for op in node.ops)
    return isinstance(node, (ast.BoolOp, ast.IfExp))


def _value(node: ast.expr, values: Mapping[str, float]) -> float:
    """Evaluate syntax that `check_expression` has accepted; it comes across no other."""
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.UnaryOp):
        return _UNARY[type(node.op)](_value(node.operand, values))
    if isinstance(node, ast.IfExp):
        return _value(node.body if _value(node.test, values) else node.orelse, values)
    if isinstance(node, ast.BoolOp):
        wanted = isinstance(node.op, ast.Or)
        return (
            wanted
            if any(bool(_value(each, values)) is wanted for each in node.values)
            else not wanted
        )
    if isinstance(node, ast.Compare):
        sides = [_value(each, values) for each in (node.left, *node.comparators)]
        return all(
            _COMPARE[type(op)](*pair) for op, pair in zip(node.ops, pairwise(sides), strict=True)
        )
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        return {**_ONE_ARGUMENT, **_MORE_ARGUMENTS}[name](
            *(_value(each, values) for each in node.args)
        )
    assert isinstance(node, ast.Constant)
    return float(str(node.value))
