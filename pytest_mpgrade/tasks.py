"""Workloads for tests: lists of tasks that know their results.

A workload is given to `student.call` in place of the tasks argument. Only the tasks go down to the
student's process; what is expected stays here. Its keys name the tasks, in the order of submission,
in what the gatekeeper sees.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_mpgrade.inside import model_workloads as models
from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.inside import workloads as work
from pytest_mpgrade.inside.placeholders import Lazily, Own
from pytest_mpgrade.records import HeldTask, OpenGates, Rendezvous, Script, ShutGates, TimedStart

__all__ = ["Own", "Workload", "arrays", "big", "dies", "gives", "held", "held_last", "many"]
__all__ += ["mixed", "models", "raises", "raises_beside_large", "rendezvous"]
__all__ += ["spin", "square", "through_own"]
__all__ += ["timed_naps", "timed_spins", "uneven", "wait", "work"]

Task = tuple[Callable[..., object] | Own, tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Tasks, their results, and the gate script for which they are made.

    Results are encoded as plain data.
    """

    tasks: tuple[Task, ...]
    keys: tuple[str, ...]
    expected: tuple[object, ...] = ()
    gates: Script = field(default_factory=OpenGates)
    words: str = "tasks"
    lazy: bool = False
    vouched: bool = False  # each returns its argument and what its process was given at its gate
    given: tuple[object, ...] | None = None  # goes down in place of the tasks: `steps.items`

    @property
    def label(self) -> str:
        """The workload as messages name it: "12 tasks"."""
        count = len(self.tasks)
        words = self.words if count != 1 else re.sub(r"\b(task|item)s\b", r"\1", self.words)
        return f"{count} {words}" if self.tasks else "[]"

    @property
    def argument(self) -> object:
        """What goes down to the student's process."""
        items = list(self.tasks if self.given is None else self.given)
        return Lazily(items) if self.lazy else items

    def as_generator(self) -> Workload:
        """Return the same workload, handed over as a generator."""
        return replace(self, lazy=True, words=f"{self.words} from a generator")

    def __add__(self, other: Workload) -> Workload:
        return replace(
            self,
            tasks=self.tasks + other.tasks,
            keys=self.keys + other.keys,
            expected=self.expected + other.expected,
        )


def _computed(
    func: Callable[..., object],
    args: Iterable[tuple[object, ...]],
    keys: Iterable[str],
    results: Iterable[object],
) -> Workload:
    return Workload(
        tasks=tuple((func, arguments) for arguments in args),
        keys=tuple(keys),
        expected=tuple(plain_data.encode(result) for result in results),
    )


def square(values: Sequence[int]) -> Workload:
    """Return tasks that square distinct integers, one argument each."""
    return _computed(work.square, [(x,) for x in values], map(str, values), [x * x for x in values])


def mixed() -> Workload:
    """Return tasks of different functions, numbers of arguments and types of results.

    They are in no sorted order.
    """
    power = _computed(work.power, [(3, 4), (2, 70)], ["3**4", "2**70"], [81, 2**70])
    words = _computed(
        work.join_words,
        [("tick", "tack", "toe"), ("solo",)],
        ["tick-tack-toe", "solo"],
        ["tick-tack-toe", "solo"],
    )
    describe = _computed(
        work.describe, [([4, -2, 9], 0.5)], ["[4, -2, 9]*0.5"], [{"low": -1.0, "high": 4.5}]
    )
    return power + square([11, -7, 100003]) + words + describe


def through_own(values: Sequence[int], function: str = "calculate") -> Workload:
    """Return tasks whose function lives in the student's module: it applies `square` for us."""
    base = square(values)
    return replace(base, tasks=tuple((Own(function), task) for task in base.tasks))


def _unsorted(count: int, seed: int) -> list[int]:
    return random.Random(seed).sample(range(10, 10 + 50 * count), count)  # noqa: S311 - no secret


def rendezvous(n: int, *, seed: int = 507) -> Workload:
    """Return 4 n tasks that stop at gates: the first n meet there.

    The others are let in one at a time. One run answers which processes work, how many at once,
    whether a free worker takes the next task, and in which order. Choose *n* of at least 3 that is
    not the number of cores.
    """
    workload = held(4 * n, seed=seed)
    tasks: tuple[Task, ...] = tuple((work.vouched, args) for _, args in workload.tasks)
    script = Rendezvous(n=n, keys=workload.keys, seed=seed, exit_gates=True)
    # What each returns is known only when its process has been given a number at its gate: see
    # `checks.workers`.
    return replace(workload, tasks=tasks, expected=(), gates=script, vouched=True)


def held(count: int, *, seed: int = 507) -> Workload:
    """Return *count* tasks that stop at gates which stay shut.

    They open when the call has returned or is quiescent.
    """
    values = _unsorted(count, seed)
    workload = _computed(
        work.held, [(x,) for x in values], map(str, values), [3 * x + 1 for x in values]
    )
    return replace(workload, gates=ShutGates(), words="held tasks")


def uneven(count: int, seconds: float) -> Workload:
    """Return *count* tasks, of which the first and every third after it take *seconds* each.

    The others return at once. Results are the numbers from 0.
    """
    return Workload(
        tasks=tuple((work.nap, (i, seconds if i % 3 == 0 else 0.0)) for i in range(count)),
        keys=tuple(map(str, range(count))),
        expected=tuple(plain_data.encode(i) for i in range(count)),
        words="tasks, some of which take a while",
    )


