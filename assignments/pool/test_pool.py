"""Grading of `pool_map`, `pool_starmap`, `pool_start` and `pool_finish`: a pool of processes.

Gates hold items, so that it shows which worker gets which of them, who ends how, and who waits.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.records import Assignment, Concern, Ending, Run, ShutGates, Step
from pytest_mpgrade.student import Student

pytestmark = pytest.mark.rehearsed

SQUARES = tasks.square([12, -7, 30, 5, 41])
SPINS = tasks.spin(5, 1000)
LINE = tasks.rendezvous(3)
PAIR = tasks.rendezvous(2)
LATE = tasks.held_last(5, seconds=0.2)
HELD = tasks.held(6)
OTHERS = tasks.held(6, seed=508)
CHUNKS = tasks.held(17)
"""In chunks of 3 the first items of three workers are 0, 3 and 6; a pool's default are chunks of 2,
and the last chunk of either is shorter.
"""
FEW_CHUNKS = tasks.held(4)
"""In chunks of 3 the second of two workers gets one item, not its half."""
PER_CHUNK = 3
DEFAULT = (2, 1)
"""`Pool.map` makes four chunks for each of its 3 workers, which are 2 items; `Pool.imap` gives one
item at a time unless told otherwise.
"""
RAISES = tasks.raises(message="kaputt 4714", followed_by=4, seconds=0.05)
LARGE = tasks.big(5, 3_000_000)
EDGES = {
    "no item": (tasks.square([]), 2, "with no item there is no result: return []"),
    "one item": (tasks.square([-12]), 2, "with one item, one result comes back"),
    "equal items": (
        tasks.square([8, 3]) + tasks.square([8]) + tasks.square([8]),
        2,
        "a dictionary or set of items has equal ones once: keep the results by their place",
    ),
    "one process": (
        tasks.square([17, -2, 6]),
        1,
        "one process is a child, too",
    ),
    "more processes than items": (
        tasks.square([9, 4]),
        5,
        "a chunk has at least one item, also where there are few",
    ),
    "generator": (
        replace(SQUARES, lazy=True),
        2,
        "a generator has no len() and can be read only once: list(items)",
    ),
    "None, False, 'STOP' and arrays": (
        tasks.gives([None, False, "STOP", 0, "", None]) + tasks.arrays([3, 0, 5]),
        2,
        "count the results, do not look at them: any of them may be None or False",
    ),
}
PLAY_WORDS = {"pool_map": steps.items, "pool_starmap": steps.arg_tuples}
MAPS = pytest.mark.parametrize("function", PLAY_WORDS)


def _map(
    workload: tasks.Workload, n: int = 2, function: str = "pool_map", **options: object
) -> Step:
    given = PLAY_WORDS[function](workload)
    return steps.call(function, *given, n_processes=n, **options)  # type: ignore[arg-type]  # - options go to several parameters


def _start(workload: tasks.Workload, n: int = 2, name: str = "handle", **options: object) -> Step:
    return steps.call(
        "pool_start",
        *steps.items(workload),
        n_processes=n,
        save=name,
        opaque=True,
        **options,  # type: ignore[arg-type]  # - options go to several parameters
    )


def _finish(name: str = "handle", **options: object) -> Step:
    return steps.call("pool_finish", steps.whole(name), **options)  # type: ignore[arg-type]  # - options go to several parameters


def _chunks(chunksize: int | None, workload: tasks.Workload = CHUNKS, n: int = 3) -> Step:
    script = steps.Rendezvous(n=n, keys=workload.keys, seed=509)
    asked = {} if chunksize is None else {"chunksize": chunksize}
    return steps.call("pool_map", *steps.items(workload), n_processes=n, gates=script, **asked)  # type: ignore[arg-type]  # - options go to several parameters


PLAIN = (
    (_map(SQUARES),),
    (_map(SPINS, function="pool_starmap"),),
    (_start(SQUARES), _finish()),
)
"""The plainest calls of each function; what goes wrong in one says nothing of the others."""
LATER = (
    _start(HELD, 3, gates=steps.SHUT),
    steps.meet(4),
    _finish(timeout=0.3, gates=steps.KEPT),
    _finish(gates=steps.SHUT),
)
"""Asked for too early, the work goes on."""
IN_TIME = (
    _start(HELD, 3, gates=steps.SHUT),
    steps.meet(3),
    _finish(timeout=30, gates=steps.OPEN),
)
"""Given a time, which is enough."""
AT_ONCE = (
    _start(HELD, 3, gates=steps.SHUT),
    steps.meet(4),
    _finish(timeout=0, gates=steps.KEPT),
)
"""Asked for without any time."""
PATIENT = (
    _start(HELD, 3, gates=steps.SHUT),
    steps.meet(3),
    steps.let(HELD.keys[2]),
    _finish(gates=ShutGates(exit_gates=True), same_holdings=True),
    steps.drop("handle"),
)
"""The third item is done before the first one; the workers are kept at their exit until they are
waited for. What pool_start made counts as left, too.
"""
TWO = (
    _start(HELD, name="one", gates=steps.SHUT),
    _start(OTHERS, name="other", gates=steps.SHUT),
    _finish("other", timeout=30, gates=steps.OPEN),
    _finish("one"),
)
"""Two handles at a time, of which the second is asked for first."""
UNASKED = (
    steps.call("pool_start", *steps.items(HELD), save="handle", opaque=True, gates=steps.SHUT),
    steps.meet(3),
)
ROW = (
    _map(tasks.square([21, -4, 6])),
    _map(tasks.square([31, 17]), 3),
    _map(tasks.square([5, 40, -13]), function="pool_starmap"),
    _map(tasks.square([21, -4, 6])),
)
ROW_WORKLOADS = (
    tasks.square([21, -4, 6]),
    tasks.square([31, 17]),
    tasks.square([5, 40, -13]),
    tasks.square([21, -4, 6]),
)
FAILING = {
    "": (_start(RAISES), _finish(same_holdings=True), steps.drop("handle")),
    "given a time": (_start(RAISES), _finish(timeout=30, same_holdings=True), steps.drop("handle")),
}
"""How long pool_finish may wait for an item that raises."""


@pytest.fixture(autouse=True)
def plain(student: Student) -> tuple[Run, ...]:
    """Make the plainest call of each function; make the longest plays in the background."""
    runs = tuple(student.rely_on(*steps)[-1] for steps in PLAIN)
    student.prepare(PATIENT, (_map(LINE, 3),), (_map(LINE, 3, "pool_starmap"),))
    return runs


@pytest.mark.criterion("interface")
def test_module_imports_and_has_the_functions(student: Student, assignment: Assignment) -> None:
    """The module imports without error or child process, and has the functions."""
    student.check(
        student.imported(), checks.imports_cleanly(), checks.has_functions(assignment.functions)
    )


@pytest.mark.criterion("returns")
def test_plainest_calls(student: Student, plain: tuple[Run, ...]) -> None:
    """The plainest calls return lists in which most results are."""
    mapped, starred, finished = plain
    student.check(mapped, checks.gives_results(SQUARES), checks.works_under_start_method())
    student.check(starred, checks.gives_results(SPINS), checks.works_under_start_method())
    student.check(finished, checks.gives_results(SQUARES), checks.works_under_start_method())


@pytest.mark.criterion("returns")
def test_start_method(student: Student) -> None:
    """The pools use the default start method, and leave it unchanged."""
    student.check(student.play(_map(LINE, 3))[0], checks.uses_the_default())
    student.check(student.play(*PATIENT)[3], checks.uses_the_default())


@pytest.mark.criterion("results")
@pytest.mark.start_methods("any")
def test_every_item_has_its_result(student: Student, plain: tuple[Run, ...]) -> None:
    """One right result per item, from each of the functions."""
    mapped, starred, finished = plain
    student.check(mapped, checks.values_in_any_order(SQUARES))
    student.check(starred, checks.values_in_any_order(SPINS))
    student.check(finished, checks.values_in_any_order(SQUARES))
    for function in PLAY_WORDS:
        (run,) = student.play(_map(LINE, 3, function))
        student.check(run, checks.values_in_any_order(LINE))
    for chunksize in (PER_CHUNK, None):
        student.check(student.play(_chunks(chunksize))[0], checks.values_in_any_order(CHUNKS))
    (few,) = student.play(_chunks(PER_CHUNK, FEW_CHUNKS, 2))
    student.check(few, checks.values_in_any_order(FEW_CHUNKS))


@pytest.mark.criterion("results")
@pytest.mark.start_methods("any")
def test_results_are_waited_for(student: Student) -> None:
    """Results that come late are waited for."""
    started, *_, finished, _ = student.play(*PATIENT)
    student.check(finished, checks.of_held(started, checks.late_result_arrives(HELD)))
    for function in PLAY_WORDS:
        student.check(
            student.play(_map(LATE, function=function))[0], checks.late_result_arrives(LATE)
        )


@pytest.mark.criterion("results")
@pytest.mark.start_methods("any")
def test_calls_do_not_know_of_each_other(student: Student) -> None:
    """Of several calls in one process, one after the other or at the same time, each has the
    results of its own items.
    """
    for place, run in enumerate(student.play(*ROW)):
        student.check(
            run, checks.values_in_any_order(ROW_WORKLOADS[place], after=ROW_WORKLOADS[:place])
        )
    *_, other, one = student.play(*TWO)
    student.check(other, checks.values_in_any_order(OTHERS))
    student.check(one, checks.values_in_any_order(HELD, after=[OTHERS]))


@pytest.mark.criterion("ordering")
@pytest.mark.start_methods("any")
@MAPS
def test_order_of_results(student: Student, function: str) -> None:
    """The results are in the order of the items, also when the first item is done last."""
    student.check(student.play(_map(LATE, function=function))[0], checks.values_in_order(LATE))


@pytest.mark.criterion("ordering")
@pytest.mark.start_methods("any")
def test_order_of_results_in_background(student: Student) -> None:
    """The results of pool_finish are in the order of the items, also when the third is done
    first.
    """
    started, *_, finished, _ = student.play(*PATIENT)
    student.check(finished, checks.of_held(started, checks.values_in_order(HELD)))


@pytest.mark.criterion("workers")
@MAPS
def test_asked_number_of_workers(student: Student, function: str) -> None:
    """Exactly n child processes work, at the same time."""
    (run,) = student.play(_map(LINE, 3, function))
    student.check(run, checks.workers(3, renewed=True), checks.met())


@pytest.mark.criterion("workers")
@pytest.mark.start_methods("any")
def test_work_in_background(student: Student) -> None:
    """Exactly n child processes work in the background."""
    started, pause, *_ = student.play(*LATER)
    student.check(pause, checks.works_in_background(3, started))


@pytest.mark.criterion("workers")
@pytest.mark.start_methods("any")
def test_two_workers_unless_asked_otherwise(student: Student) -> None:
    """Without n_processes there are two."""
    for function, given in PLAY_WORDS.items():
        (run,) = student.play(steps.call(function, *given(PAIR)))
        student.check(run, checks.workers(2, renewed=True))
    started, pause = student.play(*UNASKED)
    student.check(pause, checks.works_in_background(2, started))


@pytest.mark.criterion("workers")
@pytest.mark.start_methods("any")
def test_no_item_is_done_by_the_caller(student: Student, plain: tuple[Run, ...]) -> None:
    """Child processes do all items, the caller none, also where there are few items, equal ones or
    one process.
    """
    student.check(plain[0], checks.in_children(SQUARES))
    student.check(plain[1], checks.in_children(SPINS))
    for name in ("one item", "equal items", "one process", "more processes than items"):
        workload, n, _ = EDGES[name]
        for function in PLAY_WORDS:
            (run,) = student.play(_map(workload, n, function))
            student.check(run, checks.in_children(workload))


@pytest.mark.criterion("chunking", weight=2)
@pytest.mark.start_methods("any")
def test_asked_chunks(student: Student) -> None:
    """With chunksize=3 a worker gets three consecutive items at a time, also of four items."""
    hint = "give the chunksize to map(), or cut the items into consecutive runs of that length"
    (run,) = student.play(_chunks(PER_CHUNK))
    student.check(run, checks.chunked(CHUNKS, [PER_CHUNK], hint=hint))
    (few,) = student.play(_chunks(PER_CHUNK, FEW_CHUNKS, 2))
    student.check(few, checks.chunked(FEW_CHUNKS, [PER_CHUNK], hint=hint))


@pytest.mark.criterion("chunking")
@pytest.mark.start_methods("any")
def test_chunks_unless_asked_otherwise(student: Student) -> None:
    """Without chunksize the items are in the chunks that a Pool makes."""
    hint = "give the pool's own function chunksize=None, or leave it out: it computes the chunks"
    student.check(student.play(_chunks(None))[0], checks.chunked(CHUNKS, DEFAULT, hint=hint))


@pytest.mark.criterion("nonblocking")
def test_start_returns_at_once(student: Student) -> None:
    """pool_start does not wait for the items."""
    first, second, *_ = student.play(*TWO)
    started, pause, *_ = student.play(*PATIENT)
    stuck = [run for run in (started, first, second) if run.ending is not Ending.RETURNED]
    student.check((*stuck, started)[0], checks.returns_at_once([first, second], by=pause))


@pytest.mark.criterion("nonblocking", weight=2)
@pytest.mark.start_methods("any")
def test_gives_up_in_time(student: Student) -> None:
    """pool_finish raises TimeoutError when the results are not there in time, 0 s too."""
    for play in (LATER, AT_ONCE):
        started, _, early, *_ = student.play(*play)
        student.check(early, checks.times_out(started))


@pytest.mark.criterion("nonblocking")
@pytest.mark.start_methods("any")
def test_work_is_not_lost(student: Student) -> None:
    """After a TimeoutError pool_finish can be called again, and returns the results."""
    _, _, early, late = student.play(*LATER)
    student.check(late, checks.keeps_the_work(HELD, early))


@pytest.mark.criterion("shutdown", weight=2)
@MAPS
def test_workers_end_by_themselves(student: Student, function: str) -> None:
    """The workers are told that there is no more work, and end by themselves."""
    student.check(student.play(_map(LINE, 3, function))[0], checks.ended_by_sentinel())


@pytest.mark.criterion("shutdown", weight=2)
def test_workers_in_background_end_by_themselves(student: Student) -> None:
    """When pool_finish has returned the results, with a timeout or without, its workers have ended
    by themselves.
    """
    started, *_, finished, _ = student.play(*PATIENT)
    student.check(finished, checks.of_held(started, checks.ended_by_sentinel()))
    started, _, in_time = student.play(*IN_TIME)
    student.check(in_time, checks.of_held(started, checks.ended_by_sentinel()))


@pytest.mark.criterion("shutdown")
@MAPS
def test_nothing_outlives_the_call(student: Student, function: str) -> None:
    """When the call returns, no process, thread, pipe or semaphore of it is left."""
    (run,) = student.play(_map(LINE, 3, function))
    student.check(run, checks.no_leftovers(), checks.nothing_else_left(row=_row(student)))


@pytest.mark.criterion("shutdown")
def test_nothing_outlives_the_handle(student: Student) -> None:
    """When pool_finish has returned, no process is left, and nothing when the handle is dropped."""
    started, *_, finished, dropped = student.play(*PATIENT)
    student.check(finished, checks.of_held(started, checks.no_leftovers()))
    student.check(dropped, checks.nothing_left_of_handle(finished, row=_row(student)))


@pytest.mark.criterion("shutdown")
def test_nothing_accumulates(student: Student) -> None:
    """Calling it again and again piles nothing up."""
    once = student.play(_map(EDGES["more processes than items"][0], 5))[0]
    student.check(_row(student), checks.nothing_accumulates(_times(student), once))


def _times(student: Student) -> int:
    return 20 if student.start_method == "fork" else 5


def _row(student: Student) -> Run:
    """Return the last of many calls in one process, after which it is seen what all have left."""
    times = _times(student)
    row = [
        _map(tasks.square([i, i + 40]), same_holdings=i > 0, last=i == times - 1)
        for i in range(times)
    ]
    return student.play(*row)[-1]


@pytest.mark.criterion("failure")
@pytest.mark.start_methods("any")
@MAPS
def test_raising_item(student: Student, function: str) -> None:
    """When an item raises, the call raises that exception, and shuts its pool down."""
    (run,) = student.play(_map(RAISES, function=function))
    student.check(run, checks.raises_soon("kaputt 4714"), checks.all_shut_down(row=_row(student)))


@pytest.mark.criterion("failure")
@pytest.mark.start_methods("any")
@pytest.mark.parametrize("how", FAILING)
def test_raising_item_in_background(student: Student, how: str) -> None:
    """When an item raises in the background, pool_finish raises that exception, and shuts the pool
    down, whether it is given a time or not.
    """
    _, run, dropped = student.play(*FAILING[how])
    down = checks.all_shut_down(dropped=dropped, row=_row(student))
    student.check(run, checks.raises_soon("kaputt 4714"), down)


@pytest.mark.criterion("edge", weight=3)
@pytest.mark.start_methods("any")
@pytest.mark.parametrize("name", EDGES)
def test_edge_cases(student: Student, name: str) -> None:
    """No item, few items, a generator, and results that look like something else."""
    workload, n, hint = EDGES[name]
    runs = [student.play(_map(workload, n, function))[0] for function in PLAY_WORDS]
    runs.append(student.play(_start(workload, n), _finish(timeout=30))[-1])
    for run in runs:
        student.check(run, checks.values_in_any_order(workload, Concern.EDGE, hint=hint))
    if not workload.tasks:
        for run in runs:
            student.check(run, checks.no_leftovers(idle=True))


@pytest.mark.criterion("edge")
@pytest.mark.start_methods("any")
@MAPS
def test_large_results(student: Student, function: str) -> None:
    """Results of megabytes come through."""
    (run,) = student.play(_map(LARGE, function=function))
    student.check(run, checks.drains(LARGE, 2))
