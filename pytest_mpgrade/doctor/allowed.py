"""Check that the packages that assignments allow are installed.

A submission that imports an allowed package that is missing gets no grade.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_mpgrade.course import packages
from pytest_mpgrade.doctor.facility import Facility
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.submission import lacking


def package_facilities(assignments: Iterable[Assignment]) -> Iterator[Facility]:
    """Ask the interpreter that runs submissions of each assignment that allows packages.

    There is one row for each such assignment.
    """
    return (_row(each) for each in assignments if each.environment.packages)


def _row(assignment: Assignment) -> Facility:
    python, allowed = lacking.interpreter(assignment), assignment.environment.packages
    names = {package: packages.installed_as(package) for package in allowed}
    modules = {module for package in allowed for module in packages.imported_as(package)}
    found = packages.ask_interpreter(python, modules=modules, packages=names.values())
    missing = [
        package
        for package in allowed
        if not found.versions[names[package]]
        and found.modules.isdisjoint(packages.imported_as(package))
    ]
    versions = (f"{package} {found.versions[names[package]]}".strip() for package in allowed)
    return Facility(
        name=f"packages of {assignment.name}",
        found="" if missing else f"{', '.join(versions)} (Python {found.python})",
        consequence=f"submissions that import {', '.join(missing)} get no grade",
        remedy=packages.install_command(python, missing),
    )
