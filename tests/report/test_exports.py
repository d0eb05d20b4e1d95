"""The result in the formats of the places where it is awaited: right, and fail closed, whatever
happens.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from pytest_mpgrade.grade.pytest_run import Options, budget
from pytest_mpgrade.judge.points.shares import Placed
from pytest_mpgrade.records import Concern, Criterion, Outcome, Status
from pytest_mpgrade.report import redaction, result_json, terminal
from pytest_mpgrade.report.exports import FORMATS, classroom50
from pytest_mpgrade.report.result_json import ResultFile, SubmissionPart
from support.export_formats import HIDDEN_TESTS, HIDDEN_TOML, READ, check_part, result_of
from support.results import METHODS, finding, outcomes, placed
from support.results import result as graded
from support.running import run_command, variables, wait_until
from support.small_class import RIGHT, SOLUTIONS, TESTS, TOML


def test_all_are_held_against_their_formats() -> None:
    """No export is left out here."""
    assert READ.keys() == FORMATS.keys()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with an assignment of a point."""
    (tmp_path / "double").mkdir()
    (tmp_path / "double" / "assignment.toml").write_text(TOML + "\n[limits]\nseconds = 2\n")
    (tmp_path / "double" / "test_double.py").write_text(TESTS)
    return tmp_path


def words(place: Path, text: str, *options: str) -> list[str]:
    """Return the command line that grades a submission into all formats."""
    (place / "ada").mkdir()
    (place / "ada" / "double.py").write_text(text)
    command = [
        sys.executable,
        "-m",
        "pytest_mpgrade",
        "grade",
        "ada",
        "--assignment",
        "double",
        "--out",
        "out",
    ]
    command += ["--no-require-isolation", *(f"--format={name}=res/{name}" for name in FORMATS)]
    return [*command, *options]


def read(place: Path) -> set[tuple[float, bool]]:
    """Return what the files say; all say the same."""
    return {read(((place / "res") / name).read_text("utf-8")) for name, read in READ.items()}


SLOW = ("--limit", "seconds=600", "--limit", "patience=600")
"""With which a submission that sleeps is left alone."""


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        pytest.param(RIGHT, (), (1.0, True), id="success"),
        pytest.param(SOLUTIONS["ben"], (), (0.0, True), id="failure"),
        pytest.param(SOLUTIONS["dan"], (), (0.0, True), id="hang"),
        pytest.param(SOLUTIONS["chloe"], (), (0.0, False), id="syntax error"),
        pytest.param("raise ValueError('\x1b[31m <&>')", (), (0.0, False), id="import error"),
        pytest.param(SOLUTIONS["dan"], (*SLOW, "--deadline", "12"), (0.0, False), id="deadline"),
        pytest.param(
            RIGHT, ("--deadline", "2020-02-29T00:00:00Z"), (0.0, False), id="deadline has passed"
        ),
    ],
)
def test_endings(
    place: Path, text: str, options: tuple[str, ...], said: tuple[float, bool]
) -> None:
    """Every export says the same of each ending, and gives no point that was not earned."""
    done = run_command(words(place, text, *options), place)
    assert read(place) == {said}, done.stderr
    late = [
        name
        for name in FORMATS
        if "not graded in time" in (place / "res" / name).read_text("utf-8")
    ]
    assert late == (list(FORMATS) if "--deadline" in options else [])


