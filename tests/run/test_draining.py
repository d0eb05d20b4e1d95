"""The gate script `drain`: what waits for consumers is counted while nobody else can move."""

from __future__ import annotations

import sys

import pytest

from pytest_mpgrade import steps, tasks
from pytest_mpgrade.records import Drained, Ending, GateReport
from support.running import MakeRuns
from support.runs import METHODS

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the kernel attests who is at a gate"
)

ITEMS = 14
WAITING = tasks.held(ITEMS)
CONSUMERS = 3
TEXT = """
    import multiprocessing as mp
    import threading
    import time

    def consume(todo, done):
        for index, (func, args) in iter(todo.get, "STOP"):
            done.put((index, func(*args)))

    def produce(tasks, todo, n):
        for pair in [*enumerate(tasks), *["STOP"] * n]:
            PUT

    def polled(todo, pair, nap):
        while todo.full():
            time.sleep(nap)
        todo.put(pair)

    def mp_apply(tasks, n_processes=2):
        MANAGER
        todo, done = OWNER.Queue(SIZE), mp.Queue()
        crew = [mp.Process(target=consume, args=(todo, done)) for _ in range(n_processes)]
        crew.append(PRODUCER(target=produce, args=(tasks, todo, n_processes)))
        for each in crew:
            each.start()
        values = dict(done.get() for _ in tasks)
        for each in crew:
            each.join()
        END
        return [values[index] for index in range(len(tasks))]
"""


def counted(
    play: MakeRuns,
    size: str,
    *,
    producer: str = "mp.Process",
    put: str = "todo.put(pair)",
    manager: bool = False,
    **options: str,
) -> GateReport:
    """Return the report of a run with this queue, which has to come back with all values."""
    words = {
        "SIZE": size,
        "PRODUCER": producer,
        "PUT": put,
        "MANAGER": "manager = mp.Manager()" if manager else "",
        "OWNER": "manager" if manager else "mp",
        "END": "manager.shutdown()" if manager else "",
    }
    text = TEXT
    for name, word in words.items():
        text = text.replace(name, word)
    step = steps.call("mp_apply", WAITING, n_processes=CONSUMERS, gates=Drained(n=CONSUMERS))
    run = play(text, step, **options)[-1]
    assert (run.ending, run.encoded) == (Ending.RETURNED, ["list", list(WAITING.expected)])
    assert run.trace.gates is not None
    assert run.trace.gates.met
    return run.trace.gates


@METHODS
@pytest.mark.parametrize("producer", ["mp.Process", "threading.Thread"])
@pytest.mark.parametrize(("size", "drained"), [("2", 2), ("5", 5), ("0", ITEMS - CONSUMERS)])
def test_items_that_wait_are_counted(
    play: MakeRuns, method: str, producer: str, size: str, drained: int
) -> None:
    """As many items as the queue's size are counted, whoever fills it; without a size, all."""
    assert counted(play, size, producer=producer, method=method).drained == drained


@pytest.mark.parametrize("nap", ["0.002", "0"])
def test_producer_that_polls_is_stopped_as_well(play: MakeRuns, nap: str) -> None:
    """A producer that never sleeps for long is stopped, and does not count."""
    assert counted(play, "2", put=f"polled(todo, pair, {nap})").drained == 2


@pytest.mark.parametrize("observer", ["proc", "psutil"])
def test_counted_without_ptrace(play: MakeRuns, observer: str) -> None:
    """Processes are stopped and go on where they are not traced, too."""
    assert counted(play, "2", observer=observer).drained == 2


@METHODS
@pytest.mark.parametrize(("size", "least", "most"), [("2", 0, 2), ("0", 5, ITEMS - CONSUMERS)])
def test_queue_of_a_manager_is_counted(
    play: MakeRuns, method: str, size: str, least: int, most: int
) -> None:
    """The server of a manager goes on, and an item that it was asked to take does not count."""
    drained = counted(play, size, manager=True, method=method).drained
    assert drained is not None
    assert least <= drained <= most
