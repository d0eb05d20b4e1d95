"""A limit of time stands still while others have the cores, and runs while the tree keeps its own
threads waiting.
"""

from __future__ import annotations

import pytest

from pytest_mpgrade.records import Ending, Step
from pytest_mpgrade.run.observe.deadline import MOST, Deadline
from pytest_mpgrade.system.linux.procfs import Thread
from support.running import MakeRuns

LIMIT = 10.0


def thread(tid: int, ran: float, queued: float) -> Thread:
    """Return a thread that has run, and has waited for a core, for so many seconds."""
    return Thread(
        pid=tid,
        tid=tid,
        state="R",
        switches=0,
        ran=int(ran * 1e9),
        queued=int(queued * 1e9),
        timed=True,
        syscall="",
    )


@pytest.mark.parametrize(
    ("threads", "put_off"),
    [
        pytest.param([(10.0, 0.0)], 0.0, id="has computed all the time"),
        pytest.param([(0.1, 0.0)], 0.0, id="has slept"),
        pytest.param([(2.0, 0.01)], 0.0, id="has waited too little to matter"),
        pytest.param([(4.0, 6.0)], 6.0, id="others had the core"),
        pytest.param([(5.0, 5.0)] * 4, 0.0, id="four on two cores keep each other waiting"),
        pytest.param([(2.5, 7.5)] * 4, 5.0, id="four on two cores, of which others had half"),
        pytest.param([(0.0, 0.0), (4.0, 6.0)], 6.0, id="the one that lost the most counts"),
        pytest.param([(0.2, 9.8)] * 25, 0.0, id="a crowd starves itself"),
        pytest.param([(0.1, 0.1)] * 50, 5.0, id="threads that take turns have lost half together"),
    ],
)
def test_limit_is_put_off_by_what_others_took(
    threads: list[tuple[float, float]], put_off: float
) -> None:
    """What the cores would have given on an idle machine is the measure."""
    deadline = Deadline(2)
    deadline.begin(100.0, LIMIT)
    deadline.look(100.0, lambda: [thread(tid, 7.0, 3.0) for tid in range(len(threads))])
    found = [thread(tid, 7.0 + ran, 3.0 + queued) for tid, (ran, queued) in enumerate(threads)]
    assert not deadline.passed(100.0 + LIMIT, lambda: found)
    assert deadline.passed(100.0 + LIMIT + 0.001, lambda: found) is (put_off == 0.0)
    assert deadline.at == pytest.approx(100.0 + LIMIT + put_off, abs=0.01)


def test_same_seconds_count_once() -> None:
    """A thread that lost nothing more is late at the next deadline."""
    deadline = Deadline(2)
    deadline.begin(0.0, LIMIT)
    deadline.look(0.0, lambda: [thread(1, 0.0, 0.0)])
    found = [thread(1, 4.0, 6.0)]
    assert not deadline.passed(LIMIT + 0.001, lambda: found)
    assert deadline.passed(deadline.at + 0.001, lambda: found)


def test_limit_is_put_off_only_so_far() -> None:
    """Whoever waits for a run has to know when it is over."""
    deadline = Deadline(2)
    deadline.begin(0.0, LIMIT)
    deadline.look(0.0, lambda: [thread(1, 0.0, 0.0)])
    while not deadline.passed(deadline.at + 0.001, lambda: [thread(1, 0.0, deadline.at)]):
        assert deadline.at < 10 * LIMIT
    assert deadline.at == pytest.approx((1 + MOST) * LIMIT, abs=0.1)


def test_deadline_that_was_never_looked_at_is_not_put_off() -> None:
    """What a thread lost before the limit began is nothing that it may have again."""
    deadline = Deadline(2)
    deadline.begin(0.0, LIMIT)
    assert deadline.passed(LIMIT + 1, lambda: [thread(1, 5.0, 50.0)])


COMPUTES = """
import time


def call(seconds):
    while time.process_time() < seconds:
        pass
    return "done"
"""


@pytest.mark.usefixtures("others_have_the_cores")
def test_call_that_is_done_in_time_on_an_idle_machine_is_done_in_time(play: MakeRuns) -> None:
    """It needs half a second of CPU and has 1.5 s, of which others take three quarters."""
    run = play(COMPUTES, Step(function="call", args=(0.5,)), seconds=1.5, import_seconds=30.0)[-1]
    assert (run.ending, run.encoded) == (Ending.RETURNED, ["str", "done"]), run
    assert run.seconds > 1.5


def test_call_that_computes_for_too_long_is_late(play: MakeRuns) -> None:
    """The program's own threads keep each other waiting: their limit runs."""
    text = (
        COMPUTES
        + """

def crowd():
    import multiprocessing as mp
    crowd = [mp.Process(target=call, args=(9.0,), daemon=True) for _ in range(3 * mp.cpu_count())]
    for each in crowd:
        each.start()
    crowd[0].join()
"""
    )
    run = play(text, Step(function="crowd"), seconds=2.0)[-1]
    assert run.ending is Ending.TIMED_OUT
