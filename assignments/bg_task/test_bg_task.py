"""Grading of `bg_task` and `bg_get`: a task in the background, asked for now and then.

Each play makes several calls in one process; gates hold a task while the calls that must not wait
for it are made.
"""

from __future__ import annotations

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.records import Assignment, Concern, Ending, Run, Step
from pytest_mpgrade.student import Student

pytestmark = pytest.mark.rehearsed

RUNNING = "Task still running."
INACTIVE = "Child process inactive."
POLL_SECONDS = 0.3
"""0.2 s are free; a time-out of 0.2 s takes a little longer."""
ASK_AGAIN = steps.Again(seconds=10.0, stop_text=INACTIVE)
HELD = tasks.held(3).tasks
HELD_VALUES = [3 * args[0] + 1 for _, args in HELD]
CROSSED = tasks.held(2, seed=508)
NAP = (tasks.work.nap, (7, 0.15))  # long enough that bg_get is asked before and after
LARGE = (tasks.work.big, (7, 4_000_000))
LARGE_VALUE = bytes([7]) * 4_000_000
ODD = {"None": None, "False": False, "'STOP'": "STOP"}
DYING = {
    "exit status 3": (tasks.work.exit_now, ("dies", 3)),
    "exit status 0": (tasks.work.exit_now, ("dies", 0)),
    "SIGKILL": (tasks.work.kill_self, ("dies",)),
    "an exception": (tasks.work.fail, ("raises", "kaputt 4714")),
}


def _begin(task: object, name: str = "job", **options: object) -> Step:
    return steps.call("bg_task", task, save=name, opaque=True, **options)  # type: ignore[arg-type]  # - options go to several parameters


def _get(name: str = "job", *, block: bool, **options: object) -> Step:
    return steps.call("bg_get", *steps.saved(name, 3), block=block, **options)  # type: ignore[arg-type]  # - options go to several parameters


PLAIN = (_begin((tasks.work.power, (7, 3))), _get(block=True, again=ASK_AGAIN))
POLLED = (
    _begin(HELD[0], gates=steps.SHUT),
    _get(block=False, gates=steps.SHUT),
    _get(block=False, again=ASK_AGAIN, same_holdings=True),
    steps.drop("job"),
)
LARGE_ONES = {
    f"large result, block={block}": (
        _begin(LARGE),
        _get(block=block, again=ASK_AGAIN, same_holdings=True),
        steps.drop("job"),
    )
    for block in (True, False)
}
PATIENT = (
    _begin(HELD[0], gates=steps.SHUT),
    _get(block=True, gates=steps.HeldTask(keys=tasks.held(3).keys[:1], seconds=5.0)),
)
BLOCKING = (_begin(HELD[0], gates=steps.SHUT), _get(block=True, gates=steps.SHUT))
THREE = (
    *(_begin(task, name, gates=steps.SHUT) for name, task in zip("abc", HELD, strict=True)),
    steps.meet(3),
    steps.call("bg_get", *steps.saved("a", 3), gates=steps.SHUT),  # block=False is the default
    *(_get(name, block=False, gates=steps.SHUT) for name in "bc"),
    *(_get(name, block=False, again=ASK_AGAIN) for name in "abc"),
)
ROW_VALUES = (
    (tasks.work.square, (12,), 144),
    (tasks.work.join_words, ("tick", "tack"), "tick-tack"),
    (tasks.work.square, (7,), 49),
)
ROW = tuple(
    step
    for func, args, _ in ROW_VALUES
    for step in (_begin((func, args)), _get(block=True, again=ASK_AGAIN))
)
"""One task after the other in one process."""


CROSSING = (
    _begin(CROSSED.tasks[0], "one", gates=steps.SHUT),
    _begin(CROSSED.tasks[1], "other", gates=steps.SHUT),
    steps.meet(2),
    steps.let(CROSSED.keys[1]),
    _get("one", block=False, gates=steps.SHUT),
    _get("other", block=False, gates=steps.KEPT, again=ASK_AGAIN),
    _get("one", block=False, again=ASK_AGAIN),
)
"""Two tasks at a time, of which the second is done first, and asked for last."""


def _handed_over(student: Student) -> Run:
    """Return the call that handed the result over: the one after the task was done, or a poll that
    waited for it.
    """
    _, early, late, _ = student.play(*POLLED)
    return early if early.ending is Ending.RETURNED and early.value is not None else late


@pytest.fixture(autouse=True)
def plain(student: Student) -> tuple[Run, ...]:
    """Start the plainest task and wait for its result; make the longer plays in the background."""
    runs = student.rely_on(*PLAIN)
    longest = [PATIENT] if student.start_method == "fork" else []
    student.prepare(*longest, POLLED, BLOCKING, THREE, CROSSING, ROW)
    return runs


@pytest.mark.criterion("interface")
def test_module_imports_and_has_the_functions(student: Student, assignment: Assignment) -> None:
    """The module imports without error or child process, and has the functions."""
    student.check(
        student.imported(), checks.imports_cleanly(), checks.has_functions(assignment.functions)
    )


