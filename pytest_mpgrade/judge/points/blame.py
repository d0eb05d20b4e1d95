"""One fault, one concern: a symptom that an earlier or plainer check is blamed for is not blamed on
another concern.

Checks judge one run each. The same fault often shows in several runs: a module that drops the last
result drops it in the call with an empty list too. Pure, and of two orders in which tests ran both
give the same outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_mpgrade.judge.points import witnesses
from pytest_mpgrade.judge.symptoms import (
    ALIVE,
    DIRECT,
    FORCED,
    HELPER,
    MADE_UP,
    NO_ROOM,
    NOT_TOLD,
    RESIDUE,
    UNJOINED,
)
from pytest_mpgrade.records import Concern, Finding, Outcome, laid_to

_FIRST: dict[str, tuple[Concern, ...]] = {
    "values": (Concern.RESULTS, Concern.EDGE),
    ALIVE: (Concern.SENTINEL,),
    FORCED: (Concern.SENTINEL,),
    NOT_TOLD: (Concern.SENTINEL,),
    "in the caller": (Concern.WORKERS,),
    MADE_UP: (Concern.WORKERS,),
    UNJOINED: (Concern.CLEANUP,),
    HELPER: (Concern.CLEANUP,),
    RESIDUE: (Concern.CLEANUP,),
    NO_ROOM: (Concern.DEADLOCK,),
    DIRECT: (Concern.RESULTS,),
    "start method": (Concern.START_METHOD,),
}
"""Which concern a symptom belongs to, where a failed check of that concern shows it too."""
_BY_LUCK = frozenset((NOT_TOLD,))
"""Which worker a sentinel reaches can be a race, under every start method."""

MethodFinding = tuple[str, Finding]
"""A finding with its start method."""


def attribute(findings: Sequence[MethodFinding]) -> list[Finding]:
    """Return the findings of ``(start method, finding)`` with each symptom blamed on one concern
    only.

    A failure whose symptom has already failed a check of the concern that it belongs to, under the
    same start method, (or any, see `_BY_LUCK`) becomes `skipped`, and names that check: of several
    the one about the same run, else the first in the test file.
    """
    owners: dict[tuple[str, str], list[Finding]] = {}  # by `_place`
    for method, finding in findings:
        if finding.outcome is Outcome.FAILED and finding.concern in _first(finding.symptom):
            owners.setdefault(_place(method, finding.symptom), []).append(finding)
    return [
        _settled(finding, owners.get(_place(method, finding.symptom), []))
        for method, finding in findings
    ]


def _first(symptom: str) -> tuple[Concern, ...]:
    """Return the concerns that a symptom belongs to; an exception that plain calls raise too is no
    matter of others.
    """
    return (Concern.RESULTS,) if symptom.startswith("raised ") else _FIRST.get(symptom, ())


def _place(method: str, symptom: str) -> tuple[str, str]:
    """Return where a symptom is looked for: under its start method, or where it shows by luck under
    all of them.
    """
    return ("" if symptom in _BY_LUCK else method, symptom)


def _settled(finding: Finding, owners: Sequence[Finding]) -> Finding:
    if finding.outcome is not Outcome.FAILED or not owners:
        return finding
    first = _first(finding.symptom)
    owner = min(owners, key=lambda each: (first.index(each.concern), each.run != finding.run))
    if owner.concern is finding.concern:
        return finding
    return replace(
        finding,
        outcome=Outcome.SKIPPED,
        undecided_by=owner.check,
        message=laid_to(owner.check, finding.message),
        hint="",
    )


def accuse(findings: Sequence[MethodFinding]) -> list[Finding]:
    """Return the findings of a whole grading, attributed, each undecided one with a check to its
    name that has failed.

    One that no failure explains fails itself, by what its own run shows: no points are lost without
    a failure that says why. It then explains what shows the same.
    """
    methods = [method for method, _ in findings]
    now = attribute([(method, witnesses.with_instead(finding)) for method, finding in findings])
    open_ones = [place for place, finding in enumerate(now) if witnesses.wanted(finding)]
    by: dict[int, int] = {}  # finding -> what explains it, by their places
    for alone in (False, False, True):  # one may be explained by what explains another
        for place in open_ones:
            explaining = (
                None if place in by else witnesses.explaining(place, now, methods, by, _BY_LUCK)
            )
            if explaining is not None:
                by[place] = explaining
            elif alone and place not in by:
                now[place] = witnesses.unexplained(now[place], now)
    last = attribute(list(zip(methods, now, strict=True)))
    return [
        witnesses.with_witness(finding, last, by.get(place)) for place, finding in enumerate(last)
    ]
