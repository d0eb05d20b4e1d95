"""Grading of `square_server`, `pipe_squares` and `produce_consume`: pipes, and a bounded queue.

The items of `produce_consume` are tasks, which `run_task` runs. To count what waits on the queue,
all processes but the consumers are stopped, and the consumers take what is there.
"""

from __future__ import annotations

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.records import Assignment, Concern, Drained, Run, Step
from pytest_mpgrade.student import Student

pytestmark = pytest.mark.rehearsed

VALUES = [3, -4, 0, 2.5, 3, 7]
SQUARES = [9, 16, 0, 6.25, 9, 49]
NUMBERS = [11, 12, 13]
LONG = list(range(-2000, 3000))
SHIFTS = [2_000_000, 2_000_001, 2_000_002, 2_000_003]
"""Numbers of so many bits are larger than what a pipe holds."""
PLAIN = tasks.mixed()
LINE = tasks.rendezvous(3)
PAIR = tasks.rendezvous(2)
LATE = tasks.held_last(6, seconds=1.0)
WAITING = tasks.held(26)
SINGLE = tasks.square([-12])
FEW = tasks.square([9, 4])
ALIKE = tasks.square([8, 3]) + tasks.square([8]) + tasks.square([8])
ODD = tasks.gives([None, False, "STOP", 0, "", None]) + tasks.arrays([3, 0, 5])
LARGE = tasks.big(6, 3_000_000)
MANY = tasks.many(3_000)
CONSUMERS, ROOM = 3, 2
"""For the count of what waits; neither is the default, nor is their sum."""


def _squares(values: list[int], words: str = "") -> Step:
    return steps.call("pipe_squares", values, words=words)


def _consume(workload: tasks.Workload, n: int = 2, **options: object) -> Step:
    return steps.call(
        "produce_consume",
        tasks.work.run_task,
        workload,
        n_consumers=n,
        **options,  # type: ignore[arg-type]  # - options go to several parameters
    )


DIRECT = steps.call("square_server", steps.PipeEnd([*VALUES, None, 5]))
AT_ONCE = steps.call("square_server", steps.PipeEnd([None]))
IN_CHILD = steps.call(
    "square_server", VALUES, via=tasks.work.converse, words="a connection in a child process"
)
PIPED = steps.call("pipe_squares", VALUES)
CONSUMED = _consume(PLAIN)
LINED_UP = _consume(LINE, 3, maxsize=1)
"""Fewer may wait than there are consumers: those that are worked on do not count."""
COUNTED = _consume(WAITING, CONSUMERS, maxsize=ROOM, gates=Drained(n=CONSUMERS))
COUNTED_BY_DEFAULT = steps.call("produce_consume", tasks.work.run_task, WAITING, gates=Drained(n=2))
FULL_PIPES = {
    "many values": (_squares(LONG, "5,000 numbers"), [x * x for x in LONG]),
    "large values": (
        _squares([1 << bits for bits in SHIFTS], "4 numbers of 250 kB"),
        [1 << 2 * bits for bits in SHIFTS],
    ),
}
FULL_QUEUES = {"large values": LARGE, "many items": MANY}


@pytest.fixture
def piped(student: Student) -> Run:
    """Make the plainest call of pipe_squares."""
    (run,) = student.rely_on(PIPED)
    student.prepare(*[(step,) for step, _ in FULL_PIPES.values()])
    return run


@pytest.fixture
def consumed(student: Student) -> Run:
    """Make the plainest call of produce_consume."""
    (run,) = student.rely_on(CONSUMED)
    student.prepare((_consume(MANY),), (LINED_UP,), (_consume(LARGE),))
    if student.start_method == "fork":
        student.prepare((COUNTED,))
    return run


@pytest.mark.criterion("interface")
def test_module_imports_and_has_the_functions(student: Student, assignment: Assignment) -> None:
    """The module imports without error or child process, and has the functions."""
    student.check(
        student.imported(), checks.imports_cleanly(), checks.has_functions(assignment.functions)
    )


@pytest.mark.criterion("server")
@pytest.mark.start_methods("any")
def test_server_answers(student: Student) -> None:
    """square_server answers each number with its square, 0 too."""
    student.check(student.play(DIRECT)[0], checks.answers_each(SQUARES))


@pytest.mark.criterion("server")
@pytest.mark.start_methods("any")
def test_server_obeys_none(student: Student) -> None:
    """square_server returns when it receives None."""
    student.check(student.play(DIRECT)[0], checks.obeys_none(len(SQUARES)))


@pytest.mark.criterion("server")
@pytest.mark.start_methods("any")
def test_server_closes_its_connection(student: Student) -> None:
    """square_server closes the connection before it returns, also when None comes first."""
    for step in (DIRECT, AT_ONCE):
        student.check(student.play(step)[0], checks.closes_connection())


