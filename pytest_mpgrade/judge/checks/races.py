"""A check of schedules: is a call right also when a process is held back at the worst moment?"""

from __future__ import annotations

import re
from dataclasses import replace

from pytest_mpgrade.judge import turns
from pytest_mpgrade.judge.check import PASSED, Verdict, failed, inconclusive, undecided
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.symptoms import ALIVE, FORCED, HELPER, RESIDUE, UNJOINED
from pytest_mpgrade.records import Broken, Concern, Exploration, Finding, Point
from pytest_mpgrade.system.text import counted

_COUNTS = {1: "one delay", 2: "two", 3: "three"}


@check(
    title="right under every schedule that was tried",
    concern=Concern.RACE,
    judges=Exploration,
)
def holds_under_every_schedule(run: Exploration) -> Verdict:
    """The call is right also where the system holds one process or thread back, or two of them.

    The check needs what `student.explore` returns. It fails when the call breaks under a schedule,
    in each of five replays: the checks of the exploration say what breaks. It passes with what was
    tried; that is never a proof that no race is there. Its evidence tells how many schedules broke
    the call, but not in each replay: they count for nothing, and are worth a look. It is
    inconclusive when no schedule could be tried, or no thread came to where it was to be held.

    It blames the check that fails without any hold, such as `values_in_any_order`; how workers end
    under a schedule is laid to a check that finds the same in another call.
    """
    if run.plain is not None:
        return _fails_anyway(run.plain)
    if run.broken is not None:
        return _broken(run, run.broken)
    if not sum(run.tried.values()):
        never = "no thread came to a point at which it was to be held"
        return inconclusive(never if run.tried else "this machine was too busy to try a schedule")
    evidence = {"right under": covered(run)}
    if run.unsure:
        evidence["broke, but not in each replay"] = f"under {counted(run.unsure, 'schedule')}"
    return replace(PASSED, evidence=evidence)


def covered(run: Exploration) -> str:
    """Return in words which schedules were tried: "74 schedules with one delay, 60 with two"."""
    parts = [
        f"{counted(count, 'schedule')} with {_COUNTS.get(holds, holds)}"
        if place == 0
        else f"{count} with {_COUNTS.get(holds, holds)}"
        for place, (holds, count) in enumerate(sorted(run.tried.items()))
        if holds and count
    ]
    return ", ".join(parts)


_HINTS: tuple[tuple[str, str], ...] = (
    (
        r"(?:cond|Cond)\w*\.wait\(|\.(notify|notify_all|wait_for)\(",
        "a notification reaches only who waits already: take the condition's lock first, and ask"
        " there in a loop for what you wait for (with cond: while not done: cond.wait())",
    ),
    (
        r"\.(empty|qsize|full)\(",
        "what empty(), full() or qsize() has told may be over one line later: another process may"
        " take the item first, so get() it, and let a sentinel say that there is none",
    ),
    (
        r"\.(is_alive\(|exitcode)",
        "a process may put its last result and end between two of your lines: when none is alive,"
        " look once more for results, or count them",
    ),
    (
        r"(timeout\s*=|get_nowait|put_nowait|\.(get|join|wait|acquire|poll)\([^)]*\d)",
        "a time-out says that somebody was slow, not that he has nothing more to give: wait for the"
        " result, the sentinel or the end itself",
    ),
    (
        r"\btask_done\(|\bsleep\(|\.(is_set|clear)\(",
        "put() returns before the item is written: wait for the results themselves, and count them,"
        " in place of a sign or a time that says they must be there",
    ),
)
"""Patterns of lines around a hold, and what to do about each."""
_AROUND = 3
"""Lines before and after that of the hold, which may have the mistake."""
_ATOMIC = (
    "another process may store a value of its own between your reading and your storing: hold one"
    " lock around both (with value.get_lock(): …)"
)
_USUAL = (
    "let nothing depend on who is faster: wait for what you need (a result, a sentinel, the end of"
    " a process), and hold one lock from reading a shared thing to writing it"
)


def _hint(run: Exploration, hold: Point) -> str:
    """Return what to do, by the lines around the hold, or else by those of the whole file."""
    if hold.place.endswith("~"):
        return _ATOMIC
    near = [
        run.source.get(f"{hold.file}:{number}", "")
        for number in range(hold.line - _AROUND, hold.line + _AROUND + 1)
    ]
    code = "\n".join(near if hold.line else run.source.values())
    return next((hint for pattern, hint in _HINTS if re.search(pattern, code)), _USUAL)


def _fails_anyway(plain: Finding) -> Verdict:
    said = plain.instead.message if plain.instead is not None else plain.message
    concern = plain.instead.concern if plain.instead is not None else plain.concern
    by = plain.undecided_by or plain.check
    return undecided(
        f"the call fails without any hold: {said}",
        by,
        replace(failed(said, symptom=plain.symptom), concern=concern),
    )


_OF_ENDS = frozenset((ALIVE, FORCED, HELPER, RESIDUE, UNJOINED))
"""What is laid to how workers end where that fails without any hold in other calls."""


def _broken(run: Exploration, broken: Broken) -> Verdict:
    finding = broken.finding
    said = finding.instead.message if finding.instead is not None else finding.message
    first = broken.schedule.holds[0]
    verdict = failed(
        f"{turns.sentence(run, broken)}; then {said} (in {broken.replays} of {broken.replays}"
        " replays)",
        symptom=finding.symptom if finding.symptom in _OF_ENDS else "race",
        hint=_hint(run, first),
        lines=turns.lines(broken),
        replay=f"mpgrade explore . --replay '{broken.schedule.token}'",
    )
    code = run.source.get(f"{first.file}:{first.line}")
    source = {"file": first.file, "line": first.line, "code": code} if code else None
    return replace(verdict, evidence=verdict.evidence | ({"source": source} if source else {}))
