"""What a person should look at in a class, by kinds, each with who it is about. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_mpgrade.records import Status
from pytest_mpgrade.report.pages.class_rows import ClassRow
from pytest_mpgrade.report.tables.item_analysis import FEWEST, SHOWN, SUSPICIOUS, Item
from pytest_mpgrade.report.tables.question_analysis import QuestionItem
from pytest_mpgrade.system.text import counted, one_line

_WEAK = 0.0
"""A question whose discrimination is below it is earned by weak submissions rather than strong."""
_FEW_FOR_CORRELATION = 20
"""Submissions below which nothing is said about discrimination."""


@dataclass(frozen=True, kw_only=True)
class Attention:
    """One kind of what a person should look at, and in which submissions."""

    kind: str  # one word, by which the table is filtered; "": it is about questions
    title: str
    outcome: str  # whose sign and colour it has
    entries: tuple[tuple[ClassRow | None, str], ...]  # the submission, if any, and words about it


def kinds_of(row: ClassRow, twice: frozenset[str]) -> list[str]:
    """Return the kinds that a submission is of; *twice* has the hashes that several have."""
    found = {
        "error": row.status is Status.ERROR,
        "ungradable": row.status is Status.UNGRADABLE,
        "undecided": bool(row.undecided or row.errors),
        "late": bool(row.late),
        "duplicate": row.sha256 in twice,
        "changed": bool(row.changed),
    }
    return [kind for kind, holds in found.items() if holds]


def hashes_of_several(rows: Sequence[ClassRow]) -> frozenset[str]:
    """Return the hashes that more than one submission has: they are the same, byte for byte."""
    known = [row.sha256 for row in rows if row.sha256]
    return frozenset(each for each in known if known.count(each) > 1)


def attention_kinds(
    rows: Sequence[ClassRow],
    twice: frozenset[str],
    questions: Sequence[QuestionItem],
    items: Sequence[Item],
) -> list[Attention]:
    """Return what a person should look at, the most urgent first; kinds with nobody are left out.

    *items* are the checks of the class.
    """
    found = [*_of_submissions(rows, twice)]
    found.append(_kind("", "Questions and checks", "inconclusive", _suspicious(questions, items)))
    found.append(_kind("", "Slowest to grade", "", _slowest(rows)))
    return [each for each in found if each.entries]


def _of_submissions(rows: Sequence[ClassRow], twice: frozenset[str]) -> list[Attention]:
    """Return the kinds that are about submissions, those too that nobody is of."""
    of = {row.id: kinds_of(row, twice) for row in rows}

    def those(kind: str) -> Iterator[ClassRow]:
        return (row for row in rows if kind in of[row.id])

    return [
        _kind("error", "The grader broke", "error", ((r, r.reason) for r in those("error"))),
        _kind(
            "ungradable",
            "Could not be graded",
            "ungradable",
            ((r, r.reason) for r in those("ungradable")),
        ),
        _kind(
            "undecided",
            "Checks left undecided",
            "inconclusive",
            ((r, _undecided(r)) for r in those("undecided")),
        ),
        _kind(
            "duplicate",
            "The same files, byte for byte",
            "inconclusive",
            ((r, _same(r, rows)) for r in those("duplicate")),
        ),
        _kind("late", "Handed in late", "", ((r, r.late) for r in those("late"))),
        _kind(
            "changed",
            "Points set by hand",
            "",
            ((r, "; ".join(r.changed)) for r in those("changed")),
        ),
    ]


def _kind(
    kind: str, title: str, outcome: str, entries: Iterator[tuple[ClassRow | None, str]]
) -> Attention:
    return Attention(kind=kind, title=title, outcome=outcome, entries=tuple(entries))


def _undecided(row: ClassRow) -> str:
    words = [f"{row.errors} in error" * bool(row.errors)]
    words += [f"{counted(row.undecided, 'check')} inconclusive" * bool(row.undecided)]
    return ", ".join(filter(None, words))


def _same(row: ClassRow, rows: Sequence[ClassRow]) -> str:
    others = [each.id for each in rows if each.sha256 == row.sha256 and each is not row]
    return f"as {', '.join(others[:SHOWN])}{', …' if len(others) > SHOWN else ''}"


def _suspicious(
    questions: Sequence[QuestionItem], items: Sequence[Item]
) -> Iterator[tuple[None, str]]:
    for each in questions:
        known = each.discrimination is not None and each.asked >= _FEW_FOR_CORRELATION
        if known and (each.discrimination or 0) < _WEAK:
            told = f"discrimination {each.discrimination:.2f}"
            yield None, f"{each.title}: weak submissions earn it rather than strong ones ({told})"
    for item in items:
        if item.decided >= FEWEST and item.failed_share > SUSPICIOUS:
            share = f"{item.decided - item.passed} of {item.decided}"
            told = f"{share} fail {one_line(item.id)}"
            yield None, f"{told}: is the check right, or was this never taught?"


def _slowest(rows: Sequence[ClassRow]) -> Iterator[tuple[ClassRow, str]]:
    if len(rows) >= FEWEST:
        for row in sorted(rows, key=lambda each: -each.seconds)[:SHOWN]:
            yield row, f"{row.seconds:.0f} s"
