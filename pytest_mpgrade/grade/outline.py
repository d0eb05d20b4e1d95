"""What each question of an assignment is worth.

pytest collects the tests as in a grading, and runs none.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from pytest_mpgrade.errors import AssignmentError
from pytest_mpgrade.grade import pytest_run
from pytest_mpgrade.records import RESULT_FILE, Assignment, Status
from pytest_mpgrade.report import result_json
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.session.handover import Handover
from pytest_mpgrade.submission.discover import discover

SECONDS = 120.0
"""To collect tests takes a second. An author's tests that take longer than this compute on import.
"""
_CENT = 0.01
"""The finest step of points."""
_NOTEBOOK = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}


def collect(assignment: Assignment) -> ResultFile:
    """Return the result file of a grading's first moment.

    It has all criteria, questions and units, and no points yet. Raises AssignmentError where the
    tests cannot be collected.
    """
    with tempfile.TemporaryDirectory(prefix="mpgrade-outline-") as place:
        blank, out = Path(place, "blank"), Path(place, "out")
        blank.mkdir()
        out.mkdir()
        (blank / assignment.module).write_text(_blank(assignment), "utf-8")
        # The score alone is rounded in coarser steps: what a question is worth has its cents.
        exact = replace(assignment, round=_CENT)
        found = Handover(assignment=exact, submission=discover(blank, assignment))
        options = pytest_run.Options(
            isolation="none", deadline=time.time() + SECONDS, collect_only=True
        )
        ended = pytest_run.run_pytest(found, out, options, pytest_run.budget(options, SECONDS))
        if ended or not (out / RESULT_FILE).exists():
            raise AssignmentError(f"the tests of {assignment.name} cannot be collected: {ended}")
        result = result_json.read_result(out / RESULT_FILE)
    assert result.status is Status.ERROR, "nothing was run"
    return result


def _blank(assignment: Assignment) -> str:
    """Return an empty submission: a module whose functions do nothing, or a bare notebook."""
    if assignment.notebook:
        return json.dumps(_NOTEBOOK)
    return "".join(
        f"def {name}({', '.join(each)}): ...\n" for name, each in assignment.functions.items()
    )
