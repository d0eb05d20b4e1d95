"""Gradescope: an autograder that shows the results that were made elsewhere.

There is no upload of feedback on a class. What students see comes from an autograder's
`results.json`, so the zip is an autograder that runs nothing, and copies the result of each
submission; "Regrade all submissions" then shows them. Submissions are known by their numbers in the
folders of "Export submissions" (``submission_123``), which `submission_metadata.json` has as `id`
(gradescope/autograder_samples; that both are the same number is an assumption).
Points are those before the late rule: Gradescope has its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pytest_mpgrade.batch.feedback.student import StudentFeedback
from pytest_mpgrade.batch.packing import left_out, needed
from pytest_mpgrade.report.exports import gradescope
from pytest_mpgrade.system.text import counted
from pytest_mpgrade.system.zip_files import write_zip

ARCHIVE = "gradescope-autograder.zip"
NEEDS = needed("Gradescope", "Review Grades, Export Submissions, in the assignment")
_NUMBER = re.compile(r"(?:.*/)?submission_(\d+)", re.DOTALL)
_SETUP = b"#!/bin/sh\n# There is nothing to install.\n"
_SCRIPTS = ("setup.sh", "run_autograder")


def gradescope_feedback(students: Iterable[StudentFeedback], folder: Path) -> Iterator[str]:
    """Write the zip; yield lines about it."""
    script = Path(__file__).with_name("run_autograder.py").read_bytes()
    members = dict(zip(_SCRIPTS, (_SETUP, script), strict=True))
    unknown = []
    for student in students:
        match = _number(student.id, student.sources)
        if match is None:
            unknown.append(student.id)
        else:
            # There is no metadata here: lateness is what the result says.
            said = gradescope.render(student.shown, student.criteria, folder / "none")
            data = said.encode("utf-8", "backslashreplace")
            members[f"results/{int(match[1])}.json"] = data
    count = len(members) - len(_SCRIPTS)
    if not count:
        yield NEEDS
        return
    write_zip(members, folder / ARCHIVE, _SCRIPTS)
    yield (
        f"{folder / ARCHIVE} shows {counted(count, 'result')}; upload it under Configure"
        " Autograder, then Regrade All Submissions: it runs nothing, and has no result for what"
        " is submitted later"
    )
    if unknown:
        yield left_out(unknown, "the names of what was graded have no number of a submission")


def known_to_gradescope(id: str, sources: Sequence[str]) -> bool:
    """Tell whether the number of a submission is known."""
    return _number(id, sources) is not None


def _number(id: str, sources: Sequence[str]) -> re.Match[str] | None:
    return next(filter(None, map(_NUMBER.fullmatch, (id, *sources))), None)
