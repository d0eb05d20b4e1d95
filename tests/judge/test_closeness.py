"""Comparison of floats and of what holds them, within a tolerance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_mpgrade.judge.checks.closeness import Tolerance, difference
from pytest_mpgrade.records import Opaque

NAN, INF = float("nan"), float("inf")
WITHIN = Tolerance(rtol=1e-9, atol=1e-12)

CLOSE: list[tuple[Any, Any]] = [
    (1.0 + 1e-10, 1.0),
    (np.float64(0.5), 0.5),
    (np.float32(0.5), 0.5),
    (NAN, NAN),
    (-INF, -INF),
    (1e-13, 0.0),
    (np.array([[1.0, NAN]]), np.array([[1.0, NAN]])),
    (np.array([1, 2]), np.array([1, 2])),
    ([1.0, 2.0], [1.0, 2.0]),
    ((1.0, 2.0), [1.0, 2.0]),
    (np.array([1.0, 2.0]), [1.0, 2.0]),
    ({"a": [1.0], "b": (1, "x", None)}, {"b": (1, "x", None), "a": [1.0]}),
]
DIFFERENT: list[tuple[Any, Any, str]] = [
    (1.0 + 1e-8, 1.0, "returned 1.00000001, expected 1.0"),
    (1, 1.0, "returned 1, expected 1.0"),
    (True, 1, "returned True, expected 1"),
    (NAN, 1.0, "returned nan, expected 1.0"),
    (INF, 1e308, "returned inf, expected 1e+308"),
    (INF, -INF, "returned inf, expected -inf"),
    ("1.0", 1.0, "returned '1.0', expected 1.0"),
    (None, 1.0, "returned None, expected 1.0"),
    ([1.0], (1.0,), "returned [1.0], expected (1.0,)"),
    ([1.0, 2.0], [1.0], "returned a value whose len(value) is 2, expected 1"),
    ([1.0, 2.5], [1.0, 2.0], "returned a value whose [1] is 2.5, expected 2.0"),
    ({"a": 1.0}, {"b": 1.0}, "returned a dict with the keys 'a', expected one with the keys 'b'"),
    ({"a": [1.0]}, {"a": [2.0]}, "returned a value whose ['a'][0] is 1.0, expected 2.0"),
    (np.ones(3), np.ones((3, 1)), "returned a value whose .shape is (3,), expected (3, 1)"),
    (np.ones(2, int), np.ones(2), "returned an array of int64, shape (2,), expected an array of"),
    ([1.0, 1.0], np.ones(2), "returned [1.0, 1.0], expected an array of float64, shape (2,)"),
    (np.array([[1.0, 2.0]]), np.array([[1.0, 3.0]]), "whose [0, 1] is 2.0, expected 3.0"),
    (
        np.ones((2, 2)),
        [1.0, 1.0],
        "returned an array of float64, shape (2, 2), expected [1.0, 1.0]",
    ),
    (Opaque("pandas.DataFrame"), 1.0, "returned <pandas.DataFrame>, expected 1.0"),
]


@pytest.mark.parametrize(("got", "expected"), CLOSE, ids=range(len(CLOSE)))
def test_close(got: object, expected: object) -> None:
    """Values that are equal up to rounding, of the asked kinds, do not differ."""
    assert difference(got, expected, WITHIN) is None


@pytest.mark.parametrize(("got", "expected", "words"), DIFFERENT, ids=range(len(DIFFERENT)))
def test_different(got: object, expected: object, words: str) -> None:
    """The first place at which values differ is named, with both values."""
    found = difference(got, expected, WITHIN)
    assert found is not None
    assert words in found.words
