"""Grading of `mp_apply`: the queue pattern with a sentinel, under every start method.

Each test makes one call, or takes one that another test has made, and asks it several questions.
Calls are made in a process of their own; short ones share one, until something is wrong. The first
fixture makes the plainest call; while that does not come back, nothing else is tried.
"""

from __future__ import annotations

from typing import Any

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.records import Assignment, Concern, Run, Step
from pytest_mpgrade.student import Student

pytestmark = pytest.mark.rehearsed

PLAIN = tasks.mixed()
LINE = tasks.rendezvous(3)
PAIR = tasks.rendezvous(2)
ALONE = tasks.rendezvous(1)
LATE = tasks.held_last(5)
SINGLE = tasks.square([-12])
FEW = tasks.square([9, 4])
ALIKE = tasks.square([8, 3]) + tasks.square([8]) + tasks.square([8, -3])
ODD = tasks.gives([None, False, "STOP", 0, "", None]) + tasks.arrays([3, 0, 5])
UNEVEN = tasks.uneven(7, 0.15)
LARGE = tasks.big(6, 3_000_000)
MANY = tasks.many(10_000)
ROW = (
    (tasks.square([21, -4, 6]), 2),
    (tasks.square([31, 17]) + tasks.through_own([6, -5]), 3),
    (tasks.square([5, 40, -13]), 2),
    (tasks.square([6, 52]), 1),
    (tasks.square([21, -4, 6]), 2),
)
"""Calls in one process, each with its own values, size and number of processes; the last is as the
first.

Some functions of the second are the student's own.
"""
ENDINGS = {
    "held tasks": (LINE, 3),
    "late result": (LATE, 2),
    "large results": (LARGE, 2),
    "many results": (MANY, 2),
    "one task": (SINGLE, 2),
    "more processes than tasks": (FEW, 5),
    "generator": (PLAIN.as_generator(), 2),
    "odd results": (ODD, 2),
}
"""Calls of every kind: who does their tasks, and what is left when they have returned?"""
TOO_MANY: dict[str, tuple[tasks.Workload, int]] = {
    "one process": (ALONE, 1),
    "more processes than tasks": (FEW, 5),
    "large results": (LARGE, 2),
}
"""Calls in which a worker too many certainly has a task, and one with few tasks."""
RAISES = tasks.raises(message="kaputt 4711", followed_by=48)
RAISES_UNPICKLABLY = tasks.raises(message="kaputt 4712", picklable=False, followed_by=4)
RAISES_BESIDE_LARGE = tasks.raises_beside_large(message="kaputt 4714", size=3_000_000)
RAISING = {
    "an exception": (RAISES, "kaputt 4711"),
    "one that cannot be pickled": (RAISES_UNPICKLABLY, "kaputt 4712"),
}
DYING = {
    "exit status 3": tasks.dies(code=3, followed_by=4),
    "exit status 0": tasks.dies(code=0, followed_by=4),
    "SIGKILL": tasks.dies(code=None, followed_by=4),
}
PATIENT: dict[str, Any] = {"seconds": 20.0, "longest": 60.0}
"""10,000 tasks through a manager on a busy machine take long, and are right."""
FORCED: dict[str, Any] = {"patience": 16.0, "seconds": 40.0}
"""After a failure a worker may have to be forced, after a grace period of at most 10 s;
docs/contract.md, failures.
"""


def _apply(workload: tasks.Workload, n: int = 2, **options: Any) -> Step:
    return steps.call(
        "mp_apply", workload, n_processes=n, **(PATIENT if workload is MANY else {}), **options
    )


CALLS = tuple(_apply(workload, n) for workload, n in ROW)
EDGES = (
    _apply(ALIKE),
    _apply(ALONE, 1),
    _apply(SINGLE),
    _apply(FEW, 5),
    _apply(PLAIN.as_generator()),
    _apply(ODD),
    _apply(tasks.square([])),
)
LONG = (_apply(LINE, 3), _apply(MANY), _apply(LARGE))
FAILING = tuple(
    _apply(workload, **FORCED) for workload in (RAISES, *DYING.values(), RAISES_UNPICKLABLY)
)
BESIDE_LARGE = _apply(RAISES_BESIDE_LARGE, gates=steps.SHUT, **FORCED)
POWERS = {(3, 4): 81, (-2, 3): -8}
QUEUES = {"queue.Queue": steps.ThreadQueue, "bare queue": steps.BareQueue}


def _worker(kind: str) -> Step:
    queue = QUEUES[kind]
    items = [
        (tasks.work.square, (7,)),
        (tasks.work.power, (3, 4)),
        (tasks.work.square, (-3,)),
        "STOP",
    ]
    return steps.call("worker", queue([*items, (tasks.work.square, (5,))]), queue([]))


