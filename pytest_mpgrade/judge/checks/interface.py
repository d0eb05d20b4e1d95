"""Checks of the module itself: its import, its functions, and how it treats the start method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.inside.placeholders import STAYS_EMPTY
from pytest_mpgrade.judge.attribution import at_import, not_returned
from pytest_mpgrade.judge.check import LACK, PASSED, Verdict, absent, failed, undecided
from pytest_mpgrade.judge.checks.shutdown import workers_of
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.failure_text import not_back, raised
from pytest_mpgrade.judge.hang_facts import ending_words
from pytest_mpgrade.records import Concern, Ending, Parameter, Plain, Run
from pytest_mpgrade.system.did_you_mean import nearest


@check(
    title="the module imports without error, child process or other side effect",
    concern=Concern.IMPORT,
    hint="move everything that runs by itself below: if __name__ == '__main__':",
)
def imports_cleanly(run: Run) -> Verdict:
    """The module imports without error, and neither starts a process nor has another side effect
    when it does.

    The check needs what `student.imported()` returns. It fails when the import raised, hung, ended
    the interpreter or was stopped by a limit, when it started a child process, and when it had
    another side effect. It blames no other check.
    """
    if run.import_children:
        return failed(
            f"{run.import_children} child process{'es were' if run.import_children > 1 else ' was'}"
            " started when the module was imported",
            symptom="children at import",
            hint="start processes only below: if __name__ == '__main__':",
        )
    if run.ending is Ending.NOT_IMPORTED:
        return why_not_imported(run)
    if run.facts.side_effects:
        effect = run.facts.side_effects[0]
        return failed(f"importing the module has a side effect: it {effect}", symptom="side effect")
    return PASSED


_NO_EXIT = (
    "a module is imported before its functions are called: call exit() only under if __name__ =="
    " '__main__':"
)
"""A hint for a module that calls exit() at import."""


def why_not_imported(run: Run) -> Verdict:
    """Return the failure of an import.

    The import raised, hung, ended the interpreter, or needs something that is missing.
    """
    if run.lack is not None:
        source = {"source": run.lack.source} if run.lack.source else {}
        return failed(run.lack.message, symptom=LACK, hint=run.lack.hint, **source)
    if run.stopped:
        return failed(f"importing the module was ended: {run.stopped}", symptom="import")
    if run.error is not None:
        verdict = raised(run)
        called_exit = run.error.type == "SystemExit"
        words = (
            verdict.message.replace("raised SystemExit", "called exit(): SystemExit")
            if called_exit
            else verdict.message
        )
        return failed(
            words, symptom="import", hint=_NO_EXIT if called_exit else "", **verdict.evidence
        )
    verdict = not_back(run)
    words = verdict.message
    if run.exitcode is not None:
        words = f"importing the module ended the interpreter ({ending_words(run.exitcode)})"
    return failed(words, symptom="import", **verdict.evidence)


@check(
    title="the required functions are there, with usable signatures",
    concern=Concern.IMPORT,
    hint="keep the names and parameters of the handout",
)
def has_functions(run: Run, functions: Mapping[str, Sequence[str]]) -> Verdict:
    """The module has these functions, and each can be called as the handout says.

    *functions*: the parameters of each function, by its name; ``n=2`` stands for one that has a
    default.

    The check needs what `student.imported()` returns. It fails when a function is not there or
    cannot be called so. It blames `imports_cleanly` when the module could not be imported.
    """
    if run.ending is Ending.NOT_IMPORTED:
        return undecided("the module could not be imported", "imports_cleanly")
    wrong = unusable(run, functions)
    if not wrong:
        return PASSED
    return failed("; ".join(wrong.values()), symptom="signature")


def unusable(run: Run, functions: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return, by name, what is wrong with each function that cannot be called as asked."""
    wrong = {}
    for name, parameters in functions.items():
        signature = run.facts.functions.get(name)
        if signature is None:
            wrong[name] = (
                "there is no function"
                f" {name}(){nearest(name, set(run.code.defines) - set(functions))}"
            )
        elif signature and not _callable_with(signature, parameters):
            had = ", ".join(parameter.name for parameter in signature)
            called = [parameter for parameter in parameters if "=" not in parameter]
            wrong[name] = f"{name}({had}) cannot be called as {name}({', '.join(parameters)})"
            if len(called) < len(parameters):
                wrong[name] += f" and as {name}({', '.join(called)})"
    return wrong


