"""What changed between two gradings of a class, as text: whose points, and by which checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_mpgrade.report import result_json
from pytest_mpgrade.report.result_changes import result_changes
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.system.text import one_line


def read_results(folder: Path) -> dict[str, ResultFile]:
    """Return the results in a folder of a batch, or of a single grading.

    Their keys are the names of submissions. Raises UsageError where there is none.
    """
    files = result_json.result_files(folder)
    return {result.submission.id: result for result in map(result_json.read_result, files)}


def changes(old: Mapping[str, ResultFile], new: Mapping[str, ResultFile]) -> Iterator[str]:
    """Yield a line for each submission whose points or status changed.

    After it come lines for the questions, checks and overrides that differ.
    """
    for each in result_changes(old, new):
        name = one_line(each.id)
        if not each.before or not each.after:
            yield f"{name}: {'only in the new ones' if each.after else 'not in the new ones'}"
            continue
        yield f"{name}: {each.before} -> {each.after}"
        yield from (f"    {line}" for line in (*each.questions, *each.checks, *each.by_hand))
