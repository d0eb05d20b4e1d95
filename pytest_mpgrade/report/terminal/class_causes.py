"""What the failures of a class have in common: each cause with how many share it, and who."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_mpgrade.records import Concern
from pytest_mpgrade.report.result_json import CausePart, ResultFile
from pytest_mpgrade.report.terminal.page import Page
from pytest_mpgrade.system.text import counted, one_line, points


@dataclass(frozen=True, kw_only=True)
class SharedCause:
    """A cause that some submissions have in common."""

    concern: Concern
    change: str
    seen: str  # in the first of them
    points: float  # lost on average
    submissions: tuple[str, ...]


def shared_causes(results: Iterable[ResultFile]) -> list[SharedCause]:
    """Return the causes of a class; what most submissions share comes first."""
    return grouped_causes((result.submission.id, result.causes) for result in results)


def grouped_causes(submissions: Iterable[tuple[str, Sequence[CausePart]]]) -> list[SharedCause]:
    """Return the same, of the name and the causes of each submission."""
    groups: dict[tuple[Concern, str], list[tuple[str, CausePart]]] = {}
    for id, causes in submissions:
        for cause in causes:
            groups.setdefault((cause.concern, cause.change), []).append((id, cause))
    found = [
        SharedCause(
            concern=concern,
            change=change,
            seen=same[0][1].seen,
            points=sum(cause.points for _, cause in same) / len(same),
            submissions=tuple(id for id, _ in same),
        )
        for (concern, change), same in groups.items()
    ]
    return sorted(found, key=lambda each: (-len(each.submissions), -each.points, each.change))


def page_of_causes(
    causes: Iterable[SharedCause], number: int, width: int = 80, color: bool = False
) -> str:
    """Return the causes of a class of *number* submissions as text."""
    page = Page(width, color)
    for place, cause in enumerate(causes, 1):
        head = (f"{place}. {len(cause.submissions)} of {number}  {cause.concern}: ", "bold")
        page.line(head, one_line(cause.change), hang=6)
        if cause.seen != cause.change:
            page.line(one_line(cause.seen), indent=6, hang=4)
        lost = f"{points(round(cause.points, 2))} points on average"
        page.line(f"{lost}: {', '.join(map(one_line, cause.submissions))}", indent=6, hang=4)
    return page.text or f"no failures in {counted(number, 'submission')}"