def _callable_with(signature: Sequence[Parameter], asked: Sequence[str]) -> bool:
    """Tell whether a function can be called with the asked parameters.

    Those without a default are given by position, and those with a default by name.
    """
    positional = [p for p in signature if p.kind in ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD")]
    kinds = {p.kind for p in signature}
    by_position = [name for name in asked if "=" not in name]
    by_name = [name.partition("=")[0] for name in asked if "=" in name]
    if len(positional) < len(by_position) and "VAR_POSITIONAL" not in kinds:
        return False
    if any(
        p.name in by_position and by_position.index(p.name) != place
        for place, p in enumerate(positional)
    ):
        return False  # the same names in another order
    named = {p.name for p in signature if p.kind in ("POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY")}
    if not set(by_name) <= named and "VAR_KEYWORD" not in kinds:
        return False
    filled = {p.name for p in positional[: len(by_position)]}
    must = {
        p.name
        for p in signature
        if not p.has_default and p.kind not in ("VAR_POSITIONAL", "VAR_KEYWORD")
    }
    return must <= filled


@check(title="works under this start method", concern=Concern.START_METHOD)
def works_under_start_method(run: Run) -> Verdict:
    """The plainest call comes back under this start method, if it does under any.

    The check needs a run of the plainest call. It fails when the call comes back under another
    start method and not under this one. It blames `imports_cleanly` when the module starts
    processes as it is imported. A call that did not come back under any is left to the check that
    it belongs to.
    """
    if run.ending is Ending.RETURNED:
        return PASSED
    if run.import_children:
        return at_import()
    if not run.returned_under:
        return not_returned(run, Concern.START_METHOD) or PASSED
    verdict = raised(run) if run.ending is Ending.RAISED else not_back(run)
    return failed(
        f"works under {run.returned_under}, but not under {run.start_method}: {verdict.message}",
        symptom="start method",
        **verdict.evidence,
    )


@check(
    title="uses the default start method and leaves it unchanged",
    concern=Concern.START_METHOD,
    hint="use multiprocessing.Process and Queue directly, or get_context() without an argument",
)
def uses_the_default(run: Run, *, needed: bool = True) -> Verdict:
    """Workers are started by the default start method, and it is not changed.

    Without *needed*, tasks may run in threads of the calling process, too, or in a program that it
    starts, to which start methods do not apply.

    The check needs a run in which every worker had arrived at a gate, as in one of
    `tasks.rendezvous(n)`. It fails when the module calls set_start_method(), when a worker was
    started by another method, and when the default is another one after the call. It is absent when
    no child process ran a task although one is *needed*. A call that did not come back, and started
    no process, is left to the check that it belongs to.
    """
    asked = run.facts.set_start_method
    if asked:
        return failed(
            f"the module calls set_start_method({asked[0]!r}); the choice belongs to the program"
            " that uses it",
            symptom="start method",
        )
    others = [process for process in run.trace.processes if not process.helper]
    workers = workers_of(run) or [process for process in others if process.ran_task] or others
    if not workers and needed:
        return not_returned(run, Concern.START_METHOD) or absent(
            "no child process ran a task (see in_children)"
        )
    right = {run.start_method, "unknown"} if needed else {run.start_method, "unknown", "exec"}
    other = [worker for worker in workers if worker.born not in right]
    if other:
        return failed(
            f"the default start method is {run.start_method}, but {len(other)} of {len(workers)}"
            f" workers were started by {other[0].born}",
            symptom="start method",
        )
    now = run.facts.start_method_now
    if now not in (None, run.start_method):
        return failed(
            f"the default start method was {run.start_method} before and {now} after",
            symptom="start method",
        )
    return PASSED


@check(
    title="worker() puts one plain result per task on the output queue and returns None",
    concern=Concern.RESULTS,
)
def worker_output(run: Run, expected: Sequence[object]) -> Verdict:
    """`worker`, called directly with two queues: one plain result per task, in order; returns None.

    The check needs a run of `worker`, called with two queues, `steps.ThreadQueue` or
    `steps.BareQueue`. It fails when the output queue does not hold *expected*, when the worker
    returned something, and when it raised before 'STOP'. It blames `worker_obeys_sentinel` when the
    worker did not return at 'STOP'.
    """
    want = [plain_data.encode(value) for value in expected]
    if run.ending is Ending.RETURNED:
        output = _queue(run, 1)
        if output != want:
            return failed(
                f"the output queue holds {plain_data.shown(['list', output])}, "
                f"expected {plain_data.shown(['list', want])}",
                symptom="values",
                hint=(
                    "for each task that you get from input, put what calculate() returns for it on"
                    " output"
                ),
            )
        if run.encoded != ["none"]:
            return failed(
                f"worker() returned {plain_data.shown(run.encoded)}, not None", symptom="values"
            )
        return PASSED
    if _goes_on(run) or run.ending is not Ending.RAISED or _queue(run, 1) == want:
        return undecided("worker() does not return at 'STOP'", "worker_obeys_sentinel")
    return raised(run)


_LEAVE = "leave the loop as soon as the item is 'STOP'"


@check(
    title="worker() returns at 'STOP' and takes nothing more from its input",
    concern=Concern.SENTINEL,
)
def worker_obeys_sentinel(run: Run, left: int = 1, results: int = 3) -> Verdict:
    """`worker` returns at 'STOP', after so many *results*, and leaves the *left* items behind it on
    the queue.

    The check needs a run of `worker`, called with two queues, `steps.ThreadQueue` or
    `steps.BareQueue`. It fails when the worker took something after 'STOP', raised when it had got
    'STOP', or did not come back. It blames `worker_output` when the worker raised before that.
    """
    if _goes_on(run):
        seen = "worker() took another item from the queue after 'STOP'"
        return failed(seen, symptom="sentinel ignored", hint=_LEAVE)
    if run.ending is Ending.RAISED and len(_queue(run, 1)) == results:
        return replace(raised(run, " when it had got 'STOP'"), symptom="sentinel ignored")
    if run.ending is Ending.RAISED:
        return undecided("worker() raised", "worker_output")
    if run.ending is not Ending.RETURNED:
        return not_back(run)
    rest = len(_queue(run, 0))
    if rest < left:
        seen = (
            f"worker() took {left - rest} item{'s' * (left - rest > 1)} from the queue after 'STOP'"
        )
        return failed(seen, symptom="sentinel ignored", hint=_LEAVE)
    return PASSED


def _goes_on(run: Run) -> bool:
    """Tell whether a worker took another item after the queue was empty, behind 'STOP'."""
    return (
        run.ending is Ending.RAISED and run.error is not None and STAYS_EMPTY in run.error.message
    )


def _queue(run: Run, number: int) -> list[Plain]:
    """Return what is left on one of the two queues: 0 for the input, 1 for the output."""
    queues = run.facts.queues
    return list(queues[number][1]) if number < len(queues) else []
