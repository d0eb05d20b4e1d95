"""The plugin and `mpgrade grade` as users meet them: an author's own small assignment, in processes
of its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from pytest_mpgrade.course.assignment import load_assignment
from pytest_mpgrade.grade import grading
from pytest_mpgrade.records import Assignment, Status, Submission
from pytest_mpgrade.submission import discover
from support.ours import Ours
from support.running import NOTE_RUN, ROOT, run_command, variables, wait_until
from support.small_assignment import (
    RIGHT,
    RIGHT_OUTCOMES,
    TESTS,
    TOML,
    WRONG,
    author,
    command,
    grade,
    outcomes,
    put,
    result,
)

__all__ = ["author"]  # a fixture

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="POSIX signals, and observes with ptrace"
)


STUCK = (
    NOTE_RUN
    + """
import multiprocessing as mp
import time

BEGAN = os.path.join(os.environ["TMPDIR"], "began")


def _work(lock):
    open(BEGAN, "w").close()
    time.sleep(1000)


def apply_all(tasks):
    lock = mp.get_context("spawn").Lock()
    p = mp.Process(target=_work, args=(lock,))
    p.start()
    p.join()


def one():
    return 1
"""
)


def mpgrade(author: Path, submission: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Grade a submission with `mpgrade grade`."""
    arguments = [
        submission,
        "--assignment",
        str(author / "course" / "twice"),
        "--out",
        "out",
        *options,
    ]
    return run_command([sys.executable, "-m", "pytest_mpgrade", "grade", *arguments], author)


# --- pytest in a student's folder


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_pytest_without_arguments(author: Path, pytester: pytest.Pytester, right: bool) -> None:
    """With the handed-out pytest.ini, `pytest` alone runs the assignment's tests and shows the
    rubric.
    """
    pytester.makefile(".py", twice=RIGHT if right else WRONG)
    pytester.makeini(f"[pytest]\nmpgrade_assignment = {author / 'course' / 'twice'}\n")
    done = pytester.runpytest_subprocess()
    assert done.ret == (0 if right else 1)
    done.assert_outcomes(passed=6 if right else 3, failed=0 if right else 3)
    text = " ".join(done.stdout.str().split())
    assert "mpgrade: twice, submission" in text
    assert "Right values" in text
    assert ("3 / 3" in text) is right
    assert not list(pytester.path.rglob("result.json"))


def test_shipped_assignment_by_its_name(pytester: pytest.Pytester) -> None:
    """`mpgrade_assignment` may be the name of an assignment that comes along; one test of it is
    run.
    """
    shutil.copy(ROOT / "reference" / "mp_apply" / "cv_funcs.py", pytester.path)
    pytester.makeini("[pytest]\nmpgrade_assignment = mp_apply\n")
    done = pytester.runpytest_subprocess("-k", "test_calculate", "-q")
    assert done.ret == 0
    done.assert_outcomes(passed=2, deselected=done.parseoutcomes()["deselected"])


def test_what_a_student_reads(author: Path) -> None:
    """A test that fails says which check failed and why, without a traceback through the grader."""
    said = grade(author, "wrong").stdout
    assert "no task ran in a child" in said
    assert "one() of twice gave 2" in said
    assert os.path.join("pytest_mpgrade", "session") not in said


# --- results


def test_right_submission(author: Path) -> None:
    """The result file holds a check for every finding; criteria are split equally by questions, and
    add up.
    """
    done = grade(author, "right")
    assert done.returncode == 0, done.stdout + done.stderr
    found = result(author / "out")
    assert outcomes(found) == RIGHT_OUTCOMES
    assert (found["status"], found["score"], found["max_score"]) == ("graded", 4.0, 4.0)
    assert found["submission"]["id"] == "right"
    assert found["submission"]["module"] == "twice.py"
    values, own = found["criteria"]
    assert [
        (each["id"], each["points"], len(each["units"]))
        for each in (*values["questions"], *own["questions"])
    ] == [
        ("test_twice.py::test_import", 1.0, 2),
        ("test_twice.py::test_values", 1.0, 2),
        ("test_twice.py::test_as_the_reference", 1.0, 1),
        ("test_twice.py::test_one", 1.0, 1),
    ]
    assert found["undecided"] == {"points": 0.0, "why": []}
    assert found["environment"]["observer"] == ["ptrace"]
    assert sorted(os.listdir(author / "right")) == ["twice.py"]


