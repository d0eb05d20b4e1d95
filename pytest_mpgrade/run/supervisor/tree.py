"""One process tree, from its start to the proof that nothing is left of it.

`calls` and `cells`, which say what a run does, are written in terms of this.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pytest_mpgrade.isolation.confine import Confinement
from pytest_mpgrade.isolation.run_folder import RunFolder
from pytest_mpgrade.records import (
    BrokenOff,
    Ending,
    Phase,
    ProcessSeen,
    ProcessState,
    Stuck,
    WaitEnd,
    WebPage,
)
from pytest_mpgrade.run.explain import hang
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.explain.whereabouts import whereabouts
from pytest_mpgrade.run.observe import choose_observer, leftovers
from pytest_mpgrade.run.observe.base import ObservedProcess, Observer
from pytest_mpgrade.run.observe.gate_socket import GateServer, serve
from pytest_mpgrade.run.observe.watch import Watch
from pytest_mpgrade.run.protocol import Account, RunRequest
from pytest_mpgrade.run.supervisor.after_return import Inspection
from pytest_mpgrade.run.supervisor.limits import LimitMonitor
from pytest_mpgrade.run.supervisor.output import Output
from pytest_mpgrade.system import rmtree
from pytest_mpgrade.system.linux import procfs

if TYPE_CHECKING:
    from pytest_mpgrade.run.supervisor.web import Web

SANDBOX = 8
"""Processes of an isolation, with some to spare; the submission's limit does not count them."""

_OUT_OF_TIME = frozenset([-signal.SIGXCPU] if hasattr(signal, "SIGXCPU") else [])
"""Exit status of a process that the kernel has killed for its CPU time. Windows has no such signal.
"""

_ENDINGS: dict[WaitEnd, Ending] = {
    "quiet": Ending.HUNG,
    "late": Ending.TIMED_OUT,
    "dead": Ending.DIED,
    "over": Ending.STOPPED,
}

_ALL_CELLS = "all cells together"
"""The words for the limit of a whole notebook, where that one was reached and not a cell's own."""


class InterruptedRun(SystemExit):
    """The grader ends a supervisor in the middle of its run; raised by the signal for that."""


