"""Text for people: explanations, the rubric, the class; with rich.

Everything is returned as text, so that the plugin, the command line and tests print it as they
need.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pytest_mpgrade.records import Assignment, Finding, Outcome
from pytest_mpgrade.report import adjustments, causes, evidence, grouping
from pytest_mpgrade.report.grade_words import reason_line
from pytest_mpgrade.report.result_json import CausePart, CheckPart, ResultFile
from pytest_mpgrade.report.terminal.class_summary import class_table, ungradable
from pytest_mpgrade.report.terminal.first_causes import add_fix_first, fix_first
from pytest_mpgrade.report.terminal.page import STYLES, Page
from pytest_mpgrade.report.terminal.points_table import mostly_missed, points_table
from pytest_mpgrade.report.terminal.question_table import rubric_rows
from pytest_mpgrade.system.text import counted, exit_words, joined, one_line, points

__all__ = [
    "about_points",
    "class_table",
    "exit_words",
    "explain_test",
    "explanation_of_each",
    "explanations",
    "fix_first",
    "rubric",
    "ungradable",
]

_SAID = {
    Outcome.ERROR: "not your fault: the grader or the machine broke",
    Outcome.INCONCLUSIVE: "not decided on this machine",
    Outcome.ABSENT: "nothing to judge",
}
_ADJECTIVES = {Outcome.ERROR: "in error"}
_FLAGS = {
    Outcome.ERROR: ": the grader or the machine broke; a person should look",
    Outcome.INCONCLUSIVE: ": this machine could not decide; a person should look",
    Outcome.ABSENT: ": nothing was there to be judged",
    Outcome.SKIPPED: ": not possible here",
    Outcome.NOT_RUN: "",
}
_OF_TESTS = frozenset((Outcome.ABSENT, Outcome.SKIPPED))
"""Outcomes that are counted by tests, as pytest does: a single check of a test costs nothing."""
_MOST_REASONS = 3
"""Different messages that are shown for one outcome; result.json has all of them."""


def explain_test(
    call: str, findings: Sequence[Finding], width: int = 80, color: bool = False
) -> str:
    """Explain one failing test to its student.

    *call* is the headline's subject, with the start method. Failed checks come first. Passed ones
    are only counted, skipped ones only named. What several checks say is there once.
    """
    findings = _once(findings)
    page = Page(width, color)
    page.line((f"{one_line(call)}: ", "bold"), (_count(findings), STYLES[Outcome.FAILED]), hang=4)
    for outcome in grouping.EXPLAINED:
        said: dict[tuple[str, str], list[Finding]] = {}
        for finding in findings:
            if finding.outcome is outcome:
                said.setdefault((finding.message or finding.title, finding.hint), []).append(
                    finding
                )
        for same in said.values():
            _explain_one(page, same[0], [finding.check or finding.title for finding in same])
    told = {each.check for each in findings if each.outcome in grouping.EXPLAINED}
    if skipped := [
        one_line(each.check)
        for each in findings
        if each.outcome is Outcome.SKIPPED and each.check not in told
    ]:
        page.line(f"skipped: {', '.join(skipped)}", indent=2, hang=4)
    return page.text


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings without those that say of a call what another of the same check does."""
    known = {
        (each.check, each.outcome, each.message, each.hint): each for each in reversed(findings)
    }
    return [each for each in findings if any(each is kept for kept in known.values())]


def _count(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.outcome for finding in findings)
    shown = [
        f"{counts[outcome]} {_ADJECTIVES.get(outcome, outcome)}"
        for outcome in grouping.EXPLAINED
        if counts[outcome]
    ]
    rest = Outcome.SKIPPED if counts[Outcome.SKIPPED] else Outcome.FAILED
    first, _, others = ", ".join(shown or [f"{counts[rest]} {rest}"]).partition(" ")
    return f"{first} of {counted(len(findings), 'check')} {others}"


def _explain_one(page: Page, finding: Finding, checks: Sequence[str]) -> None:
    said = f" ({_SAID[finding.outcome]})" if finding.outcome in _SAID else ""
    name = (f"{', '.join(map(one_line, checks))}{said}: ", STYLES[finding.outcome])
    page.line(name, _message(finding), indent=2, hang=4)
    if source := evidence.source_line(finding.evidence):
        page.line((source, "cyan"), indent=6, hang=4)
    for line in evidence.evidence_lines(finding.evidence):
        page.line((line, "dim"), indent=6, hang=4)
    if finding.hint:
        page.line(("hint: ", "bold"), one_line(finding.hint), indent=6, hang=6)


def _message(finding: Finding) -> str:
    """Return the message, in which the headline's call is not repeated with all its arguments."""
    call = finding.call.partition(" under ")[0]
    function, bracket, _ = call.partition("(")
    message = finding.message or finding.title
    return one_line(message.replace(call, f"{function}()") if bracket else message)


def explanations(result: ResultFile, width: int = 80, color: bool = False) -> str:
    """Explain each cause of failures of which `fix_first` does not say all that there is to say."""
    return "\n\n".join(explanation_of_each(result, width, color))


def explanation_of_each(result: ResultFile, width: int = 80, color: bool = False) -> list[str]:
    """Return for each such cause the call that shows it best, with its evidence."""
    return list(
        filter(
            None,
            (
                _explained(cause, result, Page(width, color), in_full=place < causes.MOST)
                for place, cause in enumerate(result.causes)
            ),
        )
    )


