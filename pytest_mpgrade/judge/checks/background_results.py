"""Checks of what `bg_get` hands over, of how the child ends, and of a child that dies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.attribution import not_returned, unreturned
from pytest_mpgrade.judge.check import PASSED, Verdict, absent, failed, fault, undecided
from pytest_mpgrade.judge.checks.background import RUNNING, never_met
from pytest_mpgrade.judge.checks.background_children import children, doers, ran_in_caller
from pytest_mpgrade.judge.checks.failures import WATCH
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.failure_text import raised
from pytest_mpgrade.records import Concern, Ending, Run

ANY = object()
"""A sentinel that stands for any result."""
_HANDED_OVER = "returns the result of the task when it is done"


@dataclass(frozen=True, kw_only=True)
class Together:
    """Tasks that run at the same time.

    *started* has the calls that started them. *pause* is the step in which all of them should run.
    """

    started: Sequence[Run]
    pause: Run


@check(title=_HANDED_OVER)
def hands_over(
    run: Run,
    expected: object,
    concern: Concern = Concern.RESULTS,
    *,
    asked: Run | None = None,
    together: Together | None = None,
) -> Verdict:
    """Once the task is done, `bg_get` returns its result, unless it had been *asked* before and
    handed it over then.

    *together*: other tasks run at the same time; one alone has been seen to be handed over.

    The check needs a run of `bg_get` for a task that is done, or with ``block=True``. It fails when
    the call returned anything but *expected*, or raised. It is absent when the result was waited
    for in the calling process, and, with the concern `deadlock`, when no child process was started.
    It is inconclusive when a `bg_task` of *together* was not back as the time limit came, and had
    not waited long.

    It blames `waits_when_asked` when the call did not wait, `still_running` when it took a living
    child for dead, and, with *together*, `meet_in_background` and `returns_at_once` when the tasks
    did not run at the same time. A call that did not come back is left to the check that it belongs
    to; with the concern `edge` or `deadlock`, or with *together*, it fails here, and under the
    concern `results` when the child had left before it took the task.
    """
    want = plain_data.encode(expected)
    return hands_over_plain(want, concern, asked=asked, together=together).judge(run)


@check(name="hands_over", title=_HANDED_OVER)
def hands_over_plain(
    run: Run,
    want: object,
    concern: Concern = Concern.RESULTS,
    *,
    asked: Run | None = None,
    together: Together | None = None,
) -> Verdict:
    """The same for a result that is given as plain data, as `tasks.Workload.expected` has it.

    See `hands_over`, as which it is shown: what it needs, how it ends, and whom it blames are the
    same.
    """
    owns_all = concern in (Concern.EDGE, Concern.DEADLOCK) or together is not None
    apart = never_met(together.pause, together.started) if together is not None else None
    if apart is not None:
        return apart
    wrong = not_returned(run, concern, owns_all=owns_all)
    if wrong is not None:
        return wrong
    if run.trace.gates is not None and run.trace.gates.early:
        return did_not_wait(run)
    if concern is Concern.DEADLOCK and not children(run):
        return absent(
            "no child process was started, so there was no result to hand over (see"
            " starts_in_background)"
        )
    if asked is not None and ran_in_caller(run):
        return absent(
            "no result was waited for: the task ran in the calling process (see"
            " starts_in_background)"
        )
    if asked is not None and asked.encoded == want != ["none"]:
        return PASSED  # it came at an earlier call: whether that waited is for other checks
    return _compared(run, want, concern)


def _compared(run: Run, want: object, concern: Concern) -> Verdict:
    if ignored_block(run, want):
        return did_not_wait(run)
    if run.encoded == want:
        if want == ["none"] and "inactive" in run.printed:
            seen = f"{run.call} took the result None for a child that had died"
            return failed(seen, symptom="values", hint=_BY_THE_QUEUE)
        return PASSED
    alive = any(child.later == "alive" for child in doers(run))
    if (
        concern is not Concern.RESULTS
        and run.encoded == ["none"]
        and "inactive" in run.printed
        and alive
    ):
        seen = f"{run.call} took a living child for dead"
        return undecided(seen, "still_running", fault(Concern.RESULTS, seen, symptom="message"))
    after = f" (asked {run.tries} times)" if run.tries > 1 else ""
    return failed(
        f"{run.call} returned {plain_data.shown(run.encoded)}{after}, expected"
        f" {plain_data.shown(want)}",
        symptom="values",
        hint=_remedy(run, want),
    )


_BY_THE_QUEUE = "tell a result from its absence by the queue, not by its value"


def _remedy(run: Run, want: object) -> str:
    """Return a hint on a result that was not handed over, by what was printed in its place."""
    if run.encoded != ["none"]:
        return ""
    if want in _LIKE_NONE:
        return _BY_THE_QUEUE
    if "inactive" in run.printed:
        return (
            "look for a result once more before you call the child dead: it may have ended since"
            " you looked"
        )
    if RUNNING in run.printed:
        return "look into done_queue before you say that the task is still running"
    return "return what done_queue.get() gives"


_LIKE_NONE = tuple(map(plain_data.encode, (None, False, 0, "", 0.0, [], ())))
"""Results that are false in a condition, as None is."""


def did_not_wait(run: Run) -> Verdict:
    """Return that `waits_when_asked` fails for it: the call did not wait for the result."""
    seen = f"{run.call} did not wait"
    said = fault(Concern.NONBLOCKING, seen, symptom="does not block")
    return undecided(seen, "waits_when_asked", said)


def _in_caller(*runs: Run | None) -> Verdict | None:
    """Return that no child could die, where the task ran in the calling process; else None.

    A task that dies there ends that process.
    """
    if any(ran_in_caller(run) for run in runs if run is not None):
        return absent(
            "the task ran in the calling process, so no child could die (see starts_in_background)"
        )
    return None


@check(title="says {message!r} when the child has died", concern=Concern.FAILURE)
def says_inactive(
    run: Run, message: str, started: Run | None = None, *, early: Run | None = None
) -> Verdict:
    """If the child died without a result, `bg_get` says so, returns None, and does not wait for
    ever.

    *early*: what it said while a task was running, which may be the very message.

    The check needs a run of `bg_get` after the child of the task that *started* began was killed.
    It fails when the call returned something, went on to say that the task is running, raised, or
    hung. It is absent when the task ran in the calling process.

    It blames `names_the_death` when only the words are others, and `still_running` when *message*
    is what it says of every task.
    """
    in_caller = _in_caller(run, started)
    if in_caller is not None:
        return in_caller
    if run.ending is Ending.RAISED:
        return raised(run)
    if run.ending is not Ending.RETURNED:
        verdict = not_returned(run, Concern.FAILURE, owns_all=True) or PASSED
        return _waits_for_the_dead(verdict) if run.ending is Ending.HUNG else verdict
    if run.encoded != ["none"]:
        return failed(
            f"the child died without a result; {run.call} returned {plain_data.shown(run.encoded)}",
            symptom="values",
            hint="return None where there is no result",
        )
    if message in run.printed:
        return PASSED
    if run.printed.count(RUNNING) < run.tries:
        seen = f"{run.call} returned None, but not in so many words"
        return undecided(seen, "names_the_death", fault(Concern.RESULTS, seen, symptom="message"))
    if early is not None and message in early.printed:
        seen = f"it says {message!r} while a task is running"
        return undecided(seen, "still_running", fault(Concern.RESULTS, seen, symptom="message"))
    return _unnoticed(run)


def _waits_for_the_dead(verdict: Verdict) -> Verdict:
    return replace(
        verdict, message=f"the child died without a result; {verdict.message}", hint=WATCH
    )


def _unnoticed(run: Run) -> Verdict:
    asked = f"asked {run.tries} times" if run.tries > 1 else "asked"
    return failed(
        f"the child died without a result; {run.call}, {asked}, "
        f"still said {run.printed.strip().splitlines()[-1][:60]!r}",
        symptom="death unnoticed",
        hint="look at p.is_alive() when there is no result",
    )


def ignored_block(run: Run, want: object = ANY) -> bool:
    """Tell whether a call with ``block=True`` said that the task is running, and returned None.

    If None is the result of the task, that counts only while the child is still alive.
    """
    if run.encoded != ["none"] or run.named.get("block") is not True or RUNNING not in run.printed:
        return False
    return want != ["none"] or any(child.later == "alive" for child in doers(run))


@check(
    title="prints {message!r} when the child has died",
    concern=Concern.RESULTS,
    hint="print({message!r}) before you return None",
)
def names_the_death(run: Run, message: str, started: Run | None = None) -> Verdict:
    """If the child died without a result, `bg_get` prints *message*: the words are a matter of
    results.

    The check needs a run of `bg_get` after the child of the task that *started* began was killed.
    It fails when the call returned None and printed something else. It is absent when the task ran
    in the calling process.

    It blames `says_inactive` when the call had not noticed the death: it did not return None, or
    said that the task is running.
    """
    in_caller = _in_caller(run, started)
    if in_caller is not None:
        return in_caller
    if run.ending is not Ending.RETURNED or run.encoded != ["none"]:
        seen = f"{run.call} did not return None"
        said = fault(Concern.FAILURE, f"the child died without a result; {seen}", symptom="values")
        return undecided(
            seen, "says_inactive", unreturned(run) if run.ending is not Ending.RETURNED else said
        )
    if message in run.printed:
        return PASSED
    if run.printed.count(RUNNING) >= run.tries:
        seen = f"{run.call} had not noticed the death"
        return undecided(
            seen, "says_inactive", fault(Concern.FAILURE, seen, symptom="death unnoticed")
        )
    printed = f"; it printed {run.printed.strip()[:60]!r}" if run.printed.strip() else ""
    return failed(
        f"{run.call} did not print {message!r} when the child had died{printed}", symptom="message"
    )
