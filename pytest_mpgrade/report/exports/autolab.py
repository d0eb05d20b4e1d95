"""Autolab reads the last line of the standard output.

It has a problem for each criterion, named as in the rubric.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report.exports.criteria import criterion_lines, first_causes
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.system.text import points


def render(result: ResultFile, criteria: Sequence[Criterion]) -> str:
    """Return what to fix first, the texts of all criteria, and as the last line the scores."""
    lines = criterion_lines(result, criteria)
    said = [
        f"{line.title}: {points(line.score)} of {points(line.max_score)}\n{line.text}".rstrip()
        for line in lines
    ]
    scores = {line.name: line.score for line in lines}
    total = round(math.fsum(scores.values()), 6)
    if first := first_causes(result):
        said = [f"{first}\n", *said]
    return "\n".join([*said, json.dumps({"scores": scores, "scoreboard": [total]})]) + "\n"
