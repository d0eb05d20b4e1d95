"""Grade each solution with calls that share a process, and with each call apart; compare the
verdicts, check by check.

    python benchmarks/shared_and_apart.py mp_apply -j 3

Prints each check that differs, and exits with 1 where there is one. A submission whose verdict
depends on luck, such as a race, may differ for that reason: it is graded once more both ways.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from pytest_mpgrade.cli.verify_cases import Case, cases
from pytest_mpgrade.course.assignment import find_assignment

APART = """
from pytest_mpgrade.student.shared_plays import SharedPlays

SharedPlays.add = lambda self, members: None
"""
ROOT = Path(__file__).resolve().parent.parent


def outcomes(case: Case, assignment: str, *, apart: bool) -> dict[str, str]:
    """Return the outcome of each check of one grading; {} where there is nothing to grade."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "apart.py").write_text(APART)
        (folder / "handed_in").mkdir()
        path = case.file(folder / "handed_in")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += [f"--rootdir={folder}", f"--mpgrade={assignment}", f"--mpgrade-out={name}/out"]
        command += [f"--mpgrade-submission={path}", "-k", "not test_speed"]
        subprocess.run(
            [*command, *(["-p", "apart"] if apart else [])],
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{folder}:{ROOT}", "HOME": name},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        file = folder / "out" / "result.json"
        result = json.loads(file.read_text("utf-8")) if file.exists() else {"checks": []}
    return {check["id"]: check["outcome"] for check in result["checks"]}


def differences(case: Case, assignment: str) -> list[str]:
    """Return a line for each check whose outcome differs, twice."""
    found: list[set[str]] = []
    for _ in range(2):
        shared, apart = (outcomes(case, assignment, apart=each) for each in (False, True))
        found.append(
            {
                f"{case.name} {id}: {shared.get(id)} shared, {apart.get(id)} apart"
                for id in shared.keys() | apart.keys()
                if shared.get(id) != apart.get(id)
            }
        )
        if not found[-1]:
            return []
    return sorted(set.intersection(*found))


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print, and tell whether anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assignment")
    parser.add_argument("-j", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[])
    chosen = parser.parse_args(arguments)
    assignment = find_assignment(chosen.assignment)
    designs = ROOT / "tests" / "designs" / assignment.name
    known = cases(assignment, [designs] if designs.is_dir() else [])
    known = [case for case in known if not chosen.only or case.name in chosen.only]
    count = 0
    with ThreadPoolExecutor(chosen.j) as pool:
        compare = partial(differences, assignment=assignment.name)
        for number, (case, lines) in enumerate(
            zip(known, pool.map(compare, known), strict=True), 1
        ):
            print(f"[{number}/{len(known)}] {case.name}: {len(lines)} differences", flush=True)
            for line in lines:
                print(f"    {line}", flush=True)
            count += len(lines)
    print(f"{len(known)} solutions, {count} differences")
    return count > 0


if __name__ == "__main__":
    sys.exit(main())
