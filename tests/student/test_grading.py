"""What a grading does again before it blames a submission."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_mpgrade import steps, tasks
from pytest_mpgrade.records import Ending, Scenario
from pytest_mpgrade.student.runs import FURTHER_TRIES, RunCache

HANGS_IN_ITS_POOL = """
    import multiprocessing as mp
    import threading

    def wait_for_ever():
        threading.Event().wait()

    def mp_apply(tasks):
        with open({journal!r}, "a+") as file:
            file.write("called\\n")
            file.seek(0)
            before = len(file.readlines()) - 1
        if before in {hanging!r}:
            pool = mp.Pool(1)
            pool.apply_async(wait_for_ever)
            pool.close()
            pool.join()
        return []
"""


@pytest.mark.parametrize(
    ("hanging", "ending", "calls"),
    [
        pytest.param([], Ending.RETURNED, 1, id="never"),
        pytest.param([0], Ending.RETURNED, 2, id="once"),
        pytest.param(list(range(9)), Ending.HUNG, 1 + FURTHER_TRIES, id="each time"),
    ],
)
def test_hang_within_a_pool_is_tried_again(
    run_cache: Callable[..., RunCache],
    tmp_path: Path,
    hanging: list[int],
    ending: Ending,
    calls: int,
) -> None:
    """A Pool that hangs now and then, by a race of CPython's, costs nobody points; one that always
    does, does.
    """
    journal = tmp_path / "journal"
    step = steps.call("mp_apply", tasks.square([1]), patience=1.0)
    scenario = Scenario(steps=(step,), start_method="fork")
    run = run_cache(HANGS_IN_ITS_POOL.format(journal=str(journal), hanging=hanging)).run(scenario)[
        -1
    ]
    assert (run.ending, len(journal.read_text().splitlines())) == (ending, calls), (
        run.why,
        run.trace.stuck,
    )


CRASHES = """
    import os
    import signal

    def mp_apply(tasks):
        with open({journal!r}, "a+") as file:
            file.write("called\\n")
            file.seek(0)
            before = len(file.readlines()) - 1
        if before in {crashing!r}:
            os.kill(os.getpid(), signal.SIGSEGV)
        return []
"""


@pytest.mark.parametrize(
    ("crashing", "ending", "calls"),
    [
        pytest.param([0], Ending.RETURNED, 2, id="once"),
        pytest.param(list(range(9)), Ending.DIED, 1 + FURTHER_TRIES, id="each time"),
    ],
)
def test_crash_is_tried_again(
    run_cache: Callable[..., RunCache],
    tmp_path: Path,
    crashing: list[int],
    ending: Ending,
    calls: int,
) -> None:
    """An interpreter that crashes once, by a library's fault, costs nobody points; one that always
    does, does.
    """
    journal = tmp_path / "journal"
    scenario = Scenario(steps=(steps.call("mp_apply", tasks.square([1])),), start_method="fork")
    run = run_cache(CRASHES.format(journal=str(journal), crashing=crashing)).run(scenario)[-1]
    assert (run.ending, len(journal.read_text().splitlines())) == (ending, calls), run.why
    assert run.exitcode == (None if ending is Ending.RETURNED else -11)
