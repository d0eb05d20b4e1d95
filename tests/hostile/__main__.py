"""Grade the hostile submissions in every layer of isolation that this machine has; called by `make
hostile`.

For each: no full marks and no check left undecided, the grader alive with a whole result, nothing
left behind, the same verdict again, and what assignments/mp_apply/wrong/hostile/hostile.toml asks.
As root every grading gets a cell of its own (hostile/cell.py), and the layers are uid, bwrap and
landlock; for an ordinary user bwrap, landlock and none; for both what is left where namespaces are
forbidden, as in a container. Others have bwrap and landlock, without cells.

    PYTHONPATH=tests python -m hostile            every case in every layer, twice
    PYTHONPATH=tests python -m hostile --once     every case once, the layers in turn
    PYTHONPATH=tests python -m hostile --once --part 2/3     a third of the cases

The whole table takes more than an hour of an idle machine: with --journal FILE it may be broken off
and gone on with.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from hostile import grading
from hostile.grading import CASES, cell_works, grade
from hostile.places import ROOT, Place, places
from hostile.verdict import Case, Graded, Rows, cases, judge
from pytest_mpgrade.cli.values import part_value

Turn = tuple[Case, Place]


def main() -> int:
    """Run what is asked for, print the table; 0 when nothing was found wrong."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("broken off"))  # what was laid out is removed
    began = time.monotonic()
    part, parts = arguments.part
    chosen = [
        case
        for case in cases()[part - 1 :: parts]
        if not arguments.only or case.name in arguments.only
    ]
    before = _repository()
    with tempfile.TemporaryDirectory(prefix="mpgrade-suite-", ignore_cleanup_errors=True) as name:
        temp = Path(name)
        temp.chmod(0o755)
        why = cell_works(temp)
        if why:
            print(
                f"this machine lacks the capability: cells ({why}); what is left is looked for by"
                " its marks"
            )
        there = _there(temp, celled=not why, jobs=arguments.jobs)
        found = [each for each in there if not arguments.places or each.name in arguments.places]
        turns = _turns(chosen, found, once=arguments.once)
        rows = Rows(arguments.journal)
        todo = [turn for turn in turns if _key(turn) not in rows]
        _all([turn for turn in todo if not turn[0].slow], rows, temp, arguments, arguments.jobs)
        # Those take all of the machine.
        _all(
            [turn for turn in todo if turn[0].slow],
            rows,
            temp,
            arguments,
            1 if arguments.once else arguments.jobs,
        )
    print(_table(rows, found))
    faults = [
        f"{case} in {place}: {fault}"
        for (case, place), one in sorted(rows.items())
        for fault in one.faults
    ]
    faults += ["the repository was changed"] * (why != "" and before != _repository())
    print(*faults, sep="\n")
    print(f"{len(rows)} cells, {len(faults)} faults, {time.monotonic() - began:.0f} s")
    return 1 if faults or not rows else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--once", action="store_true", help="each case once, the layers in turn")
    parser.add_argument(
        "--repeat", type=int, default=2, help="gradings of each case in each layer (default: 2)"
    )
    parser.add_argument(
        "--journal", type=Path, metavar="FILE", help="rows so far; those in it are not made again"
    )
    parser.add_argument(
        "--part",
        type=part_value,
        default=(1, 1),
        metavar="K/N",
        help="only the K-th of N parts of the cases",
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="CASE")
    parser.add_argument("--places", nargs="+", default=[], metavar="USER/LAYER")
    parser.add_argument("--seconds", type=float, default=8.0, help="limit of one call (default: 8)")
    parser.add_argument(
        "-j", dest="jobs", type=int, default=3, help="gradings at a time (default: 3)"
    )
    return parser.parse_args()


def _repository() -> str:
    git = shutil.which("git")
    if not git:
        return ""
    done = subprocess.run(
        [git, "-C", str(ROOT), "status", "--porcelain"], capture_output=True, text=True, check=False
    )
    return done.stdout


def _there(temp: Path, *, celled: bool, jobs: int) -> list[Place]:
    """Return the places of this machine, and name those where the starter, which fails at once, is
    graded otherwise.
    """
    starter = Case(name="starter")
    source = ROOT / "assignments" / "mp_apply" / "starter"

    def lacks(place: Place) -> str:
        left = grade(source, place, temp, f"starter-{place.user}-{place.layer}", 20)
        return "; ".join(judge(starter, place, left).faults)

    found = list(places(temp, celled=celled))
    with concurrent.futures.ThreadPoolExecutor(jobs) as threads:
        lacking = list(threads.map(lacks, found))
    for place, why in zip(found, lacking, strict=True):
        if why:
            print(f"this machine lacks the capability: {place.name} ({why})", flush=True)
    return [place for place, why in zip(found, lacking, strict=True) if not why]


def _turns(chosen: Sequence[Case], found: Sequence[Place], *, once: bool) -> list[Turn]:
    turns = []
    for number, case in enumerate(chosen):
        open_to = [place for place in found if not case.spared(place, "all")]
        first = 0 if case.slow else number % max(1, len(open_to))
        picked = open_to[first : first + 1] if once else open_to
        turns += [(case, place) for place in picked]
    return turns


def _key(turn: Turn) -> tuple[str, str]:
    return turn[0].name, turn[1].name


def _all(
    turns: Sequence[Turn], rows: Rows, temp: Path, arguments: argparse.Namespace, jobs: int
) -> None:
    repeat = 1 if arguments.once else arguments.repeat
    with concurrent.futures.ThreadPoolExecutor(jobs) as threads:
        waiting = {
            threads.submit(_turn, turn, temp, repeat, arguments.seconds): turn for turn in turns
        }
        try:
            for number, future in enumerate(concurrent.futures.as_completed(waiting), 1):
                case, place = waiting[future]
                one = future.result()
                rows.add(case.name, place.name, one)
                words = (
                    f"[{number}/{len(turns)}] {case.name} in {place.name} ({one.seconds:.1f} s):"
                    f" {one.words}"
                )
                print(words, *one.faults, sep="\n    ", flush=True)
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            grading.end_all()
            raise


def _turn(turn: Turn, temp: Path, repeat: int, seconds: float) -> Graded:
    case, place = turn
    source = CASES / case.name if (CASES / case.name).is_dir() else CASES / f"{case.name}.py"
    names = [f"{case.name}-{place.user}-{place.layer}-{number}" for number in range(repeat)]
    found = [
        judge(case, place, grade(source, place, temp, name, case.seconds or seconds))
        for name in names
    ]
    faults = [fault for each in found for fault in each.faults]
    verdicts = [", ".join(each.verdict) for each in found]
    if len(set(verdicts)) > 1 and not case.spared(place, "verdict"):
        faults.append(f"verdicts differ: {' / '.join(verdicts)}")
    longest = max(each.seconds for each in found)
    return Graded(
        words=found[0].words, faults=tuple(faults), verdict=found[0].verdict, seconds=longest
    )


def _table(rows: Rows, found: Sequence[Place]) -> str:
    names = sorted({name for name, _ in rows})
    width = max((len(name) for name in names), default=0)
    lines = ["  ".join([" " * width, *(place.name.ljust(16) for place in found)])]
    for name in names:
        cells = []
        for place in found:
            one = rows.get((name, place.name))
            cells.append(
                "" if one is None else ("FAULT" if one.faults else one.words.split(" ")[0])
            )
        lines.append("  ".join([name.ljust(width), *(cell.ljust(16) for cell in cells)]).rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
