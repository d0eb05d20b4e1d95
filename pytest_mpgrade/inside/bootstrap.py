"""What a process has done before it runs student code: the child, its workers under spawn, and a
notebook's kernel.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # every spawned worker pays for an import
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from pytest_mpgrade.inside.wire import FactsTold

FACTS: FactsTold = {"set_start_method": [], "side_effects": []}
"""What is told to the supervisor besides results; a fault that is told here counts, a merit does
not.
"""


def dump_stacks_on_request() -> None:
    """SIGUSR2 writes the Python stacks of this process to the run's file (faulthandler needs no
    ptrace).
    """
    path = os.environ.get("MPGRADE_STACKS")
    if path and hasattr(faulthandler, "register"):
        file = open(path, "a")  # noqa: SIM115 - stays open as long as the process lives
        faulthandler.register(signal.SIGUSR2, file=file, all_threads=True)


def keep_start_method(package: ModuleType) -> None:
    """Make `set_start_method` harmless: it is noted, and changes nothing."""

    def set_start_method(method: str | None, force: bool = False) -> None:  # noqa: ARG001 - multiprocessing's signature
        FACTS["set_start_method"].append(str(method))

    package.context._default_context.set_start_method = set_start_method
    vars(package)["set_start_method"] = set_start_method


_library_path: list[str] = []


def library(name: str) -> ModuleType:
    """Import a module of Python's library late, although the submission may have a file of that
    name by now.
    """
    import importlib

    theirs = sys.path[:]
    sys.path[:] = _library_path or theirs
    try:
        return importlib.import_module(name)
    finally:
        sys.path[:] = theirs


def packages() -> list[ModuleType]:
    """Return the loaded ones of multiprocessing and its dill-based fork."""
    return [
        sys.modules[name] for name in ("multiprocessing", "multiprocess") if name in sys.modules
    ]


def set_up(more: Sequence[str], start_method: str, prefix: str) -> None:
    """Set the start method of multiprocessing and *more* packages, and names of theirs that are
    ours to clean.

    No current folder stays on the path: the submission's comes there later, or not at all.
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


class _Named:
    """Finds shared memory's module as everybody does, and gives its names the run's prefix: few
    programs import it.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def find_spec(
        self, name: str, _path: object = None, _target: object = None
    ) -> ModuleSpec | None:
        """Find the module once, by all who come after this one."""
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
    """Have this process give shared memory and semaphores names that begin with the run's prefix.

    A child that spawn starts imports the submission before it has its parent's prefix for
    semaphores.
    """
    sys.meta_path.insert(0, _Named(prefix))
    for package in packages():
        package.process.current_process()._config["semprefix"] = prefix


def go_to(folder: str) -> None:
    """Make a folder the current one, as if it had been when the interpreter started: a kernel has
    it on its path.
    """
    os.chdir(folder)
    for package in packages():
        package.process.ORIGINAL_DIR = folder  # what "" on the path stands for in spawned children


def limit(processes: int) -> None:
    """Inside a sandbox of our own the kernel counts only what is in there; it could not be set
    before.
    """
    if processes:
        import resource

        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))


def forget_ended(package: ModuleType) -> None:
    """Who polls `exitcode` to the end has reaped a child as `join()` does, but multiprocessing
    keeps it until the next.

    Its pipes are not the submission's fault. What nobody has reaped stays as it is: a zombie has to
    be seen.
    """
    children: set[object] = package.process._children
    for child in list(children):
        if getattr(getattr(child, "_popen", None), "returncode", None) is not None:
            children.discard(child)
