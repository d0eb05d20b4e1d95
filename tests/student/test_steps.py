"""What happens between two calls of one process, and what is told of things that outlive them; real
processes.
"""

from __future__ import annotations

import pytest

from pytest_mpgrade import steps, tasks
from pytest_mpgrade.records import Ending, Run, Step
from support.running import MakeRuns

TWO = tasks.held(2)
STARTS = """
    import multiprocessing as mp

    def start(task):
        inbox, outbox = mp.Pipe(duplex=False)
        p = mp.Process(target=run, args=(task, outbox))
        p.start()
        return p, inbox, outbox

    def run(task, outbox):
        func, args = task
        outbox.send(func(*args))

    def ask(p, inbox, outbox):
        return inbox.recv() if inbox.poll() else None

    def wait(p, inbox, outbox):
        return inbox.recv()
"""


def started(*more: Step) -> tuple[Step, ...]:
    """Return the steps that start two tasks, bring both to their gates, and let the second go
    on.
    """
    begin = [
        steps.call("start", task, save=name, opaque=True, gates=steps.SHUT)
        for name, task in zip("ab", TWO.tasks, strict=True)
    ]
    return (*begin, steps.meet(2), steps.let(TWO.keys[1]), *more)


def asked(name: str, function: str = "ask", **options: object) -> Step:
    """Return the step that asks for a result."""
    return steps.call(function, *steps.saved(name, 3), **options)  # type: ignore[arg-type]  # - options go to several parameters


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_one_of_two_tasks_goes_on(play: MakeRuns, method: str) -> None:
    """A task that is let go on is done when the next call is made, while the other still stands at
    its gate.
    """
    later = (asked("a", gates=steps.SHUT), asked("b", gates=steps.KEPT), asked("a", "wait"))
    *_, let, first, second, last = play(STARTS, *started(*later), method=method)
    assert let.trace.gates is not None
    assert let.trace.gates.met
    assert [first.encoded, second.encoded, last.encoded] == [
        ["none"],
        TWO.expected[1],
        TWO.expected[0],
    ]


def test_kept_gates_are_opened_for_a_call_that_waits_for_them(play: MakeRuns) -> None:
    """A call that waits for a task of an earlier one is seen to, and gets it."""
    run = play(STARTS, *started(asked("a", "wait", gates=steps.KEPT)))[-1]
    assert (run.ending, run.encoded) == (Ending.RETURNED, TWO.expected[0])
    assert run.trace.gates is not None
    assert (run.trace.gates.blocked, run.trace.gates.early) == (True, False)


def test_task_that_never_came_is_not_waited_for(play: MakeRuns) -> None:
    """Letting a task go on that stands at no gate changes nothing."""
    begin = steps.call("start", TWO.tasks[0], save="a", opaque=True, gates=steps.SHUT)
    *_, let, run = play(
        STARTS, begin, steps.meet(1), steps.let(TWO.keys[1]), asked("a", gates=steps.SHUT)
    )
    assert let.trace.gates is not None
    assert (let.trace.gates.met, run.encoded) == (False, ["none"])


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_shared_memory_of_a_worker_is_found(play: MakeRuns, method: str) -> None:
    """What a worker makes under any start method carries the run's name: it is named when it is
    left, and removed.
    """
    text = """
        import multiprocessing as mp
        from multiprocessing import resource_tracker, shared_memory

        def work():
            block = shared_memory.SharedMemory(create=True, size=4096)
            resource_tracker.unregister(block._name, "shared_memory")
            block.close()

        def f():
            p = mp.Process(target=work)
            p.start()
            p.join()
    """
    run = play(text, steps.call("f"), method=method)[1]
    assert [left.kind for left in run.trace.leftovers] == ["shared memory"]


OWN = """
    import threading

    def stay():
        threading.Event().wait()

    def f():
        threading.Thread(target={target}, daemon=True).start()
"""


@pytest.mark.parametrize(("target", "own"), [("stay", True), ("threading.Event().wait", False)])
def test_thread_of_the_submission_is_told_from_a_library_s(
    play: MakeRuns, target: str, own: bool
) -> None:
    """A thread that is left is the submission's where a line of that is on its stack."""
    run: Run = play(OWN.format(target=target), steps.call("f"))[1]
    assert [(left.kind, left.own) for left in run.trace.leftovers] == [("thread", own)]


def test_workload_as_items() -> None:
    """A workload goes down as a function with its items, or as one with tuples of arguments; where
    its tasks have several functions, whole tasks are the items.
    """
    squares, mixed = tasks.square([3, -4]), tasks.mixed()
    func, items = steps.items(squares)
    assert (func, items.argument, items.label) == (tasks.work.square, [3, -4], "2 items")
    assert steps.arg_tuples(squares)[1].argument == [(3,), (-4,)]
    assert steps.arg_tuples(tasks.spin(2, 9))[1].argument == [(0, 9), (1, 9)]
    func, items = steps.items(mixed)
    assert (func, items.argument) == (tasks.work.run_task, list(mixed.tasks))
    assert steps.items(tasks.square([7]))[1].label == "1 item"
    assert steps.items(tasks.square([]))[1].argument == []
    step = steps.call("pool_map", *steps.items(squares), n_processes=3)
    assert (step.label, step.keys) == ("pool_map(square, 2 items, n_processes=3)", ("3", "-4"))
    assert steps.call("calculate", tasks.work.power, (3, 4)).keys is None
