"""Checks of a notebook that was executed from top to bottom; docs/contract.md, notebook."""

from __future__ import annotations

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.check import PASSED, Verdict, absent, failed, inconclusive, undecided
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.hang_facts import ending_words
from pytest_mpgrade.judge.tracebacks import written
from pytest_mpgrade.records import (
    Cell,
    Concern,
    Ending,
    Notebook,
    Plain,
    ProcessSeen,
    lost_function,
)

RUNS = "runs_top_to_bottom"
LOST = "move {name}() into a module: child processes import it, and a notebook cannot be imported"


@check(
    name=RUNS,
    title="the notebook runs from top to bottom",
    concern=Concern.NOTEBOOK,
    judges=Notebook,
)
def runs_top_to_bottom(run: Notebook) -> Verdict:
    """Every cell comes to its end, without an error that it is not tagged to raise.

    The check needs what `notebook.run()` returns. It fails when a cell raised, hangs, was stopped
    by a limit, or ended the kernel. It blames no other check.
    """
    cell = run.failing
    if cell is None:
        return PASSED
    stuck = [stuck.sentence for stuck in cell.trace.stuck]
    evidence = {
        "traceback": _lines(cell.traceback, 20),
        "stuck": stuck,
        "stderr": _said(cell.stderr),
    }
    name = lost_function(cell.traceback + cell.stderr)
    why = f"; child processes could not find {name}(), which the notebook defines" if name else ""
    hint = LOST.format(name=name) if name else _HINTS.get(cell.ending, "")
    shown = {key: value for key, value in evidence.items() if value}
    return failed(
        _how_it_ended(cell) + why,
        hint=hint,
        symptom=f"cell {cell.number}",
        cell=cell.number,
        **shown,
    )


def _said(stderr: str) -> list[str]:
    """Return the exceptions that ended child processes, each once.

    Where there are none, return the last lines on standard error.
    """
    exceptions = dict.fromkeys(f"{each.words}{each.where}" for each in written(stderr))
    return list(exceptions)[-3:] or _lines(stderr, 8)


def _lines(text: str, most: int) -> list[str]:
    """Return the last lines of a text, without the horizontal rules that Jupyter draws."""
    return [line[:300] for line in text.splitlines() if line.strip("- ")][-most:]


_HINTS = {
    Ending.RAISED: (
        "restart the kernel and run all cells, in a new folder with nothing but what you hand in"
    ),
    Ending.HUNG: "find out what each process waits for, and who should send it",
}


def _how_it_ended(cell: Cell) -> str:
    """Say in one sentence how a cell ended that did not come to its end."""
    if cell.ending is Ending.RAISED:
        where = f", line {cell.error_line}" if cell.error_line else ""
        source = f": {cell.error_source}" if cell.error_source else ""
        return f"{cell.name}{where} raised {cell.error_type}: {cell.error_message[:200]}{source}"
    if cell.ending is Ending.DIED:
        return f"the kernel died in {cell.name} ({ending_words(cell.exitcode)})"
    if cell.ending is Ending.STOPPED:
        return f"{cell.name} was stopped: {cell.stopped}"
    waits = "; ".join(stuck.sentence for stuck in cell.trace.stuck[:2])
    how = "hangs" if cell.ending is Ending.HUNG else f"was not done after {cell.seconds:.0f} s"
    how += ", when the time for all cells together was over" if cell.all_cells else ""
    return f"{cell.name} {how}" + (f": {waits}" if waits else "")


@check(
    title="the list {name} is there",
    concern=Concern.NOTEBOOK,
    hint="give the list of what the tasks returned the name {name}",
    judges=Notebook,
)
def has_list(run: Notebook, name: str) -> Verdict:
    """A variable holds a list with something in it when the notebook is done.

    The check needs what `notebook.run()` returns. It fails when the variable is not there, is no
    list, or is an empty one. It is inconclusive when the variables could not be read. It blames
    `runs_top_to_bottom` when the notebook did not get that far.
    """
    if name not in run.values:
        return missing(run, f"there is no variable {name} when the notebook is done")
    kind, *rest = run.values[name]
    if kind not in ("list", "tuple"):
        return failed(f"{name} is no list but {plain_data.shown(run.values[name])}", symptom=name)
    return PASSED if rest[0] else failed(f"{name} is an empty list", symptom=name)


def cut_short(run: Notebook) -> Verdict:
    """Return that `runs_top_to_bottom` fails for it: the notebook did not run to its end."""
    return undecided(f"{run.call} did not run to its end", RUNS)


def missing(run: Notebook, message: str) -> Verdict:
    """Return the verdict on a variable or output that is missing.

    The notebook does not make it, or did not run as far as that.
    """
    if run.failing is not None:
        return cut_short(run)
    if not run.told:
        return inconclusive(
            "the notebook's variables could not be read when its last cell was done"
        )
    return failed(message, symptom="missing")


