"""Checks of timings: is the pattern much slower than the reference's, and is it faster than doing
without?
"""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from pytest_mpgrade.judge import speed_test
from pytest_mpgrade.judge.attribution import blamed_for, unreturned
from pytest_mpgrade.judge.check import Verdict, failed, fault, inconclusive, not_here, undecided
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.speed_test import CONFIDENCE, Ratio
from pytest_mpgrade.records import (
    Concern,
    Doing,
    Ending,
    GateReport,
    Look,
    Outcome,
    Role,
    Run,
    Timing,
)

_HALVES = "tasks, of which half compute and half only wait"
_WHAT = {
    "waiting": ("the reference's time", "tasks that only wait"),
    "computing": ("the reference's CPU time", _HALVES),
    "polling": (
        "the reference's CPU time",
        f"{_HALVES}, counting only what it burned while they wait",
    ),
}
_RECKONED = {
    "polling": {"reckoned": "what it burned while tasks wait is its own, all else the reference's"}
}
_DOES = {  # without waiting for a result: that is what a parent should do
    "sleep": "slept",
    "put": "waited in put()",
    "join": "waited for a process to end",
    "lock": "waited for a lock",
    "write": "was writing to a pipe",
    "busy": "was busy",
    "": "was busy",
}
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
        return inconclusive(f"not measured, and not deducted: {run.problem} ({_here(run)})")
    return None


def _compared(run: Run) -> Verdict:
    assert isinstance(run, Timing)
    found = speed_test.judge_pairs(run.pairs, run.rules)
    evidence = _evidence(run, found)
    if found.slow:
        words = [*(_slow(name, run, found) for name in found.slow), _parts(run)]
        hints = "; ".join(_HINTS[name] for name in found.slow)
        first, *more = [*words, *_where(run)]
        message = ". ".join([first, *(sentence[0].upper() + sentence[1:] for sentence in more)])
        verdict = failed(message, symptom="slow", hint=hints, **evidence)
        return replace(verdict, credit=found.credit)
    if found.unsure:
        words = [_unsure(name, run, found) for name in found.unsure]
        return _not_now("; ".join(words), evidence)
    return Verdict(outcome=Outcome.PASSED, evidence=evidence)


def _slow(name: str, run: Timing, found: speed_test.SpeedVerdict) -> str:
    if name == "starting":
        return (
            f"your workers came {found.late:.1f} s later than the reference's (at least"
            f" {found.late_bound:.1f} s with {CONFIDENCE} confidence);"
            f" {run.rules.starting_seconds:g} s is free"
        )
    ratio = found.ratios[name]
    whose, where = _WHAT[name]
    return (
        f"yours took {ratio.estimate:.2f}x {whose} on {where} (at least {ratio.bound:.2f}x with"
        f" {CONFIDENCE} confidence, {ratio.pairs} pairs); {run.rules.free:g}x is free"
    )


def _unsure(name: str, run: Timing, found: speed_test.SpeedVerdict) -> str:
    if name == "starting":
        return (
            f"your workers seemed to come {found.late:.1f} s later than the reference's"
            f" ({_here(run)})"
        )
    ratio = found.ratios[name]
    whose, where = _WHAT[name]
    return (
        f"yours seemed to take {ratio.estimate:.2f}x {whose} on {where} ({ratio.pairs} pairs,"
        f" {_here(run)})"
    )


def _parts(run: Timing) -> str:
    """Say where the time went of the longer call that only waits."""
    told = [
        f"{own:.2f} s {what} (the reference {theirs:.2f} s)"
        for what, (own, theirs) in _spent(run).items()
    ]
    return f"Where they only wait, it spent {', '.join(told[:-1])} and {told[-1]}"


def _spent(run: Timing) -> dict[str, tuple[float, float]]:
    """Return own seconds and the reference's, of the longer call that only waits."""
    parts = {
        "until all workers were there": [pair.starting for pair in run.pairs],
        "on the tasks": [pair.working for pair in run.pairs],
        "after the last": [pair.ending for pair in run.pairs],
    }
    return {
        what: (median(own for own, _ in row), median(theirs for _, theirs in row))
        for what, row in parts.items()
    }


def _where(run: Timing) -> list[str]:
    """Say where the submission's processes were seen outside of tasks: the one place that says
    most.
    """
    told = [
        look
        for look in run.trace.looks
        if 4 * look.times >= look.of and look.doing in (Doing.SLEEP, Doing.BUSY, Doing.OTHER)
    ]
    told = told or [
        look for look in run.trace.looks if 2 * look.times >= look.of and look.doing in _DOES
    ]
    if not told:
        return []
    return [f"{_seen(told[0])} in {told[0].times} of {told[0].of} looks"]


def _seen(look: Look) -> str:
    who = "your parent" if look.role is Role.PARENT else "a worker"
    return f"Outside of tasks {who} {_DOES[look.doing]} at {look.file}:{look.line}: {look.code}"


def _evidence(run: Timing, found: speed_test.SpeedVerdict) -> dict[str, object]:
    """Return times in milliseconds for a task, and what the machine offered."""
    evidence: dict[str, object] = {
        name: _told(ratio) | _RECKONED.get(name, {}) for name, ratio in found.ratios.items()
    }
    evidence["seconds, own and reference"] = {
        what: [round(s, 3) for s in both] for what, both in _spent(run).items()
    }
    times = speedup(run)
    if times:
        evidence["faster than one process"] = times
    machine = run.machine
    evidence["machine"] = {
        "cores": machine.cores,
        "load": round(machine.load, 2),
        "alone": machine.alone,
        "threads of BLAS and OpenMP": 1,
        "seconds": round(run.seconds, 1),
    }
    return evidence


def _told(ratio: Ratio) -> dict[str, object]:
    return {
        "ms per task": round(1000 * ratio.own, 2),
        "reference": round(1000 * ratio.theirs, 2),
        "ratio": round(ratio.estimate, 3),
        "at least": round(ratio.bound, 3),
        "pairs": ratio.pairs,
    }


def speedup(run: Timing) -> dict[str, object]:
    """Return, for learning, how much faster than one process both were, where two cores or more can
    be used.
    """
    if run.machine.cores < 2:
        return {"not measured": f"{run.machine.cores:g} usable core"}
    own, theirs = _against_serial(run)
    if not own.pairs:
        return {}
    return {
        "yours": round(own.estimate, 2),
        "reference": round(theirs.estimate, 2),
        "cores": run.machine.cores,
    }


def _against_serial(run: Timing) -> tuple[Ratio, Ratio]:
    """Return how much faster than one process the submission was, and the reference."""
    pairs = [pair for pair in run.pairs if pair.serial > 0]
    own, theirs = ([(pair.serial, pair.wall[place]) for pair in pairs] for place in (0, 1))
    return speed_test.ratio(own), speed_test.ratio(theirs)


def _faster(run: Run, at_least: float) -> Verdict:
    assert isinstance(run, Timing)
    shown = speedup(run)
    own, theirs = _against_serial(run)
    slower = speed_test.ratio(
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
            f" ({_here(run)})",
            shown,
        )
    if slower.bound * at_least <= 1:
        return _not_now(
            f"yours seemed to be {own.estimate:.2f}x as fast as one process ({_here(run)})", shown
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


def _here(run: Timing) -> str:
    return f"{run.machine.cores:g} cores, load {run.machine.load:.1f}"


def _not_now(why: str, shown: dict[str, object]) -> Verdict:
    words = f"not measured reliably on this machine just now, and not deducted: {why}"
    return Verdict(outcome=Outcome.INCONCLUSIVE, message=words, evidence=shown)
