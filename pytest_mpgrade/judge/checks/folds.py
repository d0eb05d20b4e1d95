"""Checks of a cross-validation: a label and metrics for each fold, in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_mpgrade.judge.attribution import not_returned
from pytest_mpgrade.judge.check import PASSED, Verdict, failed, fault, undecided
from pytest_mpgrade.judge.checks.closeness import Tolerance, difference
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Concern, Ending, Opaque, Run

Metrics = Mapping[str, Sequence[float]]

CLOSE = Tolerance(rtol=1e-12, atol=1e-12)
"""What the same fit of scikit-learn may differ by, scored by other formulas."""


@check(title="returns the metrics of every fold, with a label of its own")
def fold_metrics(
    run: Run, expected: Sequence[Metrics], concern: Concern = Concern.RESULTS
) -> Verdict:
    """A list comes back with a pair for each fold: a label that no other has, and its metrics.

    Metrics are a dict with a sequence for each name, equal up to 1e-12. Their order is left to
    `in_fold_order`.

    The check needs a run of `cross_validate` whose folds have the metrics *expected*, all of them
    different. It fails when something else came back. A call that did not come back is left to the
    check that it belongs to; with the concern `edge` it fails here.
    """
    wrong = not_returned(run, concern, owns_all=concern is Concern.EDGE)
    if wrong is not None:
        return wrong
    pairs = _pairs(run.value)
    if pairs is None or len(pairs) != len(expected):
        seen = _shown(run.value)
        words = f"{run.call} returned {seen}, not a list of {len(expected)} pairs (label, metrics)"
        return failed(words, symptom="values")
    order = _order(pairs, expected)
    if sorted(order) != list(range(len(expected))):
        place = next((i for i, fold in enumerate(order) if fold < 0 or fold in order[:i]), 0)
        found = difference(pairs[place][1], _plain(expected[place]), CLOSE, "metrics")
        words = found.words if found else "returned the metrics of one fold twice"
        return failed(f"{run.call}, fold {place}: {words}", symptom="values")
    # Of an object of a class only its type is known, and labels are free.
    labels = [repr(label) for label, _ in pairs if not isinstance(label, Opaque)]
    again = next((label for i, label in enumerate(labels) if label in labels[:i]), None)
    if again is not None:
        return failed(
            f"{run.call} returned the label {again} for more than one fold",
            symptom="values",
            hint="give each fold a label of its own, such as its number",
        )
    return PASSED


@check(
    title="the metrics are in the order of the folds",
    concern=Concern.ORDERING,
    hint="results come in the order in which they are done: sort them by the label of their fold",
)
def in_fold_order(run: Run, expected: Sequence[Metrics]) -> Verdict:
    """Result i is that of fold i.

    The check needs a run of `cross_validate` whose first fold is done last, as by
    `steps.HeldTask`. It fails when all metrics are there, in another order. It blames
    `fold_metrics` when they are not. A call that did not come back is left to the check that it
    belongs to.
    """
    wrong = not_returned(run, Concern.ORDERING)
    if wrong is not None:
        return wrong
    order = _order(_pairs(run.value) or [], expected)
    if order == list(range(len(expected))):
        return PASSED
    if sorted(order) != list(range(len(expected))):
        seen = f"{run.call} did not return the metrics of every fold"
        return undecided(seen, "fold_metrics", fault(Concern.RESULTS, seen, symptom="values"))
    return failed(
        f"{run.call} returned the metrics of the folds {', '.join(map(str, order))}, in this order",
        symptom="order of results",
    )


@check(
    title="the estimator that is given is left unfitted",
    hint="fit a copy, sklearn.base.clone(estimator), or fit in the child process only",
)
def left_unfitted(run: Run, call: Run) -> Verdict:
    """The estimator in the calling process has not been fitted.

    The check needs a run of `steps.inspection("is_fitted", …)` after *call*, in the same process.
    It fails when the estimator has what a fit adds. A call that did not come back is left to the
    check that it belongs to.
    """
    for each in (call, run):
        wrong = not_returned(each, Concern.RESULTS)
        if wrong is not None:
            return wrong
    if run.ending is Ending.RETURNED and run.value is True:
        return failed(f"{call.call} fitted the estimator that it was given", symptom="fitted")
    return PASSED


def _pairs(value: object) -> list[tuple[Any, Any]] | None:
    """Return a list of pairs; None for anything else."""
    if not isinstance(value, list):
        return None
    pairs = [tuple(item) for item in value if isinstance(item, (tuple, list)) and len(item) == 2]
    return pairs if len(pairs) == len(value) else None


def _order(pairs: Sequence[tuple[Any, Any]], expected: Sequence[Metrics]) -> list[int]:
    """Return which fold each result is of, -1 for one of none."""
    known = list(enumerate(map(_plain, expected)))
    return [
        next((fold for fold, theirs in known if difference(mine, theirs, CLOSE) is None), -1)
        for _, mine in pairs
    ]


def _plain(metrics: Metrics) -> dict[str, list[float]]:
    return {name: list(values) for name, values in metrics.items()}


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    return repr(value)[:60]
