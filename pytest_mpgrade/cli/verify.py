"""`mpgrade verify`: test the grader as the grader tests students.

It grades the reference and every wrong solution of an assignment repeatedly, also beside busy
loops. The reference must get full marks. Each wrong solution must fail exactly the concerns that
`wrong/expected.toml` names, and lose at least as many points as that file says, by default a tenth
of a point.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import msgspec

from pytest_mpgrade.cli.case_verdict import CaseVerdict, judge_case
from pytest_mpgrade.cli.verify_cases import Case, cases
from pytest_mpgrade.course.assignment import find_assignment, reference_folder
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade import grading, pytest_run
from pytest_mpgrade.records import Assignment, Concern
from pytest_mpgrade.system import console
from pytest_mpgrade.system.ignored_names import IGNORED
from pytest_mpgrade.system.text import one_line, points

_VARIES = re.compile(r"\d+")
"""Numbers in a message: process ids, and how many of something there were."""
TIMED = "test_speed"
"""The name of tests that need the machine for themselves.

Without them, gradings that run side by side take far less time.
"""


@contextmanager
def busy_loops(loops: int) -> Iterator[None]:
    """Run *loops* busy processes while the context lasts."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


class Journal:
    """The verdicts so far, written to a file if one is named, to resume a verification from."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.verdicts: list[CaseVerdict] = []
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self.verdicts.append(msgspec.json.decode(line, type=CaseVerdict))

    def has(self, case: Case, round: int, load: int) -> bool:
        """Tell whether the journal has the verdict of this grading."""
        return any(
            (one.case, one.round, one.load) == (case.name, round, load) for one in self.verdicts
        )

    def add(self, verdict: CaseVerdict) -> None:
        """Add a verdict, and write its line to the file at once."""
        with self._lock:
            self.verdicts.append(verdict)
            if self._path is not None:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(verdict)) + "\n")


def main(arguments: argparse.Namespace) -> int:
    """Run `mpgrade verify` without --mutate.

    Returns 0 when every verdict is right, and every check is failed by some wrong solution.
    """
    assignment = find_assignment(arguments.assignment)
    chosen = _chosen(cases(assignment, arguments.right), assignment, arguments)
    journal = Journal(arguments.resume)
    todo = [
        (case, round)
        for round in range(max(arguments.repeat, arguments.wrong_repeat))
        for case in chosen
        if round < (arguments.wrong_repeat if case.concerns else arguments.repeat)
        and not journal.has(case, round, arguments.load)
    ]
    with busy_loops(arguments.load), tempfile.TemporaryDirectory(prefix="mpgrade-verify-") as out:
        grade_cases(assignment, todo, journal, Path(out), arguments, _Words())
    mine = [
        one
        for one in journal.verdicts
        if one.load == arguments.load and one.case in {case.name for case in chosen}
    ]
    print(table(chosen, mine))
    wrong = [one for one in mine if one.wrong]
    unfailed = [] if arguments.only or arguments.part else never_failed(mine)
    for check in unfailed:
        print(f"no wrong solution ever fails {check}")
    print(
        f"{len(mine)} gradings, {len(wrong)} wrong verdicts"
        + (f", {arguments.load} busy loops beside" * bool(arguments.load))
    )
    return 1 if wrong or unfailed else 0


def _chosen(
    known: Sequence[Case], assignment: Assignment, arguments: argparse.Namespace
) -> list[Case]:
    """Return the cases that the arguments ask for, right ones first.

    With --untimed, wrong solutions that only a timing can fail are left out.
    """
    timed = (str(Concern.SPEEDUP),) if _is_timed(assignment) else None
    number, parts = arguments.part or (1, 1)
    named = _named(known, arguments.only) if arguments.only else known
    wrong = [
        case
        for case in named
        if case.concerns and not (arguments.untimed and case.concerns == timed)
    ]
    return [case for case in named if not case.concerns] + wrong[number - 1 :: parts]


def _is_timed(assignment: Assignment) -> bool:
    """Tell whether an assignment has a timing; some ask for speed without one."""
    return f"def {TIMED}" in Path(assignment.folder, assignment.test_file).read_text("utf-8")


def _named(known: Sequence[Case], names: Sequence[str]) -> list[Case]:
    """Return the cases with these names, or made from files with these names.

    Raises UsageError for a name that is neither.
    """
    for name in names:
        if not any(name in (case.name, case.path.stem) for case in known):
            raise UsageError(f"there is no solution {name!r} to verify")
    return [case for case in known if {case.name, case.path.stem} & {*names}]


def _handed_in(case: Case, assignment: Assignment, out: Path) -> Path:
    """Return a folder as a student would hand it in.

    The solution has the module's name in it, and the reference's other files are beside it.
    """
    if case.path.is_dir():
        return case.path
    folder = out / "submissions" / grading.folder_name(case.name)
    if not folder.exists():
        beside = shutil.ignore_patterns(assignment.module, *IGNORED, ".*")
        shutil.copytree(reference_folder(assignment) or case.path.parent, folder, ignore=beside)
        suffix = case.path.suffix if assignment.notebook else ".py"
        (folder / assignment.module).with_suffix(suffix).write_bytes(case.content())
    return folder


def grade_cases(
    assignment: Assignment,
    todo: Sequence[tuple[Case, int]],
    journal: Journal,
    out: Path,
    arguments: argparse.Namespace,
    in_words: Callable[[CaseVerdict], str],
) -> None:
    """Grade each case, in each of its rounds, and add the verdicts to the journal.

    *in_words* says what a verdict is, for the line that is printed of it.
    """
    stop = pytest_run.Stop()

    def one(case: Case, round: int) -> CaseVerdict:
        options = pytest_run.Options(
            observer=arguments.observer,
            isolation=arguments.isolation,
            limits=tuple(arguments.limit),
            keyword=f"not {TIMED}" if arguments.untimed else "",
            id=case.name,
            folder=f"{grading.folder_name(case.name)}-{round}",
            stop=stop,
        )
        done = grading.grade(
            _handed_in(case, assignment, out), assignment, out / "results", options=options
        )
        verdict = judge_case(case, done.result, round, arguments.load)
        if not stop.is_set():  # an interrupted grading has no verdict
            journal.add(verdict)
        return verdict

    for case, _ in todo:
        _handed_in(case, assignment, out)
    with concurrent.futures.ThreadPoolExecutor(max_workers=arguments.jobs) as threads:
        pending = [threads.submit(one, case, round) for case, round in todo]
        try:
            for number, future in enumerate(concurrent.futures.as_completed(pending), 1):
                line = f"[{number}/{len(pending)}] {in_words(future.result())}"
                print(fitted_to_terminal(line), flush=True)
        except BaseException:
            stop.set()
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def fitted_to_terminal(line: str) -> str:
    """Return a line of any length as lines that fit the terminal."""
    return textwrap.fill(line, console.width(), subsequent_indent="    ", break_on_hyphens=False)


class _Words:
    """Says what each verdict is, and each reason for a wrong one in full only once.

    A wrong reference fails in each of its rounds, and so does each wrong solution made from it.
    """

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def __call__(self, verdict: CaseVerdict) -> str:
        """Return the line of a verdict."""
        what = one_line(verdict.wrong)[:500] if verdict.wrong else "ok"
        head, dot, seen = what.partition(". ")
        alike = _VARIES.sub("N", seen)
        if dot and alike in self._told:
            what = f"{head}, as told of {self._told[alike]}"
        else:
            self._told[alike] = verdict.case
        score = f"{points(verdict.score)} / {points(verdict.max_score)}"
        return f"{verdict.case} ({verdict.seconds:.1f} s, {score}): {what}"


def table(chosen: Sequence[Case], verdicts: Sequence[CaseVerdict]) -> str:
    """Return a line for each solution: how often each concern failed, and whether that is right."""
    concerns = sorted(
        {concern for one in verdicts for concern in one.failed}
        | {c for case in chosen for c in case.concerns}
    )
    width = max((len(case.name) for case in chosen), default=8)
    lines = [" ".join([" " * width, "gradings", *concerns])]
    for case in chosen:
        mine = [one for one in verdicts if one.case == case.name]
        count = Counter(concern for one in mine for concern in one.failed)
        cells = []
        for concern in concerns:
            right = count[concern] == (len(mine) if concern in case.concerns else 0)
            cells.append(f"{count[concern] or '.'}{'' if right else '!'}".rjust(len(concern)))
        lines.append(" ".join([case.name.ljust(width), f"{len(mine):8}", *cells]))
    return "\n".join(lines)


def never_failed(verdicts: Sequence[CaseVerdict]) -> list[str]:
    """Return the checks that are made on right solutions and that no wrong solution fails."""
    made = {check for one in verdicts for check in one.made}
    return sorted(made - {check for one in verdicts for check in one.checks})
