"""Checks of functions that leave their loops to NumPy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

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
def not_drawn_from(
    run: Run, others: Sequence[Run], known: Sequence[Mapping[str, Sequence[float]]]
) -> Verdict:
    """The estimates are not those of known other generators, such as NumPy's legacy one.

    Nothing says in which order a function draws, so other estimates than the reference's are right.
    *known* has an entry for each run: a generator in words -> the estimates that it gives, one for
    each usual order of draws. An estimate of n draws is one of these by chance with a probability
    of at most 1 / sqrt(2 pi n v), v = pi / 4 (1 - pi / 4), that of the likeliest count: 0.0022 for
    200,000 draws. That five runs all are has one of 5e-14 for each generator and order.

    The check needs a run of `estimate_pi_vectorized`, and *others* with other seeds, four or more.
    It fails when all estimates are those of one known generator, in one order. A call that did not
    come back is left to the check that it belongs to.
    """
    runs = (run, *others)
    for each in runs:
        wrong = not_returned(each, Concern.RNG)
        if wrong is not None:
            return wrong
    values = [each.value if isinstance(each.value, float) else math.nan for each in runs]
    for words in known[0]:
        orders = zip(*(entry[words] for entry in known), strict=True)
        if any(all(map(_same, values, order)) for order in orders):
            return failed(
                f"{run.call} returned {run.value!r}, which is what {words} gives",
                symptom="random numbers",
            )
    return PASSED


def _same(value: float, known: float) -> bool:
    """Tell whether two estimates come from the same count, however they were rounded."""
    return math.isclose(value, known, rel_tol=1e-12)
