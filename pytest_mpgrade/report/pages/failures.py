"""The failures of a result by their causes, as pages show them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pytest_mpgrade.records import Outcome
from pytest_mpgrade.report import evidence, grouping
from pytest_mpgrade.report.pages import timings
from pytest_mpgrade.report.pages.html import anchor
from pytest_mpgrade.report.pages.timelines import drawn_timeline
from pytest_mpgrade.report.parts import CausePart, CheckPart, ResultFile
from pytest_mpgrade.system.text import one_line, points

_MOST_ALIKE = 60
"""Other calls that are listed for one cause; of more than these the rest are counted."""
_MOST_EVIDENCE = 40
"""Lines of evidence of one call; more are in the result file."""
_FRAME = re.compile(r"(?P<file>.+):(?P<line>\d+) (?P<function>.+)")
"""A frame of a stack in the evidence of a hang."""


@dataclass(frozen=True, kw_only=True)
class OwnLine:
    """A line of the student's own, and where it is on the page."""

    words: str  # "cv_funcs.py:41"
    code: str
    anchor: str  # "": the page does not show the file


@dataclass(frozen=True, kw_only=True)
class FailedCall:
    """One call that fails, with all that is known of it."""

    id: str
    question: str
    call: str
    start_method: str
    message: str
    evidence: tuple[str, ...]
    printed: tuple[str, ...]
    place: OwnLine | None
    timed: bool  # the section on timing has its evidence


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A cause: what to change, the call that shows it best, and the others."""

    number: int
    change: str
    seen: str  # "" where it says the same as `change`
    concern: str
    worth: str
    hangs_on_it: str
    subject: str
    best: FailedCall
    timeline: Markup | None  # of the best one, under all start methods
    alike: tuple[FailedCall, ...]
    more: int  # calls that fail alike and are not listed


def failures(result: ResultFile, files: Collection[str]) -> list[Failure]:
    """Return the causes of a result, the most basic one first.

    *files* are the student's files that the page shows.
    """
    by_id = {check.id: check for check in result.checks}
    return [
        _failure(number, cause, result, by_id, files)
        for number, cause in enumerate(result.causes, 1)
    ]


def _failure(
    number: int,
    cause: CausePart,
    result: ResultFile,
    by_id: Mapping[str, CheckPart],
    files: Collection[str],
) -> Failure:
    check, others = grouping.shown_by(cause, result.checks)
    alike = [by_id[id] for id in cause.checks[1:] if id in by_id]
    return Failure(
        number=number,
        change=cause.change,
        seen=cause.seen if cause.seen != cause.change else "",
        concern=str(cause.concern),
        worth=f"{points(cause.points)} {'point' if cause.points == 1 else 'points'}",
        hangs_on_it=grouping.failing(cause),
        subject=grouping.subject(check, cause.start_methods, others),
        best=_example(check, files),
        timeline=drawn_timeline(check, result, f"timeline-{number}"),
        alike=tuple(_example(each, files) for each in alike[:_MOST_ALIKE]),
        more=max(0, len(alike) - _MOST_ALIKE),
    )


def _example(check: CheckPart, files: Collection[str]) -> FailedCall:
    timed = timings.is_timing(check)
    shown = {key: value for key, value in check.evidence.items() if key != "printed"}
    printed = check.evidence.get("printed") or ()
    return FailedCall(
        id=check.id,
        question=one_line(check.question.rpartition("::")[2]),
        call=check.call or check.test.rpartition("::")[2],
        start_method=check.start_method,
        message=check.message or check.title,
        evidence=() if timed else tuple(evidence.evidence_lines(shown, _MOST_EVIDENCE)),
        printed=tuple(map(str, printed if isinstance(printed, (list, tuple)) else [printed])),
        place=_place(check.evidence, files),
        timed=timed,
    )


def _place(given: Mapping[str, object], files: Collection[str]) -> OwnLine | None:
    place = given.get("source")
    if not isinstance(place, Mapping) or not place.get("file"):
        return None
    file, line = str(place["file"]), place.get("line")
    known = isinstance(line, int) and line > 0
    return OwnLine(
        words=one_line(f"{file}:{line}" if known else file),
        code=str(place.get("code", "")),
        anchor=anchor(file, line) if isinstance(line, int) and known and file in files else "",
    )


def line_marks(result: ResultFile) -> dict[str, dict[int, list[str]]]:
    """Return for each file and line of the student's what each cause says of it."""
    by_id = {check.id: check for check in result.checks}
    found: dict[str, dict[int, list[str]]] = {}
    for number, cause in enumerate(result.causes, 1):
        for check in (by_id[id] for id in cause.checks if id in by_id):
            for file, line, words in _lines_of(check):
                said = found.setdefault(file, {}).setdefault(line, [])
                # What to change says more than that a process waits there, and comes first.
                if not any(each.startswith(f"{number}. ") for each in said):
                    said.append(f"{number}. {words or cause.change}")
    return found


def _lines_of(check: CheckPart) -> Iterator[tuple[str, int, str]]:
    """Yield the lines that a failed check speaks of: its own, and those at which processes wait."""
    if check.outcome is Outcome.FAILED and (place := grouping.source_place(check)):
        yield (*place, "")
    for stack in _listed(check.evidence.get("stacks")):
        frames = _listed(stack.get("frames")) if isinstance(stack, Mapping) else ()
        for match in filter(None, (_FRAME.fullmatch(str(frame)) for frame in frames)):
            yield match["file"], int(match["line"]), f"a process waits in {match['function']}()"


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else ()
