"""How often are speed verdicts wrong? Right and slow variants of `mp_apply`, live and replayed, in
each cell of load.

Each line of the journal is one live verdict with all its pairs; a run that was broken off goes on
where it was. From the pairs of a cell, verdicts are replayed by drawing with replacement. Wrong is
a right variant that loses points, or a slow one that keeps them all; 95 % intervals by Wilson (J.
Am. Stat. Assoc. 22, 209, 1927).

    python benchmarks/speed_verdicts.py --minutes 60                 in parts, added to the records
    python benchmarks/speed_verdicts.py --minutes 0 --replays 100    the table alone, in a minute
    taskset -c 0 python benchmarks/speed_verdicts.py --label "1 core" …    on one core
"""

from __future__ import annotations

import argparse
import json
import math
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from pytest_mpgrade import checks
from pytest_mpgrade.cli.verify import busy_loops
from pytest_mpgrade.cli.verify_cases import wrong_solution
from pytest_mpgrade.course import assignment
from pytest_mpgrade.isolation import choose
from pytest_mpgrade.judge import speedup_statistics
from pytest_mpgrade.records import Outcome, Pair, SpeedRules
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.student.calls import Student
from pytest_mpgrade.student.runs import RunCache
from pytest_mpgrade.submission.discover import discover

ROOT = Path(__file__).resolve().parent.parent
_DESIGNS = ROOT / "tests" / "designs" / "mp_apply"
RIGHT = [
    _DESIGNS / f"{name}.py"
    for name in (
        "shared_queue",
        "queue_per_worker",
        "pipe_per_worker",
        "joinable_queue",
        "manager_queues",
        "executor",
    )
]
RIGHT += [
    ROOT / "benchmarks" / "right" / f"looks_every_{period}.py" for period in ("005", "01", "025")
]
WRONG = ("naps_between_tasks", "polls_busily", "process_per_task", "pickles_context")
"""Wrong solutions of the assignment that are slow; the other slow ones are files."""
SLOW = [ROOT / "benchmarks" / "slow" / f"{name}.py" for name in ("half_again", "one_result_a_look")]
RECORDS = ROOT / "benchmarks" / "records" / "speed.jsonl"


def main() -> None:
    """Take live verdicts for a while, then print the table."""
    arguments = _arguments()
    journal = Path(arguments.journal)
    lines = (
        [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []
    )
    end = time.monotonic() + 60 * arguments.minutes
    for turn in _turns(arguments):
        if time.monotonic() > end:
            break
        if sum(_turn(line) == turn[:4] for line in lines) > turn[4]:
            continue
        with busy_loops(turn[2]):
            lines.append(_live(*turn[:4]))
        with journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(lines[-1]) + "\n")
        print(*turn[:4], lines[-1]["outcome"], f"{lines[-1]['seconds']:.1f} s", flush=True)
    _print([line for line in lines if line["label"] == arguments.label], arguments.replays)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--journal", default=str(RECORDS))
    parser.add_argument(
        "--minutes", type=float, default=1e9, help="stop taking verdicts after that"
    )
    parser.add_argument("--repeat", type=int, default=30, help="live verdicts in each cell")
    parser.add_argument(
        "--loads", type=int, nargs="+", default=[0, 2, 4], help="busy loops beside it"
    )
    parser.add_argument("--methods", nargs="+", default=["fork", "spawn"])
    parser.add_argument("--only", nargs="+", default=[], metavar="VARIANT")
    parser.add_argument(
        "--replays",
        type=int,
        default=1500,
        help="verdicts that are drawn from the pairs of each cell",
    )
    parser.add_argument("--label", default="", help="what is special about the machine just now")
    return parser.parse_args()


def _turns(arguments: argparse.Namespace) -> Iterator[tuple[str, str, int, str, int]]:
    """Yield all verdicts to take, round by round, so that what is there after a while is spread
    evenly.
    """
    for number in range(arguments.repeat):
        for load in arguments.loads:
            for method in arguments.methods:
                for variant in (
                    *(path.stem for path in RIGHT),
                    *WRONG,
                    *(path.stem for path in SLOW),
                ):
                    if not arguments.only or variant in arguments.only:
                        yield variant, method, load, arguments.label, number


