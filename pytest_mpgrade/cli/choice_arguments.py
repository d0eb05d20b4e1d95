"""Options of `mpgrade batch` that choose which submissions are graded again."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pytest_mpgrade.cli import values
from pytest_mpgrade.errors import UsageError

if TYPE_CHECKING:  # a batch takes long to import, and most commands are none
    from pytest_mpgrade.batch.chosen import Only


def add_only(batch: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = batch.add_argument_group(
        "some submissions only",
        "the others keep their results, and all are in the gradebook; each may be given several"
        " times, and adds to the others",
    )
    number = "who shares cause N of mpgrade causes DIR"
    group.add_argument(
        "--only-cause",
        metavar="N",
        action="append",
        type=values.place_value,
        default=[],
        help=number,
    )
    named = "concern=NAME: whose check of it failed or was not decided; question=NAME: who lost"
    group.add_argument(
        "--only",
        metavar="WHAT=NAME",
        action="append",
        type=values.only_value,
        default=[],
        help=f"{named} points on it; student=NAME",
    )


def asked_only(arguments: argparse.Namespace) -> Only | None:
    """Return what the options ask for; None where all submissions are graded.

    Raises UsageError beside --resume.
    """
    if not arguments.only and not arguments.only_cause:
        return None
    if arguments.resume:
        raise UsageError(
            "--resume grades what has changed, and --only what is named, changed or not; choose one"
        )

    from pytest_mpgrade.batch.chosen import Only

    def named(kind: str) -> tuple[str, ...]:
        return tuple(name for what, name in arguments.only if what == kind)

    return Only(
        causes=tuple(arguments.only_cause),
        concerns=named("concern"),
        questions=named("question"),
        students=named("student"),
    )
