"""Checks of timings: is the pattern much slower than the reference, or faster than one process?"""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade.judge import speedup_statistics
from pytest_mpgrade.judge.attribution import blamed_for, unreturned
from pytest_mpgrade.judge.check import Verdict, failed, fault, inconclusive, not_here, undecided
from pytest_mpgrade.judge.checks.speed_text import (
    against_serial,
    evidence_of,
    here,
    parts_words,
    place_words,
    slow_words,
    speedup,
    unsure_words,
)
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Concern, Ending, GateReport, Outcome, Run, Timing

_HINTS = {
    "waiting": (
        "a free worker should have its next task at once: wait in get() or connection.wait(), never"
        " in sleep()"
    ),
    "computing": (
        "wait in get() or connection.wait() rather than ask again and again, keep workers, send"
        " data once"
    ),
    "polling": "wait in get() or connection.wait() rather than ask again and again",
    "starting": "start all workers first, then wait",
}


@check(title="not much slower than the reference, task by task", concern=Concern.SPEEDUP)
def keeps_up_with_reference(run: Run) -> Verdict:
    """The cost of a further task is not much more than with the reference, on tasks that wait and
    that compute.

    The check needs what `student.time(…)` returns. It fails when the submission was surely slower
    than what is free, and may earn a part of the points then. It is inconclusive when the
    measurement is not sure, or could not be made. It is skipped where nothing was timed, for want
    of the reference.

    It blames `values_in_any_order` when tasks were not run once each, `in_children` when the caller
    ran them, `workers` when too few or too many processes did, and `met` when they did not overlap.
    A call that did not come back is left to the check that it belongs to.
    """
    return _unjudged(run) or _compared(run)


@check(
    title="at least {at_least:g} times as fast as one process, on tasks that compute",
    concern=Concern.SPEEDUP,
    hint="do the tasks' work at the same time, in as many processes as are asked for",
)
def faster_than_serial(run: Run, at_least: float = 1.3) -> Verdict:
    """Tasks that compute take 1 / *at_least* of the time that one process takes, if the reference
    shows that they can.

    Wall-clock time depends on the cores that are free just now: this is for authors who ask for it.

    The check needs what ``student.time(…, against_serial=True)`` returns. It fails when the
    submission was surely slower. It is inconclusive when the reference itself was not as fast here,
    when the measurement is not sure, or could not be made. It is skipped where nothing was timed,
    for want of the reference.

    It blames `values_in_any_order` when tasks were not run once each, `in_children` when the caller
    ran them, `workers` when too few or too many processes did, and `met` when they did not overlap.
    A call that did not come back is left to the check that it belongs to.
    """
    return _unjudged(run) or _faster(run, at_least)


def _unjudged(run: Run) -> Verdict | None:
    if not isinstance(run, Timing):
        return not_here("not timed")
    if not run.reference:
        return not_here(
            "the reference solution, which it would be timed against, is not installed here"
        )
    if run.ending is not Ending.RETURNED:
        return undecided(
            f"{run.call} did not return when it was timed", blamed_for(run), unreturned(run)
        )
    gates = run.trace.gates
    if not run.trace.events and not run.in_caller:
        seen = "no task was run when it was timed"
        return undecided(
            seen, "values_in_any_order", fault(Concern.RESULTS, seen, symptom="values")
        )
    if gates is None or {event.pid for event in run.trace.events} <= {run.trace.caller}:
        seen = "the tasks were run in the calling process"
        return undecided(seen, "in_children", fault(Concern.WORKERS, seen, symptom="in the caller"))
    if not gates.met:
        return _not_together(run, gates)
    ran = {event.pid for event in run.trace.events}
    if len(ran) > gates.wanted:
        seen = f"{len(ran)} processes ran tasks where {gates.wanted} were asked for"
        return undecided(seen, "workers", fault(Concern.WORKERS, seen, symptom="too many workers"))
    if not run.pairs and not run.problem:
        seen = "not every task was run once when it was timed"
        return undecided(
            seen, "values_in_any_order", fault(Concern.RESULTS, seen, symptom="values")
        )
    if run.problem:
        return inconclusive(f"not measured, and not deducted: {run.problem} ({here(run)})")
    return None


def _compared(run: Run) -> Verdict:
    assert isinstance(run, Timing)
    judged = speedup_statistics.judge_pairs(run.pairs, run.rules)
    evidence = evidence_of(run, judged)
    if judged.slow:
        words = [*(slow_words(name, run, judged) for name in judged.slow), parts_words(run)]
        hints = "; ".join(_HINTS[name] for name in judged.slow)
        first, *more = [*words, *place_words(run)]
        message = ". ".join([first, *(sentence[0].upper() + sentence[1:] for sentence in more)])
        verdict = failed(message, symptom="slow", hint=hints, **evidence)
        return replace(verdict, credit=judged.credit)
    if judged.unsure:
        words = [unsure_words(name, run, judged) for name in judged.unsure]
        return _not_now("; ".join(words), evidence)
    return Verdict(outcome=Outcome.PASSED, evidence=evidence)


def _faster(run: Run, at_least: float) -> Verdict:
    assert isinstance(run, Timing)
    shown = speedup(run)
    own, theirs = against_serial(run)
    slower = speedup_statistics.ratio(
        [(pair.wall[0], pair.serial) for pair in run.pairs if pair.serial > 0]
    )
    if own.estimate >= at_least:
        return Verdict(outcome=Outcome.PASSED, evidence=shown)
    if own.pairs < len(run.pairs):
        seen = (
            f"yours seemed to be {own.estimate:.2f}x as fast as one process, by {own.pairs} pairs"
        )
        verdict = inconclusive(
            f"not judged, and not deducted: {seen}; time it with against_serial=True"
        )
        return replace(verdict, evidence=shown)
    if run.machine.cores < 2 or theirs.bound < at_least:
        return _not_now(
            f"the reference itself was not surely {at_least:g}x as fast as one process"
            f" ({here(run)})",
            shown,
        )
    if slower.bound * at_least <= 1:
        return _not_now(
            f"yours seemed to be {own.estimate:.2f}x as fast as one process ({here(run)})", shown
        )
    verdict = failed(
        f"yours was {own.estimate:.2f}x as fast as one process on tasks that compute, the reference"
        f" {theirs.estimate:.2f}x ({own.pairs} pairs); {at_least:g}x was asked for",
        symptom="slow",
    )
    return replace(verdict, evidence=shown)


def _not_together(run: Timing, gates: GateReport) -> Verdict:
    seen = f"of {gates.wanted} workers only {gates.most_inside} ran tasks at the same time"
    if sum(not process.helper for process in run.trace.processes) < gates.wanted:
        return undecided(seen, "workers", fault(Concern.WORKERS, seen, symptom="too few workers"))
    return undecided(seen, "met", fault(Concern.CONCURRENCY, seen, symptom="no overlap"))


def _not_now(why: str, shown: dict[str, object]) -> Verdict:
    words = f"not measured reliably on this machine just now, and not deducted: {why}"
    return Verdict(outcome=Outcome.INCONCLUSIVE, message=words, evidence=shown)