FAILS = steps.call("calculate", tasks.work.fail, ("direct", "kaputt 4713"))
UNASKED = steps.call("mp_apply", PAIR)
PIECES = (
    *(steps.call("calculate", tasks.work.power, args) for args in POWERS),
    *map(_worker, QUEUES),
    FAILS,
    UNASKED,
)
TOGETHER = (EDGES, LONG, PIECES)
"""The calls of each of these share a process.

Those that provoke a failure do not: where they hang, a parent that polls is watched for long, and
that would be so twice.
"""


@pytest.fixture(autouse=True)
def plain(student: Student) -> Run:
    """Make the plainest call: a few tasks of different functions in two processes.

    If it comes back, the calls that take longest are made in the background while others are
    judged.
    """
    (run,) = student.rely_on(_apply(PLAIN))
    for calls in TOGETHER:
        student.together(*calls)
    raising, *failing = FAILING
    longest = (raising, _apply(LATE), LONG[0], *failing)
    student.prepare(*[(step,) for step in longest], CALLS)
    return run


@pytest.mark.criterion("interface")
def test_module_imports_and_has_the_functions(student: Student, assignment: Assignment) -> None:
    """The module imports without error or child process, and has the functions."""
    student.check(
        student.imported(), checks.imports_cleanly(), checks.has_functions(assignment.functions)
    )


@pytest.mark.criterion("returns")
@pytest.mark.start_methods("any")
def test_plainest_call(student: Student, plain: Run) -> None:
    """The plainest call returns a list in which most results are."""
    student.check(plain, checks.gives_results(PLAIN))


@pytest.mark.criterion("returns", weight=3)
def test_plainest_call_under_every_start_method(student: Student, plain: Run) -> None:
    """The plainest call returns a list in which most results are, under every start method."""
    student.check(plain, checks.gives_results(PLAIN))


@pytest.mark.criterion("results")
def test_every_task_has_its_result(student: Student, plain: Run) -> None:
    """One right result per task, whatever its function, arguments and type."""
    student.check(plain, checks.values_in_any_order(PLAIN))
    student.check(student.play(_apply(LINE, 3))[0], checks.values_in_any_order(LINE))


@pytest.mark.criterion("results")
def test_calls_do_not_know_of_each_other(student: Student) -> None:
    """Of several calls in one process each returns the results of its own tasks, and nothing of an
    earlier one.
    """
    workloads = [workload for workload, _ in ROW]
    for place, run in enumerate(student.play(*CALLS)):
        student.check(run, checks.values_in_any_order(workloads[place], after=workloads[:place]))


@pytest.mark.criterion("results")
def test_tasks_that_are_alike(student: Student) -> None:
    """Tasks that are equal, or have equal results, are tasks of their own: each has its result."""
    student.check(student.play(_apply(ALIKE))[0], checks.values_in_any_order(ALIKE))


@pytest.mark.criterion("pieces")
@pytest.mark.start_methods("any")
def test_calculate(student: Student) -> None:
    """calculate() returns what the function returns."""
    for args, value in POWERS.items():
        (run,) = student.play(steps.call("calculate", tasks.work.power, args))
        student.check(
            run, checks.returns_value(value, hint="calculate() returns func(*args) as it is")
        )


@pytest.mark.criterion("pieces")
@pytest.mark.start_methods("any")
def test_calculate_lets_exceptions_through(student: Student) -> None:
    """An exception of the function goes through calculate() unchanged."""
    student.check(student.play(FAILS)[0], checks.lets_through("kaputt 4713"))


@pytest.mark.criterion("pieces")
@pytest.mark.start_methods("any")
@pytest.mark.parametrize("kind", QUEUES)
def test_worker_output(student: Student, kind: str) -> None:
    """worker() puts plain results on any queue that has get and put."""
    student.check(student.play(_worker(kind))[0], checks.worker_output([49, 81, 9]))


@pytest.mark.criterion("pieces")
@pytest.mark.start_methods("any")
@pytest.mark.parametrize("kind", QUEUES)
def test_worker_obeys_the_sentinel(student: Student, kind: str) -> None:
    """worker() returns at 'STOP' and leaves what is behind it on the queue."""
    student.check(student.play(_worker(kind))[0], checks.worker_obeys_sentinel(left=1))


@pytest.mark.criterion("results")
def test_late_result_is_waited_for(student: Student) -> None:
    """A task that is 3 s later than all others is not dropped."""
    student.check(student.play(_apply(LATE))[0], checks.late_result_arrives(LATE))


