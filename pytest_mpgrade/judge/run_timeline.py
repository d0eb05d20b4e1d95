"""The timeline of a run: a lane for each process, and what they share. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from pytest_mpgrade.judge.lanes import Course, caller_lane, facts_of, process_lane
from pytest_mpgrade.records import (
    Ending,
    GateReport,
    Lane,
    LaneArrow,
    Moment,
    Notebook,
    Phase,
    ProcessSeen,
    Role,
    Run,
    Timeline,
    Trace,
)
from pytest_mpgrade.system.text import counted

MOST_LANES = 10
"""Processes that a timeline has. It only counts the rest, of those that tell least."""
MOST_SENTENCES = 8
"""Processes of which a timeline says in a sentence what they wait for."""
MOST_PASSED = 30
"""Items, put by one process and got by another, that a timeline has. It only counts the rest."""
_GIVEN_UP = {
    Ending.HUNG: "given up: nothing could happen any more",
    Ending.TIMED_OUT: "given up at the time limit",
    Ending.DIED: "the calling process ended",
    Ending.STOPPED: "ended by the grader",
}
_CAME_BACK = (Ending.RETURNED, Ending.RAISED)


def process_names(run: Run) -> dict[int, str]:
    """Return what messages call the processes of a run: "the parent", "worker 1".

    Where the run hung, those that were left have the names of the sentences that say what they wait
    for. All others are numbered after these, in the order of their start.
    """
    names = {one.pid: one.name for one in run.trace.stuck}
    names[run.trace.caller] = str(Role.PARENT)
    number = max((one.number for one in run.trace.stuck if one.role is Role.WORKER), default=0)
    for each in run.trace.processes:
        if each.helper:
            names[each.pid] = f"the {each.helper}"
        elif each.pid not in names:
            number += 1
            names[each.pid] = f"worker {number}"
    return names


def run_timeline(run: Run) -> Timeline:
    """Return what each process of a run did, and when."""
    trace = run.trace
    came_back = run.ending in _CAME_BACK or run.phase is Phase.AFTER_RETURN
    over = _over(run)
    course = Course(
        over=over,
        looked=max(trace.looked, over) if came_back else over,
        came_back=came_back,
        tasks={key: f"task {place}" for place, key in enumerate(trace.order)},
    )
    names = process_names(run)
    own = [each for each in trace.processes if _is_shown(each)]
    chosen = _chosen(own, run)
    made = [caller_lane(trace.caller, facts_of(run, trace.caller), course)] + [
        process_lane(each, names[each.pid], facts_of(run, each.pid), course) for each in chosen
    ]
    lanes = tuple(lane for lane, _ in made)
    passed = _passed(trace, {lane.pid for lane in lanes})
    end = max([over, *(span.end for lane in lanes for span in lane.spans)])
    return Timeline(
        call=run.call,
        start_method=run.start_method,
        ending=run.ending,
        end=round(end, 4),
        moments=tuple(sorted(_moments(run, course, lanes, end), key=lambda each: each.at)),
        lanes=lanes,
        arrows=(*_arrows(run, chosen, round(end, 4)), *passed[:MOST_PASSED]),
        sentences=tuple(one.sentence for one in trace.stuck[:MOST_SENTENCES]),
        more_lanes=len(own) - len(chosen),
        more_events=sum(rest for _, rest in made) + len(passed[MOST_PASSED:]),
    )


def _over(run: Run) -> float:
    """Return when the call was back, or was given up."""
    if isinstance(run, Notebook) or not run.seconds:
        return run.trace.looked
    return round(min(run.seconds, run.trace.looked or run.seconds), 4)


def _is_shown(process: ProcessSeen) -> bool:
    """Tell whether a process gets a lane: it is no helper, and had not ended before the call."""
    return not process.helper and (process.ended is None or process.ended >= 0)


def _chosen(processes: Sequence[ProcessSeen], run: Run) -> list[ProcessSeen]:
    """Return the processes that tell most, in the order of their start."""
    telling = {one.pid for one in run.trace.stuck} | {
        each.pid
        for each in processes
        if each.exitcode or each.later != "gone" or each.at_return != "gone"
    }
    begun = {event.pid for event in run.trace.events}
    ranked = sorted(
        processes, key=lambda each: (each.pid not in telling, each.pid not in begun, each.first)
    )
    return sorted(ranked[: MOST_LANES - 1], key=lambda each: (each.first, each.pid))


def _moments(run: Run, course: Course, lanes: Sequence[Lane], end: float) -> Iterator[Moment]:
    yield Moment(kind="called", at=0.0, text="the call begins")
    yield from _opened(run)
    at = course.over
    if run.ending is Ending.RAISED:
        what = run.error.type if run.error else "an exception"
        yield Moment(kind="raised", at=at, text=f"the call raises {what[:60]}{_leaves(lanes)}")
    elif course.came_back:
        yield Moment(kind="returned", at=at, text=f"the call returns{_leaves(lanes)}")
    if run.phase is Phase.AFTER_RETURN:
        yield Moment(kind="given up", at=round(end, 4), text=_GIVEN_UP.get(run.ending, "given up"))
    elif not course.came_back:
        yield Moment(kind="given up", at=at, text=_GIVEN_UP.get(run.ending, "given up"))
    elif end > course.over + 0.01:
        yield Moment(kind="looked", at=round(end, 4), text="the grader's last look")


def _leaves(lanes: Sequence[Lane]) -> str:
    """Say what the call leaves behind; "" for nothing."""
    zombies = sum(lane.left == "zombie" for lane in lanes)
    alive = sum(lane.left == "alive" for lane in lanes)
    parts = [
        *([f"{counted(zombies, 'worker')} never joined"] if zombies else []),
        *([f"{alive} still alive"] if alive else []),
    ]
    return f": {', '.join(parts)}" if parts else ""


def _opened(run: Run) -> Iterator[Moment]:
    """Yield when the grader stopped holding tasks, where it had waited in vain."""
    gates = run.trace.gates
    said = _in_vain(gates) if gates is not None else ""
    if gates is None or not said:
        return
    last = gates.steps[-1] if gates.steps else None
    since = max(
        (each.at for each in run.trace.openings if last is not None and each.key == last.opened),
        default=0.0,
    )
    at = next((each.at for each in run.trace.openings if each.key and each.at > since), None)
    if at is not None:
        yield Moment(kind="gates opened", at=at, text=said)


def _in_vain(gates: GateReport) -> str:
    """Say what the grader had waited for in vain while it held tasks; "" where all came."""
    if gates.script == "line" and not gates.met:
        return (
            f"only {gates.most_inside} of {gates.wanted} workers came into a task;"
            " the grader opens the gates"
        )
    if gates.script == "line" and gates.waiting:
        return f"{len(gates.waiting)} tasks wait, and no free worker takes one"
    return ""


def _passed(trace: Trace, there: Set[int]) -> list[LaneArrow]:
    """Return the ways of items from one process that has a lane to another."""
    return [
        LaneArrow(
            kind="passed", source=each.source, at=each.put, target=each.target, until=each.got
        )
        for each in trace.passed
        if each.source != each.target and {each.source, each.target} <= there
    ]


def _arrows(run: Run, processes: Sequence[ProcessSeen], end: float) -> Iterator[LaneArrow]:
    there = {run.trace.caller, *(each.pid for each in processes)}
    for each in processes:
        parent = each.parent if each.parent in there else run.trace.caller
        if each.first >= 0:
            yield LaneArrow(
                kind="started", source=parent, at=each.first, target=each.pid, until=each.first
            )
        # The fork server takes the exit statuses of its children; that is no join().
        if each.ended is not None and each.reaped is not None and each.born != "forkserver":
            yield LaneArrow(
                kind="reaped", source=each.pid, at=each.ended, target=parent, until=each.reaped
            )
    for one in run.trace.stuck:
        for pid in dict.fromkeys((*one.whom, *((one.holder,) if one.holder else ()))):
            if pid in there and one.pid in there and pid != one.pid:
                yield LaneArrow(kind="awaits", source=one.pid, at=end, target=pid, until=end)
