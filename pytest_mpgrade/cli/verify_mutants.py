"""`mpgrade verify --mutate`: which small changes of the reference does the grader not see?

It grades the mutants of the reference (`cli/mutants`). One that keeps all its points has survived:
either a check is missing, or the change makes no difference that the contract knows. The latter is
explained in `wrong/equivalent.toml` of the assignment::

    [mutants]
    "clean_up: without done_queue.close()" = "the queue is closed when it is collected"
"""

from __future__ import annotations

import argparse
import difflib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.cli import verify
from pytest_mpgrade.cli.case_verdict import CaseVerdict
from pytest_mpgrade.cli.verify_cases import REFERENCE, Case
from pytest_mpgrade.course.assignment import find_assignment, reference_folder
from pytest_mpgrade.course.toml_text import TomlText
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.system import console
from pytest_mpgrade.system.did_you_mean import nearest
from pytest_mpgrade.system.text import points

EXPLANATIONS = Path("wrong", "equivalent.toml")
"""The file of an assignment that says which mutants are no worse than the reference, and why."""


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What became of all mutants that were graded."""

    graded: Sequence[CaseVerdict]
    survivors: Sequence[Case]  # that nobody has explained
    explained: Mapping[str, str]  # of those that have survived
    refuted: Sequence[str]  # explained, and yet points were lost
    unmatched: Sequence[str]  # explanations of what is no mutant
    ungraded: Sequence[CaseVerdict]
    right: CaseVerdict | None  # of the reference itself


def main(arguments: argparse.Namespace) -> int:
    """Run `mpgrade verify --mutate`.

    Returns 0 when each mutant loses points or is explained, each explanation is of a mutant, and
    the reference itself has all its points.
    """
    assignment = find_assignment(arguments.assignment)
    text, known = _mutants(assignment)
    explanations = _explanations(assignment)
    chosen = _chosen(known, arguments)
    journal = verify.Journal(arguments.resume)
    right = Case(name=REFERENCE, path=reference_folder(assignment) or Path())
    todo = [(case, 0) for case in (right, *chosen) if not journal.has(case, 0, arguments.load)]
    with (
        verify.busy_loops(arguments.load),
        tempfile.TemporaryDirectory(prefix="mpgrade-mutants-") as out,
    ):
        verify.grade_cases(assignment, todo, journal, Path(out), arguments, _in_words)
    seen = [one for one in journal.verdicts if one.load == arguments.load]
    outcomes = _outcomes(chosen, known, seen, explanations)
    for line in _report(outcomes, text):
        console.say(line)
    told = outcomes.survivors or outcomes.unmatched or outcomes.ungraded
    return 1 if told or not _is_right(outcomes) else 0


def _mutants(assignment: Assignment) -> tuple[str, list[Case]]:
    """Return the text of the reference, and a case for each of its mutants.

    Raises UsageError where there is no reference that is a module, or libcst is missing.
    """
    folder = reference_folder(assignment)
    if folder is None or Path(assignment.module).suffix != ".py":
        raise UsageError(
            f"{assignment.name} has no module as its reference here, to make mutants of"
        )
    try:
        from pytest_mpgrade.cli.mutants import mutants_of
    except ModuleNotFoundError as error:
        raise UsageError(
            f"mutants are made with {error.name}: pip install 'pytest-mpgrade[mutate]'"
        ) from error
    path = folder / assignment.module
    text = path.read_text("utf-8-sig")
    return text, [Case(name=each.name, path=path, text=each.text) for each in mutants_of(text)]


def _chosen(known: Sequence[Case], arguments: argparse.Namespace) -> list[Case]:
    """Return the mutants that the arguments ask for.

    Names of --only may be parts of names. Raises UsageError for one that is in none.
    """
    for name in arguments.only:
        if not any(name in case.name for case in known):
            raise UsageError(f"there is no mutant {name!r}")
    number, parts = arguments.part or (1, 1)
    named = [
        case
        for case in known
        if not arguments.only or any(name in case.name for name in arguments.only)
    ]
    return named[number - 1 :: parts]


def _explanations(assignment: Assignment) -> dict[str, str]:
    """Return why mutants are no worse than the reference, by their names.

    Raises AssignmentError for a file that does not say that.
    """
    file = Path(assignment.folder) / EXPLANATIONS
    if not file.is_file():
        return {}
    toml = TomlText.of(file)
    tables = toml.tables()
    for key in tables.keys() - {"mutants"}:
        raise toml.mistake((key,), f"is not known{nearest(key, ['mutants'])}")
    rows = tables.get("mutants", {})
    if not isinstance(rows, dict):
        raise toml.mistake(("mutants",), "must be a table")
    for name, why in rows.items():
        if not isinstance(why, str) or not why.strip():
            raise toml.mistake(("mutants", name), "must be text that says why")
    return rows


def _outcomes(
    chosen: Sequence[Case],
    known: Sequence[Case],
    seen: Sequence[CaseVerdict],
    explanations: Mapping[str, str],
) -> Outcomes:
    verdicts = {one.case: one for one in seen}
    mine = [verdicts[case.name] for case in chosen if case.name in verdicts]
    alive = {one.case for one in mine if _survived(one)}
    graded = {one.case for one in mine if one.graded}
    return Outcomes(
        graded=mine,
        survivors=[case for case in chosen if case.name in alive - explanations.keys()],
        explained={name: why for name, why in explanations.items() if name in alive},
        refuted=[name for name in explanations if name in graded - alive],
        unmatched=[name for name in explanations if name not in {case.name for case in known}],
        ungraded=[one for one in mine if not one.graded],
        right=verdicts.get(REFERENCE),
    )


def _is_right(outcomes: Outcomes) -> bool:
    """Tell whether the reference has all its points; else nobody knows why a mutant has not."""
    return outcomes.right is not None and _survived(outcomes.right)


def _survived(verdict: CaseVerdict) -> bool:
    return verdict.graded and verdict.score >= verdict.max_score


def _in_words(verdict: CaseVerdict) -> str:
    """Say what became of a mutant, or of the reference."""
    took = f"{verdict.case} ({verdict.seconds:.1f} s)"
    if not verdict.graded:
        return f"{took}: {verdict.wrong}"
    if _survived(verdict):
        return f"{took}: {'ok' if verdict.case == REFERENCE else 'survives'}"
    lost = points(verdict.max_score - verdict.score)
    return f"{took}: loses {lost} of {points(verdict.max_score)}: {', '.join(verdict.failed)}"


def _report(outcomes: Outcomes, text: str) -> Iterator[str]:
    """Yield the lines of the report, with a diff for each survivor."""
    for case in outcomes.survivors:
        yield ""
        yield f"survives: {case.name}"
        yield from _diff(text, case.content().decode())
    if outcomes.survivors:
        yield ""
    if not _is_right(outcomes):
        why = outcomes.right.wrong if outcomes.right is not None else "it was not graded"
        yield f"the {REFERENCE} itself has not all its points, so its mutants show nothing: {why}"
    for name in outcomes.refuted:
        yield f"loses points, although {EXPLANATIONS.name} explains it: {name}"
    for name in outcomes.unmatched:
        yield f"{EXPLANATIONS.name} explains what is no mutant: {name}"
    for one in outcomes.ungraded:
        yield f"could not be graded: {one.case}: {one.wrong}"
    total, left = len(outcomes.graded), len(outcomes.survivors)
    lost = total - left - len(outcomes.explained) - len(outcomes.ungraded)
    yield (
        f"{total} mutant{'s' * (total != 1)} of the {REFERENCE}; lose points: {lost}, explained:"
        f" {len(outcomes.explained)}, survive: {left}"
    )


def _diff(right: str, mutant: str) -> Iterator[str]:
    lines = difflib.unified_diff(right.splitlines(), mutant.splitlines(), n=2, lineterm="")
    yield from (f"    {line}".rstrip() for line in list(lines)[2:])
