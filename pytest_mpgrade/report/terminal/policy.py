"""The policy of an assignment in words, for who sets it: how points come about, and go."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_mpgrade.course.late import late_points
from pytest_mpgrade.records import Assignment, LateRules, Limits, NotebookRules
from pytest_mpgrade.report.redaction import HIDDEN
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.report.terminal.page import Page
from pytest_mpgrade.system.text import counted, joined, one_line, points

TIMED = "test_speed"
"""The beginning of the names of tests that time the submission against the reference."""
_LATE_HOURS = (1, 26, 72, 24 * 8)
"""Examples of lateness: an hour, a day and a bit, three days, over a week."""


def policy(found: ResultFile, assignment: Assignment, width: int = 80, color: bool = False) -> str:
    """Return all rules of an assignment; *found* has its questions, see `outline.collect`."""
    page = Page(width, color)
    for title, sentences in _sections(found, assignment):
        page.line("")
        page.line((title, "bold"))
        for sentence in sentences:
            page.line(one_line(sentence), indent=2, hang=2)
    return page.text


def _sections(found: ResultFile, assignment: Assignment) -> Iterator[tuple[str, list[str]]]:
    yield "Handed in", list(_handed_in(assignment))
    yield "Points", list(_about_points(found, assignment))
    yield "Undecided", list(_undecided(assignment))
    yield "Late", list(_late(assignment))
    yield "Hidden from students", list(_hidden(found, assignment))
    yield "Limits", list(_limits(assignment.limits, assignment.notebook))


def _handed_in(assignment: Assignment) -> Iterator[str]:
    functions = [f"{name}({', '.join(each)})" for name, each in assignment.functions.items()]
    yield f"{assignment.module}{f' with {joined(functions)}' if functions else ''}"
    if assignment.ordering == "submission":
        yield "results in the order of the tasks (ordering = 'submission')"
    packages = assignment.environment.packages
    yield f"may import the standard library{f', {joined(packages)}' if packages else ' only'}"


def _about_points(found: ResultFile, assignment: Assignment) -> Iterator[str]:
    yield (
        "The questions of a criterion share its points by weight, equally where no test names one;"
        " the table has what that makes of them."
    )
    yield (
        "The units of a question share its points equally: it is asked under each of its start"
        f" methods ({', '.join(assignment.start_methods)} at most) and for each of its variants."
    )
    yield (
        "A unit is earned when all its checks have passed. What did nothing that could be judged"
        " (absent) earns nothing, and accuses nobody."
    )
    if any(each.requires for each in assignment.criteria):
        yield (
            "A criterion that requires others is earned only where each of them has at least half"
            " of its points."
        )
    questions = [each.id for criterion in found.criteria for each in criterion.questions]
    if any(id.rpartition("::")[2].startswith(TIMED) for id in questions):
        speed = assignment.speedup
        yield (
            f"A timing costs nothing up to {speed.free:g} times the reference's cost, all points"
            f" from {speed.lost:g} times on, and a part in between; starting may take"
            f" {speed.starting_seconds:g} s more than the reference's."
        )
    yield (
        f"The score is rounded half up to a multiple of {points(assignment.round)} points, once, at"
        " the end."
    )


def _undecided(assignment: Assignment) -> Iterator[str]:
    yield (
        "Any check may end as inconclusive (this machine could not decide), as error (the grader"
        " or the machine broke), or as skipped where the platform cannot show it."
    )
    yield (
        "That counts neither way: the check leaves its unit, a unit without a decided check its"
        " question, and so on, and what is left shares the points: a right solution always has all"
        f" {points(assignment.points)}."
    )
    yield (
        "Where more than a quarter of the points is inconclusive or in error there is no grade; a"
        " person has to look."
    )


def _late(assignment: Assignment) -> Iterator[str]:
    rules = assignment.late
    if rules is None:
        yield "There is no late rule: handing in late costs nothing."
        return
    due = rules.due.isoformat(" ", "minutes") if rules.due else "not set here, see batch --due"
    yield f"due: {due}"
    yield f"points taken off (penalty): {rules.penalty}"
    if rules.drop != LateRules.drop:
        yield f"no points are left where (drop): {rules.drop}"
    for hours in _LATE_HOURS:
        yield f"handed in {counted(hours, 'hour')} late: {_example(assignment, rules, hours)}"
    yield (
        "An extension is a row of the roster (batch --roster): its column due, or extension_days."
        " A group has the latest due time of its members."
    )
    yield (
        "Who is marked late by an unknown time has no grade where the rule asks for days or hours;"
        " of whom nothing says when it came is on time."
    )


def _example(assignment: Assignment, rules: LateRules, hours: float) -> str:
    """Return what is left of all points and of half of them."""
    most = assignment.points
    shown, shares = [], []
    for had in (most, most / 2):
        try:
            after = late_points(rules, had, most, 3600.0 * hours, assignment.round)
        except ValueError as error:
            return str(error)
        shares.append(f"{100 * (had - after) / had:.3g} % off")
        shown.append(f"{points(had)} points become {points(after)}")
    if shares[0] == shares[1]:
        return f"{shares[0]}, {shown[0]}"
    return ", ".join(f"{what} ({share})" for what, share in zip(shown, shares, strict=True))


def _hidden(found: ResultFile, assignment: Assignment) -> Iterator[str]:
    names = {each.name for each in assignment.criteria if each.hidden}
    if not names:
        yield "nothing"
    for criterion in found.criteria:
        if criterion.name in names:
            asked = [each.id.rpartition("::")[2] for each in criterion.questions]
            worth = points(criterion.max_points)
            yield f"{criterion.name}, worth {worth}: {', '.join(asked)}"
    if names:
        yield (
            f"Students see “{HIDDEN}” and its points, here with --markdown too; result.json and"
            " batches have everything."
        )


def _limits(limits: Limits, notebook: NotebookRules | None) -> Iterator[str]:
    yield (
        f"time: {limits.seconds:g} s for a call, {limits.import_seconds:g} s for the import,"
        f" {limits.submission_seconds:g} s for the whole grading; {limits.cpu_seconds:g} s of CPU"
        " time for all processes of a run; processes that only nap, and do not hang provably, are"
        f" waited for {limits.patience:g} s"
    )
    if notebook:
        yield (
            f"notebook: {notebook.cell_seconds:g} s for a cell, {notebook.seconds:g} s for all;"
            f" {_bytes(notebook.output_bytes)} of outputs are kept"
        )
    yield f"memory: {_bytes(limits.memory_bytes)}; processes at a time: {limits.processes}"
    yield (
        f"disk: {_bytes(limits.file_bytes)} for a file, {_bytes(limits.disk_bytes)} for scratch and"
        " for shared memory each"
    )
    yield (
        f"output: printed text is cut at {_bytes(limits.output_bytes)}, which costs nothing; what a"
        f" call returns may have {_bytes(limits.answer_bytes)}"
    )


def _bytes(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:g} {unit}"
    return f"{count} bytes"
