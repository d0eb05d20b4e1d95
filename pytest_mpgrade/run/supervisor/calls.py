"""One run of a module: the import, the calls with gate scripts, and looks at the tree between."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from dataclasses import dataclass, replace

from pytest_mpgrade.records import (
    Again,
    Ending,
    GateReport,
    Look,
    Phase,
    ProcessState,
    Script,
    WaitEnd,
)
from pytest_mpgrade.run.explain.sampler import Looks
from pytest_mpgrade.run.observe import core_time, leftovers
from pytest_mpgrade.run.protocol import (
    START_SECONDS,
    Account,
    CallsReport,
    CallsRequest,
    StepRequest,
)
from pytest_mpgrade.run.supervisor import gate_scripts, held_points, pauses
from pytest_mpgrade.run.supervisor.after_return import after
from pytest_mpgrade.run.supervisor.crowd import Crowd
from pytest_mpgrade.run.supervisor.tree import Supervised

SETTLE_SECONDS = 5.0
"""Seconds in which processes that an import has started may execute their programs."""
POLL_SECONDS = 0.02
"""Seconds between two calls of a function that is called again until its answer changes."""
STILL_SECONDS = 3.0
"""Seconds for which such a function is still called when nothing but the caller moves: the caller
may count its calls, and change its answer at some number.
"""


def command(request: CallsRequest) -> list[str]:
    """Return the command line of the process that imports the submission and calls it."""
    return [sys.executable, "-B", "-m", "pytest_mpgrade.inside.child", request.child_request]


def report(run: Supervised, request: CallsRequest) -> CallsReport:
    """Make the calls; return what was seen of them."""
    return Calls(run, request).report()


@dataclass(frozen=True, kw_only=True)
class _Played:
    """How a call went until it came back, or was given up."""

    how: WaitEnd
    gates: GateReport
    looks: tuple[Look, ...]
    seconds: float
    blocked: float
    tries: int
    crowd: Crowd

    def told_in(self, account: Account) -> Account:
        """Return the account of the call, completed with this."""
        return replace(
            account,
            gates=self.gates,
            looks=self.looks,
            seconds=self.seconds,
            blocked=self.blocked,
            tries=self.tries,
        )


class Calls:
    """The import of the submission and its calls, in the process that *run* supervises."""

    def __init__(self, run: Supervised, request: CallsRequest) -> None:
        self.run = run
        self.request, self.limits, self.out = request, run.limits, run.out
        self.calls: list[Account] = []
        self.saved: set[str] = set()
        self.watch, self.inspection = run.watch, run.inspection
        keys = self.request.keys
        self.watch.keys = None if keys is None else frozenset(keys)
        self._before = leftovers.Holdings()

    def report(self) -> CallsReport:
        """Make the calls; return what was seen of them."""
        imported = self._import()
        if imported.ending is Ending.RETURNED:
            for number, step in enumerate(self.request.steps):
                if not self._step(number, step):
                    break
        return CallsReport(
            imported=imported, calls=tuple(self.calls), stderr=self.run.err.text()[-20_000:]
        )

    # --- the import

    def _import(self) -> Account:
        watch = self.watch
        watch.begin(START_SECONDS)
        how = watch.until_back()  # "ready": the interpreter has started
        while how == "quiet":  # no code of the submission's runs yet: what is asleep waits for us
            how = watch.until_back()
        if how != "back":
            return self.run.ended(how, Phase.BEFORE_IMPORT, Ending.BROKEN)
        watch.begin(self.limits.import_seconds)
        watch.reply()
        how = watch.until_back(self.limits.patience)
        if how != "back" or watch.control is None:
            return self.run.ended(how, Phase.IMPORT)
        ok = watch.control.ok
        if watch.workers_alive():
            with watch.unanswered():
                # Only its command line shows that a process is a resource tracker.
                watch.settle(SETTLE_SECONDS)
        account = self.run.facts(Ending.RETURNED if ok else Ending.RAISED, "")
        if ok:
            watch.reply()
        return replace(account, answer="import")

    # --- the calls

    def _step(self, number: int, step: StepRequest) -> bool:
        """Take one step; return False when no further one can be taken."""
        watch = self.watch
        how = self._next()
        if how != "back" or watch.control is None:
            self._add(number, self.run.ended(how, Phase.BEFORE_CALL))
            return False
        if step.do in ("meet", "let"):
            gates = pauses.meet(watch, step.n) if step.do == "meet" else pauses.let(watch, step.let)
            self._add(number, replace(self.run.facts(Ending.RETURNED, ""), gates=gates))
            watch.reply()
            return True
        if watch.control.kind == "unusable":
            why = "what an earlier call returned could not be used"
            self._add(number, Account(ending=Ending.NOT_TRIED, why=why))
            watch.reply()
            return True
        self.saved -= set(step.drop)
        self.saved |= {step.save} - {""}
        if step.do == "drop":
            self._add(number, self._looked_at(Ending.RETURNED, handles=False))
            watch.reply()
            return True
        return self._call(number, step)

    def _next(self) -> WaitEnd:
        """Wait until the child stands at its next step: "back".

        A thread of the last call may end the child before that.
        """
        self._begin_ours()
        return "back" if self.watch.back else self.watch.until_back()

    def _begin_ours(self) -> None:
        """Let the child do what is not the submission's: write an answer, collect garbage.

        It has a limit of its own for that, and computes: no other rule may end it.
        """
        self.watch.deadline.begin(time.monotonic(), self.limits.seconds)
        self.watch.quiet.may_compute = math.inf
        self.watch.quiet.disturb()

    def _call(self, number: int, step: StepRequest) -> bool:
        watch = self.watch
        if not step.same_holdings:
            self._before = self.inspection.holdings()
        self.out.start_anew()
        self.run.at = step.label
        played = self._play(step)
        if played.how != "back" or watch.control is None:
            account = played.told_in(self.run.ended(played.how))
            computing = played.how == "late" or watch.rule == "the caller spins"
            crowd = played.crowd.computed_since(new=False) if computing else 0
            self._add(number, replace(account, printed=self.out.text(), crowd=crowd))
            return False
        ending = Ending.RAISED if watch.control.raised else Ending.RETURNED
        first = self.inspection.states()
        held_points.let_held_go(watch, step.gates)
        watch.gates.open_exits()
        watch.gates.exit_gates = watch.gates.hold_exits = False
        self._begin_ours()
        watch.reply()  # the child writes its answer, drops it and collects garbage
        how = watch.until_back()
        if how != "back":
            stuck = played.told_in(self.run.ended(how, Phase.AFTER_RETURN))
            self._add(number, replace(stuck, crowd=played.crowd.computed_since(new=True)))
            return False
        account = played.told_in(
            self._looked_at(ending, first, handles=bool(step.save) or not step.last)
        )
        self._add(number, replace(account, answer=str(number), printed=self.out.text()))
        watch.reply()
        return True

    def _play(self, step: StepRequest) -> _Played:
        """Let the child make its call, repeatedly where the step says so; return how that went."""
        watch = self.watch
        watch.begin(step.seconds or self.limits.seconds)
        watch.gates.in_threads = bool(step.awaited or self.request.pages)
        used = core_time.core_seconds(watch)
        looks, crowd = Looks(watch, self.run.stacks), Crowd.now(watch.caller)
        watch.reply()
        with watch.looking_in(looks.take) if step.look else contextlib.nullcontext():
            patience = step.patience or self.limits.patience
            how, gates = gate_scripts.play(watch, step.gates, patience, self.run.stacks)
        seconds = time.monotonic() - watch.began
        blocked = max(0.0, seconds - (core_time.core_seconds(watch) - used))
        tries = 1
        if how == "back" and step.again is not None:
            how, tries = self._again(step.again, step.gates)
        # A worker that was killed for exceeding a limit may have been noticed before the limit was.
        watch.fault = watch.fault or self.run.every_look(last=True)
        if watch.fault:
            how = watch.until_back()
        return _Played(
            how=how,
            gates=gates,
            looks=tuple(looks.found()),
            seconds=seconds,
            blocked=blocked,
            tries=tries,
            crowd=crowd,
        )

    def _again(self, again: Again, script: Script) -> tuple[WaitEnd, int]:
        """Let the child call again until its answer changes, nothing moves, or time is up."""
        watch = self.watch
        tries = 1
        moved = watch.clock.now()
        end = moved + again.seconds
        while watch.control is not None and self._same_answer(again):
            with watch.unanswered():
                watch.until(after(POLL_SECONDS))
            now = watch.clock.now()
            if not self.inspection.nothing_moves():
                moved = now
            held_points.unstick(watch, now - moved, script)
            if now > end or now > moved + STILL_SECONDS:
                break
            watch.reply(b"again")
            tries += 1
            watch.deadline.at = time.monotonic() + self.limits.seconds
            how = held_points.until_back(watch, self.limits.patience)
            if how != "back":
                return how, tries
        return "back", tries

    def _same_answer(self, again: Again) -> bool:
        """Tell whether the call has given the same answer once more.

        That is None, without a text that truly says that the child has ended.
        """
        answer = self.watch.control
        assert answer is not None
        if answer.raised or not answer.none:
            return False
        return again.stop_text not in self.out.text() or self.inspection.workers_linger()

    def _looked_at(
        self, ending: Ending, first: dict[int, ProcessState] | None = None, *, handles: bool
    ) -> Account:
        """Return what is known of the tree now, with what the call has left behind.

        *first* has the states that its processes had when the call came back.
        """
        first = self.inspection.states() if first is None else first
        left = self.inspection.left(self._before, handles=handles, saved=bool(self.saved))
        return replace(self.run.facts(ending, "", first), leftovers=tuple(left))

    def _add(self, number: int, account: Account) -> None:
        self.calls.append(replace(account, step=number))
