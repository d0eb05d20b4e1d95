"""One fault, one concern: a symptom that an earlier or plainer check is blamed for is not blamed on another concern.

Checks judge one run each. The same fault often shows in several runs: a module that drops the last result drops it in
the call with an empty list too. Pure, and the same whatever the order in which tests ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_mpgrade.judge.hangs import NO_ROOM, NOT_TOLD
from pytest_mpgrade.judge.returned import BLAMES
from pytest_mpgrade.judge.shutdown import ALIVE, FORCED, HELPER, RESIDUE, UNJOINED
from pytest_mpgrade.judge.values import DIRECT
from pytest_mpgrade.records import Concern, Finding, Outcome

_FIRST: dict[str, tuple[Concern, ...]] = {
    "values": (Concern.RESULTS, Concern.EDGE),
    ALIVE: (Concern.SENTINEL,),
    FORCED: (Concern.SENTINEL,),
    NOT_TOLD: (Concern.SENTINEL,),
    "in the caller": (Concern.WORKERS,),
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


def attribute(findings: Sequence[tuple[str, Finding]]) -> list[Finding]:
    """Return the findings of ``(start method, finding)`` with each symptom blamed on one concern only.

    A failure whose symptom has already failed a check of the concern that it belongs to, under the same start method,
    (or any, see `_BY_LUCK`) becomes `skipped`, and names that check.
    """
    owners: dict[tuple[str, str], Finding] = {}  # by `_place`
    for method, finding in findings:
        first = _FIRST.get(finding.symptom, ())
        if finding.outcome is Outcome.FAILED and finding.concern in first:
            known = owners.get(_place(method, finding.symptom))
            rank = (first.index(finding.concern), finding.check)
            if known is None or rank < (first.index(known.concern), known.check):
                owners[_place(method, finding.symptom)] = finding
    return [_settled(finding, owners.get(_place(method, finding.symptom))) for method, finding in findings]


def _place(method: str, symptom: str) -> tuple[str, str]:
    """Return where a symptom is looked for: under its start method, or where it shows by luck under all of them."""
    return ("" if symptom in _BY_LUCK else method, symptom)


def accuse(findings: Sequence[tuple[str, Finding]]) -> list[Finding]:
    """Return the findings of a whole grading, each undecided one with a check to its name that really is at fault.

    A check that was left undecided by one that this test file does not make is laid to a failed one of the same
    concern; if nothing of the kind has failed, its own run is what failed, and the check fails itself: no points are
    lost without a failure that says why.
    """
    return [_accused(method, finding, findings) for method, finding in findings]


def _accused(method: str, finding: Finding, findings: Sequence[tuple[str, Finding]]) -> Finding:
    if finding.outcome is not Outcome.SKIPPED or not finding.undecided_by:
        return finding
    named = [other for _, other in findings if other.check == finding.undecided_by]
    if any(other.outcome not in (Outcome.PASSED, Outcome.NOT_RUN) for other in named if other is not finding):
        return finding
    concern = next((concern for concern, check in BLAMES.items() if check == finding.undecided_by), None)
    failed = [(at, other) for at, other in findings if other.outcome is Outcome.FAILED]
    likely = [other for at, other in failed if other.concern is concern] or [
        other for at, other in failed if at == method
    ]
    if likely:
        return replace(finding, undecided_by=likely[0].check)
    seen = finding.message.removeprefix("left undecided: ")
    only_here = f"{seen} (it shows only here: {finding.undecided_by} has not failed)"
    return replace(finding, outcome=Outcome.FAILED, message=only_here, undecided_by="", hint="", symptom="orphan")


def _settled(finding: Finding, owner: Finding | None) -> Finding:
    if finding.outcome is not Outcome.FAILED or owner is None or owner.concern is finding.concern:
        return finding
    return replace(
        finding,
        outcome=Outcome.SKIPPED,
        undecided_by=owner.check,
        message=f"left undecided by {owner.check}: {finding.message}",
        hint="",
    )
