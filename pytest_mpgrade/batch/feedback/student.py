"""What there is to say to one student, and the names by which a download knew the submission."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report import redaction, terminal
from pytest_mpgrade.report.exports.github import summary
from pytest_mpgrade.report.result_json import ResultFile, read_result
from pytest_mpgrade.submission.python_files import python_files

_WIDTH = 79
"""Characters of a line of plain text, which a student may open in any editor."""


@dataclass(frozen=True, kw_only=True)
class StudentFeedback:
    """The students' view of one result, with its rubric."""

    shown: ResultFile
    criteria: tuple[Criterion, ...]
    folder: str  # the name of the result's own, which no other submission has
    sources: tuple[str, ...] = ()  # of what was graded, as the download named it

    @property
    def id(self) -> str:
        """The submission's name."""
        return self.shown.submission.id

    def html(self) -> str:
        """Return the page for the student."""
        # What draws and colours is imported by those who want pages: a batch begins without it.
        from pytest_mpgrade.report.pages.student import Beside, student_page

        handed_in = self.shown.submission
        sources = python_files(Path(handed_in.path), handed_in.sha256)
        return student_page(self.shown, self.criteria, Beside(sources=sources))

    def markdown(self, most_bytes: int = summary.MOST_BYTES) -> str:
        """Return the same for a place that shows GitHub's Markdown."""
        return summary.render(self.shown, self.criteria, most_bytes)

    def text(self) -> str:
        """Return the same as plain text."""
        parts = (
            terminal.rubric(self.shown, _WIDTH - 2),
            terminal.explanations(self.shown, _WIDTH - 2),
        )
        return "\n\n".join(filter(None, parts)) + "\n"


def read_students(
    files: Iterable[Path], criteria: Sequence[Criterion], sources: Mapping[str, Sequence[str]]
) -> Iterator[StudentFeedback]:
    """Read result files one by one.

    *criteria* are the assignment's, and say what is hidden. Raises UsageError for a result with a
    criterion that the assignment lacks: what is hidden in it would be unknown.
    """
    for file in files:
        result = read_result(file)
        hold_criteria(result, criteria, file)
        shown, rubric = redaction.redacted(result, criteria)
        yield StudentFeedback(
            shown=shown,
            criteria=rubric,
            folder=file.resolve().parent.name,
            sources=tuple(sources.get(result.submission.id, ())),
        )


def hold_criteria(result: ResultFile, criteria: Sequence[Criterion], file: Path) -> None:
    """Raise UsageError where a result has a criterion that the assignment lacks."""
    named = {score.name for score in result.criteria} | {check.criterion for check in result.checks}
    if strange := sorted(named - {each.name for each in criteria} - {""}):
        raise UsageError(
            f"{file} is a result of another assignment: it has the criterion {strange[0]!r}"
        )
