"""Which timelines belong together: those of one question under each of its start methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_mpgrade.records import Outcome, Timeline
from pytest_mpgrade.report.parts import CheckPart, ResultFile


@dataclass(frozen=True, kw_only=True)
class TimelineGroup:
    """Timelines to be drawn together, and the checks that failed by what they show."""

    checks: tuple[CheckPart, ...]  # failed; the first one says what the drawing shows
    timelines: tuple[Timeline, ...]

    @property
    def said(self) -> str:
        """What the first check says."""
        return self.checks[0].message


def timelines_for(check: CheckPart, result: ResultFile) -> tuple[Timeline, ...]:
    """Return the timeline of a check's run, and those of the same check under other start methods.

    There is none for a check whose run is not kept. The start method of the check itself may come
    later than others, for their order is that of the assignment.
    """
    if not check.run or check.run not in result.timelines:
        return ()
    place = check.question, check.variant, check.check
    runs = dict.fromkeys(
        each.run
        for each in result.checks
        if (each.question, each.variant, each.check) == place and each.run in result.timelines
    )
    return tuple(result.timelines[run] for run in runs)


def timeline_groups(result: ResultFile, checks: Sequence[CheckPart] = ()) -> list[TimelineGroup]:
    """Return all drawings that a result has, each once, in the order of its failures.

    *checks* are those to be shown, all failed ones by default. Several checks may have failed by
    the same runs.
    """
    groups: dict[tuple[str, ...], tuple[list[CheckPart], tuple[Timeline, ...]]] = {}
    for check in checks or result.checks:
        if check.outcome is Outcome.FAILED and (found := timelines_for(check, result)):
            names = tuple(sorted(_keys(found, result)))
            groups.setdefault(names, ([], found))[0].append(check)
    return [
        TimelineGroup(checks=tuple(checks), timelines=timelines)
        for checks, timelines in groups.values()
    ]


def _keys(timelines: Sequence[Timeline], result: ResultFile) -> Iterator[str]:
    for key, each in result.timelines.items():
        if any(each is one for one in timelines):
            yield key
