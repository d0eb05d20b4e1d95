"""A check of how many child processes a call starts, whatever it is given."""

from __future__ import annotations

from pytest_mpgrade.judge.attribution import at_import, not_returned
from pytest_mpgrade.judge.check import PASSED, Verdict, failed, not_here
from pytest_mpgrade.judge.checks.shutdown import listed, started_by, words
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.symptoms import NONE_STARTED
from pytest_mpgrade.records import Concern, Run

ALL_BY_THE_CALLER = "start a Process, or use a Pool: here the calling process did it all"
"""A hint for a call that started no child process."""


def _counted(count: int) -> str:
    return f"{count or 'no'} child process{'es' * (count > 1)}"


def _title(least: int, most: int | None) -> str:
    if most is None or most == least:
        return f"{_counted(least)} {'are' if least > 1 else 'is'} started"
    return f"{least} to {most} child processes are started"


def _uncounted(run: Run) -> Verdict | None:
    """Return the verdict on a call whose processes tell nothing; None where they can be counted."""
    wrong = not_returned(run, Concern.WORKERS)
    return wrong or (at_import() if run.import_children else None)


@check(title=_title, concern=Concern.WORKERS)
def started(run: Run, least: int, most: int | None = None) -> Verdict:
    """The call starts *least* child processes: exactly as many, or up to *most* of them.

    The check needs a run of any function, with any arguments; it counts processes, and asks nobody
    what they did. Processes that Python starts for itself, such as the resource tracker and the
    fork server, do not count; that of a manager does. It fails when fewer or more were started. It
    is skipped where fewer were seen, and the platform does not show processes that are soon gone.

    A call that did not come back is left to the check that it belongs to.
    """
    wrong = _uncounted(run)
    if wrong is not None:
        return wrong
    processes = started_by(run)
    count, highest = len(processes), least if most is None else most
    if count < least and run.trace.observer != "ptrace":
        return not_here(
            f"{count} child processes were seen, and others may have been gone before (observer:"
            f" {run.trace.observer})"
        )
    if least <= count <= highest:
        return PASSED
    asked = f"{least or 'none'} {'was' if least < 2 else 'were'}"
    if highest != least:
        asked = f"{least} to {highest} were"
    return failed(
        f"{run.call} started {_counted(count)}; {asked} asked for",
        symptom="" if count else NONE_STARTED,
        hint="" if count else ALL_BY_THE_CALLER,
        **listed(processes[:8], lambda process: words(process.exitcode)),
    )


@check(
    title="as many child processes are started as are asked for",
    concern=Concern.WORKERS,
    hint="start n_processes child processes: Pool(n_processes), or as many Process objects",
)
def follows_n_processes(run: Run, n: int, one: Run | None = None, least: int = 1) -> Verdict:
    """The call starts *least* to *n* child processes, and a helper such as a manager at most.

    *one*: the same call for one process. Some pools start a process only when there is something to
    do for it, so fewer than *n* are no fault: give a larger *least* only where there is far more to
    do than anybody leaves to one task. Of two processes for one, the second may be a helper, if
    there are more of them for *n*.

    The check needs a run of a function that was given ``n_processes`` = *n*, and *one*. It fails
    when fewer than *least* were started, or more than *n* + 1, or more than two for one process,
    and when two were started for one process and no more for *n*. It is skipped where fewer were
    seen, and the platform does not show processes that are soon gone. A call that did not come back
    is left to the check that it belongs to.
    """
    wrong = _number(run, n, least) or (None if one is None else _more_than_one(one))
    if wrong is not None:
        return wrong
    count, single = len(started_by(run)), len(started_by(one)) if one is not None else 1
    if one is None or single <= 1 or count > single:
        return PASSED
    return failed(
        f"{run.call} started {_counted(count)}, and {one.call} {_counted(single)}: n_processes"
        " makes no difference",
        symptom="number of processes",
    )


def _more_than_one(run: Run) -> Verdict | None:
    """Return what is wrong with a call for one process, which a helper may join; else None.

    Where it started none, the calling process did the work of one: the call for several tells
    whether it does so always.
    """
    return _number(run, 1) if started_by(run) else not_returned(run, Concern.WORKERS)


def _number(run: Run, n: int, least: int = 1) -> Verdict | None:
    """Return what is wrong with the number of processes of one call for *n*; else None."""
    wrong = _uncounted(run)
    if wrong is not None:
        return wrong
    processes = started_by(run)
    if len(processes) < least and run.trace.observer != "ptrace":
        return not_here(
            f"{_counted(len(processes))} {'were' if len(processes) > 1 else 'was'} seen, and some"
            f" may have been gone before (observer: {run.trace.observer})"
        )
    if not processes:
        return failed(
            f"{run.call} started no child process", symptom=NONE_STARTED, hint=ALL_BY_THE_CALLER
        )
    if not least <= len(processes) <= n + 1:
        return failed(
            f"{run.call} started {_counted(len(processes))}",
            symptom="number of processes",
            **listed(processes[:8], lambda process: words(process.exitcode)),
        )
    return None