def held_last(count: int, *, seconds: float = 3.0, seed: int = 507) -> Workload:
    """Return *count* tasks whose first is held for *seconds* after all others are done."""
    workload = held(count, seed=seed)
    gates = HeldTask(keys=workload.keys, seconds=seconds)
    return replace(workload, gates=gates, words=f"tasks, one of them {seconds:g} s late")


def wait(count: int, seconds: float) -> Workload:
    """Return the lecture's tasks, which sleep and return ``(i, pid, start, end)``.

    They have no expected values.
    """
    keys = [str(i) for i in range(count)]
    return Workload(tasks=tuple((work.wait, (i, seconds)) for i in range(count)), keys=tuple(keys))


def big(count: int, size: int) -> Workload:
    """Return tasks that each return *size* bytes."""
    workload = _computed(
        work.big,
        [(i, size) for i in range(count)],
        map(str, range(count)),
        [bytes([i % 256]) * size for i in range(count)],
    )
    return replace(workload, words=f"tasks with results of {size / 1e6:g} MB")


def many(count: int) -> Workload:
    """Return *count* small tasks, of which every 40th tells that it began."""
    workload = square(range(-count // 2, count - count // 2))
    tasks = tuple(
        (work.quiet_square if i % 40 else work.square, args)
        for i, (_, args) in enumerate(workload.tasks)
    )
    return replace(workload, tasks=tasks, keys=workload.keys[::40])


def spin(count: int, rounds: int) -> Workload:
    """Return tasks that compute for a given amount of work."""
    return _computed(
        work.spin,
        [(i, rounds) for i in range(count)],
        map(str, range(count)),
        [_spun(i, rounds) for i in range(count)],
    )


def timed_naps(count: int, n: int, seconds: float) -> Workload:
    """Return *count* tasks that sleep, for a timed call.

    The clock starts when *n* processes have arrived at their first tasks.
    """
    workload = _computed(
        work.timed_nap, [(i, seconds) for i in range(count)], map(str, range(count)), range(count)
    )
    return replace(workload, words="tasks that only wait", gates=TimedStart(n=n))


def timed_spins(count: int, n: int, rounds: int) -> Workload:
    """Return *count* tasks that compute as those of `spin`, for the same clock."""
    results = [_spun(i, rounds) for i in range(count)]
    workload = _computed(
        work.timed_spin, [(i, rounds) for i in range(count)], map(str, range(count)), results
    )
    return replace(workload, words="tasks that compute", gates=TimedStart(n=n))


def _spun(i: int, rounds: int) -> int:
    """Return what `spin` computes, by the closed form of its generator."""
    modulus, multiplier, increment = 2147483648, 1103515245, 12345
    state, factor, offset, left = i, multiplier, increment, rounds
    while left:
        if left & 1:
            state = (state * factor + offset) % modulus
        offset = offset * (factor + 1) % modulus
        factor = factor * factor % modulus
        left >>= 1
    return state


def gives(values: Sequence[object]) -> Workload:
    """Return tasks that return the given values, such as None and 'STOP'."""
    keys = [f"gives {i}: {value!r}" for i, value in enumerate(values)]
    return _computed(work.give, list(zip(keys, values, strict=True)), keys, values)


def arrays(lengths: Sequence[int]) -> Workload:
    """Return tasks that return NumPy arrays of 64-bit integers."""
    import numpy

    keys = [f"array of {length}" for length in lengths]
    return _computed(
        work.array,
        list(zip(keys, lengths, strict=True)),
        keys,
        [numpy.arange(n, dtype="int64") for n in lengths],
    )


def raises(
    *, message: str, picklable: bool = True, followed_by: int = 0, seconds: float = 0.3
) -> Workload:
    """Return a task that raises, followed by tasks that sleep *seconds* each.

    When more than half of these have begun after it, the others do not sleep any more: nothing is
    learned from how many more begin.
    """
    func = work.fail if picklable else work.fail_unpicklably
    keys = tuple(str(i) for i in range(followed_by))
    tasks: tuple[Task, ...] = (
        (func, ("raises", message)),
        *((work.nap_in_line, (i, seconds, "raises", followed_by // 2)) for i in range(followed_by)),
    )
    return Workload(tasks=tasks, keys=("raises", *keys), words="tasks, the first of which raises")


def raises_beside_large(*, message: str, size: int) -> Workload:
    """Return a task that waits at its gate and returns *size* bytes, and one that raises.

    For two processes and the script `steps.SHUT`: the gate opens when the exception has gone as far
    as it can while the other worker is busy. What that worker returns then is more than a pipe
    holds.
    """
    return Workload(
        tasks=((work.held_big, (0, size)), (work.fail, ("raises", message))),
        keys=("0", "raises"),
        words=f"tasks, one of which raises while the other still computes {size / 1e6:g} MB",
    )


def dies(*, code: int | None = None, followed_by: int = 0, seconds: float = 0.1) -> Workload:
    """Return a task that ends its process, followed by tasks that sleep.

    It ends the process by `os._exit(code)`, or by SIGKILL.
    """
    doom: Task = (work.kill_self, ("dies",)) if code is None else (work.exit_now, ("dies", code))
    keys = tuple(str(i) for i in range(followed_by))
    how = "is killed" if code is None else f"exits with {code}"
    tasks = (doom, *((work.nap, (i, seconds)) for i in range(followed_by)))
    return Workload(
        tasks=tasks, keys=("dies", *keys), words=f"tasks, in the first of which the worker {how}"
    )
