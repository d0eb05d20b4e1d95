"""Functions that look at values and state in the student's process: `steps.inspection` calls them.

Their answers come from beside student code, which can forge them. The grader counts a fault that an
answer shows, and no merit.
"""

from __future__ import annotations

import sys

from pytest_mpgrade.inside import bootstrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any


def given(value: object) -> object:
    """Return what was given, to be saved: then several steps have the same object."""
    return value


def is_fitted(estimator: object) -> bool:
    """Tell whether an estimator of scikit-learn has what a fit adds, attributes like classes_."""
    return any(name.endswith("_") and name[:1] != "_" for name in vars(estimator))


def random_state() -> tuple[str, str]:
    """Return digests of the global generators of `random` and of NumPy.

    They are equal before and after a call that has drawn nothing from them and set no seed.
    """
    import numpy.random

    states = bootstrap.library("random").getstate(), numpy.random.get_state(legacy=False)
    first, second = (_digest(repr(_plain(state))) for state in states)
    return first, second


def _plain(state: object) -> object:
    """Return a state with arrays as bytes: the text of a long array leaves most of it out."""
    if isinstance(state, dict):
        return [(key, _plain(part)) for key, part in state.items()]
    return state.tobytes() if hasattr(state, "tobytes") else state


def _digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


_WAITING = frozenset(("concurrent", "multiprocessing", "queue", "selectors", "threading"))
"""Packages whose lines are not counted: they wait for others in loops, as long as that takes."""


class _Counter:
    """Counts the lines and calls of Python that a thread executes: the trace function itself."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame: FrameType, event: str, _arg: Any) -> _Counter | None:
        if event == "call" and str(frame.f_globals.get("__name__")).partition(".")[0] in _WAITING:
            return None
        self.count += event in ("line", "call")
        return self


def lines_executed(function: Callable[..., object], *inputs: tuple[object, ...]) -> list[int]:
    """Call *function* once for each of the *inputs*; return how much Python each call executes.

    That is the number of lines, one that a loop comes back to once for each time, and of calls of
    Python functions, in all threads. The first call is not counted: libraries import more of
    themselves in it. -1 stands for a call in which somebody took the counter away.
    """
    threading = bootstrap.library("threading")
    counts = []
    for args in inputs:
        counter = _Counter()
        threading.settrace(counter)
        sys.settrace(counter)
        try:
            function(*args)
        finally:
            intact = sys.gettrace() is counter
            sys.settrace(None)
            threading.settrace(None)
        counts.append(counter.count if intact else -1)
    return counts[1:]


def described(estimator: Any, x: Any, y: Any) -> dict[str, object]:
    """Return what an estimator of scikit-learn was given, and what it predicts, as plain data.

    That is the names of its class and of those above it, its parameters n_jobs and random_state,
    and if it is fitted the share of the labels *y* that it finds, and the probabilities of the
    classes of each row.
    """
    asked = estimator.get_params() if hasattr(estimator, "get_params") else {}
    told = {
        "classes": [f"{each.__module__}.{each.__name__}" for each in type(estimator).__mro__],
        "n_jobs": asked.get("n_jobs"),
        "random_state": asked.get("random_state"),
        "fitted": is_fitted(estimator),
    }
    if told["fitted"] and hasattr(estimator, "predict_proba"):
        told["found"] = float((estimator.predict(x) == y).mean())
        told["odds"] = estimator.predict_proba(x).tolist()
    return told
