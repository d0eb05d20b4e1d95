"""Checks of an estimator of scikit-learn that a function has fitted and returned.

They judge runs of `steps.inspection("described", …)`, in the process that has the estimator.
"""

from __future__ import annotations

from typing import Any

from pytest_mpgrade.judge.attribution import not_returned
from pytest_mpgrade.judge.check import PASSED, Verdict, failed, fault, undecided
from pytest_mpgrade.judge.checks.closeness import Tolerance, difference
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Concern, Opaque, Run

LEAST_FOUND = 0.9
"""The share of the labels that a fit finds again, of data that are easy to tell apart."""
CONVERGED = Tolerance(rtol=0.0, atol=1e-3)
"""Solvers stop at a tolerance, 1e-4 unless told otherwise, and the draws of a generator that is
passed on come in another order in other processes. One tree of 300 has a larger vote.
"""


@check(title="returns a fitted {kind}")
def fitted(run: Run, kind: str, call: str) -> Verdict:
    """The function returns a fitted estimator of this class, which finds the labels of its data.

    *call* is how messages name the call that returned it.

    The check needs a run of `steps.inspection("described", …)`. It fails when the estimator is of
    another class, is not fitted, or finds less than 90 % of the labels that it was fitted to. A
    call that did not come back is left to the check that it belongs to.
    """
    return not_returned(run, Concern.RESULTS) or _unfit(run, kind, call) or PASSED


def _unfit(run: Run, kind: str, call: str) -> Verdict | None:
    """Return what is wrong with the estimator itself; None where that is right."""
    told = _told(run)
    classes = [name for name in told.get("classes") or () if isinstance(name, str)]
    wanted = [name for name in classes if name.startswith("sklearn.") and name.endswith(f".{kind}")]
    if not wanted:
        got = classes[0].rpartition(".")[2] if classes else "something else"
        return failed(f"{call} returned {_named(got)}, not a {kind}", symptom="values")
    if told.get("fitted") is not True:
        return failed(f"{call} returned a {kind} that is not fitted", symptom="values")
    found = told.get("found")
    if not isinstance(found, float) or found < LEAST_FOUND:
        share = f"{found:.0%}" if isinstance(found, float) else "none"
        words = f"{call} returned a {kind} that finds {share} of the labels of x, its training data"
        return failed(words, symptom="values")
    return None


def _named(kind: str) -> str:
    return "None" if kind == "NoneType" else f"an object of the class {kind}"


def _told(run: Run) -> dict[Any, Any]:
    """Return what the inspection told, which may be forged."""
    return run.value if isinstance(run.value, dict) else {}


def _judged(run: Run, concern: Concern, kind: str, call: str) -> Verdict | None:
    """Return the verdict where there is no fitted estimator that could be asked; else None."""
    wrong = not_returned(run, concern)
    if wrong is not None:
        return wrong
    unfit = _unfit(run, kind, call)
    if unfit is None:
        return None
    return undecided(
        unfit.message, "fitted", fault(Concern.RESULTS, unfit.message, symptom="values")
    )


@check(
    title="the {kind} was given n_jobs",
    concern=Concern.WORKERS,
    hint="pass it on where you make the estimator: n_jobs=n_jobs",
)
def given_n_jobs(run: Run, kind: str, call: str, n_jobs: int | None) -> Verdict:
    """The parameter n_jobs of the estimator is that of the *call*.

    The check needs a run of `steps.inspection("described", …)`. It fails when it is another. It
    blames `fitted` when no fitted estimator was returned. A call that did not come back is left to
    the check that it belongs to.
    """
    wrong = _judged(run, Concern.WORKERS, kind, call)
    if wrong is not None:
        return wrong
    given = _told(run).get("n_jobs")
    if given == n_jobs and type(given) is type(n_jobs):
        return PASSED
    return failed(f"{call} returned a {kind} with n_jobs={given!r}", symptom="n_jobs")


@check(
    title="the {kind} was given the seed",
    concern=Concern.RNG,
    hint="pass it on where you make the estimator: random_state=seed",
)
def given_seed(run: Run, kind: str, call: str, seed: int) -> Verdict:
    """The parameter random_state of the estimator is the seed of the *call*, or a generator.

    What a generator draws is left to `same_predictions`.

    The check needs a run of `steps.inspection("described", …)`. It fails when it is None or another
    number. It blames `fitted` when no fitted estimator was returned. A call that did not come back
    is left to the check that it belongs to.
    """
    wrong = _judged(run, Concern.RNG, kind, call)
    if wrong is not None:
        return wrong
    given = _told(run).get("random_state")
    if isinstance(given, Opaque) or given == seed:
        return PASSED
    return failed(f"{call} returned a {kind} with random_state={given!r}", symptom="seed")


@check(
    title="a later call leaves the {kind} of an earlier one as it is",
    hint="make a new estimator in each call; one of the module is changed by the next call",
)
def left_as_returned(run: Run, kind: str, call: str, before: Run) -> Verdict:
    """The estimator that the *call* returned has the same parameters and predictions as *before*.

    The check needs runs of `steps.inspection("described", …)` of the same estimator, before and
    after another call. It fails when the two looks differ. It blames `fitted` when no fitted
    estimator was returned. A call that did not come back is left to the check that it belongs to.
    """
    wrong = _judged(before, Concern.RESULTS, kind, call) or not_returned(run, Concern.RESULTS)
    if wrong is not None:
        return wrong
    was, now = _told(before), _told(run)
    changed = [
        name for name in ("n_jobs", "random_state") if repr(was.get(name)) != repr(now.get(name))
    ]
    if difference(now.get("odds"), was.get("odds"), CONVERGED) is not None:
        changed.append("predictions")
    if not changed:
        return PASSED
    return failed(
        f"a later call has changed the {kind} that {call} returned: other {' and '.join(changed)}",
        symptom="values",
    )


@check(
    title="equal seeds give equal predictions, whatever n_jobs is",
    concern=Concern.RNG,
    hint="pass the seed on where you make the estimator: random_state=seed",
)
def same_predictions(run: Run, kind: str, call: str, *others: Run) -> Verdict:
    """The estimators of several calls with the same seed give every row the same probabilities.

    A difference of up to 1e-3 is free.

    The check needs runs of `steps.inspection("described", …)`. It fails when probabilities differ.
    It blames `fitted` when a call returned no fitted estimator. A call that did not come back is
    left to the check that it belongs to.
    """
    for each in (run, *others):
        wrong = _judged(each, Concern.RNG, kind, call)
        if wrong is not None:
            return wrong
    mine = _told(run).get("odds")
    for other in others:
        found = difference(_told(other).get("odds"), mine, CONVERGED)
        if found is not None:
            words = f"{call} predicts {found.expected} where an equal call predicts {found.got}"
            return failed(words, symptom="random numbers")
    return PASSED
