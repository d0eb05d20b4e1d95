"""Runs that were not made: what stands in their place, and what kept them from being made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_mpgrade.errors import SupervisorError
from pytest_mpgrade.inside.placeholders import Saved
from pytest_mpgrade.judge.attribution import blamed_for
from pytest_mpgrade.records import Ending, Run, Scenario, Step


def broken_runs(
    scenario: Scenario, error: SupervisorError, ending: Ending = Ending.BROKEN
) -> tuple[Run, ...]:
    """Return runs of which nothing is known.

    *ending* is BROKEN, or STOPPED where the submission is to blame for that.
    """
    base = Run(
        key=scenario.key,
        call="import",
        function="import",
        start_method=scenario.start_method,
        ending=ending,
        why=str(error),
        stopped=str(error) if ending is Ending.STOPPED else "",
    )
    calls = tuple(
        replace(base, call=step.label, function=step.function, tasked=step.tasked)
        for step in scenario.steps
    )
    if ending is Ending.STOPPED:  # by one of the calls, or where there is none by the import
        base = replace(base, ending=Ending.NOT_TRIED if calls else Ending.NOT_IMPORTED)
    return (base, *calls)


def complete_runs(found: Sequence[Run], scenario: Scenario) -> tuple[Run, ...]:
    """Add a Run for each step that was not reached."""
    imported, *calls = found
    broken = (
        imported.why if imported.ending is Ending.BROKEN else "the module could not be imported"
    )
    why = f"{calls[-1].call} did not come back" if calls else broken
    because = blamed_for(calls[-1]) if calls else "imports_cleanly"
    taken_along = bool(calls) and calls[-1].in_caller and calls[-1].ending is Ending.DIED
    missing = tuple(
        replace(
            _of_step(scenario, number),
            ending=(
                imported.ending
                if imported.ending in (Ending.NOT_IMPORTED, Ending.BROKEN)
                else Ending.NOT_TRIED
            ),
            why=why,
            because=because,
            in_caller=taken_along,
            cause=calls[-1] if calls else None,
        )
        for number in range(len(calls), len(scenario.steps))
    )
    return (*found, *missing)


def _of_step(scenario: Scenario, number: int) -> Run:
    """Return the run of a step that was not made."""
    step = scenario.steps[number]
    return Run(
        key=f"{scenario.key}/{number}",
        call=step.label,
        function=step.function,
        tasked=step.tasked,
        start_method=scenario.start_method,
        ending=Ending.NOT_TRIED,
    )


def untried_runs(scenario: Scenario, because: str, why: str, cause: Run | None) -> tuple[Run, ...]:
    """Return a run for each step of a scenario from which nothing could be learned.

    *because* is the check that says so, *why* the reason in words, *cause* the run that shows it.
    """
    return tuple(
        replace(_of_step(scenario, number), why=why, because=because, cause=cause)
        for number in range(len(scenario.steps))
    )


def linked_runs(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Return the runs; one that was not tried has its cause as that is known by now.

    The cause is an earlier run of the same play.
    """
    known = {run.key: run for run in runs}
    causes = [known.get(run.cause.key) if run.cause is not None else None for run in runs]
    return tuple(
        (
            run
            if cause is None
            else replace(run, cause=cause, because=run.because and blamed_for(cause))
        )
        for run, cause in zip(runs, causes, strict=True)
    )


def with_givers(runs: Sequence[Run], steps: Sequence[Step]) -> list[Run]:
    """Return the runs; one whose arguments an earlier call did not give has that call as its cause.

    This is about runs that were not tried and have no cause yet.
    """
    linked = []
    for place, (run, step) in enumerate(zip(runs, steps, strict=True)):
        names = {arg.name for arg in step.args if isinstance(arg, Saved)}
        givers = [runs[at] for at in range(place) if steps[at].save in names]
        unusable = run.ending is Ending.NOT_TRIED and run.cause is None and bool(givers)
        linked.append(replace(run, cause=givers[-1]) if unusable else run)
    return linked
