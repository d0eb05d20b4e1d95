"""Control experiments: what the grader tries itself before a submission is blamed.

A machine under load can keep processes apart at a gate, and can make a call miss its time limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pytest_mpgrade.errors import SupervisorError
from pytest_mpgrade.records import Ending, Rendezvous, Run, Scenario, Submission
from pytest_mpgrade.steps import call
from pytest_mpgrade.student.runs import RunCache, make_runs
from pytest_mpgrade.tasks import held

CONTROL = Submission(
    id="control", path="", folder="", module="pytest_mpgrade.inside.control_workload.py"
)


def confirmed(
    run: Run,
    scenario: Scenario,
    at: int,
    cache: RunCache,
    find_reference: Callable[[], RunCache | None],
) -> Run:
    """Return a run with the outcome of its control experiments, where it needs any.

    Before a submission is blamed for processes that did not meet at a gate, the grader's own
    processes must have met there. *at* is the place of the run among the runs of its scenario.
    """
    gates = run.trace.gates
    unmet = (
        gates is not None
        and gates.script in ("line", "loop")
        and not gates.early
        and (not gates.met or bool(gates.waiting))
    )
    if not unmet and run.ending is not Ending.TIMED_OUT:
        return run
    if run.key not in cache.controls:
        cache.controls[run.key] = _control_meets(run, scenario, cache)
        if run.ending is Ending.TIMED_OUT:
            cache.theirs[run.key] = _reference_seconds(scenario, at, cache, find_reference())
    return replace(run, control=cache.controls[run.key], theirs=cache.theirs.get(run.key, 0.0))


def _reference_seconds(
    scenario: Scenario, at: int, cache: RunCache, reference: RunCache | None
) -> float:
    """Return the seconds that the reference needs now for a call that reached its time limit."""
    if reference is None or reference is cache:
        return 0.0
    done = reference.run(scenario)[at]
    return done.seconds if done.ending is Ending.RETURNED else 0.0


def _control_meets(run: Run, scenario: Scenario, cache: RunCache) -> bool:
    """Tell whether the grader's own processes meet at a gate for as many as the run's gate."""
    gates = run.trace.gates
    setting = replace(cache.setting, submission=CONTROL)
    workload = held(12)
    n = gates.wanted if gates is not None and gates.wanted else 2
    script = Rendezvous(n=n, keys=workload.keys, seed=1)
    step = call("mp_apply", workload, n_processes=n, gates=script)
    try:
        done = make_runs(Scenario(steps=(step,), start_method=scenario.start_method), setting)[-1]
    except SupervisorError:
        return False
    return done.trace.gates is not None and done.trace.gates.met and done.ending is Ending.RETURNED
