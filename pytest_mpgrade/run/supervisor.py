"""The process between the grader and the student's code: one request, one report; both are JSON.

It runs no student code and no pytest. It starts the child, plays the gate scripts, looks at the tree whenever the
calling thread waits for it, ends everything, and proves that nothing is left. The pickle for the child lies in the
run's folder.

    runner --request--> server --forks--> supervisor --starts--> child (inside/child.py) --starts--> student's processes
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from pytest_mpgrade.records import STILL_READING, Ending, GateReport, Limits, ProcessSeen, Stuck
from pytest_mpgrade.run import gatekeeper, leftovers, stuck, trees
from pytest_mpgrade.run.budget import Budget
from pytest_mpgrade.run.confine import Confinement, RunFolder
from pytest_mpgrade.run.inspection import Inspection, after
from pytest_mpgrade.run.isolation import Isolation
from pytest_mpgrade.run.linux import procfs
from pytest_mpgrade.run.looks import Looks
from pytest_mpgrade.run.observer import Observer, Seen, choose
from pytest_mpgrade.run.output import Output
from pytest_mpgrade.run.transport import Server, serve
from pytest_mpgrade.run.watch import Watch

SANDBOX = 8
"""Processes that an isolation consists of, more than there are; they are not the submission's."""
SETTLE_SECONDS = 5.0
"""How long processes that an import has started may take to become what they are."""
POLL_SECONDS = 0.02
"""Between two calls of one that is asked again until it answers differently."""
STILL_SECONDS = 3.0
"""How long it is still asked when nothing but the caller can change anything any more: it may count to a number."""

_ENDINGS = {"quiet": Ending.HUNG, "late": Ending.TIMED_OUT, "dead": Ending.DIED, "over": Ending.STOPPED}


