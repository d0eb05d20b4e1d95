"""Comparison of floats, arrays and what holds them, within a tolerance that a test states. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mpgrade.judge.attribution import not_returned
from pytest_mpgrade.judge.check import PASSED, Verdict, failed
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Concern, Opaque, Run

_LONGEST = 60
"""Characters of a value in a message."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The first place where two values differ, as Python would write it, and both values there."""

    place: str
    got: str
    expected: str

    @property
    def words(self) -> str:
        """The difference in words, to follow the name of a call."""
        where = f"returned{' a value whose ' + self.place + ' is' if self.place else ''}"
        return f"{where} {self.got}, expected {self.expected}"


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far a float may be from the expected one: at most atol + rtol |expected|."""

    rtol: float
    atol: float = 0.0

    def holds(self, got: float, expected: float) -> bool:
        """Tell whether two floats agree: two that are no numbers do, and equal infinities."""
        if math.isnan(expected) or math.isnan(got):
            return math.isnan(expected) and math.isnan(got)
        if math.isinf(expected) or math.isinf(got):
            return got == expected
        return abs(got - expected) <= self.atol + self.rtol * abs(expected)


def difference(got: Any, expected: Any, within: Tolerance, place: str = "") -> Difference | None:
    """Return where *got* differs from *expected*; None where it does not.

    An expected array asks for one of the same shape and kind of numbers. An expected list of
    numbers takes any sequence or one-dimensional array of as many, a tuple asks for a tuple, and a
    dict for the same keys. An expected float takes Python's and NumPy's floats, and all else has to
    be of the same type and equal.
    """
    if isinstance(got, Opaque) or not _same_kind(got, expected):
        return _differs(place, got, expected)
    if _is_array(expected) and got.shape != expected.shape:
        return _differs(f"{place}.shape", got.shape, expected.shape)
    if isinstance(expected, dict) and got.keys() != expected.keys():
        keys = f"a dict with {_keys(got)}", f"one with {_keys(expected)}"
        return Difference(place=place, got=keys[0], expected=keys[1])
    if isinstance(expected, (list, tuple)) and len(got) != len(expected):
        return _differs(f"len({place or 'value'})", len(got), len(expected))
    if isinstance(expected, float):
        close = within.holds(float(got), expected)
        return None if close else _differs(place, got, expected)
    parts = _parts(got, expected)
    if parts is None:
        return None if got == expected else _differs(place, got, expected)
    found = (difference(mine, theirs, within, f"{place}{at}") for at, mine, theirs in parts)
    return next(filter(None, found), None)


def _parts(got: Any, expected: Any) -> Iterator[tuple[str, Any, Any]] | None:
    """Return the pairs that two values hold, each with its place; None where they hold none."""
    if isinstance(expected, dict):
        return ((f"[{key!r}]", got[key], value) for key, value in expected.items())
    if _is_array(expected):
        flat = zip(got.ravel().tolist(), expected.ravel().tolist(), strict=True)
        shape = expected.shape
        return ((_index(at, shape), mine, theirs) for at, (mine, theirs) in enumerate(flat))
    if isinstance(expected, (list, tuple)):
        items = got.tolist() if _is_array(got) else got
        pairs = zip(items, expected, strict=True)
        return ((f"[{at}]", mine, theirs) for at, (mine, theirs) in enumerate(pairs))
    return None


def _index(at: int, shape: Sequence[int]) -> str:
    """Return the index of the item at a place of an array that is read row by row."""
    places: list[int] = []
    for length in reversed(shape):
        at, place = divmod(at, length)
        places.insert(0, place)
    return f"[{', '.join(map(str, places))}]"


def _same_kind(got: Any, expected: Any) -> bool:
    if _is_array(expected):
        return _is_array(got) and bool(got.dtype.kind == expected.dtype.kind)
    if type(expected) is list:
        return isinstance(got, (list, tuple)) or (_is_array(got) and got.ndim == 1)
    if isinstance(expected, float):
        return isinstance(got, float) or _is_numpy_float(got)
    return type(got) is type(expected)


def _is_array(value: object) -> bool:
    return type(value).__name__ == "ndarray"


def _is_numpy_float(value: Any) -> bool:
    return (
        type(value).__module__ == "numpy"
        and getattr(value, "dtype", None) is not None
        and (value.shape == () and value.dtype.kind == "f")
    )


def _keys(value: Mapping[Any, object]) -> str:
    return f"the keys {', '.join(map(repr, value))}" if value else "no keys"


def _differs(place: str, got: object, expected: object) -> Difference:
    return Difference(place=place, got=_shown(got), expected=_shown(expected))


def _shown(value: Any) -> str:
    if _is_array(value):
        return f"an array of {value.dtype}, shape {value.shape}"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


@check(title="returns the right value, up to rounding", hint="{hint}")
def returns_close(
    run: Run,
    expected: object,
    rtol: float,
    atol: float = 0.0,
    concern: Concern = Concern.RESULTS,
    *,
    hint: str = "",  # noqa: ARG001 - the decorator reads it
) -> Verdict:
    """The function returns this value: floats in it within *atol* + *rtol* |expected|.

    An expected array asks for one of the same shape and kind of numbers. An expected list of
    numbers takes any sequence or one-dimensional array of as many. In tuples and dicts each item is
    compared, and all but floats has to be equal, of the same type. NaN is equal to NaN.

    The check needs a run of a function that returns *expected*. It fails when the function returned
    another value, or raised. A call that did not come back is left to the check that it belongs to;
    with the concern `edge`, `deadlock` or `failure` it fails here.
    """
    owned = concern in (Concern.EDGE, Concern.DEADLOCK, Concern.FAILURE)
    wrong = not_returned(run, concern, owns_all=owned)
    if wrong is not None:
        return wrong
    found = difference(run.value, expected, Tolerance(rtol=rtol, atol=atol))
    if found is None:
        return PASSED
    return failed(f"{run.call} {found.words}", symptom="values")
