"""Grading of `cv_fold`, `gb_score` and `cross_validate`: a fit of scikit-learn for each fold.

The estimator has a gate in its fit, so that the grader sees from outside which process fits which
fold, and when. scikit-learn is imported only where a test needs it, as it takes a second or more.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.records import Assignment, Concern, HeldTask, OpenGates, Rendezvous, Run, Step
from pytest_mpgrade.student import Student

pytestmark = pytest.mark.rehearsed

SIZES = (5, 8, 11)
"""Rows of the validation folds: all different, so that a fold is known by its training rows."""
MANY = tuple(range(4, 16))
FOUR = (5, 6, 9, 7)
X = np.array([[3.5, -1.0], [0.25, 4.0], [7.0, 2.5], [-6.0, 0.5], [1.5, 9.0], [8.0, -3.0]])
Y = np.array([1, 0, 0, 1, 1, 0])
TRAIN, VALIDATION = np.array([4, 0, 3]), np.array([5, 2])


@cache
def data() -> tuple[Any, Any]:
    """Return 126 rows of a data set that comes with scikit-learn; labels alternate."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    rows = np.stack([np.flatnonzero(y == 0)[:63], np.flatnonzero(y == 1)[:63]], axis=1).ravel()
    return x[rows, :4], y[rows]


def booster(*, gated: bool = True) -> Any:
    """Return a new estimator. Its first stage depends on the scale of the first feature."""
    from sklearn.ensemble import GradientBoostingClassifier

    prior = tasks.models.GatedPrior(15.0, gated=gated)
    return GradientBoostingClassifier(
        n_estimators=5, max_depth=2, learning_rate=0.3, init=prior, random_state=507
    )


