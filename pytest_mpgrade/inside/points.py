"""Points at which a schedule may hold a thread, in each process of an exploration.

They are the lines of the submission, and moments inside of multiprocessing that programs forget: a
queue's feeder thread before it writes, a process before its first line and before it exits, a
connection between the header and the rest of a long message. A held thread waits for the grader's
answer. That only makes it slow, which is always legal.

The grader does not believe what it learns here. A submission that takes the tracing off is only
explored less.
"""

from __future__ import annotations

import json
import os
import sys
import threading

from pytest_mpgrade.inside import gates
from pytest_mpgrade.inside.own_lines import own_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

STARTS, EXITS = "process starts", "process exits"
FEEDS = "feeder writes"
SENDS = "long message, after its header"
WAKES = "woken, before its lock"
"""Places inside of multiprocessing."""
MOST_VISITS = 40
"""Visits of one place that are noted. What a program does at later ones it has done before."""
LONG_MESSAGE = 16384
"""Bytes. multiprocessing.connection writes a longer message in two pieces."""


class Plan:
    """What is held in the present round, and what this process has passed of it."""

    def __init__(self) -> None:
        self.file = os.environ.get("MPGRADE_POINTS", "")
        self.own = ""  # the submission's folder
        self.round = -1
        self.first = 0  # the number of the first process that this round starts
        self.holds: dict[str, int] = {}
        self.armed = False
        self._visits: dict[str, int] = {}
        self._of = 0  # the process to which these visits belong
        self._role = ""
        self._log = -1

    def arm(self, number: int, holds: tuple[str, ...], own: str) -> None:
        """Begin a round in the calling process; children read the plan from its file."""
        if number == self.round:
            return
        self.own, self.round, self.armed = own, number, True
        self.holds = {text: place for place, text in enumerate(holds)}
        self.first = _next_process()
        self._of = 0
        plan = {"own": own, "round": number, "first": self.first, "holds": holds}
        with open(self.file, "w") as file:
            json.dump(plan, file)

    def read(self) -> None:
        """Take over the plan of the calling process, in a process that spawn has started."""
        try:
            with open(self.file) as file:
                plan = json.load(file)
        except (OSError, ValueError):
            return  # an earlier process has been told
        self.own, self.round, self.first = plan["own"], plan["round"], plan["first"]
        self.holds = {text: place for place, text in enumerate(plan["holds"])}
        self.armed = True

    def come(self, place: str) -> None:
        """Take in that the present thread has come to a place; hold it there if the plan says."""
        if not self.armed:
            return
        if self._of != os.getpid():
            self.begin(_identity())
        thread = _thread()
        who = f"{self._role}{'/' + thread if thread else ''}@{place}"
        visit = self._visits[who] = self._visits.get(who, 0) + 1
        if visit > MOST_VISITS:
            return
        point = f"{who}#{visit}"
        os.write(self._log, f"{self.round}\t{point}\n".encode())
        number = self._hold_at(point)
        if number is not None and gates.ask("hold", key=str(number)) != gates.PASS:
            os.write(self._log, f"{self.round}\t{point}\tgoes on\n".encode())

    def _hold_at(self, point: str) -> int | None:
        """Return the number of the hold for who comes to a point; None if it may go on.

        A hold of "worker" is one of whichever worker comes there first, and one of "another" of
        whichever comes next.
        """
        where = point[len(self._role) :]
        if self._role == "caller" or point in self.holds:
            return self.holds.get(point)
        after = self.holds.get(f"another{where}")
        if after is not None and not self._is_first(after):
            return after
        return self.holds.get(f"worker{where}")

    def _is_first(self, number: int) -> bool:
        """Tell whether no other process has asked this of a hold in the present round."""
        try:
            os.close(os.open(f"{self.file}.{self.round}.{number}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def begin(self, numbers: tuple[int, ...]) -> None:
        """Begin in a process, of these numbers: the visits of its parent are not its own."""
        self._of, self._visits, self._role = os.getpid(), {}, self._called(numbers)
        if self._log < 0:
            self._log = os.open(f"{self.file}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def _called(self, numbers: tuple[int, ...]) -> str:
        """Return the role of a process: by the order in which its parent has made it."""
        if not numbers:
            return "caller"
        own = [numbers[0] - self.first + 1, *numbers[1:]]
        return f"worker{'.'.join(map(str, own))}"


PLAN = Plan()


def _next_process() -> int:
    """Return the number that multiprocessing gives to the next process of the calling one."""
    # An itertools.count shows its next number. Since Python 3.14 it cannot be copied.
    counter = vars(sys.modules["multiprocessing.process"])["_process_counter"]
    return int(repr(counter).removeprefix("count(").removesuffix(")"))


def _identity() -> tuple[int, ...]:
    for name in ("multiprocessing.process", "multiprocess.process"):
        if name in sys.modules:
            numbers: tuple[int, ...] = sys.modules[name].current_process()._identity
            if numbers:
                return numbers
    return ()


def _thread() -> str:
    thread = threading.current_thread()
    if thread is threading.main_thread():
        return ""
    name = thread.name
    return "feeder" if name.startswith("QueueFeederThread") else name.replace("@", " ")


def _is_own(file: str) -> bool:
    return PLAN.armed and file.startswith(PLAN.own)


_LINES = own_lines(_is_own, PLAN.come)


def trace_this_process() -> None:
    """Trace all threads of this process, and come to the points inside of multiprocessing."""
    if not PLAN.file:
        return
    for name in ("multiprocessing", "multiprocess"):
        if name in sys.modules:
            _wrap(name)
    _LINES.in_new_threads()


class Traced:
    """A context in which the calling thread comes to points of a round."""

    def __enter__(self) -> None:
        _LINES.begin()

    def __exit__(self, *_: object) -> None:
        _LINES.end()


def _wrap(package: str) -> None:
    """Wrap the functions of a package that pass a point."""
    import importlib

    process = importlib.import_module(f"{package}.process")
    if getattr(process.BaseProcess, "_mpgrade_points", False):
        return
    process.BaseProcess._mpgrade_points = True
    _wrap_process(process, importlib.import_module(f"{package}.util"))
    _wrap_connection(importlib.import_module(f"{package}.connection"))
    _wrap_condition(importlib.import_module(f"{package}.synchronize"))
    queues = importlib.import_module(f"{package}.queues")
    pickler = queues._ForkingPickler

    class Pickler(pickler):  # type: ignore[misc, valid-type]  # - a class of multiprocessing's own
        """Serialises an item; a queue's feeder thread does so before it takes the write lock."""

        @classmethod
        def dumps(cls, *args: Any, **kwargs: Any) -> object:
            """Come to the point first, in a feeder thread."""
            if _thread() == "feeder":
                PLAN.come(FEEDS)
            return pickler.dumps(*args, **kwargs)

    vars(queues)["_ForkingPickler"] = Pickler


def _wrap_process(process: ModuleType, util: ModuleType) -> None:
    bootstrap, leave = process.BaseProcess._bootstrap, util._exit_function

    def begin(self: Any, *args: Any, **kwargs: Any) -> object:
        if _is_manager(self):
            PLAN.armed = False
            _LINES.end()
        else:
            PLAN.read()
            PLAN.begin(self._identity)
            PLAN.come(STARTS)
            _LINES.begin()
        return bootstrap(self, *args, **kwargs)

    def end(*args: Any, **kwargs: Any) -> object:
        if _identity():
            PLAN.come(EXITS)
        return leave(*args, **kwargs)

    process.BaseProcess._bootstrap = begin
    vars(util)["_exit_function"] = end


def _is_manager(process: Any) -> bool:
    target = getattr(process, "_target", None)
    return str(getattr(target, "__module__", "")).endswith(".managers") or getattr(
        target, "__qualname__", ""
    ).startswith("BaseManager.")


def _wrap_connection(connection: ModuleType) -> None:
    if not hasattr(connection.Connection, "_send"):
        return
    send = connection.Connection._send

    def piece(self: Any, data: Any, *args: Any, **kwargs: Any) -> object:
        if len(data) > LONG_MESSAGE:
            PLAN.come(SENDS)
        return send(self, data, *args, **kwargs)

    connection.Connection._send = piece


def _wrap_condition(synchronize: ModuleType) -> None:
    """Come to a point when a wait has ended, and the lock has not been taken again."""
    wait = synchronize.Condition.wait

    def woken_wait(self: Any, *args: Any, **kwargs: Any) -> object:
        woken = self._woken_count
        if "_mpgrade_points" not in vars(woken):
            woken._mpgrade_points = True
            release = woken.release

            def tell_woken() -> None:
                release()
                PLAN.come(WAKES)

            woken.release = tell_woken
        return wait(self, *args, **kwargs)

    synchronize.Condition.wait = woken_wait
