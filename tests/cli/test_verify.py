"""`mpgrade verify`: the grader is held against solutions whose verdict is known."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_mpgrade.cli.case_verdict import judge_case
from pytest_mpgrade.cli.verify_cases import Case, cases
from pytest_mpgrade.course import assignment as assignments
from pytest_mpgrade.errors import AssignmentError
from pytest_mpgrade.records import Concern, Outcome
from support import results
from support.known_verdicts import EXPECTED, course
from support.running import wait_until

__all__ = ["course"]

TIMING = '''
@pytest.mark.criterion("results")
def test_speed(student):
    """It is as fast as the reference."""
    student.check(student.call("twice", 5), checks.returns_value(11))
'''
"""A test that is left out without timings: here it would fail."""


def run(course: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Verify the assignment as a user does."""
    command = [sys.executable, "-m", "pytest_mpgrade", "verify", str(course), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_right_verdicts(course: Path, tmp_path: Path) -> None:
    """Where all verdicts are right and every check has been failed, the exit code is 0; the journal
    has each line.
    """
    journal = tmp_path / "journal.jsonl"
    done = run(course, "--repeat", "2", "--resume", str(journal))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 gradings, 0 wrong verdicts" in done.stdout
    told = [json.loads(line) for line in journal.read_text().splitlines()]
    assert {(one["case"], tuple(one["failed"])) for one in told} == {
        ("reference", ()),
        ("thrice", ("results",)),
        ("hangs", ("deadlock",)),
    }
    again = run(course, "--repeat", "2", "--resume", str(journal))
    assert again.returncode == 0
    assert len(journal.read_text().splitlines()) == len(told)


def test_wrong_verdict(course: Path) -> None:
    """A wrong solution that fails another concern than it must is a wrong verdict, and the exit
    code is 1.
    """
    path = course / "wrong" / "expected.toml"
    path.write_text(EXPECTED.replace('"results"', '"edge"'))
    done = run(course)
    assert done.returncode == 1
    assert "failed results, expected edge" in done.stdout


def test_check_that_nobody_fails(course: Path) -> None:
    """A check that no wrong solution fails proves nothing, and is named."""
    (course / "wrong" / "hangs.py").unlink()
    (course / "wrong" / "expected.toml").write_text(EXPECTED.partition("[hangs]")[0])
    done = run(course)
    assert done.returncode == 1
    assert "no wrong solution ever fails comes_back" in done.stdout


def test_tables_and_files_differ(course: Path) -> None:
    """Each wrong solution has a table that says what it must fail."""
    (course / "wrong" / "more.py").write_text("def twice(x): pass\n")
    with pytest.raises(AssignmentError, match="differ: more"):
        cases(assignments.find_assignment(str(course)))


def test_shipped_assignments_say_what_must_fail() -> None:
    """Every wrong solution that is shipped has its concerns, and there are enough of them."""
    for each in assignments.shipped():
        least = 16 if each.name == "mp_apply" else 8
        wrong = [case for case in cases(each) if case.concerns]
        assert len(wrong) >= least


def test_without_timings(course: Path) -> None:
    """Without timings, solutions that only a timing can fail are left out, and no such test is
    made; an assignment that has no timing has no such solutions.
    """
    (course / "wrong" / "naps.py").write_text("def twice(x):\n    return 2 * x\n")
    (course / "wrong" / "expected.toml").write_text(EXPECTED + '\n[naps]\nconcerns = ["speedup"]\n')
    assert run(course, "--untimed", "--only", "naps").returncode == 1
    with (course / "test_twice.py").open("a") as tests:
        tests.write(TIMING)
    done = run(course, "--untimed")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 gradings, 0 wrong verdicts" in done.stdout


def test_only_some(course: Path, tmp_path: Path) -> None:
    """Solutions are named as the table names them, or as their files are, in any order, and a name
    that is none is told.
    """
    right = tmp_path / "sum.py"
    right.write_text("def twice(x):\n    return x + x\n")
    for name in ("sum", "right: sum"):
        done = run(course, "--right", str(right), "--only", "thrice", name)
        assert "2 gradings, 0 wrong verdicts" in done.stdout, done.stdout + done.stderr
        assert done.stdout.index("\nright: sum ") < done.stdout.index("\nthrice ")
    wrong = run(course, "--only", "thrice", "trice")
    assert wrong.returncode == 2
    assert "there is no solution 'trice' to verify" in wrong.stderr


def test_without_a_table(course: Path) -> None:
    """Nothing is known of wrong solutions of which nothing is said."""
    (course / "wrong" / "expected.toml").unlink()
    with pytest.raises(AssignmentError, match="to say what each wrong solution must fail"):
        cases(assignments.find_assignment(str(course)))


def test_in_parts(course: Path) -> None:
    """The parts together are all wrong solutions, each once; the right one is in every part, and
    nothing is missed.
    """
    wrong: list[str] = []
    for part in ("1/2", "2/2"):
        done = run(course, "--part", part)
        assert done.returncode == 0, done.stdout + done.stderr
        names = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("[")]
        assert "reference" in names
        wrong += [name for name in names if name != "reference"]
    assert sorted(wrong) == ["hangs", "thrice"]
    assert "K/N" in run(course, "--part", "3/2").stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_ends_what_is_running(course: Path, tmp_path: Path) -> None:
    """Gradings in progress are ended rather than waited for, and the journal has no line of
    theirs.
    """
    (course / "reference" / "twice.py").write_text(
        "import time\n\ndef twice(x):\n    time.sleep(100)\n"
    )
    journal = tmp_path / "journal.jsonl"
    command = [sys.executable, "-m", "pytest_mpgrade", "verify", str(course), "--only", "reference"]
    process = subprocess.Popen(
        [*command, "--resume", str(journal), "--limit", "seconds=200", "--limit", "patience=200"]
    )
    try:
        assert wait_until(lambda: any("inside.child" in line for line in _below(process.pid)))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    finally:
        process.kill()
        process.wait()
    assert not journal.exists()


