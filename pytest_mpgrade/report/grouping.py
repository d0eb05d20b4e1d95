"""Says once what several checks have in common; every report for people uses it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pytest_mpgrade.records import Outcome
from pytest_mpgrade.report.result_json import CausePart, CheckPart
from pytest_mpgrade.system.text import counted, joined, one_line, points

EXPLAINED = (Outcome.FAILED, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.ABSENT)
"""The outcomes that are explained, in this order.

Skipped and waiting checks are only named and counted.
"""

_MOST_QUESTIONS = 2
"""Questions that are named; of more than these the first one is, and the others are counted."""


def shown_by(cause: CausePart, checks: Iterable[CheckPart]) -> tuple[CheckPart, int]:
    """Return the check that shows a cause best, and how many other calls show it."""
    named = set(cause.checks)
    own = {check.id: check for check in checks if check.id in named}
    calls = {_call(check) or _test(check) for check in own.values()}
    return own[cause.checks[0]], len(calls) - 1


def source_place(check: CheckPart) -> tuple[str, int] | None:
    """Return the name of a student's file and the line in it that a check names; without one, None.

    Of a hang it is the line at which the first process of those that hang waits.
    """
    place = check.evidence.get("source")
    if isinstance(place, Mapping) and isinstance(place.get("line"), int) and place["line"] > 0:
        return str(place.get("file", "")), place["line"]
    return None


def alike(checks: Iterable[CheckPart]) -> list[list[CheckPart]]:
    """Return the failed checks, those together that say the same of the same line of a student."""
    found: dict[object, list[CheckPart]] = {}
    for check in checks:
        if check.outcome is Outcome.FAILED:
            found.setdefault((source_place(check), check.check, check.hint), []).append(check)
    return list(found.values())


def methods_of(checks: Iterable[CheckPart]) -> list[str]:
    """Return the start methods of several checks, each once."""
    return list(dict.fromkeys(check.start_method for check in checks if check.start_method))


def subject(check: CheckPart, start_methods: Sequence[str], others: int) -> str:
    """Return the headline for what several calls show alike.

    An example: ``mp_apply(12 tasks) and 2 other calls under fork and spawn``.
    """
    words = _call(check) or _test(check).rpartition("::")[2]
    words += f" and {counted(others, 'other call')}" if others else ""
    return f"{words} under {joined(start_methods)}" if start_methods else words


def hangs_on_it(cause: CausePart) -> str:
    """Return how many points a cause costs, and which questions fail for it."""
    worth = f"{points(cause.points)} {'point' if cause.points == 1 else 'points'}"
    return f"{cause.concern}, {worth}: {failing(cause)}"


def failing(cause: CausePart) -> str:
    """Return which questions fail for a cause, and under which start methods."""
    methods = f" under {joined(cause.start_methods)}" if cause.start_methods else ""
    return f"{_questions(cause.questions)}{methods}"


def _questions(ids: Sequence[str]) -> str:
    names = [one_line(each.rpartition("::")[2]) for each in ids]
    if len(names) > _MOST_QUESTIONS:
        rest = len(names) - _MOST_QUESTIONS + 1
        names = [*names[:-rest], f"{rest} other questions"]
    return joined(names) or "nothing could be tried"


def reasons(checks: Iterable[CheckPart], outcome: Outcome) -> list[tuple[str, int]]:
    """Return why checks ended so, in words, and for each reason how many they are."""
    groups: dict[str, list[CheckPart]] = {}
    for check in checks:
        if check.outcome is outcome:
            groups.setdefault(_neutral(check), []).append(check)
    return [(_words(group), len(group)) for group in groups.values()]


def _neutral(check: CheckPart) -> str:
    """Return a message without the words in which start methods and calls of a function differ."""
    message = check.message
    if check.start_method:
        message = message.replace(f"under {check.start_method}", "")
    return _of_any_call(message, check)


def _of_any_call(message: str, check: CheckPart) -> str:
    """Return a message that names the function in place of the call."""
    function, bracket, _ = _call(check).partition("(")
    return message.replace(_call(check), f"{function}()") if bracket else message


def _words(group: Sequence[CheckPart]) -> str:
    first, calls = group[0], {_call(check) for check in group}
    return (first.message if len(calls) == 1 else _of_any_call(first.message, first)) or first.title


def _call(check: CheckPart) -> str:
    return check.call.removesuffix(f" under {check.start_method}")


def _test(check: CheckPart) -> str:
    """Return the test's id without its start method, which pytest writes into the brackets."""
    name, bracket, parameters = check.test.partition("[")
    kept = [each for each in parameters.removesuffix("]").split("-") if each != check.start_method]
    return f"{name}[{'-'.join(kept)}]" if bracket and kept else name
