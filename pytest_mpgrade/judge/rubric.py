"""From findings to points; CONTRACT sections 4 and 5. Pure: called by the plugin before each result file is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_mpgrade.errors import AssignmentError
from pytest_mpgrade.records import Concern, Criterion, Entry, Finding, Outcome, Status

_OUT_OF_THE_SUM = frozenset((Outcome.INCONCLUSIVE, Outcome.ERROR))


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A finding, and where in the rubric it belongs; criterion "" is outside the rubric and worth nothing."""

    id: str  # "test_mp_apply.py::test_squares[spawn]/results"
    criterion: str
    start_method: str
    finding: Finding


def place(criteria: Sequence[Criterion], placed: Sequence[Placed]) -> tuple[Entry, ...]:
    """Give each finding its equal share of its criterion, over all tests and start methods, in the order given.

    A share that cannot be decided leaves the sum; the others do not grow by it. Raises AssignmentError for a criterion
    that the assignment does not have.
    """
    counts = Counter(each.criterion for each in placed)
    shares = dict(_shares(criteria, counts))
    return tuple(_entry(each, shares[each.criterion]) for each in placed)


def _shares(criteria: Sequence[Criterion], counts: Counter[str]) -> Iterable[tuple[str, Fraction]]:
    # By way of the decimal text: 0.1 is a tenth in a rubric, not the float next to it.
    worth = {criterion.name: Fraction(str(criterion.points)) for criterion in criteria}
    for name, count in counts.items():
        if name and name not in worth:
            raise AssignmentError(f"a test names the criterion {name!r}, but the assignment has: {', '.join(worth)}")
        yield name, worth.get(name, Fraction(0)) / count


def _entry(placed: Placed, share: Fraction) -> Entry:
    finding = placed.finding
    counts = finding.outcome not in _OUT_OF_THE_SUM
    if finding.outcome is Outcome.SKIPPED and not finding.undecided_by:
        counts = False
    return Entry(
        id=placed.id,
        criterion=placed.criterion,
        start_method=placed.start_method,
        finding=finding,
        points=_earned(finding, share),
        max_points=float(share) if counts else 0.0,
    )


def _earned(finding: Finding, share: Fraction) -> float:
    """A check may say that it failed in part: its credit, in decimals, of its share."""
    if finding.outcome is Outcome.FAILED:
        return float(share * Fraction(str(finding.credit)))
    return float(share) if finding.outcome is Outcome.PASSED else 0.0


def waiting(id: str, criterion: str, start_method: str, title: str) -> Placed:
    """Return the placeholder of a test that has not been run yet, to be placed among those that have."""
    # A test's checks, and so their concerns, are known only when it has run; "results" stands for them until then.
    finding = Finding(check="", title=title, concern=Concern.RESULTS, outcome=Outcome.NOT_RUN)
    return Placed(id=id, criterion=criterion, start_method=start_method, finding=finding)


def not_run(criteria: Sequence[Criterion], tests: Sequence[tuple[str, str, str, str]]) -> tuple[Entry, ...]:
    """Return the entries of the first moment's file; each test is ``(id, criterion, start method, title)``."""
    return place(criteria, [waiting(*test) for test in tests])


def status(entries: Sequence[Entry]) -> tuple[Status, str]:
    """Return what the entries say of the submission as a whole, with the reason where that is not `graded`.

    Checks that have not been run, and a sum with nothing in it, are no grade: a missing verdict is never a pass.
    """
    if not entries:
        return Status.ERROR, "no check was run"
    counts = Counter(entry.finding.outcome for entry in entries)
    if missing := counts[Outcome.NOT_RUN]:
        return Status.ERROR, f"{missing} of {len(entries)} checks were not run"
    if not any(entry.max_points for entry in entries):
        found = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        return Status.ERROR, f"no check could be decided ({found})"
    return Status.GRADED, ""
