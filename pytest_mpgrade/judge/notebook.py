"""Checks of a notebook that was executed from top to bottom; CONTRACT section 2.12."""

from __future__ import annotations

import ast
import functools
import re
import signal
from collections.abc import Callable

from pytest_mpgrade.inside import plain
from pytest_mpgrade.judge.check import PASSED, Check, Verdict, absent, failed, undecided
from pytest_mpgrade.records import Cell, Concern, Ending, Notebook, Plain, ProcessSeen, Run, lost_function

RUNS = "runs_top_to_bottom"
LOST = "move {name}() into a module: child processes import it, and a notebook cannot be imported"
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL | re.IGNORECASE)
_FOLDS = ("folds", "n_folds", "n_splits")
"""Variables that say how many folds there are."""


def runs_top_to_bottom() -> Check:
    """Every cell comes to its end, without an error that it is not tagged to raise."""

    def judge(run: Notebook) -> Verdict:
        cell = run.failing
        if cell is None:
            return PASSED
        stuck = [stuck.sentence for stuck in cell.trace.stuck]
        told = {"traceback": _lines(cell.traceback, 20), "stuck": stuck, "stderr": _lines(cell.stderr, 8)}
        name = lost_function(cell.traceback + cell.stderr)
        why = f"; child processes could not find {name}(), which the notebook defines" if name else ""
        hint = LOST.format(name=name) if name else _HINTS.get(cell.ending, "")
        shown = {key: value for key, value in told.items() if value}
        return failed(_how_it_ended(cell) + why, hint=hint, symptom=f"cell {cell.number}", cell=cell.number, **shown)

    return Check(
        name=RUNS,
        title="the notebook runs from top to bottom",
        concern=Concern.NOTEBOOK,
        judge=of_notebooks(judge),
    )


def _lines(text: str, most: int) -> list[str]:
    """Return the last lines of a text, without the rules that Jupyter draws."""
    return [line[:300] for line in text.splitlines() if line.strip("- ")][-most:]


_HINTS = {
    Ending.RAISED: "restart the kernel and run all cells, in a new folder with nothing but what you hand in",
    Ending.HUNG: "find out what each process waits for, and who should send it",
}


def _how_it_ended(cell: Cell) -> str:
    """Say in one sentence how a cell ended that did not come to its end."""
    if cell.ending is Ending.RAISED:
        where = f", line {cell.error_line}" if cell.error_line else ""
        source = f": {cell.error_source}" if cell.error_source else ""
        return f"{cell.name}{where} raised {cell.error_type}: {cell.error_message[:200]}{source}"
    if cell.ending is Ending.DIED:
        return f"the kernel died in {cell.name} ({_exit(cell.why)})"
    if cell.ending is Ending.STOPPED:
        return f"{cell.name} was stopped: {cell.stopped}"
    waits = "; ".join(stuck.sentence for stuck in cell.trace.stuck[:2])
    how = "hangs" if cell.ending is Ending.HUNG else f"was not done after {cell.seconds:.0f} s"
    return f"{cell.name} {how}" + (f": {waits}" if waits else "")


def _exit(why: str) -> str:
    number = re.search(r"exit (-?\d+)", why)
    if number is None:
        return "its exit status is not known"
    code = int(number[1])
    if code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def has_list(name: str) -> Check:
    """A variable holds a list with something in it when the notebook is done."""

    def judge(run: Notebook) -> Verdict:
        if name not in run.values:
            return _missing(run, f"there is no variable {name} when the notebook is done")
        kind, *rest = run.values[name]
        if kind not in ("list", "tuple"):
            return failed(f"{name} is no list but {plain.shown(run.values[name])}", symptom=name)
        return PASSED if rest[0] else failed(f"{name} is an empty list", symptom=name)

    return Check(
        name="has_list",
        title=f"the list {name} is there",
        concern=Concern.NOTEBOOK,
        hint=f"give the list of what the tasks returned the name {name}",
        judge=of_notebooks(judge),
    )


