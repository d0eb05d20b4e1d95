"""Every check on runs written down by hand: what it fails, what it leaves to others, and in what
words.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pytest_mpgrade import checks, tasks
from pytest_mpgrade.inside.placeholders import STAYS_EMPTY
from pytest_mpgrade.judge import symptoms
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.checks.notebook_output import rows_of
from pytest_mpgrade.judge.examples import EXAMPLES, Example
from pytest_mpgrade.judge.examples.background import RUNNING, begun, dropped, got, polled
from pytest_mpgrade.judge.examples.hangs import hung, stuck
from pytest_mpgrade.judge.examples.notebooks import cell, executed, printing, showing
from pytest_mpgrade.judge.examples.runs import (
    CALLER,
    CREW,
    DIES,
    FACTS,
    LINE,
    MIXED,
    RAISES,
    VOUCHED,
    by_caller,
    changed,
    child,
    dealt_in_turn,
    last_in,
    lined_up,
    made,
    raising,
    unmet,
    worked,
    worker_processes,
)
from pytest_mpgrade.records import (
    Awaited,
    Concern,
    Ending,
    Finding,
    GateEvent,
    GateReport,
    GateStep,
    Lack,
    Leftover,
    Outcome,
    Outputs,
    Run,
)

PASSED, FAILED, ABSENT = Outcome.PASSED, Outcome.FAILED, Outcome.ABSENT
INCONCLUSIVE, ERROR, SKIPPED = Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.SKIPPED
NAMES = frozenset(name for name in checks.__all__ if hasattr(getattr(checks, name), "__wrapped__"))
JUNK = re.compile(
    r"(?<!returned )(?<!not )(?<!with )(?<!result )\bNone\b|(?<!\()\[\]|\{\}|\n|  |[.:;,]$|^\s|\s$"
)
"""What slips into a message when a value is missing; a call may have returned None, and been given
[].
"""


def judged(check: Check, run: Run) -> Finding:
    """Return the finding of a check; its message and what it names are held against the house's
    wording.
    """
    finding = check(run)
    assert not JUNK.search(finding.message), finding.message
    assert finding.undecided_by in NAMES | {""}
    assert not (finding.undecided_by and finding.outcome is not SKIPPED)
    assert bool(finding.message) is (finding.outcome is not PASSED)
    assert finding.outcome is FAILED or not finding.hint
    return finding


@dataclass(frozen=True)
class Case:
    """A check on a run, and what it must say."""

    name: str
    check: Check
    run: Run
    outcome: Outcome
    by: str = ""
    words: str = ""


def cases(given: list[Case]) -> list[Any]:
    """Return the parameters of a test."""
    return [
        pytest.param(
            one,
            id=f"{one.name}: {one.check.name} {one.outcome}",
        )
        for one in given
    ]


def hold(given: Case) -> None:
    """Judge a case."""
    finding = judged(given.check, given.run)
    assert (finding.outcome, finding.undecided_by) == (given.outcome, given.by), finding.message
    assert given.words in finding.message


# --- every check has its examples

EACH = pytest.mark.parametrize(
    "example", EXAMPLES, ids=[f"{number}-{one.check.name}" for number, one in enumerate(EXAMPLES)]
)


def test_every_check_has_an_example() -> None:
    """No check is without a passing and a failing run."""
    factories = {one.check.judge.__qualname__.partition(".")[0] for one in EXAMPLES}
    assert factories | {one.check.name for one in EXAMPLES} == NAMES


@EACH
def test_example(example: Example) -> None:
    """The passing run passes without a word, the failing one fails with a message."""
    assert judged(example.check, example.passing).outcome is PASSED
    finding = judged(example.check, example.failing)
    assert finding.outcome is FAILED
    assert finding.concern is example.check.concern
    assert finding.symptom
    assert (finding.check, finding.call, finding.run) == (
        example.check.name,
        example.failing.at,
        example.failing.key,
    )
    json.dumps(finding.evidence)


@pytest.mark.parametrize(
    "example",
    [pytest.param(one, id=one.check.name) for one in EXAMPLES],
)
def test_failure_shows_what_was_seen(example: Example) -> None:
    """A failed check comes with a hint, with evidence, or with a message that says what came
    back.
    """
    finding = judged(example.check, example.failing)
    assert finding.hint or finding.evidence or "returned" in finding.message


def test_checks_are_pure() -> None:
    """Judging all examples starts no process, opens no file or socket, and waits for nothing."""
    code = """
import sys
import numpy  # an array that was sent is made of its bytes again
from pytest_mpgrade.judge.examples import EXAMPLES
seen = []
sys.addaudithook(lambda event, args: seen.append(event))
for example in EXAMPLES:
    example.check(example.passing), example.check(example.failing)
