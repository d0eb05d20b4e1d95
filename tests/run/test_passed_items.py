"""What processes say of the items that they pass to each other; real processes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_mpgrade import steps, tasks
from pytest_mpgrade.inside.passed_items import MOST_NOTES
from pytest_mpgrade.records import Ending, PassedItem, ProcessSeen, TimedStart
from pytest_mpgrade.run.client.passed_items import FILE, notes_in, passed_items
from pytest_mpgrade.run.protocol import Account
from support.running import ROOT, MakeRuns
from support.runs import METHODS, RIGHT


@METHODS
def test_tasks_and_results_are_noted(play: MakeRuns, method: str) -> None:
    """Each task goes from the caller to the worker that ran it, and each result back, in time."""
    run = play(RIGHT, steps.call("mp_apply", tasks.square(range(8)), n_processes=2), method=method)
    trace = run[1].trace
    ran = [event.pid for event in trace.events]
    tasked = [item.target for item in trace.passed if item.source == trace.caller]
    results = [item.source for item in trace.passed if item.target == trace.caller]
    assert len(ran) == 8
    for pid in {*ran}:  # and its sentinel
        assert ran.count(pid) < tasked.count(pid) <= ran.count(pid) + 1
    assert sorted(results) == sorted(ran)
    assert all(0 <= item.put <= item.got <= trace.looked for item in trace.passed)


PASSES = """
    import multiprocessing as mp
    import os

    def child(queue, n):
        for number in range(n):
            queue.put(number)

    def passes(n):
        queue = mp.Queue()
        process = mp.Process(target=child, args=(queue, n))
        process.start()
        got = [queue.get() for _ in range(n)]
        process.join()
        return got == list(range(n))

    def only_put(n):
        reader, writer = mp.Pipe()
        writer.send(n)
        return True

    def spoilt(how):
        file = os.environ["MPGRADE_PASSED"]
        os.unlink(file)
        if how == "fifo":
            os.mkfifo(file)
        elif how == "link":
            os.symlink("/proc/self/status", file)
        else:
            with open(file, "wb") as notes:
                notes.write(b"put x y z\\ngot 1 nan 3\\nput\\n\\xff\\ngot 1 1 " + b"9" * 3_000_000)
        return passes(3)
"""


def test_calls_are_told_apart(play: MakeRuns) -> None:
    """A call has the items of its own, and the first ones only; what nobody gets is left out."""
    runs = play(
        PASSES,
        *(steps.call("passes", n) for n in (2, MOST_NOTES + 9, 1)),
        steps.call("only_put", 1),
    )
    assert [run.value for run in runs[1:]] == [True] * 4
    assert [len(run.trace.passed) for run in runs[1:]] == [2, MOST_NOTES, 1, 0]


@pytest.mark.parametrize("how", ["fifo", "link", "garbage"])
def test_spoilt_notes_change_nothing(play: MakeRuns, how: str) -> None:
    """Whatever lies where the notes were, the call is judged as ever and the drawing lacks them."""
    run = play(PASSES, steps.call("spoilt", how))[1]
    assert (run.ending, run.value, run.trace.passed) == (Ending.RETURNED, True, ())


def test_a_timed_call_notes_nothing(play: MakeRuns) -> None:
    """Notes take time, so the processes of a timed call make none."""
    step = steps.call("mp_apply", tasks.square(range(4)), n_processes=2)
    timed = replace(step, gates=TimedStart(n=2))
    assert play(RIGHT, timed)[1].trace.passed == ()


def test_who_is_unknown_is_left_out(tmp_path: Path) -> None:
    """Ids are those of the sandbox; equal items arrive in the order in which they were put."""
    lines = ["caller 1 5.0 -", "put 1 9.0 a", "put 1 11.0 a", "put 1 11.5 a", "put 7 11.6 a"]
    lines += ["got 2 12.0 a", "got 8 12.1 a", "got 2 12.5 a", "got 2 12.6 b"]
    (tmp_path / FILE).write_text("\n".join(lines))
    worker = ProcessSeen(pid=4002, parent=4001, born="fork", inside=2)
    account = Account(
        ending=Ending.RETURNED, caller=4001, processes=(worker,), began=10.0, looked=5.0
    )
    assert passed_items(notes_in(os.fspath(tmp_path)), account) == (
        PassedItem(source=4001, put=1.0, target=4002, got=2.0),
        PassedItem(source=4001, put=1.5, target=4002, got=2.5),
    )


def test_only_a_drawing_is_made_of_it() -> None:
    """No check reads what processes say of their items: they may say anything."""
    judging = (ROOT / "pytest_mpgrade" / "judge").rglob("*.py")
    readers = [path.name for path in judging if "trace.passed" in path.read_text("utf-8")]
    assert readers == ["run_timeline.py"]
