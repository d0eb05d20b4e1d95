"""The check of a module that is run as a script."""

from __future__ import annotations

from pytest_mpgrade.judge.attribution import at_import
from pytest_mpgrade.judge.check import PASSED, Verdict, failed, not_here
from pytest_mpgrade.judge.checks.shutdown import listed, started_by, words
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.failure_text import not_back, raised
from pytest_mpgrade.records import Concern, Ending, ProcessSeen, Run, lost_function

_SCRIPT = "script"
"""The symptom of a script that does not start its child as it should."""
_BOOTSTRAPPING = "An attempt has been made to start a new process before the"
"""What Python's RuntimeError says in a child that starts processes while it imports the script."""
_GATE = "start processes only below: if __name__ == '__main__':, exactly so"
_TOP = "define what a child runs at the top level of the module, above the main gate"
"""Hints."""


@check(
    title="run as a script, the module starts a child process behind a main gate",
    concern=Concern.START_METHOD,
)
def starts_child_as_script(run: Run) -> Verdict:
    """The module, run as a script, starts a child process; the child, which imports the script
    under spawn and forkserver, starts none.

    The check needs a run of `steps.script()`. It fails when the script started no child process,
    raised or did not come back, when a child process tried to start processes while it imported the
    script, when it did start some, and when it could not find the function that it should run. It
    is skipped when no child process was seen, and the platform does not show processes that are
    soon gone.
    """
    if run.import_children:
        return at_import()
    children = started_by(run)
    if _BOOTSTRAPPING in run.stderr:
        return _no_gate(run)
    theirs = [each for each in children if each.parent in {one.pid for one in children}]
    if theirs:
        return failed(
            f"{run.call}: child processes started {len(theirs)}"
            f" process{'es' * (len(theirs) > 1)} themselves",
            symptom=_SCRIPT,
            hint=_GATE,
            **listed(theirs[:8], _end_of),
        )
    if run.ending is not Ending.RETURNED:
        return raised(run) if run.ending is Ending.RAISED else not_back(run)
    lost = lost_function(run.stderr)
    if lost and any(each.exitcode == 1 for each in children):
        return failed(
            f"{run.call} started a child process, which did not find {lost}(): it is not there when"
            " the module is imported",
            symptom=_SCRIPT,
            hint=_TOP,
            **listed(children[:8], _end_of),
        )
    return PASSED if children else _none(run)


def _no_gate(run: Run) -> Verdict:
    """Return the failure of a script that starts processes in its children, too."""
    ends = {
        Ending.RETURNED: "",
        Ending.RAISED: f"; then {run.call} raised {run.error.type if run.error else 'something'}",
    }
    return failed(
        f"{run.call} started a child process, which imports the module and tried to start a process"
        " as well: RuntimeError. The main gate is missing, or is open in child processes"
        f"{ends.get(run.ending, f'; {run.call} did not come back')}",
        symptom=_SCRIPT,
        hint=_GATE,
        **listed(started_by(run)[:8], _end_of),
    )


def _none(run: Run) -> Verdict:
    if run.trace.observer != "ptrace":
        return not_here(f"no child process was seen (observer: {run.trace.observer})")
    return failed(
        f"{run.call} started no child process",
        symptom=_SCRIPT,
        hint="start and join() a Process below: if __name__ == '__main__':",
    )


def _end_of(process: ProcessSeen) -> str:
    return words(process.exitcode)
