"""Which rule of quiescence ends a wait, and is a tree ever called quiescent while it still has
something to do?

The references, the right designs and the wrong solutions of `mp_apply` and `bg_task` run beside
busy loops, twice as many as there are cores unless asked otherwise. Each line of the journal is one
run. Wrong is a right design that is called quiescent before it is done, or that a check of the
rendezvous accuses; and a wrong solution of the rendezvous that no check accuses. Two simpler rules
are tried on the same messages: one second of silence is a hang; the first n tasks arrive in their
order.

    python benchmarks/gate_rules.py --minutes 6        in parts, added to benchmarks/records
    python benchmarks/gate_rules.py --minutes 0        the tables alone

Ends with 1 where a verdict is wrong. docs/gates.md, measured, quotes the tables.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import msgspec

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.cli.verify import busy_loops
from pytest_mpgrade.cli.verify_cases import Case, cases
from pytest_mpgrade.course import assignment
from pytest_mpgrade.records import Concern, Ending, Outcome, Run, Scenario, Step
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.student.runs import make_runs
from pytest_mpgrade.submission.discover import discover
from speed_verdicts import rate

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "benchmarks" / "records" / "gates.jsonl"
METHODS = ("fork", "spawn", "forkserver")
N = 3
LINE, HELD = tasks.rendezvous(N), tasks.held(3)
PLAYS: dict[str, dict[str, tuple[Step, ...]]] = {
    "mp_apply": {
        "rendezvous": (steps.call("mp_apply", LINE, n_processes=N),),
        "plain": (steps.call("mp_apply", tasks.mixed(), n_processes=2),),
        "large": (steps.call("mp_apply", tasks.big(6, 3_000_000), n_processes=2),),
    },
    "bg_task": {
        "held": (
            steps.call("bg_task", HELD.tasks[0], save="job", opaque=True, gates=steps.SHUT),
            steps.call("bg_get", *steps.saved("job", 3), block=True, gates=steps.SHUT),
        ),
    },
}
"""As the tests of the assignments make them.

Who waits for a held task in the last one is rightly called quiescent.
"""
OF_THE_LINE = (
    checks.met(),
    checks.workers(N),
    checks.free_worker_takes_next(),
    checks.first_in_first_out(LINE),
)
ITS_CONCERNS = frozenset((Concern.WORKERS, Concern.CONCURRENCY, Concern.ORDERING))
NOT_THERE = frozenset(("memoises", "knows_the_answers"))
"""Wrong solutions whose fault shows in other calls: a second one, or one of two tasks."""
SILENCE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A run to be made."""

    assignment: str
    case: Case
    play: str
    method: str

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from others."""
        return (self.assignment, self.case.name, self.play, self.method)


@dataclass(frozen=True, kw_only=True)
class Line:
    """What is kept of a run."""

    assignment: str
    design: str
    right: bool
    play: str
    method: str
    load: int
    ending: str  # of its last call that was made
    rules: tuple[str, ...]  # by which the tree was called quiescent while a call ran
    early: bool  # so it was in a call that a right design would have gone on with
    accused: tuple[str, ...]  # concerns of the rendezvous's failed checks
    # concerns that a wrong solution has to fail, of those that a rendezvous shows
    expected: tuple[str, ...]
    # longest time in seconds between two messages of its tasks, from the start of a call to its end
    silence: float
    in_order: bool  # the first n tasks arrived in the order of submission
    seconds: float

    @property
    def key(self) -> tuple[str, ...]:
        """What tells the run from others."""
        return (self.assignment, self.design, self.play, self.method)


def turns(repeat: int) -> Iterator[Turn]:
    """Yield all runs, each round in an order of its own, so that what is there after a while is a
    fair sample.
    """
    for number in range(repeat):
        found = [
            Turn(assignment=name, case=case, play=play, method=method)
            for name, plays in PLAYS.items()
            for case in cases(assignment.find_assignment(name), [ROOT / "tests" / "designs" / name])
            if Concern.IMPORT not in case.concerns  # there is nothing to call
            for play in plays
            for method in METHODS
        ]
        yield from random.Random(number).sample(found, len(found))


def measured(turn: Turn, load: int) -> Line:
    """Make a run and return what is kept of it."""
    asked = assignment.find_assignment(turn.assignment)
    scenario = Scenario(steps=PLAYS[turn.assignment][turn.play], start_method=turn.method)
    with tempfile.TemporaryDirectory(prefix="mpgrade-gates-") as scratch:
        setting = Setting(
            assignment=asked, submission=discover(turn.case.file(Path(scratch)), asked)
        )
        began = time.monotonic()
        made = [
            run for run in make_runs(scenario, setting)[1:] if run.ending is not Ending.NOT_TRIED
        ]
    last = made[-1] if made else None
    found = [check(last) for check in OF_THE_LINE] if last and turn.play == "rendezvous" else []
    by_rule = [rule for run in made if (rule := _rule(run))]
    waits_for_us = (
        turn.play == "held"
        and last is not None
        and last.ending is Ending.RETURNED
        and len(made) == 2
    )
    return Line(
        assignment=turn.assignment,
        design=turn.case.name,
        right=not turn.case.concerns,
        play=turn.play,
        method=turn.method,
        load=load,
        ending=str(last.ending) if last else "not tried",
        rules=tuple(by_rule),
        early=bool([run for run in (made[:-1] if waits_for_us else made) if _rule(run)]),
        accused=tuple(
            sorted({str(each.concern) for each in found if each.outcome is Outcome.FAILED})
        ),
        expected=_expected(turn),
        silence=max((_silence(run) for run in made), default=0.0),
        in_order=_in_order(made),
        seconds=round(time.monotonic() - began, 2),
    )


def _rule(run: Run) -> str:
    """Return the rule by which the tree was called quiescent in a call; "" where it was not."""
    gates = run.trace.gates
    if gates is not None and gates.quiet:
        return gates.quiet
    return run.why if run.ending is Ending.HUNG else ""


def _expected(turn: Turn) -> tuple[str, ...]:
    shown = turn.play == "rendezvous" and turn.case.path.stem not in NOT_THERE
    return tuple(name for name in turn.case.concerns if shown and name in ITS_CONCERNS)


def _silence(run: Run) -> float:
    moments = [0.0, *(event.at for event in run.trace.events), run.seconds]
    return round(max(later - before for before, later in itertools.pairwise(moments)), 3)


def _in_order(made: Sequence[Run]) -> bool:
    came = [event.key for run in made[-1:] for event in run.trace.events if event.kind == "gate"]
    return came[:N] == list(LINE.keys[:N])


def main() -> int:
    """Make runs for a while, then print the tables; 1 where a verdict is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--journal", type=Path, default=RECORDS)
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no run after that")
    parser.add_argument("--repeat", type=int, default=1, help="rounds of all runs")
    parser.add_argument(
        "--load", type=int, default=2 * (os.cpu_count() or 1), help="busy loops beside them"
    )
    parser.add_argument("--jobs", type=int, default=3, help="runs at a time")
    asked = parser.parse_args()
    text = asked.journal.read_text("utf-8") if asked.journal.exists() else ""
    lines = [msgspec.json.decode(line, type=Line) for line in text.splitlines()]
    left = Counter(line.key for line in lines if line.load == asked.load)
    lock, end = threading.Lock(), time.monotonic() + 60 * asked.minutes

    def make(turn: Turn) -> None:
        if time.monotonic() > end:
            return
        line = measured(turn, asked.load)
        with lock, asked.journal.open("a", encoding="utf-8") as file:
            lines.append(line)
            file.write(json.dumps(asdict(line)) + "\n")

    todo = []
    for turn in turns(asked.repeat):
        left[turn.key] -= 1
        todo += [turn] if left[turn.key] < 0 else []
    with busy_loops(asked.load if asked.minutes else 0), ThreadPoolExecutor(asked.jobs) as pool:
        list(pool.map(make, todo))
    return report([line for line in lines if line.load == asked.load])


