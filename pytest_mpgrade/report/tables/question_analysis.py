"""What the points of a class say of each question: how many earned it, and whom it tells apart.

Discrimination is as in `tables.item_analysis`, with the part of its points that a submission has
earned in place of passed or not: the correlation of a question with the points of all others. Pure.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_mpgrade.system.text import one_line


@dataclass(frozen=True, kw_only=True)
class QuestionItem:
    """One question, over a class."""

    id: str
    title: str
    criterion: str
    asked: int  # submissions in which it was decided
    full: int  # submissions that earned all of it
    none: int  # submissions that earned nothing of it
    share: float  # the part of its points that was earned on average, 0 to 1
    discrimination: float | None  # -1 to 1; None: all alike


def question_item(
    id: str,
    title: str,
    criterion: str,
    shares: Mapping[str, float],
    rests: Mapping[str, float],
) -> QuestionItem:
    """Return what a class says of a question.

    *shares* has the part that each submission has earned of it, *rests* the points that the same
    submissions have of all other questions.
    """
    own = [*shares.values()]
    return QuestionItem(
        id=id,
        title=one_line(title or id),
        criterion=criterion,
        asked=len(own),
        full=sum(share >= 1 for share in own),
        none=sum(share <= 0 for share in own),
        share=statistics.fmean(own) if own else 0.0,
        discrimination=_correlation(own, [rests[each] for each in shares]),
    )


def _correlation(own: Sequence[float], rest: Sequence[float]) -> float | None:
    if len(own) < 2 or len({*own}) == 1 or len({*rest}) == 1:
        return None
    return statistics.correlation(own, rest)