def test_wrong_submission(author: Path) -> None:
    """Each check fails for itself: the values are right although they were computed in the wrong
    place.
    """
    done = grade(author, "wrong", "--mpgrade-id", "ada")
    assert done.returncode == 1
    found = result(author / "out")
    assert (found["status"], found["submission"]["id"]) == ("graded", "ada")
    assert found["max_score"] == 4.0
    # of "values" the import and the comparison, of one point each; of "own" nothing
    assert found["score"] == 2.0
    failed = {check["id"]: check for check in found["checks"] if check["outcome"] == "failed"}
    assert {id.rpartition("/")[2] for id in failed} == {"in_children", "test"}
    (own,) = [check for check in failed.values() if check["criterion"] == "own"]
    assert own["message"].startswith("one() of twice gave")
    assert [each["points"] for each in found["criteria"]] == [2.0, 0.0]
    assert failed["test_twice.py::test_values[spawn]/in_children"]["concern"] == "workers"
    assert failed["test_twice.py::test_values[spawn]/in_children"]["start_method"] == "spawn"


def test_result_is_there_from_the_first_moment(author: Path) -> None:
    """Before the first test there is a result, an error with every check not run."""
    tests = author / "course" / "twice" / "test_twice.py"
    look = f"""
def test_0_result_is_there(student):
    import json
    import pathlib

    text = pathlib.Path({str(author / "out" / "result.json")!r}).read_text()
    pathlib.Path({str(author / "out" / "first.json")!r}).write_text(text)


"""
    marked = look.replace(
        "def test_0", '@pytest.mark.criterion("own")\n@pytest.mark.start_methods("any")\ndef test_0'
    )
    first = '@pytest.mark.criterion("values")'
    tests.write_text(tests.read_text().replace(first, marked + first, 1))
    assert grade(author, "right").returncode == 0
    (author / "out" / "first").mkdir()
    (author / "out" / "first.json").rename(author / "out" / "first" / "result.json")
    found = result(author / "out" / "first")
    assert (found["status"], found["score"], found["max_score"]) == ("error", 0.0, 4.0)
    assert set(outcomes(found).values()) == {"not run"}


def test_reference_that_is_not_here(author: Path) -> None:
    """Without the trusted solution its tests are skipped by name, and cost nothing: the others
    share their points.
    """
    shutil.rmtree(author / "course" / "twice" / "reference")
    assert grade(author, "right").returncode == 0
    found = result(author / "out")
    assert outcomes(found)["test_twice.py::test_as_the_reference[fork]/test"] == "skipped"
    assert found["score"] == found["max_score"] == 4.0
    assert [each["max_points"] for each in found["criteria"][0]["questions"]] == [1.5, 1.5, 0.0]
    assert found["undecided"]["points"] == 1.0
    assert "the reference solution is not installed here" in found["undecided"]["why"][0]


@pytest.mark.parametrize(
    "weight", ["0", "-1", "True", "'2'", "float('nan')", "float('inf')", "None"]
)
def test_weight_that_is_none(author: Path, weight: str) -> None:
    """A weight that no share can be made of is one clear line that names the test, and nothing is
    run.
    """
    tests = author / "course" / "twice" / "test_twice.py"
    tests.write_text(
        tests.read_text().replace('criterion("own")', f'criterion("own", weight={weight})')
    )
    done = grade(author, "right")
    assert done.returncode == 4
    (line,) = [
        line
        for line in (done.stdout + done.stderr).splitlines()
        if "a weight is a number above 0" in line
    ]
    assert "test_twice.py::test_one[fork]: criterion('own', weight=" in line
    assert "Traceback" not in done.stdout + done.stderr


