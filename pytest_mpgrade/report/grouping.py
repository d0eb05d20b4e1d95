"""Says once what several start methods have in common; every report for people uses it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pytest_mpgrade.records import Concern, Finding, Outcome
from pytest_mpgrade.report.result_json import CheckPart
from pytest_mpgrade.system.text import counted, joined

EXPLAINED = (Outcome.FAILED, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.ABSENT)
"""The outcomes that are explained, in this order.

Skipped and waiting checks are only named and counted.
"""

_Item = TypeVar("_Item")
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One call and its findings, which are the same under all of these start methods.

    *others* counts the other calls that have the same findings.
    """

    call: str
    start_methods: tuple[str, ...]
    findings: tuple[Finding, ...]
    others: int = 0

    @property
    def subject(self) -> str:
        """The headline's beginning.

        An example: ``mp_apply(12 tasks) and 2 other calls under fork and spawn``.
        """
        methods = [method for method in self.start_methods if method]
        others = f" and {counted(self.others, 'other call')}" if self.others else ""
        return f"{self.call}{others} under {joined(methods)}" if methods else f"{self.call}{others}"


@dataclass(frozen=True, kw_only=True)
class CheckGroup:
    """One check that ended in the same way, and for the same reason, under these start methods."""

    check: str
    concern: Concern
    outcome: Outcome
    message: str
    start_methods: tuple[str, ...]
    count: int


def blocks(checks: Iterable[CheckPart]) -> list[Block]:
    """Return all that is to be explained, test by test, in the order of the file.

    What several tests say alike is there once.
    """
    grouped = _grouped(checks, lambda check: (_test(check), check.start_method, _call(check)))
    tests = [group for group in grouped if any(check.outcome in EXPLAINED for check in group)]
    of_calls = _grouped(
        tests,
        lambda group: (_call(group[0]) or _test(group[0]), group[0].start_method, _told(group)),
    )
    calls = [[check for group in same for check in group] for same in of_calls]
    alike = _grouped(calls, lambda group: (_call(group[0]) or _test(group[0]), _told(group)))
    everywhere = _grouped(
        alike, lambda same: (tuple(group[0].start_method for group in same), _told(same[0]))
    )
    return [
        _block([group for same in many for group in same], len(many) - 1) for many in everywhere
    ]


def _block(same: Sequence[Sequence[CheckPart]], others: int) -> Block:
    first = same[0]
    return Block(
        call=_call(first[0]) or _test(first[0]).rpartition("::")[2],
        start_methods=tuple(dict.fromkeys(group[0].start_method for group in same)),
        findings=tuple(check.finding() for check in first),
        others=others,
    )


def _told(group: Sequence[CheckPart]) -> Hashable:
    """Return what the checks of a call say, whichever checks these are."""
    # Pids and times differ from run to run, so evidence is not compared; a block shows the first.
    said = [
        (check.outcome, _neutral(check.message or check.title, check), _neutral(check.hint, check))
        for check in group
        if check.outcome in EXPLAINED
    ]
    return tuple(dict.fromkeys(said))


def _neutral(message: str, check: CheckPart) -> str:
    """Return a message without the words in which start methods and calls of a function differ."""
    neutral = message.replace(f"under {check.start_method}", "") if check.start_method else message
    return _of_any_call(neutral, check)


def _of_any_call(message: str, check: CheckPart) -> str:
    """Return a message that names the function in place of the call."""
    function, bracket, _ = _call(check).partition("(")
    return message.replace(_call(check), f"{function}()") if bracket else message


def grouped_checks(checks: Iterable[CheckPart], outcome: Outcome) -> list[CheckGroup]:
    """Return the checks with this outcome, in groups that say the same.

    A group holds what is said of one call or of several, whichever tests made them.
    """
    chosen = [check for check in checks if check.outcome is outcome]
    return [
        _line(group)
        for group in _grouped(chosen, lambda check: (check.concern, _neutral(check.message, check)))
    ]


def reasons(checks: Iterable[CheckPart], outcome: Outcome) -> list[CheckGroup]:
    """Return the checks that ended so, one line for each reason, whatever the check."""
    chosen = [check for check in checks if check.outcome is outcome]
    return [
        _line(group) for group in _grouped(chosen, lambda check: _neutral(check.message, check))
    ]


def _line(group: Sequence[CheckPart]) -> CheckGroup:
    first = group[0]
    message = (
        _of_any_call(first.message, first)
        if len({_call(check) for check in group}) > 1
        else first.message
    )
    return CheckGroup(
        check=", ".join(dict.fromkeys(check.check for check in group)),
        concern=first.concern,
        outcome=first.outcome,
        message=message or first.title,
        start_methods=tuple(
            dict.fromkeys(check.start_method for check in group if check.start_method)
        ),
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