@check(
    title="the tasks of {name} ran in child processes",
    concern=Concern.WORKERS,
    hint="hand the tasks to child processes, through queues or a Pool",
    judges=Notebook,
)
def made_by_children(run: Notebook, name: str) -> Verdict:
    """The tasks whose results a variable holds ran in child processes: those of `wait` name theirs.

    The check needs what `notebook.run()` returns. It fails when the notebook started no child
    process, when results name the notebook's own process, and when they name processes that it
    never started. It is inconclusive when the variables could not be read. It blames
    `runs_top_to_bottom` when the notebook did not get that far, and `has_list` when there is no
    such list.
    """
    kind, *rest = run.values.get(name, ["none"])
    if name not in run.values and not run.told and run.failing is None:
        return inconclusive(
            "the notebook's variables could not be read when its last cell was done"
        )
    if kind not in ("list", "tuple") or not rest[0]:
        return undecided(f"there is no list {name}", RUNS if run.failing else "has_list")
    children = [process for process in run.trace.processes if not process.helper]
    if not children:
        return failed(
            f"the notebook started no child process, so {name} was computed in its own",
            symptom="no child",
        )
    pids, surely = _pids(rest[0])
    count = pids.count(run.pid)
    if count == len(pids) > 0 or (count and surely):
        return failed(
            f"{count} of the {len(pids)} tasks in {name} ran in the notebook's own process (pid"
            f" {run.pid})",
            symptom="in the notebook",
            pids=pids[:20],
        )
    known = {process.inside for process in children}
    strange = sorted(set(pids) - known)
    if surely and strange and 0 not in known and run.trace.observer == "ptrace":
        return failed(
            f"{name} names processes that the notebook never started, e.g. pid {strange[0]}",
            symptom="made up",
        )
    return PASSED


def _pids(items: list[Plain]) -> tuple[list[int], bool]:
    """Return the pids in results of `wait`, and whether these surely are pids.

    Such a result is ``(i, pid, start, end)``. The times may be of any type, but only a tuple with
    floats there can mean nothing else. There are no pids where results have another shape.
    """
    pids, surely = [], True
    for kind, *rest in items:
        kinds = [part[0] for part in rest[0]] if kind in ("tuple", "list") else []
        if len(kinds) != 4 or kinds[:2] != ["int", "int"]:
            return [], False
        surely = surely and kinds[2:] == ["float", "float"]
        pids.append(int(rest[0][1][1]))
    return pids, surely


@check(
    title="no process is left behind",
    concern=Concern.CLEANUP,
    hint="close() and join() every Pool, and join() every Process, in the cell that starts it",
    judges=Notebook,
)
def no_process_left(run: Notebook) -> Verdict:
    """No child process is alive or a zombie when the last cell is done, and none when the kernel
    has ended.

    The check needs what `notebook.run()` returns. It fails when such a process is there, unless a
    library keeps it for later use and it ends with the kernel. It is absent when the notebook
    started no child process. It is inconclusive when the kernel did not answer. It blames
    `runs_top_to_bottom` when the notebook did not run to its end.
    """
    if run.failing is not None:
        return cut_short(run)
    if not run.looked:
        return inconclusive("the kernel did not answer when the last cell was done")
    mine = [process for process in run.trace.processes if not process.helper]
    if not mine:
        return absent(
            "the notebook started no child process, so none could be left behind (see"
            " made_by_children)"
        )
    late = [each for each in run.after if each.later == "alive" and not each.helper]
    stay = {each.pid for each in late}
    remaining = [
        each
        for each in mine
        if each.later in ("alive", "zombie") and not (each.reusable and each.pid not in stay)
    ]
    if not remaining and not late:
        return PASSED
    return failed(
        _left(remaining, late),
        symptom="left behind",
        processes=[_told(run, process) for process in remaining or late],
    )


def _left(remaining: list[ProcessSeen], late: list[ProcessSeen]) -> str:
    """Say which processes are left behind, and whether they outlive the kernel."""
    alive = [process for process in remaining if process.later == "alive"]
    zombies = len(remaining) - len(alive)
    words = []
    if alive:
        words.append(f"{len(alive)} process{'es were' if len(alive) > 1 else ' was'} still running")
    if zombies:
        words.append(
            f"{zombies} had ended but {'were' if zombies > 1 else 'was'} never joined (zombie)"
        )
    if not words:
        return (
            f"{len(late)} process{'es were' if len(late) > 1 else ' was'} still running when the"
            " kernel had ended"
        )
    later = {process.pid for process in late} & {process.pid for process in alive}
    end = f"; {len(later)} of them also when the kernel had ended" if later else ""
    return f"when the last cell was done, {' and '.join(words)}{end}"


def _told(run: Notebook, process: ProcessSeen) -> dict[str, object]:
    """Return the evidence on a process, with the first cell in which it was observed."""
    cell = next(
        (c for c in run.cells if any(p.pid == process.pid for p in c.trace.processes)), None
    )
    state = {"alive": "alive", "zombie": "zombie"}.get(process.later, process.later)
    return {
        "pid": process.pid,
        "state": state,
        "born": process.born,
        "cell": cell.number if cell else None,
    }
