"""What a timing shows, in words and as evidence; the checks of `speed` use it."""

from __future__ import annotations

from statistics import median

from pytest_mpgrade.judge import speedup_statistics
from pytest_mpgrade.judge.speedup_statistics import CONFIDENCE, Ratio
from pytest_mpgrade.records import Doing, Look, Role, Timing

_HALVES = "tasks, of which half compute and half only wait"
_WHAT = {
    "waiting": ("the reference's time", "tasks that only wait"),
    "computing": ("the reference's CPU time", _HALVES),
    "polling": (
        "the reference's CPU time",
        f"{_HALVES}, counting only what it burned while they wait",
    ),
}
"""For each ratio, what the time is compared with, and on which tasks."""
_RECKONED = {
    "polling": {"reckoned": "what it burned while tasks wait is its own, all else the reference's"}
}
"""For a ratio that is not measured as it is, how it is calculated."""
_DOES = {  # waiting for a result is left out: a parent should do that
    "sleep": "slept",
    "put": "waited in put()",
    "join": "waited for a process to end",
    "lock": "waited for a lock",
    "write": "was writing to a pipe",
    "busy": "was busy",
    "": "was busy",
}


def slow_words(name: str, run: Timing, judged: speedup_statistics.SpeedVerdict) -> str:
    """Say by how much the submission was slower, for one of the names in `SpeedVerdict.slow`."""
    if name == "starting":
        return (
            f"your workers came {judged.late:.1f} s later than the reference's (at least"
            f" {judged.late_bound:.1f} s with {CONFIDENCE} confidence);"
            f" {run.rules.starting_seconds:g} s is free"
        )
    ratio = judged.ratios[name]
    whose, where = _WHAT[name]
    return (
        f"yours took {ratio.estimate:.2f}x {whose} on {where} (at least {ratio.bound:.2f}x with"
        f" {CONFIDENCE} confidence, {ratio.pairs} pairs); {run.rules.free:g}x is free"
    )


def unsure_words(name: str, run: Timing, judged: speedup_statistics.SpeedVerdict) -> str:
    """Say by how much the submission seemed to be slower, for a name in `SpeedVerdict.unsure`."""
    if name == "starting":
        return (
            f"your workers seemed to come {judged.late:.1f} s later than the reference's"
            f" ({here(run)})"
        )
    ratio = judged.ratios[name]
    whose, where = _WHAT[name]
    return (
        f"yours seemed to take {ratio.estimate:.2f}x {whose} on {where} ({ratio.pairs} pairs,"
        f" {here(run)})"
    )


def parts_words(run: Timing) -> str:
    """Say on what the longer of the calls that only wait spent its time."""
    parts = [
        f"{own:.2f} s {what} (the reference {theirs:.2f} s)"
        for what, (own, theirs) in _spent(run).items()
    ]
    return f"Where they only wait, it spent {', '.join(parts[:-1])} and {parts[-1]}"


def _spent(run: Timing) -> dict[str, tuple[float, float]]:
    """Return how many seconds each part of the longer waiting call took.

    They are those of the submission and of the reference.
    """
    parts = {
        "until all workers were there": [pair.starting for pair in run.pairs],
        "on the tasks": [pair.working for pair in run.pairs],
        "after the last": [pair.ending for pair in run.pairs],
    }
    return {
        what: (median(own for own, _ in row), median(theirs for _, theirs in row))
        for what, row in parts.items()
    }


def place_words(run: Timing) -> list[str]:
    """Say where processes of the submission were outside of tasks.

    It names the one place that says most about lost time.
    """
    places = [
        look
        for look in run.trace.looks
        if 4 * look.times >= look.of and look.doing in (Doing.SLEEP, Doing.BUSY, Doing.OTHER)
    ]
    places = places or [
        look for look in run.trace.looks if 2 * look.times >= look.of and look.doing in _DOES
    ]
    if not places:
        return []
    return [f"{_seen(places[0])} in {places[0].times} of {places[0].of} looks"]


def _seen(look: Look) -> str:
    who = "your parent" if look.role is Role.PARENT else "a worker"
    return f"Outside of tasks {who} {_DOES[look.doing]} at {look.file}:{look.line}: {look.code}"


def evidence_of(run: Timing, judged: speedup_statistics.SpeedVerdict) -> dict[str, object]:
    """Return the times per task in milliseconds, and what the machine offered.

    A page of the result draws each pair, own and reference.
    """
    evidence: dict[str, object] = {
        name: _told(ratio) | _RECKONED.get(name, {}) for name, ratio in judged.ratios.items()
    }
    evidence["each pair"] = {
        name: [[round(1000 * s, 3) for s in both] for both in row]
        for name, row in speedup_statistics.times_to_compare(run.pairs).items()
    }
    evidence["limits"] = {"free": run.rules.free, "lost": run.rules.lost}
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
    """Return how much faster than one process the submission and the reference were.

    This is for learning, and costs no points. It needs two usable cores.
    """
    if run.machine.cores < 2:
        return {"not measured": f"{run.machine.cores:g} usable core"}
    own, theirs = against_serial(run)
    if not own.pairs:
        return {}
    return {
        "yours": round(own.estimate, 2),
        "reference": round(theirs.estimate, 2),
        "cores": run.machine.cores,
    }


def against_serial(run: Timing) -> tuple[Ratio, Ratio]:
    """Return the ratios of one process to the submission, and to the reference."""
    pairs = [pair for pair in run.pairs if pair.serial > 0]
    own, theirs = ([(pair.serial, pair.wall[place]) for pair in pairs] for place in (0, 1))
    return speedup_statistics.ratio(own), speedup_statistics.ratio(theirs)


def here(run: Timing) -> str:
    """Return the number of cores and the load of this machine."""
    return f"{run.machine.cores:g} cores, load {run.machine.load:.1f}"
