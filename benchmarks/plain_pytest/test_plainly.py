"""What a course would write without a grader: plain tests of `mp_apply`, each with a time limit.

They need pytest-timeout, and are here to be timed beside a grading; see ../grading_time.py.
"""

from __future__ import annotations

import multiprocessing as mp
import time
from collections.abc import Iterator

import pytest
from cv_funcs import mp_apply  # type: ignore[import-not-found]  # - a copy of the submission lies beside this file

pytestmark = pytest.mark.timeout(10)


@pytest.fixture(autouse=True, params=["fork", "spawn", "forkserver"])
def method(request: pytest.FixtureRequest) -> Iterator[str]:
    """Make a start method the default."""
    before = mp.get_start_method()
    mp.set_start_method(request.param, force=True)
    yield request.param
    mp.set_start_method(before, force=True)


def square(x: int) -> int:
    """Return the square."""
    return x * x


def nap(i: int) -> int:
    """Sleep, and return *i*."""
    time.sleep(0.2)
    return i


def large(i: int) -> bytes:
    """Return 3 MB."""
    return bytes([i]) * 3_000_000


def fail(text: str) -> None:
    """Raise an exception."""
    raise ValueError(text)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_results(n: int) -> None:
    """Each task has its result."""
    tasks = [(square, (x,)) for x in range(8)]
    assert sorted(mp_apply(tasks, n_processes=n)) == [x * x for x in range(8)]


def test_no_task() -> None:
    """No task, no result."""
    assert mp_apply([], n_processes=2) == []


def test_large_results() -> None:
    """Large results come through."""
    assert len(mp_apply([(large, (i,)) for i in range(6)], n_processes=2)) == 6


def test_many_results() -> None:
    """Many results come through."""
    assert len(mp_apply([(square, (x,)) for x in range(10_000)], n_processes=2)) == 10_000


def test_error() -> None:
    """A task that raises is an error."""
    with pytest.raises(Exception, match="kaputt"):
        mp_apply([(fail, ("kaputt",)), *((nap, (i,)) for i in range(4))], n_processes=2)


def test_nobody_is_left() -> None:
    """No child is left."""
    mp_apply([(square, (x,)) for x in range(8)], n_processes=2)
    assert mp.active_children() == []


def test_faster() -> None:
    """Two workers are faster than one."""
    begun = time.monotonic()
    mp_apply([(nap, (i,)) for i in range(8)], n_processes=2)
    assert time.monotonic() - begun < 1.5
