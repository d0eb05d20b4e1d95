"""What to fix first: failed checks grouped by what a student has to change. Pure.

One fault fails many checks, under several start methods. The checks of one cause have the same
concern and give the same advice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_mpgrade.records import Concern, Outcome, Status
from pytest_mpgrade.report.parts import CausePart, CheckPart, ResultFile, UnitOf

MOST = 3
"""Causes that are shown at first: what is basic often mends what comes after it."""

_AFTER_ALL = (Concern.FAILURE, Concern.EDGE, Concern.SPEEDUP)
"""Concerns of special cases, and of speed: they come after plain work."""
_BASIC = (
    Concern.IMPORT,
    Concern.NOTEBOOK,
    Concern.RESULTS,
    Concern.START_METHOD,
    Concern.DEADLOCK,
    Concern.NONBLOCKING,
)
"""Concerns without which there is nothing to order, to share among workers, or to clean up."""
_VARIES = re.compile(r"\d+")
_Key = tuple[Concern, str]


def causes_of(result: ResultFile) -> tuple[CausePart, ...]:
    """Return the causes of all failures of a result, the most basic one first.

    Of equally basic causes the one on which most points hang comes first; a second cause of a
    concern comes after the first ones of all. A check that another one left undecided hangs on the
    cause of that one.
    """
    failed = [
        check
        for check in result.checks
        if check.outcome is Outcome.FAILED and check.concern is not Concern.HIDDEN
    ]
    groups = _grouped(failed)
    by_check = {check.id: key for key, group in groups.items() for check in group}
    explains = _explains(failed)
    units = [
        (unit, {by_check[each] for each in _failing(unit, explains) if each in by_check})
        for unit in result.units()
    ]
    found = [_cause(key, group, units) for key, group in groups.items()]
    if result.status is Status.UNGRADABLE:  # no question could be asked
        found = [replace(each, points=result.max_score - result.score) for each in found]
    found.sort(key=lambda each: (_rank(each.concern), -each.points))
    first = {each.concern: each for each in reversed(found)}
    return tuple(sorted(found, key=lambda each: first[each.concern] is not each))


def _rank(concern: Concern) -> int:
    """Return 0 for the most basic concern, and more for one that comes later."""
    if concern in _BASIC:
        return _BASIC.index(concern)
    return len(_BASIC) + (concern in _AFTER_ALL)


def _grouped(failed: Iterable[CheckPart]) -> dict[_Key, list[CheckPart]]:
    """Return the failed checks by concern and advice.

    What the same check says of the same call under another start method belongs to the same cause.
    A check without advice belongs to the first cause that the same check has shown elsewhere.
    """
    groups: dict[_Key, list[CheckPart]] = {}
    known: dict[tuple[Concern, str, str, str], _Key] = {}
    bare = []
    for check in failed:
        if check.hint:
            call = (check.concern, check.check, check.question, check.variant)
            key = known.setdefault(call, (check.concern, check.hint))
            groups.setdefault(key, []).append(check)
        else:
            bare.append(check)
    for check in bare:
        shown = (
            key
            for key, group in groups.items()
            if key[0] is check.concern and any(each.check == check.check for each in group)
        )
        groups.setdefault(next(shown, (check.concern, _pattern(check))), []).append(check)
    return groups


def _pattern(check: CheckPart) -> str:
    """Return a check's message without what differs from call to call."""
    function = check.call.partition("(")[0]
    call = check.call.partition(" under ")[0]
    message = check.message.replace(call, f"{function}()") if call else check.message
    return _VARIES.sub("N", message or check.title)


def _explains(failed: Iterable[CheckPart]) -> dict[tuple[str, str], str]:
    """Return the first failed check of each name, under each start method and under any ("")."""
    first: dict[tuple[str, str], str] = {}
    for check in failed:
        first.setdefault((check.check, check.start_method), check.id)
        first.setdefault((check.check, ""), check.id)
    return first


def _failing(unit: UnitOf, explains: Mapping[tuple[str, str], str]) -> Iterable[str]:
    """Yield the ids of the failed checks for which a unit is not earned."""
    for check in unit.checks:
        if check.outcome is Outcome.FAILED:
            yield check.id
        elif check.undecided_by:
            named = (check.undecided_by, check.start_method)
            yield explains.get(named, explains.get((check.undecided_by, ""), ""))


def _cause(
    key: _Key, checks: Sequence[CheckPart], units: Iterable[tuple[UnitOf, set[_Key]]]
) -> CausePart:
    first = next((check for check in checks if check.hint), checks[0])
    lost = [unit for unit, keys in units if key in keys]
    return CausePart(
        concern=key[0],
        change=first.hint or first.message or first.title,
        seen=first.message or first.title,
        source=_source(checks),
        points=round(sum(unit.max_points - unit.points for unit in lost), 2),
        questions=tuple(dict.fromkeys(check.question for check in checks if check.question)),
        start_methods=tuple(
            dict.fromkeys(check.start_method for check in checks if check.start_method)
        ),
        checks=(first.id, *(check.id for check in checks if check is not first)),
    )


def _source(checks: Iterable[CheckPart]) -> dict[str, Any]:
    """Return the student's own line that a check names, the first one's where it names one."""
    places = (check.evidence.get("source") for check in checks)
    return next((dict(place) for place in places if isinstance(place, Mapping) and place), {})
