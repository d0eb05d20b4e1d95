"""Which failure explains a finding that another check left undecided. Pure.

Where no failure explains it, the finding fails itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from pytest_mpgrade.judge.symptoms import DIRECT
from pytest_mpgrade.records import Concern, Finding, Instead, Outcome

_OF_THE_MODULE = frozenset(("imports_cleanly", "has_functions"))
"""Checks of the import. Their fault shows again in every run."""
_NOTHING_DONE = frozenset((Concern.WORKERS, Concern.RESULTS, Concern.START_METHOD, Concern.IMPORT))
"""Concerns that explain why a submission did nothing that could be judged."""
_NO_VERDICT = (Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.ABSENT, Outcome.SKIPPED)
"""How a check ends without having decided anything."""


def with_instead(finding: Finding) -> Finding:
    """Return a finding with what it says if no failure explains it.

    For a custom check this is what the finding says already.
    """
    if (
        finding.instead is not None
        or finding.outcome is not Outcome.SKIPPED
        or not finding.undecided_by
    ):
        return finding
    said = Instead(
        concern=finding.concern,
        message=finding.message,
        evidence=finding.evidence,
        run=finding.run,
        function=finding.function,
    )
    return replace(finding, instead=said)


def wanted(finding: Finding) -> bool:
    """Tell whether a failure has to explain this finding."""
    return finding.instead is not None and finding.outcome in (Outcome.SKIPPED, Outcome.ABSENT)


def explaining(
    place: int,
    findings: Sequence[Finding],
    methods: Sequence[str],
    by: Mapping[int, int],
    by_luck: Collection[str],
) -> int | None:
    """Return the place of the failure that explains the finding at *place* best; None for none.

    *by* has what is explained already, and by which failure. *by_luck* has symptoms that may show
    under one start method or another.
    """
    finding = findings[place]
    if finding.instead is None:
        return None
    ranked = []
    for other, witness in enumerate(findings):
        same = methods[other] == methods[place]
        how_well = (
            _rank(finding, finding.instead, witness, same, by_luck)
            if _has_failed(witness)
            else None
        )
        if how_well is not None:
            ranked.append((how_well, other))
    if ranked:
        return min(ranked)[1]
    return next(
        (by[other] for other, each in enumerate(findings) if other in by and _alike(finding, each)),
        None,
    )


def _has_failed(witness: Finding) -> bool:
    """Tell whether a check has failed, even if its failure was blamed on another check."""
    return witness.outcome is Outcome.FAILED or (
        witness.outcome is Outcome.SKIPPED and _laid(witness)
    )


def _laid(witness: Finding) -> bool:
    """Tell whether the failure of a check was blamed on another check."""
    return witness.instead is None and bool(witness.undecided_by)


def _rank(
    finding: Finding,
    instead: Instead,
    witness: Finding,
    same_method: bool,
    by_luck: Collection[str],
) -> int | None:
    """Return how well a failure explains a finding, the best as 0; None where it does not."""
    if finding.outcome is Outcome.ABSENT:
        if not same_method:
            return None
        return 0 if witness.run == instead.run else 1 if witness.concern in _NOTHING_DONE else None
    named = witness.check == finding.undecided_by
    if witness.run == instead.run:
        if named:
            return 0
        if witness.symptom and witness.symptom in (instead.symptom, instead.explained):
            return 1
        # A value that is asked for fails by an exception of the very call, too.
        raised_too = witness.symptom == DIRECT and instead.symptom.startswith("raised ")
        return 2 if raised_too or not instead.came_back else None
    if named and witness.check in _OF_THE_MODULE:
        return 3
    like = (
        witness.symptom
        and witness.symptom == instead.explained
        and witness.function == instead.function
    )
    if (
        like
        and (same_method or witness.symptom in by_luck)
        and (named or witness.concern is instead.concern)
    ):
        return 4
    return None


def _alike(finding: Finding, other: Finding) -> bool:
    """Tell whether what explains *other* explains *finding*, too.

    Both are about the same run. It did not come back, or *finding* was left undecided by the check
    of *other*.
    """
    mine, theirs = finding.instead, other.instead
    if mine is None or theirs is None or mine.run != theirs.run:
        return False
    return not mine.came_back or other.check == finding.undecided_by


def unexplained(finding: Finding, findings: Sequence[Finding]) -> Finding:
    """Return a finding that no failure explains, as a failure.

    If the check that it names could not decide either, the finding takes over that outcome.
    """
    instead = finding.instead
    if instead is None:
        return finding
    about = [other for other in findings if other.run == instead.run and other is not finding]
    open_too = [
        other
        for other in about
        if other.check == finding.undecided_by and other.outcome in _NO_VERDICT
    ]
    if not instead.came_back:
        open_too += [
            other for other in about if other.outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE)
        ]
    for other in open_too:
        if not wanted(other):
            return replace(
                finding, outcome=other.outcome, message=other.message, undecided_by="", instead=None
            )
    return replace(
        finding,
        outcome=Outcome.FAILED,
        concern=instead.concern,
        message=instead.message,
        hint=instead.hint,
        evidence=instead.evidence,
        symptom=instead.symptom,
        undecided_by="",
        instead=None,
        run=instead.run,
        function=instead.function,
    )


def with_witness(finding: Finding, findings: Sequence[Finding], by: int | None) -> Finding:
    """Return an undecided finding with the name of the check whose failure explains it."""
    if by is None or finding.outcome is not Outcome.SKIPPED:
        return finding
    witness = findings[by]
    return replace(finding, undecided_by=witness.undecided_by if _laid(witness) else witness.check)
