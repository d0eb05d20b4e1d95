"""Who of a class is late, and by how much: by the due time, everybody's extension, and what the
course system tells.
"""

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
    """Who is late, by the names in results."""

    seconds: dict[str, float | None]  # None: it is marked late, and nothing says by how much
    notes: tuple[str, ...]  # what a teacher should know about it


def lateness(found: BatchSource, rules: LateRules) -> Lateness:
    """Hold each submission against its due time.

    Where nothing tells when it was handed in, it is on time, unless the course system marks it as
    late.
    """
    late: dict[str, float | None] = {}
    unknown = 0
    for job in found.jobs:
        keys = frozenset((job.id, *found.keys.get(job.id, ())))
        own = [each for each in found.students if each.is_one_of(keys)]
        when = next(
            (each.submitted for each in own if each.submitted),
            _known(found.handed_in.get(job.id), rules.due),
        )
        if when is not None and rules.due is not None:
            seconds = (when - _due(rules.due, own)).total_seconds()
            late |= {clean(job.id): seconds} if seconds > 0 else {}
        elif job.id in found.marked_late:
            late[clean(job.id)] = None
        else:
            unknown += 1
    return Lateness(seconds=late, notes=tuple(_notes(rules, unknown)))


def _due(usual: datetime, own: Sequence[RosterRow]) -> datetime:
    """Return when a submission was due: a group has the time of whoever in it has most."""
    return max([each.due or usual + each.extension for each in own], default=usual)


def _known(text: str | None, due: datetime | None) -> datetime | None:
    """Return when a course system says that it was handed in; in the due time's zone where it names
    none.
    """
    with contextlib.suppress(ValueError):
        return instant(text, due.tzinfo if due else None) if text else None
    return None


def _notes(rules: LateRules, unknown: int) -> list[str]:
    if rules.due is None:
        return ["late rule: no due time is known; give one with --due, or in assignment.toml"]
    told = f"late rule: nothing says when {counted(unknown, 'submission')} came, taken as on time"
    return [f"{told} (a roster with a column 'submitted' can say)"] if unknown else []
