"""Mistakes in an assignment's test file, each told to its author in one line with its place."""

from __future__ import annotations

import ast
import inspect
import os
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from pytest_mpgrade.errors import AssignmentError
from pytest_mpgrade.system.did_you_mean import nearest
from pytest_mpgrade.system.text import one_line

GRADED = frozenset(("student", "notebook"))
"""The fixtures by which a test is one about the submission."""


def collect_fault(node: object, error: BaseException) -> str:
    """Return why a file of tests could not be collected, with the line; "" for what is no file."""
    if not isinstance(node, pytest.File):
        return ""
    cause = error.__cause__ or error  # pytest words the error of an import again
    if isinstance(cause, SyntaxError):
        place, words = cause.lineno, f"{type(cause).__name__}: {cause.msg}"
    else:
        own = [
            frame
            for frame in traceback.extract_tb(cause.__traceback__)
            if os.path.basename(frame.filename) == node.path.name
        ]
        place, words = own[-1].lineno if own else None, in_words(cause)
    return f"{node.path.name}{f':{place}' if place else ''}: {one_line(words)}"


def check_tests(items: Iterable[pytest.Item]) -> None:
    """Raise AssignmentError for a question without a submission, or with an unknown fixture.

    Also for a line that makes no use of a check.
    """
    files: set[Path] = set()
    for item in items:
        if item.get_closest_marker("criterion") is None:
            continue
        name = getattr(item, "originalname", "") or item.name
        place = f"{item.path.name}:{(item.location[1] or 0) + 1}: {name}"
        for asked, known in _unknown_fixtures(item):
            raise AssignmentError(f"{place}: there is no fixture {asked!r}{nearest(asked, known)}")
        if not GRADED & {*getattr(item, "fixturenames", ())}:
            raise AssignmentError(
                f"{place}: it is a question of a criterion, and asks for neither student nor"
                " notebook"
            )
        files.add(item.path)
    for file in sorted(files):
        _check_calls(file)


def _unknown_fixtures(item: pytest.Item) -> Iterator[tuple[str, list[str]]]:
    """Yield each argument of a test that is no fixture and no parameter, with what there is."""
    info = getattr(item, "_fixtureinfo", None)
    if info is None:
        return
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    known = {*info.name2fixturedefs, *parameters, "request", *GRADED}
    for name in info.argnames:
        if name not in known:
            yield name, sorted(known)


def _check_calls(file: Path) -> None:
    """Raise AssignmentError for a line that is a check, and does nothing with it."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        match node:
            case ast.Expr(ast.Call(ast.Attribute(ast.Name("checks"), name))):
                raise AssignmentError(
                    f"{file.name}:{node.lineno}: checks.{name}(…) alone checks nothing: give it to"
                    " student.check(run, …)"
                )


def in_words(error: BaseException) -> str:
    """Return what an exception says, with the name that was meant where one is similar."""
    words = f"{type(error).__name__}: {error}"
    if isinstance(error, AttributeError) and inspect.ismodule(error.obj):
        return f"{words}{nearest(error.name or '', dir(error.obj))}"
    return words
