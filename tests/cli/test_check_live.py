"""What `mpgrade check` shows while it works, and when it is interrupted."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import small_class
from support.ours import Ours
from support.running import ROOT, variables, wait_until
from support.small_assignment import put
from support.terminal import CTRL_C, terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals and signals of POSIX")

MPGRADE = [sys.executable, "-m", "pytest_mpgrade"]
MARKED = re.compile(r"^(✓|✗|–) ")
TESTS = '''
import pytest


@pytest.mark.criterion("values")
def test_double(student):
    """double() doubles."""
    run = student.call("double", 21)
    assert run.value == ["int", "42"], "double(21) is not 42"


@pytest.mark.criterion("values")
def test_slowly(student):
    """slowly() comes back."""
    student.call("slowly", 1)
'''
SUBMISSION = """
import multiprocessing as mp
import time


def rest():
    open("began", "w").close()
    time.sleep(3600)


def double(x):
    return x


def slowly(x):
    p = mp.Process(target=rest)
    p.start()
    p.join()
"""


@pytest.fixture
def stuck(tmp_path: Path) -> Path:
    """Return a folder with an assignment, and a submission that first fails and then hangs."""
    toml = small_class.TOML.replace('["double(x)"]', '["double(x)", "slowly(x)"]')
    put(tmp_path / "double" / "assignment.toml", f"{toml}\n[limits]\nseconds = 300\n")
    put(tmp_path / "double" / "test_double.py", TESTS)
    put(tmp_path / "ada" / "double.py", SUBMISSION)
    return tmp_path


def begun(ours: Ours) -> bool:
    """Wait until the child of the second call sleeps."""
    return wait_until(lambda: any(ours.temp.glob("mpgrade-*/scratch/began")))


def test_each_question_has_a_line_as_it_ends(tmp_path: Path) -> None:
    """Not on a terminal each question has one plain line of at most 80 columns, in the order in
    which they end, after the time ahead and the plainest call, and while the grading still works.
    """
    shutil.copytree(ROOT / "assignments" / "mp_apply" / "starter", tmp_path / "ada")
    with subprocess.Popen(
        [*MPGRADE, "check", "mp_apply", "ada"],
        cwd=tmp_path,
        env=variables(),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as running:
        assert running.stdout is not None
        first, plain = running.stdout.readline(), running.stdout.readline()
        if plain.startswith("…"):  # it took long on a busy machine, which is said
            plain = running.stdout.readline()
        still_works = running.poll() is None
        rest = running.stdout.read().splitlines()
    assert still_works
    assert re.fullmatch(
        r"(\d+) questions, about \d+ s; longer where calls hang or the machine is busy\n", first
    )
    assert plain.startswith("✗ mp_apply(8 tasks, n_processes=2) raised NotImplementedError")
    lines = [line for line in rest if MARKED.match(line)]
    assert len(lines) == int(first.split()[0])
    assert lines[0].startswith("✓ interface · ")
    assert lines[0].endswith("(fork, spawn, forkserver)")
    assert lines[-1].startswith("– speedup · ")
    assert lines[-1].endswith("(not tried)")
    assert max(map(len, [first, plain, *rest])) <= 81
    assert "\x1b" not in "".join([first, plain, *rest])


def test_a_plainest_call_that_hangs_is_said_before_it_is_judged(tmp_path: Path) -> None:
    """Where the plainest call does not come back a line says so at once, and a later one how it
    ended.
    """
    text = "import time\ndef calculate(func, args): ...\ndef worker(input, output): ...\n"
    text += "def mp_apply(tasks, n_processes=2):\n    time.sleep(3600)\n"
    put(tmp_path / "ada" / "cv_funcs.py", text)
    command = [*MPGRADE, "check", "mp_apply", "ada", "-k", "test_plainest_call and fork"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=variables(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    waits, ended, verdict = done.stdout.splitlines()[1:4]
    assert waits == "… the plainest call has not come back yet"
    assert ended.startswith("✗ mp_apply(8 tasks, n_processes=2) ")
    assert verdict.startswith("✗ returns · ")


def test_other_encodings_have_words_for_marks(tmp_path: Path) -> None:
    """Where the output has no such signs, a verdict is still told by words."""
    shutil.copytree(ROOT / "assignments" / "mp_apply" / "starter", tmp_path / "ada")
    done = subprocess.run(
        [*MPGRADE, "check", "mp_apply", "ada", "-k", "test_plainest_call and fork"],
        cwd=tmp_path,
        env={**variables(), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        encoding="ascii",
        check=False,
        timeout=120,
    )
    assert "\nFAILED returns - The plainest call" in done.stdout


def test_ctrl_c_shows_what_was_found_and_where_the_code_was(stuck: Path, ours: Ours) -> None:
    """Ctrl-C in a terminal shows the failures and points so far, marked as unfinished, and the
    function and line of each process; nothing is left.
    """
    command = [*MPGRADE, "check", "double", "ada", "--isolation", "none"]
    with terminal(command, stuck) as screen:
        screen.until("double() doubles")
        assert begun(ours), screen.shown
        screen.type(CTRL_C)
        assert screen.ended() == 130, screen.shown
    shown = re.sub(r"\x1b\[[\d;]*m", "", screen.shown)
    assert "✗ values · double() doubles (fork)" in shown
    assert "unfinished, these are the points so far: 1 of 2 tests were not run" in shown
    assert "double(21) is not 42" in shown
    assert "slowly(1) under fork, after " in shown
    assert re.search(r"the parent \(pid \d+\) was in slowly\(\) at double.py:18: p.join\(\)", shown)
    assert re.search(r"worker 1 \(pid \d+\) was in rest\(\) at double.py:8: time.sleep", shown)
    assert shown.endswith("mpgrade: interrupted\n")
    assert not ours.left()


def test_interrupted_pytest_says_where_the_code_was(stuck: Path, ours: Ours) -> None:
    """Ctrl-C in pytest itself shows where the processes were, too."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no"]
    command += ["--mpgrade=double", "--mpgrade-isolation=none", "--mpgrade-submission=ada"]
    with terminal(command, stuck) as screen:
        assert begun(ours), screen.shown
        screen.type(CTRL_C)
        assert screen.ended() == 2, screen.shown
    assert "mpgrade: 2 questions, about 5 s; longer where calls hang or the" in screen.shown
    assert "When it was interrupted:\n  slowly(1) under fork" in screen.shown
    assert "was in rest() at double.py:8: time.sleep(3600)" in screen.shown


def test_time_ahead_is_about_what_it_takes(tmp_path: Path) -> None:
    """What is announced for a right solution is not wildly wrong, whatever the machine does
    besides.
    """
    command = [*MPGRADE, "check", "bg_task", str(ROOT / "reference" / "bg_task")]
    done = subprocess.run(
        [*command, "--out", "out"],
        cwd=tmp_path,
        env=variables(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    said = re.match(r"\d+ questions, about (\d+) s", done.stdout)
    assert said
    took = json.loads((tmp_path / "out" / "bg_task" / "result.json").read_text("utf-8"))["seconds"]
    assert 1 / 6 < took / float(said[1]) < 6