def test_killed_grader(place: Path) -> None:
    """A grader that is killed leaves files that give nothing, and say so."""
    process = subprocess.Popen(
        words(place, SOLUTIONS["dan"], *SLOW),
        cwd=place,
        env=variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert wait_until(lambda: (place / "out" / "ada" / "pytest.log").exists())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert read(place) == {(0.0, False)}


TWO_TESTS = """
import pytest

@pytest.mark.criterion("values")
def test_small(student):
    assert student.call("double", 21).value == 42

@pytest.mark.criterion("values")
def test_large(student):
    assert student.call("double", 10**6).value == 2000000
"""
SLEEPS = "import time\n\ndef double(x):\n    time.sleep(3600 if x > 100 else 0)\n    return 2 * x\n"


def test_deadline_says_what_was_graded(place: Path) -> None:
    """What was graded in time and what was not is told, there is no grade, and the result file
    agrees.
    """
    (place / "double" / "test_double.py").write_text(TWO_TESTS)
    command = words(place, SLEEPS, *SLOW)
    found: dict[str, Any] = {"checks": []}
    seconds = 20  # more where that is too little for the first test
    while seconds < 700 and not any(check["outcome"] == "passed" for check in found["checks"]):
        done = run_command([*command, "--deadline", str(seconds)], place)
        found = json.loads((place / "out" / "ada" / "result.json").read_text("utf-8"))
        seconds *= 3
    assert (done.returncode, found["status"]) == (3, "error")
    assert (
        found["reason"]
        == "not graded in time: the grading was ended before its deadline; 1 of 2 tests were"
        " not run"
    )
    assert [check["outcome"] for check in found["checks"]] == ["passed", "not run"]
    assert read(place) == {(0.0, False)}
    assert (
        "of its checks: 1 passed, 1 not run"
        in json.loads((place / "res" / "gradescope").read_text())["tests"][0]["output"]
    )


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="this machine lacks the capability: mount (root)",
)
def test_full_disk(place: Path) -> None:
    """Where the disk is full when grades are to be written, all files of the first moment stay,
    whole.
    """
    full = place / "res"
    full.mkdir()
    (place / "out").symlink_to(full)
    (place / "double" / "test_double.py").write_text(
        TESTS.replace("    run = ", "    fill_the_disk()\n    run = ")
        + f"""

def fill_the_disk():
    try:
        with open({str(full / "filler")!r}, "wb", buffering=0) as file:
            while file.write(b"0" * 4096):
                pass
    except OSError:
        pass
"""
    )
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(full)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"this machine lacks the capability: mount ({mounted.stderr.decode().strip()})")
    try:
        done = run_command(words(place, RIGHT), place)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert "No space left on device" in done.stderr
        assert read(place) == {(0.0, False)}
        assert json.loads((full / "ada" / "result.json").read_text("utf-8"))["status"] == "error"
        assert sorted(path.name for path in full.iterdir()) == sorted([*FORMATS, "filler", "ada"])
    finally:
        subprocess.run(["umount", str(full)], check=True)


def test_hidden_checks(place: Path) -> None:
    """No export and no output for students tells more of a hidden check than its points; the result
    file tells all.
    """
    (place / "double" / "assignment.toml").write_text(HIDDEN_TOML)
    (place / "double" / "test_double.py").write_text(HIDDEN_TESTS)
    done = run_command(words(place, "def double(x):\n    return 42\n"), place)
    assert done.returncode == 1, done.stderr
    assert read(place) == {(1.0, True)}
    check = run_command([sys.executable, "-m", "pytest_mpgrade", "check", "double", "ada"], place)
    alone = run_command(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--mpgrade=double",
            "--mpgrade-submission=ada",
        ],
        place,
    )
    told = {name: (place / "res" / name).read_text("utf-8") for name in FORMATS}
    told |= {
        "grade": done.stdout,
        "check": check.stdout,
        "pytest": alone.stdout.replace("test_secret_name", ""),
    }
    for name, text in told.items():
        assert not {word for word in ("secret", "Secret", "12345") if word in text}, name
        assert "a hidden check" in text, name
    whole = (place / "out" / "ada" / "result.json").read_text("utf-8")
    assert "secret message" in whole


def test_hidden_names_in_other_checks() -> None:
    """A check that was left undecided by a hidden one does not name it, and keeps what is not
    hidden.
    """
    hidden = check_part("t.py::test_secret[fork]", "b", check="workers")
    message = "left undecided by workers: 2 workers, as test_secret[fork] and test_secret say"
    other = check_part(
        "t.py::test_open[fork]",
        "a",
        Outcome.SKIPPED,
        undecided_by="workers",
        message=message,
    )
    criteria = (Criterion(name="a", points=1.0), Criterion(name="b", points=1.0, hidden=True))
    result, rubric = redaction.redacted(result_of(hidden, other, criteria=criteria), criteria)
    assert [each.name for each in rubric] == ["a", "hidden-1"]
    assert result.checks[1].undecided_by == "a hidden check"
    assert (
        result.checks[1].message
        == "left undecided by a hidden check: 2 workers, as a hidden check and a hidden check say"
    )
    # What only repeats what another check says does not say by which it was left undecided.
    repeated = check_part("t.py::test_open[fork]", "a", Outcome.SKIPPED, message=message)
    result, _ = redaction.redacted(result_of(hidden, repeated, criteria=criteria), criteria)
    assert result.checks[1].message.startswith("left undecided by a hidden check: 2 workers")
    alone = result_of(other, criteria=criteria[:1])
    assert redaction.redacted(alone, criteria[:1]) == (alone, criteria[:1])