@pytest.mark.criterion("server")
def test_server_in_a_child(student: Student) -> None:
    """square_server, run in a child process, answers number after number and ends by itself."""
    run = student.play(IN_CHILD)[0]
    student.check(run, checks.returns_value(SQUARES), checks.ended_by_sentinel())


@pytest.mark.criterion("squares")
def test_squares(student: Student, piped: Run) -> None:
    """pipe_squares returns the squares in the order of the values."""
    student.check(piped, checks.returns_value(SQUARES))


@pytest.mark.criterion("values", weight=2)
def test_values(student: Student, consumed: Run) -> None:
    """produce_consume returns one right value for each item, whatever its type."""
    student.check(consumed, checks.values_in_any_order(PLAIN))


@pytest.mark.criterion("values")
def test_every_item_is_consumed_once(student: Student, consumed: Run) -> None:
    """Each item is consumed once, by the process that returns its value."""
    student.check(student.play(LINED_UP)[0], checks.values_in_any_order(LINE))


@pytest.mark.criterion("values")
@pytest.mark.start_methods("any")
def test_consumers_wait_for_the_next_item(student: Student, consumed: Run) -> None:
    """Consumers wait for the next item, also while nobody can put one for some seconds."""
    student.check(student.play(COUNTED)[0], checks.values_in_any_order(WAITING))


@pytest.mark.criterion("values")
@pytest.mark.start_methods("any")
def test_values_are_in_order(student: Student, consumed: Run) -> None:
    """The values are in the order of the items, although the first is done last."""
    run = student.play(_consume(LATE))[0]
    student.check(run, checks.values_in_order(LATE))


@pytest.mark.criterion("processes")
def test_one_child_squares(student: Student, piped: Run) -> None:
    """pipe_squares has one child process, which does the work."""
    student.check(piped, checks.started(1))
    numbers = [tasks.work.Number(each) for each in NUMBERS]
    run = student.play(steps.call("pipe_squares", numbers))[0]
    student.check(run, checks.none_in_caller())


@pytest.mark.criterion("processes")
def test_consumers_do_the_work(student: Student, consumed: Run) -> None:
    """Exactly n consumers apply the function, one too, and the calling process does not."""
    student.check(student.play(LINED_UP)[0], checks.workers(3))
    student.check(consumed, checks.in_children(PLAIN, 2))
    student.check(student.play(_consume(ALIKE))[0], checks.in_children(ALIKE, 2))
    student.check(student.play(_consume(FEW, 1))[0], checks.in_children(FEW, 1))


@pytest.mark.criterion("processes")
@pytest.mark.start_methods("any")
def test_two_consumers_unless_asked_otherwise(student: Student, consumed: Run) -> None:
    """Without n_consumers there are two."""
    run = student.play(steps.call("produce_consume", tasks.work.run_task, PAIR))[0]
    student.check(run, checks.workers(2))


@pytest.mark.criterion("processes")
def test_consumers_work_at_the_same_time(student: Student, consumed: Run) -> None:
    """All consumers work at the same time."""
    student.check(student.play(LINED_UP)[0], checks.met())


@pytest.mark.criterion("bound", weight=3)
@pytest.mark.start_methods("any")
def test_queue_is_bounded(student: Student, consumed: Run) -> None:
    """While all consumers are busy, no more than maxsize items wait on the queue."""
    student.check(student.play(COUNTED)[0], checks.bounded(ROOM))


@pytest.mark.criterion("bound")
@pytest.mark.start_methods("any")
def test_four_items_wait_unless_asked_otherwise(student: Student, consumed: Run) -> None:
    """Without maxsize no more than four items wait."""
    student.check(student.play(COUNTED_BY_DEFAULT)[0], checks.bounded(4))


@pytest.mark.criterion("shutdown")
def test_child_of_the_pipe_ends(student: Student, piped: Run) -> None:
    """When pipe_squares returns, its child has ended by itself and been joined, and both ends of
    the pipe are closed.
    """
    student.check(
        piped,
        checks.workers_are_told_to_stop(),
        checks.ended_by_sentinel(),
        checks.no_leftovers(),
        checks.nothing_else_left(row=_pipe_row(student)),
    )


@pytest.mark.criterion("shutdown")
def test_consumers_end_by_sentinel(student: Student, consumed: Run) -> None:
    """When produce_consume returns, every consumer has been told to stop, and has ended by
    itself.
    """
    student.check(consumed, checks.workers_are_told_to_stop())
    student.check(student.play(LINED_UP)[0], checks.ended_by_sentinel())


