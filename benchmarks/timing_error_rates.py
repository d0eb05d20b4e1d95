"""How often does the test of speed deduct, leave open, or give all points, by how much slower a
pattern truly is?

Simulated from the pairs of the right variants that `speed_verdicts.py` has recorded. Each variant's
pairs are scaled so that the median ratio is 1; the time of tasks that only wait is then multiplied
by the true ratio, and pairs are drawn with replacement until the test stops by itself or has had as
many as it may take. A deduction where the true ratio is at most what is free is an error of the
first kind. Intervals of 95 % by Wilson. Takes half a minute of CPU time.

docs/timing.md, error-rates, quotes the table.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

import msgspec

from pytest_mpgrade.judge import speedup_statistics
from pytest_mpgrade.records import Pair, SpeedRules
from speed_verdicts import RECORDS, RIGHT, rate

RULES = SpeedRules()
RATIOS = (0.9, 1.0, 1.1, RULES.free, 1.3, RULES.lost, 2.0)
ENDS = ("deducted", "open", "all points")


def cells(journal: Path) -> dict[tuple[int, str], list[Pair]]:
    """Return the pairs of the right variants by load and start method, scaled to a ratio of 1."""
    names = {path.stem for path in RIGHT}
    found: dict[tuple[int, str], list[Pair]] = defaultdict(list)
    own: dict[tuple[int, str, str], list[Pair]] = defaultdict(list)
    for line in map(json.loads, journal.read_text("utf-8").splitlines()):
        if line["variant"] in names and not line["label"]:
            own[line["load"], line["method"], line["variant"]] += msgspec.convert(
                line["pairs"], list[Pair]
            )
    for (load, method, _), pairs in own.items():
        found[load, method] += centred(pairs)
    return found


def centred(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs with each of their times of the submission scaled to a median ratio of 1."""
    waiting = _middle(pair.waiting for pair in pairs)
    computing = _middle(pair.computing for pair in pairs if pair.computing)
    return [
        dataclasses.replace(
            pair,
            waiting=_scaled(pair.waiting, 1 / waiting),
            computing=_scaled(pair.computing, 1 / computing) if pair.computing else None,
        )
        for pair in pairs
    ]


def _middle(times: Iterable[tuple[float, float]]) -> float:
    return median([own / theirs for own, theirs in times if own > 0 and theirs > 0] or [1.0])


def _scaled(times: tuple[float, float], by: float) -> tuple[float, float]:
    return times[0] * by, times[1]


def verdict(pairs: Sequence[Pair], true: float, draw: random.Random) -> tuple[str, int]:
    """Draw pairs as a timing takes them; return how it ended, and after how many."""
    taken: list[Pair] = []
    while len(taken) < RULES.pairs and not (taken and speedup_statistics.decided(taken, RULES)):
        pair = draw.choice(pairs)
        taken.append(dataclasses.replace(pair, waiting=_scaled(pair.waiting, true)))
    found = speedup_statistics.judge_pairs(taken, RULES)
    return ("deducted" if found.slow else "open" if found.unsure else "all points"), len(taken)


def main() -> None:
    """Print a line for each load and true ratio, over both start methods."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--journal", type=Path, default=RECORDS)
    parser.add_argument(
        "--draws", type=int, default=200, help="verdicts for each load, start method and true ratio"
    )
    asked = parser.parse_args()
    found = cells(asked.journal)
    print(f"{'load':>4} {'true':>5} {'pairs':>6}  " + "".join(f"{end:24}" for end in ENDS))
    for load in sorted({load for load, _ in found}):
        for true in RATIOS:
            draw = random.Random(f"{load} {true}")
            here = [pairs for (one, _), pairs in sorted(found.items()) if one == load]
            ended = [verdict(pairs, true, draw) for pairs in here for _ in range(asked.draws)]
            counts = Counter(end for end, _ in ended)
            shares = "".join(f"{rate(counts[end], len(ended)):24}" for end in ENDS)
            print(
                f"{load:4} {true:5.2f} {median(count for _, count in ended):6g}  {shares}".rstrip(),
                flush=True,
            )


if __name__ == "__main__":
    main()
