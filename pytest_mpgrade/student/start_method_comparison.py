"""Comparison of start methods: does a call that does not return do so under another one?"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import replace

from pytest_mpgrade.judge.causes.raised import in_the_source
from pytest_mpgrade.judge.hang_facts import by_luck, ended_them, workers_left_early
from pytest_mpgrade.records import Ending, Run, Scenario
from pytest_mpgrade.student.runs import RunCache

LUCKY_TRIES = 3
"""How often both start methods are tried again where a race may decide.

A race that is lost half of the time passes for a difference of start methods with probability
1/64 then.
"""


def returning_method(here: Scenario, stuck: Run, cache: RunCache) -> str:
    """Return a start method that makes the difference: the same calls return under it.

    The answer is "" where there is no such start method. *stuck* is the run of *here* that did not
    return.
    """
    method = cache.returned_under.get(here.key)
    if method is None:
        method = cache.returned_under[here.key] = _compare(here, stuck, cache)
    return method


def _compare(here: Scenario, stuck: Run, cache: RunCache) -> str:
    """Compare start methods by runs of the same calls.

    Both methods that start Python anew must differ from fork: a difference of one of them may come
    from its speed alone.
    """
    asked = [
        name
        for name in cache.setting.assignment.start_methods
        if name in multiprocessing.get_all_start_methods()
    ]
    others = [name for name in asked if (name == "fork") != (here.start_method == "fork")]
    # Whether these come first is a matter of time, not of the start method.
    if in_the_source(stuck) or ended_them(stuck):
        return ""
    if workers_left_early(stuck):
        # Workers that start faster leave sooner; only what they have inherited can keep them there.
        others = [name for name in others if name == "fork"]
    there = [replace(here, start_method=name) for name in others]
    if not there or not all(_came_back(cache.run(each)) for each in there):
        return ""
    lucky = by_luck(stuck) or here.start_method == "fork"
    if lucky and any(_differs_by_luck(here, each, cache) for each in there):
        return ""
    return others[0]


def _differs_by_luck(here: Scenario, there: Scenario, cache: RunCache) -> bool:
    """Try both start methods again, and tell whether one of the tries contradicts the comparison.

    Which process gets which task, and when, may be decided by a race.
    """
    for _ in range(LUCKY_TRIES):
        if _came_back(cache.run_again(here)) or not _came_back(cache.run_again(there)):
            return True
    return False


def _came_back(runs: Sequence[Run]) -> bool:
    """Tell whether all calls of a scenario returned; the first of its runs is the import."""
    return all(run.ending is Ending.RETURNED for run in runs[1:])
