"""The process between the grader and the student's code: one request, one report; both are JSON.

It runs no student code and no pytest. It starts the child, plays the gate scripts, looks at the tree whenever the
calling thread waits for it, ends everything, and proves that nothing is left. The pickle for the child lies in the
run's folder.

    runner --request--> server --forks--> supervisor --starts--> child (inside/child.py) --starts--> student's processes
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

from pytest_mpgrade.records import Ending, GateReport, Leftover, ProcessSeen, Stuck
from pytest_mpgrade.run import gatekeeper, leftovers, stuck
from pytest_mpgrade.run.linux import procfs
from pytest_mpgrade.run.observer import Observer, Seen, choose
from pytest_mpgrade.run.output import Output
from pytest_mpgrade.run.transport import Server, serve
from pytest_mpgrade.run.watch import Watch

GONE_SECONDS = 2.0
"""How long after its return a call's workers may take to be gone; CONTRACT section 3."""
BUSY_SECONDS = 10.0
"""The same on a machine so busy that they have not been able to run."""
CALM_LOOKS = 30
"""Looks 10 ms apart in which nothing of the tree runs or wants to."""
POLL_SECONDS = 0.02
"""Between two calls of one that is asked again until it answers differently."""
MORE_TRIES = 5
"""How often it is still asked when nothing but the caller can change anything any more."""

_ENDINGS = {"quiet": Ending.HUNG, "late": Ending.TIMED_OUT, "dead": Ending.DIED}