def test_weights_of_questions(author: Path) -> None:
    """A question weighs what its test says, a variant is a unit, and half a criterion is what
    another may require.
    """
    tests = author / "course" / "twice" / "test_twice.py"
    text = tests.read_text().replace('criterion("own")', 'criterion("own", weight=3)')
    text += """

@pytest.mark.criterion("own")
@pytest.mark.parametrize("size", ["small", "very-large"])
def test_size(student, size):
    assert student.call("one").value == (1 if size == "small" else 3)
"""
    tests.write_text(text)
    toml = author / "course" / "twice" / "assignment.toml"
    toml.write_text(
        toml.read_text().replace('name = "values",', 'name = "values", requires = ["own"],')
    )
    for submission, values, own in (("right", 3.0, [0.75, 0.13]), ("wrong", 0.0, [0.0, 0.0])):
        assert grade(author, submission).returncode == 1
        found = result(author / "out")
        # A quarter of the weight is test_size's, and half of it is earned: 0.125, rounded half up.
        assert [each["points"] for each in found["criteria"][1]["questions"]] == own
        assert found["criteria"][0]["points"] == values
        assert ("not earned" in found["criteria"][0].get("reason", "")) is (submission == "wrong")
        assert [
            (unit["start_method"], unit["variant"])
            for unit in found["criteria"][1]["questions"][1]["units"]
        ] == [
            ("fork", "small"),
            ("fork", "very-large"),
            ("spawn", "small"),
            ("spawn", "very-large"),
        ]


def test_unknown_criterion(author: Path) -> None:
    """A test that names a criterion which the rubric lacks is one clear line, and nothing is
    run.
    """
    tests = author / "course" / "twice" / "test_twice.py"
    tests.write_text(tests.read_text().replace('criterion("own")', 'criterion("onw")'))
    done = grade(author, "right")
    assert done.returncode == 4
    (line,) = [line for line in (done.stdout + done.stderr).splitlines() if "onw" in line]
    assert "test_one" in line
    assert "names an unknown criterion 'onw'; did you mean 'own'?" in line
    assert "Traceback" not in done.stdout + done.stderr
    assert "passed" not in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--mpgrade=twise"], "there is no assignment 'twise'"),
        (["--mpgrade-submission=nowhere"], "there is no submission at nowhere"),
        (["--mpgrade-out=course/twice/test_twice.py"], "cannot write course/twice/test_twice.py/"),
    ],
)
def test_wrong_options_are_one_line(author: Path, options: list[str], said: str) -> None:
    """Wrong usage ends pytest with its exit code for that, and one line."""
    done = grade(author, "right", *options)
    assert done.returncode == 4
    assert said in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


# --- pytest's own options


def test_keyword(author: Path) -> None:
    """`-k` runs what fits, and the result holds no other test."""
    assert grade(author, "right", "-k", "test_values and spawn").returncode == 0
    found = result(author / "out")
    assert outcomes(found) == {id: "passed" for id in RIGHT_OUTCOMES if "test_values[spawn]" in id}


def test_first_failure_ends(author: Path) -> None:
    """`-x` ends at the first test that fails; the others are not run, so that there is no grade."""
    done = grade(author, "wrong", "-x")
    assert done.returncode == 1
    found = result(author / "out")
    assert found["status"] == "error"
    assert "tests were not run" in found["reason"]
    assert sorted(outcomes(found).values()) == ["failed", *["not run"] * 3, *["passed"] * 3]


def test_quiet(author: Path) -> None:
    """`-q` shows the rubric all the same."""
    done = grade(author, "right", "-q")
    assert done.returncode == 0
    assert "Right values" in done.stdout
    assert "mpgrade: twice" not in done.stdout


def test_collection_runs_nothing(author: Path) -> None:
    """`--co` lists the tests under each start method and runs none of the student's code."""
    put(author / "right" / "twice.py", f"open({str(author / 'was here')!r}, 'w').close()\n" + RIGHT)
    done = grade(author, "right", "--mpgrade-isolation=none", "--co", "-q")
    assert done.returncode == 0
    assert [line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line] == [
        "test_import[fork]",
        "test_import[spawn]",
        "test_values[fork]",
        "test_values[spawn]",
        "test_one[fork]",
        "test_as_the_reference[fork]",
    ]
    assert not (author / "was here").exists()


