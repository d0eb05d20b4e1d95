"""Functions that look at values and state in the student's process: `steps.inspection` calls them.

Their answers come from beside student code, which can forge them. The grader counts a fault that an
answer shows, and no merit.
"""

from __future__ import annotations

from pytest_mpgrade.inside import bootstrap


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
