"""Grading of `run_all`: processes that are started, waited for and closed, and a main gate.

In one call the child processes stand at their gates until all are there, and then end in every way
that there is, the first of them last. The module is run as a script as well.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.records import Assignment, Concern, Rendezvous, Run, Step
from pytest_mpgrade.student import Student

pytestmark = pytest.mark.rehearsed

SQUARES = tasks.square([12, -5, 7])
SINGLE = tasks.square([9])
ALIKE = replace(
    tasks.square([6]) + tasks.square([4]) + tasks.square([6]) + tasks.square([6]),
    words="tasks, three of them equal",
)
LATE = tasks.held_last(3)
KILLED = {"SIGKILL": ("signal", 9, -9), "SIGTERM": ("signal", 15, -15)}
"""Windows has no signals that end a process and show in its exit code."""
ENDS = {
    "sys.exit(3)": ("sys.exit", 3, 3),
    **(KILLED if sys.platform != "win32" else {}),
    "return": ("return", None, 0),
    "an exception": ("raise", "kaputt 4715", 1),
    "os._exit(7)": ("os._exit", 7, 7),
    "sys.exit('text')": ("sys.exit", "kaputt 4716", 1),
}
"""How a child process ends, with what, and its exit code."""
CODES = [code for _, _, code in ENDS.values()]
ENDING = tasks.Workload(
    tasks=tuple((tasks.work.end, (key, how, value)) for key, (how, value, _) in ENDS.items()),
    keys=tuple(ENDS),
    gates=Rendezvous(n=len(ENDS), keys=tuple(ENDS), seed=507, exit_gates=True),
    words="tasks that end in different ways",
)
MANY_CODES = list(range(12))
MANY = tasks.Workload(
    tasks=tuple((tasks.work.end, (f"task {code}", "sys.exit", code)) for code in MANY_CODES),
    keys=tuple(f"task {code}" for code in MANY_CODES),
    words=f"{len(MANY_CODES)} tasks with exit codes of their own",
)
"""As texts, the names of so many processes are in another order than their numbers."""


def _run_all(workload: tasks.Workload, **options: object) -> Step:
    function, given = steps.arg_tuples(workload)
    given = replace(given, words=workload.words)  # as messages have named them
    return steps.call("run_all", function, given, **options)  # type: ignore[arg-type]  # - options go to several parameters


EMPTY = steps.call("run_all", tasks.work.square, [])
ENDED = _run_all(ENDING, keeps_processes=True)
SCRIPT = steps.script()


@pytest.fixture(autouse=True)
def plain(student: Student) -> Run:
    """Make the plainest call, of three child processes that return."""
    (run,) = student.rely_on(_run_all(SQUARES))
    student.together(EMPTY, _run_all(SINGLE))
    student.prepare((_run_all(LATE),), (ENDED,), (SCRIPT,), (_run_all(ALIKE),))
    return run


@pytest.mark.criterion("interface")
def test_module_imports_and_has_the_function(student: Student, assignment: Assignment) -> None:
    """The module imports without error or child process, and has the function."""
    student.check(
        student.imported(), checks.imports_cleanly(), checks.has_functions(assignment.functions)
    )


@pytest.mark.criterion("returns")
@pytest.mark.start_methods("any")
def test_plainest_call(student: Student, plain: Run) -> None:
    """Three child processes that return have exit code 0."""
    student.check(plain, checks.exit_codes([0, 0, 0]))


@pytest.mark.criterion("returns", weight=3)
def test_plainest_call_under_every_start_method(student: Student, plain: Run) -> None:
    """Three child processes that return have exit code 0, under every start method."""
    student.check(plain, checks.exit_codes([0, 0, 0]))


@pytest.mark.criterion("exit_codes", weight=2)
def test_exit_codes_of_all_kinds(student: Student, plain: Run) -> None:
    """The exit codes are those of child processes that return, raise, exit and are killed."""
    student.check(student.play(ENDED)[0], checks.exit_codes(CODES, failing=True, plain=plain))


@pytest.mark.criterion("exit_codes")
def test_exit_codes_are_in_order(student: Student, plain: Run) -> None:
    """The exit codes are in the order of the arguments, whichever child process ends first."""
    student.check(student.play(ENDED)[0], checks.exit_codes_in_order(CODES, plain))


@pytest.mark.criterion("exit_codes")
@pytest.mark.start_methods("any")
def test_exit_codes_of_many_are_in_order(student: Student, plain: Run) -> None:
    """The exit codes of more than nine child processes are in order, too."""
    run = student.play(_run_all(MANY))[0]
    student.check(run, checks.exit_codes_in_order(MANY_CODES, plain))


@pytest.mark.criterion("exit_codes")
@pytest.mark.start_methods("any")
def test_late_child_is_waited_for(student: Student) -> None:
    """A child process that is 3 s later than all others is waited for."""
    student.check(student.play(_run_all(LATE))[0], checks.exit_codes([0, 0, 0]))


@pytest.mark.criterion("processes")
def test_one_process_for_each(student: Student, plain: Run) -> None:
    """Each tuple of arguments has a child process of its own."""
    student.check(plain, checks.one_process_each(SQUARES))
    student.check(student.play(ENDED)[0], checks.one_process_each(ENDING))


@pytest.mark.criterion("processes")
@pytest.mark.start_methods("any")
def test_one_process_for_equal_arguments(student: Student, plain: Run) -> None:
    """Equal tuples of arguments have a child process each, too."""
    run = student.play(_run_all(ALIKE))[0]
    concern = Concern.WORKERS if plain.value == [0, 0, 0] else Concern.RESULTS
    # a fifth may be that of a manager
    student.check(run, checks.exit_codes([0, 0, 0, 0], concern), checks.started(4, 5))


@pytest.mark.criterion("concurrency")
def test_all_are_started_before_any_is_joined(student: Student, plain: Run) -> None:
    """All child processes are started before any is joined."""
    student.check(student.play(ENDED)[0], checks.all_started_first(plain))


@pytest.mark.criterion("cleanup")
def test_every_child_is_joined(student: Student, plain: Run) -> None:
    """When the call returns, every child process has been joined, also one that has failed."""
    student.check(plain, checks.no_leftovers())
    student.check(student.play(ENDED)[0], checks.no_leftovers())


@pytest.mark.criterion("cleanup")
def test_every_process_is_closed(student: Student, plain: Run) -> None:
    """When the call returns, every Process has been closed."""
    student.check(student.play(ENDED)[0], checks.closes_processes(plain))


@pytest.mark.criterion("cleanup")
def test_nothing_is_left(student: Student, plain: Run) -> None:
    """When the call returns, no thread, pipe or semaphore of it is left, after many calls
    neither.
    """
    row = _row(student)
    student.check(plain, checks.nothing_else_left(row=row))
    once = student.play(_run_all(SINGLE))[0]
    student.check(row, checks.nothing_accumulates(_times(student), once))


def _times(student: Student) -> int:
    return 20 if student.start_method == "fork" else 6


def _row(student: Student) -> Run:
    """Return the last of many calls in one process, after which it is counted what all have
    left.
    """
    times = _times(student)
    calls = [
        _run_all(tasks.square([i]), same_holdings=i > 0, last=i == times - 1) for i in range(times)
    ]
    return student.play(*calls)[-1]


@pytest.mark.criterion("failure")
def test_failing_children_are_no_error(student: Student, plain: Run) -> None:
    """Child processes that raise or are killed are waited for, and raise nothing."""
    student.check(student.play(ENDED)[0], checks.outlives_failures(plain))


@pytest.mark.criterion("script")
def test_script(student: Student) -> None:
    """Run as a script, the module starts a child process behind a main gate."""
    student.check(student.play(SCRIPT)[0], checks.starts_child_as_script())


@pytest.mark.criterion("start_methods")
def test_start_method(student: Student, plain: Run) -> None:
    """It works under this start method, uses it, and leaves it unchanged."""
    student.check(plain, checks.works_under_start_method())
    student.check(student.play(ENDED)[0], checks.uses_the_default())


@pytest.mark.criterion("edge")
@pytest.mark.start_methods("any")
def test_empty_list(student: Student) -> None:
    """Without arguments there is no child process, and the list of exit codes is empty."""
    run = student.play(EMPTY)[0]
    student.check(run, checks.exit_codes([], Concern.EDGE), checks.no_leftovers(idle=True))


@pytest.mark.criterion("edge")
@pytest.mark.start_methods("any")
def test_single_child(student: Student, plain: Run) -> None:
    """One tuple of arguments has one child process and one exit code."""
    run = student.play(_run_all(SINGLE))[0]
    # what is wrong for three as well has nothing to do with their number
    concern = Concern.EDGE if plain.value == [0, 0, 0] else Concern.RESULTS
    student.check(run, checks.exit_codes([0], concern), checks.in_children(SINGLE))
