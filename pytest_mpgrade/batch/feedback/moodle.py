"""Moodle, "Upload multiple feedback files in a zip".

Its importer (mod/assign/feedback/file/importziplib.php) takes from a name the part between the
first and the second ``_``, which has to be the participant's number, and then the plugin, which has
to exist: ``Jane Doe_4711_assignsubmission_file_feedback.html`` becomes her feedback file
``feedback.html``. Both the number and the name stand in the names of the download. Files whose
names begin with ``.`` or ``~`` are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pytest_mpgrade.batch.feedback.student import StudentFeedback
from pytest_mpgrade.batch.packing import PAGE, file_name, left_out, needed
from pytest_mpgrade.system.text import counted
from pytest_mpgrade.system.zip_files import write_zip

ARCHIVE = "moodle-feedback.zip"
NEEDS = needed("Moodle", "Submissions, Actions, Download all submissions, in the assignment")
_SOURCE = re.compile(r"(?P<name>[^/]+)_(?P<uid>\d+)_assignsubmission_")
_ID = re.compile(r"(?P<name>.+)_(?P<uid>\d+)")
"""How a submission of Moodle's download is named in results; see `layouts.moodle`."""


def moodle_feedback(students: Iterable[StudentFeedback], folder: Path) -> Iterator[str]:
    """Write the zip; yield lines about it."""
    members: dict[str, bytes] = {}
    unknown = []
    for student in students:
        match = _participant(student.id, student.sources)
        if match is None:
            unknown.append(student.id)
        else:
            # Moodle itself writes blanks for underscores: they end the name.
            name = file_name(match["name"].replace("_", " "))
            members[f"{name}_{match['uid']}_assignsubmission_file_{PAGE}"] = student.html().encode()
    if not members:
        yield NEEDS
        return
    write_zip(members, folder / ARCHIVE)
    yield (
        f"{folder / ARCHIVE} has {counted(len(members), 'page')}; upload it in the assignment"
        " under Submissions, Actions, Upload multiple feedback files in a zip (the feedback"
        " type Feedback files has to be on)"
    )
    if unknown:
        yield left_out(unknown, "the names of what was graded have no number of a participant")


def known_to_moodle(id: str, sources: Sequence[str]) -> bool:
    """Tell whether the participant's number is known of a submission."""
    return _participant(id, sources) is not None


def _participant(id: str, sources: Sequence[str]) -> re.Match[str] | None:
    """Return the name and number of a participant; what a download has said of it counts most."""
    if sources:
        return next(filter(None, map(_SOURCE.match, sources)), None)
    return _ID.fullmatch(id)
