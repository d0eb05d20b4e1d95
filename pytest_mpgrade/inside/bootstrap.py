"""What a process does before it runs student code.

The child of a module's calls, its workers under spawn and the kernel of a notebook use it.
"""

from __future__ import annotations

import faulthandler
import io
import os
import signal
import sys

from pytest_mpgrade.inside import forked

TYPE_CHECKING = False
if TYPE_CHECKING:  # every spawned worker pays for an import
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from pytest_mpgrade.inside.points import Traced
    from pytest_mpgrade.inside.wire import ChildStep, FactsTold

FACTS: FactsTold = {"set_start_method": [], "side_effects": []}
"""What this process reports to the supervisor besides results.

The grader counts a fault that is reported here. It never counts a merit.
"""


def dump_stacks_on_request() -> None:
    """Register SIGUSR2 to write the Python stacks of this process to the run's file.

    faulthandler writes them, so the grader needs no ptrace for it.
    """
    path = os.environ.get("MPGRADE_STACKS")
    if path and hasattr(faulthandler, "register"):
        file = open(path, "a")  # noqa: SIM115 - stays open as long as the process lives
        # faulthandler restores errno only where it calls an earlier handler, so there is one. The
        # signal may come right after an attempt to take a lock has failed. Python would find no
        # error in errno then, and go on as if it had the lock.
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        faulthandler.register(signal.SIGUSR2, file=file, all_threads=True, chain=True)


def print_lines_at_once() -> None:
    """Have each printed line written when it ends, as in a terminal.

    Into a file Python writes only when some kilobytes have come together, and of a process that
    hangs and is killed then nothing would be seen.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def freeze_memory() -> None:
    """Have collections of garbage pass over all that is there by now.

    One is made after each call, and by each worker as it ends.
    """
    import gc

    gc.freeze()


def keep_start_method(package: ModuleType) -> None:
    """Replace `set_start_method` by a function that notes the call and changes nothing."""

    def set_start_method(method: str | None, force: bool = False) -> None:  # noqa: ARG001 - multiprocessing's signature
        FACTS["set_start_method"].append(str(method))

    package.context._default_context.set_start_method = set_start_method
    vars(package)["set_start_method"] = set_start_method


OWN_SWITCH_SECONDS = 5e-4
"""The switch interval of the interpreter while the grader's code has control.

A thread that wants the interpreter's lock waits for its turn among all that want it. With Python's
interval, 5 ms, each message takes 0.25 s beside 50 threads that spin, and a call that has returned
in time would be found to be late. With a much shorter one, the changes themselves take the time.
"""


class StudentControl:
    """A context in which the submission has control of its process, and its own switch interval.

    Threads that it leaves running share the interpreter with the grader's code afterwards.
    """

    def __init__(self) -> None:
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(OWN_SWITCH_SECONDS)

    def __enter__(self) -> None:
        sys.setswitchinterval(self._interval)

    def __exit__(self, *_: object) -> None:
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(OWN_SWITCH_SECONDS)


_library_path: list[str] = []


def library(name: str) -> ModuleType:
    """Import a module of the standard library late.

    The submission may have a file of that name by now, so its folder is not searched.
    """
    import importlib

    theirs = sys.path[:]
    sys.path[:] = _library_path or theirs
    try:
        return importlib.import_module(name)
    finally:
        sys.path[:] = theirs


def packages() -> list[ModuleType]:
    """Return multiprocessing and its dill-based fork, each if it is loaded."""
    return [
        sys.modules[name] for name in ("multiprocessing", "multiprocess") if name in sys.modules
    ]


def set_up(more: Sequence[str], start_method: str, prefix: str) -> None:
    """Set the start method of multiprocessing and *more* packages, and the prefix of their names.

    The grader removes whatever carries the prefix. No current folder stays on the path: the
    submission's folder comes there later, or not at all.
    """
    import importlib

    sys.path[:] = [entry for entry in sys.path if entry not in ("", os.getcwd())]
    _library_path[:] = sys.path
    for name in ("multiprocessing", *more):
        package = importlib.import_module(name)
        importlib.import_module(f"{name}.context")
        package.set_start_method(start_method)
        keep_start_method(package)
    name_after(prefix)
    forked.forget_executors()


class _Named:
    """A finder that gives the names of shared memory the run's prefix.

    It waits for the first import of multiprocessing.shared_memory, because few programs import that
    module.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def find_spec(
        self, name: str, _path: object = None, _target: object = None
    ) -> ModuleSpec | None:
        """Find the module through the finders that come after this one; do so once."""
        if name != "multiprocessing.shared_memory":
            return None
        import importlib.util

        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        loader: Any = spec.loader if spec else None  # its method is replaced
        run = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            vars(module)["_SHM_NAME_PREFIX"] = self._prefix + "-"

        loader.exec_module = exec_module
        return spec