def _missing(run: Notebook, message: str) -> Verdict:
    """Something is not there: because the notebook does not make it, or because it did not get that far."""
    if run.failing is not None:
        return undecided(f"left undecided: {run.call} did not run to its end", RUNS)
    return failed(message, symptom="missing")


def made_by_children(name: str) -> Check:
    """The tasks whose results a variable holds ran in child processes: those of `wait` name theirs."""

    def judge(run: Notebook) -> Verdict:
        kind, *rest = run.values.get(name, ["none"])
        if kind not in ("list", "tuple") or not rest[0]:
            return undecided(f"left undecided: there is no list {name}", RUNS if run.failing else "has_list")
        children = [process for process in run.trace.processes if not process.helper]
        if not children:
            return failed(
                f"the notebook started no child process, so {name} was computed in its own", symptom="no child"
            )
        pids = _pids(rest[0])
        if run.pid in pids:
            count = pids.count(run.pid)
            return failed(
                f"{count} of the {len(pids)} tasks in {name} ran in the notebook's own process (pid {run.pid})",
                symptom="in the notebook", pids=pids[:20],
            )  # fmt: skip
        known = {process.inside for process in children}
        strange = sorted(set(pids) - known)
        if strange and 0 not in known and run.trace.observer == "ptrace":
            return failed(
                f"{name} names processes that the notebook never started, e.g. pid {strange[0]}", symptom="made up"
            )
        return PASSED

    return Check(
        name="made_by_children",
        title=f"the tasks of {name} ran in child processes",
        concern=Concern.WORKERS,
        hint="hand the tasks to child processes, through queues or a Pool",
        judge=of_notebooks(judge),
    )


def _pids(items: list[Plain]) -> list[int]:
    """Return the pids in results of `wait`: ``(i, pid, start, end)``; none where they have another shape."""
    found = []
    for kind, *rest in items:
        kinds = [part[0] for part in rest[0]] if kind in ("tuple", "list") else []
        if kinds[:2] != ["int", "int"] or kinds[2:] not in (["float", "float"], ["str", "str"]):
            return []
        found.append(int(rest[0][1][1]))
    return found


def shows_rows(tag: str, least: int = 2) -> Check:
    """The output of the tagged cell shows a row for each fold: printed lines, the items of a list, a table's rows."""

    def judge(run: Notebook) -> Verdict:
        cells = [cell for cell in run.cells if tag in cell.tags]
        if not cells:
            hint = f"add the tag {tag} to the cell, among its properties"
            return failed(f"no code cell is tagged {tag}", symptom="no tag", hint=hint)
        if all(cell.ending is Ending.NOT_TRIED for cell in cells) or any(cell is run.failing for cell in cells):
            return undecided(f"left undecided: the cell tagged {tag} did not come to its end", RUNS)
        wanted = max(least, _folds(run))
        rows = max(rows_of(cell) for cell in cells)
        if rows >= wanted:
            return PASSED
        seen = f"{rows} row{'s' * (rows != 1)}" if rows else "nothing with a number in it"
        return failed(
            f"{cells[0].name} shows {seen}, and one row for each fold was asked for"
            + (f" ({wanted} folds)" if wanted > least else ""),
            symptom="no rows",
            output=cells[0].text[:2000],
        )

    return Check(
        name="shows_rows",
        title=f"the cell tagged {tag} shows one row for each fold",
        concern=Concern.NOTEBOOK,
        hint="print one line for each fold, or show a list or a table with one row for each",
        judge=of_notebooks(judge),
    )


def _folds(run: Notebook) -> int:
    """Return how many folds there are, where a variable says so; else 0."""
    for name in _FOLDS:
        kind, *rest = run.values.get(name, ["none"])
        if kind in ("list", "tuple"):
            return len(rest[0])
        if kind == "int":
            return min(int(rest[0]), 1000)
    return 0


