"""Find whose fault a failed import is, by asking the interpreter and never student code.

A package that the assignment allows, and that the interpreter lacks or cannot import, is the
grader's fault. All else is the submission's fault: a package that is not allowed, a file that was
not handed in, a misspelt name, a module of another Python version.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_mpgrade.course import packages
from pytest_mpgrade.errors import LackingError
from pytest_mpgrade.records import Assignment, Ending, Lack, Notebook, Run, Submission
from pytest_mpgrade.submission import sources
from pytest_mpgrade.submission.newer import Version, of_attribute, of_module
from pytest_mpgrade.submission.newer_syntax import newer_syntax
from pytest_mpgrade.submission.sources import Statement, SubmissionSources
from pytest_mpgrade.system import did_you_mean

_UNSUCCESSFUL = frozenset(
    (Ending.NOT_IMPORTED, Ending.RAISED, Ending.DIED, Ending.HUNG, Ending.TIMED_OUT)
)
_MISSING = re.compile(r"No module named '([\w.]+)'")
_MOST = 8
"""The most names and statements that are examined: each may cost the start of an interpreter."""
_CLOSE = 0.75
"""The similarity, from 0 to 1, from which on one name may be meant for the other."""


def require(submission: Submission, assignment: Assignment) -> None:
    """Raise LackingError where a submission imports a package that is allowed but not installed.

    Imports at any depth count, unless the program can do without them.
    """
    allowed = assignment.environment.packages
    if not allowed:
        return
    read = sources.read_sources(submission, notebook=assignment.notebook is not None)
    needed = {
        each.found.package: each
        for each in reversed(read.statements)
        if not each.found.optional and each.found.package not in read.own | sys.stdlib_module_names
    }
    asked = {
        module: package for module in needed if (package := packages.providing(module, allowed))
    }
    if not asked:
        return
    python = interpreter(assignment)
    missing = sorted(set(asked) - packages.ask_interpreter(python, modules=asked).modules)
    if missing:
        lack = _not_installed(python, [(asked[module], needed[module]) for module in missing])
        raise LackingError(lack.message, source=lack.source)


def interpreter(assignment: Assignment) -> str:
    """Return the interpreter that student code runs in."""
    wanted = assignment.notebook.python if assignment.notebook else ""
    return (shutil.which(os.path.expanduser(wanted)) or wanted) if wanted else sys.executable


def explained(
    runs: Iterable[Run], submission: Submission, assignment: Assignment
) -> tuple[Run, ...]:
    """Return the runs of one scenario, each with what it lacks if it failed for that reason."""
    lacks = [(run, lack(run, submission, assignment)) for run in runs]
    ours = next((each for _, each in lacks if each and each.ours), None)
    explained_runs = [
        (run, each or (ours if run.ending is not Ending.RETURNED else None)) for run, each in lacks
    ]
    return tuple(replace(run, lack=each) if each else run for run, each in explained_runs)


def lack(run: Run, submission: Submission, assignment: Assignment) -> Lack | None:
    """Return what a run lacks if it failed for that reason, else None."""
    failure = _Failure.of(run)
    if failure is None:
        return None
    read = sources.read_sources(submission, notebook=assignment.notebook is not None)
    return _Search(read, assignment).lack(failure)


@dataclass(frozen=True, kw_only=True)
class _Failure:
    """An exception that a missing module may have caused, as student code reports it."""

    type: str
    file: str = ""  # the last frame's that is the student's own
    cell: int = 0
    line: int = 0
    missing: tuple[str, ...] = ()  # modules that the error calls missing

    @classmethod
    def of(cls, run: Run) -> _Failure | None:
        """Return the failure of a run, or None where it cannot come from a missing module."""
        if isinstance(run, Notebook):
            cell = run.failing
            if cell is None:
                return None
            said = "\n".join((cell.traceback, cell.error_message, cell.stderr))
            place = {"file": run.call, "cell": cell.number, "line": cell.error_line}
            return cls._told(cell.error_type, said, **place)
        if run.ending not in _UNSUCCESSFUL:
            return None
        error = run.error
        chain = "\n".join((error.message, *error.chain)) if error else ""
        chain += f"\nNo module named '{run.facts.missing}'" if run.facts.missing else ""
        own = [frame for frame in error.frames if frame.own] if error else []
        place = {"file": own[-1].file, "line": own[-1].line} if own else {}
        return cls._told(error.type if error else "", f"{chain}\n{run.stderr}", **place)

    @classmethod
    def _told(cls, type: str, said: str, **place: Any) -> _Failure | None:
        missing = tuple(dict.fromkeys(_MISSING.findall(said)))[:_MOST]
        return cls(type=type, missing=missing, **place) if missing or place.get("line") else None


class _Search:
    """Searches for what is missing, without running student code."""

    def __init__(self, read: SubmissionSources, assignment: Assignment) -> None:
        self.sources = read
        self.allowed = assignment.environment.packages
        self.python = interpreter(assignment)

    def lack(self, failure: _Failure) -> Lack | None:
        """Return the cause of a failure, or None where nothing is missing.

        What student code says about it is never believed.
        """
        file, source = self._source(failure)
        statements = self.sources.at(file, failure.cell, failure.line) if file else []
        said = [
            each for name in failure.missing for each in self.sources.of(name.partition(".")[0])
        ]
        statements += [each for each in said if not each.found.optional]
        theirs = dict.fromkeys(
            each for each in statements if each.found.package not in self.sources.own
        )
        for statement in list(theirs)[:_MOST]:
            if lack := self._of_statement(statement):
                return lack
        if lack := self._elsewhere(failure):
            return lack
        newer = ""
        if failure.type in ("SyntaxError", "IndentationError"):
            newer = newer_syntax(source, self._version())
        elif failure.type == "AttributeError":
            newer = of_attribute(source, failure.line, self._version())
        where = (
            f"{file}:{failure.line}"
            if not failure.cell
            else f"code cell {failure.cell}, line {failure.line}"
        )
        return Lack(message=f"{where}: {newer}", hint=self._for_python()) if newer else None

    def _source(self, failure: _Failure) -> tuple[str, str]:
        """Return the name and text of the student's file that a failure names, from our copy."""
        for (file, cell), source in self.sources.sources.items():
            if cell == failure.cell and (
                failure.file == file or failure.file.endswith(f"{os.sep}{file}")
            ):
                return file, source.decode("utf-8-sig", "replace")
        return "", ""

    def _version(self) -> Version:
        major, minor, *_ = packages.ask_interpreter(self.python).python.split(".")
        return int(major), int(minor)

    def _for_python(self) -> str:
        return f"write it so that Python {'.'.join(map(str, self._version()))} takes it too"

    def _of_statement(self, statement: Statement) -> Lack | None:
        """Return what is wrong with an import that also fails outside of student code, or None."""
        imported = statement.found
        newer = of_module(imported.module, imported.names, self._version())
        if newer:
            message = f"{statement.where} imports {imported.shown}: {newer}"
            return Lack(message=message, hint=self._for_python(), source=statement.source)
        asked = packages.ask_interpreter(self.python, modules=(imported.package,), owners=True)
        package = packages.providing(imported.package, self.allowed, asked)
        if imported.package not in asked.modules:
            if package:
                return _not_installed(self.python, [(package, statement)])
            return None if imported.package in self.sources.deeper else self._refused(statement)
        if package and (failed := self._fails(statement)):
            return self._broken(package, failed, statement)
        return None

    def _fails(self, statement: Statement) -> str:
        """Return why the import of an allowed, installed package fails.

        Returns "" where it works, or where the package has no such module.
        """
        imported = statement.found
        # An import of __main__, for example, would run it.
        private = any(part.startswith("_") for part in imported.module.split("."))
        tries = [(imported.package, ()), (imported.package if private else imported.module, ())]
        whole, module = packages.ask_interpreter(self.python, imports=tries).failures
        return whole or ("" if f"'{imported.module}'" in module else module)

    def _elsewhere(self, failure: _Failure) -> Lack | None:
        """Return what is wrong with an allowed package that lacks a module itself, or None.

        No import in the submission names that module.
        """
        strange = [
            name.partition(".")[0]
            for name in failure.missing
            if not self.sources.of(name.partition(".")[0])
        ]
        strange = [name for name in strange if name not in self.sources.own]
        if not set(strange) - packages.ask_interpreter(self.python, modules=strange).modules:
            return None
        used = {each.found.package: each for each in self.sources.statements}
        modules = [module for module in used if packages.providing(module, self.allowed)]
        asked = packages.ask_interpreter(self.python, imports=[(module, ()) for module in modules])
        for module, failed in zip(modules, asked.failures, strict=True):
            if failed:
                return self._broken(packages.providing(module, self.allowed), failed, used[module])
        return None

    def _broken(self, package: str, failed: str, statement: Statement) -> Lack:
        install = packages.install_command(self.python, ["--force-reinstall", package])
        message = (
            f"the assignment allows {package}, which is installed where it is graded but cannot be"
            " imported there"
        )
        return Lack(
            message=f"{message} ({failed}; imported at {statement.where}): {install}",
            ours=True,
            source=statement.source,
        )

    def _refused(self, statement: Statement) -> Lack:
        """Return the submission's fault: it imports a module that is not there for it.

        Such a module is neither its own, nor allowed, nor installed.
        """
        name = statement.found.package
        modules = {module for package in self.allowed for module in packages.imported_as(package)}
        likely = sorted(modules | self.sources.own | self.sources.deeper)
        public = sorted(each for each in sys.stdlib_module_names if each[0] != "_")
        near = [
            each
            for known in (likely, public)
            for each in [did_you_mean.likely(name, known, _CLOSE)]
            if each
        ]
        allowed = (
            f"allowed packages: {', '.join(self.allowed)}"
            if self.allowed
            else "no packages are allowed"
        )
        return Lack(
            message=(
                f"{statement.where} imports {name}: there is no module of that name in what was"
                f" handed in, nor is it a package that the assignment allows ({allowed})"
            ),
            hint=(
                f"did you mean {near[0]}?"
                if near
                else f"hand in {name}.py too if it is yours, or do without it"
            ),
            unknown=not near and not packages.is_known(name),
            source=statement.source,
        )


def _not_installed(python: str, missing: Sequence[tuple[str, Statement]]) -> Lack:
    """Return the grader's fault: allowed packages that are imported but not installed."""
    names = tuple(dict.fromkeys(package for package, _ in missing))
    places = ", ".join(each.where for _, each in missing)
    install = packages.install_command(python, names)
    are = "are" if len(names) > 1 else "is"
    return Lack(
        message=(
            f"the assignment allows {', '.join(names)}, which {are} not installed where it is"
            f" graded (imported at {places}): {install}"
        ),
        ours=True,
        source=missing[0][1].source,
    )