def _explained(cause: CausePart, result: ResultFile, page: Page, *, in_full: bool) -> str:
    """Explain a cause, with its evidence if *in_full*; "" where `fix_first` says all of it."""
    check, others = grouping.shown_by(cause, result.checks)
    if cause.change == cause.seen and not evidence.evidence_lines(check.evidence):
        return ""
    subject = grouping.subject(check, cause.start_methods, others)
    page.line((one_line(subject), STYLES[Outcome.FAILED]), hang=4)
    # The hint is what `fix_first` begins with.
    finding = dataclasses.replace(check.finding(), hint="")
    shown = finding if in_full else dataclasses.replace(finding, evidence={})
    _explain_one(page, shown, [check.check])
    return page.text


def rubric(result: ResultFile, width: int = 80, color: bool = False, *, headed: bool = True) -> str:
    """Return what to fix first, the points, and what a person should look at.

    *headed*: it begins with whose they are. Where most criteria were not reached, the points are
    one line.
    """
    page = Page(width, color)
    handed_in = result.submission
    module = f" ({one_line(handed_in.module)})" if handed_in.module else ""
    if headed:
        title = f"{one_line(result.assignment)}: {one_line(handed_in.id)}{module}"
        page.line((title, "bold"), hang=4)
    for remark in filter(None, (handed_in.note, reason_line(result))):
        page.line(one_line(remark), indent=2, hang=2)
    add_fix_first(page, result)
    if missed := mostly_missed(result):
        page.line("")
        page.line((missed, "bold"), indent=2, hang=4)
    else:
        page.table(points_table(result, width))
    for words in filter(
        None,
        [*about_points(result), *adjustments.change_lines(result), adjustments.late_words(result)],
    ):
        page.line(one_line(words), indent=2, hang=4)
    _flags(page, result)
    return page.text


def about_points(result: ResultFile) -> Iterable[str]:
    """Say why points were not earned that no failed check explains.

    Say also how many points could not be decided and were spread over the others.
    """
    reasons: dict[str, list[str]] = {}
    for criterion in result.criteria:
        checks = result.of(criterion.name)
        if criterion.reason and any(each.outcome is Outcome.PASSED for each in checks):
            reasons.setdefault(criterion.reason, []).append(criterion.name)
        elif not any(each.outcome is Outcome.FAILED for each in checks) and (
            by := dict.fromkeys(each.undecided_by for each in checks if each.undecided_by)
        ):
            words = f"what is missing could not be decided while {joined(tuple(by))} fails"
            reasons.setdefault(words, []).append(criterion.name)
    for reason, names in reasons.items():
        yield f"{reason}: {', '.join(names)}"
    if lost := result.undecided.points:
        was = "was" if lost == 1 else "were"
        yield (
            f"{points(lost)} of the points could not be decided here, and {was} spread over the"
            " others: that costs nothing"
        )


def _flags(page: Page, result: ResultFile) -> None:
    for outcome, meaning in _FLAGS.items():
        # What a failure has left undecided is in the table, and that failure is explained.
        checks = [each for each in result.checks if not each.undecided_by]
        noun = "check"
        if outcome in _OF_TESTS:
            # A check that shows nothing costs nothing where others decide its test.
            noun, checks = (
                "test",
                [
                    each.telling
                    for each in result.units()
                    if each.unit.outcome is outcome
                    and each.telling
                    and not each.telling.undecided_by
                ],
            )
        if count := sum(each.outcome is outcome for each in checks):
            said = f"{counted(count, noun)} {_ADJECTIVES.get(outcome, outcome)}"
            page.line((said, STYLES.get(outcome, "")), meaning, indent=2, hang=2)
            _say_why(page, checks, outcome)


def _say_why(page: Page, checks: Sequence[CheckPart], outcome: Outcome) -> None:
    """Add the reasons for an outcome, except that of checks which another failure explains."""
    # What has not been run has no reason of its own; the result's is at the top.
    reasons = [] if outcome is Outcome.NOT_RUN else grouping.reasons(checks, outcome)
    for message, count in reasons[:_MOST_REASONS]:
        times = f"{count} times: " if count > 1 and len(reasons) > 1 else ""
        page.line(f"{times}{one_line(message)}", indent=6, hang=4)
    if rest := reasons[_MOST_REASONS:]:
        page.line(f"… and {counted(len(rest), 'other reason')}", indent=6)


def outline(
    result: ResultFile, assignment: Assignment, width: int = 80, color: bool = False
) -> str:
    """Return what each question of an assignment is worth."""
    page = Page(width, color)
    page.line((f"{one_line(assignment.name)}: {one_line(assignment.title)}", "bold"), hang=4)
    table = Table(box=SIMPLE_HEAD, show_footer=True, pad_edge=True)
    table.add_column("Question", "Total", overflow="fold")
    table.add_column("Units", justify="right")
    table.add_column("Points", points(result.max_score), justify="right", no_wrap=True)
    for row in rubric_rows(result, assignment):
        if row.units:
            table.add_row(Padding(row.title, (0, 0, 0, 2)), row.units, row.points)
        else:
            title = Text.assemble((row.title, "bold"), f"; {row.requires}" if row.requires else "")
            table.add_row(title, "", Text(row.points, "bold"))
    page.table(table)
    page.line(
        "A unit is a question as it is asked under one start method and for one variant; 3 × 8 is"
        " under 3 start methods and for 8 variants.",
        indent=2,
    )
    return page.text
