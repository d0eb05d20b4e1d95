"""Picklable workloads: the functions that student code applies in its child processes.

Each reports to the grader under a *key* that is unique within one call. So the grader sees from
outside which process ran which task, and in what order. `pytest_mpgrade.tasks` builds lists of
workloads with their expected results.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from pytest_mpgrade.inside import gates

TYPE_CHECKING = False
if TYPE_CHECKING:  # every spawned worker pays for an import
    from collections.abc import Callable

_done_in: dict[str, int] = {}
"""The pid of the process that has done something once, by the name of the thing.

After a fork a child finds its parent's pid here, and so does the thing again.
"""


def _first_time(what: str) -> bool:
    """Tell whether this process does something for the first time, and note that it has."""
    before = _done_in.get(what)
    _done_in[what] = os.getpid()
    return before != os.getpid()


def stand_at_gate(key: object) -> str:
    """Wait at the gate of *key* until the grader opens it; return the token in its answer.

    The grader gives each token to one process only.
    """
    go, _, token = gates.ask("gate", key=str(key)).decode("ascii", "replace").partition(" ")
    if go == "go-and-leave-by-gate":
        _leave_by_gate()
    return token


def _leave_by_gate() -> None:
    """Make this worker wait at an exit gate before it ends.

    The grader then sees, under every start method, whether the caller joins its workers or returns
    without them.
    """
    if not _first_time("exit gate"):
        return
    for package in ("multiprocessing", "multiprocess"):
        util = sys.modules.get(f"{package}.util")
        if util is not None:
            util.Finalize(None, gates.ask, args=("leave",), kwargs={"key": ""}, exitpriority=1000)


def square(x: int) -> int:
    """Return ``x * x``, and report the beginning."""
    gates.tell("note", key=str(x))
    return x * x


def quiet_square(x: int) -> int:
    """Return ``x * x`` without a report, for so many tasks that only a sample of them reports."""
    return x * x


def apply(func: Callable[..., object], args: tuple[object, ...]) -> object:
    """Return ``func(*args)``, as the lecture's `calculate` does."""
    return func(*args)


def run_task(task: tuple[Callable[..., object], tuple[object, ...]]) -> object:
    """Return what a task returns, which is one item of a list."""
    func, args = task
    return func(*args)


def power(base: int, exponent: int) -> int:
    """Return ``base ** exponent`` for two arguments."""
    gates.tell("note", key=f"{base}**{exponent}")
    return int(base**exponent)


def join_words(*words: str) -> str:
    """Return the words with dashes between them, for any number of arguments."""
    gates.tell("note", key="-".join(words))
    return "-".join(words)


def describe(values: list[int], scale: float) -> dict[str, float]:
    """Return a dict, since results need not be numbers."""
    gates.tell("note", key=f"{values}*{scale}")
    return {"low": min(values) * scale, "high": max(values) * scale}


def held(x: int) -> int:
    """Wait at the gate of *x*, then return ``3 * x + 1``."""
    stand_at_gate(x)
    return 3 * x + 1


def vouched(x: int) -> tuple[int, str]:
    """Wait at the gate of *x*, then return *x* with a token that only this process has received."""
    return (x, stand_at_gate(x))


def wait(i: int, seconds: float) -> tuple[int, int, float, float]:
    """The lecture's: sleep *seconds*, return ``(i, pid, start, end)`` in seconds of the epoch."""
    gates.tell("note", key=str(i))
    start = time.time()
    time.sleep(seconds)
    return (i, os.getpid(), start, time.time())


def nap(i: int, seconds: float) -> int:
    """Sleep *seconds* and return *i*."""
    gates.tell("note", key=str(i))
    time.sleep(seconds)
    return i


def nap_in_line(i: int, seconds: float, first: str, most: int) -> int:
    """Sleep *seconds* and return *i*; do not sleep when more than *most* tasks have begun by now.

    Those count that have begun since the task of the key *first* has.
    """
    begun = gates.ask("turn", key=str(i), after=first)
    if int(begun or 0) <= most:
        time.sleep(seconds)
    return i


def timed_nap(i: int, seconds: float) -> int:
    """Sleep *seconds* and return *i*; the first call in each process waits at its gate before."""
    _line_up(i)
    time.sleep(seconds)
    return i


