"""Patterns of calls that hang: which process waits for what."""

from __future__ import annotations

from pytest_mpgrade.judge import hang_facts
from pytest_mpgrade.judge.causes.cause import Cause
from pytest_mpgrade.judge.causes.returned import results_back
from pytest_mpgrade.judge.hang_facts import LEFT_EARLY
from pytest_mpgrade.records import CALLED_TARGET, Awaited, Doing, Ending, Role, Run, Use


def _waits(run: Run, *, of_parent: bool, awaited: Awaited) -> bool:
    return any(
        awaited in one.awaits for one in run.trace.stuck if (one.role is Role.PARENT) is of_parent
    )


def _only_under_fork(run: Run) -> bool:
    return run.start_method == "fork" and bool(run.returned_under)


def lock_at_fork(run: Run) -> Cause | None:
    """A worker waits for a lock that a thread of its parent held at the fork."""
    if not (_only_under_fork(run) and _waits(run, of_parent=False, awaited=Awaited.LOCK)):
        return None
    hint = (
        "a lock that some thread holds while a worker is forked stays locked in that worker for"
        " ever: start the workers first, or make the lock in the worker"
    )
    return Cause(name="lock held at fork", hint=hint)


def locked(run: Run) -> Cause | None:
    """A process waits for a lock that nobody releases."""
    waiting = [one for one in run.trace.stuck if Awaited.LOCK in one.awaits]
    if not waiting:
        return None
    if any(one.holder == one.pid for one in waiting):
        hint = (
            "the process that waits has taken this lock itself: release it first, or take an RLock"
        )
    else:
        hint = (
            "release each lock on every path, as `with lock:` does, and take several in the same"
            " order everywhere"
        )
    return Cause(name="lock", hint=hint)


_AT_A_PIPE = frozenset((Doing.RECEIVE, Doing.WAIT))
"""What a process does that waits at the reading end of a pipe."""


def pipe_open_in_fork(run: Run) -> Cause | None:
    """A reader waits for the end of file of a pipe that a forked child still has open."""
    reads = any(
        one.doing in _AT_A_PIPE and Awaited.MESSAGE in one.awaits for one in run.trace.stuck
    )
    if not (_only_under_fork(run) and reads):
        return None
    hint = (
        "a forked child keeps every pipe open that its parent had open then: close the ends that it"
        " does not need in the child, or the end of file never comes"
    )
    return Cause(name="pipe open in a forked child", hint=hint)


def feeder_cut_off(run: Run) -> Cause | None:
    """A worker ended before the feeder thread of its queue had written the results."""
    use = run.code.use("cancel_join_thread", "_exit")
    hung = (
        run.ending is Ending.HUNG
        and hang_facts.nobody_left(run)
        and not hang_facts.ended_badly(run)
    )
    short = run.ending is Ending.RETURNED and results_back(run) is not None
    if use is None or hang_facts.unbegun(run) or not (hung or short):
        return None
    return Cause(
        name="feeder thread cut off",
        said=(
            f"every task was begun, and {_named(use)} in line {use.line} can end a worker before"
            " its queue's feeder thread has written"
        ),
        hint=(
            f"leave out {_named(use)}: a worker that returns from its function has written what it"
            " put on a queue"
        ),
        first=True,
    )


def ends_its_process(run: Run) -> Cause | None:
    """The function that was called ended its own process."""
    use = run.code.use("_exit")
    if use is None or run.ending is not Ending.DIED:
        return None
    hint = (
        f"leave out {_named(use)} in line {use.line}: it ends the whole process; return from the"
        " function"
    )
    return Cause(name="ends its process", hint=hint)


def _named(use: Use) -> str:
    return "os._exit()" if use.name == "_exit" else f"{use.name}()"


def not_inherited(run: Run) -> Cause | None:
    """The call works only where children inherit the state of their parent.

    Under spawn and forkserver each child imports the module anew instead.
    """
    if run.returned_under != "fork":
        return None
    hint = (
        f"under {run.start_method} a child process imports your module anew and has nothing that"
        " only a fork inherits, such as global variables that a call has set: give a Process all"
        " it needs as its args"
    )
    return Cause(name="not inherited", hint=hint)


def done_by_parent(run: Run) -> Cause | None:
    """The parent hangs in work that was meant for a child process."""
    parent = hang_facts.parent_of(run)
    lines = {each.line for each in parent.frames if each.own} if parent is not None else set()
    for use in run.code.uses:
        if use.name not in _IN_PARENT or use.line not in lines:
            continue
        return Cause(
            name="done by the parent", hint=f"line {use.line}: {_IN_PARENT[use.name]}", first=True
        )
    return None


