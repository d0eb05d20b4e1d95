"""Turn the arguments of a command into the options of its gradings, and a result into its code."""

from __future__ import annotations

import argparse
import os

from pytest_mpgrade.cli.exit_codes import RIGHT, UNGRADABLE, WRONG
from pytest_mpgrade.grade.pytest_run import Options
from pytest_mpgrade.records import Outcome, Status
from pytest_mpgrade.report.result_json import ResultFile


def grading_options(arguments: argparse.Namespace) -> Options:
    """Return the options of a grading; where a command lacks an argument, the default holds."""
    return Options(
        observer=arguments.observer,
        isolation=arguments.isolation,
        require_isolation=_required(arguments),
        limits=tuple(arguments.limit),
        seconds=arguments.time_limit,
        deadline=getattr(arguments, "deadline", 0.0),
        keyword=getattr(arguments, "keyword", ""),
        id=getattr(arguments, "id", ""),
        exports=tuple(getattr(arguments, "format", ())),
    )


def exit_code(result: ResultFile) -> int:
    """Return the exit code of a command that has graded one submission."""
    if result.status is not Status.GRADED:
        return UNGRADABLE
    return WRONG if result.count(Outcome.FAILED) else RIGHT


def _required(arguments: argparse.Namespace) -> bool:
    """Tell whether isolation is required: if asked for; by default for a batch and in CI."""
    asked: bool | None = getattr(arguments, "require_isolation", False)
    if asked is None:
        return arguments.command == "batch" or os.environ.get("CI", "").lower() in (
            "1",
            "true",
            "yes",
        )
    return asked