def test_several_processes_give_the_same_result(author: Path) -> None:
    """Under pytest-xdist the result is the same."""
    pytest.importorskip("xdist")
    assert grade(author, "wrong").returncode == 1
    alone = result(author / "out")
    assert grade(author, "wrong", "-n", "2").returncode == 1
    spread = result(author / "out")
    assert outcomes(spread) == outcomes(alone)
    assert (spread["score"], spread["max_score"], spread["status"]) == (
        alone["score"],
        alone["max_score"],
        alone["status"],
    )
    assert [check["id"] for check in spread["checks"]] == [check["id"] for check in alone["checks"]]
    assert spread["criteria"] == alone["criteria"]


# --- projects that have nothing to do with us


def test_other_projects_are_left_alone(pytester: pytest.Pytester) -> None:
    """Without an assignment the plugin does nothing, and loads none of what a grading needs."""
    pytester.makepyfile("""
        import sys

        def test_light():
            for name in ("numpy", "msgspec", "psutil", "rich", "pytest_mpgrade.session.session"):
                assert name not in sys.modules, name
        """)
    done = pytester.runpytest_subprocess(
        "-p", "no:hypothesispytest", "-p", "no:xdist", "--strict-markers"
    )
    done.assert_outcomes(passed=1)
    assert "mpgrade" not in done.stdout.str().partition("plugins:")[0]
    assert not list(pytester.path.glob("result.json"))


def test_import_is_light() -> None:
    """Every worker process imports the package: neither it nor the plugin loads what only a grading
    needs.
    """
    code = (
        "import sys, {}; print([name for name in ('numpy', 'msgspec', 'psutil', 'rich') if name in"
        " sys.modules])"
    )
    for name in ("pytest_mpgrade", "pytest_mpgrade.plugin", "pytest_mpgrade.inside.workloads"):
        assert run_command([sys.executable, "-c", code.format(name)], ROOT).stdout == "[]\n", name
    inside = run_command(
        [
            sys.executable,
            "-c",
            "import sys, pytest_mpgrade.inside.child; print('pytest' in sys.modules)",
        ],
        ROOT,
    )
    assert inside.stdout == "False\n"


def test_fixtures_without_an_assignment(pytester: pytest.Pytester) -> None:
    """A test that asks for a student where nothing is graded says what to do."""
    pytester.makepyfile("def test_it(student): pass")
    done = pytester.runpytest_subprocess()
    done.assert_outcomes(errors=1)
    assert "use --mpgrade NAME" in done.stdout.str()


# --- mpgrade grade


def test_students_configuration_is_not_loaded(author: Path) -> None:
    """A conftest.py, pytest.ini, sitecustomize.py or a library's namesake in the submission reach
    no grader.
    """
    for name in ("conftest", "sitecustomize", "usercustomize", "pytest", "msgspec", "psutil"):
        put(author / "right" / f"{name}.py", f"raise SystemExit('{name} was imported')\n")
    put(author / "right" / "pytest.ini", "[pytest]\naddopts = --nonsense\n")
    done = mpgrade(author, "right")
    assert done.returncode == 0, done.stdout + done.stderr
    found = result(author / "out" / "right")
    assert found["score"] == found["max_score"]


def test_grade_writes_only_to_its_folder(author: Path) -> None:
    """`mpgrade grade` writes a valid result and its log, leaves no temporary folder, and has
    pytest's exit codes.
    """
    done = mpgrade(author, "wrong")
    assert (done.returncode, done.stderr) == (1, "")
    assert sorted(os.listdir(author / "out" / "wrong")) == ["pytest.log", "result.json"]
    assert sorted(os.listdir(author / "wrong")) == ["twice.py"]
    assert "Right values" in done.stdout
    assert result(author / "out" / "wrong")["status"] == "graded"


def ungradable(author: Path, submission: str) -> str:
    """Grade what cannot be graded: exit code 3, a valid result with no points, and a reason, which
    is returned.
    """
    done = mpgrade(author, submission)
    assert (done.returncode, done.stderr) == (3, "")
    found = result(author / "out" / Path(submission).stem)
    assert (found["status"], found["score"]) == ("ungradable", 0.0), found["reason"]
    reason: str = found["reason"]
    assert "\n" not in reason
    return reason