SECRET = (
    Criterion(name="open", points=2.0, title="Open", requires=("secret_criterion",)),
    Criterion(
        name="secret_criterion", points=1.0, title="Secret title", hidden=True, requires=("more",)
    ),
    Criterion(name="more", points=1.0),
)
SECRETS = ("secret", "Secret")


def secretly(ended: Outcome) -> list[Placed]:
    """Return what a hidden check has found, between others that have passed."""
    return [
        *outcomes(Outcome.PASSED, criterion="open", test="t.py::open{}"),
        check_part(
            "t.py::test_secret_name[fork-secret variant]",
            "secret_criterion",
            ended,
            check="secret_check",
            title="secret sentence",
            message="secret\nmessage",
            hint="secret hint",
            evidence={"secret": "secret"},
        ),
        *outcomes(Outcome.PASSED, criterion="more", test="t.py::more{}"),
    ]


@pytest.mark.parametrize(
    "ended", [Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.ERROR]
)
def test_hidden_criterion_leaks_by_no_key(ended: Outcome) -> None:
    """Neither criteria, nor questions, nor what was undecided, nor a requirement tell more of it
    than its points.
    """
    whole = graded(secretly(ended), SECRET)
    shown, rubric = redaction.redacted(whole, SECRET)
    assert (shown.score, shown.max_score, shown.status) == (
        whole.score,
        whole.max_score,
        whole.status,
    )
    assert [(each.points, each.max_points) for each in shown.criteria] == [
        (each.points, each.max_points) for each in whole.criteria
    ]
    told = {name: render(shown, rubric) for name, (_, render) in FORMATS.items()}
    told |= {"result": result_json.dumps(shown).decode(), "rubric": terminal.rubric(shown)}
    for name, text in told.items():
        assert not [word for word in SECRETS if word in text], name
    if ended is Outcome.FAILED:
        assert (
            shown.criteria[0].reason == "not earned: less than half of the points of a hidden check"
        )
    assert shown.undecided.why == (("a hidden check",) if shown.undecided.points else ())
    for name in FORMATS:
        assert READ[name](told[name]) == (whole.score, True), name


def test_hidden_check_leaks_by_no_reason_of_an_error() -> None:
    """Where so much is undecided that there is no grade, the reason is told without what hidden
    checks say.
    """
    given = [
        *outcomes(Outcome.ERROR, criterion="open", test="t.py::open{}"),
        *secretly(Outcome.ERROR)[1:],
    ]
    whole = graded(given, SECRET)
    assert whole.status is Status.ERROR
    assert "secret_check: secret message" in whole.reason
    shown, _ = redaction.redacted(whole, SECRET)
    assert shown.reason == "3 of 4 points could not be decided here: values: m; a hidden check"


@pytest.mark.parametrize(
    ("left", "limit"), [(600.0, 1800.0), (8.0, 1800.0), (600.0, 30.0), (0.0, 5.0), (-9.0, 5.0)]
)
def test_a_grading_and_its_ending_fit_before_the_deadline(left: float, limit: float) -> None:
    """What is given to a grading, to its polite end and to writing is no more than what is left."""
    given = budget(Options(deadline=time.time() + left), limit)
    assert 0 <= given.seconds <= limit
    assert given.seconds + given.grace <= max(0.0, left)
    assert ("deadline" in given.said) is (left < limit)
    assert budget(Options(), limit) == dataclasses.replace(budget(Options(), limit), seconds=limit)