def report(lines: Sequence[Line]) -> int:
    """Print the tables; return how the command ends."""
    for right in (True, False):
        some = [line for line in lines if line.right is right]
        print(
            f"{'right designs' if right else 'wrong solutions'}: {len(some)} runs of"
            f" {len(_designs(some))}"
        )
        for play in sorted({line.play for line in some}):
            _rules_of(play, [line for line in some if line.play == play])
    right_ones = [line for line in lines if line.right]
    early = [line for line in right_ones if line.early or line.ending != Ending.RETURNED]
    accused = [line for line in right_ones if line.accused]
    judged = [line for line in lines if line.expected]
    slipped = [line for line in judged if not set(line.accused) & set(line.expected)]
    met = [line for line in right_ones if line.play == "rendezvous"]
    _share(
        "right runs called quiescent, or not back, though there was something to do",
        early,
        right_ones,
    )
    _share("right runs that a check of the rendezvous accuses", accused, met)
    _share("wrong runs of the rendezvous that no check accuses", slipped, judged)
    gated = [line for line in right_ones if line.play != "held"]
    silent = partial(filter, lambda line: line.silence > SILENCE_SECONDS)
    _share(
        f"right runs that were silent for more than {SILENCE_SECONDS:g} s",
        [*silent(gated)],
        gated,
        names=False,
    )
    jumbled = [line for line in met if not line.in_order]
    _share(f"right runs whose first {N} tasks arrived in another order", jumbled, met, names=False)
    return 1 if early or accused or slipped else 0


def _designs(lines: Sequence[Line]) -> set[tuple[str, str]]:
    return {(line.assignment, line.design) for line in lines}


def _rules_of(play: str, lines: Sequence[Line]) -> None:
    rules = Counter(rule for line in lines for rule in line.rules)
    told = ", ".join(f"{rule} {count}" for rule, count in rules.most_common()) or "none"
    print(
        f"  {play:11}{len(lines):5} runs of {len(_designs(lines)):2}; called quiescent by: {told}"
    )


def _share(what: str, some: Sequence[Line], of: Sequence[Line], *, names: bool = True) -> None:
    print(f"{what}: {len(some)} of {len(of)}" + (f", {rate(len(some), len(of))}" if of else ""))
    for line in some if names else ():
        print(
            f"  {line.design}, {line.play}, {line.method}: {line.ending}; {line.rules},"
            f" {line.accused}"
        )


if __name__ == "__main__":
    sys.exit(main())
