"""One run of a notebook: its kernel starts, executes the cells, reports variables, and ends.

nbclient (see `jupyter`) talks to the kernel. How a cell ends is seen from outside, like the end of
a call. Of the threads of a kernel, only the main one and those that the notebook starts count for
that, because the kernel's own threads wait with time-outs.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from pytest_mpgrade.records import Ending, NotebookDocument, Phase, WaitEnd, lost_function
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.protocol import START_SECONDS, Account, CellsReport, CellsRequest
from pytest_mpgrade.run.supervisor.jupyter import CellExecutionError, Jupyter, code_name
from pytest_mpgrade.run.supervisor.tree import Supervised
from pytest_mpgrade.system.linux import procfs

SHUTDOWN_SECONDS = 3.0
"""A kernel that has been asked to shut down ends within some tenths of a second, or is killed."""
STEP_SECONDS = 0.003
"""Seconds of one wait for messages. It is short because notebooks have many short cells."""
HELPERS_SECONDS = 2.0
"""Seconds in which the helpers of a kernel may end after it: joblib's resource tracker removes what
joblib has made.
"""
INTERRUPT_SECONDS = 30.0
"""A cell that is interrupted may shut its processes down in `finally`; one that ignores the
interrupt has lost its values.
"""
VALUES_SECONDS = 120.0
"""Values are `notebook_values.MOST` characters each, at most. To encode many of them takes seconds.
"""
RESPAWNS = 6
"""Child processes that have died because they could not find a function of the notebook. A Pool
starts new ones for ever.
"""


def command(request: CellsRequest) -> list[str]:
    """Return the command line of the notebook's kernel."""
    python = request.python or sys.executable
    return [python, "-B", "-m", "pytest_mpgrade.inside.notebook_kernel", request.kernel_request]


def report(run: Supervised, request: CellsRequest) -> CellsReport:
    """Execute the notebook; return what was seen."""
    return Cells(run, request).report()


