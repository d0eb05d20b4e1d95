"""Calls that did not return: whose affair that is."""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade.judge.check import Verdict, undecided
from pytest_mpgrade.judge.hangs import LEFT_EARLY, explained_by, left_early, not_back, raised
from pytest_mpgrade.records import Concern, Ending, Run

BLAMES = {
    Concern.SENTINEL: "workers_are_told_to_stop",
    Concern.DEADLOCK: "comes_back",
    Concern.RESULTS: "values_in_any_order",
    Concern.START_METHOD: "works_under_start_method",
    Concern.IMPORT: "imports_cleanly",
}
"""The check that fails for a plain call which does not come back, by the concern that explains it."""


def somewhere_else(run: Run) -> Verdict | None:
    """The same call comes back under another start method, or the import is at fault: not this check's affair."""
    if run.import_children and run.ending is not Ending.RETURNED:
        return undecided("left undecided: the module starts processes when it is imported", BLAMES[Concern.IMPORT])
    if run.returned_under:
        return undecided(
            f"left undecided: the call works under {run.returned_under} and not under {run.start_method}",
            BLAMES[Concern.START_METHOD],
        )
    return None


def blamed_for(run: Run) -> str:
    """Return the name of the check that fails for a plain call which did not return."""
    elsewhere = somewhere_else(run)
    if elsewhere is not None:
        return elsewhere.undecided_by
    hung = run.ending in (Ending.HUNG, Ending.TIMED_OUT)
    return BLAMES[explained_by(run) if hung else Concern.RESULTS]


def not_returned(run: Run, concern: Concern, *, owns_all: bool = False) -> Verdict | None:
    """Return the verdict on a call that did not return, by *concern*'s share in it; None if it did.

    *owns_all*: the run provokes one thing, so whatever goes wrong in it is this concern's. That workers leave before
    all tasks are done is no deadlock, however many tasks there are.
    """
    if run.ending is Ending.RETURNED:
        return None
    elsewhere = somewhere_else(run)
    if elsewhere is not None:
        return elsewhere
    if owns_all and concern is Concern.DEADLOCK and left_early(run):
        verdict = raised(run) if run.ending is Ending.RAISED else not_back(run)
        return replace(verdict, concern=Concern.RESULTS, hint=LEFT_EARLY)
    if owns_all:
        owner = concern
    elif run.ending in (Ending.RAISED, Ending.DIED, Ending.STOPPED):
        owner = Concern.RESULTS
    else:
        owner = explained_by(run)
    if owner is not concern:
        return undecided(f"left undecided: {run.call} did not come back", BLAMES.get(owner, str(owner)))
    return raised(run) if run.ending is Ending.RAISED else not_back(run)
