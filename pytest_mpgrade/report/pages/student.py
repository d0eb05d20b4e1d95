"""What people read of one grading: a page for the student, and one for staff.

Both have the points, what to fix first with its evidence, the timings, and the student's own source
with the lines marked that are spoken of. The student's is made of the students' view of a result
(see `report.redaction`), and can be handed out as it is. That of staff has all that is hidden, and
the facts by which a point is defended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pytest_mpgrade.records import Criterion, Outcome, Status
from pytest_mpgrade.report import adjustments, causes, grouping, terminal
from pytest_mpgrade.report.pages.failures import failures, line_marks
from pytest_mpgrade.report.pages.highlighting import SourceFile, source_file
from pytest_mpgrade.report.pages.html import html_page
from pytest_mpgrade.report.pages.rubric_rows import points_rows
from pytest_mpgrade.report.pages.timelines import TIMELINE_STYLE
from pytest_mpgrade.report.pages.timings import timings_of
from pytest_mpgrade.report.parts import CheckPart, ResultFile
from pytest_mpgrade.system.text import one_line

_MOST_FILES = 8
"""Files of one submission that a page shows."""
_STYLES = ("student.css",)


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What belongs to a page and is not in its result: the source, and what lies beside the page.

    Addresses are relative to the page.
    """

    sources: Mapping[str, str] = field(default_factory=dict)  # the student's files, by their names
    notebooks: Mapping[str, str] = field(default_factory=dict)  # title -> address, as executed
    links: Mapping[str, str] = field(default_factory=dict)  # words -> address, of other pages


def student_page(
    shown: ResultFile, criteria: Sequence[Criterion], beside: Beside | None = None
) -> str:
    """Return the page of the students' view of a result and its rubric."""
    return _page("student.html", _values(shown, criteria, beside or Beside()))


def staff_page(
    result: ResultFile, criteria: Sequence[Criterion], beside: Beside | None = None
) -> str:
    """Return the page of a whole result, with all that students do not see."""
    values = _values(result, criteria, beside or Beside())
    more = {"facts": list(_facts(result)), "checks": _check_groups(result)}
    return _page("staff.html", values | more)


def _page(template: str, values: dict[str, object]) -> str:
    return html_page(template, values, _STYLES, more_style=TIMELINE_STYLE)


def _values(result: ResultFile, criteria: Sequence[Criterion], beside: Beside) -> dict[str, object]:
    graded = result.status is Status.GRADED
    own = _own_files(result, beside.sources)
    found = failures(result, {each.name for each in own})
    return {
        "result": result,
        "graded": graded,
        "late": adjustments.late_words(result),
        "changes": adjustments.change_lines(result),
        "counts": _counts(result),
        "first": found[: causes.MOST],
        "others": found[causes.MOST :],
        "rows": points_rows(result, criteria),
        "about": list(terminal.about_points(result)) if graded else [],
        "unsure": list(_unsure(result)),
        "timings": timings_of(result),
        "files": own,
        "names": sorted(each.name for each in own),
        "beside": beside,
    }


def _own_files(result: ResultFile, sources: Mapping[str, str]) -> list[SourceFile]:
    """Return the student's files with their marks: the graded one first, then those with marks."""
    said = line_marks(result)
    module = PurePosixPath(result.submission.module).name
    order = sorted(sources, key=lambda name: (name != module, name not in said, name))
    return [source_file(name, sources[name], said.get(name, {})) for name in order[:_MOST_FILES]]


def _counts(result: ResultFile) -> dict[Outcome, int]:
    """Return how many checks ended how; those that another failure left undecided are skipped."""
    counts = Counter(check.outcome for check in result.checks)
    return {outcome: counts[outcome] for outcome in Outcome if counts[outcome]}


def _unsure(result: ResultFile) -> Iterator[str]:
    """Say what nobody could decide; a person should look at it."""
    for outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE):
        for why, _ in grouping.reasons(result.checks, outcome):
            yield f"{outcome}: {why}"


def _facts(result: ResultFile) -> Iterator[tuple[str, str]]:
    """Yield what staff may want to know of a grading: where, when, by what, and how long."""
    handed_in = result.submission
    yield "handed in", handed_in.path
    yield "sha256", handed_in.sha256 or "not read"
    yield "graded", f"{result.started}, in {result.seconds:.1f} s"
    environment = [f"{key} {_words(value)}" for key, value in result.environment.items()]
    yield "environment", "; ".join(environment)
    isolation = [f"{key}: {_words(value)}" for key, value in result.containment.items() if value]
    yield "isolation", "; ".join(isolation)
    if result.machine:
        own = result.machine
        yield "by the machine", f"{own.score:g} of {own.max_score:g} points, {own.status}"


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _check_groups(result: ResultFile) -> dict[str, list[CheckPart]]:
    """Return all checks by question, in the order of the result."""
    found: dict[str, list[CheckPart]] = {}
    for check in result.checks:
        question = check.question or check.test
        found.setdefault(one_line(question.rpartition("::")[2]), []).append(check)
    return found