@pytest.mark.criterion("shutdown")
@pytest.mark.parametrize("kind", ["held items", *FULL_QUEUES])
def test_nothing_outlives_the_call(student: Student, consumed: Run, kind: str) -> None:
    """When produce_consume returns, no process, thread, pipe or semaphore of it is left."""
    step = _consume(FULL_QUEUES[kind]) if kind in FULL_QUEUES else LINED_UP
    run = student.play(step)[0]
    student.check(run, checks.no_leftovers(), checks.nothing_else_left(row=_row(student)))


@pytest.mark.criterion("shutdown")
@pytest.mark.start_methods("any")
def test_nothing_outlives_a_call_without_work(student: Student) -> None:
    """When either function returns from an empty list, no process of it is left."""
    for step in (_consume(tasks.square([])), steps.call("pipe_squares", [])):
        student.check(student.play(step)[0], checks.no_leftovers(idle=True))


@pytest.mark.criterion("shutdown")
def test_nothing_accumulates(student: Student, consumed: Run) -> None:
    """Calling it again and again piles nothing up."""
    once = student.play(_consume(FEW))[0]
    student.check(_row(student), checks.nothing_accumulates(_times(student), once))


def _times(student: Student) -> int:
    return 20 if student.start_method == "fork" else 6


def _row(student: Student) -> Run:
    """Return the last of many calls of produce_consume in one process."""
    times = _times(student)
    row = [
        _consume(tasks.square([i, i + 40]), same_holdings=i > 0, last=i == times - 1)
        for i in range(times)
    ]
    return student.play(*row)[-1]


def _pipe_row(student: Student) -> Run:
    """Return the last of many calls of pipe_squares in one process."""
    times = _times(student)
    row = [
        steps.call("pipe_squares", [i, i + 40], same_holdings=i > 0, last=i == times - 1)
        for i in range(times)
    ]
    return student.play(*row)[-1]


@pytest.mark.criterion("deadlock")
@pytest.mark.parametrize("kind", FULL_PIPES)
def test_full_pipe(student: Student, piped: Run, kind: str) -> None:
    """More values than a pipe holds come through, and values that are larger."""
    student.check(piped, checks.comes_back())
    step, expected = FULL_PIPES[kind]
    student.check(student.play(step)[0], checks.returns_value(expected, Concern.DEADLOCK))


@pytest.mark.criterion("deadlock")
@pytest.mark.parametrize("kind", FULL_QUEUES)
def test_full_queues(student: Student, consumed: Run, kind: str) -> None:
    """Large values come through the queues, and many items."""
    student.check(consumed, checks.comes_back())
    workload = FULL_QUEUES[kind]
    student.check(student.play(_consume(workload))[0], checks.drains(workload, 2))


@pytest.mark.criterion("start_methods")
def test_start_method_of_the_pipe(student: Student, piped: Run) -> None:
    """pipe_squares works under this start method, uses it, and leaves it unchanged."""
    student.check(piped, checks.works_under_start_method(), checks.uses_the_default())


@pytest.mark.criterion("start_methods")
def test_start_method_of_the_queues(student: Student, consumed: Run) -> None:
    """produce_consume works under this start method, uses it, and leaves it unchanged."""
    student.check(consumed, checks.works_under_start_method())
    student.check(student.play(LINED_UP)[0], checks.uses_the_default())


@pytest.mark.criterion("edge")
@pytest.mark.start_methods("any")
@pytest.mark.parametrize(("values", "squares"), [([], []), ([-6], [36])], ids=["none", "one"])
def test_few_values(student: Student, piped: Run, values: list[int], squares: list[int]) -> None:
    """pipe_squares of an empty list, and of a single value."""
    run = student.play(steps.call("pipe_squares", values))[0]
    student.check(run, checks.returns_value(squares, Concern.EDGE))


@pytest.mark.criterion("edge")
@pytest.mark.start_methods("any")
@pytest.mark.parametrize(
    ("workload", "n", "maxsize"),
    [
        pytest.param(tasks.square([]), 2, 4, id="no item"),
        pytest.param(SINGLE, 2, 4, id="one item"),
        pytest.param(FEW, 5, 1, id="more consumers than items"),
        pytest.param(ALIKE, 2, 2, id="equal items"),
    ],
)
def test_few_items(
    student: Student, consumed: Run, workload: tasks.Workload, n: int, maxsize: int
) -> None:
    """produce_consume of no item, one item, fewer items than consumers, and equal items."""
    run = student.play(_consume(workload, n, maxsize=maxsize))[0]
    student.check(run, checks.values_in_any_order(workload, Concern.EDGE))


@pytest.mark.criterion("edge")
@pytest.mark.start_methods("any")
def test_odd_values(student: Student, consumed: Run) -> None:
    """None, False, 'STOP' and arrays are values like any other."""
    student.check(student.play(_consume(ODD))[0], checks.values_in_any_order(ODD, Concern.EDGE))
