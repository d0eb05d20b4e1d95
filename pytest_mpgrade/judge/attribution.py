"""Which concern and which check a call belongs to that did not return."""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade.judge.failure_text import not_back, raised
from pytest_mpgrade.judge.hang_facts import LEFT_EARLY, explained_by, workers_left_early
from pytest_mpgrade.judge.symptoms import HANDLES, RESIDUE
from pytest_mpgrade.judge.verdict import Verdict, failed, fault, not_tried, undecided
from pytest_mpgrade.records import Concern, Ending, Phase, RaisedError, Run

BLAMES = {
    Concern.SENTINEL: "workers_are_told_to_stop",
    Concern.DEADLOCK: "comes_back",
    Concern.RESULTS: "values_in_any_order",
    Concern.START_METHOD: "works_under_start_method",
    Concern.IMPORT: "imports_cleanly",
    Concern.CLEANUP: "nothing_else_left",
}
"""The check that fails for a plain call that does not come back, for each concern of a hang."""


def returned_nothing(run: Run) -> Verdict | None:
    """Return that `values_in_any_order` fails for it: a call with tasks returned an empty list.

    It has started processes, and has waited for none of its tasks. Chance decides which of them
    these run then.
    """
    started = any(not each.helper and each.first >= 0 for each in run.trace.processes)
    if run.ending is not Ending.RETURNED or not run.trace.tasks or not started:
        return None
    if run.encoded != ["list", []]:
        return None
    seen = f"{run.call} returned an empty list, and need not have waited for its tasks"
    said = fault(Concern.RESULTS, seen, symptom="values")
    return undecided(seen, BLAMES[Concern.RESULTS], said)


def at_import() -> Verdict:
    """Return that `imports_cleanly` fails for it: the module starts processes at import.

    Whatever else goes wrong may come from these processes.
    """
    seen = "the module starts processes when it is imported"
    return undecided(
        seen, BLAMES[Concern.IMPORT], fault(Concern.IMPORT, seen, symptom="children at import")
    )


def somewhere_else(run: Run) -> Verdict | None:
    """Return what another check fails for, whatever this call did; None where nothing is known.

    Either the import is at fault, or the same call comes back under another start method, or
    threads that an earlier call has left took turns with this one.
    """
    if run.import_children and run.ending is not Ending.RETURNED:
        return at_import()
    if run.ending is Ending.RAISED and run.error is not None:
        raised_so = _unawaited(run, run.error)
        if raised_so is not None:
            return raised_so
    if run.returned_under:
        seen = f"the call works under {run.returned_under} and not under {run.start_method}"
        said = replace(_ended(run), concern=Concern.START_METHOD, symptom="start method")
        return undecided(
            seen, BLAMES[Concern.START_METHOD], replace(said, message=f"{seen}: {said.message}")
        )
    if run.beside is not None:
        left = f"{run.beside.call} had left {run.trace.crowd} x thread"
        seen = f"{left}, which took turns with {run.call} until its time was over"
        return undecided(
            seen, BLAMES[Concern.CLEANUP], fault(Concern.CLEANUP, seen, symptom=RESIDUE)
        )
    return None


NOT_AWAITABLE = "NotAwaitableError"
"""What the grader raises where it cannot await what a function returned; inside/awaiting.py."""
_OTHER_LOOP = "attached to a different loop"
"""What asyncio says of a future that was made for another event loop (tasks.py)."""


def _unawaited(run: Run, error: RaisedError) -> Verdict | None:
    """Return what fails for a call that could not be awaited; None where that is not the reason."""
    if error.type == NOT_AWAITABLE:
        seen = f"{run.call} gave something that cannot be awaited"
        said = fault(Concern.IMPORT, seen, symptom="no coroutine")
        return undecided(seen, "is_coroutine_function", said)
    if run.facts.side_effects and _OTHER_LOOP in error.message:
        seen = "an event loop was made when the module was imported"
        said = fault(Concern.IMPORT, seen, symptom="side effect")
        return undecided(seen, BLAMES[Concern.IMPORT], said)
    return None


def unreturned(run: Run) -> Verdict:
    """Return the failure of a call that did not return, with the concern that it belongs to."""
    elsewhere = somewhere_else(run)
    if elsewhere is not None and elsewhere.otherwise is not None:
        return elsewhere.otherwise
    return replace(_ended(run), concern=_owner(run))


def blamed_for(run: Run) -> str:
    """Return the name of the check that fails for a plain call which did not return."""
    elsewhere = somewhere_else(run)
    return elsewhere.undecided_by if elsewhere is not None else BLAMES[_owner(run)]


def untried(run: Run) -> Verdict | None:
    """Return the verdict on a call that was not made, by what is the reason; else None."""
    if run.ending is not Ending.NOT_TRIED:
        return None
    return not_tried(run, run.because or "an earlier step", _not_made(run))


def _not_made(run: Run) -> Verdict:
    """Return the failure of a call that was not made, by how the call before it ended."""
    if run.cause is not None and run.cause.ending not in (Ending.RETURNED, Ending.NOT_IMPORTED):
        return unreturned(run.cause)
    words = f"{run.call} could not be called: {run.why}"
    if run.because in ("imports_cleanly", "has_functions"):
        return fault(Concern.IMPORT, words, symptom="signature")
    # it was given nothing that an earlier call had returned: what says so is no honest process
    if run.cause is None:
        return failed(words, symptom=HANDLES)
    return fault(Concern.RESULTS, words, symptom=HANDLES)


def not_returned(run: Run, concern: Concern, *, owns_all: bool = False) -> Verdict | None:
    """Return the verdict of a check of *concern* on a call that did not return; else None.

    With *owns_all*, the run provokes one thing, such as large results. Then everything that goes
    wrong in it belongs to *concern*, with one exception: workers that leave before all tasks are
    done are no deadlock.
    """
    if run.ending is Ending.RETURNED:
        return None
    elsewhere = untried(run) or somewhere_else(run)  # untried: a run that another is held against
    if elsewhere is not None:
        return elsewhere
    if owns_all and concern is Concern.DEADLOCK and workers_left_early(run):
        return replace(_ended(run), concern=Concern.RESULTS, hint=LEFT_EARLY)
    owner = concern if owns_all else _owner(run)
    if owner is not concern:
        how = "raised an exception" if run.ending is Ending.RAISED else "did not come back"
        return undecided(f"{run.call} {how}", BLAMES.get(owner, str(owner)), unreturned(run))
    return _ended(run)


def _owner(run: Run) -> Concern:
    """Return the concern that a call which did not return belongs to."""
    if run.phase is Phase.AFTER_RETURN and run.trace.crowd:
        return Concern.CLEANUP
    return explained_by(run) if run.ending in (Ending.HUNG, Ending.TIMED_OUT) else Concern.RESULTS


def _ended(run: Run) -> Verdict:
    return raised(run) if run.ending is Ending.RAISED else not_back(run)