class Supervised:
    """A process that runs student code, and all processes that it starts.

    The constructor starts it, by *argv*, in its isolation. With *pages* it can reach a web server.
    """

    def __init__(
        self,
        request: RunRequest,
        abandoned: Callable[[], bool],
        argv: Sequence[str],
        pages: Sequence[WebPage] = (),
    ) -> None:
        self.request = request
        self.at = "the import"  # the call or cell that is made now
        self.abandoned = abandoned
        self.folder = RunFolder(path=request.run_folder)
        self.limits = request.limits
        with contextlib.ExitStack() as stack:
            private = bool(request.isolation.bwrap)
            self.web = _web(pages, self.folder.gates, private=private) if pages else None
            if self.web is not None:
                stack.callback(self.web.close)
            port = self.web.port if self.web else 0
            self.confinement = Confinement(
                request.isolation, self.folder, request.shown, request.limits, port=port
            )
            # Whatever fails, a spare user and a cgroup have to be given back.
            stack.callback(self.confinement.close)
            uid = self.confinement.uid
            self.observer: Observer = choose_observer(request.observer, uid, self._most())
            self.names = leftovers.Names(
                prefix=request.prefix, private=self.confinement.private_shm, uid=uid
            )
            self.out = Output(self._path("out"), self.limits.output_bytes)
            self.err = Output(self._path("err"), self.limits.output_bytes)
            self.stacks = Stacks(file=self.folder.stacks, own=(request.shown,))
            self.server = self._gate_server()
            stack.pop_all()
            stack.callback(self.close)
            self.budget = self._budget()
            self.watch = Watch(self.observer, self.server, self._start(argv), self.every_look)
            self.inspection = Inspection(watch=self.watch, names=self.names, stacks=self.stacks)
            stack.pop_all()

    def _most(self) -> int:
        return SANDBOX + self.limits.processes

    def _gate_server(self) -> GateServer:
        server = serve(self.request.observer, self.folder.gates)
        if self.web is None:
            return server
        from pytest_mpgrade.run.supervisor.web import ServerWithWeb

        return ServerWithWeb(server, self.web)

    def _budget(self) -> LimitMonitor:
        return LimitMonitor(
            self.limits,
            (self.folder.scratch, self.folder.box),
            self.observer.memory,
            self.confinement.out_of_memory,
            # Before that, the calling process may not be in its isolation yet, and would see the
            # shared memory of the whole machine.
            lambda: self.names.size(self.watch.caller) if self.watch.ready else 0,
        )

    def _start(self, argv: Sequence[str]) -> int:
        gate = {
            "MPGRADE_GATE": self.server.address,
            "MPGRADE_GATE_KEY": self.server.key,
            "MPGRADE_STACKS": self.folder.stacks,
            "MPGRADE_PREFIX": self.request.prefix,
        }
        if self.web is not None:
            gate["MPGRADE_WEB"] = self.web.address
        return self.observer.start(
            self.confinement.start(argv, {**self.request.environment, **gate}, shield=_grader())
        )

    def broken_off(self) -> BrokenOff:
        """Return which call is being made, and where its processes are."""
        return BrokenOff(
            call=self.at,
            start_method=self.request.start_method,
            seconds=round(time.monotonic() - self.watch.began, 1),
            processes=whereabouts(self.watch, self.stacks),
        )

    def close(self) -> tuple[bool, tuple[str, ...]]:
        """End everything; return whether no process is left, and which names were removed.

        The first is True only if it is proven.
        """
        try:
            clean = self.observer.end_all(time.monotonic() + 30)
            removed = leftovers.remove_leftovers(self.request.prefix)
            if not self.confinement.private_shm:
                removed += leftovers.remove_of(self.observer.seen.keys())
            self.server.close()
        finally:
            # Whatever else fails, since nobody else would give the isolation back.
            elsewhere = self.confinement.close()
        return clean, (*removed, *elsewhere)

    def every_look(self, *, last: bool = False) -> str:
        """Cut what the student prints; return which limit is exceeded, "" for none.

        *last* says that the call is back, so that everything it has left can be looked at. Raises
        SystemExit when nobody waits for the report.
        """
        self.out.cut()
        self.err.cut()
        if self.abandoned():
            rmtree.remove_tree(self.folder.path)
            raise SystemExit("the grader is gone")
        processes = [each for each in self.observer.seen.values() if not each.sandbox]
        if any(each.exitcode in _OUT_OF_TIME for each in processes):
            return f"too much computing: the limit is {self.limits.cpu_seconds:g} s of CPU time"
        live, ended = (
            [each.pid for each in processes if not each.ended],
            [each for each in processes if each.ended],
        )
        for each in ended:
            if each.reaped_at is None:
                each.look(self.observer.state(each.pid))
        peak = max((each.peak for each in ended), default=0)
        return self.budget.overdrawn(live, sum(each.cpu for each in ended), peak, last=last)

    def _path(self, name: str) -> str:
        return os.path.join(self.folder.path, name)

    def ended(
        self,
        how: WaitEnd,
        phase: Phase = Phase.CALL,
        ending: Ending | None = None,
        *,
        all_cells: bool = False,
    ) -> Account:
        """Return why what was waited for did not come, with what every process waits for.

        *all_cells*: the limit of all cells of a notebook together was reached.
        """
        ending = ending or _ENDINGS.get(how, Ending.BROKEN)
        stuck: tuple[Stuck, ...] = ()
        if how in ("quiet", "late"):
            stuck = hang.explain_hang(self.watch, self.stacks)
        called = phase is not Phase.AFTER_RETURN
        still_reading = how == "late" and called and self.watch.still_reading
        stopped = self.watch.fault if how == "over" else ""
        reason = self.watch.rule if how == "quiet" else stopped or how
        words = (
            f"{reason}, still reading" if still_reading else reason,
            phase,
            _ALL_CELLS if all_cells else "",
        )
        why = " ".join(str(word) for word in words if word)
        return dataclasses.replace(
            self.facts(ending, why),
            stuck=stuck,
            stopped=stopped,
            phase=phase,
            still_reading=still_reading,
            all_cells=all_cells,
        )

    def facts(
        self, ending: Ending, why: str, first: dict[int, ProcessState] | None = None
    ) -> Account:
        """Return what is known now.

        *first* has the states that the processes had when the call came back.
        """
        watch = self.watch
        seen = [
            seen
            for pid, seen in self.observer.seen.items()
            if pid != watch.caller and not seen.sandbox
        ]
        return Account(
            ending=ending,
            why=why,
            exitcode=self.observer.seen[watch.caller].exitcode,
            caller=watch.caller,
            in_caller=watch.in_caller,
            web=self.web.base if self.web is not None else "",
            events=tuple(watch.gates.events),
            processes=tuple(self._seen(each, (first or {}).get(each.pid, "gone")) for each in seen),
            openings=tuple(watch.gates.openings),
            asleep=watch.quiet.sleeps.seen(watch.began),
            began=watch.began,
            looked=round(time.monotonic() - watch.began, 4),
        )

    def _seen(self, process: ObservedProcess, at_return: ProcessState) -> ProcessSeen:
        parent = self.observer.seen.get(process.parent)
        return process.record(parent, at_return, self.observer.state(process.pid), self.watch.began)


def _grader() -> list[int]:
    """Return the processes that student code must not signal: this one and its ancestors."""
    ancestors = [os.getpid()]
    while (
        sys.platform.startswith("linux")
        and len(ancestors) < 8
        and (parent := procfs.parent(ancestors[-1])) > 1
    ):
        ancestors.append(parent)
    return ancestors


def _web(pages: Sequence[WebPage], folder: str, *, private: bool) -> Web:
    """Return the web server of a run; few need one, and its library takes long to import."""
    from pytest_mpgrade.run.supervisor.web import Web

    return Web(pages, folder, private=private)