def _below(pid: int) -> list[str]:
    """Return the command lines of the processes of a command; one that ends meanwhile is left
    out.
    """
    found: list[str] = []
    with contextlib.suppress(psutil.Error):
        for one in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                found.append(" ".join(one.cmdline()))
    return found


CLOCK = {"outcome": Outcome.INCONCLUSIVE, "concern": Concern.SPEEDUP}


@pytest.mark.parametrize(
    ("concerns", "load", "seen", "right"),
    [
        (("speedup",), 4, CLOCK, True),
        (("speedup",), 0, CLOCK, False),
        ((), 4, CLOCK, True),
        (("speedup",), 4, {"outcome": Outcome.PASSED, "concern": Concern.SPEEDUP}, False),
        ((), 4, {"outcome": Outcome.INCONCLUSIVE, "concern": Concern.CONCURRENCY}, False),
    ],
)
def test_clock_may_be_undecided_under_load(
    concerns: tuple[str, ...], load: int, seen: dict[str, Any], right: bool
) -> None:
    """Beside busy loops a timing may decide nothing; on a quiet machine it must, and other checks
    always.
    """
    sure = results.outcomes(*[Outcome.PASSED] * 3)
    timed = results.placed("test_x.py::test_speed[fork]", results.finding(check="keeps_up", **seen))
    result = results.result([*sure, *timed])
    assert result.score == result.max_score == 1.0
    case = Case(name="x", path=Path("x"), concerns=concerns)
    assert (judge_case(case, result, 0, load).wrong == "") is right


def test_right_solution_that_loses_a_point_is_a_wrong_verdict() -> None:
    """A right solution has exactly all points; what took one is named, also where it is told of no
    concern.
    """
    lost = results.result(results.outcomes(Outcome.PASSED, Outcome.ABSENT))
    said = judge_case(Case(name="x", path=Path("x"), concerns=()), lost, 0, 0).wrong
    assert said == "0.5 of 1.0 points: test_x.py::test_1/values absent: m"


def test_what_to_fix_first_is_what_a_case_is_about() -> None:
    """The first cause that students read has the concern that is named first; another one is a
    wrong verdict.
    """
    found = [
        *results.placed("t.py::test_a[fork]", results.finding(hint="return all results")),
        *results.placed("t.py::test_b[fork]", results.finding(concern=Concern.EDGE, hint="b")),
    ]
    result = results.result(found)
    about = {
        concerns: judge_case(Case(name="x", path=Path("x"), concerns=concerns), result, 0, 0).wrong
        for concerns in (("results", "edge"), ("edge", "results"))
    }
    assert about["results", "edge"] == ""
    said = "what to fix first is results: return all results, expected edge"
    assert about["edge", "results"] == said


def test_reasons_are_told_once_and_fit_the_terminal(course: Path) -> None:
    """A reference that fails is told of in each round, and why only in the first; no line is
    longer than 80 columns.
    """
    (course / "reference" / "twice.py").write_text("def twice(x):\n    return 3 * x\n")
    done = run(course, "--repeat", "2", "--only", "reference")
    assert done.returncode == 1
    told = done.stdout.partition("gradings ")[0]
    assert max(map(len, told.splitlines()[:-1])) <= 80
    assert " ".join(told.split()).count("failed results, expected nothing") == 2
    assert " ".join(told.split()).count("as told of reference") == 1