def rows_of(cell: Cell) -> int:
    """Return how many rows a cell's output has, in whichever way it shows most."""
    lines = [line for line in cell.printed.splitlines() if re.search(r"\d", line)]
    counts = [len(lines)]
    for html in cell.html:
        counts.append(sum("<td" in row.lower() for row in _ROW.findall(html)))
    for text in cell.shown("text/plain"):
        listed = _items(text)
        counts.append(len([x for x in text.splitlines() if re.search(r"\d", x)]) if listed is None else listed)
    listed = _items(cell.printed)
    return max([*counts, listed or 0])


def _items(text: str) -> int | None:
    """Return how many items a list, tuple or dict has whose representation this is; None if it is none."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if isinstance(tree, (ast.List, ast.Tuple)):
        return len(tree.elts)
    return len(tree.keys) if isinstance(tree, ast.Dict) else None


def draws(tag: str = "") -> Check:
    """A plot is drawn: by some cell, or by the tagged one."""

    def judge(run: Notebook) -> Verdict:
        cells = [cell for cell in run.cells if not tag or tag in cell.tags]
        if any(cell.images for cell in cells):
            return PASSED
        where = f"the cell tagged {tag}" if tag else "the notebook"
        return _missing(run, f"{where} draws no plot")

    return Check(
        name="draws", title="a plot is drawn", concern=Concern.NOTEBOOK, judge=of_notebooks(judge),
        hint="plot in the notebook itself, with %matplotlib inline or without any backend named",
    )  # fmt: skip


def no_process_left() -> Check:
    """No child process is alive or a zombie when the last cell is done, and none when the kernel has ended."""

    def judge(run: Notebook) -> Verdict:
        if run.failing is not None or not run.told:
            return undecided(f"left undecided: {run.call} did not run to its end", RUNS)
        mine = [process for process in run.trace.processes if not process.helper]
        if not mine:
            return absent("the notebook started no child process, so none could be left behind (see made_by_children)")
        left = [process for process in mine if process.later in ("alive", "zombie")]
        late = [each for each in run.after if each.later == "alive" and not each.helper]
        if not left and not late:
            return PASSED
        return failed(
            _left(left, late), symptom="left behind", processes=[_told(run, process) for process in left or late]
        )

    return Check(
        name="no_process_left",
        title="no process is left behind",
        concern=Concern.CLEANUP,
        hint="close() and join() every Pool, and join() every Process, in the cell that starts it",
        judge=of_notebooks(judge),
    )


def _left(left: list[ProcessSeen], late: list[ProcessSeen]) -> str:
    alive = [process for process in left if process.later == "alive"]
    zombies = len(left) - len(alive)
    words = []
    if alive:
        words.append(f"{len(alive)} process{'es were' if len(alive) > 1 else ' was'} still running")
    if zombies:
        words.append(f"{zombies} had ended but {'were' if zombies > 1 else 'was'} never joined (zombie)")
    if not words:
        return f"{len(late)} process{'es were' if len(late) > 1 else ' was'} still running when the kernel had ended"
    later = {process.pid for process in late} & {process.pid for process in alive}
    end = f"; {len(later)} of them also when the kernel had ended" if later else ""
    return f"when the last cell was done, {' and '.join(words)}{end}"


def _told(run: Notebook, process: ProcessSeen) -> dict[str, object]:
    """Return what is known of a process, with the cell in which it was first seen."""
    cell = next((c for c in run.cells if any(p.pid == process.pid for p in c.trace.processes)), None)
    state = {"alive": "alive", "zombie": "zombie"}.get(process.later, process.later)
    return {"pid": process.pid, "state": state, "born": process.born, "cell": cell.number if cell else None}


def of_notebooks(judge: Callable[[Notebook], Verdict]) -> Callable[[Run], Verdict]:
    """Make what judges a notebook something that judges runs."""

    @functools.wraps(judge)
    def of_run(run: Run) -> Verdict:
        if not isinstance(run, Notebook):
            raise TypeError(f"this check is for what notebook.run() returns, not for {type(run).__name__}")
        return judge(run)

    return of_run
