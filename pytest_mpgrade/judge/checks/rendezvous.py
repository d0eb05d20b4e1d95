"""Facts and verdicts that all checks of a rendezvous share."""

from __future__ import annotations

from pytest_mpgrade.judge.attribution import somewhere_else, unreturned
from pytest_mpgrade.judge.check import Verdict, absent, failed, fault, inconclusive, undecided
from pytest_mpgrade.judge.checks.shutdown import returned_early
from pytest_mpgrade.judge.failure_text import waiting_evidence
from pytest_mpgrade.judge.verdict import by_nobody
from pytest_mpgrade.records import Concern, Ending, GateReport, Run


def no_gates(run: Run) -> Verdict | None:
    """Return what all checks of a rendezvous answer where no task came to a gate; else None.

    Each check itself judges a call that returned without a task. Where another check fails for a
    call that did not return, the verdict names that check.
    """
    elsewhere = somewhere_else(run) if run.ending is not Ending.RETURNED else None
    if elsewhere is not None:
        return elsewhere
    if run.trace.gates is None:
        return undecided("the run has no gates", "values_in_any_order", _failed_first(run))
    came = {event.pid for event in run.trace.events if event.kind == "gate"}
    if not came and run.ending is not Ending.RETURNED:
        return undecided(
            f"no task was run before {run.call} failed", "values_in_any_order", _failed_first(run)
        )
    return None


def _failed_first(run: Run) -> Verdict | None:
    return None if run.ending is Ending.RETURNED else unreturned(run)


def pids_at_gates(run: Run) -> set[int]:
    """Return the pids of the child processes that stood at a gate."""
    return {
        event.pid
        for event in run.trace.events
        if event.kind == "gate" and event.pid != run.trace.caller
    }


def in_caller(run: Run) -> list[str]:
    """Return the keys of the tasks that the calling process ran."""
    return [
        event.key
        for event in run.trace.events
        if event.kind == "gate" and event.pid == run.trace.caller
    ]


def _started(run: Run) -> int:
    """Return how many processes the call started, not counting helpers of Python itself."""
    return sum(not process.helper for process in run.trace.processes)


def fewer_there(run: Run, gates: GateReport) -> bool:
    """Tell whether the rendezvous failed because fewer processes existed than were asked for.

    A process that exists and waits somewhere else is no missing worker.
    """
    return not gates.met and max(gates.alive_then, _started(run)) < gates.wanted


def blamed(run: Run, message: str, symptom: str) -> Verdict:
    """Return a failure, or `inconclusive` where the grader's own processes could not meet either.

    The grader lets processes of its own meet at the same gates at that moment: the control run.
    """
    if run.control is False:
        return inconclusive(
            f"{message}, but this machine was too busy for the grader's own processes to meet too"
        )
    return failed(message, symptom=symptom, **waiting_evidence(run))


def too_few(run: Run, gates: GateReport) -> Verdict:
    """Return that `workers` fails for it: too few workers were there to meet."""
    words = f"only {len(pids_at_gates(run))} of {gates.wanted} workers were there"
    return undecided(words, "workers", fault(Concern.WORKERS, words, symptom="too few workers"))


def no_crew(run: Run) -> Verdict | None:
    """Return the verdict where no gate tells anything, or no child process stood at one."""
    unjudged = no_gates(run)
    if unjudged is not None:
        return unjudged
    if not pids_at_gates(run):
        words = (
            "no task ran in a child process, so there was nothing to run at the same time (see"
            " workers)"
        )
        return absent(words, by_nobody(run))
    return None


def not_met(run: Run) -> Verdict | None:
    """Return the verdict where the workers did not meet, or nothing can be judged; else None."""
    verdict = no_crew(run)
    if verdict is not None or run.trace.gates is None:
        return verdict
    gates = run.trace.gates
    if gates.met:
        return None
    if gates.early:
        return returned_early(run)
    if fewer_there(run, gates):
        return too_few(run, gates)
    words = f"only {gates.most_inside} of {gates.wanted} workers were ever inside a task together"
    return undecided(
        "the workers did not meet", "met", fault(Concern.CONCURRENCY, words, symptom="no overlap")
    )