def test_what_is_graded_is_looked_at_once(author: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been found is handed to the pytest that grades: it reads neither the table of the
    assignment nor the folder of the submission again.
    """
    found = []

    def discover_and_change(path: Path, assignment: Assignment, id: str) -> Submission:
        found.append(discover.discover(path, assignment, id))
        (author / "course" / "twice" / "assignment.toml").write_text("nobody = 'reads this'")
        (path / "later.py").write_text("LATER = 1\n")
        return found[0]

    monkeypatch.setattr(grading, "_discover", discover_and_change)
    assignment = load_assignment(author / "course" / "twice")
    graded = grading.grade(author / "right", assignment, author / "out")
    assert (graded.result.status, len(found)) == (Status.GRADED, 1), graded.result.reason
    assert graded.result.submission.sha256 == found[0].sha256
    assert graded.result.score == graded.result.max_score


def test_missing_path(author: Path) -> None:
    """A path that does not exist is wrong usage: exit code 2, one line, no result."""
    done = mpgrade(author, "nobody")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mpgrade: there is no submission at nobody\n"
    assert not (author / "out").exists()


def test_empty_folder(author: Path) -> None:
    """An empty folder is a submission that cannot be graded."""
    (author / "empty").mkdir()
    assert "the submission is empty" in ungradable(author, "empty")


def test_two_candidates(author: Path) -> None:
    """Two files that could be the module are both named, and none is chosen."""
    put(author / "two" / "mine.py", RIGHT)
    put(author / "two" / "final.py", WRONG)
    reason = ungradable(author, "two")
    assert "mine.py" in reason
    assert "final.py" in reason


def test_syntax_error(author: Path) -> None:
    """A syntax error is told with its line."""
    put(author / "bad" / "twice.py", RIGHT + "\ndef broken(:\n    pass\n")
    line = RIGHT.count("\n") + 2
    reason = ungradable(author, "bad")
    assert "twice.py" in reason
    assert f"line {line}" in reason or f":{line}" in reason


def test_endless_import(author: Path) -> None:
    """A module that loops at import is ended by its limit and cannot be graded."""
    put(author / "loop" / "twice.py", RIGHT + "\nwhile True:\n    pass\n")
    assert ungradable(author, "loop")


def test_assignment_that_does_not_ask_for_the_import(author: Path) -> None:
    """What cannot be imported cannot be graded, whether or not a test of the assignment asks."""
    tests = author / "course" / "twice" / "test_twice.py"
    tests.write_text(tests.read_text().replace("def test_import(", "def asks_not("))
    put(author / "needs" / "twice.py", "import nothing_of_that_name\n" + RIGHT)
    assert "nothing_of_that_name" in ungradable(author, "needs")


@pytest.mark.parametrize("how", ["os._exit(0)", "raise SystemExit(0)"])
def test_exit_at_import(author: Path, how: str) -> None:
    """A module that ends the interpreter at import, with success, cannot be graded."""
    put(author / "exits" / "twice.py", f"import os\n{RIGHT}\n{how}\n")
    assert ungradable(author, "exits")


def test_missing_package(author: Path) -> None:
    """A module that needs a package that is not here cannot be graded, and the package is named."""
    put(author / "needs" / "twice.py", "import nothing_of_that_name\n" + RIGHT)
    assert "nothing_of_that_name" in ungradable(author, "needs")


def test_output_of_100_megabytes(author: Path) -> None:
    """Printing much costs no points, and neither the result nor the log grows by it."""
    put(
        author / "loud" / "twice.py",
        RIGHT.replace("    return 1", "    print('x' * 100_000_000)\n    return 1"),
    )
    done = mpgrade(author, "loud")
    assert done.returncode == 0, done.stdout
    found = result(author / "out" / "loud")
    assert found["score"] == found["max_score"]
    assert sum(path.stat().st_size for path in (author / "out" / "loud").iterdir()) < 2_000_000


# --- gradings that are broken off


def broken_off(author: Path, ours: Ours, number: int, *options: str) -> tuple[int, str]:
    """Send a signal to pytest itself in the middle of a run; return its exit code and what it
    said.
    """
    put(author / "stuck" / "twice.py", STUCK)
    put(
        author / "course" / "twice" / "assignment.toml",
        TOML.replace("seconds = 10", "seconds = 300", 1),
    )
    with subprocess.Popen(
        command(author, "stuck", *options),
        cwd=author,
        env=variables(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as running:
        began = wait_until(lambda: any(ours.temp.glob("mpgrade-*/scratch/began")))
        running.send_signal(number)
        said, _ = running.communicate(timeout=60)
    assert began, said
    return running.returncode, said


def assert_partial(found: Any) -> None:
    """Hold a result of a grading that was broken off in its first call to what it can know."""
    assert found["status"] == "error"
    assert "not run" in found["reason"]
    told = {
        id: outcome
        for id, outcome in outcomes(found).items()
        if not id.endswith("/imports_cleanly")
    }
    assert set(told.values()) == {"not run"}
    assert found["score"] < found["max_score"] == 4.0


@pytest.mark.parametrize("observer", ["auto", "proc", "psutil"])
def test_interrupt_in_the_middle_of_a_run(author: Path, ours: Ours, observer: str) -> None:
    """Ctrl-C ends the run's processes at once; the result says which checks were not run."""
    code, said = broken_off(author, ours, signal.SIGINT, f"--mpgrade-observer={observer}")
    assert code == 2, said
    assert not ours.left()
    found = result(author / "out")
    assert found["status"] == "error"
    assert_partial(found)


@pytest.mark.parametrize(
    "options", [(), ("--mpgrade-observer=psutil",), ("-n", "2")], ids=["ptrace", "psutil", "xdist"]
)
def test_kill_in_the_middle_of_a_run(author: Path, ours: Ours, options: tuple[str, ...]) -> None:
    """When pytest itself is killed its result is whole and no grade, and all of the run is gone
    soon.
    """
    if "-n" in options:
        pytest.importorskip("xdist")
    code, _ = broken_off(author, ours, signal.SIGKILL, *options)
    assert code == -signal.SIGKILL
    found = result(author / "out")
    assert_partial(found)
    assert wait_until(lambda: not ours.processes(), 10.0), ours.left()


def graded_beside(author: Path, plugin: str) -> subprocess.CompletedProcess[str]:
    """Grade a right submission that is one file, and so is copied, beside another plugin."""
    put(author / "done" / "twice.py", RIGHT)
    put(author / "plugins" / "beside.py", plugin)
    return subprocess.run(
        command(author, "done/twice.py", "-p", "beside"),
        cwd=author,
        capture_output=True,
        text=True,
        check=False,
        env=variables() | {"PYTHONPATH": f"{ROOT}{os.pathsep}{author / 'plugins'}"},
    )


def test_kill_when_all_is_graded(author: Path, ours: Ours) -> None:
    """To the last, what a killed grading leaves is removed: here the copy of a submission that is
    one file.
    """
    dies = (
        "import os, signal\n\ndef pytest_terminal_summary():\n    os.kill(os.getpid(),"
        " signal.SIGKILL)\n"
    )
    done = graded_beside(author, dies)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert result(author / "out")["status"] == "graded"
    assert wait_until(lambda: not ours.left(), 10.0), ours.left()


INTERRUPTS = """
import os, signal, {module}
from pathlib import Path
from pytest_mpgrade.system import rmtree

usual = {module}.{function}

def interrupted(*args, **options):
    done = usual(*args, **options) if {after} else args
    if rmtree.MARK in str(done) and not Path("interrupted").exists():
        Path("interrupted").touch()
        os.kill(os.getpid(), signal.SIGINT)
    return done if {after} else usual(*args, **options)

{module}.{function} = interrupted
"""


@pytest.mark.parametrize(
    ("module", "function", "after"),
    [("tempfile", "mkdtemp", True), ("shutil", "rmtree", False)],
    ids=["before it is noted", "in its removal"],
)
def test_interrupt_leaves_no_folder(
    author: Path, ours: Ours, module: str, function: str, after: bool
) -> None:
    """Wherever Ctrl-C comes, no temporary folder is left: also where a new one has no name yet in
    the grader.
    """
    done = graded_beside(author, INTERRUPTS.format(module=module, function=function, after=after))
    assert done.returncode == 2, done.stderr
    assert (author / "interrupted").exists()
    assert wait_until(lambda: not ours.left(), 10.0), ours.left()


def test_texts_are_python() -> None:
    """The submissions of this file have no mistake but those that are meant."""
    for text in (RIGHT, WRONG, STUCK, TESTS):
        compile(textwrap.dedent(text), "text", "exec")
