"""A check of how many child processes a call starts, whatever it is given."""

from __future__ import annotations

from pytest_mpgrade.judge.attribution import at_import, not_returned
from pytest_mpgrade.judge.check import PASSED, Verdict, failed, not_here
from pytest_mpgrade.judge.checks.shutdown import listed, started_by, words
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.symptoms import NONE_STARTED
from pytest_mpgrade.records import Concern, Run


def _counted(count: int) -> str:
    return f"{count or 'no'} child process{'es' * (count > 1)}"


def _title(least: int, most: int | None) -> str:
    if most is None or most == least:
        return f"{_counted(least)} {'are' if least > 1 else 'is'} started"
    return f"{least} to {most} child processes are started"


@check(title=_title, concern=Concern.WORKERS)
def started(run: Run, least: int, most: int | None = None) -> Verdict:
    """The call starts *least* child processes: exactly as many, or up to *most* of them.

    The check needs a run of any function, with any arguments; it counts processes, and asks nobody
    what they did. Processes that Python starts for itself, such as the resource tracker and the
    fork server, do not count; that of a manager does. It fails when fewer or more were started. It
    is skipped where fewer were seen, and the platform does not show processes that are soon gone.

    A call that did not come back is left to the check that it belongs to.
    """
    wrong = not_returned(run, Concern.WORKERS)
    if wrong is not None:
        return wrong
    if run.import_children:
        return at_import()
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
        hint="" if count else "start a Process, or use a Pool: here the calling process did it all",
        **listed(processes[:8], lambda process: words(process.exitcode)),
    )
