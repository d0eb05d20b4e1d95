"""The summary of a step on GitHub, in Markdown: the rubric, and what failed.

What comes from a submission is written as character references or as escaped text in `<pre>`, in
which Markdown means nothing: it can neither break the page nor add to it.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_mpgrade.records import Criterion, Outcome, Status
from pytest_mpgrade.report import adjustments, grouping, terminal
from pytest_mpgrade.report.exports.criteria import criterion_lines, result_summary
from pytest_mpgrade.report.result_json import CheckPart, ResultFile
from pytest_mpgrade.system.text import counted, one_line, points

MOST_BYTES = 100_000
"""Bytes of a summary; GitHub shows nothing of one above 1 MiB, on older runners 128 KiB."""
_WIDTH = 100
"""Characters of a line: as many as GitHub shows of a preformatted text without a scrollbar."""
_LONGEST = 8000  # characters of one explanation


def render(result: ResultFile, criteria: Sequence[Criterion], most_bytes: int = MOST_BYTES) -> str:
    """Return the page: as many explanations as there is room for."""
    page = "\n".join(_rubric(result, criteria))
    if first := terminal.fix_first(result, _WIDTH):
        page += _preformatted(first)
    told = terminal.explanation_of_each(result, _WIDTH)
    for number, explanation in enumerate(told):
        text = _preformatted(explanation)
        rest = f"\n… and {counted(len(told) - number, 'other')}: see result.json\n"
        if len((page + text + rest).encode("utf-8", "backslashreplace")) > most_bytes:
            return page + rest
        page += text
    return page


def _rubric(result: ResultFile, criteria: Sequence[Criterion]) -> Iterator[str]:
    score = f"{points(result.score)} / {points(result.max_score)}"
    yield (
        f"## {_inline(result.assignment)}:"
        f" {score if result.status is Status.GRADED else 'not graded'}\n"
    )
    for remark in filter(None, (result.submission.note, result_summary(result))):
        yield _preformatted(remark)
    yield "| Criterion | Checks | Points |\n|---|---|--:|"
    for line in criterion_lines(result, criteria):
        mine = [check for check in result.checks if check.criterion == line.name]
        worth = f"{points(line.score)} / {points(line.max_score)}" if line.max_score else "-"
        yield f"| {_inline(line.title)} | {_tally(mine)} | {worth} |"
    yield f"| **Total** | {_tally(result.checks)} | **{score}** |\n\n"
    about = [*terminal.about_points(result)] if result.status is Status.GRADED else []
    about += [*adjustments.change_lines(result), adjustments.late_words(result)]
    if said := "\n".join(map(one_line, filter(None, about))):
        yield _preformatted(said)
    for outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE):
        if why := [one_line(words) for words, _ in grouping.reasons(result.checks, outcome)]:
            yield _preformatted("\n".join([f"{outcome}; a person should look:", *why]))


def _tally(checks: Sequence[CheckPart]) -> str:
    counts = Counter(check.outcome for check in checks)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])


def _preformatted(text: str) -> str:
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
    return f"<pre>{html.escape(short)}</pre>\n\n"


def _inline(text: str) -> str:
    return "".join(
        sign if sign.isalnum() or sign == " " else f"&#{ord(sign)};" for sign in one_line(text)
    )
