"""Autolab reads the last line of the standard output: a problem for each criterion, named as in the rubric."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report.exports.lines import lines
from pytest_mpgrade.report.result_json import ResultFile


def render(result: ResultFile, criteria: Sequence[Criterion]) -> str:
    """Return what was found in words, and in the last line the scores."""
    found = lines(result, criteria)
    said = [f"{line.title}: {line.score:g} of {line.max_score:g}\n{line.text}".rstrip() for line in found]
    scores = {line.name: line.score for line in found}
    return "\n".join([*said, json.dumps({"scores": scores, "scoreboard": [sum(scores.values())]})]) + "\n"
