"""Calls that do not come back, written down by hand as real ones were. Pure."""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade.judge.examples.runs import CALLER, CREW, changed
from pytest_mpgrade.records import AWAITS, Awaited, Doing, Ending, Frame, Role, Run, Stuck

_WORDS = {
    Doing.JOIN: "waits for worker 1 to end",
    Doing.WRITE: "cannot finish writing: the pipe is full and nobody reads",
    Doing.LOCK: "waits for a lock that nobody releases",
}


def stuck(doing: str, worker: int = 0, *awaits: Awaited) -> Stuck:
    """Return where the parent hangs, or the worker with this number.

    *awaits* is what the process waits for, where *doing* does not say it.
    """
    role, pid = (Role.WORKER, CREW[worker - 1]) if worker else (Role.PARENT, CALLER)
    what = Doing(doing)
    words = _WORDS.get(
        what,
        (
            "waits for a task or 'STOP' that never comes"
            if worker
            else "waits for a result that never comes"
        ),
    )
    own = Frame(
        file="submissions/ada/cv_funcs.py", line=12 if worker else 31, function="mp_apply", own=True
    )
    awaited = awaits or AWAITS.get(what, ())
    one = Stuck(
        pid=pid,
        role=role,
        number=worker,
        doing=what,
        sentence="",
        words=words,
        awaits=awaited,
        frames=(own,),
    )
    return replace(one, sentence=f"{one.name} (pid {pid}) {words}, at cv_funcs.py:{own.line}")


def hung(run: Run, *where: Stuck, **seen: object) -> Run:
    """Return *run* as a hang that is proven, with its processes still alive."""
    processes = tuple(
        (
            replace(process, exitcode=None, later="alive", cpu=0.0)
            if process.exitcode == 0
            else process
        )
        for process in run.trace.processes
    )
    return changed(
        run,
        ending=Ending.HUNG,
        why="proof",
        encoded=None,
        stuck=where,
        processes=processes,
        seconds=0.3784,
        **seen,
    )
