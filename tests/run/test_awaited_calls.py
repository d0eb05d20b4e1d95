"""Coroutine functions against the gate script of awaited calls: whether the loop turns is proven,
never measured.
"""

from __future__ import annotations

import sys

import pytest

from pytest_mpgrade import steps, tasks
from pytest_mpgrade.records import Ending, GateReport, Run
from support.running import MakeRuns

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the tree cannot be proven to be quiescent"
)

FOUR = tasks.held(4)
FUNCTIONS = """
import asyncio
import multiprocessing as mp
import threading
import time

LOCK = threading.Lock()


async def in_thread(task):
    return await asyncio.to_thread(task[0], *task[1])


async def in_process(task):
    def run():
        with mp.get_context("fork").Pool(1) as pool:
            return pool.apply(*task)
    return await asyncio.to_thread(run)


async def in_loop(task):
    return task[0](*task[1])


async def joins(task):
    thread = threading.Thread(target=task[0], args=task[1])
    thread.start()
    await asyncio.sleep(0)
    thread.join()


async def naps(task):
    future = asyncio.ensure_future(in_thread(task))
    while not future.done():
        await asyncio.sleep(0)
        time.sleep(0.5)
    return await future


async def one_at_a_time(task):
    def run():
        with LOCK:
            return task[0](*task[1])
    return await asyncio.to_thread(run)


async def too_early(task):
    asyncio.ensure_future(in_thread(task))
    return 0


async def cleans_up(task):
    try:
        return await in_thread(task)
    finally:
        print("cleaned up")


def plain(task):
    return 4716


def eager(task):
    return asyncio.get_running_loop().run_in_executor(None, task[0], *task[1])
"""


def alone(play: MakeRuns, function: str) -> tuple[Run, GateReport]:
    """Await one held task; return the run and how its script went."""
    step = steps.call(function, FOUR.tasks[0], awaited="once", gates=steps.HeldTasks(n=1))
    return _told(play(FUNCTIONS, step)[1])


def together(play: MakeRuns, function: str) -> tuple[Run, GateReport]:
    """Await four held tasks at the same time; return the run and how its script went."""
    calls = [[task] for task in FOUR.tasks]
    step = steps.gather(function, *calls, gates=steps.HeldTasks(n=4))
    return _told(play(FUNCTIONS, step)[1])


def _told(run: Run) -> tuple[Run, GateReport]:
    assert run.trace.gates is not None
    return run, run.trace.gates


@pytest.mark.parametrize("function", ["in_thread", "in_process"])
def test_free_loops_turn(play: MakeRuns, function: str) -> None:
    """A loop that is free answers three times while its tasks are held, all of them at once."""
    run, gates = together(play, function)
    assert (gates.met, gates.most_inside, gates.blocked, len(gates.turns)) == (True, 4, False, 3)
    assert run.encoded == ["list", list(FOUR.expected)]
    assert not run.in_caller


@pytest.mark.parametrize("function", ["in_loop", "joins"])
def test_blocked_loops_cannot_turn(play: MakeRuns, function: str) -> None:
    """A loop that is blocked until its task is done is a proven deadlock: the tree is quiescent."""
    run, gates = alone(play, function)
    assert (gates.met, gates.blocked, gates.turns) == (True, True, ())
    assert run.ending is Ending.RETURNED


def test_loop_that_is_blocked_again_and_again(play: MakeRuns) -> None:
    """A loop that turns once between two naps answers, and the length of the naps is told."""
    run, gates = alone(play, "naps")
    assert not gates.blocked
    assert min(gates.turns) > 0.3
    assert run.encoded == FOUR.expected[0]


def test_tasks_that_take_turns(play: MakeRuns) -> None:
    """Behind a lock only one of four tasks is ever at its gate, while the loop turns."""
    _, gates = together(play, "one_at_a_time")
    assert (gates.met, gates.most_inside, gates.blocked) == (False, 1, False)


def test_call_that_does_not_wait(play: MakeRuns) -> None:
    """A coroutine that comes back without its task is no blocked loop."""
    run, gates = alone(play, "too_early")
    assert (run.encoded, gates.blocked) == (["int", "0"], False)


def test_cancelled_call(play: MakeRuns) -> None:
    """A call is cancelled while its task is held, which then ends in its own time."""
    step = steps.call(
        "cleans_up", FOUR.tasks[0], awaited="cancelled", gates=steps.HeldTasks(n=1, cancel=True)
    )
    run, gates = _told(play(FUNCTIONS, step)[1])
    assert run.error is not None
    assert (run.ending, run.error.type) == (Ending.RAISED, "CancelledError")
    assert (run.printed, gates.met, run.trace.leftovers) == ("cleaned up\n", True, ())


@pytest.mark.parametrize(
    ("function", "kind", "begun"),
    [("in_thread", "coroutine", 0), ("plain", "int", 0), ("eager", "Future", 1)],
)
def test_call_that_is_never_awaited(play: MakeRuns, function: str, kind: str, begun: int) -> None:
    """A call that is not awaited says what it gave, and whether its task began all the same."""
    step = steps.call(function, FOUR.tasks[0], awaited="never", gates=steps.SHUT)
    run = play(FUNCTIONS, step)[1]
    assert (run.value, len(run.trace.events)) == (kind, begun)


def test_what_cannot_be_awaited(play: MakeRuns) -> None:
    """What a plain function returned is not awaited but told as an error of its own."""
    run = play(FUNCTIONS, steps.call("plain", FOUR.tasks[0], awaited="once"))[1]
    assert run.error is not None
    assert (run.error.type, run.error.message) == (
        "NotAwaitableError",
        "int cannot be awaited",
    )


def test_loop_is_in_debug_mode(play: MakeRuns) -> None:
    """The loop runs in debug mode: asyncio says which callback was slow."""
    step = steps.call("naps", FOUR.tasks[0], awaited="once", gates=steps.HeldTasks(n=1))
    assert "Executing <" in play(FUNCTIONS, step)[0].stderr


def test_loop_at_import(play: MakeRuns) -> None:
    """An event loop that the import leaves open is a side effect of it; one that is closed is
    none.
    """
    call = steps.call("f", 2, awaited="once")
    source = "import asyncio\n{}\nasync def f(x):\n    return x\n"
    left = play(source.format("LOOP = asyncio.new_event_loop()"), call)
    ended = play(source.format("asyncio.run(asyncio.sleep(0))"), call)
    assert left[0].facts.side_effects == ("makes an event loop",)
    assert (ended[0].facts.side_effects, ended[1].encoded) == ((), ["int", "2"])