def _turn(line: dict[str, Any]) -> tuple[str, str, int, str]:
    return line["variant"], line["method"], line["load"], line["label"]


def _live(variant: str, method: str, load: int, label: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mpgrade-speed-") as scratch:
        return _timed(_file(variant, Path(scratch)), variant, method, load, label)


def _file(variant: str, scratch: Path) -> Path:
    """Return the file of a variant; a wrong solution of the assignment is written first."""
    if variant not in WRONG:
        return next(path for path in (*RIGHT, *SLOW) if path.stem == variant)
    return wrong_solution(assignment.find_assignment("mp_apply"), variant).file(scratch)


def _timed(path: Path, variant: str, method: str, load: int, label: str) -> dict[str, Any]:
    asked = assignment.find_assignment("mp_apply")
    found = discover(path, asked)
    layer = choose.choose_isolation("auto", module=str(Path(found.folder) / found.module))
    own = RunCache(Setting(assignment=asked, submission=found, isolation=layer))
    theirs = RunCache(
        Setting(assignment=asked, submission=discover(ROOT / "reference" / "mp_apply", asked))
    )
    try:
        student = Student(own, method, lambda: theirs)
        run = student.time("mp_apply")
        (finding,) = student.check(run, checks.keeps_up_with_reference())
    finally:
        own.close()
        theirs.close()
    told = {
        "variant": variant,
        "method": method,
        "load": load,
        "label": label,
        "outcome": finding.outcome,
    }
    told |= {"credit": finding.credit, "seconds": round(run.seconds, 3)}
    return told | {"pairs": msgspec.to_builtins(run.pairs)}


def _replayed(pairs: Sequence[Pair], seed: str, replays: int) -> list[str]:
    """Draw verdicts from the pairs of a cell; each ends as a live one would, but not by time."""
    rules, draw, found = SpeedRules(), random.Random(seed), []
    for _ in range(replays if len(pairs) > 20 else 0):
        taken = [draw.choice(pairs)]
        while len(taken) < rules.pairs and not speedup_statistics.decided(taken, rules):
            taken.append(draw.choice(pairs))
        verdict = speedup_statistics.judge_pairs(taken, rules)
        found.append("deducted" if verdict.slow else "inconclusive" if verdict.unsure else "full")
    return found


def _print(lines: Sequence[dict[str, Any]], replays: int) -> None:
    cells: dict[tuple[str, int, str], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        cells[line["variant"], line["load"], line["method"]].append(line)
    slow = {*WRONG, *(path.stem for path in SLOW)}
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    print(
        f"\n{'variant':20}{'load':>5} {'method':8}{'live':>5}{'wrong':>7}{'open':>6}{'s':>6}  "
        " replays: wrong, open"
    )
    for (variant, load, method), found in sorted(cells.items()):
        kept = ["passed" if variant in slow else "failed"]
        bad = sum(line["outcome"] in kept for line in found)
        unsure = sum(line["outcome"] == Outcome.INCONCLUSIVE for line in found)
        pairs = [msgspec.convert(pair, Pair) for line in found for pair in line["pairs"]]
        again = _replayed(pairs, f"{variant}{load}{method}", replays)
        drawn = ""
        if again:
            missed = again.count("full" if variant in slow else "deducted")
            drawn = f"{rate(missed, len(again))}, {rate(again.count('inconclusive'), len(again))}"
        seconds = median(line["seconds"] for line in found)
        print(
            f"{variant:20}{load:5} {method:8}{len(found):5}{bad:7}{unsure:6}{seconds:6.1f}  "
            f" {drawn}"
        )
        group = f"{'slow' if variant in slow else 'right'}, load {load}"
        totals[group] = [
            sum(both) for both in zip(totals[group], (bad, unsure, len(found)), strict=True)
        ]
    for group, (bad, unsure, count) in sorted(totals.items()):
        rates = f"{bad} wrong, {rate(bad, count)}; {unsure} open, {rate(unsure, count)}"
        print(f"{group}: of {count} live verdicts {rates}")


def rate(count: int, of: int) -> str:
    """Return a rate in per cent with its 95 % interval by Wilson."""
    z, share = 1.96, count / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{100 * share:.1f} % [{100 * max(0.0, middle - half):.1f}-{100 * (middle + half):.1f}]"


if __name__ == "__main__":
    main()