@cache
def folds(sizes: tuple[int, ...]) -> list[tuple[Any, Any]]:
    """Return folds with these numbers of validation rows, one behind the other.

    They begin with row 86, so that those of many folds are not in the order of their rows.
    """
    ends = np.cumsum(sizes)
    rows = np.roll(np.arange(len(data()[1])), 40)
    validation = [rows[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    return [(np.setdiff1d(rows, each)[::-1], each) for each in validation]


@cache
def metrics(sizes: tuple[int, ...]) -> list[dict[str, list[float]]]:
    """Return the metrics of each fold, by scikit-learn's own functions."""
    x, y = data()
    return [
        scored(booster(gated=False).fit(x[train], y[train]), x[val], y[val])
        for train, val in folds(sizes)
    ]


def scored(fitted: Any, x: Any, y: Any) -> dict[str, list[float]]:
    """Return cross entropy and accuracy at each stage."""
    from sklearn.metrics import accuracy_score, log_loss

    stages = [stage[:, 1] for stage in fitted.staged_predict_proba(x)]
    return {
        "ce_val": [float(log_loss(y, stage, labels=[0, 1])) for stage in stages],
        "ac_val": [float(accuracy_score(y, stage > 0.5)) for stage in stages],
    }


def workload(sizes: tuple[int, ...]) -> tasks.Workload:
    """Return the names of the tasks: a fold is known by the number of its training rows."""
    keys = tuple(str(len(train)) for train, _ in folds(sizes))
    return tasks.Workload(tasks=(), keys=keys)


@cache
def validate(
    sizes: tuple[int, ...] = SIZES, n: int = 0, *, saved: bool = False, last: bool = True
) -> Step:
    """Return a call of cross_validate; *saved*: with the estimator of an earlier step."""
    options = {"n_processes": n} if n else {}
    step = steps.call(
        "cross_validate",
        steps.saved_value("estimator") if saved else booster(),
        *data(),
        folds(sizes),
        words=f"estimator, x, y, {len(sizes)} fold{'s' * (len(sizes) > 1)}",
        last=last,
        **options,  # type: ignore[arg-type]  # - an argument of the call
    )
    return replace(step, tasked=True, keys=workload(sizes).keys, gates=OpenGates())


@cache
def line() -> tuple[Step, ...]:
    """Return a call with twelve folds, whose processes meet at their gates."""
    keys = workload(MANY).keys
    script = Rendezvous(n=3, keys=keys, seed=507, exit_gates=True)
    return (replace(validate(MANY, 3), gates=script),)


@cache
def late() -> tuple[Step, ...]:
    """Return a call whose first fold is done last."""
    keys = workload(FOUR).keys
    return (replace(validate(FOUR, 2), gates=HeldTask(keys=keys, seconds=0.5)),)


@cache
def row() -> tuple[Step, ...]:
    """Return calls in one process: with the same estimator, of one fold, and of few folds."""
    return (
        steps.inspection("given", booster(), save="estimator"),
        validate(SIZES, 3, saved=True, last=False),
        steps.inspection("is_fitted", steps.saved_value("estimator")),
        validate(SIZES, 1, last=False),
        validate((11,), 2, last=False),
        validate((8, 5), 5),
    )


@cache
def leave_one_out() -> tuple[Step, ...]:
    """Return a call with a fold for each row, all of whose metrics are more than a pipe holds."""
    from sklearn.ensemble import GradientBoostingClassifier

    x, y = data()
    model = GradientBoostingClassifier(n_estimators=30, max_depth=1, random_state=507)
    rows = np.arange(len(y))
    each = [(np.delete(rows, row), rows[row : row + 1]) for row in rows]
    words = f"estimator, x, y, {len(y)} folds"
    return (steps.call("cross_validate", model, x, y, each, n_processes=2, words=words),)


@cache
def scoring() -> Step:
    """Return a call of gb_score with a fitted model."""
    x, y = data()
    fitted = booster(gated=False).fit(x[30:], y[30:])
    return steps.call("gb_score", fitted, x[:30], y[:30], words="a fitted model, x_v, y_v")


@cache
def surest() -> tuple[Any, Any, Any]:
    """Return a fitted model whose last probabilities are 1e-8 from 0 or 1, and what it is asked."""
    from sklearn.ensemble import GradientBoostingClassifier

    x, _ = data()
    y = (x[:, 0] > 15).astype(int)
    model = GradientBoostingClassifier(
        n_estimators=20, max_depth=1, learning_rate=1.0, random_state=507
    )
    return model.fit(x[30:], y[30:]), x[:30], y[:30]


@cache
def sure() -> Step:
    """Return a call of gb_score with a model that is nearly sure."""
    return steps.call("gb_score", *surest(), words="a model that is nearly sure, x_v, y_v")


def _fold(train: Any, val: Any, *label: object, words: str) -> Step:
    fit, score = tasks.models.remember, tasks.models.lay_open
    return steps.call("cv_fold", fit, X, Y, train, val, score, *label, words=words)


ARRAYS = _fold(TRAIN, VALIDATION, "fold 3", words="fit, x, y, index arrays, score, 'fold 3'")
NUMBERED = _fold(TRAIN, VALIDATION, 0, words="fit, x, y, index arrays, score, 0")
STEPPED = _fold(slice(None, None, 2), slice(-3, -1), words="fit, x, y, slices with steps, score")
SLICES = _fold(slice(2, 6), slice(0, 2), words="fit, x, y, slices, score")


@pytest.fixture(autouse=True)
def plain(student: Student) -> Run:
    """Make the plainest call; make the longer ones in the background."""
    (run,) = student.rely_on(validate())
    if student.start_method == "fork":
        student.prepare(line(), row(), late(), leave_one_out())
        student.together(ARRAYS, NUMBERED, SLICES, STEPPED, scoring(), sure())
    return run


@pytest.mark.criterion("interface")
@pytest.mark.start_methods("any")
def test_module_imports_and_has_the_functions(student: Student, assignment: Assignment) -> None:
    """The module imports without error or child process, and has the functions."""
    student.check(
        student.imported(), checks.imports_cleanly(), checks.has_functions(assignment.functions)
    )


@pytest.mark.criterion("pieces")
@pytest.mark.start_methods("any")
def test_cv_fold(student: Student) -> None:
    """cv_fold fits on the training rows, scores the validation rows, and returns the label too, a
    text or a number.
    """
    parts = [X[TRAIN], Y[TRAIN], X[VALIDATION], Y[VALIDATION]]
    hint = (
        "return (label, score(res, x[idx_val], y[idx_val])), res = fit(x[idx_train], y[idx_train])"
    )
    student.check(student.play(ARRAYS)[0], checks.returns_value(("fold 3", parts), hint=hint))
    student.check(student.play(NUMBERED)[0], checks.returns_value((0, parts), hint=hint))


@pytest.mark.criterion("pieces")
@pytest.mark.start_methods("any")
def test_cv_fold_with_slices(student: Student) -> None:
    """cv_fold takes slices as well as arrays, also with steps, and has None for a label."""
    parts = [X[2:6], Y[2:6], X[:2], Y[:2]]
    hint = "index x and y with idx_train and idx_val as they are: x[idx_train]"
    student.check(student.play(SLICES)[0], checks.returns_value((None, parts), hint=hint))
    parts = [X[::2], Y[::2], X[-3:-1], Y[-3:-1]]
    student.check(student.play(STEPPED)[0], checks.returns_value((None, parts), hint=hint))


@pytest.mark.criterion("pieces")
@pytest.mark.start_methods("any")
def test_gb_score(student: Student) -> None:
    """gb_score returns cross entropy and accuracy of every boosting stage, of sure predictions
    too.
    """
    x, y = data()
    hint = "staged_predict_proba(x_v) gives the probabilities at each stage; those of 1 are [:, 1]"
    expected = scored(booster(gated=False).fit(x[30:], y[30:]), x[:30], y[:30])
    student.check(
        student.play(scoring())[0], checks.returns_close(expected, 1e-12, 1e-12, hint=hint)
    )
    expected = scored(*surest())
    student.check(student.play(sure())[0], checks.returns_close(expected, 1e-12, 1e-12, hint=hint))


@pytest.mark.criterion("results", weight=2)
def test_metrics_of_every_fold(student: Student, plain: Run) -> None:
    """cross_validate returns a label and the metrics of each fold, as scikit-learn has them."""
    student.check(plain, checks.comes_back(), checks.fold_metrics(metrics(SIZES)))


@pytest.mark.criterion("results")
@pytest.mark.start_methods("any")
def test_number_of_processes_changes_nothing(student: Student) -> None:
    """With one process and with three the metrics are the same."""
    _, three, _, one, *_ = student.play(*row())
    student.check(three, checks.fold_metrics(metrics(SIZES)))
    student.check(one, checks.fold_metrics(metrics(SIZES)))


@pytest.mark.criterion("results")
@pytest.mark.start_methods("any")
def test_many_folds(student: Student) -> None:
    """A fold for each row: the metrics of all of them, more than a pipe holds, come back."""
    student.check(student.play(*leave_one_out())[0], checks.comes_back())


@pytest.mark.criterion("results")
@pytest.mark.start_methods("any")
def test_estimator_is_left_unfitted(student: Student) -> None:
    """The estimator that is given is not fitted in the calling process."""
    _, call, look, *_ = student.play(*row())
    student.check(look, checks.left_unfitted(call))


@pytest.mark.criterion("ordering")
@pytest.mark.start_methods("any")
def test_results_are_in_the_order_of_folds(student: Student) -> None:
    """Results are in the order of the folds, also where the first one is done last."""
    (run,) = student.play(*late())
    student.check(run, checks.in_fold_order(metrics(FOUR)))
    (many,) = student.play(*line())  # as text 10 comes before 2
    student.check(many, checks.in_fold_order(metrics(MANY)))


@pytest.mark.criterion("workers")
@pytest.mark.start_methods("fork", "spawn")
def test_child_processes_fit_the_folds(student: Student, plain: Run) -> None:
    """Two child processes, as many as there are unless asked otherwise, fit the folds."""
    student.check(plain, checks.in_children(workload(SIZES), 2))


@pytest.mark.criterion("workers")
@pytest.mark.start_methods("any")
def test_asked_number_of_processes(student: Student) -> None:
    """As many processes as asked for fit folds, and they do so at the same time."""
    (run,) = student.play(*line())
    student.check(run, checks.workers(3), checks.met())


@pytest.mark.criterion("workers")
@pytest.mark.start_methods("any")
def test_one_process(student: Student, plain: Run) -> None:
    """With n_processes=1 one child process fits all folds, and the calling process none."""
    run = student.play(validate(SIZES, 1))[0]
    student.check(run, checks.in_children(workload(SIZES), 1))


@pytest.mark.criterion("shutdown")
@pytest.mark.start_methods("any")
def test_workers_end_by_sentinel(student: Student, plain: Run) -> None:
    """Every worker is told to stop, and ends by itself."""
    student.check(plain, checks.workers_are_told_to_stop())
    student.check(student.play(*line())[0], checks.ended_by_sentinel())


@pytest.mark.criterion("shutdown")
@pytest.mark.start_methods("fork", "spawn")
def test_nothing_outlives_the_call(student: Student, plain: Run) -> None:
    """When the call returns, no process, thread, pipe or semaphore of it is left."""
    # Many calls under spawn take too long: each worker imports scikit-learn.
    last = student.play(*row())[-1] if student.start_method == "fork" else None
    run = student.play(*line())[0] if student.start_method == "fork" else plain
    student.check(run, checks.no_leftovers(), checks.nothing_else_left(row=last))


@pytest.mark.criterion("start_methods")
def test_start_method(student: Student, plain: Run) -> None:
    """It works under this start method, uses it, and leaves it unchanged."""
    student.check(plain, checks.works_under_start_method(), checks.uses_the_default())


@pytest.mark.criterion("edge")
@pytest.mark.start_methods("any")
def test_few_folds(student: Student) -> None:
    """A single fold, and two folds for five processes, have their metrics."""
    *_, single, few = student.play(*row())
    student.check(single, checks.fold_metrics(metrics((11,)), Concern.EDGE))
    student.check(few, checks.fold_metrics(metrics((8, 5)), Concern.EDGE))