print(sorted(set(seen)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "['compile']"  # of what looks like a list, to syntax


# --- runs that teach nothing


@EACH
@pytest.mark.parametrize("which", ["passing", "failing"])
def test_broken_grader_costs_no_points(example: Example, which: str) -> None:
    """Where the grader is at fault every check is an error, whatever else the run holds."""
    run = changed(
        getattr(example, which), ending=Ending.BROKEN, why="the supervisor was ended by SIGKILL"
    )
    assert judged(example.check, run).outcome is ERROR


@EACH
def test_what_was_not_tried_names_the_reason(example: Example) -> None:
    """A call that was not tried is undecided by the check that says why."""
    run = changed(
        example.failing,
        ending=Ending.NOT_TRIED,
        why="mp_apply did not come back",
        because="comes_back",
    )
    finding = judged(example.check, run)
    assert (finding.outcome, finding.undecided_by) == (SKIPPED, "comes_back")


@EACH
def test_module_that_cannot_be_imported_fails_one_check(example: Example) -> None:
    """If the module cannot be imported, imports_cleanly fails and leaves all others undecided."""
    run = changed(
        example.passing,
        ending=Ending.NOT_IMPORTED,
        why="dead while the module was imported",
        exitcode=3,
    )
    finding = judged(example.check, run)
    at_fault = example.check.name == "imports_cleanly"
    assert (finding.outcome, finding.undecided_by) == (
        (FAILED, "") if at_fault else (SKIPPED, "imports_cleanly")
    )


@EACH
def test_busy_machine_is_no_verdict(example: Example) -> None:
    """A call that ran into the time limit while the grader's own processes did too is
    inconclusive.
    """
    run = changed(example.passing, ending=Ending.TIMED_OUT, why="late", control=False, seconds=20.0)
    assert judged(example.check, run).outcome is INCONCLUSIVE


# --- nothing was started: no accusation, no points

SERIAL = by_caller(worked(MIXED))
SERIAL_LINE = by_caller(lined_up())
SERIAL_BEGUN = begun(events=(GateEvent(kind="gate", key="133", pid=CALLER, at=0.01),), processes=())
SERIAL_ERROR = raising(by_caller(worked(RAISES)), "ValueError", "kaputt 4711")
SERIAL_DEATH = by_caller(
    worked(DIES, events=(GateEvent(kind="doom", key="dies", pid=CALLER, at=0.01),)),
    ending=Ending.DIED,
    why="dead",
    exitcode=-9,
)


@pytest.mark.parametrize(
    "given",
    cases(
        [
            Case(
                "serial",
                checks.in_children(MIXED, 2),
                SERIAL,
                FAILED,
                words="every task ran in the process",
            ),
            Case(
                "serial",
                checks.workers(3),
                SERIAL_LINE,
                FAILED,
                words="every task ran in the process",
            ),
            Case("serial", checks.values_in_any_order(MIXED), SERIAL, PASSED),
            Case("serial", checks.met(), SERIAL_LINE, ABSENT, words="workers"),
            Case("serial", checks.free_worker_takes_next(), SERIAL_LINE, ABSENT, words="workers"),
            Case("serial", checks.first_in_first_out(LINE), SERIAL_LINE, ABSENT, words="workers"),
            Case("serial", checks.ended_by_sentinel(), SERIAL_LINE, ABSENT, words="workers"),
            Case("serial", checks.no_leftovers(), SERIAL_LINE, ABSENT, words="workers"),
            Case("serial", checks.nothing_else_left(), SERIAL_LINE, ABSENT, words="workers"),
            Case("serial", checks.nothing_accumulates(6), SERIAL, ABSENT, words="workers"),
            Case("serial", checks.uses_the_default(), SERIAL, ABSENT, words="in_children"),
            Case("serial", checks.drains(MIXED, 2), SERIAL, ABSENT, words="in_children"),
            Case(
                "serial",
                checks.raises_soon("kaputt 4711"),
                SERIAL_ERROR,
                ABSENT,
                words="in_children",
            ),
            Case(
                "serial",
                checks.waiting_not_started(RAISES),
                SERIAL_ERROR,
                ABSENT,
                words="in_children",
            ),
            Case("serial", checks.all_shut_down(), SERIAL_ERROR, ABSENT, words="in_children"),
            Case("serial", checks.notices_death(), SERIAL_DEATH, ABSENT, words="in_children"),
            Case("in the caller", checks.starts_in_background(), SERIAL_BEGUN, FAILED),
            Case(
                "in the caller",
                checks.returns_at_once(),
                SERIAL_BEGUN,
                ABSENT,
                words="starts_in_background",
            ),
            Case(
                "in the caller",
                checks.still_running("…", SERIAL_BEGUN),
                polled(processes=()),
                ABSENT,
            ),
            Case("in the caller", checks.waits_when_asked(SERIAL_BEGUN), got(processes=()), ABSENT),
            Case(
                "no child",
                checks.child_ended(),
                got(processes=()),
                ABSENT,
                words="starts_in_background",
            ),
            Case(
                "no child",
                checks.child_joined(),
                got(processes=()),
                ABSENT,
                words="starts_in_background",
            ),
            Case("no child", checks.nothing_left_of_tasks(got()), dropped(processes=()), ABSENT),
            Case("no child", checks.hands_over(400, Concern.DEADLOCK), got(processes=()), ABSENT),
            Case(
                "serial",
                checks.workers_are_told_to_stop(),
                SERIAL,
                ABSENT,
            ),
            Case(
                "nothing ran",
                checks.starts_in_background(),
                begun(processes=(), events=()),
                FAILED,
            ),
        ]
    ),
)
def test_nothing_started_is_absent(given: Case) -> None:
    """A solution that starts nothing fails the checks of who works; checks of how that ends have
    nothing to judge.
    """
    hold(given)


# --- what this platform, start method or observer cannot show

STARTED = worker_processes(exitcode=None, at_return="alive", later="alive")
UNJOINED = worker_processes(at_return="alive")
FORKSERVER = worker_processes(born="forkserver", parent=4099)
SERVED = lined_up(start_method="forkserver", processes=FORKSERVER)
SERVED_UNJOINED = changed(
    SERVED, processes=worker_processes(born="forkserver", parent=4099, at_return="alive")
)
PIPE = (Leftover(kind="pipe", name="pipe:[811723]"),)
FOREIGN: dict[str, Any] = {"observer": "psutil"}
PROC: dict[str, Any] = {"observer": "proc"}
LOCKED = unmet(inside=1)
TWO = unmet(inside=2, alive=2)
BUSY: dict[str, Any] = {"control": False}


@pytest.mark.parametrize(
    "given",
    cases(
        [
            Case("forkserver", checks.no_leftovers(), SERVED, SKIPPED, words="forkserver"),
            Case(
                "forkserver, not joined",
                checks.no_leftovers(),
                SERVED_UNJOINED,
                FAILED,
                words="without joining its 3 workers",
            ),
            Case(
                "forkserver",
                checks.child_joined(),
                got(start_method="forkserver", processes=FORKSERVER[:1]),
                SKIPPED,
            ),
            Case(
                "forkserver, by luck not yet reaped",
                checks.child_joined(),
                got(start_method="forkserver", processes=SERVED_UNJOINED.trace.processes[:1]),
                SKIPPED,
            ),
            Case(
                "psutil", checks.ended_by_sentinel(), lined_up(**FOREIGN), SKIPPED, words="psutil"
            ),
            Case(
                "psutil", checks.nothing_else_left(), lined_up(**FOREIGN), SKIPPED, words="psutil"
            ),
            Case(
                "psutil",
                checks.nothing_accumulates(6),
                worked(MIXED, **FOREIGN),
                SKIPPED,
                words="psutil",
            ),
            Case("psutil", checks.child_ended(), got(**FOREIGN), SKIPPED, words="psutil"),
            Case(
                "psutil",
                checks.nothing_left_of_tasks(got()),
                dropped(**FOREIGN),
                SKIPPED,
                words="psutil",
            ),
            Case(
                "psutil, alive",
                checks.ended_by_sentinel(),
                lined_up(processes=STARTED, **FOREIGN),
                FAILED,
            ),
            Case(
                "psutil, not joined",
                checks.no_leftovers(),
                lined_up(processes=UNJOINED, **FOREIGN),
                FAILED,
            ),
            Case("no ptrace", checks.ended_by_sentinel(), lined_up(**PROC), SKIPPED, words="proc"),
            Case(
                "no ptrace",
                checks.nothing_else_left(),
                lined_up(leftovers=PIPE, **PROC),
                FAILED,
                words="1 x pipe",
            ),
            Case("busy machine", checks.met(), changed(LOCKED, **BUSY), INCONCLUSIVE),
            Case("busy machine", checks.workers(3), changed(TWO, **BUSY), INCONCLUSIVE),
            Case(
                "busy machine",
                checks.free_worker_takes_next(),
                lined_up(dealt_in_turn, **BUSY),
                INCONCLUSIVE,
            ),
        ]
    ),
)
def test_what_cannot_be_seen_here_is_no_verdict(given: Case) -> None:
    """Where nothing can be seen a check is skipped by name of the reason, and no other check is
    blamed for that.
    """
    hold(given)


# --- who is at fault, where two concerns could be named

ALIVE = lined_up(processes=STARTED)
GONE = lined_up(processes=UNJOINED)
ZOMBIE = lined_up(
    processes=(*worker_processes(2), child(CREW[2], at_return="zombie", later="zombie"))
)
CRASHED = lined_up(processes=(*worker_processes(2), child(CREW[2], exitcode=1)))
KILLED = lined_up(processes=(*worker_processes(2), child(CREW[2], exitcode=-9)))
MANAGER = child(4190, exitcode=None, at_return="alive", later="alive", manager=True)
MANAGED = lined_up(processes=(*worker_processes(), MANAGER))
UNTASKED = changed(MANAGED, tasked=False)
IDLE = lined_up(processes=(*STARTED, MANAGER))
TRACKED = lined_up(
    processes=(*worker_processes(), replace(MANAGER, born="exec", helper="resource tracker"))
)
CHILD_ALIVE = got(processes=(RUNNING,))
FEEDER = lined_up(leftovers=(Leftover(kind="thread", name="thread 4107"),))


@pytest.mark.parametrize(
    "given",
    cases(
        [
            Case(
                "alive later",
                checks.ended_by_sentinel(),
                ALIVE,
                FAILED,
                words="3 of 3 workers were still running",
            ),
            Case("alive later", checks.no_leftovers(), ALIVE, SKIPPED, "ended_by_sentinel"),
            Case("alive later", checks.nothing_else_left(), ALIVE, SKIPPED, "ended_by_sentinel"),
            Case("alive later", checks.nothing_accumulates(6), ALIVE, SKIPPED, "ended_by_sentinel"),
            Case("not joined", checks.ended_by_sentinel(), GONE, PASSED),
            Case(
                "not joined",
                checks.no_leftovers(),
                GONE,
                FAILED,
                words="returned without joining its 3 workers",
            ),
            Case("zombie", checks.ended_by_sentinel(), ZOMBIE, PASSED),
            Case(
                "zombie",
                checks.no_leftovers(),
                ZOMBIE,
                FAILED,
                words="joining 1 of its 3 workers, which is",
            ),
            Case("killed", checks.ended_by_sentinel(), KILLED, FAILED, words="SIGKILL"),
            Case("killed", checks.no_leftovers(), KILLED, PASSED),
            Case("crashed", checks.ended_by_sentinel(), CRASHED, FAILED, words="exit status 1"),
            Case("manager", checks.ended_by_sentinel(), MANAGED, PASSED),
            Case("manager", checks.no_leftovers(), MANAGED, FAILED, words="a manager outlived"),
            Case("manager, no task of ours", checks.ended_by_sentinel(), UNTASKED, PASSED),
            Case("manager, no task of ours", checks.no_leftovers(), UNTASKED, FAILED),
            Case("idle worker", checks.no_leftovers(), IDLE, SKIPPED, "ended_by_sentinel"),
            Case("tracker", checks.no_leftovers(), TRACKED, PASSED),
            Case("thread", checks.no_leftovers(), FEEDER, PASSED),
            Case("thread", checks.nothing_else_left(), FEEDER, FAILED, words="1 x thread"),
            Case("child alive later", checks.child_ended(), CHILD_ALIVE, FAILED),
            Case("child alive later", checks.child_joined(), CHILD_ALIVE, SKIPPED, "child_ended"),
            Case(
                "child alive later",
                checks.nothing_left_of_tasks(got()),
                dropped(processes=(RUNNING,)),
                SKIPPED,
                "child_ended",
            ),
            Case("child not joined", checks.child_joined(), got(processes=UNJOINED[:1]), FAILED),
            Case(
                "killed child",
                checks.child_ended(),
                got(processes=(child(exitcode=-15),)),
                FAILED,
                words="SIGTERM",
            ),
        ]
    ),
)
def test_end_of_workers_has_one_concern(given: Case) -> None:
    """Who stays alive or is forced is sentinel's; who ends but is not joined, a helper, a thread
    are cleanup's.
    """
    hold(given)


LINED_UP = lined_up()
GATES = LINED_UP.trace.gates
assert GATES is not None
FOUR = changed(LINED_UP, gates=replace(GATES, crew=(*CREW, 4104), most_inside=4, alive_then=4))
LAST = GATES.steps[-1]
STRANGER = changed(
    LINED_UP, gates=replace(GATES, steps=(*GATES.steps[:-1], replace(LAST, arrived_pid=4104)))
)
DEALT = lined_up(dealt_in_turn, control=True)
LIFO = lined_up(last_in)
SHORT = ["list", VOUCHED[:10]]
LOST = lined_up(
    lambda _, waiting: waiting[0] if waiting[0] < 10 else None, encoded=SHORT, control=True
)
EARLY = changed(
    LOCKED,
    gates=GateReport(
        script="line", wanted=3, most_inside=1, alive_then=1, crew=CREW[:1], early=True
    ),
)
TWICE = changed(
    LINED_UP, events=(*LINED_UP.trace.events, replace(LINED_UP.trace.events[5], pid=CREW[1]))
)
ONE_BY_ONE = changed(LOCKED, processes=tuple(child(4101 + number) for number in range(12)))
WAVES = changed(
    LINED_UP,
    control=True,
    gates=replace(
        GATES,
        steps=(
            GateStep(opened=LINE.keys[2], opened_pid=CREW[2], expected=LINE.keys[3], arrived=None),
        ),
        waiting=LINE.keys[3:],
    ),
)
OF_LINE = {
    "values_in_any_order": checks.values_in_any_order(LINE),
    "workers": checks.workers(3),
    "met": checks.met(),
    "free_worker_takes_next": checks.free_worker_takes_next(),
    "first_in_first_out": checks.first_in_first_out(LINE),
}


@pytest.mark.parametrize(
    ("run", "at_fault", "undecided"),
    [
        pytest.param(LINED_UP, "", {}, id="right"),
        pytest.param(FOUR, "workers", {}, id="one worker too many"),
        pytest.param(STRANGER, "workers", {}, id="a process per task"),
        pytest.param(
            TWO,
            "workers",
            {
                "met": "workers",
                "free_worker_takes_next": "workers",
                "first_in_first_out": "workers",
            },
            id="one worker too few",
        ),
        pytest.param(
            LOCKED,
            "met",
            {"free_worker_takes_next": "met", "first_in_first_out": "met"},
            id="a hidden lock",
        ),
        pytest.param(
            ONE_BY_ONE,
            "met",
            {"free_worker_takes_next": "met", "first_in_first_out": "met"},
            id="one after the other",
        ),
        pytest.param(
            DEALT,
            "free_worker_takes_next",
            {"first_in_first_out": "free_worker_takes_next"},
            id="dealt beforehand",
        ),
        pytest.param(
            WAVES,
            "free_worker_takes_next",
            {"first_in_first_out": "free_worker_takes_next"},
            id="waves",
        ),
        pytest.param(LIFO, "first_in_first_out", {}, id="last in, first out"),
        pytest.param(LOST, "values_in_any_order", {}, id="lost tasks"),
        pytest.param(
            TWICE,
            "values_in_any_order",
            {"first_in_first_out": "values_in_any_order"},
            id="one task twice",
        ),
    ],
)
def test_one_fault_of_dispatch_fails_one_check(
    run: Run, at_fault: str, undecided: dict[str, str]
) -> None:
    """Each wrong way to hand tasks out fails the check whose concern it is; the others pass, or
    name that check.
    """
    found = {name: judged(check, run) for name, check in OF_LINE.items()}
    expected = dict.fromkeys(OF_LINE, (PASSED, "")) | {
        name: (SKIPPED, by) for name, by in undecided.items()
    }
    if at_fault:
        expected[at_fault] = (FAILED, "")
    assert {name: (one.outcome, one.undecided_by) for name, one in found.items()} == expected


@pytest.mark.parametrize(
    "given",
    cases(
        [
            Case("early", checks.met(), EARLY, SKIPPED, "values_in_any_order"),
            Case("early", checks.free_worker_takes_next(), EARLY, SKIPPED, "values_in_any_order"),
            Case("early", checks.ended_by_sentinel(), EARLY, SKIPPED, "values_in_any_order"),
            Case(
                "early",
                checks.workers(3),
                EARLY,
                SKIPPED,
                "values_in_any_order",
            ),
        ]
    ),
)
def test_call_that_does_not_wait_shows_nothing_else(given: Case) -> None:
    """A call that comes back while its tasks are held is a fault of results; how it hands them out
    is undecided.
    """
    hold(given)


# --- calls that do not come back

OF_PLAIN = (
    checks.values_in_any_order(MIXED),
    checks.values_in_order(MIXED),
    checks.in_children(MIXED, 2),
    checks.comes_back(),
    checks.workers_are_told_to_stop(),
    checks.ended_by_sentinel(),
    checks.no_leftovers(),
    checks.nothing_else_left(),
    checks.works_under_start_method(),
)
EITHER = (Awaited.EXIT, Awaited.MESSAGE)


@pytest.mark.parametrize(
    ("where", "concern"),
    [
        pytest.param(
            (stuck("join"), stuck("get", 1), stuck("get", 2)),
            Concern.SENTINEL,
            id="join, workers get",
        ),
        pytest.param(
            (stuck("pool join"), stuck("get", 1)), Concern.SENTINEL, id="pool join, worker gets"
        ),
        pytest.param(
            (stuck("join"), stuck("write", 1), stuck("get", 2)),
            Concern.DEADLOCK,
            id="join, worker writes",
        ),
        pytest.param(
            (stuck("join"), stuck("lock", 1)), Concern.DEADLOCK, id="join, worker waits for a lock"
        ),
        pytest.param((stuck("write"), stuck("write", 1)), Concern.DEADLOCK, id="both write"),
        pytest.param(
            (stuck("get"), stuck("get", 1), stuck("get", 2)), Concern.RESULTS, id="all get"
        ),
        pytest.param((stuck("get"),), Concern.RESULTS, id="parent gets, nobody is left"),
        pytest.param(
            (stuck("wait", 0, *EITHER), stuck("get", 1)),
            Concern.RESULTS,
            id="result or exit, worker gets",
        ),
        pytest.param(
            (stuck("wait", 0, *EITHER), stuck("lock", 1)),
            Concern.DEADLOCK,
            id="result or exit, a lock",
        ),
        pytest.param(
            (stuck("sleep", 0, Awaited.EXIT), stuck("get", 1)),
            Concern.SENTINEL,
            id="polls for exits",
        ),
        pytest.param(
            (stuck("join"), stuck("event", 1)),
            Concern.SENTINEL,
            id="join, worker waits for an event",
        ),
        pytest.param(
            (stuck("get"), stuck("event", 1)), Concern.DEADLOCK, id="get, worker waits for an event"
        ),
        pytest.param(
            (stuck("event"), stuck("get", 1)),
            Concern.RESULTS,
            id="parent waits for an event, worker gets",
        ),
        pytest.param(
            (stuck("get"), stuck("barrier", 1)), Concern.DEADLOCK, id="worker waits at a barrier"
        ),
        pytest.param(
            (stuck("join"), stuck("input", 1)), Concern.RESULTS, id="worker asks a person"
        ),
        pytest.param((), Concern.RESULTS, id="nothing is known"),
    ],
)
def test_hang_fails_one_concern(where: tuple[Any, ...], concern: Concern) -> None:
    """A hang fails the checks of the concern that explains it, and the others name one of these."""
    found = [judged(check, hung(worked(MIXED), *where)) for check in OF_PLAIN]
    failed = [one for one in found if one.outcome is FAILED]
    assert {one.concern for one in failed} == {concern}
    assert {one.undecided_by for one in found if one.outcome is SKIPPED} <= {
        one.check for one in failed
    }
    assert {one.outcome for one in found} == {FAILED, SKIPPED}
    assert all(one.evidence["found by"] == "proof" for one in failed)


@pytest.mark.parametrize("ending", [Ending.HUNG, Ending.RAISED, Ending.DIED, Ending.TIMED_OUT])
def test_other_start_method_is_at_fault(ending: Ending) -> None:
    """A call that comes back under fork only fails start_method, and nothing else."""
    run = raising(
        worked(MIXED),
        "AttributeError",
        "Can't pickle local object 'mp_apply.<locals>.run'",
        line="p.start()",
    )
    run = changed(
        run, ending=ending, start_method="spawn", returned_under="fork", why="late", control=True
    )
    found = {check.name: judged(check, run) for check in OF_PLAIN}
    assert found.pop("works_under_start_method").outcome is FAILED
    assert {(one.outcome, one.undecided_by) for one in found.values()} == {
        (SKIPPED, "works_under_start_method")
    }


@pytest.mark.parametrize("code", [0, 1, 3, -9])
def test_no_worker_is_left(code: int) -> None:
    """A parent that waits for workers which are no more fails results, and how they ended is
    said.
    """
    gone = tuple(replace(each, exitcode=code) for each in worked(MIXED).trace.processes)
    stderr = "Traceback (most recent call last):\nValueError: kaputt 4711\n"
    run = hung(worked(MIXED), stuck("get"), tasks=len(MIXED.keys) + 2, stderr=stderr)
    run = changed(run, processes=gone)
    found = judged(checks.values_in_any_order(MIXED), run)
    assert (found.outcome, found.concern) == (FAILED, Concern.RESULTS)
    assert (
        f"no worker is left: 2 of {len(MIXED.keys) + 2} tasks were never begun; the parent waits"
        in found.message
    )
    how = {
        0: "",
        1: "2 workers ended with exit status 1 (ValueError: kaputt 4711)",
        3: "2 workers ended with exit status 3",
        -9: "2 workers were killed by SIGKILL",
    }
    assert how[code] in found.message
    assert any(f"(pid {gone[0].pid})" in line for line in found.evidence["lines"]) is (code != 0)


def test_task_that_was_never_handed_out() -> None:
    """Where all workers are free and a task was begun by none, the message counts it."""
    run = hung(
        worked(MIXED), stuck("get"), stuck("get", 1), stuck("get", 2), tasks=len(MIXED.keys) + 1
    )
    message = judged(checks.values_in_any_order(MIXED), run).message
    assert (
        f"never came back: 1 of {len(MIXED.keys) + 1} tasks was never begun; worker 1 waits for a"
        " task" in message
    )
    busy = replace(run.trace.stuck[1], awaits=())
    run = changed(run, stuck=(run.trace.stuck[0], busy))
    assert "never begun" not in judged(checks.values_in_any_order(MIXED), run).message


def test_worker_that_leaves_early_is_no_deadlock() -> None:
    """Where workers end by themselves before many tasks are done, results are missing, whether it
    hangs or raises.
    """
    plain = worked(MIXED, tasks=len(MIXED.keys) + 1)
    for run in (
        changed(hung(plain, stuck("get")), processes=plain.trace.processes),
        raising(plain, "RuntimeError", "a worker has died", line="raise problem"),
    ):
        found = judged(checks.drains(MIXED, 2), run)
        assert (found.outcome, found.concern) == (FAILED, Concern.RESULTS)
        assert "1 of" in found.message
    own = raising(
        plain, "RecursionError", "maximum recursion depth exceeded", line="return f(rest)"
    )
    assert judged(checks.drains(MIXED, 2), own).concern is Concern.DEADLOCK


@pytest.mark.parametrize(
    ("type", "message", "asks"),
    [
        ("EOFError", "EOF when reading a line", "calls input() at cv_funcs.py:29, and a grading"),
        ("BdbQuit", "", "stops in a debugger, and a grading has no keyboard"),
    ],
)
def test_question_to_a_person(type: str, message: str, asks: str) -> None:
    """An exception that comes of asking a person says so."""
    found = judged(
        checks.values_in_any_order(MIXED), raising(worked(MIXED), type, message, line="input()")
    )
    assert asks in found.message


def test_children_at_import_are_at_fault() -> None:
    """A call that does not come back in a module that starts processes at import fails
    imports_cleanly only.
    """
    run = hung(worked(MIXED, import_children=2), stuck("join"), stuck("get", 1))
    found = [judged(check, run) for check in OF_PLAIN]
    assert {(one.outcome, one.undecided_by) for one in found} == {(SKIPPED, "imports_cleanly")}
    assert judged(checks.imports_cleanly(), run).outcome is FAILED


def test_children_at_import_leave_other_verdicts_alone() -> None:
    """Where the calls come back all the same, the other checks judge them."""
    run = worked(MIXED, import_children=1)
    assert "1 child process was started" in judged(checks.imports_cleanly(), run).message
    assert judged(checks.values_in_any_order(MIXED), run).outcome is PASSED


RECURSES = raising(worked(MIXED), "RecursionError", "maximum recursion depth exceeded")
NO_TASK = worked(tasks.square([]), processes=())
SLOW = changed(worked(MIXED), ending=Ending.TIMED_OUT, why="late", control=True, seconds=3.0)
SLOW_STARTS = changed(
    SLOW, events=tuple(replace(one, pid=4200 + i) for i, one in enumerate(SLOW.trace.events))
)
STALLED = changed(SLOW, seconds=20.0)
TOLD: dict[str, Any] = {"facts": replace(FACTS, set_start_method=("fork",))}
CONTEXT_SET = raising(worked(MIXED, **TOLD), "RuntimeError", "context has already been set")
POLLED_NONE = got(encoded=["none"], gates=GateReport(script="shut", early=True))
SAYS_RUNNING = got(
    encoded=["none"], printed="Task still running.\n", gates=GateReport(script="open")
)
SILENT = polled(printed="", processes=(child(exitcode=-9),), tries=8)
MISSING = changed(
    made("import cv_funcs"),
    ending=Ending.NOT_IMPORTED,
    facts=replace(FACTS, missing="cupy"),
    lack=Lack(
        message="cv_funcs.py:3 imports cupy, which is not allowed",
        source={"file": "cv_funcs.py", "line": 3},
    ),
)
REFUSED = changed(
    raising(worked(MIXED), "ModuleNotFoundError", "No module named 'cupy'"),
    lack=Lack(message="cv_funcs.py:3 imports cupy, which is not allowed"),
)
NOT_THERE = changed(
    REFUSED,
    lack=Lack(message="pandas is allowed, and not installed: pip install pandas", ours=True),
)
GREEDY = raising(made("worker(a queue, a queue)"), "IndexError", STAYS_EMPTY)
TWO_LINES = raising(made("calculate(fail)"), "ValueError", "kaputt\n4713")
INACTIVE = "Child process inactive."
TAKEN_ALONG = got(ending=Ending.NOT_TRIED, why="bg_task(a task) did not come back", in_caller=True)
GRANDCHILD = got(processes=(child(ran_task=True), child(CREW[1], born="exec")))
OWN_PROGRAM = got(processes=(child(ran_task=True, born="exec"),))


@pytest.mark.parametrize(
    "given",
    cases(
        [
            Case(
                "[] hangs",
                checks.values_in_any_order(tasks.square([]), Concern.EDGE),
                hung(NO_TASK, stuck("get")),
                FAILED,
            ),
            Case(
                "[] joins",
                checks.values_in_any_order(tasks.square([]), Concern.EDGE),
                hung(NO_TASK, stuck("join"), stuck("get", 1)),
                FAILED,
            ),
            Case(
                "[] comes back",
                checks.values_in_any_order(tasks.square([]), Concern.EDGE),
                NO_TASK,
                PASSED,
            ),
            Case("recursion", checks.drains(MIXED, 2), RECURSES, FAILED, words="RecursionError"),
            Case("goes on", checks.drains(MIXED, 2), SLOW, INCONCLUSIVE),
            Case(
                "goes on, a process each",
                checks.drains(MIXED, 2),
                SLOW_STARTS,
                SKIPPED,
                "in_children",
            ),
            Case("stalled", checks.drains(MIXED, 2), STALLED, FAILED, words="had not come back"),
            Case(
                "set_start_method",
                checks.uses_the_default(),
                worked(MIXED, **TOLD),
                FAILED,
                words="set_start_method",
            ),
            Case(
                "context set",
                checks.uses_the_default(),
                CONTEXT_SET,
                FAILED,
                words="set_start_method('fork')",
            ),
            Case("a child of the child", checks.uses_the_default(), GRANDCHILD, PASSED),
            Case("a program", checks.uses_the_default(), OWN_PROGRAM, FAILED, words="by exec"),
            Case("a program", checks.uses_the_default(needed=False), OWN_PROGRAM, PASSED),
            Case(
                "in the caller", checks.hands_over(400, asked=polled()), got(in_caller=True), ABSENT
            ),
            Case("in the caller", checks.child_ended(), got(in_caller=True), ABSENT),
            Case("in the caller", checks.child_joined(), got(in_caller=True), ABSENT),
            Case(
                "in the caller",
                checks.workers_are_told_to_stop(),
                got(in_caller=True, events=()),
                ABSENT,
            ),
            Case("in the caller", checks.comes_back(), got(in_caller=True, events=()), ABSENT),
            Case("task told of before", checks.comes_back(), got(events=()), PASSED),
            Case(
                "in the caller",
                checks.nothing_left_of_tasks(got(in_caller=True)),
                got(in_caller=True),
                ABSENT,
            ),
            Case(
                "took the caller along",
                checks.says_inactive(INACTIVE),
                TAKEN_ALONG,
                ABSENT,
                words="not tried",
            ),
            Case(
                "no message",
                checks.still_running("Task still running.", begun()),
                polled(printed=""),
                FAILED,
            ),
            Case("block ignored", checks.waits_when_asked(begun()), POLLED_NONE, FAILED),
            Case("block ignored", checks.hands_over(400), POLLED_NONE, SKIPPED, "waits_when_asked"),
            Case(
                "says that it runs",
                checks.hands_over(400),
                SAYS_RUNNING,
                SKIPPED,
                "waits_when_asked",
            ),
            Case(
                "says so unasked", checks.hands_over(400), changed(SAYS_RUNNING, named={}), FAILED
            ),
            Case(
                "None for dead",
                checks.hands_over(None),
                got(encoded=["none"], printed=INACTIVE),
                FAILED,
            ),
            Case("None", checks.hands_over(None, Concern.EDGE), got(encoded=["none"]), PASSED),
            Case(
                "package missing",
                checks.imports_cleanly(),
                MISSING,
                FAILED,
                words="imports cupy, which is not allowed",
            ),
            Case(
                "refused in a call",
                checks.values_in_any_order(MIXED),
                REFUSED,
                FAILED,
                words="; cv_funcs.py:3 imports",
            ),
            Case(
                "lacking in a call",
                checks.values_in_any_order(MIXED),
                NOT_THERE,
                ERROR,
                words="pip install pandas",
            ),
            Case(
                "lacking at import",
                checks.imports_cleanly(),
                NOT_THERE,
                ERROR,
                words="pip install pandas",
            ),
            Case("worker goes on", checks.worker_obeys_sentinel(), GREEDY, FAILED),
            Case(
                "worker goes on",
                checks.worker_output([49]),
                GREEDY,
                SKIPPED,
                "worker_obeys_sentinel",
            ),
            Case(
                "goes on after an error",
                checks.waiting_not_started(RAISES),
                raising(
                    worked(RAISES, events=worked(RAISES).trace.events[:9], seconds=0.008),
                    "ValueError",
                    "kaputt 4711",
                    processes=worker_processes(2, exitcode=None, at_return="alive", later="alive"),
                ),
                FAILED,
                words="went on with the tasks that waited: 8 of 48",
            ),
            Case(
                "swallowed",
                checks.waiting_not_started(RAISES),
                worked(RAISES),
                SKIPPED,
                "raises_soon",
            ),
            Case(
                "hangs without an exception too",
                checks.raises_soon(
                    "kaputt 4711", large=hung(got(), stuck("join"), stuck("write", 1))
                ),
                hung(worked(RAISES), stuck("join"), stuck("write", 1)),
                SKIPPED,
                "drains",
            ),
            Case(
                "hangs with an exception alone",
                checks.raises_soon("kaputt 4711", large=got()),
                hung(worked(RAISES), stuck("join"), stuck("write", 1)),
                FAILED,
                words="nobody reads",
            ),
            Case(
                "swallowed",
                checks.all_shut_down("notices_death"),
                worked(DIES),
                SKIPPED,
                "notices_death",
            ),
            Case(
                "join without sentinel",
                checks.hands_over(400),
                hung(got(), stuck("join"), stuck("get", 1)),
                SKIPPED,
                "workers_are_told_to_stop",
            ),
            Case(
                "death noticed in silence",
                checks.says_inactive(INACTIVE),
                SILENT,
                SKIPPED,
                "names_the_death",
            ),
            Case(
                "message of two lines",
                checks.lets_through("kaputt 4713"),
                TWO_LINES,
                FAILED,
            ),
        ]
    ),
)
def test_where_two_concerns_could_be_named(given: Case) -> None:
    """The rows of docs/contract.md, concerns: the concern that is really at fault fails, others are
    left undecided.
    """
    hold(given)


def test_what_is_lacking_is_a_matter_of_the_import() -> None:
    """Whatever check fails since something that is imported is not there is one of the import, with
    its own line.
    """
    found = judged(checks.comes_back(), REFUSED), judged(checks.values_in_any_order(MIXED), REFUSED)
    assert {each.concern for each in found if each.outcome is FAILED} == {Concern.IMPORT}
    assert judged(checks.imports_cleanly(), MISSING).evidence["source"] == {
        "file": "cv_funcs.py",
        "line": 3,
    }


def test_concerns_are_those_of_the_contract() -> None:
    """Checks whose fault could be named in two ways belong to the one that docs/contract.md,
    concerns, says.
    """
    asked = {
        "ended_by_sentinel": Concern.SENTINEL,
        "workers_are_told_to_stop": Concern.SENTINEL,
        "no_leftovers": Concern.CLEANUP,
        "imports_cleanly": Concern.IMPORT,
        "uses_the_default": Concern.START_METHOD,
        "still_running": Concern.RESULTS,
        "waits_when_asked": Concern.NONBLOCKING,
        "free_worker_takes_next": Concern.CONCURRENCY,
        "first_in_first_out": Concern.ORDERING,
        "drains": Concern.DEADLOCK,
    }
    assert {
        one.check.name: one.check.concern for one in EXAMPLES if one.check.name in asked
    } == asked


def test_result_of_another_process_than_told_the_grader() -> None:
    """Processes that only pretend at the gates are not workers: each result shows what its own
    process was given.
    """
    forged = [["tuple", [["int", LINE.keys[0]], ["str", "made up"]]], *VOUCHED[1:]]
    finding = judged(checks.workers(3), lined_up(encoded=["list", forged]))
    assert finding.outcome is FAILED
    assert f"task {LINE.keys[0]} was not made by the process" in finding.message


def test_run_that_was_stopped_fails_what_asked_for_it() -> None:
    """A run that went over a limit fails with the limit in words, and blames no other concern."""
    run = changed(
        LINED_UP, ending=Ending.STOPPED, stopped="out of memory: the limit is 2 GB", encoded=None
    )
    finding = judged(checks.values_in_any_order(LINE), run)
    assert finding.outcome is FAILED
    assert "was ended: out of memory: the limit is 2 GB" in finding.message
    assert judged(checks.ended_by_sentinel(), run).undecided_by == "values_in_any_order"


# --- what nobody computed, what an earlier call has left, what a library keeps

EARLIER = tasks.square([21, 5])
NOBODY = worked(MIXED, events=(), processes=())
SOME = worked(MIXED, events=worked(MIXED).trace.events[2:])
NOTHING = changed(NOBODY, encoded=["list", []])
STALE = worked(MIXED, encoded=["list", [*EARLIER.expected, *MIXED.expected]])
ONLY_SOME = changed(SOME, encoded=["list", list(MIXED.expected[2:])])
MONITOR = (
    Leftover(kind="thread", name="thread 4107"),
    Leftover(kind="semaphore", name="sem.mg1c7f33a0-0"),
)
OWN_THREAD = (replace(MONITOR[0], own=True), MONITOR[1])
ONCE = lined_up(leftovers=MONITOR)
ROW = worked(tasks.square([5, 45]), leftovers=MONITOR)
PILED = changed(ROW, leftovers=MONITOR * 6)
GLOBAL_QUEUE = changed(ROW, leftovers=PIPE)
ZOMBIES_OF_NONE = worked(
    tasks.square([]), processes=worker_processes(2, at_return="zombie", later="zombie")
)
ALIVE_OF_NONE = worked(
    tasks.square([]), processes=worker_processes(2, exitcode=None, at_return="alive", later="alive")
)
OTHERS = (["int", "538"],)
CROSSED_OVER = polled(encoded=OTHERS[0])
WAITS_FOR_ANOTHER = hung(polled(), stuck("join"), stuck("get", 1))
HELD_ON = changed(SLOW, theirs=0.2)
LET_GO = begun(gates=GateReport(script="shut", blocked=True))
TOO_LATE = begun(gates=GateReport(script="shut"), blocked=19.9)


@pytest.mark.parametrize(
    "given",
    cases(
        [
            Case(
                "made up",
                checks.in_children(MIXED, 2),
                NOBODY,
                FAILED,
                words="that no process had run",
            ),
            Case(
                "some made up",
                checks.in_children(MIXED, 2),
                SOME,
                FAILED,
                words="the results of 2 tasks that no",
            ),
            Case("returned nothing", checks.in_children(MIXED, 2), NOTHING, ABSENT),
            Case(
                "returned an empty list while children worked",
                checks.in_children(MIXED, 2),
                changed(worked(MIXED), encoded=["list", []]),
                SKIPPED,
                "values_in_any_order",
            ),
            Case(
                "left some out",
                checks.in_children(MIXED, 2),
                ONLY_SOME,
                SKIPPED,
                "values_in_any_order",
            ),
            Case(
                "wrong values in the row",
                checks.in_children(MIXED, 2, [(STALE, MIXED)]),
                NOBODY,
                SKIPPED,
                "values_in_any_order",
            ),
            Case(
                "made up an error",
                checks.raises_soon("kaputt 4711"),
                raising(NOBODY, "ValueError", "kaputt 4711"),
                FAILED,
                words="that no process had run",
            ),
            Case(
                "stale",
                checks.values_in_any_order(MIXED, after=[EARLIER]),
                STALE,
                FAILED,
                words="were not expected: results of an earlier call in the same process",
            ),
            Case("a library's", checks.nothing_else_left(), ONCE, FAILED),
            Case(
                "a student's thread",
                checks.nothing_else_left(row=ROW),
                lined_up(leftovers=OWN_THREAD),
                FAILED,
            ),
            Case("piles up", checks.nothing_else_left(row=PILED), ONCE, FAILED),
            Case(
                "piles up",
                checks.nothing_accumulates(6, ONCE),
                PILED,
                FAILED,
                words="6 x semaphore, 6 x thread",
            ),
            Case(
                "global queue",
                checks.nothing_else_left(row=GLOBAL_QUEUE),
                lined_up(leftovers=PIPE),
                FAILED,
            ),
            Case(
                "global queue",
                checks.nothing_accumulates(6, lined_up(leftovers=PIPE)),
                GLOBAL_QUEUE,
                SKIPPED,
                "nothing_else_left",
            ),
            Case("no task, tidy", checks.no_leftovers(idle=True), NO_TASK, PASSED),
            Case("no task, tidy", checks.nothing_else_left(idle=True), NO_TASK, PASSED),
            Case(
                "no task, zombies",
                checks.no_leftovers(idle=True),
                ZOMBIES_OF_NONE,
                FAILED,
                words="2 processes were",
            ),
            Case(
                "no task, alive",
                checks.no_leftovers(idle=True),
                ALIVE_OF_NONE,
                SKIPPED,
                "ended_by_sentinel",
            ),
            Case(
                "another's result",
                checks.still_running("…", begun(), others=OTHERS),
                CROSSED_OVER,
                FAILED,
            ),
            Case(
                "waits for another",
                checks.still_running("…", begun(), others=OTHERS),
                WAITS_FOR_ANOTHER,
                FAILED,
            ),
            Case(
                "bg_task waited",
                checks.still_running("…", LET_GO),
                polled(),
                SKIPPED,
                "returns_at_once",
            ),
            Case(
                "bg_task waited long",
                checks.still_running("…", TOO_LATE),
                polled(),
                SKIPPED,
                "returns_at_once",
            ),
            Case(
                "busy machine",
                checks.still_running("…", begun(gates=GateReport(script="shut"))),
                polled(),
                INCONCLUSIVE,
            ),
            Case(
                "once for long",
                checks.returns_at_once([begun(blocked=19.9)]),
                begun(),
                FAILED,
                words="19.9 s",
            ),
            Case(
                "the reference is quick",
                checks.drains(MIXED, 2),
                HELD_ON,
                FAILED,
                words="has just needed 0.2 s",
            ),
        ]
    ),
)
def test_what_earlier_calls_and_nobody_have_made(given: Case) -> None:
    """Made-up results are workers', stale ones results', what is left cleanup's, and each is told
    as it was seen.
    """
    hold(given)


@pytest.mark.parametrize(
    ("check", "run"),
    [
        (checks.nothing_else_left(row=ROW), ONCE),
        (checks.nothing_accumulates(6, ONCE), ROW),
        (
            checks.all_shut_down(row=ROW),
            changed(raising(worked(RAISES), "ValueError", "kaputt"), leftovers=MONITOR),
        ),
    ],
)
def test_what_a_library_keeps_for_itself_is_a_note(check: Check, run: Run) -> None:
    """The monitor of a progress bar, once for all calls, costs nothing and is named."""
    finding = check(run)
    assert finding.outcome is PASSED
    assert "1 x semaphore, 1 x thread of a library" in finding.message


def test_what_is_seen_of_a_hang_is_kept_for_whoever_asks() -> None:
    """A check that a hang leaves undecided knows what it says where nothing else fails for it, with
    all evidence.
    """
    finding = judged(checks.ended_by_sentinel(), hung(LINED_UP, stuck("get"), stuck("get", 1)))
    assert finding.instead is not None
    assert (finding.instead.concern, finding.instead.symptom) == (Concern.RESULTS, "hang")
    assert "never came back: " in finding.instead.message
    assert finding.instead.evidence["found by"] == "proof"


# --- notebooks


@pytest.mark.parametrize(
    ("outputs", "rows"),
    [
        (printing("fold 0: 0.1\nfold 1: 0.2\n\nbest is the second\n"), 2),
        (printing("mean 0.15"), 1),
        (printing("no number at all"), 0),
        (printing("[0.1, 0.2, np.float64(0.3)]"), 3),
        (showing(plain="[(0, 0.1), (1, 0.2)]"), 2),
        (showing(plain="{'a': 1,\n 'b': array([2, 3])}"), 2),
        (showing(plain="{'test_score': array([0.91, 0.88, 0.9 ])}"), 3),
        (showing(plain="array([0.91, 0.88,\n       0.9 ])"), 3),
        (printing("[0.91 0.88 0.9\n 0.87]\n"), 4),
        (printing("scores: [0.91 0.88 0.9], mean 0.9\n"), 3),
        (printing("scores [[0, 0.91], [1, 0.88]]\n"), 2),
        (printing("[2026-11-28 10:00:00] mean 0.15"), 1),
        (printing("[5] mean 0.15 ] [["), 1),
        (showing(plain="   mse\n0  0.1\n1  0.2"), 2),
        (
            showing(
                plain="df",
                html="<table><tr><th>mse</th></tr><tr><td>1</td></tr>\n<TR><TD>2</TD></TR></table>",
            ),
            2,
        ),
        (
            showing(
                plain="<IPython HTML object>", html="<ul><li>fold 0: 0.1</li>\n<li>fold 1: 0.2</ul>"
            ),
            2,
        ),
        (
            showing(
                plain="<IPython Markdown object>",
                markdown="|fold|mse|\n|---|---|\n|0|0.1|\n|1|0.2|",
            ),
            2,
        ),
        (printing("0.1\n", name="stderr"), 0),
        ((), 0),
    ],
)
def test_rows_are_counted(outputs: Outputs, rows: int) -> None:
    """Rows are printed lines with a number, the items of a list, tuple or dict, or those of a table
    with data.
    """
    assert rows_of(cell(1, outputs=outputs)) == rows


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ([(i, 21 + i % 2, 0.1, 0.2) for i in range(4)], PASSED),
        ([(0, 4100, 0.1, 0.2), (1, 21, 0.1, 0.2)], FAILED),  # 4100 is the kernel
        ([(0, 4100, "10:01", "10:02"), (1, 4100, "10:01", "10:02")], FAILED),
        ([(0, 4100, "a", "b"), (1, 21, "a", "b")], PASSED),  # who knows what these are
        ([(0, 99, 0.1, 0.2)], FAILED),
        ([(4100, 4100), (2, 4100)], PASSED),
        ([4100, 4100], PASSED),
        ([], SKIPPED),
    ],
)
def test_who_made_results(value: object, outcome: Outcome) -> None:
    """Only what has the shape of `wait`'s results names processes."""
    assert (
        judged(
            checks.made_by_children("results"), executed(cell(1), values={"results": value})
        ).outcome
        is outcome
    )