@pytest.mark.criterion("ordering")
def test_order(student: Student, assignment: Assignment, plain: Run) -> None:
    """Tasks are taken first in, first out; a course may ask for results in the order of
    submission.
    """
    student.check(student.play(_apply(LINE, 3))[0], checks.first_in_first_out(LINE))
    if assignment.ordering == "submission":
        student.check(plain, checks.values_in_order(PLAIN))


@pytest.mark.criterion("workers", weight=3)
@pytest.mark.parametrize("kind", ENDINGS)
def test_no_task_is_done_by_the_caller(student: Student, kind: str) -> None:
    """Child processes do all tasks, the caller none: also where there are few of them, or a last
    one.
    """
    workload, n = ENDINGS[kind]
    student.check(student.play(_apply(workload, n))[0], checks.in_children(workload))


@pytest.mark.criterion("workers")
def test_tasks_that_are_alike_are_run_each(student: Student) -> None:
    """A task that is equal to another one is run all the same, in a child process."""
    student.check(student.play(_apply(ALIKE))[0], checks.in_children(ALIKE))


@pytest.mark.criterion("workers")
def test_no_task_is_done_by_an_earlier_call(student: Student) -> None:
    """Child processes do all tasks of every call in one process, also those that were done in an
    earlier one.
    """
    runs = student.play(*CALLS)
    row = [(run, workload) for run, (workload, _) in zip(runs, ROW, strict=True)]
    for run, workload in row:
        student.check(run, checks.in_children(workload, row=row))


@pytest.mark.criterion("workers")
def test_asked_number_of_workers(student: Student, plain: Run) -> None:
    """Exactly n child processes work together."""
    student.check(student.play(_apply(LINE, 3))[0], checks.workers(3))
    student.check(plain, checks.in_children(PLAIN, 2))


@pytest.mark.criterion("workers")
@pytest.mark.parametrize("kind", TOO_MANY)
def test_never_more_workers_than_asked(student: Student, kind: str) -> None:
    """Never do more than n processes work: with one process, few tasks, and large results."""
    workload, n = TOO_MANY[kind]
    student.check(student.play(_apply(workload, n))[0], checks.in_children(workload, n))


@pytest.mark.criterion("workers")
@pytest.mark.start_methods("any")
def test_two_workers_unless_asked_otherwise(student: Student) -> None:
    """Without n_processes there are two."""
    student.check(student.play(UNASKED)[0], checks.workers(2))


@pytest.mark.criterion("concurrency")
def test_workers_work_at_the_same_time(student: Student) -> None:
    """Workers run tasks at the same time, and a free one takes the next task."""
    run = student.play(_apply(LINE, 3))[0]
    student.check(run, checks.met(), checks.free_worker_takes_next())


@pytest.mark.criterion("shutdown", weight=2)
def test_workers_end_by_sentinel(student: Student, plain: Run) -> None:
    """Every worker is told to stop, and ends by itself."""
    student.check(plain, checks.workers_are_told_to_stop())
    student.check(student.play(_apply(LINE, 3))[0], checks.ended_by_sentinel())


@pytest.mark.criterion("shutdown", weight=2)
@pytest.mark.parametrize("kind", ENDINGS)
def test_nothing_outlives_the_call(student: Student, kind: str) -> None:
    """When the call returns, no process, thread, pipe or semaphore of it is left, whatever the
    tasks were.
    """
    workload, n = ENDINGS[kind]
    run = student.play(_apply(workload, n))[0]
    student.check(run, checks.no_leftovers(), checks.nothing_else_left(row=_row(student)))


@pytest.mark.criterion("shutdown")
def test_nothing_accumulates(student: Student) -> None:
    """Calling it again and again piles nothing up."""
    once = student.play(_apply(FEW, 5))[0]
    student.check(_row(student), checks.nothing_accumulates(_times(student), once))


def _times(student: Student) -> int:
    return 20 if student.start_method == "fork" else 6


def _row(student: Student) -> Run:
    """Return the last of many calls in one process, after which it is counted what all of them have
    left.
    """
    times = _times(student)
    row = [
        _apply(tasks.square([i, i + 40]), same_holdings=i > 0, last=i == times - 1)
        for i in range(times)
    ]
    return student.play(*row)[-1]


@pytest.mark.criterion("deadlock")
def test_plain_call_comes_back(student: Student, plain: Run) -> None:
    """The plainest call comes back."""
    student.check(plain, checks.comes_back())


@pytest.mark.criterion("deadlock", weight=2)
@pytest.mark.parametrize("workload", [LARGE, MANY], ids=["large results", "many results"])
def test_results_are_drained(student: Student, workload: tasks.Workload) -> None:
    """Large results, and many, come through."""
    student.check(student.play(_apply(workload))[0], checks.drains(workload, 2))


