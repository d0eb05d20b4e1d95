"""A result in the formats of the platforms that read it.

Each format is a small pure function of the result file. A result that does not exist yet is written
as "not graded", with no points: a platform that kills the grader gets that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report.exports import (
    autolab,
    classroom50,
    ctrf,
    gradescope,
    junit,
    prairielearn,
    sarif,
)
from pytest_mpgrade.report.exports.github import payload, step
from pytest_mpgrade.report.result_json import ResultFile

Export = Callable[[ResultFile, Sequence[Criterion]], str]

FORMATS: Mapping[str, tuple[str, Export]] = {
    "gradescope": ("results.json", gradescope.render),
    "classroom50": ("classroom50.json", classroom50.render),
    "prairielearn": ("prairielearn.json", prairielearn.render),
    "autolab": ("autolab.txt", autolab.render),
    "junit": ("junit.xml", junit.render),
    "github": ("github.json", payload.render),
    "sarif": ("result.sarif", sarif.render),
    "ctrf": ("ctrf.json", ctrf.render),
}
"""The exports, by the names that users give.

Each has the default name of its file and the function that makes it.
"""

ALSO: Mapping[str, Callable[[ResultFile, Sequence[Criterion]], None]] = {"github": step.tell_step}
"""What a platform reads besides an export's file; it is written whenever that file is."""
