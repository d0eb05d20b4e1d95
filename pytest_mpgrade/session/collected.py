"""The tests of one grading, and what they have brought so far."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from pytest_mpgrade.judge import check
from pytest_mpgrade.judge.points import blame, rubric
from pytest_mpgrade.judge.points.shares import Placed
from pytest_mpgrade.records import Asked, Score, Status, Timeline
from pytest_mpgrade.session.items import Sent


class Collected:
    """All tests of one grading, and the findings of those that have run.

    Under pytest-xdist the controller collects no tests; it learns of them from the first report of
    a worker.
    """

    def __init__(self) -> None:
        self.items: list[Asked] = []
        self.total = 0
        self.partial = False  # some tests were deselected
        self.order: dict[str, int] = {}  # test -> its place among all
        self.placed: list[Placed] = []
        self.timelines: dict[str, Timeline] = {}  # by the key of the run
        # test that has run -> why the module could not be imported, or ""
        self._done: dict[str, str] = {}

    def expect(self, items: list[Asked]) -> None:
        """Expect reports of these tests."""
        self.items, self.total = items, len(items)
        self.order = {item.test: place for place, item in enumerate(items)}

    def criteria(self) -> dict[str, str]:
        """Return the criteria that tests name, each with the first test that does."""
        return {item.criterion: item.test for item in reversed(self.items)}

    def take_in(self, sent: Sent) -> None:
        """Take in what the report of a test brings."""
        self.placed += sent.placed
        self.timelines |= sent.timelines
        self._done[sent.test] = sent.not_imported
        self.order[sent.test] = sent.place
        self.items = self.items or sent.items
        self.total, self.partial = sent.total, sent.partial

    def settled(self) -> list[Placed]:
        """Return all findings in the order of tests, each symptom blamed on one concern.

        Each test that has not run has a finding that says so.
        """
        placed = sorted(self.placed, key=lambda one: self.order.get(one.asked.test, 0))
        # Only when all tests have run is it known that no failure explains an undecided finding.
        settle = blame.accuse if len(self._done) == self.total else blame.attribute
        findings = settle([(one.asked.start_method, one.finding) for one in placed])
        placed = [
            dataclasses.replace(one, finding=finding)
            for one, finding in zip(placed, findings, strict=True)
        ]
        return placed + [
            rubric.not_run_yet(item) for item in self.items if item.test not in self._done
        ]

    def status(self, placed: Sequence[Placed], score: Score, refused: str) -> tuple[Status, str]:
        """Return the status of the grading and the reason for it.

        *refused* says why nothing is graded on this machine; "" where it grades.
        """
        if reason := refused or check.lacks(one.finding for one in placed):
            return Status.ERROR, reason
        if len(self._done) < self.total or not self._done:
            not_run = self.total - len(self._done)
            return Status.ERROR, f"{not_run} of {self.total} tests were not run"
        if all(self._done.values()):
            return Status.UNGRADABLE, next(iter(self._done.values()))
        return rubric.status([one.finding for one in placed], score)
