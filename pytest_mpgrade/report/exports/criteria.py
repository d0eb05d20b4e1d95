"""What every export needs of a result: a line for each criterion.

A line has the points of its criterion and the text about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pytest_mpgrade.records import Criterion, Outcome, QuestionScore, Status
from pytest_mpgrade.report import terminal
from pytest_mpgrade.report.result_json import CheckPart, ResultFile

_SAID = (Outcome.FAILED, Outcome.ERROR, Outcome.INCONCLUSIVE)
_WIDTH = 100
"""Characters of a line of plain text; the pages on which it is shown are about as wide."""


@dataclass(frozen=True, kw_only=True)
class CriterionLine:
    """One criterion of one submission."""

    name: str
    title: str
    score: float
    max_score: float
    text: str  # what failed, and what to do about it; "" where there is nothing to say
    questions: tuple[QuestionScore, ...] = ()
    concerns: tuple[str, ...] = ()  # that failed
    start_methods: tuple[str, ...] = ()  # under which something failed

    @property
    def passed(self) -> bool:
        """All points of the criterion were earned."""
        return self.score >= self.max_score


def criterion_lines(result: ResultFile, criteria: Sequence[Criterion]) -> list[CriterionLine]:
    """Return a line for each criterion; what was not graded has no points, and says why."""
    return [_line(result, criterion) for criterion in criteria]


def _line(result: ResultFile, criterion: Criterion) -> CriterionLine:
    mine = [check for check in result.checks if check.criterion == criterion.name]
    if result.status is not Status.GRADED:
        return CriterionLine(
            name=criterion.name,
            title=criterion.title or criterion.name,
            score=0.0,
            max_score=criterion.points,
            text="\n".join(_not_graded(result, mine)),
        )
    failed = [check for check in mine if check.outcome is Outcome.FAILED]
    worth = result.criterion(criterion.name)
    return CriterionLine(
        name=criterion.name,
        title=criterion.title or criterion.name,
        score=worth.points if worth else 0.0,
        max_score=worth.max_points if worth else 0.0,
        text="\n".join([*([worth.reason] if worth and worth.reason else []), *_said(mine)]),
        questions=worth.questions if worth else (),
        concerns=tuple(dict.fromkeys(str(check.concern) for check in failed)),
        start_methods=tuple(
            dict.fromkeys(check.start_method for check in failed if check.start_method)
        ),
    )


def _not_graded(result: ResultFile, checks: Sequence[CheckPart]) -> Iterator[str]:
    """Say why there are no points, and how far it came: a person may want to know."""
    yield (
        result.reason if result.reason.startswith("not graded") else f"not graded: {result.reason}"
    )
    counts = Counter(check.outcome for check in checks)
    if counts.total() > counts[Outcome.NOT_RUN]:
        yield "of its checks: " + ", ".join(
            f"{count} {outcome}" for outcome, count in counts.items()
        )


def _said(checks: Sequence[CheckPart]) -> Iterator[str]:
    """Say each thing once, with the start methods it holds for."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for check in checks:
        if check.outcome in _SAID:
            found.setdefault((str(check.outcome), check.message, check.hint), []).append(
                check.start_method
            )
    for (outcome, message, hint), methods in found.items():
        under = ", ".join(filter(None, dict.fromkeys(methods)))
        yield f"{outcome}{f' under {under}' if under else ''}: {message}" + (
            f"\n  hint: {hint}" if hint else ""
        )


def result_summary(result: ResultFile) -> str:
    """Return the text about the whole submission."""
    return result.reason if result.status is not Status.GRADED else ""


def first_causes(result: ResultFile) -> str:
    """Return what to fix first, for a person to read before the rest; "" where nothing failed."""
    return terminal.fix_first(result, _WIDTH)


def own_file(result: ResultFile, file: str) -> str:
    """Return the path of a student's file, relative to the folder in which mpgrade was called.

    A submission elsewhere has none; then the name of the file must do.
    """
    folder = PurePath(result.submission.path)
    if folder.name == file:  # a file was handed in, not a folder
        folder = folder.parent
    elsewhere = folder.is_absolute() or ".." in folder.parts
    return file if elsewhere else (folder / file).as_posix()