class Supervisor:
    """One run: the import of the submission and its calls."""

    def __init__(self, request: dict[str, Any], abandoned: Callable[[], bool] = lambda: False) -> None:
        self.request = request
        self.folder = request["run_folder"]
        self.limits = request["limits"]
        self.observer: Observer = choose(request["observer"])
        self.server: Server = serve(request["observer"], request["gate_folder"])
        self.abandoned = abandoned
        self.calls: list[dict[str, Any]] = []
        self.saved: set[str] = set()
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
        report.update(clean=clean, removed=removed, observer=self.observer.name, seconds=time.monotonic() - began)
        return report

    def _supervise(self) -> dict[str, Any]:
        caller = self.observer.start(
            [sys.executable, "-B", "-m", "pytest_mpgrade.inside.child", self.request["child_request"]],
            {
                **self.request["environment"],
                "MPGRADE_GATE": self.server.address,
                "MPGRADE_GATE_KEY": self.server.key,
                "MPGRADE_STACKS": self._path("stacks"),
            },
            self.request["scratch"],
            self.out.path,
            self.err.path,
        )
        self.watch = Watch(self.observer, self.server, caller, every_look=self._every_look)
        imported = self._import()
        if imported["ending"] == Ending.RETURNED:
            for number, step in enumerate(self.request["steps"]):
                if not self._step(number, step):
                    break
        return {"imported": imported, "calls": self.calls, "stderr": self.err.text()[-20_000:]}

    def _every_look(self) -> None:
        """Cut what the student prints; give up when nobody waits for the report any more."""
        self.out.cut()
        self.err.cut()
        if self.abandoned():
            shutil.rmtree(self.folder, ignore_errors=True)
            raise SystemExit("the grader is gone")

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

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
        ok = bool(watch.control.body.get("ok"))
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
            self._add(number, self._look_again(self._before, Ending.RETURNED, self._first_look()))
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
            self._before = leftovers.holdings(watch.caller, self.request["prefix"])
        offset = self.out.cut()
        watch.begin(step.get("seconds") or self.limits["seconds"])
        ran, queued = procfs.times(watch.caller, watch.caller)
        watch.reply()
        patience = step.get("patience") or self.limits["patience"]
        how, gates = gatekeeper.play(watch, step["gates"], patience)
        seconds = time.monotonic() - watch.began
        ran, queued = (b - a for a, b in zip((ran, queued), procfs.times(watch.caller, watch.caller), strict=True))
        tries = 1
        if how == "back" and step.get("again"):
            how, tries = self._again(step["again"], offset)
        more = {
            "gates": dataclasses.asdict(gates),
            "seconds": seconds,
            "blocked": max(0.0, seconds - ran - queued),
            "tries": tries,
        }
        if how != "back" or watch.control is None:
            self._add(number, self._ended(how, "") | more | {"printed": self.out.text(offset)})
            return False
        ending = Ending.RAISED if watch.control.body.get("raised") else Ending.RETURNED
        first = self._first_look()
        watch.open_exits()
        watch.exit_gates = watch.hold_exits = False
        watch.reply()  # the child tells its answer, lets go of it and collects garbage
        how = watch.until(lambda: False)
        if how != "back":
            self._add(number, self._ended(how, "after the call had returned") | more)
            return False
        report = self._look_again(self._before, ending, first, handles=bool(step["save"]) or not step["last"])
        self._add(number, report | more | {"answer": str(number), "printed": self.out.text(offset)})
        watch.reply()
        return True

    def _again(self, again: dict[str, Any], offset: int) -> tuple[str, int]:
        """Let the child call again until it answers otherwise, nothing can change any more, or time is up."""
        watch = self.watch
        tries, left = 1, MORE_TRIES
        end = time.monotonic() + again["seconds"]
        while watch.control is not None and self._same_answer(again, offset) and left and time.monotonic() < end:
            control, watch.control = watch.control, None
            if watch.until(_after(POLL_SECONDS)) == "quiet" or tries > 20:
                left -= self._nothing_moves()
            watch.control = control
            watch.reply(b"again")
            tries += 1
            watch.deadline = time.monotonic() + self.limits["seconds"]
            how = watch.until(lambda: False, self.limits["patience"])
            if how != "back":
                return how, tries
        return "back", tries

    def _nothing_moves(self) -> bool:
        """Tell whether every process but the caller is asleep or gone."""
        return not any(thread.state in "RDt" for thread in self.observer.threads(self.watch.workers_alive()))

    def _same_answer(self, again: dict[str, Any], offset: int) -> bool:
        assert self.watch.control is not None
        body = self.watch.control.body
        return not body.get("raised") and bool(body.get("none")) and again["stop_text"] not in self.out.text(offset)

    # --- looking

    def _first_look(self) -> dict[int, str]:
        """At the moment of return: what has become of each process? The calling thread waits meanwhile."""
        self.observer.refresh()
        return {pid: self.observer.state(pid) for pid in list(self.observer.seen) if pid != self.watch.caller}

    def _look_again(
        self, before: leftovers.Holdings, ending: Ending, first: dict[int, str], *, handles: bool = False
    ) -> dict[str, Any]:
        """When the tree is quiet, or after 2 s: who is still there, and what else is left?

        *handles*: the call has returned handles of something that goes on, or the next call follows at once; nothing is
        waited for.
        """
        watch = self.watch
        control, watch.control = watch.control, None
        start = time.monotonic()
        watch.quiet.disturb()
        gained, calm = self._gained(before), 0
        while not handles and self._lingers(gained) and time.monotonic() < start + BUSY_SECONDS:
            watch.deadline = time.monotonic() + 1
            how = watch.until(_after(0.01))
            gained = self._gained(before)
            calm = calm + 1 if self._nothing_moves() else 0
            if how == "quiet" and (watch.rule == "proof" or time.monotonic() > start + GONE_SECONDS):
                break
            if calm >= CALM_LOOKS and not self._workers_linger():
                break
        watch.control = control
        report = self._facts(ending, "", first)
        report["leftovers"] = [dataclasses.asdict(Leftover(kind=kind, name=name)) for kind, name in gained]
        return report

    def _workers_linger(self) -> bool:
        """Only workers have 2 s; anything else must be gone when the call returns."""
        return bool({event.pid for event in self.watch.events} & set(self.watch.workers_alive()))

    def _lingers(self, gained: list[tuple[str, str]]) -> bool:
        shut = self.watch.insiders()
        alive = [pid for pid in self.watch.workers_alive() if pid not in shut and self.observer.state(pid) == "alive"]
        # While the child keeps handles for later steps, their pipes are not left over.
        return bool(alive or (gained and not self.saved))

    def _gained(self, before: leftovers.Holdings) -> list[tuple[str, str]]:
        helpers = [pid for pid, seen in self.observer.seen.items() if seen.helper]
        return leftovers.gained(before, leftovers.holdings(self.watch.caller, self.request["prefix"]), helpers)

    # --- reporting

    def _ended(self, how: str, when: str, ending: Ending | None = None) -> dict[str, Any]:
        """The call did not come back: say why, with what every process was waiting for."""
        ending = ending or _ENDINGS.get(how, Ending.BROKEN)
        found: tuple[Stuck, ...] = ()
        if how in ("quiet", "late"):
            found = stuck.explain(self.watch, self._path("stacks"), self.request["submission"])
        why = " ".join(word for word in (self.watch.rule if how == "quiet" else how, when) if word)
        return self._facts(ending, why) | {"stuck": [dataclasses.asdict(one) for one in found]}

    def _facts(self, ending: Ending, why: str, first: dict[int, str] | None = None) -> dict[str, Any]:
        watch = self.watch
        seen = [seen for pid, seen in list(self.observer.seen.items()) if pid != watch.caller]
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


def _after(seconds: float) -> Callable[[], bool]:
    """Return a condition that is true once *seconds* have passed."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end
