"""Grading of `async_task`: a task that is awaited while the event loop goes on.

The grader awaits in an event loop of its own, in debug mode. Gates hold the tasks while the loop is
asked whether it turns.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable

import numpy
import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.records import Assignment, Concern, Run, Step
from pytest_mpgrade.student import Student

pytestmark = [pytest.mark.rehearsed, pytest.mark.start_methods("any")]

MATRIX = pytest.mark.start_methods("fork", "spawn", "forkserver")
"""For what may differ between start methods: that a task runs, and what is left of it."""
HELD = tasks.held(4)
HELD_VALUES = [3 * args[0] + 1 for _, args in HELD.tasks]
SIZE = 4_000_000
TIMES = 8
"""Tasks that are awaited one after the other in one process, each in an event loop of its own."""
FORMS = {
    "(func, args)": ((tasks.work.power, (2, 9)), 512),
    "(func, kwargs)": ((tasks.work.power, {"exponent": 5, "base": 3}), 243),
    "(func, args, kwargs)": ((tasks.work.power, (5,), {"exponent": 4}), 625),
    "(func, ())": ((sys.getdefaultencoding, ()), "utf-8"),
    "(func, {})": ((sys.getdefaultencoding, {}), "utf-8"),
    "(func, args, {})": ((tasks.work.join_words, ("tick", "tack"), {}), "tick-tack"),
    "keywords of any name": (
        (dict, {"func": 4, "args": 7, "kwargs": 1, "task": 2, "loop": 3}),
        {"func": 4, "args": 7, "kwargs": 1, "task": 2, "loop": 3},
    ),
    "(func, (a dict,))": ((tasks.work.give, ("table", {"base": 2})), {"base": 2}),
}
ODD: dict[str, object] = {"None": None, "False": False, "'STOP'": "STOP", "an empty list": []}


def _said(func: Callable[..., object], *args: object) -> str:
    """Return what the exception of a call says, which differs between versions of Python."""
    try:
        func(*args)
    except Exception as error:
        return str(error)
    raise AssertionError("the call did not raise")


RAISING = {
    "ValueError": ((tasks.work.fail, ("raises", "kaputt 4715")), "kaputt 4715"),
    "ZeroDivisionError": ((divmod, (4, 0)), _said(divmod, 4, 0)),
    "KeyError": ((operator.getitem, ({}, "lost 4716")), "'lost 4716'"),
    "TypeError": ((pow, {"base": 3, "exp": "2"}), _said(pow, 3, "2")),
}


def _awaited(task: object, **options: object) -> Step:
    return steps.call("async_task", task, awaited="once", **options)  # type: ignore[arg-type]  # - options go to several parameters


PLAIN = _awaited((tasks.work.power, (7, 3)))
ALONE = _awaited(HELD.tasks[0], gates=steps.HeldTasks(n=1), look=True)
TOGETHER = steps.gather(
    "async_task", *([task] for task in HELD.tasks), gates=steps.HeldTasks(n=len(HELD.tasks))
)
NEVER = steps.call("async_task", HELD.tasks[0], awaited="never", gates=steps.SHUT)
CANCELLED = steps.call(
    "async_task", HELD.tasks[0], awaited="cancelled", gates=steps.HeldTasks(n=1, cancel=True)
)
LARGE = _awaited((tasks.work.big, (7, SIZE)))
MIXED = steps.gather("async_task", *([task] for task, _ in FORMS.values()))
ROW = tuple(
    _awaited((tasks.work.square, (i + 3,)), same_holdings=i > 0, last=i == TIMES - 1)
    for i in range(TIMES)
)
ARRAY = _awaited((tasks.work.array, ("array", 4)))
ALIKE = (
    [_awaited(task) for task, _ in FORMS.values()],
    [_awaited((tasks.work.give, (name, value))) for name, value in ODD.items()],
    [ARRAY, LARGE, *(_awaited(task) for task, _ in RAISING.values())],
)
"""Calls that share a process."""


@pytest.fixture(autouse=True)
def plain(student: Student) -> Run:
    """Await the plainest task; make the longer calls in the background."""
    (run,) = student.rely_on(PLAIN)
    for calls in ALIKE:
        student.together(*calls)
    if student.start_method == "fork":
        student.prepare([TOGETHER], [CANCELLED], [ALONE], ROW, [MIXED], [NEVER])
    return run


@pytest.mark.criterion("interface")
def test_module_imports_and_has_the_function(student: Student, assignment: Assignment) -> None:
    """The module imports without error, child process or event loop, and has the function."""
    student.check(
        student.imported(), checks.imports_cleanly(), checks.has_functions(assignment.functions)
    )


@pytest.mark.criterion("interface")
def test_coroutine_that_is_never_awaited(student: Student) -> None:
    """async_task is a coroutine function: nothing begins before it is awaited."""
    student.check(student.play(NEVER)[0], checks.is_coroutine_function("async_task"))


@pytest.mark.criterion("returns")
def test_plainest_task(student: Student, plain: Run) -> None:
    """Awaiting the plainest task gives its result."""
    student.check(plain, checks.awaits_value(343))


@pytest.mark.criterion("results")
@pytest.mark.parametrize("form", FORMS)
def test_forms_of_a_task(student: Student, form: str) -> None:
    """A task has positional arguments, keyword arguments, or both."""
    task, value = FORMS[form]
    student.check(student.play(_awaited(task))[0], checks.awaits_value(value))


@pytest.mark.criterion("results")
def test_results_reach_whom_they_belong_to(student: Student) -> None:
    """Of several tasks that are awaited together, or one after the other, each has its own
    result.
    """
    (together,) = student.play(MIXED)
    student.check(together, checks.awaits_value([value for _, value in FORMS.values()]))
    for i, run in enumerate(student.play(*ROW)):
        student.check(run, checks.awaits_value((i + 3) ** 2))


@pytest.mark.criterion("nonblocking")
def test_event_loop_goes_on(student: Student) -> None:
    """While a task runs, other coroutines run, too."""
    student.check(student.play(ALONE)[0], checks.keeps_loop_free())


@pytest.mark.criterion("nonblocking")
def test_event_loop_goes_on_beside_several_tasks(student: Student) -> None:
    """While several tasks run, other coroutines run, too."""
    student.check(student.play(TOGETHER)[0], checks.keeps_loop_free())


@pytest.mark.criterion("concurrency")
def test_tasks_run_at_the_same_time(student: Student) -> None:
    """Four tasks that are awaited together run at the same time, and give their results."""
    (run,) = student.play(TOGETHER)
    student.check(run, checks.run_together(), checks.awaits_value(HELD_VALUES))


@pytest.mark.criterion("shutdown")
@MATRIX
def test_nothing_is_left(student: Student) -> None:
    """Once a task has been awaited, nothing is left of what it ran in."""
    student.check(student.play(ALONE)[0], checks.leaves_nothing())


@pytest.mark.criterion("shutdown")
def test_nothing_accumulates(student: Student) -> None:
    """One task after the other, and several together, leave nothing behind."""
    student.check(student.play(*ROW)[-1], checks.leaves_nothing())
    student.check(student.play(TOGETHER)[0], checks.leaves_nothing())


@pytest.mark.criterion("shutdown")
def test_nothing_is_left_of_a_task_that_raises(student: Student) -> None:
    """Once a task has raised, nothing is left of what it ran in."""
    task, _ = RAISING["ValueError"]
    student.check(student.play(_awaited(task))[0], checks.leaves_nothing())


@pytest.mark.criterion("shutdown")
def test_cancelled(student: Student) -> None:
    """A call that is cancelled while its task runs leaves nothing behind once that has ended."""
    student.check(student.play(CANCELLED)[0], checks.leaves_nothing(cancelled=True))


@pytest.mark.criterion("deadlock")
def test_large_result(student: Student) -> None:
    """A large result comes through."""
    student.check(student.play(LARGE)[0], checks.awaits_value(bytes([7]) * SIZE, Concern.DEADLOCK))


@pytest.mark.criterion("failure")
@pytest.mark.parametrize("kind", RAISING)
def test_exception_of_the_task(student: Student, kind: str) -> None:
    """A task that raises: what awaits it gets that exception, with its type and message."""
    task, message = RAISING[kind]
    student.check(student.play(_awaited(task))[0], checks.exception_comes_through(kind, message))


@pytest.mark.criterion("start_methods")
@MATRIX
def test_start_method(student: Student, plain: Run) -> None:
    """It works under this start method, uses it, and leaves it unchanged."""
    student.check(plain, checks.works_under_start_method(), checks.uses_the_default(needed=False))


@pytest.mark.criterion("edge")
@pytest.mark.parametrize("name", ODD)
def test_odd_results(student: Student, name: str) -> None:
    """None, False, 'STOP' and an empty list are results like any other."""
    run = student.play(_awaited((tasks.work.give, (name, ODD[name]))))[0]
    student.check(run, checks.awaits_value(ODD[name], Concern.EDGE))


@pytest.mark.criterion("edge")
def test_array(student: Student) -> None:
    """An array is a result like any other."""
    run = student.play(ARRAY)[0]
    student.check(run, checks.awaits_value(numpy.arange(4, dtype="int64"), Concern.EDGE))
