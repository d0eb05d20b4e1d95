"""Where points come from: criteria, their questions, and units; part of the records.

A unit is a question as it is asked under one start method and for one variant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from pytest_mpgrade.records.outcomes import Outcome


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """A line of the rubric, as the assignment has it."""

    name: str
    points: float
    title: str = ""
    hidden: bool = False  # students learn only that the check exists, and its points
    # it is earned only where each of these criteria has at least half of its points
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One test as pytest collects it: a question, for one start method and one variant."""

    test: str  # "test_mp_apply.py::test_edge_cases[spawn-no task]"
    question: str  # the same without its parameters
    title: str
    criterion: str  # "" is outside the rubric and worth nothing
    weight: float = 1.0  # of the question within its criterion
    start_method: str = ""
    variant: str = ""  # its other parameters


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A question as it was asked under one start method and for one variant."""

    start_method: str
    variant: str
    outcome: Outcome
    share: float  # 0 to 1: the part of the unit that is earned
    undecided: bool = False  # nothing of it could be decided here: it counts neither way


@dataclass(frozen=True, kw_only=True)
class QuestionScore:
    """The points of one question; its decided units share them equally."""

    id: str
    title: str
    points: float
    max_points: float
    units: tuple[Unit, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CriterionScore:
    """The points of one criterion."""

    name: str
    title: str
    points: float
    max_points: float
    # of its points as the assignment has them: what of them could not be decided here
    undecided: float = 0.0
    reason: str = ""  # why nothing of it is earned whatever its units say
    questions: tuple[QuestionScore, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Undecided:
    """What could not be decided here; other questions have taken its points over."""

    points: float = 0.0
    why: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Score:
    """All points of one submission."""

    criteria: tuple[CriterionScore, ...] = ()
    undecided: Undecided = field(default_factory=Undecided)
    # points of what is `inconclusive` or `error`, and not for the platform's sake
    unsure: float = 0.0

    @property
    def points(self) -> float:
        """Points earned."""
        return round(math.fsum(each.points for each in self.criteria), 6)

    @property
    def max_points(self) -> float:
        """The points that could be earned.

        They are the assignment's, unless nothing at all was decided.
        """
        return round(math.fsum(each.max_points for each in self.criteria), 6)
