"""Blame each fault on one concern, even if checks of several concerns fail by it. Pure.

Checks judge one run each, and the same fault often shows in several runs. A module that drops the
last result drops it in a call with an empty list, too. The outcomes do not depend on the order in
which tests ran.
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
"""The concerns that a symptom belongs to, the first of them before the others."""
_BY_LUCK = frozenset((NOT_TOLD,))
"""Symptoms that may show under one start method and not under another by chance.

Which worker gets a sentinel can be a race, under every start method.
"""

MethodFinding = tuple[str, Finding]
"""A start method and a finding."""


def attribute(findings: Sequence[MethodFinding]) -> list[Finding]:
    """Return the findings, with each symptom blamed on one concern only.

    A failure becomes `skipped` if its symptom has also failed a check of the concern that the
    symptom belongs to, under the same start method (under any, for symptoms in `_BY_LUCK`). It then
    names that check. Of several such checks it names the one about the same run, else the first in
    the test file.
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
    """Return the concerns that a symptom belongs to.

    An exception belongs to the results if plain calls raise it, too.
    """
    return (Concern.RESULTS,) if symptom.startswith("raised ") else _FIRST.get(symptom, ())


def _place(method: str, symptom: str) -> tuple[str, str]:
    """Return the key under which failures with the same symptom are compared.

    It has the start method, or no start method for a symptom in `_BY_LUCK`.
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
    """Return the findings of a whole grading, each fault blamed on one check that has failed.

    An undecided finding gets the name of the failed check that explains it. One that no failure
    explains fails itself, with what its own run shows: no points are lost without a failure that
    says why. It then explains other findings that show the same.
    """
    methods = [method for method, _ in findings]
    now = attribute([(method, witnesses.with_instead(finding)) for method, finding in findings])
    open_ones = [place for place, finding in enumerate(now) if witnesses.wanted(finding)]
    by: dict[int, int] = {}  # from the place of a finding to the place of its explanation
    for alone in (False, False, True):  # what explains one finding may explain another
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
