"""Checks of what a seed decides: equal calls give equal numbers, other seeds give others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pytest_mpgrade.judge.attribution import not_returned, unreturned
from pytest_mpgrade.judge.check import PASSED, Verdict, failed, undecided
from pytest_mpgrade.judge.checks.streams import SPAWN
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Concern, Ending, Run

_TITLES = {
    "again": "the same seed gives the same, called again",
    "processes": "the number of processes changes nothing",
    "start method": "the start method changes nothing",
}


@check(title=lambda what: _TITLES[what], concern=Concern.RNG)
def same_streams(run: Run, *others: Run, what: str = "again") -> Verdict:
    """Calls with the same seed return the same values, in the same order.

    *what* was changed between them: "again" (nothing), "processes" or "start method". Floats may
    differ by rounding, since partial sums can be added in any order.

    The check needs a run of a function that draws random numbers, and runs of *others* that differ
    in *what* only. It fails when the values differ. A call that did not come back is left to the
    check that it belongs to.
    """
    for each in (run, *others):
        wrong = not_returned(each, Concern.RNG)
        if wrong is not None:
            return wrong
    for other in others:
        mine, theirs = _numbers(run.value), _numbers(other.value)
        if len(mine) == len(theirs) and all(map(_equal, mine, theirs)):
            continue
        return failed(
            _difference(run, other, mine, theirs),
            hint=_remedy(what, mine, theirs),
            symptom="random numbers",
        )
    return PASSED


def _numbers(value: Any) -> list[object]:
    if type(value).__name__ == "ndarray":
        return list(value.ravel().tolist())
    if isinstance(value, (list, tuple)):
        return list(value)
    return [value.item() if hasattr(value, "item") else value]


def _equal(mine: object, theirs: object) -> bool:
    if isinstance(mine, float) and isinstance(theirs, float):
        return math.isclose(mine, theirs, rel_tol=1e-12)
    return mine == theirs


def _difference(run: Run, other: Run, mine: Sequence[object], theirs: Sequence[object]) -> str:
    named = other.at if other.call == run.call else other.call
    where = f"under {other.start_method}" if other.start_method != run.start_method else "again"
    named = where if other.call == run.call else named
    pairs = zip(mine, theirs, strict=False)
    place = next((i for i, (a, b) in enumerate(pairs) if not _equal(a, b)), None)
    if place is None:
        return f"{run.call} returned {len(mine)} values, and {named} {len(theirs)}"
    count = f"value {place} is " if len(mine) > 1 else ""
    return f"{run.call}: {count}{mine[place]!r}, and {named} {theirs[place]!r}"


def _remedy(what: str, mine: Sequence[object], theirs: Sequence[object]) -> str:
    if sorted(map(repr, mine)) == sorted(map(repr, theirs)):
        return (
            "the values are the same, in another order: return them in the order of the tasks, not"
            " in that in which they are done"
        )
    if what == "processes":
        return SPAWN
    return (
        "give every generator a seed that is made of the argument seed; no task may draw from a"
        " generator that another task draws from, too"
    )


@check(title="other seeds give other numbers", concern=Concern.RNG)
def seeds_matter(run: Run, *others: Run) -> Verdict:
    """Calls with different seeds return different values.

    The check needs runs of a function that draws random numbers, which differ in the seed only. It
    fails when all runs have the same values. Give so many draws that independent streams have not.
    It blames `means_of_samples` when each call returned one value many times. A call that did not
    come back is left to the check that it belongs to.
    """
    for each in (run, *others):
        wrong = not_returned(each, Concern.RNG)
        if wrong is not None:
            return wrong
    mine = _numbers(run.value)
    if any(_numbers(other.value) != mine for other in others):
        return PASSED
    said = failed(
        f"{run.call} and {others[-1].call} returned the same",
        symptom="random numbers",
        hint="make every generator of the argument seed",
    )
    if len(mine) > 1 and len(set(mine)) == 1:
        seen = f"all values of {run.call} are the same"
        return undecided(seen, "means_of_samples", said, explained="values")
    return said


@check(
    title="the global generators of NumPy and of random are left alone",
    concern=Concern.RNG,
    hint=(
        "np.random.seed() and random.seed() change the numbers of the program that calls you: make"
        " generators of your own, default_rng(seed)"
    ),
)
def leaves_global_state(run: Run, before: Run, *calls: Run) -> Verdict:
    """The calling process has the same global generators after the *calls* as *before*.

    The check needs two runs of `steps.inspection("random_state")`, before and after *calls* in one
    process. It fails when the states differ. A call that did not come back is left to the check
    that it belongs to.
    """
    for each in calls:
        if each.ending is not Ending.RETURNED:
            return not_returned(each, Concern.RNG) or unreturned(each)
    for each in (before, run):
        if each.ending is not Ending.RETURNED:
            return not_returned(each, Concern.RNG) or unreturned(each)
    changed = [name for i, name in enumerate(_GLOBALS) if _digest(run, i) != _digest(before, i)]
    if not changed:
        return PASSED
    of = " and ".join(each.function for each in calls) or "something"
    return failed(
        f"{of} changed the state of {' and '.join(changed)} in the calling process",
        symptom="random numbers",
    )


_GLOBALS = ("random", "numpy.random")
"""The modules whose global generators `inside.inspections.random_state` tells, in its order."""


def _digest(run: Run, place: int) -> object:
    """Return one digest of the answer, which may be forged: None where it has none."""
    value = run.value
    return value[place] if isinstance(value, tuple) and place < len(value) else None
