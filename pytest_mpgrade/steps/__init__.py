"""The steps of `student.play`: calls in one process, and what happens between them.

student.play(
    steps.call("bg_task", task, save="job", opaque=True, gates=steps.SHUT),
    steps.call("bg_get", *steps.saved("job", 3), block=False, gates=steps.SHUT),
    steps.call("bg_get", *steps.saved("job", 3), block=True),
)
"""

from __future__ import annotations

from pytest_mpgrade.inside.placeholders import BareQueue, Own, PipeEnd, ThreadQueue
from pytest_mpgrade.records import Again, HeldTask, HeldTasks, Rendezvous, WebPage
from pytest_mpgrade.steps.applied import arg_tuples, items
from pytest_mpgrade.steps.calls import (
    KEPT,
    OPEN,
    SHUT,
    call,
    drop,
    gather,
    let,
    meet,
    own,
    saved,
    script,
    whole,
)
from pytest_mpgrade.steps.looks import inspection, saved_value
from pytest_mpgrade.steps.web import fetch

__all__ = [
    "KEPT",
    "OPEN",
    "SHUT",
    "Again",
    "BareQueue",
    "HeldTask",
    "HeldTasks",
    "Own",
    "PipeEnd",
    "Rendezvous",
    "ThreadQueue",
    "WebPage",
    "arg_tuples",
    "call",
    "drop",
    "fetch",
    "gather",
    "inspection",
    "items",
    "let",
    "meet",
    "own",
    "saved",
    "saved_value",
    "script",
    "whole",
]
