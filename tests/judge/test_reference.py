"""The reference page of checks, held against the code; what docstrings say of checks, held against
their verdicts.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from pytest_mpgrade import cli
from pytest_mpgrade.judge import checks, reference
from pytest_mpgrade.judge.attribution import BLAMES
from pytest_mpgrade.judge.check import Check, before_all
from pytest_mpgrade.judge.definition import UnfitRunError
from pytest_mpgrade.judge.examples import EXAMPLES
from pytest_mpgrade.judge.examples.awaiting import held
from pytest_mpgrade.judge.examples.background import begun
from pytest_mpgrade.judge.examples.runs import LINE, changed, lined_up
from pytest_mpgrade.judge.examples.timings import pair, scaled, timing_of
from pytest_mpgrade.judge.verdict import Verdict
from pytest_mpgrade.records import Concern, Ending, Exploration, GateReport, Notebook, Outcome, Run
from support.running import ROOT

SAID = {
    Outcome.PASSED: "",
    Outcome.FAILED: "fails",
    Outcome.ABSENT: "absent",
    Outcome.INCONCLUSIVE: "inconclusive",
    Outcome.SKIPPED: "skipped",
}
EVERYWHERE = {BLAMES[Concern.IMPORT], BLAMES[Concern.START_METHOD]}
"""Checks that nearly every other one blames: the page says so once."""


def variants(run: Run) -> Iterator[Run]:
    """Yield a run, and what it would be with something else seen of it."""
    trace, gates = run.trace, run.trace.gates or GateReport(script="open")
    yield run
    for ending in (Ending.RETURNED, Ending.HUNG, Ending.TIMED_OUT, Ending.STOPPED, Ending.DIED):
        yield replace(run, ending=ending)
    yield changed(run, observer="psutil")
    yield changed(run, gates=None)
    yield changed(run, gates=replace(gates, met=False, early=True))
    yield replace(changed(run, gates=replace(gates, met=False)), control=False)
    yield replace(run, control=False)
    yield replace(
        changed(run, gates=replace(gates, wanted=9, met=False, most_inside=1)), control=True
    )
    yield changed(run, events=())
    yield changed(run, processes=())
    yield changed(run, events=(), processes=())
    yield changed(run, events=tuple(replace(event, pid=trace.caller) for event in trace.events))
    for state in ("alive", "zombie"):
        yield changed(
            run,
            processes=tuple(
                replace(each, later=state, at_return=state) for each in trace.processes
            ),
        )
    server = tuple(replace(each, born="forkserver") for each in trace.processes)
    yield replace(changed(run, processes=server), start_method="forkserver")
    yield replace(run, import_children=2)
    yield replace(run, returned_under="fork", start_method="spawn")
    yield replace(run, encoded=["list", []])
    yield replace(run, encoded=["none"], printed="Task still running.")
    if isinstance(run, Exploration):
        yield replace(run, broken=None, tried={})
        yield replace(run, broken=None, plain=checks.values_in_any_order(LINE)(run))
    if isinstance(run, Notebook):
        yield replace(run, told=False, looked=False)
        yield replace(run, told=False, values={})


UNSURE = (
    timing_of(*(pair(ratio) for ratio in (0.9, 1.6, 1.0, 1.7))),
    timing_of(pair(wall=1.9), pair(wall=0.5)),
    timing_of(problem="the machine was busy"),
    scaled(n1=(0.32, 0.32), n2=(0.16, 0.31), n4=(0.08, 0.30)),
)
SLOW = GateReport(script="loop", wanted=1, met=True, most_inside=1, turns=(0.61, 0.52, 0.55))
"""A loop that was slow to answer."""
RUNS = [
    *UNSURE,
    held(gates=SLOW, observer="psutil"),
    *(
        variant
        for one in EXAMPLES
        for run in (one.passing, one.failing)
        for variant in variants(run)
    ),
]
LATE = begun(gates=GateReport(script="shut"))
"""A call that was not back when the time limit came, and had not waited long."""
TOGETHER = checks.Together(started=[LATE], pause=lined_up())
SHARED = next(one.failing for one in EXAMPLES if one.check.name == "one_process_each")
MORE = (
    checks.still_running("…", LATE),
    checks.waits_when_asked(LATE),
    checks.returns_at_once(started=LATE),
    checks.meet_in_background(3, [LATE]),
    checks.hands_over(400, Concern.DEADLOCK),
    checks.hands_over(400, together=TOGETHER),
    checks.hands_over_plain(["int", "400"], Concern.DEADLOCK),
    checks.hands_over_plain(["int", "400"], together=TOGETHER),
    checks.exit_codes([0], plain=SHARED),
    checks.exit_codes_in_order([0], SHARED),
    checks.outlives_failures(SHARED),
)
"""Checks with parameters that the examples do not have, and that make them end otherwise."""


def judged(check: Check, run: Run) -> Verdict | None:
    """Return what a check says of a run by itself; None where that is not for it."""
    try:
        return check.judge(run) if before_all(run) is None else None
    except UnfitRunError:
        return None


@cache
def verdicts(name: str) -> tuple[Verdict, ...]:
    """Return what a check, as its examples make it, says of the runs of all examples and of their
    variants.
    """
    function = inspect.unwrap(reference.CHECKS[name])
    made = [
        each
        for each in (*(one.check for one in EXAMPLES), *MORE)
        if inspect.unwrap(each.judge) is function
    ]
    found = (judged(check, run) for check in made for run in RUNS)
    return tuple(each for each in found if each is not None)


def said(name: str) -> str:
    """Return what the docstring of a check says, and that of the one to which it refers."""
    text = inspect.getdoc(reference.CHECKS[name]) or ""
    other = re.search(r"See `(\w+)`", text)
    return " ".join((text + (said(other[1]) if other else "")).split())


EACH = pytest.mark.parametrize("name", reference.CHECKS)


def test_page_is_made_of_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/checks.md is what `mpgrade checks` prints."""
    assert cli.main(["checks"]) == 0
    page = (ROOT / "docs" / "checks.md").read_text("utf-8")
    assert page == capsys.readouterr().out, "run: mpgrade checks > docs/checks.md"


