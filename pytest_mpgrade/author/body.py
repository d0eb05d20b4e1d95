"""What the reference of a new assignment computes: something for each item, put together.

It is a beginning that can be verified, and an author changes it. Each part has the Python that is
written, what it does, and how a sentence says it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mpgrade.author.asked import FunctionAsked
from pytest_mpgrade.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class BodyPart:
    """A piece of a body."""

    code: str
    does: Callable[[Any], Any]
    words: str


_ITEM = BodyPart(code="item", does=lambda item: item, words="the items of `{items}`")
_SQUARE = BodyPart(
    code="item * item", does=lambda item: item * item, words="the squares of the items of `{items}`"
)
_WORDS = BodyPart(
    code="len(item.split())",
    does=lambda item: len(item.split()),
    words="the numbers of words in the items of `{items}`",
)
_LENGTH = BodyPart(code="len(item)", does=len, words="the lengths of the items of `{items}`")
_EACH = (_SQUARE, _LENGTH, _WORDS, _ITEM)

_LIST = BodyPart(code="results", does=list, words="a list of {each}, in their order")
_SUM = BodyPart(code="sum(results)", does=sum, words="the sum of {each}")
_MAX = BodyPart(code="max(results)", does=max, words="the greatest of {each}")
_MIN = BodyPart(code="min(results)", does=min, words="the least of {each}")
_TOGETHER = (_LIST, _SUM, _MAX, _MIN)

_SUMS = frozenset(("sum", "total", "count", "add"))
"""Words in the name of a function that returns one number."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """What a function computes, and what it returns for the example."""

    compute: str
    combine: str
    words: str
    expected: object


def body(asked: FunctionAsked, expected: object = None) -> Body:
    """Choose what the function computes.

    *expected*: what it has to return for the example. Raises UsageError where nothing that can be
    written here returns that.
    """
    pairs = [(each, together) for each in _EACH for together in _TOGETHER]
    if expected is None:
        pairs = [_usual(asked)]
    for each, together in pairs:
        try:
            value = _value(each, together, asked.values)
        except (TypeError, AttributeError, ValueError):
            continue  # such items have no length, say
        if expected is None or (type(value), value) == (type(expected), expected):
            words = together.words.format(each=each.words.format(items=asked.items))
            return Body(compute=each.code, combine=together.code, words=words, expected=value)
    if expected is None:
        raise UsageError(
            "the items of the example cannot be added: give a list of numbers or texts"
        )
    raise UsageError(
        f"no reference that is written for you returns {expected!r} for {asked.call}: leave out"
        " --expected, write your own, and set EXPECTED in the test file"
    )


def _value(each: BodyPart, together: BodyPart, values: Sequence[object]) -> object:
    return together.does([each.does(value) for value in values])


def _usual(asked: FunctionAsked) -> tuple[BodyPart, BodyPart]:
    """Return what is computed of items of this type, by a function of this name."""
    words = frozenset(asked.name.lower().split("_"))
    together = _SUM if words & _SUMS else _LIST
    if all(isinstance(value, (int, float)) for value in asked.values):
        return (_ITEM if words & {"sum", "total", "add"} else _SQUARE), together
    if all(isinstance(value, str) for value in asked.values):
        return (_WORDS if words & {"word", "words"} else _LENGTH), together
    if all(hasattr(value, "__len__") for value in asked.values):
        return _LENGTH, together
    return _ITEM, _LIST
