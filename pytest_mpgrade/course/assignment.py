"""Load what course authors write: one `assignment.toml` per assignment, checked once and trusted
from then on.

Called by the command line, the plugin and the doctor. Every mistake is one line with its place,
such as `assignments/mp_apply/assignment.toml:12: criteria[2].points: expected a number, got text`.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import keyword
import math
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from pytest_mpgrade.course import expression, late, packages, requirements
from pytest_mpgrade.course.tables import (
    EnvironmentTable,
    LateTable,
    LimitsTable,
    NotebookTable,
    SpeedTable,
)
from pytest_mpgrade.course.toml_text import TomlText, Where
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import (
    Assignment,
    Criterion,
    EnvironmentRules,
    LateRules,
    Limits,
    NotebookRules,
    SpeedRules,
)
from pytest_mpgrade.system.did_you_mean import nearest

__all__ = ["check_criteria", "find_assignment", "load_assignment", "reference_folder", "shipped"]

FILE = "assignment.toml"
NOTEBOOK = ".ipynb"
_KINDS = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false"}
_KINDS |= {"array": "a list", "object": "a table"}
_StartMethod = Literal["fork", "spawn", "forkserver"]
_Ordering = Literal["any", "submission"]

# Upper bounds keep out `inf`: infinite points cannot be shared.
_Text = Annotated[str, Meta(min_length=1)]
_Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][\w.-]*\Z")]
_Points = Annotated[float, Meta(ge=0, le=1e6)]


class _Criterion(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    name: _Name
    points: _Points
    title: str = ""
    hidden: bool = False
    requires: tuple[_Name, ...] = ()


class Document(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """An `assignment.toml`, key by key."""

    name: _Name
    title: _Text
    module: _Text
    points: Annotated[float, Meta(gt=0, le=1e6)]
    start_methods: Annotated[tuple[_StartMethod, ...], Meta(min_length=1)]
    test: _Text
    criteria: Annotated[tuple[_Criterion, ...], Meta(min_length=1)]
    functions: tuple[_Text, ...] = ()
    ordering: _Ordering = "any"
    round: Annotated[float, Meta(gt=0, le=1e6)] = 0.01
    notebook: NotebookTable = NotebookTable()
    limits: LimitsTable = LimitsTable()
    speedup: SpeedTable = SpeedTable()
    environment: EnvironmentTable = EnvironmentTable()
    late: LateTable | None = None


def load_assignment(folder_or_toml: Path) -> Assignment:
    """Load the assignment in a folder (or its `assignment.toml`).

    Raises UsageError where there is none, AssignmentError with the place for a mistake in it.
    """
    source = _text_of(folder_or_toml)
    document = _decoded(source)
    for where, what in _mistakes(document, source.file.parent):
        raise source.mistake(where, what)
    return Assignment(
        name=document.name,
        title=document.title,
        folder=str(source.file.parent.resolve()),
        module=document.module,
        functions=dict(_signature(each) for each in document.functions),
        start_methods=document.start_methods,
        criteria=tuple(Criterion(**msgspec.structs.asdict(each)) for each in document.criteria),
        test_file=document.test,
        ordering=document.ordering,
        round=document.round,
        limits=Limits(**msgspec.structs.asdict(document.limits)),
        speedup=SpeedRules(**msgspec.structs.asdict(document.speedup)),
        notebook=_notebook(document, source.file.parent.resolve()),
        environment=EnvironmentRules(**msgspec.structs.asdict(document.environment)),
        late=LateRules(**msgspec.structs.asdict(document.late)) if document.late else None,
    )


def _notebook(document: Document, folder: Path) -> NotebookRules | None:
    """Return how a notebook is executed, where the assignment asks for one."""
    if not document.module.endswith(NOTEBOOK):
        return None
    table = msgspec.structs.asdict(document.notebook)
    return NotebookRules(
        **table | {"files": str(folder / table["files"]) if table["files"] else ""}
    )


def find_assignment(name_or_path: str) -> Assignment:
    """Load an assignment by its name among the shipped ones, or by the path of its folder or
    `assignment.toml`.
    """
    names = _shipped_names()
    if name_or_path in names:
        return load_assignment(_home() / name_or_path)
    path = Path(os.path.expanduser(name_or_path))
    # A folder without an assignment.toml may be a student's own, named like the assignment: not
    # what was meant.
    if name_or_path and (
        re.search(r"[/\\]|\.toml$|^\.\.?$", name_or_path) or os.path.isfile(path / FILE)
    ):
        return load_assignment(path)
    known = ", ".join(names) or "none"
    raise UsageError(
        f"there is no assignment {name_or_path!r} (there are:"
        f" {known}){nearest(name_or_path, names)}"
    )


def shipped() -> tuple[Assignment, ...]:
    """Load all assignments that come with the package, in the order of their names."""
    return tuple(load_assignment(_home() / name) for name in _shipped_names())


def reference_folder(assignment: Assignment) -> Path | None:
    """Return the folder of the trusted solution: absent from what students install, and from many
    authors' folders.
    """
    folder = Path(assignment.folder)
    own, beside, above = (
        place / "reference" for place in (folder, folder.parent, folder.parent.parent)
    )
    places = (own, beside / assignment.name, above / assignment.name, beside)
    return next((found for found in places if (found / assignment.module).is_file()), None)


def fingerprint(assignment: Assignment) -> str:
    """Return a hash of all that decides verdicts but the submission: tests, data, limits, rules,
    points.

    What coming late costs is no part of it: that is applied to a verdict, and can be changed
    without grading again.
    """
    rules, data = assignment.notebook, ""
    if rules is not None:
        rules, data = dataclasses.replace(rules, files=""), rules.files
    whole = hashlib.sha256(
        repr(dataclasses.replace(assignment, folder="", notebook=rules, late=None)).encode()
    )
    files = [Path(assignment.folder, assignment.test_file)]
    files += sorted(path for path in Path(data).rglob("*") if path.is_file()) if data else []
    for file in files:
        whole.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def check_criteria(assignment: Assignment, used: Mapping[str, str]) -> None:
    """Hold the rubric against the tests; *used* has a test's id for each criterion that some test
    names.

    The plugin calls this after collection and before anything is deselected. Points that no test
    can give, or a test that gives no points, would make a wrong grade.
    """
    names = [criterion.name for criterion in assignment.criteria]
    source = _text_of(Path(assignment.folder))
    for name, test in used.items():
        if name not in names:
            raise source.mistake(
                ("criteria",), f"{test} names an unknown criterion {name!r}{nearest(name, names)}"
            )
    for index, name in enumerate(names):
        if name not in used:
            raise source.mistake(
                ("criteria", index, "name"), f"no test names the criterion {name!r}"
            )


def _home() -> Path:
    """Return the folder of the shipped assignments: inside the package when installed, beside it in
    a checkout.
    """
    package = Path(__file__).resolve().parent.parent
    inside = package / "assignments"
    return inside if inside.is_dir() else package.parent / "assignments"


def _shipped_names() -> list[str]:
    return sorted(found.parent.name for found in _home().glob(f"*/{FILE}"))


def _text_of(path: Path) -> TomlText:
    return TomlText.of(path if path.name == FILE else path / FILE)


def _decoded(source: TomlText) -> Document:
    try:
        return msgspec.convert(source.tables(), Document)
    except msgspec.ValidationError as error:
        raise source.mistake(*_in_words(str(error))) from error


def _in_words(message: str) -> tuple[Where, str]:
    """Put msgspec's message (Expected `float`, got `str` - at `$.criteria[2].points`) into place
    and plain words.
    """
    what, _, place = message.partition(" - at `$")
    where: Where = tuple(
        int(index) if index else key for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", place)
    )
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", what, re.DOTALL):
        tables = {
            "limits": LimitsTable,
            "speedup": SpeedTable,
            "notebook": NotebookTable,
            "criteria": _Criterion,
        }
        tables |= {"late": LateTable, "environment": EnvironmentTable}
        table = tables.get(str(*where[:1]), Document)
        return (
            *where,
            found[1],
        ), f"there is no such key{nearest(found[1], table.__struct_fields__)}"
    if found := re.fullmatch(r"Object missing required field `(.*)`", what):
        return where, f"the key {found[1]!r} is missing"
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


def _mistakes(document: Document, folder: Path) -> Iterator[tuple[Where, str]]:
    """Yield what a schema cannot say; the first one is told."""
    yield from ((("module",), fault) for fault in _module_faults(document.module))
    if document.functions and document.module.endswith(NOTEBOOK):
        yield (
            ("functions",),
            f"{document.module} is a notebook, of which no functions can be asked for",
        )
    if not document.functions and not document.module.endswith(NOTEBOOK):
        yield ("functions",), "expected at least one function"
    files = document.notebook.files
    if files and not (folder / files).is_dir():
        yield ("notebook", "files"), f"there is no folder {files!r} beside {FILE}"
    names = []
    for index, text in enumerate(document.functions):
        try:
            names.append(_signature(text)[0])
        except ValueError as error:
            yield ("functions", index), str(error)
    yield from _repeated("functions", names)
    yield from _repeated("start_methods", document.start_methods)
    if not re.fullmatch(r"[^/\\]+\.py", document.test) or not (folder / document.test).is_file():
        yield ("test",), f"there is no Python file {document.test!r} beside {FILE}"
    yield from _repeated("criteria", [criterion.name for criterion in document.criteria], "name")
    if document.speedup.lost <= document.speedup.free:
        yield (
            ("speedup",),
            f"lost ({document.speedup.lost:g}) must be more than free ({document.speedup.free:g})",
        )
    for index, what in packages.package_faults(document.environment.packages):
        yield ("environment", "packages", index), what
    yield from _late_faults(document.late) if document.late else ()
    for where, what in requirements.requirement_faults(
        {each.name: each.requires for each in document.criteria}
    ):
        yield ("criteria", *where), what
    total = sum(criterion.points for criterion in document.criteria)
    if not math.isclose(total, document.points, abs_tol=1e-9):
        yield ("points",), f"the criteria add up to {total:g}, not {document.points:g}"
    if Fraction(str(document.points)) % Fraction(str(document.round)):
        yield (
            ("round",),
            (
                f"{document.points:g} points are no multiple of {document.round:g}: nobody could"
                " have them all"
            ),
        )


def _late_faults(table: LateTable) -> Iterator[tuple[Where, str]]:
    for key, text in (("penalty", table.penalty), ("drop", table.drop)):
        try:
            expression.check_expression(text, late.NAMES)
        except ValueError as error:
            yield ("late", key), str(error)


def _module_faults(module: str) -> Iterator[str]:
    if module.endswith(NOTEBOOK):
        return
    stem = module.removesuffix(".py")
    if stem == module:
        yield f"expected a file name that ends in .py or {NOTEBOOK}, got {module!r}"
    if not stem.isidentifier() or keyword.iskeyword(stem):
        yield f"{module!r} cannot be imported: the part before .py has to be a Python name"
    if stem in sys.stdlib_module_names:
        yield f"{module!r} would hide the standard library's module {stem!r}"


def _repeated(key: str, names: Sequence[str], *below: str) -> Iterator[tuple[Where, str]]:
    return (
        ((key, i, *below), f"{name!r} is there twice")
        for i, name in enumerate(names)
        if name in names[:i]
    )


def _signature(text: str) -> tuple[str, tuple[str, ...]]:
    """Read a function's name and parameters (``"second=2"``), by syntax only; raise ValueError
    where that is no use.
    """
    bad = (
        f"expected a function's signature such as 'name(first, second=2)', without *, got {text!r}"
    )
    plain = text.strip().removeprefix("async ").strip()
    try:
        (function,) = ast.parse(f"def {plain}: pass").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(bad) from error
    if (
        not isinstance(function, ast.FunctionDef)
        or not plain.endswith(")")
        or len(plain.splitlines()) > 1
    ):
        raise ValueError(bad)
    arguments = function.args
    names = tuple(
        each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    )
    if arguments.vararg or arguments.kwarg or len(set(names)) < len(names):
        raise ValueError(bad)
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = dict(
        zip([each.arg for each in positional][::-1], arguments.defaults[::-1], strict=False)
    )
    defaults |= {
        a.arg: value
        for a, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if value
    }
    return function.name, tuple(
        f"{n}={ast.unparse(defaults[n])}" if n in defaults else n for n in names
    )
