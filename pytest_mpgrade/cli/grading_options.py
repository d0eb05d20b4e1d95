"""The options of gradings, as a command line asks for them."""

from __future__ import annotations

import argparse
import os

from pytest_mpgrade.grade.pytest_run import Options


def grading_options(arguments: argparse.Namespace) -> Options:
    """Return the options of every grading; a command that lacks one has its default."""
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


def _required(arguments: argparse.Namespace) -> bool:
    """Tell whether isolation is required: as asked; else for batches and where nobody watches."""
    asked: bool | None = getattr(arguments, "require_isolation", False)
    if asked is None:
        return arguments.command == "batch" or os.environ.get("CI", "").lower() in (
            "1",
            "true",
            "yes",
        )
    return asked
