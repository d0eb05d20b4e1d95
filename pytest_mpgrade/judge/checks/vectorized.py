"""Checks of functions that leave their loops to NumPy."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mpgrade.judge.attribution import not_returned
from pytest_mpgrade.judge.check import PASSED, Verdict, failed
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Concern, Run

BARE = 2
"""Lines and calls that each call of a Python function executes at least: itself, and one line."""
WHOLE_ARRAYS = (
    "let NumPy loop: x[:, None] - x[None, :], x @ x.T, (a <= 1).sum(); a comprehension, map() and"
    " np.vectorize() are loops of Python, too"
)
"""A hint for loops of Python over the data."""


@check(
    title="no loop of Python runs over the data",
    concern=Concern.SPEEDUP,
    hint=WHOLE_ARRAYS,
)
def no_python_loop(run: Run, call: str, small: int, large: int) -> Verdict:
    """The lines and calls of Python that a function executes do not grow with its data.

    They are counted by Python's own tracing, for *small* and for *large* rows or draws. A loop over
    the data executes a line at least for each of them, so that the count grows by *large* - *small*
    or more. A loop over columns, or over blocks of many rows, is none. *call* is how messages name
    the function. No clock is read.

    The check needs a run of `steps.inspection("lines_executed", …)` with these two sizes, after any
    other input. It fails when the count grows by so many, and when the function has switched
    tracing off. A call that did not come back is left to the check that it belongs to.
    """
    wrong = not_returned(run, Concern.SPEEDUP)
    if wrong is not None:
        return wrong
    counts = run.value
    told = isinstance(counts, list) and len(counts) == 2 and all(type(n) is int for n in counts)
    if not told or min(counts) < BARE:
        return failed(
            f"{call} switched off the tracing that counts the lines it executes",
            symptom="loop",
            hint="leave sys.settrace() and sys.monitoring alone",
        )
    if counts[1] - counts[0] < large - small:
        return PASSED
    return failed(
        f"{call} executed {counts[0]} lines and calls of Python for {small} items, and {counts[1]}"
        f" for {large}: it loops over them",
        symptom="loop",
    )


@check(
    title="draws come from default_rng(seed)",
    concern=Concern.RNG,
    hint="rng = numpy.random.default_rng(seed), and rng.random(…)",
)
def not_legacy(run: Run, others: Sequence[Run], legacy: Sequence[Sequence[float]]) -> Verdict:
    """The estimates are not those of NumPy's legacy generator, RandomState(seed).

    Nothing says in which order a function draws, so other estimates than the reference's are right.
    *legacy*: for each run, the estimates that the legacy generator gives in the usual orders. That
    all runs are among these by chance has a probability of a hundredth each at most, so give five
    runs or more.

    The check needs a run of `estimate_pi_vectorized`, and *others* with other seeds. It fails when
    all estimates are legacy ones. A call that did not come back is left to the check that it
    belongs to.
    """
    runs = (run, *others)
    for each in runs:
        wrong = not_returned(each, Concern.RNG)
        if wrong is not None:
            return wrong
    known = zip(runs, legacy, strict=True)
    if not all(isinstance(each.value, float) and each.value in values for each, values in known):
        return PASSED
    return failed(
        f"{run.call} returned {run.value!r}, which is what numpy.random.RandomState(seed) gives",
        symptom="random numbers",
    )
