"""Plain typed data: what a student's function returned, as JSON that keeps types apart.

The child encodes the returned value. The grader encodes the expected value by the same rules, and
compares the two trees. Nobody decodes the data into objects of their classes. An object of an
unknown class is only named, so its ``__eq__`` has no influence.
"""

from __future__ import annotations

import base64
import hashlib
import math
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # every spawned worker pays for an import
    from collections.abc import Callable
    from typing import Any

LONG = 1_048_576
"""Bytes, texts and arrays of more bytes than this are compared by length and SHA-256."""

DEEP = 50
"""Lists within lists. Each takes two frames of Python's 1,000, and no task of a course returns so
many.
"""


def encode(value: object, _depth: int = 0) -> object:
    """Return *value* as nested lists ``[type, content]`` of JSON.

    ``[1, True]`` becomes ``["list", [["int", "1"], ["bool", true]]]``. A NumPy array becomes its
    dtype, shape and bytes. A value of a class made of a built-in one, such as a named tuple, is one
    of the built-in. The order of a dict and the identity of objects are lost.
    """
    if _depth > DEEP:
        return ["object", "nested too deeply"]
    if value is None:
        return ["none"]
    if type(value) is bool:
        return ["bool", value]
    if type(value) is int:
        return ["int", hex(value) if value.bit_length() > 4000 else str(value)]
    if type(value) is float:
        return ["float", "nan" if math.isnan(value) else value.hex()]
    if type(value) is complex:
        return ["complex", repr(value)]
    if type(value) is str:
        return _text(value)
    if type(value) is bytes or type(value) is bytearray:
        return [type(value).__name__, *_bytes(bytes(value))]
    if type(value) is list or type(value) is tuple:
        return [type(value).__name__, [encode(item, _depth + 1) for item in value]]
    if type(value) is set or type(value) is frozenset:
        return [
            type(value).__name__,
            sorted((encode(item, _depth + 1) for item in value), key=repr),
        ]
    if type(value) is dict:
        pairs = [[encode(k, _depth + 1), encode(v, _depth + 1)] for k, v in value.items()]
        return ["dict", sorted(pairs, key=repr)]
    array = _array(value)
    if array is not None:
        return array
    for kind, plain in _PLAIN.items():
        if issubclass(type(value), kind):
            return encode(plain(value), _depth)
    return ["object", f"{type(value).__module__}.{type(value).__qualname__}"]


_PLAIN: dict[type, Callable[[Any], object]] = {
    int: lambda value: int.__add__(value, 0),
    float: lambda value: float.__mul__(value, 1.0),
    str: str.__str__,
    bytes: lambda value: bytes.__add__(value, b""),
    tuple: lambda value: tuple(tuple.__iter__(value)),
    list: lambda value: list(list.__iter__(value)),
    set: lambda value: set(set.__iter__(value)),
    dict: lambda value: dict(dict.items(value)),
}
"""What a value of a class made of a built-in one holds, by the built-in's own methods: a named
tuple is a tuple, a defaultdict a dict, whatever methods a submission's class replaces.
"""


def _text(text: str) -> list[object]:
    if len(text) <= LONG:
        return ["str", text.encode("utf-8", "backslashreplace").decode("utf-8")]
    return ["str", *_bytes(text.encode("utf-8", "backslashreplace"))]


def _bytes(data: bytes) -> list[object]:
    if len(data) <= LONG:
        return [base64.b64encode(data).decode("ascii")]
    return [len(data), hashlib.sha256(data).hexdigest()]


def _array(value: object) -> list[object] | None:
    """Return a NumPy array or scalar encoded, None for anything else.

    This never imports NumPy: a value can be NumPy's only if something else has imported it.
    """
    numpy = sys.modules.get("numpy")
    if numpy is None or type(value).__module__.partition(".")[0] != "numpy":
        return None
    if type(value) is numpy.ndarray or isinstance(value, numpy.generic):
        array = numpy.asarray(value)
        if array.dtype.hasobject:
            return ["object", f"numpy array of {array.dtype}"]
        name = "ndarray" if type(value) is numpy.ndarray else "scalar"
        return [name, array.dtype.str, list(array.shape), *_bytes(array.tobytes())]
    return None


def shown(plain: object, limit: int = 60) -> str:
    """Return encoded data as Python would write it, shortened to *limit* characters."""
    text = _show(plain)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _show(plain: object) -> str:
    if not isinstance(plain, list) or not plain:
        return "?"
    kind, *rest = plain
    if kind == "none":
        return "None"
    if kind in ("list", "tuple", "set", "frozenset"):
        items = ", ".join(_show(item) for item in rest[0][:12]) + (
            ", …" if len(rest[0]) > 12 else ""
        )
        if kind == "list":
            return f"[{items}]"
        if kind == "tuple":
            return f"({items},)" if len(rest[0]) == 1 else f"({items})"
        return f"{kind}({items})"
    if kind == "dict":
        return "{" + ", ".join(f"{_show(k)}: {_show(v)}" for k, v in rest[0][:12]) + "}"
    return _show_leaf(kind, rest)


def _show_leaf(kind: object, rest: list[object]) -> str:
    if kind == "float":
        return "nan" if rest[0] == "nan" else repr(float.fromhex(str(rest[0])))
    if kind in ("str", "bytes", "bytearray"):
        if len(rest) == 2:
            return f"{kind} of {rest[0]} bytes"
        return (
            repr(rest[0])
            if kind == "str"
            else f"{kind} of {len(base64.b64decode(str(rest[0])))} bytes"
        )
    if kind == "ndarray":
        return f"array({rest[0]}, shape {tuple(rest[1]) if isinstance(rest[1], list) else rest[1]})"
    if kind == "object":
        return f"<{rest[0]}>"
    return str(rest[0])
