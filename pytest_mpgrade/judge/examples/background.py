"""Examples for the checks of background tasks: runs written down by hand, as real ones were.

The functions that make the runs start nothing.
"""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples.hangs import hung, stuck
from pytest_mpgrade.judge.examples.runs import CREW, changed, child, made, worker_processes
from pytest_mpgrade.records import Concern, GateEvent, GateReport, Leftover, Run

__all__ = ["BACKGROUND", "RUNNING", "begun", "dropped", "got", "polled"]

HANDLES = [
    ["object", "multiprocessing.context.Process", CREW[0]],
    ["object", "multiprocessing.queues.Queue", None],
    ["object", "multiprocessing.queues.Queue", None],
]
RUNNING = child(exitcode=None, at_return="alive", later="alive", cpu=0.0)


def begun(**seen: object) -> Run:
    """Return a call of bg_task that came back while its task was held."""
    run = made(
        "bg_task(a task)",
        encoded=["tuple", HANDLES],
        events=(GateEvent(kind="gate", key="133", pid=CREW[0], at=0.0071),),
        processes=(RUNNING,),
        gates=GateReport(script="shut", early=True),
        seconds=0.0083,
        blocked=0.0031,
    )
    return changed(run, **seen)


def polled(**seen: object) -> Run:
    """Return a call of bg_get that came back without a result while the task was held."""
    run = made(
        "bg_get(block=False)",
        encoded=["none"],
        printed="Task still running.\n",
        processes=(RUNNING,),
        gates=GateReport(script="shut", early=True),
        seconds=0.0003,
        blocked=0.0001,
    )
    return changed(run, **seen)


def got(**seen: object) -> Run:
    """Return a call of bg_get that waited for the task, took its result, and ended the child."""
    gates = GateReport(script="shut", blocked=True, quiet="proof")
    run = made(
        "bg_get(block=True)",
        named={"block": True},
        encoded=["int", "400"],
        processes=(child(),),
        gates=gates,
        seconds=0.3743,
    )
    return changed(run, **{"blocked": 0.3734, **seen})


def met_in_background(inside: int) -> Run:
    """Return the pause in which *inside* of 3 background tasks were at their gates."""
    gates = GateReport(
        script="meet",
        wanted=3,
        met=inside == 3,
        most_inside=inside,
        alive_then=3,
        crew=CREW[:inside],
        quiet="" if inside == 3 else "proof",
    )
    processes = worker_processes(exitcode=None, later="alive", cpu=0.0)
    return made("3 tasks at a time", function="", gates=gates, processes=processes)


def dropped(**seen: object) -> Run:
    """Return the step in which the handles of a task have been dropped."""
    run = made(
        "dropping the handles",
        function="",
        gates=None,
        processes=(child(),),
        seconds=0.0,
        blocked=0.0,
    )
    return changed(run, **seen)


_ZOMBIE = child(at_return="zombie", later="zombie")

BACKGROUND: tuple[tuple[Check, Run, Run], ...] = (
    (
        checks.gives_three_handles(),
        begun(),
        begun(encoded=["object", "multiprocessing.context.Process"]),
    ),
    (
        checks.starts_in_background(),
        begun(),
        begun(events=(GateEvent(kind="gate", key="133", pid=begun().trace.caller, at=0.0145),)),
    ),
    (checks.meet_in_background(3), met_in_background(3), met_in_background(1)),
    (
        checks.returns_at_once([begun(blocked=0.0028)]),
        begun(),
        begun(
            gates=GateReport(script="shut", blocked=True, quiet="proof"),
            seconds=0.3858,
            blocked=0.3817,
        ),
    ),
    (checks.still_running("Task still running.", begun()), polled(), polled(printed="")),
    (
        checks.waits_when_asked(begun()),
        got(),
        got(
            encoded=["none"],
            gates=GateReport(script="shut", early=True),
            seconds=0.0003,
            blocked=0.0001,
        ),
    ),
    (checks.hands_over(400), got(), got(encoded=["str", "400"])),
    (
        checks.hands_over_plain(plain_data.encode("STOP"), Concern.EDGE),
        got(encoded=["str", "STOP"]),
        hung(got(processes=()), stuck("get")),
    ),
    (
        checks.says_inactive("Child process inactive."),
        polled(printed="Child process inactive.\n", processes=(child(exitcode=-9),)),
        polled(
            printed="Task still running.\n" * 24,
            processes=(replace(_ZOMBIE, exitcode=-9),),
            tries=24,
        ),
    ),
    (
        checks.child_ended(),
        got(),
        got(processes=(child(exitcode=None, at_return="alive", later="alive"),)),
    ),
    (
        checks.names_the_death("Child process inactive."),
        polled(printed="Child process inactive.\n", processes=(child(exitcode=-9),)),
        polled(printed="", processes=(child(exitcode=-9),)),
    ),
    (checks.child_joined(), got(), got(processes=(_ZOMBIE,))),
    (
        checks.nothing_left_of_tasks(got()),
        dropped(),
        dropped(
            leftovers=tuple(
                Leftover(kind="pipe", name=f"pipe:[{number}]") for number in (811744, 811745)
            )
        ),
    ),
)
"""For each check a run that passes it, and one that fails it."""
