"""Checks of what `bg_get` hands over, of how the child ends, and of a child that dies."""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade.inside import plain
from pytest_mpgrade.judge.background import RUNNING, children, doers, never_met, ran_in_caller
from pytest_mpgrade.judge.check import PASSED, Check, Verdict, absent, failed, fault, not_here, undecided
from pytest_mpgrade.judge.hangs import raised
from pytest_mpgrade.judge.returned import not_returned, unreturned
from pytest_mpgrade.judge.shutdown import ALIVE, FORCED, HELPER, listed, residue, words
from pytest_mpgrade.records import Concern, Ending, Run

_ANY = object()
"""Any result will do."""
_NO_DOER = absent("no child process ran the task, so none had to end for it (see starts_in_background)")


def hands_over(
    expected: object, concern: Concern = Concern.RESULTS, *, asked: Run | None = None, met: Run | None = None
) -> Check:
    """Once the task is done, `bg_get` returns its result, unless it had been *asked* before and handed it over then.

    *met*: the pause in which this task and others were to be seen running at the same time.
    """
    return hands_over_plain(plain.encode(expected), concern, asked=asked, met=met)


def hands_over_plain(
    want: object, concern: Concern = Concern.RESULTS, *, asked: Run | None = None, met: Run | None = None
) -> Check:
    """The same for a result that is given as plain data, as `tasks.Workload.expected` has it."""

    def judge(run: Run) -> Verdict:
        wrong = not_returned(run, concern, owns_all=concern in (Concern.EDGE, Concern.DEADLOCK))
        if wrong is not None:
            return wrong
        if run.trace.gates is not None and run.trace.gates.early:
            return _did_not_wait(run)
        never_together = never_met(met) if met is not None else None
        if never_together is not None:
            return never_together
        if concern is Concern.DEADLOCK and not children(run):
            return absent(
                "no child process was started, so there was no result to hand over (see starts_in_background)"
            )
        if asked is not None and ran_in_caller(run):
            return absent("no result was waited for: the task ran in the calling process (see starts_in_background)")
        if asked is not None and asked.value == want != ["none"]:
            return PASSED  # so early that it waited, or somebody else had: that is another matter
        return _compared(run, want, concern)

    return Check(
        name="hands_over",
        title="returns the result of the task when it is done",
        concern=concern,
        hint="get() one result from done_queue; tell a result from its absence by the queue, not by its value",
        judge=judge,
    )


def _compared(run: Run, want: object, concern: Concern) -> Verdict:
    if _ignored_block(run, want):
        return _did_not_wait(run)
    if run.value == want:
        if want == ["none"] and "inactive" in run.printed:
            return failed(f"{run.call} took the result None for a child that had died", symptom="values")
        return PASSED
    alive = any(child.later == "alive" for child in doers(run))
    if concern is not Concern.RESULTS and run.value == ["none"] and "inactive" in run.printed and alive:
        seen = f"{run.call} took a living child for dead"
        return undecided(seen, "still_running", fault(Concern.RESULTS, seen, symptom="message"))
    after = f" (asked {run.tries} times)" if run.tries > 1 else ""
    return failed(
        f"{run.call} returned {plain.shown(run.value)}{after}, expected {plain.shown(want)}", symptom="values"
    )


def _did_not_wait(run: Run) -> Verdict:
    seen = f"{run.call} did not wait"
    said = fault(Concern.NONBLOCKING, seen, symptom="does not block")
    return undecided(seen, "waits_when_asked", said)


def _in_caller(*runs: Run | None) -> Verdict | None:
    """A task that dies in the calling process takes that with it: no child has died."""
    if any(ran_in_caller(run) for run in runs if run is not None):
        return absent("the task ran in the calling process, so no child could die (see starts_in_background)")
    return None


def says_inactive(message: str, started: Run | None = None, *, early: Run | None = None) -> Check:
    """If the child died without a result, `bg_get` says so, returns None, and does not wait for ever.

    *early*: what it said while a task was running, which may be the very message.
    """

    def judge(run: Run) -> Verdict:
        in_caller = _in_caller(run, started)
        if in_caller is not None:
            return in_caller
        if run.ending is Ending.RAISED:
            return raised(run)
        if run.ending is not Ending.RETURNED:
            return not_returned(run, Concern.FAILURE, owns_all=True) or PASSED
        if run.value != ["none"]:
            return failed(
                f"the child died without a result; {run.call} returned {plain.shown(run.value)}", symptom="values"
            )
        if message in run.printed:
            return PASSED
        if run.printed.count(RUNNING) < run.tries:
            seen = f"{run.call} returned None, but not in so many words"
            return undecided(seen, "names_the_death", fault(Concern.RESULTS, seen, symptom="message"))
        if early is not None and message in early.printed:
            seen = f"it says {message!r} while a task is running"
            return undecided(seen, "still_running", fault(Concern.RESULTS, seen, symptom="message"))
        asked = f"asked {run.tries} times" if run.tries > 1 else "asked"
        return failed(
            f"the child died without a result; {run.call}, {asked}, "
            f"still said {run.printed.strip().splitlines()[-1][:60]!r}",
            symptom="death unnoticed",
        )

    return Check(
        name="says_inactive",
        title=f"says {message!r} when the child has died",
        concern=Concern.FAILURE,
        hint="look at p.is_alive() when there is no result, and look for a result once more before you call it dead",
        judge=judge,
    )


