"""Looks of ours into the student's process, at what cannot leave it."""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade.inside.placeholders import Saved
from pytest_mpgrade.records import Step
from pytest_mpgrade.steps.calls import call


def inspection(function: str, *args: object, save: str = "") -> Step:
    """Return a call of one of our own functions in the student's process, by its name.

    `inside/inspections.py` has them. They look at what cannot leave that process: what an earlier
    step has saved (`saved_value`), the state of a library, the lines that a function executes. The
    answer comes from beside the submission, which can forge it: count a fault that it shows, and
    never take it for a merit that nothing else shows. *save*: as for a call; the answer is no data
    then.
    """
    step = call(function, *args, save=save, opaque=bool(save))
    return replace(step, label=f"our look: {function}()", ours=True, tasked=False)


def saved_value(name: str) -> Saved:
    """Return a stand-in for what an earlier step returned and saved under *name*."""
    return Saved(name)
