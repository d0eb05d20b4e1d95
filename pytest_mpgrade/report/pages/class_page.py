"""The page of a class, for staff: everybody's points, what they share, and what to look at.

All of it can be read as it is; a script of our own, in the page, sorts, searches and filters the
table.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pytest_mpgrade.records import Outcome, Status
from pytest_mpgrade.report.overview import UNSURE
from pytest_mpgrade.report.pages import charts
from pytest_mpgrade.report.pages.attention import attention_kinds, hashes_of_several, kinds_of
from pytest_mpgrade.report.pages.class_rows import ClassRow, QuestionCell
from pytest_mpgrade.report.pages.html import html_page, markup
from pytest_mpgrade.report.tables.item_analysis import Item
from pytest_mpgrade.report.tables.question_analysis import QuestionItem, question_item
from pytest_mpgrade.report.terminal.class_causes import SharedCause, grouped_causes
from pytest_mpgrade.system.text import points

_MOST_CAUSES, _MOST_NAMES = 60, 200
"""Causes of a class that are listed, and names of one of them that are."""
_MOST_ITEMS = 1500
"""Checks whose statistics are on the page; `items.csv` has all."""
_KINDS = {
    "": "all",
    "graded": "graded",
    "ungradable": "could not be graded",
    "error": "the grader broke",
    "undecided": "with undecided checks",
    "late": "handed in late",
    "duplicate": "the same as another",
    "changed": "with points set by hand",
}


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """A row of the class's table."""

    row: ClassRow
    kinds: tuple[str, ...]
    causes: tuple[int, ...]  # their numbers on the page


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A number of the class, and what it is."""

    value: str
    what: str


def class_page(
    assignment: str,
    rows: Sequence[ClassRow],
    items: Sequence[Item],
    missing: Sequence[str] = (),
) -> str:
    """Return the page; *missing* are those who handed in nothing, by the roster."""
    rows = sorted(rows, key=lambda each: (each.id.casefold(), each.id))
    graded = [row for row in rows if row.points is not None]
    shared = grouped_causes((row.id, row.causes) for row in rows)[:_MOST_CAUSES]
    questions = _questions(rows)
    twice = hashes_of_several(rows)
    most = max((row.max_points for row in rows), default=0.0)
    scores = [row.points for row in graded if row.points is not None]
    values: dict[str, object] = {
        "assignment": assignment,
        "tiles": list(_tiles(rows, scores, most)),
        "chart": charts.distribution(scores, most) if scores and most else "",
        "attention": attention_kinds(rows, twice, questions, items),
        "missing": missing,
        "kinds": _KINDS,
        "rows": _table_rows(rows, shared, twice),
        "causes": shared,
        "most_names": _MOST_NAMES,
        "addresses": {row.id: row.staff for row in rows},
        "graded": len(graded),
        "questions": questions,
        "heat": list(_heat(graded, questions)),
        "items": sorted(items, key=lambda each: -each.failed_share)[:_MOST_ITEMS],
    }
    return html_page("class.html", values, ("class.css",), ("table.js",))


def _tiles(rows: Sequence[ClassRow], scores: Sequence[float], most: float) -> Iterator[Tile]:
    counts = {status: sum(row.status is status for row in rows) for status in Status}
    yield Tile(value=str(len(rows)), what="handed in")
    yield Tile(value=str(counts[Status.GRADED]), what="graded")
    if scores:
        yield Tile(value=points(statistics.median(scores)), what=f"median of {points(most)}")
        yield Tile(value=points(statistics.fmean(scores)), what="mean")
        full = sum(score >= most for score in scores)
        yield Tile(value=str(full), what="with full marks")
    if counts[Status.UNGRADABLE] or counts[Status.ERROR]:
        without = counts[Status.UNGRADABLE] + counts[Status.ERROR]
        yield Tile(value=str(without), what="without a grade")


def _table_rows(
    rows: Sequence[ClassRow], shared: Sequence[SharedCause], twice: frozenset[str]
) -> list[TableRow]:
    numbers = {(each.concern, each.change): number for number, each in enumerate(shared, 1)}
    return [
        TableRow(
            row=row,
            kinds=(*(["graded"] if row.status is Status.GRADED else []), *kinds_of(row, twice)),
            causes=tuple(
                numbers[key]
                for each in row.causes
                if (key := (each.concern, each.change)) in numbers
            ),
        )
        for row in rows
    ]


def _questions(rows: Sequence[ClassRow]) -> list[QuestionItem]:
    """Return what the class says of each question, in the order of the assignment."""
    cells: dict[str, dict[str, QuestionCell]] = {}
    for row in rows:
        for cell in row.questions:
            cells.setdefault(cell.id, {})[row.id] = cell
    totals = {row.id: sum(cell.points for cell in row.questions) for row in rows}
    return [_question(id, mine, totals) for id, mine in cells.items()]


def _question(
    id: str, mine: Mapping[str, QuestionCell], totals: Mapping[str, float]
) -> QuestionItem:
    decided = {who: cell for who, cell in mine.items() if cell.max_points}
    first = next(iter(mine.values()))
    return question_item(
        id,
        first.title,
        first.criterion,
        {who: cell.points / cell.max_points for who, cell in decided.items()},
        {who: totals[who] - cell.points for who, cell in decided.items()},
    )


def _heat(
    rows: Sequence[ClassRow], questions: Sequence[QuestionItem]
) -> Iterator[tuple[ClassRow, Markup]]:
    """Yield the cells of each submission: a sign or a percentage, and a class for its colour.

    A class of 500 has 30,000 of them, so they are joined here and not by a template.
    """
    for row in rows:
        own = {cell.id: cell for cell in row.questions}
        yield row, markup("".join(_heat_cell(own.get(each.id)) for each in questions))


def _heat_cell(cell: QuestionCell | None) -> str:
    if cell is None or not cell.max_points:
        unsure = cell is not None and cell.outcome in UNSURE
        return "<td class=u>?" if unsure else "<td>·"
    share = cell.points / cell.max_points
    if cell.outcome is Outcome.PASSED:
        return "<td class=h4>✓"
    if share <= 0:
        return "<td class=h0>✗"
    return f"<td class=h{1 + min(int(3 * share), 2)}>{min(max(round(100 * share), 1), 99)}"
