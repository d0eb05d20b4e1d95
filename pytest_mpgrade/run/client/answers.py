"""The answers of processes with student code in them, read as JSON by types.

Here untrusted data enters the grader. It never unpickles anything that a process with student code
in it wrote.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field

import msgspec

from pytest_mpgrade.records import (
    ChildFacts,
    Parameter,
    Plain,
    RaisedError,
    Visit,
    point_in,
)


@dataclass(frozen=True, kw_only=True)
class Error(RaisedError):
    """An exception, as a child reports it."""

    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a child reports of the import or of one call."""

    facts: ChildFacts = field(default_factory=ChildFacts)
    value: Plain = None  # or a dict of several values by their names
    queues: tuple[Plain, ...] = ()  # lists
    error: Error | None = None
    functions: dict[str, list[Parameter] | None] = field(default_factory=dict)


UNREADABLE = "an answer that the grader cannot read"


def answer(box: str, name: str, cap: int, *, named: bool = False) -> Answer:
    """Return what a child has written, or an unreadable value.

    The answer has to be a plain file of at most *cap* bytes, since anything else may lie in its
    place. With *named* the value is a dict of values, those of a notebook's variables.

    An answer is unreadable unless it has the form that our own child writes. A check could break on
    any other form, and a check that breaks counts neither for nor against the submission.
    """
    path = os.path.join(box, f"{name}.json")
    try:
        with open(os.open(path, _PLAINLY), "rb") as file:
            data = file.read(cap + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
        if len(data) > cap:
            raise ValueError
        decoded = msgspec.json.decode(data, type=Answer)
        values = [] if decoded.value is None else [decoded.value]
        if named:
            values = list(decoded.value.values()) if isinstance(decoded.value, dict) else []
        if all(map(is_plain, (*values, *decoded.queues))) and all(
            each[0] == "list" for each in decoded.queues
        ):
            return decoded
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        pass
    return Answer(value=["object", UNREADABLE])


_MOST_VISITS = 4_000_000
"""Bytes of the points that the processes of a play have passed. More is left out."""


def visits(box: str) -> dict[int, tuple[Visit, ...]]:
    """Return the points that processes have passed, by the number of the round.

    Their order is that in which they were written. What cannot be read is left out.
    """
    found: dict[int, list[Visit]] = {}
    for line in written_text(box, "points.log", _MOST_VISITS).splitlines():
        number, _, rest = line.partition("\t")
        point, _, goes_on = rest.partition("\t")
        try:
            visit = Visit(point=point_in(point), goes_on=bool(goes_on))
            found.setdefault(int(number), []).append(visit)
        except ValueError:
            continue
    return {number: tuple(each) for number, each in found.items()}


def written_text(box: str, name: str, most: int) -> str:
    """Return what processes have written into a file, up to so many bytes.

    What is no plain file may lie in its place; of that, and of a file that is not there, the answer
    is "".
    """
    try:
        with open(os.open(os.path.join(box, name), _PLAINLY), "rb") as file:
            plain = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            return file.read(most).decode("utf-8", "replace") if plain else ""
    except OSError:
        return ""


_PLAINLY = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_INTEGER = re.compile(r"-?(0x[0-9a-f]+|0|[1-9]\d{0,1300})")
_FLOAT = re.compile(r"nan|-?inf|-?0x[01]\.[0-9a-f]+p[+-]\d{1,4}")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def is_plain(encoded: Plain) -> bool:
    """Tell whether *encoded* has the form that our own child gives to some value.

    See `inside.plain_data.encode`.
    """
    if not isinstance(encoded, list) or not encoded or not isinstance(encoded[0], str):
        return False
    kind, *rest = encoded
    if kind in ("list", "tuple", "set", "frozenset"):
        return len(rest) == 1 and isinstance(rest[0], list) and all(map(is_plain, rest[0]))
    if kind == "dict":
        pairs = rest[0] if len(rest) == 1 and isinstance(rest[0], list) else [None]
        return all(
            isinstance(pair, list) and len(pair) == 2 and all(map(is_plain, pair)) for pair in pairs
        )
    return _is_leaf(kind, rest)


def _is_leaf(kind: str, rest: list[Plain]) -> bool:
    if kind in ("ndarray", "scalar"):
        if len(rest) < 2 or not isinstance(rest[0], str) or not isinstance(rest[1], list):
            return False
        sizes: list[Plain] = rest[1]
        return all(type(size) is int and size >= 0 for size in sizes) and _is_bytes(rest[2:])
    if kind in ("bytes", "bytearray"):
        return _is_bytes(rest)
    if kind == "str" and len(rest) == 2:
        return _is_bytes(rest)
    if kind == "none":
        return not rest
    # A handle that a call has returned, with its pid if it has one.
    if kind == "object" and len(rest) == 2:
        return isinstance(rest[0], str) and (rest[1] is None or type(rest[1]) is int)
    if len(rest) != 1:
        return False
    content: Plain = rest[0]
    if kind == "bool":
        return isinstance(content, bool)
    if not isinstance(content, str):
        return False
    forms = {"int": _INTEGER, "float": _FLOAT, "complex": None, "str": None, "object": None}
    if kind not in forms:
        return False
    form = forms[kind]
    return form is None or form.fullmatch(content) is not None


def _is_bytes(rest: list[Plain]) -> bool:
    """Tell whether *rest* is encoded content, or the length and the hash of long content."""
    if len(rest) == 1:
        return isinstance(rest[0], str) and _BASE64.fullmatch(rest[0]) is not None
    return len(rest) == 2 and type(rest[0]) is int and isinstance(rest[1], str)