def test_deadline_that_is_none(place: Path) -> None:
    """A time that cannot be read is one line that says what is wanted."""
    done = run_command(words(place, RIGHT, "--deadline", "tomorrow"), place)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert re.search(
        "expected a time such as .*, got 'tomorrow', or a number of seconds", done.stderr
    )


def test_unknown_format(place: Path) -> None:
    """A name that there is not is one line."""
    done = run_command([*words(place, RIGHT)[:-1], "--format", "grade_scope"], place)
    assert done.returncode == 2
    assert "'grade_scope' is none of gradescope, " in done.stderr


def test_awkward_text() -> None:
    """Whatever a submission printed, files can be read."""
    result = result_of(check_part("test_x.py::test_é", message="\x00\x1b[31m ]]> <&>\udc80"))
    for name, (_, render) in FORMATS.items():
        text = (
            render(result, (Criterion(name="all", points=1.0),))
            .encode("utf-8", "backslashreplace")
            .decode()
        )
        assert READ[name](text) == (0.0, True), name


def test_junit_has_a_case_for_each_unit() -> None:
    """A case has its unit's points, which add up in hundredths, all its checks, and why a passed
    one is not earned.
    """
    criteria = (
        Criterion(name="all", points=1),
        Criterion(name="more", points=1, requires=("all",)),
        Criterion(name="speed", points=0.5),
    )
    units = [
        part
        for method in METHODS
        for number in range(3)
        for part in placed(
            f"t.py::test_a[{method}-{number}]",
            finding(Outcome.FAILED if number else Outcome.PASSED, message="seen"),
            (
                finding(Outcome.FAILED, check="other", message="too", concern=Concern.CLEANUP)
                if number == 2
                else finding(Outcome.PASSED, check="other", concern=Concern.CLEANUP)
            ),
        )
    ]
    rest = [
        *outcomes(Outcome.PASSED, criterion="more", test="t.py::more{}"),
        *outcomes(Outcome.INCONCLUSIVE, criterion="speed", test="t.py::speed{}"),
    ]
    result = graded([*units, *rest], criteria)
    suite = ElementTree.fromstring(FORMATS["junit"][1](result, criteria))[0]
    cases = {str(case.get("name")): case for case in suite.iter("testcase")}
    told = {
        name: {str(one.get("name")): str(one.get("value")) for one in case.iter("property")}
        for name, case in cases.items()
    }
    assert len(cases) == 11
    assert (
        sum(float(each["points"]) for each in told.values())
        == pytest.approx(result.score)
        == pytest.approx(0.42)
    )
    assert sum(float(each["max_points"]) for each in told.values()) == pytest.approx(
        result.max_score
    )
    assert {told[f"test_a[{method}-0]"]["points"] for method in METHODS} == {"0.14"}
    assert told["test_a[spawn-2]"] == {
        "points": "0",
        "max_points": "0.14",
        "criterion": "all",
        "question": "t.py::test_a",
        "concern": "results, cleanup",
        "start_method": "spawn",
        "outcome": "failed",
    }
    failure = cases["test_a[spawn-2]"].find("failure")
    assert failure is not None
    assert (failure.get("message"), failure.text) == (
        "seen",
        "values: failed: seen (hint: h)\nother: failed: too (hint: h)",
    )
    for name, reason in (
        ("more0", "not earned: less than half of the points of 'all'"),
        ("speed0", "m"),
    ):
        skipped = cases[name].find("skipped")
        assert skipped is not None
        assert skipped.get("message") == reason


def test_classroom_50_says_which_commit(place: Path) -> None:
    """What its hook has in the environment stands in the result."""
    names = {
        "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
        "CLASSROOM": "c",
        "ASSIGNMENT": "a",
    }
    result = ResultFile(
        schema="s",
        assignment="x",
        submission=SubmissionPart(id="a", path="a", module="a", sha256=""),
        score=0.0,
        max_score=0.0,
        status=Status.ERROR,
        reason="r",
        checks=(),
        started="2026-11-23T03:00:00Z",
    )
    body = json.loads(classroom50.render(dataclasses.replace(result), (), names))
    assert (body["submission"], body["classroom"]) == (names["SUBMISSION_TAG"], "c")
