"""The check of which items a worker of a pool gets at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from pytest_mpgrade.judge.check import PASSED, Verdict, failed, fault, undecided
from pytest_mpgrade.judge.checks.rendezvous import blamed, not_met
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Concern, Ending, GateReport, Run
from pytest_mpgrade.tasks import Workload


def _asked(sizes: Sequence[int]) -> str:
    return " or ".join(str(size) for size in sizes)


@check(
    title=lambda sizes: f"a worker gets {_asked(sizes)} consecutive items at a time",
    concern=Concern.CHUNKING,
    of_tasks=True,
)
def chunked(run: Run, workload: Workload, sizes: Sequence[int], *, hint: str = "") -> Verdict:
    """Consecutive runs of items go to one worker each, all of the same of these *sizes*.

    The last run has what is left. *hint*: for items that were handed out otherwise.

    The check needs a run of *workload* with the gates of `tasks.rendezvous(n)`. It fails when the
    first items that workers began are not the first ones of the first runs, and when items of one
    run were worked on by several processes, or not one after the other. It is absent when no item
    ran in a child process. It is inconclusive when the grader's own processes could not meet here
    either.

    It blames `workers` when too few processes were there, or too many, `met` when they were never
    inside a task together, and `values_in_any_order` when an item was run twice or not at all, or
    the call failed before it had run one.
    """
    places = _places(run, workload)
    lost = Counter(place for place, _ in places) != Counter(range(len(workload.keys)))
    if lost and places and run.ending is Ending.RETURNED:
        return _lost()  # and so a worker may not have come
    verdict = not_met(run)
    if verdict is not None or run.trace.gates is None:
        return verdict or PASSED
    if lost:
        return _lost()
    gates = run.trace.gates
    if len(gates.crew) > gates.wanted:
        seen = f"{len(gates.crew)} processes were inside a task together"
        return undecided(seen, "workers", fault(Concern.WORKERS, seen, symptom="too many workers"))
    wrong = [_wrong(gates, places, workload, size) for size in sizes]
    if "" in wrong:
        return PASSED
    verdict = blamed(run, wrong[0], "chunks")
    got = "; ".join(_in_words(pid, places) for pid in dict.fromkeys(pid for _, pid in places))
    if verdict.outcome is not failed("").outcome:
        return verdict
    return failed(wrong[0], symptom="chunks", hint=hint, items=got)


def _lost() -> Verdict:
    seen = "an item was not run once"
    return undecided(seen, "values_in_any_order", fault(Concern.RESULTS, seen, symptom="values"))


def _places(run: Run, workload: Workload) -> list[tuple[int, int]]:
    """Return the place of each item and the process that began it, in the order of beginnings."""
    place_of = {key: place for place, key in enumerate(workload.keys)}
    return [
        (place_of[event.key], event.pid)
        for event in run.trace.events
        if event.kind == "gate" and event.key in place_of
    ]


def _wrong(
    gates: GateReport, places: Sequence[tuple[int, int]], workload: Workload, size: int
) -> str:
    """Return in which way items were not handed out in runs of this size; "" where they were."""
    total = len(workload.keys)
    first = sorted(workload.keys.index(key) for key in gates.first)
    asked = [*range(0, total, size)][: len(first)]
    if first != asked:
        return (
            f"the first items that workers began were number {_listed(first)}; in chunks of {size}"
            f" they are {_listed(asked)}, counted from 0"
        )
    for start in range(0, total, size):
        chunk = [*range(start, min(start + size, total))]
        pids = {pid for place, pid in places if place in chunk}
        mine = [place for place, pid in places if pid in pids]
        at = mine.index(start)
        if len(pids) > 1 or mine[at : at + len(chunk)] != chunk:
            how = "in one process" if len(pids) > 1 else "one after the other"
            return f"items {_listed(chunk)}, which are a chunk of {size}, did not run {how}"
    return ""


def _listed(numbers: Sequence[int]) -> str:
    *some, last = map(str, numbers)
    return f"{', '.join(some)} and {last}" if some else last


def _in_words(pid: int, places: Sequence[tuple[int, int]]) -> str:
    """Say which items a process got, with consecutive ones as a range."""
    return f"process {pid}: {', '.join(_ranges([place for place, one in places if one == pid]))}"


def _ranges(numbers: Sequence[int]) -> Iterator[str]:
    for _, group in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        yield f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0])