@EACH
def test_docstring_says_how_a_check_ends(name: str) -> None:
    """Each outcome that a check has on some run is named in its docstring, and no other."""
    seen = {
        each.outcome
        for each in verdicts(name)
        if not (each.outcome is Outcome.SKIPPED and each.undecided_by)
    }
    words = {outcome for outcome, word in SAID.items() if re.search(rf"\b{word}\b", said(name))}
    assert seen | {Outcome.PASSED} == words


@EACH
def test_docstring_says_whom_a_check_blames(name: str) -> None:
    """Each check that is blamed, and each other concern that a failure belongs to, is in the
    docstring.
    """
    text = said(name)
    blamed = {each.undecided_by for each in verdicts(name) if each.undecided_by} - EVERYWHERE
    if "is left to the check that it belongs to" in text:
        blamed -= set(BLAMES.values())
    own = {None, *(one.check.concern for one in EXAMPLES if one.check.name == name)}
    concerns = {each.concern for each in verdicts(name) if each.outcome is Outcome.FAILED} - own
    assert {
        word for word in blamed | {str(each) for each in concerns} if f"`{word}`" not in text
    } == set()


@EACH
def test_docstring_blames_checks_that_there_are(name: str) -> None:
    """What is blamed by a docstring is the name of a check, or a concern."""
    blamed = re.findall(r"(?:[Bb]lames|belongs to) ([^.]*)\.", said(name))
    names = set(re.findall(r"`(\w+)`", " ".join(blamed)))
    assert names <= {*reference.CHECKS, *map(str, Concern), "bg_task", "bg_get"}
