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
    there = [each for each in result.checks if each.run in result.timelines]
    same = [each for each in there if each.check == check.check]
    asked = [each for each in same if _question(each) == _question(check)]
    call = check.call.rpartition(" under ")[0]
    called = [each for each in same if each.call.rpartition(" under ")[0] == call]
    # Of each start method the first run: the check's own, then those of the same question.
    runs = {each.start_method: each.run for each in reversed([check, *asked, *called])}
    known = list(dict.fromkeys(each.start_method for each in result.checks))
    return tuple(result.timelines[runs[method]] for method in sorted(runs, key=known.index))


def _question(check: CheckPart) -> tuple[str, str]:
    return check.question, check.variant


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
