"""Grading of `fit_forest` and `fit_logistic_cv`: estimators that are given n_jobs and a seed.

The estimators stay in the student's process, where they are asked for what they were given.
"""

from __future__ import annotations

import os
from functools import cache

import numpy as np
import pytest

from pytest_mpgrade import checks, steps
from pytest_mpgrade.records import Assignment, Run, Step
from pytest_mpgrade.student import Student

pytestmark = [pytest.mark.rehearsed, pytest.mark.start_methods("any")]

KINDS = {"fit_forest": "RandomForestClassifier", "fit_logistic_cv": "LogisticRegressionCV"}
X = np.random.default_rng(507).normal(size=(90, 3))
Y = (X[:, 0] - X[:, 1] > 0).astype(int)
MOVED = X + np.array([4.0, -3.0, 2.0])
"""The same away from 0: who fits others than the given features, as scaled ones, cannot predict by
the given ones.
"""
LABELS = np.where(Y, 5, 2)
"""The same labels by other names: who numbers them anew predicts the numbers."""
JOBS = {"fit_forest": min(9, (os.cpu_count() or 1) + 1), "fit_logistic_cv": 2}
"""More jobs than there are cores, where these are few and jobs are threads. Those of the second
are processes, each of which imports scikit-learn.
"""
EACH = pytest.mark.parametrize("name", KINDS)


def asked(name: str) -> tuple[tuple[int | None, int], ...]:
    """Return n_jobs and seed of each call; the last is made without them."""
    return (JOBS[name], 3), (1, 3), (JOBS[name], 3), (None, 0)


@cache
def play(name: str) -> tuple[Step, ...]:
    """Return calls of a function, each with a look at the estimator that it returned."""
    return tuple(
        step for n_jobs, seed in asked(name) for step in (_call(name, n_jobs, seed), _look())
    )


@cache
def play_moved(name: str) -> tuple[Step, ...]:
    """Return a call with features away from 0 and other labels, and a look at its estimator."""
    return (_call(name, 1, 3, data=(MOVED, LABELS)), _look(data=(MOVED, LABELS)))


@cache
def play_later(name: str) -> tuple[Step, ...]:
    """Return two calls, with looks at the first estimator before and after the second call."""
    first = (_call(name, 1, 3, save="first"), _look("first"))
    return (*first, _call(name, 1, 8, save="second", data=(-X, Y)), _look("first"))


def _call(
    name: str,
    n_jobs: int | None,
    seed: int,
    *,
    save: str = "model",
    data: tuple[np.ndarray, np.ndarray] = (X, Y),
) -> Step:
    options = {"n_jobs": n_jobs, "seed": seed} if n_jobs else {}
    return steps.call(name, *data, words="x, y", save=save, opaque=True, **options)  # type: ignore[arg-type]  # - arguments of the call


def _look(saved: str = "model", data: tuple[np.ndarray, np.ndarray] = (X, Y)) -> Step:
    return steps.inspection("described", steps.saved_value(saved), *data)


def _looks(student: Student, name: str) -> list[tuple[Run, Run]]:
    """Return each call with the look at what it returned."""
    runs = student.play(*play(name))
    return list(zip(runs[::2], runs[1::2], strict=True))


@pytest.mark.criterion("interface")
def test_module_imports_and_has_the_functions(student: Student, assignment: Assignment) -> None:
    """The module imports without error or child process, and has the functions."""
    student.check(
        student.imported(), checks.imports_cleanly(), checks.has_functions(assignment.functions)
    )


@pytest.mark.criterion("results")
@EACH
def test_fitted_estimator(student: Student, name: str) -> None:
    """A fitted estimator of the asked class comes back, which finds the labels of its data."""
    moved, seen = student.play(*play_moved(name))
    for call, look in (*_looks(student, name), (moved, seen)):
        student.check(call, checks.comes_back())
        student.check(look, checks.fitted(KINDS[name], call.call))


@pytest.mark.criterion("results")
@EACH
def test_calls_do_not_know_of_each_other(student: Student, name: str) -> None:
    """What a call has returned is the same after a later call."""
    call, before, _, after = student.play(*play_later(name))
    student.check(after, checks.left_as_returned(KINDS[name], call.call, before))


@pytest.mark.criterion("workers")
@EACH
def test_n_jobs_is_passed_on(student: Student, name: str) -> None:
    """The estimator was given n_jobs, and None where the call was not given any."""
    for (call, look), (n_jobs, _) in zip(_looks(student, name), asked(name), strict=True):
        student.check(look, checks.given_n_jobs(KINDS[name], call.call, n_jobs))


@pytest.mark.criterion("streams")
@EACH
def test_seed_is_passed_on(student: Student, name: str) -> None:
    """The estimator was given the seed, and 0 where the call was not given any."""
    for (call, look), (_, seed) in zip(_looks(student, name), asked(name), strict=True):
        student.check(look, checks.given_seed(KINDS[name], call.call, seed))


@pytest.mark.criterion("streams")
@EACH
def test_predictions_do_not_depend_on_n_jobs(student: Student, name: str) -> None:
    """With the same seed, one job and several predict the same, and so does a second call."""
    (call, first), (_, one), (_, again), _ = _looks(student, name)
    student.check(first, checks.same_predictions(KINDS[name], call.call, one, again))
