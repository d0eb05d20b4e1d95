"""How times scale with the number of processes: Amdahl's serial fraction of a series. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean, median

from pytest_mpgrade.judge import speedup_statistics
from pytest_mpgrade.judge.attribution import blamed_for, unreturned
from pytest_mpgrade.judge.check import Verdict, failed, fault, inconclusive, not_here, undecided
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Concern, Ending, Outcome, Run, Scaling


def serial_fraction(times: Mapping[int, float]) -> float:
    """Return the serial fraction s, fitted to seconds by the number n of processes.

    The fit is ``time = t1 * (s + (1 - s) / n)`` by least squares. s is the part of the work that
    more processes do not shorten (Amdahl, AFIPS Conf. Proc. 30, 1967). It is below 0 where times
    fall faster than 1 / n, and 0.0 where there are not two numbers of processes to compare.
    """
    shares = [1 / n for n in times]
    middle, mean = fmean(shares), fmean(times.values())
    spread = sum((share - middle) ** 2 for share in shares)
    if not spread:
        return 0.0
    slope = (
        sum((share - middle) * (t - mean) for share, t in zip(shares, times.values(), strict=True))
        / spread
    )
    whole = mean + slope * (1 - middle)
    return (whole - slope) / whole if whole > 0 else 1.0


def _rounds(times: Mapping[int, Sequence[float]]) -> list[float]:
    """Return the serial fraction of each round of the series."""
    return [
        serial_fraction(dict(zip(times, row, strict=True)))
        for row in zip(*times.values(), strict=True)
    ]


def _limited(at_most: float | None) -> str:
    limit = "" if at_most is None else f", a serial fraction of at most {at_most:g}"
    return f"more processes take less time{limit}"


@check(
    title=_limited,
    concern=Concern.SPEEDUP,
    hint="what is done by one process while the others wait sets the limit: move it into the tasks",
)
def scales(run: Run, at_most: float | None = None) -> Verdict:
    """Report the series and its serial fraction; with *at_most* (0 to 1), more than that fails, if
    it is sure.

    The check needs what `student.scale(…)` returns. It fails when the serial fraction is surely
    above *at_most*, and is inconclusive when that is not sure. It is skipped where nothing was
    timed. It blames `met` when the workers did not run tasks at the same time. A call that did not
    come back is left to the check that it belongs to.
    """
    if not isinstance(run, Scaling):
        return not_here("not timed")
    if run.ending is not Ending.RETURNED:
        return undecided(
            f"{run.call} did not return when it was timed", blamed_for(run), unreturned(run)
        )
    fractions = _rounds(run.times)
    if not fractions:
        seen = "the workers asked for did not all run tasks at the same time"
        return undecided(seen, "met", fault(Concern.CONCURRENCY, seen, symptom="no overlap"))
    fraction = median(fractions)
    evidence: dict[str, object] = {
        "seconds": {str(n): round(median(row), 4) for n, row in run.times.items()},
        "serial fraction": round(fraction, 3),
        "cores": run.machine.cores,
    }
    if at_most is None or fraction <= at_most:
        return Verdict(outcome=Outcome.PASSED, evidence=evidence)
    words = (
        f"the serial fraction is {fraction:.2f}, by {len(fractions)} series of"
        f" {', '.join(map(str, run.times))} processes"
    )
    if speedup_statistics.lower_bound(fractions) > at_most:
        return replace(
            failed(f"{words}; at most {at_most:g} was asked for", symptom="slow"), evidence=evidence
        )
    return replace(inconclusive(f"not sure, and not deducted: {words}"), evidence=evidence)