def test_notebook_without_children() -> None:
    """Results of a notebook that started no process cannot have come from one; nothing can be left
    of none.
    """
    run = changed(executed(cell(1), values={"results": [1, 2]}), processes=())
    assert judged(checks.made_by_children("results"), run).outcome is FAILED
    assert judged(checks.no_process_left(), run).outcome is ABSENT


@pytest.mark.parametrize("name", ["results", "folds"])
def test_notebook_that_fails_leaves_the_rest_undecided(name: str) -> None:
    """What comes after a failing cell is not held against the notebook a second time."""
    run = executed(cell(1, ending=Ending.RAISED, error_type="ValueError"), values={"results": [1]})
    found = judged(checks.has_list(name), run)
    assert found.outcome is (PASSED if name == "results" else SKIPPED)
    for check in (checks.shows_rows("parallel-cv"), checks.no_process_left(), checks.draws()):
        assert judged(
            check,
            changed(
                run, cells=(*run.cells, cell(2, tags=("parallel-cv",), ending=Ending.NOT_TRIED))
            ),
        )


def test_notebook_whose_variables_could_not_be_read() -> None:
    """A machine too busy to read them decides nothing."""
    run = changed(executed(cell(1)), told=False, looked=False)
    for check in (
        checks.has_list("results"),
        checks.made_by_children("results"),
        checks.no_process_left(),
    ):
        assert judged(check, run).outcome is INCONCLUSIVE


