"""Feedback in the form in which a course system takes it in, made of results that exist.

Each system is a small module with a function that writes below a folder of its own, and yields
lines: what was written, how it is uploaded, and whom it could not be written for. All of it is the
students' view: of hidden checks only their points. nbgrader 0.9.6 has released what is written for
it; no upload to Canvas, Moodle, Gradescope or GitHub could be tried, and each module says what its
form was taken from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_mpgrade.batch import archives
from pytest_mpgrade.batch.feedback import canvas, github, gradescope, moodle, nbgrader
from pytest_mpgrade.batch.feedback.student import StudentFeedback
from pytest_mpgrade.errors import UsageError

SYSTEMS: Mapping[str, Callable[[Iterable[StudentFeedback], Path], Iterator[str]]] = {
    "canvas": canvas.canvas_feedback,
    "moodle": moodle.moodle_feedback,
    "nbgrader": nbgrader.nbgrader_feedback,
    "gradescope": gradescope.gradescope_feedback,
    "github": github.github_feedback,
}
"""The systems, by the names that users give."""

FOLDER = "feedback"

_KNOWN: Mapping[str, tuple[Callable[[str, Sequence[str]], bool], str]] = {
    "canvas": (canvas.known_to_canvas, canvas.NEEDS),
    "moodle": (moodle.known_to_moodle, moodle.NEEDS),
    "gradescope": (gradescope.known_to_gradescope, gradescope.NEEDS),
}
"""For systems that need the names of their own download: whether they are known, and what to do."""


def check_sources(systems: Sequence[str], sources: Mapping[str, Sequence[str]]) -> None:
    """Raise UsageError for a system for which nothing could be written about any submission.

    *sources* has the names of the download for each of them. Called before a class is graded.
    """
    for system in systems:
        known, needs = _KNOWN.get(system, (lambda *_: True, ""))
        if sources and not any(known(id, names) for id, names in sources.items()):
            raise UsageError(f"--feedback {system}: {needs.replace('was', 'can be', 1)}")


def write_feedback(
    systems: Sequence[str], students: Callable[[], Iterable[StudentFeedback]], out: Path
) -> Iterator[str]:
    """Write the feedback for each system below *out*, in place of an earlier one; yield lines.

    *students* is called once for each system, so that a large class need not be in memory. Raises
    UsageError where a system's names are not known, or *out* cannot be written.
    """
    for system in dict.fromkeys(systems):
        folder = out / FOLDER / system
        archives.clear(folder)
        for words in SYSTEMS[system](students(), folder):
            yield f"feedback for {system}: {words}"
        _remove_empty(folder)
        _remove_empty(folder.parent)


def _remove_empty(folder: Path) -> None:
    """Remove a folder into which nothing was written."""
    if not any(folder.iterdir()):
        folder.rmdir()