@pytest.mark.criterion("returns")
@pytest.mark.start_methods("any")
def test_plainest_task(student: Student, plain: tuple[Run, ...]) -> None:
    """The result of the plainest task is handed over."""
    student.check(plain[1], checks.hands_over(343))


@pytest.mark.criterion("returns", weight=3)
def test_plainest_task_under_every_start_method(student: Student, plain: tuple[Run, ...]) -> None:
    """The result of the plainest task is handed over under every start method."""
    student.check(plain[1], checks.hands_over(343))


@pytest.mark.criterion("results")
def test_result_is_handed_over(student: Student, plain: tuple[Run, ...]) -> None:
    """bg_task gives three handles, and bg_get returns the result of the task."""
    begun, got = plain
    student.check(begun, checks.gives_three_handles())
    student.check(got, checks.hands_over(343))
    _, early, late, _ = student.play(*POLLED)
    student.check(late, checks.hands_over(HELD_VALUES[0], asked=early))


@pytest.mark.criterion("results")
def test_results_reach_whom_they_belong_to(student: Student) -> None:
    """Of several tasks, one after the other or at the same time, each has its own result, whichever
    is done first.
    """
    for late, (_, _, value) in zip(student.play(*ROW)[1::2], ROW_VALUES, strict=True):
        student.check(late, checks.hands_over(value))
    *begun, pause, _, early, second, first = student.play(*CROSSING)
    together = checks.Together(started=begun, pause=pause)
    student.check(early, checks.still_running(RUNNING, begun[1], others=CROSSED.expected[1:]))
    student.check(second, checks.hands_over_plain(CROSSED.expected[1], together=together))
    student.check(
        first, checks.hands_over_plain(CROSSED.expected[0], asked=early, together=together)
    )


@pytest.mark.criterion("results")
def test_says_that_the_task_is_running(student: Student) -> None:
    """Asked too early, bg_get says so and returns None."""
    begun, early, *_ = student.play(*POLLED)
    student.check(early, checks.still_running(RUNNING, begun))


@pytest.mark.criterion("workers")
def test_task_runs_in_a_child(student: Student) -> None:
    """The task runs in a child process."""
    for play in (POLLED, PLAIN, ROW[-2:], *LARGE_ONES.values()):
        begun, *later = student.play(*play)
        student.check(begun, checks.starts_in_background(*later))


@pytest.mark.criterion("workers")
def test_several_tasks_at_a_time(student: Student) -> None:
    """Several background tasks run at the same time, and each result reaches whom it belongs to."""
    runs = student.play(*THREE)
    student.check(runs[3], checks.meet_in_background(3, started=runs[:3]))
    together = checks.Together(started=runs[:3], pause=runs[3])
    for early, late, value in zip(runs[4:7], runs[7:], HELD_VALUES, strict=True):
        student.check(late, checks.hands_over(value, asked=early, together=together))


@pytest.mark.criterion("nonblocking")
def test_bg_task_returns_at_once(student: Student) -> None:
    """bg_task does not wait for the task."""
    first, second, third, *_ = student.play(*THREE)
    stuck = [run for run in (first, second, third) if run.ending is not Ending.RETURNED]
    student.check((*stuck, first)[0], checks.returns_at_once([second, third]))


@pytest.mark.criterion("nonblocking")
def test_bg_get_polls_without_waiting(student: Student) -> None:
    """bg_get with block=False does not wait for the task."""
    begun, _, _, _, first, second, third, *_ = student.play(*THREE)
    student.check(
        first, checks.returns_at_once([second, third], started=begun, seconds=POLL_SECONDS)
    )


@pytest.mark.criterion("nonblocking")
def test_bg_get_waits_when_asked(student: Student) -> None:
    """bg_get with block=True waits for the task."""
    begun, got = student.play(*BLOCKING)
    student.check(got, checks.waits_when_asked(begun))


@pytest.mark.criterion("nonblocking")
@pytest.mark.start_methods("any")
def test_bg_get_does_not_give_up(student: Student) -> None:
    """bg_get with block=True waits as long as it takes."""
    begun, got = student.play(*PATIENT)
    student.check(got, checks.waits_when_asked(begun))


@pytest.mark.criterion("shutdown")
def test_child_ends_by_sentinel(student: Student, plain: tuple[Run, ...]) -> None:
    """Once the result is handed over, the child has been told to stop and has ended by itself."""
    student.check(plain[1], checks.workers_are_told_to_stop(), checks.child_ended(result=343))
    student.check(_handed_over(student), checks.child_ended(result=HELD_VALUES[0]))


@pytest.mark.criterion("shutdown")
def test_child_is_joined(student: Student, plain: tuple[Run, ...]) -> None:
    """Once the result is handed over, the child has been joined."""
    student.check(plain[1], checks.child_joined(result=343))
    student.check(_handed_over(student), checks.child_joined(result=HELD_VALUES[0]))


