"""Why a call went wrong, as far as its own run shows it, and what to do about that. Pure.

A table has the patterns for each symptom of a failure. The first pattern that fits gives the hint.
Where none fits there is no hint, because a wrong hint costs a student an evening.
`judge.examples.causes` has a run for each pattern.
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_mpgrade.judge.causes import hung, raised, returned
from pytest_mpgrade.judge.causes.cause import Cause, Pattern
from pytest_mpgrade.judge.symptoms import (
    ALIVE,
    FORCED,
    HELPER,
    NO_ROOM,
    NOT_TOLD,
    RESIDUE,
    UNJOINED,
)
from pytest_mpgrade.records import Run


def cause_of(run: Run, symptom: str) -> Cause | None:
    """Return why a check failed with this symptom; None where the run does not show it."""
    for fits, patterns in _TABLE:
        if fits(symptom):
            return next((cause for pattern in patterns if (cause := pattern(run))), None)
    return None


_OF_ANY_EXCEPTION: tuple[Pattern, ...] = (
    raised.not_written,
    raised.hidden_input,
    raised.asks_a_person,
    raised.name_of_empty,
    raised.queue_on_a_queue,
    raised.misspelt,
    raised.bare_queue,
)
_OF_RAISED: tuple[Pattern, ...] = (
    *_OF_ANY_EXCEPTION,
    raised.unpicklable_start,
    raised.not_to_be_sorted,
)
_OF_HANGS: tuple[Pattern, ...] = (
    *_OF_ANY_EXCEPTION,
    raised.unpicklable_put,
    hung.lock_at_fork,
    hung.locked,
    hung.done_by_parent,
    hung.pool_left,
    hung.never_started,
    hung.feeder_cut_off,
    hung.left_early,
    hung.died,
    hung.pipe_open_in_fork,
    hung.joined_first,
    hung.not_told,
    hung.never_put,
    hung.result_lost,
    hung.sleeps,
    hung.busy,
)
_OF_START: tuple[Pattern, ...] = (
    *_OF_RAISED,
    raised.unpicklable_put,
    hung.lock_at_fork,
    hung.locked,
    hung.pipe_open_in_fork,
    hung.not_inherited,
)
_OF_VALUES: tuple[Pattern, ...] = (
    returned.nothing_returned,
    returned.not_a_list,
    hung.feeder_cut_off,
    returned.used_up,
    returned.copies,
    returned.fewer,
    returned.more,
)
_LEFT = frozenset((HELPER, RESIDUE))
"""Symptoms of other things than workers that are left after the call."""
_NOT_SHUT = frozenset((ALIVE, FORCED))
"""Symptoms of workers that were not ended by a sentinel."""
_TABLE: tuple[tuple[Callable[[str], bool], tuple[Pattern, ...]], ...] = (
    (
        lambda symptom: (
            symptom.startswith("raised") or symptom in ("import", "called directly", "unnamed")
        ),
        _OF_RAISED,
    ),
    (lambda symptom: symptom in ("hang", NOT_TOLD, NO_ROOM), _OF_HANGS),
    (lambda symptom: symptom == "start method", _OF_START),
    (lambda symptom: symptom == "sentinel ignored", (*_OF_ANY_EXCEPTION, raised.stop_as_task)),
    (lambda symptom: symptom == "died", (hung.ends_its_process,)),
    (lambda symptom: symptom == "values", _OF_VALUES),
    (lambda symptom: symptom == "swallowed", (raised.unpicklable_put,)),
    (lambda symptom: symptom == "in the caller", (returned.threads,)),
    (
        lambda symptom: symptom == UNJOINED,
        (returned.loky, returned.pool_not_joined, returned.started_here),
    ),
    (lambda symptom: symptom in _NOT_SHUT, (returned.loky, returned.pool_not_joined)),
    (lambda symptom: symptom in _LEFT, (returned.loky,)),
)
"""The patterns that are tried for each symptom, in this order."""


def is_an_ending(symptom: str) -> bool:
    """Tell whether a symptom says how the call ended.

    The hint of the check itself does not fit then: it assumes that the call came back.
    """
    return symptom.startswith("raised") or symptom in ("hang", "died", "stopped", NOT_TOLD, NO_ROOM)
