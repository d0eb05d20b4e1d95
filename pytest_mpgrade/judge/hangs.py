"""Which concern explains a call that never came back, and in what words."""

from __future__ import annotations

from typing import Any

from pytest_mpgrade.judge.check import Verdict, failed
from pytest_mpgrade.records import Concern, Ending, RaisedError, Run, Stuck

NO_ROOM = "no room"
"""The symptom of a parent that waits for room in a queue or pipe which nobody empties."""
MAKE_ROOM = "put() waits while a queue with maxsize, or a pipe, is full: start the workers first, and take results out"
NOT_TOLD = "workers not told to stop"
"""The symptom of a parent that waits for the end of workers which wait for a task or a sentinel."""
_JOINS = frozenset(("join", "pool join", "thread"))
_NO_WRITER = frozenset(("write", "put", "lock", "task_done"))


def explained_by(run: Run) -> Concern:
    """Return the concern that a hang belongs to by what each process was waiting for; CONTRACT section 3.

    The parent waits for an exit while a worker waits for a task or a sentinel that never comes: sentinel. Somebody
    waits for a lock, or for room in a pipe that nobody empties: deadlock. A result never comes: results.
    """
    parent = next((one for one in run.trace.stuck if one.role == "the parent"), None)
    workers = [one for one in run.trace.stuck if one is not parent]
    if any(one.doing in _NO_WRITER for one in run.trace.stuck):
        return Concern.DEADLOCK
    if parent is not None and parent.doing in _JOINS and workers:
        return Concern.SENTINEL
    return Concern.RESULTS


def not_told(run: Run) -> bool:
    """Tell whether a call hung because it waited for the end of workers that nobody has told to stop."""
    return run.ending is Ending.HUNG and explained_by(run) is Concern.SENTINEL


def in_its_pool(run: Run) -> bool:
    """Tell whether a call hung within a Pool or an executor that was about to end its workers.

    That may be a race of CPython's own: a worker that is killed while it holds the pool's lock, or started while the
    executor that has broken ends the others (python/cpython#94777, #105829, #107219).
    """
    return run.ending is Ending.HUNG and any(
        one.role == "the parent" and one.doing == "pool join" for one in run.trace.stuck
    )


def not_back(run: Run) -> Verdict:
    """Return the failure of a call that hung, was not back at its time limit, or ended its own process."""
    if run.stopped:
        return failed(f"{run.call} was ended: {run.stopped}", symptom="stopped", **_said(run))
    if run.ending is Ending.DIED:
        return failed(
            f"the calling process ended before {run.call} had returned ({run.why.removeprefix('dead').lstrip(', ')})",
            symptom="died",
            **_said(run),
        )
    if run.ending is Ending.TIMED_OUT:
        seen = f": {summary(run)}" if run.trace.stuck else ""
        return failed(
            f"{run.call} had not come back when the time limit came after {run.seconds:.0f} s{seen}",
            symptom="hang",
            **waiting(run),
        )
    parent = [one.doing for one in run.trace.stuck if one.role == "the parent"]
    words = f"{run.call} never came back: {summary(run)}"
    if parent in (["put"], ["write"]):
        return failed(words, symptom=NO_ROOM, hint=MAKE_ROOM, **waiting(run))
    return failed(words, symptom=NOT_TOLD if not_told(run) else "hang", **waiting(run))


def summary(run: Run) -> str:
    """Say in one sentence what the parent and one worker wait for."""
    parent = [one for one in run.trace.stuck if one.role == "the parent"]
    workers = [one for one in run.trace.stuck if one.role != "the parent"]
    named = [_brief(one) for one in (*_most_telling(workers)[:1], *parent[:1])]
    return "; ".join(named) or "nothing was left running that could have ended it"


def _most_telling(workers: list[Stuck]) -> list[Stuck]:
    return sorted(workers, key=lambda one: (one.doing not in _NO_WRITER, one.doing == "", one.role))


def _brief(one: Stuck) -> str:
    words = one.sentence.replace(f" (pid {one.pid})", "", 1)
    return words.split(", at ")[0]


def waiting(run: Run) -> dict[str, Any]:
    """Return the evidence of a hang: a sentence for each process, and its stack in the student's file."""
    evidence: dict[str, Any] = {"lines": [one.sentence for one in run.trace.stuck[:8]]}
    evidence["stacks"] = [
        {"pid": one.pid, "frames": [f"{f.file.rpartition('/')[2]}:{f.line} {f.function}" for f in one.frames]}
        for one in run.trace.stuck
        if one.frames
    ]
    if run.why:
        evidence["found by"] = run.why
    return evidence | _said(run)


def _said(run: Run) -> dict[str, Any]:
    """The last lines that workers wrote to standard error: their tracebacks."""
    lines = [line for line in run.stderr.strip().splitlines() if line.strip()][-6:]
    return {"stderr": lines} if lines else {}


def first_line(error: RaisedError) -> str:
    """Return the first line of an exception's message that says something."""
    return next((line.strip() for line in error.message.splitlines() if line.strip()), "")


def raised(run: Run, what: str = "") -> Verdict:
    """Return the failure of a call that raised where it should not."""
    error = run.error
    if error is None:
        return failed(f"{run.call} raised an exception that cannot be shown", symptom="raised")
    evidence: dict[str, Any] = {}
    own = [frame for frame in error.frames if frame.own]
    if own:
        evidence["source"] = {"file": own[-1].file.rpartition("/")[2], "line": own[-1].line, "code": error.line}
    return failed(
        f"{run.call} raised {error.type}: {first_line(error)}".rstrip(": ") + what,
        symptom=f"raised {error.type}",
        **evidence,
        **_said(run),
    )
