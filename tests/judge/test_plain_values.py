"""What tests of authors read as `run.value`: plain Python values, no object of a class."""

from __future__ import annotations

import collections
import fractions
import http
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.examples.runs import made
from pytest_mpgrade.records import Ending, Opaque, RaisedError, python_value


def received(value: object) -> Any:
    """Return what the grader makes of a value that a submission returned."""
    return python_value(json.loads(json.dumps(plain_data.encode(value))))


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 7, 1.5, float("inf"), 2 - 3.5j, "text", b"x\0", bytearray(b"y"), (), set()),
        *(-(2**5000), [1, (2, "x")], {1, 2}, frozenset({"a"}), "x" * 1_000_000),
        {"a": [None], 3: False, (): 1, b"k": {(1, 2): {3}}},
    ],
)
def test_plain_value_comes_back(value: object) -> None:
    """A value of Python's plain types is the same again, with its type."""
    found = received(value)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_comes_back() -> None:
    """NaN, which is not equal to itself, comes back too."""
    assert received(float("nan")) != received(float("nan"))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype="i4").reshape(3, 4),
        np.eye(300),
        np.array(["ab", "c"]),
        np.zeros((2, 0, 3)),
        np.array(3 + 4j),
        np.array([(1, 2.5)], dtype=[("a", "i2"), ("b", "f8")]),
    ],
)
def test_array_comes_back(array: Any) -> None:
    """An array has its dtype, shape and content again, and can be written to."""
    found = received([array])[0]
    assert (found.dtype.itemsize, found.shape, found.flags.writeable) == (
        array.dtype.itemsize,
        array.shape,
        True,
    )
    assert found.tobytes() == array.tobytes()


def test_scalar_of_numpy_keeps_its_type() -> None:
    """A scalar of NumPy's is one again: it is equal to Python's, and known from it."""
    found = received(np.float32(0.5))
    assert found == 0.5
    assert type(found) is np.float32


def test_other_objects_say_their_type() -> None:
    """An object of any other class, and a value that is too large, say what they were."""
    found = received([fractions.Fraction(1, 2), "x" * 2_000_000, np.zeros(200_000)])
    assert [repr(each) for each in found] == [
        "<fractions.Fraction>",
        "<str of 2000000 bytes>",
        "<array of float64, shape (200000,)>",
    ]
    assert found[0] != 0.5


class Row(NamedTuple):
    """A pair with names, as submissions return it."""

    url: str
    status: http.HTTPStatus


class Liar(list[int]):
    """A list that pretends to have other items."""

    def __iter__(self) -> Iterator[int]:
        return iter((1, 2, 3))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Row("a", http.HTTPStatus.NOT_FOUND), ("a", 404)),
        (collections.defaultdict(list, {"ce_val": [0.5]}), {"ce_val": [0.5]}),
        (collections.OrderedDict(b=1, a=2), {"a": 2, "b": 1}),
        (Liar([7]), [7]),
        ([type("Name", (str,), {})("x"), type("Half", (float,), {})(-0.0)], ["x", -0.0]),
    ],
)
def test_values_of_derived_classes_are_what_they_are_made_of(value: object, expected: Any) -> None:
    """A named tuple is a tuple, and a defaultdict a dict: what it holds is taken from the built-in
    class.
    """
    found = received(value)
    assert found == expected
    assert type(found) is type(expected)
    assert plain_data.encode(value) == plain_data.encode(expected)


@pytest.mark.parametrize(
    "forged",
    [
        *(
            None,
            7,
            [],
            ["int"],
            ["int", "x"],
            ["float", []],
            ["list", 3],
            ["dict", [[1]]],
            [["int"]],
        ),
        *(["set", [["list", []]]], ["dict", [[["list", []], ["none"]]]], ["bytes", "?"]),
        *(["ndarray", "|O", [1], "AAAAAAAAAAA="], ["ndarray", "<f8", [9, 9], "AAAA"]),
        *(
            ["ndarray", "<f8", 3, ""],
            ["ndarray", "<f8", [-1, 2**70], ""],
            ["scalar", "nope", [], ""],
        ),
        ["int", "1" * 5000],
    ],
)
def test_forged_answer_is_no_value(forged: object) -> None:
    """What no honest child sends becomes neither a value nor an error of the grader."""
    assert isinstance(python_value(forged), Opaque)


def test_nesting_ends() -> None:
    """A forged answer with lists within lists does not exhaust the grader's stack."""
    forged: object = ["none"]
    for _ in range(5000):
        forged = ["list", [forged]]
    assert "unreadable" in repr(python_value(forged))


def test_call_without_a_value_says_why() -> None:
    """What did not return is equal to nothing, and says how it ended where an assert shows it."""
    error = RaisedError(type="ValueError", message="no such fold")
    run = made("f(1)", ending=Ending.RAISED, error=error)
    assert run.value != None  # noqa: E711 - None is a value that calls return
    assert repr(run.value) == "<no value: f(1) under fork raised: ValueError: no such fold>"
    assert made("f(1)", encoded=["int", "15"]).value == 15
