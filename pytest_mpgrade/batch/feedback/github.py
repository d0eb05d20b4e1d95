"""GitHub: a comment for each student, in Markdown, for the pull request "Feedback".

GitHub Classroom opened that request as number 1 of each repository. A comment has at most 65,536
characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_mpgrade.batch.feedback.student import StudentFeedback
from pytest_mpgrade.system import atomic_write
from pytest_mpgrade.system.text import counted

MOST_BYTES = 60_000
"""Bytes of a comment, which are no fewer than its characters."""


def github_feedback(students: Iterable[StudentFeedback], folder: Path) -> Iterator[str]:
    """Write a file for each student; yield a line about them."""
    count = 0
    for student in students:
        count += 1
        data = student.markdown(MOST_BYTES).encode("utf-8", "backslashreplace")
        atomic_write.write_bytes(data, folder / f"{student.folder}.md")
    yield (
        f"{folder} has {counted(count, 'comment')}; to post one: gh pr comment 1 --repo OWNER/REPO"
        f" --body-file {folder}/NAME.md"
    )