def test_checks_of_notebooks_are_for_notebooks() -> None:
    """A check of a notebook that is given something else says so."""
    with pytest.raises(TypeError, match=r"what notebook.run\(\) returns"):
        checks.runs_top_to_bottom()(worked(MIXED))


def test_timeline_of_workers() -> None:
    """What fails for want of working together shows when each worker began its tasks; what passes
    shows nothing.
    """
    check = checks.workers(3)
    events = (
        GateEvent(kind="gate", key="7", pid=CREW[0], at=0.25),
        GateEvent(kind="gate", key="8", pid=CREW[0], at=0.5),
        GateEvent(kind="leave", key="", pid=CREW[0], at=0.75),
        GateEvent(kind="lost", key="9", pid=CREW[1], at=1.0),
        GateEvent(kind="gate", key="1", pid=CALLER, at=1.25),
    )
    run = changed(LINED_UP, events=events)
    assert check(run).evidence["timeline"] == [
        "worker 1: began tasks at 0.25, 0.50 s; told to end at 0.75 s",
        "worker 2: died in its task at 1.00 s",
        "the caller: began tasks at 1.25 s",
    ]
    assert "timeline" not in check(LINED_UP).evidence


@pytest.mark.parametrize(
    ("later", "by"), [("alive", "ended_by_sentinel"), ("zombie", "no_leftovers")]
)
def test_pipes_of_idle_workers_are_no_matter_of_their_own(later: str, by: str) -> None:
    """Workers that had no task and are left keep their pipes: what is said of them is not said of
    these again.
    """
    nothing = tasks.square([])
    left = tuple(child(pid, exitcode=None, later=later) for pid in (4101, 4102))
    pipes = tuple(Leftover(kind="pipe", name=f"pipe:[{number}]") for number in range(4))
    run = changed(worked(nothing), processes=left, leftovers=pipes)
    found = judged(checks.nothing_else_left(idle=True), run)
    assert (found.outcome, found.undecided_by) == (Outcome.SKIPPED, by)
    alone = changed(run, processes=())
    assert judged(checks.nothing_else_left(idle=True), alone).outcome is FAILED


def test_a_worker_that_dies_of_its_first_task_is_no_helper() -> None:
    """Its zombie is a process that was not joined, as after a call without an error; a manager
    that is left is a helper.
    """
    doom = GateEvent(kind="doom", key="dies", pid=71, at=0.01)
    zombies = tuple(child(pid, exitcode=code, later="zombie") for pid, code in ((71, -9), (72, 0)))
    run = raising(worked(DIES, events=(doom,), processes=zombies), "RuntimeError", "a worker died")
    finding = checks.all_shut_down("notices_death")(run)
    assert (finding.outcome, finding.symptom) == (FAILED, symptoms.UNJOINED)
    manager = replace(child(73), manager=True, exitcode=None, at_return="alive", later="alive")
    run = replace(run, trace=replace(run.trace, events=(), processes=(manager,)))
    assert checks.all_shut_down("notices_death")(run).symptom == symptoms.HELPER