def timed_spin(i: int, rounds: int) -> int:
    """Compute as `spin` does; the first call in each process waits at its gate before."""
    _line_up(i)
    return _spun(i, rounds)


def _line_up(i: int) -> None:
    """Wait at a gate before the first timed task of a process.

    The clock of a timing starts when every worker stands there. How long workers take to start is
    another figure.
    """
    if _first_time("timed task"):
        stand_at_gate(i)
    else:
        gates.tell("note", key=str(i))


def big(i: int, size: int) -> bytes:
    """Return *size* bytes."""
    gates.tell("note", key=str(i))
    return bytes([i % 256]) * size


def held_big(i: int, size: int) -> bytes:
    """Wait at the gate of *i*, then return *size* bytes."""
    stand_at_gate(i)
    return bytes([i % 256]) * size


def spin(i: int, rounds: int) -> int:
    """Compute *rounds* steps of a linear congruential generator that begins at *i*.

    This is a given amount of work, not of time.
    """
    gates.tell("note", key=str(i))
    return _spun(i, rounds)


def _spun(i: int, rounds: int) -> int:
    state = i
    for _ in range(rounds):
        state = (state * 1103515245 + 12345) % 2147483648
    return state


def give(key: str, value: object) -> object:
    """Return *value* itself: None, False, 'STOP' and the like."""
    gates.tell("note", key=key)
    return value


def array(key: str, length: int) -> object:
    """Return the NumPy array 0, 1, … *length* - 1 of 64-bit integers."""
    gates.tell("note", key=key)
    import numpy

    return numpy.arange(length, dtype="int64")


class UnpicklableError(Exception):
    """An exception that cannot be pickled, like one that holds a lock or an open file."""

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("this exception cannot be pickled")


def fail(key: str, message: str) -> None:
    """Raise ``ValueError(message)``."""
    gates.tell("note", key=key)
    raise ValueError(message)


def fail_unpicklably(key: str, message: str) -> None:
    """Raise an exception that cannot be sent through a queue."""
    gates.tell("note", key=key)
    raise UnpicklableError(message)


def end(key: str, how: str, value: object) -> None:
    """Wait at the gate of *key*, then end this process in one way or another.

    *how* is ``return``, ``raise``, ``sys.exit``, ``os._exit`` or ``signal``; *value* is what it is
    given.
    """
    stand_at_gate(key)
    if how == "raise":
        raise ValueError(value)
    if how == "sys.exit":
        sys.exit(value)  # type: ignore[arg-type]  # - a status or a text
    if how == "os._exit":
        os._exit(int(str(value)))
    if how == "signal":
        os.kill(os.getpid(), int(str(value)))


class Number(int):
    """A whole number that reports who multiplies it."""

    def __mul__(self, other: object) -> int:
        gates.tell("note", key=str(int(self)))
        return int(self) * int(other)  # type: ignore[call-overload,no-any-return]  # - another number

    __rmul__ = __mul__

    def __pow__(self, other: object, _modulus: None = None) -> int:  # type: ignore[override]  # - whole numbers only
        gates.tell("note", key=str(int(self)))
        return int(int(self) ** int(other))  # type: ignore[call-overload]  # - another number


def converse(server: Callable[[object], object], values: list[object]) -> list[object]:
    """Have a child process serve a connection; return its answers to *values*.

    After None the child is joined.
    """
    processes = sys.modules["multiprocessing"]
    ours, theirs = processes.Pipe()
    child = processes.Process(target=server, args=(theirs,))
    child.start()
    theirs.close()
    answers = []
    for value in values:
        ours.send(value)
        answers.append(ours.recv())
    ours.send(None)
    child.join()
    child.close()
    ours.close()
    return answers


def exit_now(key: str, code: int) -> None:
    """End this process at once with exit status *code*, as a crash in C code would."""
    _announce_the_end(key)
    os._exit(code)


def kill_self(key: str) -> None:
    """End this process by SIGKILL, as the kernel does when memory runs out."""
    _announce_the_end(key)
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _announce_the_end(key: str) -> None:
    """Report that this process is about to end, and wait until the grader knows it."""
    gates.ask("doom", key=key)