_IN_PARENT = {
    CALLED_TARGET: (
        "with brackets the target is called at once, by the parent: name it without, as in"
        " target=worker, args=(…)"
    ),
    "run": "run() does the work in the process that calls it: call start()",
}
"""Uses that do the work of a child process in the parent, and what to write instead."""


def never_started(run: Run) -> Cause | None:
    """The parent waits for messages of child processes, and there are none."""
    parent = hang_facts.parent_of(run)
    if parent is None or Awaited.MESSAGE not in parent.awaits or hang_facts.children_of(run):
        return None
    hint = "start() every Process before you wait for its results"
    return Cause(name="never started", said="no child process was started", hint=hint)


def busy(run: Run) -> Cause | None:
    """A process still computes in a loop of the submission when the time limit comes."""
    for one in run.trace.stuck:
        own = next((frame for frame in one.frames if frame.own), None)
        if one.doing is Doing.BUSY and own is not None:
            hint = (
                f"look what ends the loop around line {own.line}: {one.name} was still in it after"
                f" {run.seconds:.0f} s"
            )
            return Cause(name="busy", said=_begun(run) if run.trace.tasks else "", hint=hint)
    return None


def sleeps(run: Run) -> Cause | None:
    """A process sleeps, and others wait for it."""
    for one in run.trace.stuck:
        own = next((frame for frame in one.frames if frame.own), None)
        if one.doing is Doing.SLEEP and own is not None:
            hint = (
                f"take the sleep in line {own.line} out: wait for what has to come, in get() or"
                " join()"
            )
            return Cause(name="sleeps", hint=hint)
    return None


def pool_left(run: Run) -> Cause | None:
    """The parent waits for results of a Pool whose workers have been ended.

    terminate() ends them, and so does leaving the `with` block of a Pool.
    """
    parent = hang_facts.parent_of(run)
    if parent is None or parent.doing is not Doing.POOL_RESULT or not hang_facts.ended_them(run):
        return None
    hint = (
        "a Pool ends its workers at terminate(), and where its `with` block ends: take the results"
        " before that"
    )
    return Cause(name="pool left", hint=hint, first=True)


def left_early(run: Run) -> Cause | None:
    """Workers end by themselves although there are tasks to do."""
    return Cause(name="left early", hint=LEFT_EARLY) if hang_facts.workers_left_early(run) else None


def joined_first(run: Run) -> Cause | None:
    """The parent joins workers that cannot end, because nobody takes their results."""
    parent = hang_facts.parent_of(run)
    if (
        parent is None
        or parent.awaits != (Awaited.EXIT,)
        or not _waits(run, of_parent=False, awaited=Awaited.ROOM)
    ):
        return None
    hint = (
        "take the results off the queue before you join() the workers: one ends only when what it"
        " put has been taken"
    )
    return Cause(name="joined before drained", hint=hint)


def died(run: Run) -> Cause | None:
    """A worker died.

    The message names the worker and the exception already. This cause has no hint, and keeps later
    patterns from giving a wrong one.
    """
    return Cause(name="worker died") if hang_facts.ended_badly(run) else None


def not_told(run: Run) -> Cause | None:
    """The parent joins workers that wait for a task or a sentinel."""
    if not hang_facts.workers_not_told(run):
        return None
    children = hang_facts.children_of(run)
    ended = sum(each.later != "alive" for each in children)
    said = (
        f"{_begun(run)}, and {ended} of {len(children)} workers had ended by then"
        if ended
        else _begun(run)
    )
    return Cause(name="not told", said=said if run.trace.tasks else "", hint=hang_facts.TELL_THEM)


def _begun(run: Run) -> str:
    """Say how many tasks were begun, or how many were not."""
    if hang_facts.unbegun(run):
        return hang_facts.never_begun(run)
    known = (
        "all tasks that tell"
        if run.trace.tasks > hang_facts.MANY
        else f"all {run.trace.tasks} tasks"
    )
    return f"{known} were begun" if run.trace.tasks > 1 else "the task was begun"


def _both_wait(run: Run) -> bool:
    return all(_waits(run, of_parent=parent, awaited=Awaited.MESSAGE) for parent in (True, False))


def never_put(run: Run) -> Cause | None:
    """Parent and workers wait for each other, and some task was never begun."""
    never = hang_facts.unbegun(run)
    if not (_both_wait(run) and never):
        return None
    hint = (
        "hand out every task: workers and parent wait for each other while some were never put on"
        " the queue"
    )
    return Cause(name="task never put", said=_begun(run), hint=hint)


def result_lost(run: Run) -> Cause | None:
    """Parent and workers wait for each other, and every task was begun."""
    if not (_both_wait(run) and run.trace.tasks):
        return None
    return Cause(
        name="result lost",
        said=_begun(run),
        hint="put one result on the queue for each task, and get() as many as there are tasks",
    )