def name_after(prefix: str) -> None:
    """Make this process give shared memory and semaphores names with the run's prefix.

    A child that spawn starts imports the submission before it receives its parent's prefix for
    semaphores.
    """
    sys.meta_path.insert(0, _Named(prefix))
    for package in packages():
        package.process.current_process()._config["semprefix"] = prefix


def come_to_points() -> None:
    """Have this process come to points, where a schedule may hold it, if it is explored."""
    if "MPGRADE_POINTS" in os.environ:
        from pytest_mpgrade.inside import points

        points.trace_this_process()


def note_passed_items() -> None:
    """Have this process note what it puts into queues and takes out of them, if that is wanted."""
    if "MPGRADE_PASSED" in os.environ:
        from pytest_mpgrade.inside import passed_items

        passed_items.wrap_picklers(packages())


def begin_call() -> None:
    """Note that the calling process begins a call, if passed items are noted."""
    if passed_items := sys.modules.get("pytest_mpgrade.inside.passed_items"):
        passed_items.NOTES.begin_call()


def explored(step: ChildStep, folder: str) -> Traced | NotTraced:
    """Return the context in which a step of an exploration is taken; it begins its round."""
    plan = step["explored"]
    if plan is None:
        return NotTraced()
    from pytest_mpgrade.inside import points

    points.PLAN.arm(*plan, folder)
    return points.Traced()


class NotTraced:
    """A context that changes nothing."""

    def __enter__(self) -> None:
        """Change nothing."""

    def __exit__(self, *_: object) -> None:
        """Change nothing."""


def go_to(folder: str) -> None:
    """Make a folder the current one, as if the interpreter had been started there.

    A kernel has that folder on its path.
    """
    os.chdir(folder)
    for package in packages():
        package.process.ORIGINAL_DIR = folder  # what "" on the path stands for in spawned children


class KeptProcesses:
    """A context in which every Process object is kept, if *on*.

    One that has been joined keeps its pipes until it is closed or collected as garbage. Kept, it
    shows from outside whether it was closed.
    """

    def __init__(self, on: bool) -> None:
        self._packages = packages() if on else []
        self._before = [package.process._dangling for package in self._packages]

    def __enter__(self) -> None:
        for package in self._packages:
            # multiprocessing adds each Process object that is made to this set of weak references
            vars(package.process)["_dangling"] = set()

    def __exit__(self, *_: object) -> None:
        for package, before in zip(self._packages, self._before, strict=True):
            vars(package.process)["_dangling"] = before


def limit(processes: int) -> None:
    """Limit how many processes may run inside a sandbox of our own.

    The kernel counts only those inside, so the limit cannot be set before the sandbox exists.
    """
    if processes:
        import resource

        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))


def forget_ended(package: ModuleType) -> None:
    """Drop the children that have been reaped from multiprocessing's list.

    A parent that polls `exitcode` to the end has reaped its child as `join()` does, but
    multiprocessing keeps the child, with its pipes, until the next one starts. The submission is
    not to blame for these pipes. A child that nobody has reaped stays in the list, because the
    grader has to see a zombie.
    """
    children: set[object] = package.process._children
    for child in list(children):
        if getattr(getattr(child, "_popen", None), "returncode", None) is not None:
            children.discard(child)
