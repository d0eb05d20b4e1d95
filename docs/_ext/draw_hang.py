"""Draw the timeline of a hang, for the README and the site: `make picture`.

A wrong solution is graded, which tells no worker to stop, and what its processes did is drawn as
reports draw it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from pytest_mpgrade.cli.wrong_solutions import wrong_solution
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.grade.grading import grade
from pytest_mpgrade.grade.pytest_run import Options
from pytest_mpgrade.records import Outcome
from pytest_mpgrade.report.timeline import timeline_svg

NAME, WRONG = "mp_apply", "no_sentinel_join"
QUESTION = "test_workers_end_by_sentinel and fork and not forkserver"


def hang_picture() -> str:
    """Grade the wrong solution under fork, and return what its processes did as SVG."""
    assignment = find_assignment(NAME)
    with tempfile.TemporaryDirectory(prefix="mpgrade-picture-") as scratch:
        handed_in = Path(scratch, "homework")
        handed_in.mkdir()
        (handed_in / assignment.module).write_bytes(wrong_solution(assignment, WRONG).content())
        options = Options(keyword=QUESTION)
        result = grade(handed_in, assignment, Path(scratch, "out"), options=options).result
    (check,) = (each for each in result.checks if each.outcome is Outcome.FAILED)
    return timeline_svg([result.timelines[check.run]], ident="hang", said=check.message)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(hang_picture(), "utf-8")
