"""Item analysis: what the results of a class say of the checks.

It counts how many submissions passed each check, measures how well a check tells strong submissions
from weak ones, and names what a person should look at.

Discrimination is the corrected item-total correlation: Pearson's r between having passed the check
and the points of all other questions, -1 to 1 (Crocker and Algina, Introduction to Classical and
Modern Test Theory, 1986, chapter 14). Near 0 or below it, good submissions fail the check as often
as weak ones: it may be wrong.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.records import Outcome, Status
from pytest_mpgrade.report.overview import UNSURE, Overview
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.system import atomic_write
from pytest_mpgrade.system.text import counted, one_line

SUSPICIOUS = 0.8
"""A check that more than this share of a class fails may be wrong itself."""
FEWEST = 5
"""Nothing of that kind is said about a smaller class."""
_DECIDED = (Outcome.PASSED, Outcome.FAILED)
SHOWN = 5
"""Names in one line of the summary; the table itself has all."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One check, over a class."""

    id: str
    title: str
    concern: str
    decided: int  # submissions in which it passed or failed
    passed: int
    discrimination: float | None  # None: all alike
    undecided: int = 0  # submissions in which it was `error` or `inconclusive`

    @property
    def failed_share(self) -> float:
        """The part of those in which it was decided that failed it, 0 to 1."""
        return 1 - self.passed / self.decided if self.decided else 0.0


class _Sums:
    """The sums of one check over the class so far, of which Pearson's r is made.

    No single result is kept.
    """

    def __init__(self, title: str, concern: str) -> None:
        self.title = title
        self.concern = concern
        self.decided = self.passed = self.undecided = 0
        self.rest = self.squares = self.both = 0.0
        self.least, self.most = math.inf, -math.inf

    def add(self, passed: bool, rest: float) -> None:
        """Take in one submission: did it pass, and the points of all other questions."""
        self.decided += 1
        self.passed += passed
        self.rest += rest
        self.squares += rest * rest
        self.both += rest * passed
        self.least, self.most = min(self.least, rest), max(self.most, rest)

    def item(self, id: str) -> Item:
        """Return what the class says of the check."""
        varies = 0 < self.passed < self.decided and self.least < self.most
        return Item(
            id=id,
            title=self.title,
            concern=self.concern,
            decided=self.decided,
            passed=self.passed,
            discrimination=self._correlation() if varies else None,
            undecided=self.undecided,
        )

    def _correlation(self) -> float | None:
        n, x, y = self.decided, self.passed, self.rest
        spread = (n * x - x * x) * (n * self.squares - y * y)
        return (
            max(-1.0, min(1.0, (n * self.both - x * y) / math.sqrt(spread))) if spread > 0 else None
        )


class Tally:
    """Statistics of a class's checks, which grow with the checks and not with the class."""

    def __init__(self) -> None:
        self._sums: dict[str, _Sums] = {}

    def add(self, result: ResultFile) -> None:
        """Take in one result, as the machine made it.

        Points that a person has set say nothing of a check.
        """
        own = result.by_machine()
        if own.status is not Status.GRADED:
            return
        worth = {each.id: each.points for criterion in own.criteria for each in criterion.questions}
        for check in own.checks:
            if check.outcome not in (*_DECIDED, *UNSURE):
                continue
            if check.id not in self._sums:
                self._sums[check.id] = _Sums(check.title, str(check.concern))
            sums = self._sums[check.id]
            if check.outcome in UNSURE:
                sums.undecided += 1
            else:
                sums.add(
                    check.outcome is Outcome.PASSED, own.score - worth.get(check.question, 0.0)
                )

    def items(self) -> list[Item]:
        """Return each check, in the order of the tests."""
        return [sums.item(id) for id, sums in self._sums.items()]


def write_item_analysis(found: Sequence[Item], path: Path) -> None:
    """Write a row for each check."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(
        [
            "check",
            "title",
            "concern",
            "decided",
            "passed",
            "share_passed",
            "discrimination",
            "undecided",
        ]
    )
    for item in found:
        told = "" if item.discrimination is None else f"{item.discrimination:.3f}"
        share = f"{1 - item.failed_share:.3f}" if item.decided else ""
        writer.writerow(
            [
                item.id,
                item.title,
                item.concern,
                item.decided,
                item.passed,
                share,
                told,
                item.undecided,
            ]
        )
    atomic_write.write_bytes(table.getvalue().encode(), path)


def worth_a_look(rows: Sequence[Overview], found: Sequence[Item]) -> Iterator[str]:
    """Yield lines on what a person should look at.

    These are checks that nearly all submissions fail, and results that nothing could decide.
    """
    for item in found:
        if item.decided >= FEWEST and item.failed_share > SUSPICIOUS:
            share = f"{item.decided - item.passed} of {item.decided}"
            yield f"{share} fail {one_line(item.id)}: is the check right, or was this never taught?"
    for row in sorted(rows, key=lambda each: each.id):
        name = one_line(row.id)
        if row.undecided:
            more = ", …" if len(row.undecided) > SHOWN else ""
            names = one_line(", ".join(row.undecided[:SHOWN]))
            yield f"{name}: {counted(len(row.undecided), 'check')} undecided: {names}{more}"
        if row.problem:
            yield f"{name}: no grade after the late rule: {one_line(row.problem)}"
    if len(rows) >= FEWEST:
        slow = sorted(rows, key=lambda each: -each.seconds)[:SHOWN]
        yield "slowest: " + ", ".join(f"{one_line(each.id)} {each.seconds:.0f} s" for each in slow)