def child_ended(concern: Concern = Concern.SENTINEL, *, result: object = _ANY) -> Check:
    """When `bg_get` has returned the *result*, the child has ended by itself: exit status 0, no signal."""

    def judge(run: Run) -> Verdict:
        wrong = _not_handed_over(run, concern, result)
        if wrong is not None:
            return wrong
        alive = [child for child in doers(run) if child.later == "alive"]
        if alive:
            return failed(
                f"the child was still running 2 s after {run.call} had returned its result",
                symptom=ALIVE,
                **listed(alive, lambda _: "alive"),
            )
        if run.trace.observer != "ptrace":
            return not_here(f"how the child ends cannot be seen here (observer: {run.trace.observer})")
        wrong_end = [child for child in doers(run) if child.exitcode != 0]
        if wrong_end:
            return failed(
                f"the child did not end by itself: {words(wrong_end[0].exitcode)}",
                symptom=FORCED,
                **listed(wrong_end, lambda child: words(child.exitcode)),
            )
        return PASSED

    return Check(
        name="child_ended",
        title="the child ends by itself, told by the sentinel",
        concern=concern,
        hint="put 'STOP' on task_queue once you have the result",
        judge=judge,
    )


def _ignored_block(run: Run, want: object = _ANY) -> bool:
    """It says that the task is running, and returns None: unless that is the result, and the child has gone for it."""
    if run.value != ["none"] or "block=True" not in run.call or RUNNING not in run.printed:
        return False
    return want != ["none"] or any(child.later == "alive" for child in doers(run))


def _no_result(run: Run) -> Verdict:
    seen = f"{run.call} did not return the result"
    return undecided(seen, "hands_over", fault(Concern.RESULTS, seen, symptom="values"))


def _not_told(run: Run) -> Verdict:
    alive = [child for child in doers(run) if child.later == "alive"]
    said = fault(
        Concern.SENTINEL, f"the child was still running 2 s after {run.call}", symptom=ALIVE,
        **listed(alive, lambda _: "alive"),
    )  # fmt: skip
    return undecided("the child was not told to stop", "child_ended", said)


def _not_handed_over(run: Run, concern: Concern, result: object) -> Verdict | None:
    want = _ANY if result is _ANY else plain.encode(result)
    if ran_in_caller(run):
        return _NO_DOER
    if _ignored_block(run, want):
        return _did_not_wait(run)
    if run.ending is not Ending.RETURNED:
        return not_returned(run, concern)
    if want is not _ANY and run.value != want:
        return _no_result(run)
    if not children(run):
        return absent("no child process was started (see starts_in_background)")
    return None


def child_joined(*, result: object = _ANY) -> Check:
    """When `bg_get` has returned the *result*, the child has been joined: it is no zombie."""

    def judge(run: Run) -> Verdict:
        wrong = _not_handed_over(run, Concern.CLEANUP, result)
        if wrong is not None:
            return wrong
        seen = doers(run)
        if any(child.later == "alive" for child in seen):
            return _not_told(run)
        if run.start_method == "forkserver" and any(child.born == "forkserver" for child in seen):
            # Whether an unjoined one is still to be seen is a race with the server, which reaps it.
            return not_here("zombies cannot be seen under forkserver, where the server reaps them")
        left = [child for child in seen if child.at_return != "gone"]
        if left:
            zombie = left[0].at_return == "zombie"
            what = "was a zombie" if zombie else "had not been joined"
            return failed(
                f"the child {what} when {run.call} returned the result",
                symptom="not joined",
                **listed(left, lambda child: child.at_return),
            )
        return PASSED

    return Check(
        name="child_joined",
        title="the child is joined",
        concern=Concern.CLEANUP,
        hint="p.join() after you have sent 'STOP'",
        judge=judge,
    )


def names_the_death(message: str, started: Run | None = None) -> Check:
    """If the child died without a result, `bg_get` prints *message*: the words are a matter of results."""

    def judge(run: Run) -> Verdict:
        in_caller = _in_caller(run, started)
        if in_caller is not None:
            return in_caller
        if run.ending is not Ending.RETURNED or run.value != ["none"]:
            seen = f"{run.call} did not return None"
            said = fault(Concern.FAILURE, f"the child died without a result; {seen}", symptom="values")
            return undecided(seen, "says_inactive", unreturned(run) if run.ending is not Ending.RETURNED else said)
        if message in run.printed:
            return PASSED
        if run.printed.count(RUNNING) >= run.tries:
            seen = f"{run.call} had not noticed the death"
            return undecided(seen, "says_inactive", fault(Concern.FAILURE, seen, symptom="death unnoticed"))
        return failed(f"{run.call} did not print {message!r} when the child had died", symptom="message")

    return Check(
        name="names_the_death",
        title=f"prints {message!r} when the child has died",
        concern=Concern.RESULTS,
        hint=f"print({message!r}) before you return None",
        judge=judge,
    )


def nothing_left_of_tasks(got: Run, *, result: object = _ANY) -> Check:
    """After *got* has returned the *result*, when the handles are dropped: nothing is left of the task."""

    def judge(run: Run) -> Verdict:
        if ran_in_caller(got):
            return _NO_DOER
        not_got = _not_handed_over(got, Concern.CLEANUP, result)
        if not_got is not None:
            return replace(not_got, shown_by=got)
        if not children(run):
            return absent("no child process was started (see starts_in_background)")
        worked = doers(run)
        alive = [child for child in children(run) if child.later == "alive"]
        if any(child in worked for child in alive):
            return _not_told(run)
        if alive:
            return failed(
                "a process that ran no task (a manager?) is left although p and both queues were dropped",
                symptom=HELPER,
                hint="shut down managers that you start, once you have the result",
                **listed(alive, lambda _: "alive"),
            )
        return residue(run, "p and both queues were dropped")

    return Check(
        name="nothing_left_of_tasks",
        title="no thread, pipe, semaphore or shared memory is left",
        concern=Concern.CLEANUP,
        hint="keep no queue or process in a global variable",
        judge=judge,
    )