class Supervisor:
    """One run: the import of the submission and its calls."""

    def __init__(self, request: dict[str, Any], abandoned: Callable[[], bool] = lambda: False) -> None:
        self.request = request
        self.folder = RunFolder(path=request["run_folder"])
        self.limits = request["limits"]
        isolation = Isolation.from_json(request["isolation"])
        self.confinement = Confinement(isolation, self.folder, request["submission"], Limits(**self.limits))
        self.observer: Observer = choose(request["observer"], self.confinement.uid, SANDBOX + self.limits["processes"])
        self.server: Server = serve(request["observer"], self.folder.gates)
        self.abandoned = abandoned
        self.calls: list[dict[str, Any]] = []
        self.saved: set[str] = set()
        self.names = leftovers.Names(
            prefix=request["prefix"], private=self.confinement.private_shm, uid=self.confinement.uid
        )
        self.budget = Budget(
            self.limits, (self.folder.scratch, self.folder.box), self.observer.memory, self.confinement.out_of_memory
        )
        self.out = Output(self._path("out"), self.limits["output_bytes"])
        self.err = Output(self._path("err"), self.limits["output_bytes"])

    def run(self) -> dict[str, Any]:
        """Run everything; return the report."""
        began = time.monotonic()
        try:
            report = self._supervise()
        finally:
            clean = self.observer.end_all(time.monotonic() + 30)
            removed = leftovers.remove(self.request["prefix"])
            self.server.close()
            removed += self.confinement.close()
        report.update(clean=clean, removed=removed, observer=self.observer.name, seconds=time.monotonic() - began)
        return report

    def _supervise(self) -> dict[str, Any]:
        argv = [sys.executable, "-B", "-m", "pytest_mpgrade.inside.child", self.request["child_request"]]
        environment = {
            **self.request["environment"],
            "MPGRADE_GATE": self.server.address,
            "MPGRADE_GATE_KEY": self.server.key,
            "MPGRADE_STACKS": self.folder.stacks,
        }
        root = self.observer.start(self.confinement.start(argv, environment, shield=_grader()))
        self.watch = Watch(self.observer, self.server, root, every_look=self._every_look)
        self.inspection = Inspection(watch=self.watch, names=self.names)
        keys = self.request["keys"]
        self.watch.keys = None if keys is None else frozenset(keys)
        imported = self._import()
        if imported["ending"] == Ending.RETURNED:
            for number, step in enumerate(self.request["steps"]):
                if not self._step(number, step):
                    break
        return {"imported": imported, "calls": self.calls, "stderr": self.err.text()[-20_000:]}

    def _every_look(self, *, last: bool = False) -> str:
        """Cut what the student prints, and say which limit is gone over; end when nobody waits for the report.

        *last*: the call is back, and whatever it has left can be looked at.
        """
        self.out.cut()
        self.err.cut()
        if self.abandoned():
            trees.remove(self.folder.path)
            raise SystemExit("the grader is gone")
        seen = [each for each in list(self.observer.seen.values()) if not each.sandbox]
        if any(each.exitcode == -signal.SIGXCPU for each in seen):
            return f"too much computing: the limit is {self.limits['cpu_seconds']:g} s of CPU time"
        live = [each.pid for each in seen if not each.ended]
        return self.budget.overdrawn(live, sum(each.cpu for each in seen if each.ended), last=last)

    def _path(self, name: str) -> str:
        return os.path.join(self.folder.path, name)

    # --- the import

    def _import(self) -> dict[str, Any]:
        watch = self.watch
        watch.begin(self.limits["import_seconds"])
        how = watch.until(lambda: False)  # "ready": the interpreter is up
        if how != "back":
            return self._ended(how, "before the submission was imported", Ending.BROKEN)
        watch.begin(self.limits["import_seconds"])
        watch.reply()
        how = watch.until(lambda: False, self.limits["patience"])
        if how != "back" or watch.control is None:
            return self._ended(how, "while the module was imported")
        control, watch.control = watch.control, None
        if watch.workers_alive():
            watch.settle(SETTLE_SECONDS)  # a resource tracker is told apart only when it has started its program
        watch.control = control
        ok = bool(control.body.get("ok"))
        report = self._facts(Ending.RETURNED if ok else Ending.RAISED, "")
        report["answer"] = "import"
        if ok:
            watch.reply()
        return report

    # --- the calls

    def _step(self, number: int, step: dict[str, Any]) -> bool:
        """Do one step; False when no further one can be done."""
        watch = self.watch
        if step["do"] == "meet":
            report = gatekeeper.meet(watch, step["n"]) if self._next() else GateReport(script="meet")
            self._add(number, self._facts(Ending.RETURNED, "") | {"gates": dataclasses.asdict(report)})
            watch.reply()
            return True
        if not self._next() or watch.control is None:
            return False
        if watch.control.kind == "unusable":
            self._add(number, {"ending": Ending.NOT_TRIED, "why": "what an earlier call returned could not be used"})
            watch.reply()
            return True
        self.saved -= set(step["drop"])
        self.saved |= {step["save"]} - {""}
        if step["do"] == "drop":
            self._add(number, self._looked_at(Ending.RETURNED, handles=False))
            watch.reply()
            return True
        return self._call(number, step)

    def _next(self) -> bool:
        """Wait until the child stands at its next step."""
        self.watch.deadline = time.monotonic() + self.limits["seconds"]
        return self.watch.back or self.watch.until(lambda: False) == "back"

    def _call(self, number: int, step: dict[str, Any]) -> bool:
        watch = self.watch
        if not step.get("same_holdings"):
            self._before = self.inspection.holdings()
        self.out.start_anew()
        how, more = self._play(step)
        if how != "back" or watch.control is None:
            self._add(number, self._ended(how, "") | more | {"printed": self.out.text()})
            return False
        ending = Ending.RAISED if watch.control.body.get("raised") else Ending.RETURNED
        first = self.inspection.states()
        watch.open_exits()
        watch.exit_gates = watch.hold_exits = False
        watch.reply()  # the child tells its answer, lets go of it and collects garbage
        how = watch.until(lambda: False)
        if how != "back":
            self._add(number, self._ended(how, "after the call had returned") | more)
            return False
        report = self._looked_at(ending, first, handles=bool(step["save"]) or not step["last"])
        self._add(number, report | more | {"answer": str(number), "printed": self.out.text()})
        watch.reply()
        return True

    def _play(self, step: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Let the child make its call, again where that is asked; return how that ended, and what is told of it."""
        watch = self.watch
        watch.begin(step.get("seconds") or self.limits["seconds"])
        used = self.inspection.used()
        looks = Looks(watch, self._path("stacks"), self.request["submission"])
        if step["look"]:
            watch.look_in = looks.take
        watch.reply()
        how, gates = gatekeeper.play(watch, step["gates"], step.get("patience") or self.limits["patience"])
        seconds = time.monotonic() - watch.began
        watch.look_in = lambda: None
        blocked = max(0.0, seconds - (self.inspection.used() - used))
        tries = 1
        if how == "back" and step.get("again"):
            how, tries = self._again(step["again"])
        # a worker that was ended for going over a limit may have been noticed first
        watch.fault = watch.fault or self._every_look(last=True)
        if watch.fault:
            how = watch.until(lambda: False)
        found = {"gates": dataclasses.asdict(gates), "looks": [dataclasses.asdict(look) for look in looks.found()]}
        return how, found | {"seconds": seconds, "blocked": blocked, "tries": tries}

    def _again(self, again: dict[str, Any]) -> tuple[str, int]:
        """Let the child call again until it answers otherwise, nothing has moved for long, or time is up."""
        watch = self.watch
        tries = 1
        moved = time.monotonic()
        end = moved + again["seconds"]
        while watch.control is not None and self._same_answer(again):
            control, watch.control = watch.control, None
            watch.until(after(POLL_SECONDS))
            watch.control = control
            now = time.monotonic()
            if not self.inspection.nothing_moves():
                moved = now
            if now > end or now > moved + STILL_SECONDS:
                break
            watch.reply(b"again")
            tries += 1
            watch.deadline = time.monotonic() + self.limits["seconds"]
            how = watch.until(lambda: False, self.limits["patience"])
            if how != "back":
                return how, tries
        return "back", tries

    def _same_answer(self, again: dict[str, Any]) -> bool:
        """It has returned None once more, and not said that the child has ended, or not truly."""
        assert self.watch.control is not None
        body = self.watch.control.body
        if body.get("raised") or not body.get("none"):
            return False
        return again["stop_text"] not in self.out.text() or self.inspection.workers_linger()

    # --- reporting

    def _looked_at(self, ending: Ending, first: dict[int, str] | None = None, *, handles: bool) -> dict[str, Any]:
        """Look again at a tree whose processes had these states when the call came back."""
        first = self.inspection.states() if first is None else first
        left = self.inspection.left(self._before, handles=handles, saved=bool(self.saved))
        return self._facts(ending, "", first) | {"leftovers": [dataclasses.asdict(each) for each in left]}

    def _ended(self, how: str, when: str, ending: Ending | None = None) -> dict[str, Any]:
        """The call did not come back: say why, with what every process was waiting for."""
        ending = ending or _ENDINGS.get(how, Ending.BROKEN)
        found: tuple[Stuck, ...] = ()
        if how in ("quiet", "late"):
            found = stuck.explain(self.watch, self._path("stacks"), self.request["submission"])
        rule = self.watch.rule if how in ("quiet", "over") else how
        if how == "late" and self.watch.still_reading:
            rule = STILL_READING
        why = " ".join(word for word in (rule, when) if word)
        stopped = self.watch.fault if how == "over" else ""
        return self._facts(ending, why) | {"stuck": [dataclasses.asdict(one) for one in found], "stopped": stopped}

    def _facts(self, ending: Ending, why: str, first: dict[int, str] | None = None) -> dict[str, Any]:
        watch = self.watch
        seen = [seen for pid, seen in list(self.observer.seen.items()) if pid != watch.caller and not seen.sandbox]
        processes = [self._seen(each, (first or {}).get(each.pid, "gone")) for each in seen]
        code = self.observer.seen[watch.caller].exitcode
        return {
            "ending": ending,
            "why": why if ending != Ending.DIED else f"{why} exit {code}",
            "caller": watch.caller,
            "in_caller": watch.in_caller,
            "events": [dataclasses.asdict(event) for event in watch.events],
            "processes": [dataclasses.asdict(process) for process in processes],
        }

    def _seen(self, seen: Seen, at_return: str) -> ProcessSeen:
        parent = self.observer.seen.get(seen.parent)
        return seen.record(parent, at_return, self.observer.state(seen.pid), self.watch.began)

    def _add(self, number: int, report: dict[str, Any]) -> None:
        self.calls.append({"step": number, **report})


def _grader() -> list[int]:
    """Return the processes that student code must not signal: this one and those that it was started by."""
    found = [os.getpid()]
    while sys.platform.startswith("linux") and len(found) < 8 and (parent := procfs.parent(found[-1])) > 1:
        found.append(parent)
    return found
