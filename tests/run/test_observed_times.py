"""When processes ended, were reaped, slept and stood at gates, and what a timeline makes of it."""

from __future__ import annotations

import pytest

from pytest_mpgrade import steps, tasks
from pytest_mpgrade.judge.run_timeline import run_timeline
from pytest_mpgrade.records import Ending, Lane, Run, Timeline
from support.running import MakeRuns

HANGS = """
    import multiprocessing as mp

    def work(todo):
        todo.get()

    def f():
        todo = mp.SimpleQueue()
        worker = mp.Process(target=work, args=(todo,))
        worker.start()
        worker.join()
"""
LEAVES = """
    import multiprocessing as mp
    import os
    import time

    kept = []

    def end():
        pass

    def stay():
        time.sleep(60)

    def f():
        joined, alive, zombie = (mp.Process(target=each) for each in (end, stay, end))
        for each in (joined, alive, zombie):
            each.start()
            kept.append(each)
        joined.join()
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
"""


def lanes(run: Run) -> tuple[Timeline, list[Lane]]:
    """Return the timeline of a run, and the lanes of the processes that it started."""
    drawn = run_timeline(run)
    assert drawn.lanes[0].pid == run.trace.caller
    return drawn, list(drawn.lanes[1:])


def test_a_hang_shows_who_waits_for_whom_to_the_end(play: MakeRuns) -> None:
    """Both processes wait up to the moment at which the call is given up, at their own lines."""
    run = play(HANGS, steps.call("f"))[1]
    drawn, (worker,) = lanes(run)
    assert (drawn.ending, drawn.moments[-1].kind) == (Ending.HUNG, "given up")
    assert drawn.end == drawn.moments[-1].at == pytest.approx(run.seconds, abs=0.01)
    for lane, code in ((drawn.lanes[0], "worker.join()"), (worker, "todo.get()")):
        assert (lane.code, lane.end, lane.left) == (code, None, "")
        last = lane.spans[-1]
        assert (last.kind, last.end) == ("waiting", drawn.end)
        assert last.end - last.start > 0.05  # looks are 0.1 s apart, and three of them prove it
    (awaits,) = [arrow for arrow in drawn.arrows if arrow.kind == "awaits"]
    assert (awaits.source, awaits.target) == (run.trace.caller, worker.pid)


def test_what_a_call_leaves_is_told_from_what_it_joins(play: MakeRuns) -> None:
    """One process is joined, one is a zombie from its end on, one is alive after the return."""
    run = play(LEAVES, steps.call("f"))[1]
    drawn, (joined, alive, zombie) = lanes(run)
    assert [lane.left for lane in (joined, zombie, alive)] == ["", "zombie", "alive"]
    returned = next(moment for moment in drawn.moments if moment.kind == "returned")
    assert returned.text == "the call returns: 1 worker never joined, 1 still alive"
    assert joined.end is not None
    assert joined.end <= returned.at
    assert (joined.exitcode, zombie.exitcode, alive.exitcode) == (0, 0, None)
    assert zombie.spans[-1].kind == "zombie"
    assert zombie.spans[-1].start == zombie.end
    assert (alive.spans[-1].kind, alive.end) == ("alive", None)
    assert alive.spans[-1].start == pytest.approx(returned.at, abs=0.001)
    reaped = [arrow.source for arrow in drawn.arrows if arrow.kind == "reaped"]
    assert reaped == [joined.pid]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_tasks_stand_at_their_gates_until_these_open(play: MakeRuns, method: str) -> None:
    """A held task is a span from its message to the opening of its gate, and tasks are numbered."""
    text = """
        import multiprocessing as mp

        def work(todo, done):
            for func, args in iter(todo.get, "STOP"):
                done.put(func(*args))

        def f(given):
            todo, done = mp.SimpleQueue(), mp.SimpleQueue()
            workers = [mp.Process(target=work, args=(todo, done)) for _ in range(2)]
            for each in workers:
                each.start()
            for task in given:
                todo.put(task)
            results = [done.get() for _ in given]
            for each in workers:
                todo.put("STOP")
            for each in workers:
                each.join()
            return results
    """
    run = play(text, steps.call("f", tasks.rendezvous(2)), method=method)[1]
    assert run.ending is Ending.RETURNED, run
    drawn, workers = lanes(run)
    held = [(lane, span) for lane in workers for span in lane.spans if span.kind == "gate"]
    opened = {(each.pid, round(each.at, 4)) for each in run.trace.openings}
    assert {"task 0", "task 1"} <= {span.text for _, span in held}
    assert all((lane.pid, span.end) in opened for lane, span in held)
    assert len({mark.text for lane in workers for mark in lane.marks if mark.kind == "task"}) == 8
    first = "own" if method == "fork" else "starting"
    assert {lane.spans[0].kind for lane in workers} == {first}
    for lane in drawn.lanes:
        ends = [0.0, *(at for span in lane.spans for at in (span.start, span.end))]
        assert ends == sorted(ends)
        assert all(0.0 <= at <= drawn.end for at in ends)