class Cells:
    """The cells of a notebook, in the kernel that *run* supervises."""

    def __init__(self, run: Supervised, request: CellsRequest) -> None:
        self.run = run
        self.request, self.limits = request, run.limits
        with open(os.path.join(run.folder.path, request.file), encoding="utf-8") as file:
            self.notebook: NotebookDocument = json.load(file)
        self.code = [
            index
            for index, cell in enumerate(self.notebook["cells"])
            if cell["cell_type"] == "code"
        ]
        self.cells: list[Account] = []
        self.watch, self.inspection = run.watch, run.inspection
        self.jupyter = Jupyter(
            self.notebook, request.connection, lambda: not run.watch.dead, request.output_bytes
        )
        self.end = math.inf  # `time.monotonic` at which all cells together have to be done
        self._met: set[int] = set()  # processes that were known when the cell began
        self._messages = 0  # number of messages from the kernel at the last look
        self.pid = 0  # the kernel's, in its own pid namespace
        self.told = False  # the kernel has written its variables
        self.sources: list[str] = []  # paths of the files with the cells' code
        # the kernel's name for the code of a cell -> the path of its file
        self.names: dict[str, str] = {}

    def report(self) -> CellsReport:
        """Execute the notebook; return what was seen."""
        kernel = self._start()
        left, after = None, None
        if kernel.ending is Ending.RETURNED:
            self.end = time.monotonic() + self.request.seconds
            while len(self.cells) < len(self.code) and self._cell(len(self.cells)):
                pass
            if not self.watch.dead:
                left, after = self._finish()
            self._keep()
        return CellsReport(
            pid=self.pid,
            told=self.told,
            kernel=kernel,
            cells=tuple(self.cells),
            left=left,
            after=after,
            stderr=self.run.err.text()[-20_000:],
        )

    # --- the kernel

    def _start(self) -> Account:
        watch = self.watch
        watch.begin(START_SECONDS)
        how = watch.until_back()  # "ready": no code of the submission has run yet
        if how != "back":
            return self.run.ended(how, Phase.BEFORE_KERNEL, Ending.BROKEN)
        watch.reply()
        self.pid = procfs.inside(watch.caller)
        connected = self.jupyter.connect()
        how = self._until(connected, lambda: True)
        if how != "yes":
            return self.run.ended(how, Phase.KERNEL_START, Ending.BROKEN)
        connected.result()
        for pid, process in self.run.observer.seen.items():
            # The kernel itself has started these, not the notebook.
            process.sandbox = pid != watch.caller
        watch.step = STEP_SECONDS
        watch.quiet.caller = 0  # a notebook may compute by itself
        watch.aside = frozenset(procfs.tasks(watch.caller)) - {watch.caller}
        self._write_sources()
        return self.run.facts(Ending.RETURNED, "")

    def _write_sources(self) -> None:
        """Write a file for each cell's code, under the name that messages to students use."""
        folder = os.path.join(self.run.folder.path, "cells")
        os.mkdir(folder, 0o700)
        for number, index in enumerate(self.code, 1):
            path = os.path.join(folder, f"code cell {number}")
            with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(self.notebook["cells"][index]["source"])
            self.sources.append(path)
        own = (os.path.realpath(self.request.folder), self.request.folder, folder)
        self.run.stacks = Stacks(file=self.run.folder.stacks, own=own, cells=self.names)

    def _until(self, future: Future[object] | Future[None], goes_on: Callable[[], bool]) -> WaitEnd:
        """Wait for an answer of the client; return how the wait ended.

        *goes_on* tells whether the work goes on although the tree looks quiescent, because an
        answer is on its way. It has to be asked after the client: while this is waited for, an
        answer may arrive.
        """
        while True:
            how = self.watch.until(future.done, self.limits.patience)
            if how != "quiet" or not (self.jupyter.busy() or goes_on()):
                return how

    # --- cells

    def _cell(self, number: int) -> bool:
        """Execute one cell; return False where no further one can be executed."""
        watch, index = self.watch, self.code[number]
        mine, all_left = self.request.cell_seconds, self.end - time.monotonic()
        watch.begin(max(min(mine, all_left), 0.01))
        self.names[code_name(self.notebook["cells"][index]["source"])] = self.sources[number]
        self._met, self._messages = set(self.run.observer.seen), self.jupyter.messages
        self.run.at = f"code cell {number + 1}"
        future = self.jupyter.execute(index)
        with watch.looking_in(self._look_in):
            how = self._until(future, lambda: self.jupyter.replied)
        took = time.monotonic() - watch.began
        self.end += watch.lost()
        # A worker that was killed for exceeding a limit may have been noticed before the limit was.
        watch.fault = watch.fault or self.run.every_look(last=how == "yes")
        if watch.fault or how != "yes":
            how = "over" if watch.fault else how
            account = self.run.ended(how, all_cells=how == "late" and all_left < mine)
            goes_on = False
        else:
            account, goes_on = self._done(future)
        self.cells.append(replace(account, seconds=took))
        return goes_on

    def _done(self, future: Future[object]) -> tuple[Account, bool]:
        error = future.exception()
        states = self.inspection.states()
        if error is None:
            return self.run.facts(Ending.RETURNED, "", states), True
        if isinstance(error, CellExecutionError):
            return self.run.facts(Ending.RAISED, "", states), False
        if self.watch.dead:
            return self.run.ended("dead"), False
        self.watch.fault = (
            f"the kernel sent what no kernel sends ({type(error).__name__}: {error})"[:300]
        )
        return self.run.ended("over"), False

    def _look_in(self) -> None:
        """Take in the messages of the kernel; `Watch` calls this while a cell is executed.

        A cell that prints something is not hanging.
        """
        if self.jupyter.messages != self._messages:
            self._messages = self.jupyter.messages
            self.watch.quiet.disturb()
        self._respawns()

    def _respawns(self) -> None:
        """Stop a Pool whose workers die because they cannot find a function of the notebook.

        A Pool starts another worker for each one that dies, without end.
        """
        died = [
            process
            for pid, process in self.run.observer.seen.items()
            if pid not in self._met
            and process.ended
            and process.exitcode not in (0, None)
            and not process.helper
        ]
        if len(died) < RESPAWNS:
            return
        name = lost_function(self._stderr(self.code[len(self.cells)]))
        if name:
            self.watch.fault = (
                f"{len(died)} child processes have died, and new ones are started again and again"
            )

    def _stderr(self, index: int) -> str:
        outputs = list(self.jupyter.notebook.cells[index].get("outputs", []))
        return "".join(
            str(each.get("text", "")) for each in outputs if each.get("name") == "stderr"
        )

    # --- the end

    def _finish(self) -> tuple[Account | None, Account | None]:
        """Ask for values, look at what is left behind, and have the kernel end.

        If the last cell hangs, only the values are asked for.
        """
        last = self.cells[-1].ending if self.cells else Ending.RETURNED
        if last in (Ending.HUNG, Ending.TIMED_OUT) and self._interrupt():
            self._tell()
        if last not in (Ending.RETURNED, Ending.RAISED):
            return None, None
        watch = self.watch
        first = self.inspection.states()
        if not self._tell():
            return None, None
        self.inspection.let_end()
        left = self.run.facts(Ending.RETURNED, "", first)
        if not watch.workers_alive():
            # Nothing is there that could outlive the kernel. It would first wait for helpers of
            # Python's own that obey no SIGTERM, and they wait for its end.
            return left, left
        watch.begin(SHUTDOWN_SECONDS)
        self.jupyter.shut_down()
        how = watch.until_back()
        self._let_helpers_end()
        return left, self.run.facts(
            Ending.RETURNED, "" if how == "dead" else "the kernel did not end"
        )

    def _interrupt(self) -> bool:
        """Interrupt a cell as a user of Jupyter would, so that earlier values can be read."""
        self.watch.begin(INTERRUPT_SECONDS)
        return (
            self._until(self.jupyter.interrupt(self.watch.caller), lambda: self.jupyter.replied)
            == "yes"
        )

    def _tell(self) -> bool:
        """Have the kernel write its variables; return False where it cannot do anything more."""
        self.watch.begin(VALUES_SECONDS)
        names = json.dumps(self.request.names)
        module = '__import__("pytest_mpgrade.inside.notebook_values", fromlist=["tell_values"])'
        code = f"{module}.tell_values(globals(), {names})"
        how = self._until(self.jupyter.tell(code), lambda: self.jupyter.replied)
        self.told = how == "yes"
        return how in ("yes", "late", "quiet")

    def _let_helpers_end(self) -> None:
        watch, end = self.watch, self.watch.clock.now() + HELPERS_SECONDS
        processes = self.run.observer.seen
        while watch.clock.now() < end and any(
            processes[pid].helper not in ("", "sandbox") for pid in watch.live()
        ):
            watch.pump(STEP_SECONDS)

    def _keep(self) -> None:
        """Write the notebook as far as it was executed."""
        self.jupyter.close()
        with open(self.run.folder.executed, "w", encoding="utf-8") as file:
            json.dump(self.jupyter.notebook, file)
