"""What a submission returned, as plain Python values; part of the records.

The child sends typed data (`inside/plain_data.py`). Values of Python's plain types and NumPy arrays
are made of it again. Nothing is unpickled, and no object of a class of the submission is ever made.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_DEEPEST = 60
"""Values within values; `inside/plain_data.py` sends fewer, a forged answer may have more."""


@dataclass(frozen=True)
class Opaque:
    """A value whose type is not plain, or that is too large to be sent.

    It is equal to no plain value.
    """

    type: str
    """Its class, such as ``"collections.OrderedDict"``, or what it is: ``"str of 70000 bytes"``."""

    def __repr__(self) -> str:
        return f"<{self.type}>"


@dataclass(frozen=True)
class NoValue:
    """What a call has in place of a value that did not return one."""

    why: str

    def __repr__(self) -> str:
        return f"<no value: {self.why}>"


def python_value(encoded: object) -> object:
    """Return typed data as the Python value that it stands for.

    That is None, a bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set or
    frozenset, or a NumPy array or scalar of its dtype and shape. Anything else, also within these,
    is an `Opaque`. A str, bytes object or array of more than `inside.plain_data.LONG` bytes is
    known by its length and digest only, and is an `Opaque` too.
    """
    return _value(encoded, 0)


def _value(encoded: object, depth: int) -> object:
    if not isinstance(encoded, list) or not encoded or depth > _DEEPEST:
        return Opaque("unreadable")
    kind, *rest = encoded
    try:
        if kind in _CONTAINERS:
            (items,) = rest
            return _CONTAINERS[kind](_items(items, depth + 1))
        if kind in _LEAVES:
            return _LEAVES[kind](*rest)
    except (ArithmeticError, AttributeError, MemoryError, TypeError, ValueError):
        # It comes from beside the submission, and may be forged.
        return Opaque(f"unreadable {kind}")
    return Opaque(str(rest[0]) if kind == "object" and rest else str(kind))


def _items(items: object, depth: int) -> list[object]:
    if not isinstance(items, list):
        raise TypeError("not a list of items")
    return [
        tuple(_value(part, depth) for part in item)
        if isinstance(item, list) and len(item) == 2 and isinstance(item[0], list)
        else _value(item, depth)
        for item in items
    ]


def _array(dtype: str, shape: Sequence[int], *content: object) -> Any:
    """Return the array of a dtype, a shape and base64, or of a length and a digest."""
    import numpy  # where an array was sent, it is installed

    kind = numpy.dtype(dtype)
    if kind.hasobject:
        raise TypeError("not an array of plain numbers")
    if len(content) == 2:
        return Opaque(f"array of {kind}, shape {tuple(shape)}")
    return numpy.frombuffer(_bytes(*content), dtype=kind).reshape(shape).copy()


def _scalar(dtype: str, shape: Sequence[int], *content: object) -> Any:
    array = _array(dtype, shape, *content)
    return array if isinstance(array, Opaque) else array[()]


def _bytes(text: object) -> bytes:
    return base64.b64decode(str(text), validate=True)


def _of_bytes(make: Callable[[bytes], object]) -> Callable[..., object]:
    def value(content: object, digest: str = "") -> object:
        name = getattr(make, "__name__", "")
        return Opaque(f"{name} of {content} bytes") if digest else make(_bytes(content))

    return value


def _text(content: object, digest: str = "") -> object:
    return Opaque(f"str of {content} bytes") if digest else str(content)


_CONTAINERS: dict[object, Callable[[list[Any]], object]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
}
_LEAVES: dict[object, Callable[..., object]] = {
    "none": lambda: None,
    "bool": bool,
    "int": lambda text: int(str(text), 0),
    "float": lambda text: math.nan if text == "nan" else float.fromhex(text),
    "complex": lambda text: complex(str(text)),
    "str": _text,
    "bytes": _of_bytes(bytes),
    "bytearray": _of_bytes(bytearray),
    "ndarray": _array,
    "scalar": _scalar,
}
