"""One process tree, from its start to the proof that nothing is left of it, and what is known of it meanwhile.

`calls` and `cells` are written in terms of this: what a run does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_mpgrade.isolation.confine import Confinement, RunFolder
from pytest_mpgrade.isolation.layer import Isolation
from pytest_mpgrade.records import STILL_READING, Ending, Limits, ProcessSeen, Stuck
from pytest_mpgrade.run.explain import hang
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.observe import choose_observer, leftovers
from pytest_mpgrade.run.observe.base import ObservedProcess, Observer
from pytest_mpgrade.run.observe.gate_socket import GateServer, serve
from pytest_mpgrade.run.observe.watch import Watch
from pytest_mpgrade.run.supervisor.after_return import Inspection
from pytest_mpgrade.run.supervisor.limits import LimitMonitor
from pytest_mpgrade.run.supervisor.output import Output
from pytest_mpgrade.system import rmtree
from pytest_mpgrade.system.linux import procfs

SANDBOX = 8
"""Processes that an isolation consists of, more than there are; they are not the submission's."""

_OUT_OF_TIME = frozenset([-signal.SIGXCPU] if hasattr(signal, "SIGXCPU") else [])
"""The exit status of a process that the kernel has ended for its CPU time; Windows does not."""

_ENDINGS = {"quiet": Ending.HUNG, "late": Ending.TIMED_OUT, "dead": Ending.DIED, "over": Ending.STOPPED}


class Supervised:
    """A process that runs student code, and all that it starts; it is started at once, by *argv*, in its isolation."""

    def __init__(
        self,
        request: dict[str, Any],
        abandoned: Callable[[], bool],
        argv: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        self.request = request
        self.abandoned = abandoned
        self.folder = RunFolder(path=request["run_folder"])
        self.limits = request["limits"]
        isolation = Isolation.from_json(request["isolation"])
        self.confinement = Confinement(isolation, self.folder, request["shown"], Limits(**self.limits))
        with contextlib.ExitStack() as stack:
            stack.callback(self.confinement.close)  # whatever fails: it has a spare user, a cgroup
            uid, most = self.confinement.uid, SANDBOX + self.limits["processes"]
            self.observer: Observer = choose_observer(request["observer"], uid, most)
            self.names = leftovers.Names(prefix=request["prefix"], private=self.confinement.private_shm, uid=uid)
            self.out = Output(self._path("out"), self.limits["output_bytes"])
            self.err = Output(self._path("err"), self.limits["output_bytes"])
            self.stacks = Stacks(file=self.folder.stacks, own=(request["shown"],))
            self.server: GateServer = serve(request["observer"], self.folder.gates)
            stack.pop_all()
            stack.callback(self.close)
            self.budget = self._budget()
            self.watch = Watch(self.observer, self.server, self._start(argv, environment), self.every_look)
            self.inspection = Inspection(watch=self.watch, names=self.names, stacks=self.stacks)
            stack.pop_all()

    def _budget(self) -> LimitMonitor:
        return LimitMonitor(
            self.limits, (self.folder.scratch, self.folder.box), self.observer.memory, self.confinement.out_of_memory,
            # Before that, the calling process may not have come into its isolation, and see the whole machine's.
            lambda: self.names.size(self.watch.caller) if self.watch.ready else 0,
        )  # fmt: skip

    def _start(self, argv: Sequence[str], environment: Mapping[str, str]) -> int:
        gate = {
            "MPGRADE_GATE": self.server.address,
            "MPGRADE_GATE_KEY": self.server.key,
            "MPGRADE_STACKS": self.folder.stacks,
            "MPGRADE_PREFIX": self.request["prefix"],
        }
        return self.observer.start(self.confinement.start(argv, {**environment, **gate}, shield=_grader()))

    def close(self) -> dict[str, Any]:
        """End everything, and prove it; return what is to be told of that."""
        try:
            clean = self.observer.end_all(time.monotonic() + 30)
            removed = leftovers.remove_leftovers(self.request["prefix"])
            if not self.confinement.private_shm:
                removed += leftovers.remove_of(self.observer.seen.keys())
            self.server.close()
        finally:
            elsewhere = self.confinement.close()  # whatever else fails: nobody else would give it back
        return {"clean": clean, "removed": removed + elsewhere, "observer": self.observer.name}

    def every_look(self, *, last: bool = False) -> str:
        """Cut what the student prints, and say which limit is gone over; end when nobody waits for the report.

        *last*: the call is back, and whatever it has left can be looked at.
        """
        self.out.cut()
        self.err.cut()
        if self.abandoned():
            rmtree.remove_tree(self.folder.path)
            raise SystemExit("the grader is gone")
        seen = [each for each in self.observer.seen.values() if not each.sandbox]
        if any(each.exitcode in _OUT_OF_TIME for each in seen):
            return f"too much computing: the limit is {self.limits['cpu_seconds']:g} s of CPU time"
        live, ended = [each.pid for each in seen if not each.ended], [each for each in seen if each.ended]
        peak = max((each.peak for each in ended), default=0)
        return self.budget.overdrawn(live, sum(each.cpu for each in ended), peak, last=last)

    def _path(self, name: str) -> str:
        return os.path.join(self.folder.path, name)

    def ended(self, how: str, when: str, ending: Ending | None = None) -> dict[str, Any]:
        """What was waited for did not come: say why, with what every process was waiting for."""
        ending = ending or _ENDINGS.get(how, Ending.BROKEN)
        found: tuple[Stuck, ...] = ()
        if how in ("quiet", "late"):
            found = hang.explain_hang(self.watch, self.stacks)
        rule = self.watch.rule if how in ("quiet", "over") else how
        if how == "late" and self.watch.still_reading:
            rule = STILL_READING
        why = " ".join(word for word in (rule, when) if word)
        stopped = self.watch.fault if how == "over" else ""
        return self.facts(ending, why) | {"stuck": [dataclasses.asdict(one) for one in found], "stopped": stopped}

    def facts(self, ending: Ending, why: str, first: dict[int, str] | None = None) -> dict[str, Any]:
        """Return what is known now; *first*: what had become of each process when the call came back."""
        watch = self.watch
        seen = [seen for pid, seen in self.observer.seen.items() if pid != watch.caller and not seen.sandbox]
        processes = [self._seen(each, (first or {}).get(each.pid, "gone")) for each in seen]
        code = self.observer.seen[watch.caller].exitcode
        return {
            "ending": ending,
            "why": why,
            "exitcode": code,
            "caller": watch.caller,
            "in_caller": watch.in_caller,
            "events": [dataclasses.asdict(event) for event in watch.gates.events],
            "processes": [dataclasses.asdict(process) for process in processes],
        }

    def _seen(self, seen: ObservedProcess, at_return: str) -> ProcessSeen:
        parent = self.observer.seen.get(seen.parent)
        return seen.record(parent, at_return, self.observer.state(seen.pid), self.watch.began)


def _grader() -> list[int]:
    """Return the processes that student code must not signal: this one and those that it was started by."""
    found = [os.getpid()]
    while sys.platform.startswith("linux") and len(found) < 8 and (parent := procfs.parent(found[-1])) > 1:
        found.append(parent)
    return found
