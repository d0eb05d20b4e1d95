"""Mistakes in an `assignment.toml` that types cannot express."""

from __future__ import annotations

import keyword
import math
import re
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from pytest_mpgrade.course import expression, late, packages, requirements
from pytest_mpgrade.course.document import FILE, NOTEBOOK, Document
from pytest_mpgrade.course.signature import signature
from pytest_mpgrade.course.tables import LateTable
from pytest_mpgrade.course.toml_text import Fault


def document_faults(document: Document, folder: Path) -> Iterator[Fault]:
    """Yield the mistakes in a document that lies in *folder*."""
    yield from _module_faults(document)
    files = document.notebook.files
    if files and not (folder / files).is_dir():
        yield ("notebook", "files"), f"there is no folder {files!r} beside {FILE}"
    yield from _function_faults(document.functions)
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
    required = {each.name: each.requires for each in document.criteria}
    for where, what in requirements.requirement_faults(required):
        yield ("criteria", *where), what
    yield from _point_faults(document)


def _module_faults(document: Document) -> Iterator[Fault]:
    """Check the module's name, and that functions are asked for unless it is a notebook."""
    is_notebook = document.module.endswith(NOTEBOOK)
    if not is_notebook:
        yield from ((("module",), fault) for fault in _name_faults(document.module))
    if document.functions and is_notebook:
        yield (
            ("functions",),
            f"{document.module} is a notebook, of which no functions can be asked for",
        )
    if not document.functions and not is_notebook:
        yield ("functions",), "expected at least one function"


def _function_faults(functions: Sequence[str]) -> Iterator[Fault]:
    names = []
    for index, text in enumerate(functions):
        try:
            names.append(signature(text)[0])
        except ValueError as error:
            yield ("functions", index), str(error)
    yield from _repeated("functions", names)


def _point_faults(document: Document) -> Iterator[Fault]:
    total = sum(criterion.points for criterion in document.criteria)
    if not math.isclose(total, document.points, abs_tol=1e-9):
        yield ("points",), f"the criteria add up to {total:g}, not {document.points:g}"
    if Fraction(str(document.points)) % Fraction(str(document.round)):
        yield (
            ("round",),
            f"{document.points:g} points are no multiple of {document.round:g}: nobody could have"
            " them all",
        )


def _late_faults(table: LateTable) -> Iterator[Fault]:
    for key, text in (("penalty", table.penalty), ("drop", table.drop)):
        try:
            expression.check_expression(text, late.NAMES)
        except ValueError as error:
            yield ("late", key), str(error)


def _name_faults(module: str) -> Iterator[str]:
    stem = module.removesuffix(".py")
    if stem == module:
        yield f"expected a file name that ends in .py or {NOTEBOOK}, got {module!r}"
    if not stem.isidentifier() or keyword.iskeyword(stem):
        yield f"{module!r} cannot be imported: the part before .py has to be a Python name"
    if stem in sys.stdlib_module_names:
        yield f"{module!r} would hide the standard library's module {stem!r}"


def _repeated(key: str, names: Sequence[str], *below: str) -> Iterator[Fault]:
    return (
        ((key, i, *below), f"{name!r} is there twice")
        for i, name in enumerate(names)
        if name in names[:i]
    )
