"""Mistakes in an assignment's test file, each told to its author in one line with its place."""

from __future__ import annotations

import inspect
import os
import traceback
from collections.abc import Iterable

import pytest

from pytest_mpgrade.errors import AssignmentError
from pytest_mpgrade.system.did_you_mean import likely
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
        place, words = own[-1].lineno if own else None, f"{type(cause).__name__}: {cause}"
    return f"{node.path.name}{f':{place}' if place else ''}: {one_line(words)}"


def check_tests(items: Iterable[pytest.Item]) -> None:
    """Raise AssignmentError for a question that asks for no submission, or an unknown fixture."""
    for item in items:
        names = frozenset(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("criterion") is None or names & GRADED:
            continue
        function = getattr(item, "function", None)
        asked = inspect.signature(function).parameters if function else {}
        meant = [(name, near) for name in asked if (near := likely(name, GRADED))]
        place = f"{item.path.name}:{(item.location[1] or 0) + 1}: {item.name}"
        if meant:
            raise AssignmentError(
                f"{place}: there is no fixture {meant[0][0]!r}; did you mean {meant[0][1]!r}?"
            )
        raise AssignmentError(
            f"{place}: it is a question of a criterion, and asks for neither student nor notebook"
        )
