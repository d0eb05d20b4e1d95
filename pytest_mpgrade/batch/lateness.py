"""Find who is late and by how much: by the due time, extensions, and the course system's times."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pytest_mpgrade.batch.roster import RosterRow
from pytest_mpgrade.batch.source import BatchSource
from pytest_mpgrade.records import LateRules
from pytest_mpgrade.system.text import clean, counted
from pytest_mpgrade.system.timestamps import instant


@dataclass(frozen=True, kw_only=True)
class Lateness:
    """Late submissions, by the names that they have in results."""

    seconds: dict[str, float | None]  # None: late by an unknown time
    notes: tuple[str, ...]  # for the teacher


def lateness(source: BatchSource, rules: LateRules) -> Lateness:
    """Compare the time at which each submission was handed in with its due time.

    A submission whose time is unknown counts as on time, unless the course system marks it as late.
    """
    late: dict[str, float | None] = {}
    unknown = 0
    for job in source.jobs:
        keys = frozenset((job.id, *source.keys.get(job.id, ())))
        own = [each for each in source.students if each.is_one_of(keys)]
        when = next(
            (each.submitted for each in own if each.submitted),
            _known(source.handed_in.get(job.id), rules.due),
        )
        if when is not None and rules.due is not None:
            seconds = (when - _due(rules.due, own)).total_seconds()
            late |= {clean(job.id): seconds} if seconds > 0 else {}
        elif job.id in source.marked_late:
            late[clean(job.id)] = None
        else:
            unknown += 1
    return Lateness(seconds=late, notes=tuple(_notes(rules, unknown)))


def _due(usual: datetime, own: Sequence[RosterRow]) -> datetime:
    """Return when a submission was due: for a group, the latest due time of its members."""
    return max([each.due or usual + each.extension for each in own], default=usual)


def _known(text: str | None, due: datetime | None) -> datetime | None:
    """Return the time of handing in that the course system states, or None.

    A time without an offset is taken to be in the time zone of the due time.
    """
    with contextlib.suppress(ValueError):
        return instant(text, due.tzinfo if due else None) if text else None
    return None


def _notes(rules: LateRules, unknown: int) -> list[str]:
    if rules.due is None:
        return ["late rule: no due time is known; give one with --due, or in assignment.toml"]
    note = f"late rule: nothing says when {counted(unknown, 'submission')} came, taken as on time"
    return [f"{note} (a roster with a column 'submitted' can say)"] if unknown else []
