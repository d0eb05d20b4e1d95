"""What a class says of the checks: how many passed each, how well it tells strong from weak, and what to look at.

Discrimination is the corrected item-total correlation: Pearson's r between having passed the check and the points of
all other checks, -1 to 1 (Crocker and Algina, Introduction to Classical and Modern Test Theory, 1986, chapter 14).
Near 0 or below it, good submissions fail the check as often as weak ones: it may be wrong.
"""

from __future__ import annotations

import csv
import io
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.records import Outcome, Status
from pytest_mpgrade.report import atomic
from pytest_mpgrade.report.result_json import CheckPart, ResultFile
from pytest_mpgrade.report.text import counted, one_line

SUSPICIOUS = 0.8
"""A check that more than this share of a class fails may be wrong itself."""
FEWEST = 5
"""Of a smaller class nothing of that kind is said."""
_DECIDED = (Outcome.PASSED, Outcome.FAILED)
_UNSURE = (Outcome.ERROR, Outcome.INCONCLUSIVE)
SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Item:
    """One check, over a class."""

    id: str
    title: str
    concern: str
    decided: int  # submissions in which it passed or failed
    passed: int
    discrimination: float | None  # None: all alike

    @property
    def failed_share(self) -> float:
        """The part of those in which it was decided that failed it, 0 to 1."""
        return 1 - self.passed / self.decided if self.decided else 0.0


def items(results: Sequence[ResultFile]) -> list[Item]:
    """Return each check of a class, in the order of the tests."""
    seen: dict[str, list[tuple[CheckPart, float]]] = defaultdict(list)
    for result in results:
        if result.status is Status.GRADED:
            for check in result.checks:
                if check.outcome in _DECIDED:
                    seen[check.id].append((check, result.score - check.points))
    return [_item(id, mine) for id, mine in seen.items()]


def _item(id: str, mine: Sequence[tuple[CheckPart, float]]) -> Item:
    passed = [float(check.outcome is Outcome.PASSED) for check, _ in mine]
    rest = [others for _, others in mine]
    varies = len(set(passed)) > 1 and len(set(rest)) > 1
    return Item(
        id=id, title=mine[0][0].title, concern=str(mine[0][0].concern), decided=len(mine), passed=int(sum(passed)),
        discrimination=statistics.correlation(passed, rest) if varies else None,
    )  # fmt: skip


def write(found: Sequence[Item], path: Path) -> None:
    """Write a row for each check."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["check", "title", "concern", "decided", "passed", "share_passed", "discrimination"])
    for item in found:
        told = "" if item.discrimination is None else f"{item.discrimination:.3f}"
        writer.writerow(
            [item.id, item.title, item.concern, item.decided, item.passed, f"{1 - item.failed_share:.3f}", told]
        )
    atomic.write_bytes(table.getvalue().encode(), path)


def worth_a_look(results: Sequence[ResultFile], found: Sequence[Item]) -> Iterator[str]:
    """Yield lines on what a person should look at: checks that nearly all fail, results that nothing could decide."""
    for item in found:
        if item.decided >= FEWEST and item.failed_share > SUSPICIOUS:
            share = f"{item.decided - item.passed} of {item.decided}"
            yield f"{share} fail {one_line(item.id)}: is the check right, or was this never taught?"
    for result in sorted(results, key=lambda each: each.submission.id):
        unsure = [check for check in result.checks if check.outcome in _UNSURE]
        if unsure:
            names = ", ".join(f"{check.id} ({check.outcome})" for check in unsure[:SHOWN])
            yield f"{one_line(result.submission.id)}: {counted(len(unsure), 'check')} undecided: {one_line(names)}"
    slow = sorted(results, key=lambda each: -each.seconds)[:SHOWN]
    if len(results) >= FEWEST:
        yield "slowest: " + ", ".join(f"{one_line(each.submission.id)} {each.seconds:.0f} s" for each in slow)