@pytest.mark.criterion("failure")
@pytest.mark.parametrize("how", RAISING)
def test_raising_task(student: Student, how: str) -> None:
    """When a task raises, the call raises soon, with an exception that names it."""
    workload, message = RAISING[how]
    student.check(student.play(_apply(workload, **FORCED))[0], checks.raises_soon(message))


@pytest.mark.criterion("failure")
@pytest.mark.start_methods("any")
def test_raising_task_beside_a_large_result(student: Student) -> None:
    """A task raises while another one computes, whose result is more than a pipe holds: the call
    raises all the same, and all workers end.
    """
    (run,) = student.play(BESIDE_LARGE)
    large = student.play(_apply(LARGE))[0]
    student.check(run, checks.raises_soon("kaputt 4714", large=large))
    student.check(run, checks.all_shut_down("raises_soon"))


@pytest.mark.criterion("failure")
def test_waiting_tasks_are_not_started(student: Student) -> None:
    """After an error the tasks that still wait are not started."""
    student.check(student.play(_apply(RAISES, **FORCED))[0], checks.waiting_not_started(RAISES))


@pytest.mark.criterion("failure")
@pytest.mark.parametrize("how", DYING)
def test_dying_worker(student: Student, how: str) -> None:
    """When a worker dies, the call raises rather than wait for ever."""
    student.check(student.play(_apply(DYING[how], **FORCED))[0], checks.notices_death())


@pytest.mark.criterion("failure")
@pytest.mark.parametrize("how", [*RAISING, *DYING])
def test_nothing_is_left_after_an_error(student: Student, how: str) -> None:
    """After an error all workers are shut down, and nothing else is left."""
    dying = how in DYING
    workload = DYING[how] if dying else RAISING[how][0]
    (run,) = student.play(_apply(workload, **FORCED))
    student.check(
        run, checks.all_shut_down("notices_death" if dying else "raises_soon", row=_row(student))
    )


@pytest.mark.criterion("start_methods")
def test_start_method(student: Student, plain: Run) -> None:
    """It works under this start method, uses it, and leaves it unchanged."""
    student.check(plain, checks.works_under_start_method())
    student.check(student.play(_apply(LINE, 3))[0], checks.uses_the_default())


@pytest.mark.criterion("edge")
@pytest.mark.parametrize(
    ("workload", "n", "hint"),
    [
        pytest.param(
            tasks.square([]),
            2,
            "with no task there is no result to wait for: return []",
            id="no task",
        ),
        pytest.param(SINGLE, 2, "with one task, one result comes back", id="one task"),
        pytest.param(
            FEW,
            5,
            "each worker needs its 'STOP', also one that never got a task",
            id="more processes than tasks",
        ),
        pytest.param(
            PLAIN.as_generator(),
            2,
            "a generator has no len() and can be read only once: list(tasks)",
            id="generator",
        ),
        pytest.param(
            ODD,
            2,
            "count the results, do not look at them: any of them may be None or 'STOP'",
            id="None, False, 'STOP' and arrays",
        ),
    ],
)
def test_edge_cases(student: Student, workload: tasks.Workload, n: int, hint: str) -> None:
    """Empty and short lists, generators, and results that look like something else."""
    (run,) = student.play(_apply(workload, n))
    student.check(run, checks.values_in_any_order(workload, Concern.EDGE, hint=hint))
    if not workload.tasks:
        student.check(
            run,
            checks.no_leftovers(idle=True),
            checks.nothing_else_left(idle=True, row=_row(student)),
        )


@pytest.mark.criterion("races", weight=3)
@pytest.mark.start_methods("any")
def test_right_under_every_schedule(student: Student) -> None:
    """Right values, ended and joined workers, also while a process or thread is held back."""
    _explore(student, share=0.75)


@pytest.mark.criterion("races")
@pytest.mark.start_methods("spawn")
def test_right_where_workers_start_slowly(student: Student) -> None:
    """The same where each worker is a new interpreter, which takes its time to start."""
    _explore(student, share=0.25)


def _explore(student: Student, share: float) -> None:
    found = student.explore(
        _apply(UNEVEN),
        checks.values_in_any_order(UNEVEN),
        checks.ended_by_sentinel(),
        checks.no_leftovers(),
        share=share,
    )
    student.check(found, checks.holds_under_every_schedule())


@pytest.mark.criterion("speedup")
@pytest.mark.start_methods("default")
def test_speed(student: Student) -> None:
    """The pattern costs not much more than the reference's, task by task, on the same machine in
    the same minute.
    """
    student.check(student.time("mp_apply", n_processes=2), checks.keeps_up_with_reference())
