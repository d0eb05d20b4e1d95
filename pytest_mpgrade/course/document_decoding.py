"""Decode an `assignment.toml` by types, and put all mistakes into plain words."""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from pytest_mpgrade.course.document import Document
from pytest_mpgrade.course.toml_text import Fault, Where
from pytest_mpgrade.system.did_you_mean import nearest

_KINDS = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false"}
_KINDS |= {"array": "a list", "object": "a table"}


def decoded(tables: object) -> tuple[Document | None, list[Fault]]:
    """Decode parsed tables by types, and return all mistakes that types can express.

    With mistakes, the document is what the rest says, and None where that is no document.
    """
    with contextlib.suppress(msgspec.ValidationError):
        return msgspec.convert(tables, Document), []
    mistakes = list(_mistakes(tables, Document, ()))
    sound = copy.deepcopy(tables)
    # Again, since a table may lack what is taken out of it.
    while places := {where for where, _ in _mistakes(sound, Document, ()) if where}:
        # From the end and from within, since what is taken out of a list moves what follows it.
        for where in sorted(places, reverse=True):
            _take_out(sound, where)
    try:
        return msgspec.convert(sound, Document), mistakes
    except msgspec.ValidationError as error:
        return None, mistakes or [((), str(error))]


def _mistakes(value: object, kind: Any, where: Where) -> Iterator[Fault]:
    """Yield the mistakes in a value that should be of this kind; msgspec stops at the first."""
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    parts = get_args(plain)  # of `LateTable | None`, of `tuple[CriterionTable, ...]`
    table = next(filter(_is_table, (plain, *parts)), None)
    if isinstance(value, Mapping) and table is not None:
        yield from _mistakes_of_keys(value, table, where)
    elif isinstance(value, list) and value and get_origin(plain) is tuple:
        for index, each in enumerate(value):
            yield from _mistakes(each, parts[0], (*where, index))
    else:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            yield where, _in_words(str(error), parts if get_origin(plain) is Literal else ())


def _mistakes_of_keys(
    values: Mapping[str, object], table: type[msgspec.Struct], where: Where
) -> Iterator[Fault]:
    kinds = get_type_hints(table, include_extras=True)
    for key, value in values.items():
        if key in kinds:
            yield from _mistakes(value, kinds[key], (*where, key))
        else:
            yield (*where, key), f"there is no such key{nearest(key, kinds)}"
    for each in msgspec.structs.fields(table):
        if each.required and each.name not in values:
            yield where, f"the key {each.name!r} is missing"


def _is_table(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _take_out(value: Any, where: Where) -> None:
    """Take what is at this place out of nested tables and lists."""
    *above, last = where
    for key in above:
        value = value[key]
    del value[last]


def _in_words(message: str, choices: tuple[str, ...]) -> str:
    """Put a message of msgspec into plain words, such as: Expected `float`, got `str`."""
    if found := re.fullmatch(r"Invalid enum value '(.*)'", message, re.DOTALL):
        return f"expected one of {', '.join(choices)}, got {found[1]!r}{nearest(found[1], choices)}"
    if "datetime" in message:
        return "expected a time with its offset from UTC, such as 2026-03-02T23:59:00+01:00"
    what = re.sub(r" matching regex .*", " of letters, digits, '_', '-' and '.'", message)
    what = re.sub(r"`(\w+)`", lambda kind: _KINDS.get(kind[1], kind[1]), what)
    return what[0].lower() + what[1:]
