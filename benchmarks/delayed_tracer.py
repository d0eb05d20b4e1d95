"""How many hangs are claimed of right solutions while the tracing thread gets its turn late, by up
to a second?

The reference and every right design make the runs of "many results" and "rendezvous", under each
start method, each in a run of its own. At one event in so many, drawn, the thread sleeps for a
drawn time before it takes the event in, or after. Prints each run that did not come back, and what
was made in all; ends with 1 if any was called a hang.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from pytest_mpgrade import checks, steps, tasks  # noqa: E402 - the path is made first
from pytest_mpgrade.course import assignment  # noqa: E402 - the path is made first
from pytest_mpgrade.records import (  # noqa: E402 - the path is made first
    Ending,
    Finding,
    Outcome,
    Run,
    Scenario,
    Step,
)
from pytest_mpgrade.run.client import module_run, supervisor_pool  # noqa: E402 - the path is made first
from pytest_mpgrade.run.client.request import Setting  # noqa: E402 - the path is made first
from pytest_mpgrade.submission.discover import discover  # noqa: E402 - the path is made first
from support.held_back import late_at_random, supervised_here  # noqa: E402 - the path is made first

METHODS = ("fork", "spawn", "forkserver")
MANY, LINE = tasks.many(10_000), tasks.rendezvous(3)
"""As assignments/mp_apply/test_mp_apply.py has them, with what it asks of them."""
STEPS: dict[str, Step] = {
    "many results": steps.call("mp_apply", MANY, n_processes=2, seconds=60.0),
    "rendezvous": steps.call("mp_apply", LINE, n_processes=3),
}
CHECKS: dict[str, tuple[Callable[[Run], Finding], ...]] = {
    "many results": (checks.drains(MANY, 2),),
    "rendezvous": (
        checks.met(),
        checks.workers(3),
        checks.free_worker_takes_next(),
        checks.first_in_first_out(LINE),
        checks.ended_by_sentinel(),
        checks.no_leftovers(),
        checks.nothing_else_left(),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One run that is to be made, its tracing thread late at a *share* of all events by *most*
    seconds at most.
    """

    number: int
    step: str
    method: str
    path: Path
    share: float
    most: float
    observer: str

    def __str__(self) -> str:
        return f"{self.path.stem}, {self.step}, {self.method}, number {self.number}"


def cases(asked: argparse.Namespace) -> Iterator[Case]:
    """Yield so many rounds of all runs, over submissions, start methods and steps."""
    paths = [
        ROOT / "reference" / "mp_apply",
        *sorted((ROOT / "tests" / "designs" / "mp_apply").glob("*.py")),
    ]
    for number, path, method, step in itertools.product(range(asked.repeat), paths, METHODS, STEPS):
        yield Case(
            number=number,
            step=step,
            method=method,
            path=path,
            share=asked.share,
            most=asked.most,
            observer=asked.observer,
        )


def make(case: Case) -> tuple[Case, str, list[str]]:
    """Make one run; return how it ended, and which checks accuse it."""
    asked = assignment.find_assignment("mp_apply")
    draw = random.Random(str(case))
    late = supervised_here(lambda: late_at_random(draw, case.share, case.most))
    setattr(supervisor_pool, "ask_server", late)  # noqa: B010 - typed
    setting = Setting(
        assignment=asked, submission=discover(case.path, asked), observer=case.observer
    )
    run = module_run.run_module(
        Scenario(steps=(STEPS[case.step],), start_method=case.method), setting
    )[1]
    ended = run.ending.value if run.ending is Ending.RETURNED else f"{run.ending.value} ({run.why})"
    found = [check(run) for check in CHECKS[case.step]]
    return (
        case,
        ended,
        [f"{each.check}: {each.message}" for each in found if each.outcome is Outcome.FAILED],
    )


def main() -> int:
    """Make the runs and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--repeat", type=int, default=1, help="rounds of all designs, start methods and runs"
    )
    parser.add_argument(
        "--share", type=float, default=0.1, help="of the events at which the tracing thread is late"
    )
    parser.add_argument(
        "--most", type=float, default=1.0, help="seconds by which it is late at most"
    )
    parser.add_argument("--observer", default="ptrace", choices=("ptrace", "proc"))
    parser.add_argument("--jobs", type=int, default=4)
    asked = parser.parse_args()
    endings: Counter[tuple[str, str]] = Counter()
    accused, began = 0, time.perf_counter()
    with multiprocessing.get_context("fork").Pool(asked.jobs, maxtasksperchild=1) as pool:
        for case, ended, findings in pool.imap_unordered(make, cases(asked)):
            endings[case.step, ended.partition(" ")[0]] += 1
            accused += bool(findings)
            if ended != Ending.RETURNED.value or findings:
                print(f"{case}: {ended}", *findings, sep="\n  ", flush=True)
    for (step, ended), count in sorted(endings.items()):
        print(f"{step}: {count} {ended}")
    hangs = sum(count for (_, ended), count in endings.items() if ended == Ending.HUNG.value)
    print(
        f"{endings.total()} runs, {hangs} called a hang, {accused} accused,"
        f" {time.perf_counter() - began:.0f} s"
    )
    return 1 if hangs else 0


if __name__ == "__main__":
    sys.exit(main())
