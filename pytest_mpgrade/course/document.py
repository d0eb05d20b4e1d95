"""Decode an `assignment.toml` by types, and put the errors into plain words."""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from pytest_mpgrade.course.tables import (
    EnvironmentTable,
    ExploreTable,
    LateTable,
    LimitsTable,
    NotebookTable,
    SpeedTable,
    meaning,
)
from pytest_mpgrade.course.toml_text import TomlText, Where
from pytest_mpgrade.system.did_you_mean import nearest

FILE = "assignment.toml"
NOTEBOOK = ".ipynb"
"""The suffix of the module's name where an assignment asks for a notebook."""
_KINDS = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false"}
_KINDS |= {"array": "a list", "object": "a table"}
_StartMethod = Literal["fork", "spawn", "forkserver"]
_Ordering = Literal["any", "submission"]

# Upper bounds keep out `inf`: infinite points cannot be shared.
_Text = Annotated[str, Meta(min_length=1)]
_Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][\w.-]*\Z")]
_Points = Annotated[float, Meta(ge=0, le=1e6)]


class CriterionTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One table `[[criteria]]`: what some of the points are given for."""

    name: Annotated[
        _Name, meaning('The name by which tests are marked: @pytest.mark.criterion("results").')
    ]
    points: Annotated[_Points, meaning("What the questions of this criterion share.")]
    title: Annotated[str, meaning("What rubrics and reports call it.")] = ""
    hidden: Annotated[
        bool, meaning("Keep names, messages and evidence of this criterion from students.")
    ] = False
    requires: Annotated[
        tuple[_Name, ...],
        meaning("Criteria of which half of the points are needed before this one earns any."),
    ] = ()


class Document(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """An `assignment.toml`, key by key."""

    name: Annotated[_Name, meaning("The assignment's name, by which commands know it.")]
    title: Annotated[_Text, meaning("What handouts and reports call it.")]
    module: Annotated[
        _Text, meaning("The file that students hand in: a module, or a notebook (.ipynb).")
    ]
    points: Annotated[
        float,
        Meta(gt=0, le=1e6),
        meaning("What the assignment is worth; the criteria share it by their own points."),
    ]
    start_methods: Annotated[
        tuple[_StartMethod, ...],
        Meta(min_length=1),
        meaning("The start methods of multiprocessing under which tests are asked."),
    ]
    test: Annotated[_Text, meaning("The file with the tests, in the same folder.")]
    criteria: Annotated[
        tuple[CriterionTable, ...],
        Meta(min_length=1),
        meaning("What the points are given for, in the order of the rubric."),
    ]
    functions: Annotated[
        tuple[_Text, ...],
        meaning('The signatures that are asked for, as in "mp_apply(tasks, n_processes=2)".'),
    ] = ()
    ordering: Annotated[
        _Ordering,
        meaning('Whether results come in the order of the tasks ("submission") or in any.'),
    ] = "any"
    round: Annotated[
        float, Meta(gt=0, le=1e6), meaning("Scores are rounded half up to a multiple of this.")
    ] = 0.01
    notebook: Annotated[
        NotebookTable, meaning("How a notebook is executed, where the module is one.")
    ] = NotebookTable()
    limits: Annotated[LimitsTable, meaning("What one run may use.")] = LimitsTable()
    speedup: Annotated[
        SpeedTable, meaning("When a program that is slower than the reference loses points.")
    ] = SpeedTable()
    explore: Annotated[ExploreTable, meaning("How long schedules are tried.")] = ExploreTable()
    environment: Annotated[EnvironmentTable, meaning("What a submission finds installed.")] = (
        EnvironmentTable()
    )
    late: Annotated[
        LateTable | None, meaning("What handing in late costs; without this table nothing.")
    ] = None


_REQUIRED = [each.encode_name for each in msgspec.structs.fields(Document) if each.required]


def decoded(source: TomlText) -> Document:
    """Decode a text by types.

    Raises AssignmentError with the place of the first mistake, and all keys that are missing.
    """
    tables = source.tables()
    try:
        return msgspec.convert(tables, Document)
    except msgspec.ValidationError as error:
        first = _in_words(str(error))
        missing = [((), _missing(name)) for name in _REQUIRED if name not in tables]
        others = [each for each in missing if each != first]
        raise source.mistakes([first, *others]) from error


def _missing(key: str) -> str:
    return f"the key {key!r} is missing"


def _in_words(message: str) -> tuple[Where, str]:
    """Put a message of msgspec into a place and plain words.

    The message reads: Expected `float`, got `str` - at `$.criteria[2].points`.
    """
    what, _, place = message.partition(" - at `$")
    where: Where = tuple(
        int(index) if index else key for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", place)
    )
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", what, re.DOTALL):
        tables = {
            "limits": LimitsTable,
            "speedup": SpeedTable,
            "explore": ExploreTable,
            "notebook": NotebookTable,
            "criteria": CriterionTable,
        }
        tables |= {"late": LateTable, "environment": EnvironmentTable}
        table = tables.get(str(*where[:1]), Document)
        return (
            *where,
            found[1],
        ), f"there is no such key{nearest(found[1], table.__struct_fields__)}"
    if found := re.fullmatch(r"Object missing required field `(.*)`", what):
        return where, _missing(found[1])
    if found := re.fullmatch(r"Invalid enum value '(.*)'", what, re.DOTALL):
        choices = get_args(_Ordering if where == ("ordering",) else _StartMethod)
        return (
            where,
            f"expected one of {', '.join(choices)}, got {found[1]!r}{nearest(found[1], choices)}",
        )
    if "datetime" in what:
        return where, "expected a time with its offset from UTC, such as 2026-03-02T23:59:00+01:00"
    what = re.sub(r" matching regex .*", " of letters, digits, '_', '-' and '.'", what)
    what = re.sub(r"`(\w+)`", lambda kind: _KINDS.get(kind[1], kind[1]), what)
    return where, what[0].lower() + what[1:]
