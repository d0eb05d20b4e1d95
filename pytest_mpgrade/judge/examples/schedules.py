"""Examples of the check of schedules: an exploration that passes, and one that fails. Pure."""

from __future__ import annotations

from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples.runs import MIXED, changed, worked
from pytest_mpgrade.records import (
    Broken,
    Exploration,
    Run,
    Schedule,
    Visit,
    as_kind,
    point_in,
)

SOURCE = {
    "cv_funcs.py:11": "while not input.empty():",
    "cv_funcs.py:12": "func, args = input.get()",
    "cv_funcs.py:24": "results = [done.get() for _ in tasks]",
}
PLAIN = as_kind(Exploration, worked(MIXED), tried={1: 74, 2: 60}, source=SOURCE)
HOLD = point_in("worker1@cv_funcs.py:12#1")
_TEXTS = (
    *("worker1@cv_funcs.py:11#1", "worker1@cv_funcs.py:12#1", "caller@cv_funcs.py:24#1"),
    *("worker2@cv_funcs.py:11#1", "worker2@cv_funcs.py:12#1", "worker2/feeder@feeder writes#1"),
)
VISITS = (*(Visit(point=point_in(text)) for text in _TEXTS), Visit(point=HOLD, goes_on=True))
"""What was passed while the first worker was held between two lines."""
_LOST = changed(worked(MIXED), encoded=["list", list(MIXED.expected[1:])])
BROKEN = as_kind(
    Exploration,
    worked(MIXED),
    tried={1: 22},
    source=SOURCE,
    broken=Broken(
        schedule=Schedule(start_method="fork", holds=(HOLD,)),
        finding=checks.values_in_any_order(MIXED)(_LOST),
        replays=5,
        visits=VISITS,
    ),
)

SCHEDULES: tuple[tuple[Check, Run, Run], ...] = (
    (checks.holds_under_every_schedule(), PLAIN, BROKEN),
)
"""For each check a run that passes it, and one that fails it."""
