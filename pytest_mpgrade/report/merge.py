"""Says once what was found under several start methods. Pure; used by every report for people."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pytest_mpgrade.records import Concern, Finding, Outcome
from pytest_mpgrade.report.result_json import CheckPart
from pytest_mpgrade.report.text import joined

EXPLAINED = (Outcome.FAILED, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.ABSENT)
"""What is explained, in this order; skipped and waiting checks are only named and counted."""

_Item = TypeVar("_Item")
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One call of one test, and its findings where they are the same under these start methods."""

    call: str
    start_methods: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def subject(self) -> str:
        """The headline's beginning: ``mp_apply(12 tasks) under fork and spawn``."""
        methods = [method for method in self.start_methods if method]
        return f"{self.call} under {joined(methods)}" if methods else self.call


@dataclass(frozen=True, kw_only=True)
class Line:
    """One check that ended in the same way, and for the same reason, under these start methods."""

    check: str
    concern: Concern
    outcome: Outcome
    message: str
    start_methods: tuple[str, ...]
    count: int


def blocks(checks: Iterable[CheckPart]) -> list[Block]:
    """Return what there is to explain, test by test, in the order of the file."""
    grouped = _grouped(checks, lambda check: (_test(check), check.start_method, _call(check)))
    tests = [group for group in grouped if any(check.outcome in EXPLAINED for check in group)]
    return [
        _block(same) for same in _grouped(tests, lambda group: (_test(group[0]), _call(group[0]), _signature(group)))
    ]


def _block(same: Sequence[Sequence[CheckPart]]) -> Block:
    first = same[0]
    return Block(
        call=_call(first[0]) or _test(first[0]).rpartition("::")[2],
        start_methods=tuple(dict.fromkeys(group[0].start_method for group in same)),
        findings=tuple(check.finding() for check in first),
    )


def _signature(group: Sequence[CheckPart]) -> Hashable:
    # Pids and times differ from run to run: what was seen is told from the first, what it means decides.
    return tuple(
        (check.check, check.outcome, _neutral(check.message, check), check.hint)
        for check in group
        if check.outcome in EXPLAINED
    )


def _neutral(message: str, check: CheckPart) -> str:
    return message.replace(f"under {check.start_method}", "") if check.start_method else message


def lines(checks: Iterable[CheckPart], outcome: Outcome) -> list[Line]:
    """Return the checks that ended so, one line for each check of each test, start methods merged.

    Tests of which a check says the same have one line together.
    """
    chosen = [check for check in checks if check.outcome is outcome]
    told = [_line(group) for group in _grouped(chosen, lambda check: (_test(check), check.check))]
    alike = _grouped(told, lambda line: (line.check, line.message, line.start_methods))
    return [replace(same[0], count=sum(line.count for line in same)) for same in alike]


def reasons(checks: Iterable[CheckPart], outcome: Outcome) -> list[Line]:
    """Return the checks that ended so, one line for each reason, whatever the check."""
    chosen = [check for check in checks if check.outcome is outcome]
    return [_line(group) for group in _grouped(chosen, lambda check: _neutral(check.message, check))]


def _line(group: Sequence[CheckPart]) -> Line:
    first = group[0]
    return Line(
        check=first.check,
        concern=first.concern,
        outcome=first.outcome,
        message=first.message or first.title,
        start_methods=tuple(dict.fromkeys(check.start_method for check in group if check.start_method)),
        count=len(group),
    )


def _call(check: CheckPart) -> str:
    return check.call.removesuffix(f" under {check.start_method}")


def _test(check: CheckPart) -> str:
    """Return the test's id without its start method, which pytest writes into the brackets."""
    name, bracket, parameters = check.test.partition("[")
    kept = [each for each in parameters.removesuffix("]").split("-") if each != check.start_method]
    return f"{name}[{'-'.join(kept)}]" if bracket and kept else name


def _grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> list[list[_Item]]:
    groups: dict[_Key, list[_Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())