@pytest.mark.criterion("shutdown")
@pytest.mark.parametrize("kind", ["held task", *LARGE_ONES])
def test_nothing_is_left(student: Student, kind: str) -> None:
    """When the handles are dropped, nothing is left."""
    if kind in LARGE_ONES:
        _, got, dropped = student.play(*LARGE_ONES[kind])
        student.check(
            dropped, checks.nothing_left_of_tasks(got, result=LARGE_VALUE, row=_rounds(student)[-1])
        )
    else:
        dropped = student.play(*POLLED)[3]
        got, row = _handed_over(student), _rounds(student)[-1]
        student.check(dropped, checks.nothing_left_of_tasks(got, result=HELD_VALUES[0], row=row))


@pytest.mark.criterion("shutdown")
def test_nothing_accumulates(student: Student) -> None:
    """One task after the other piles nothing up."""
    *_, late, dropped = _rounds(student)
    once = student.play(*LARGE_ONES["large result, block=True"])[-1]
    result = (_times(student) - 1) ** 2
    student.check(dropped, checks.nothing_left_of_tasks(late, result=result, once=once))


def _times(student: Student) -> int:
    return 20 if student.start_method == "fork" else 6


def _rounds(student: Student) -> tuple[Run, ...]:
    """Start and end many tasks, one after the other in one process, and drop the handles of the
    last.
    """
    rounds = [
        step
        for i in range(_times(student))
        for step in (
            _begin((tasks.work.square, (i,)), same_holdings=i > 0),
            _get(block=True, again=ASK_AGAIN, same_holdings=True, last=False),
        )
    ]
    return student.play(*rounds, steps.drop("job"))


@pytest.mark.criterion("deadlock")
@pytest.mark.parametrize("kind", LARGE_ONES)
def test_large_result(student: Student, kind: str, plain: tuple[Run, ...]) -> None:
    """A large result comes through."""
    student.check(plain[1], checks.comes_back())
    run = student.play(*LARGE_ONES[kind])[1]
    student.check(run, checks.hands_over(LARGE_VALUE, Concern.DEADLOCK))


@pytest.mark.criterion("failure")
@pytest.mark.parametrize("block", [True, False], ids=["block=True", "block=False"])
@pytest.mark.parametrize("how", DYING)
def test_child_that_dies(student: Student, how: str, block: bool) -> None:
    """When the child has died without a result, bg_get says so and does not wait for ever."""
    begun, run = student.play(_begin(DYING[how]), _get(block=block, again=ASK_AGAIN))
    student.check(run, checks.says_inactive(INACTIVE, begun, early=student.play(*POLLED)[1]))


@pytest.mark.criterion("results")
def test_says_that_the_child_has_died(student: Student) -> None:
    """bg_get says so when the child has died."""
    begun, run = student.play(_begin(DYING["SIGKILL"]), _get(block=False, again=ASK_AGAIN))
    student.check(run, checks.names_the_death(INACTIVE, begun))


@pytest.mark.criterion("start_methods")
def test_start_method(student: Student, plain: tuple[Run, ...]) -> None:
    """It works under this start method, uses it, and leaves it unchanged."""
    stuck = [run for run in plain if run.returned_under]
    student.check((*stuck, plain[1])[0], checks.works_under_start_method())
    student.check(student.play(*BLOCKING)[1], checks.uses_the_default())


@pytest.mark.criterion("races")
@pytest.mark.start_methods("any")
def test_right_under_every_schedule(student: Student) -> None:
    """The result is handed over, and the child ended and joined, also while either is held back."""
    _explore(student, _get(block=False, again=ASK_AGAIN))


@pytest.mark.criterion("races")
@pytest.mark.start_methods("any")
def test_right_while_waiting(student: Student) -> None:
    """The same where bg_get waits for the result."""
    _explore(student, _get(block=True))


def _explore(student: Student, get: Step) -> None:
    result = NAP[1][0]
    found = student.explore(
        _begin(NAP),
        get,
        checks.hands_over(result),
        checks.child_ended(result=result),
        checks.child_joined(result=result),
        share=0.5,
    )
    student.check(found, checks.holds_under_every_schedule())


@pytest.mark.criterion("edge")
@pytest.mark.parametrize("name", ODD)
def test_odd_results(student: Student, name: str) -> None:
    """None, False and 'STOP' are results like any other, and end the child."""
    run = student.play(_begin((tasks.work.give, (name, ODD[name]))), _get(block=True))[1]
    student.check(
        run,
        checks.hands_over(ODD[name], Concern.EDGE),
        checks.child_ended(Concern.EDGE, result=ODD[name]),
    )


@pytest.mark.criterion("edge")
def test_array(student: Student) -> None:
    """An array is a result like any other."""
    (expected,) = tasks.arrays([4]).expected
    run = student.play(_begin((tasks.work.array, ("array", 4))), _get(block=True, again=ASK_AGAIN))[
        1
    ]
    student.check(run, checks.hands_over_plain(expected, Concern.EDGE))
