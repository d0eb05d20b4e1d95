"""Write the one-page handouts of this course, from the assignments' own handouts and rubrics.

    python examples/course/write_handouts.py

A test of the project holds the pages in `handouts/` equal to what this writes.
"""

from __future__ import annotations

from pathlib import Path

from pytest_mpgrade.cli.starter import handout_beside_starter
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.records import Assignment

WEEKS = ("process_basics", "vectorize", "pool", "mp_apply")
"""The assignments of the course, in their order."""

_CHECK = """## Check your own work

In the folder of your file: `pytest`. It runs the same tests as the grader, says what is wrong at which line of yours, and what
to fix first. `mpgrade debug {name} QUESTION` makes a single call in your terminal, where `print` and `breakpoint()` work.
What is asked in detail: `README.md` in your repository.
"""


def page(assignment: Assignment) -> str:
    """Return the handout of an assignment on one page: what to write, and what it is worth."""
    task = handout_beside_starter(assignment).partition("\n## ")[0].rstrip()
    rows = [f"| {each.title} | {each.points:g} |" for each in assignment.criteria]
    points = "\n".join(
        ["| what counts | points |", "|---|--:|", *rows, f"| **Total** | **{assignment.points:g}** |"]
    )
    return f"{task}\n\n## What it is worth\n\n{points}\n\n{_CHECK.format(name=assignment.name)}"


def pages() -> dict[str, str]:
    """Return all pages, by the names of their files."""
    return {f"{name}.md": page(find_assignment(name)) for name in WEEKS}


if __name__ == "__main__":
    for name, text in pages().items():
        Path(__file__).with_name("handouts").joinpath(name).write_text(text, "utf-8")
