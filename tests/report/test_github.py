"""Results on GitHub Actions: the two totals of its reporter agree, and nothing that a student
writes is obeyed.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from pytest_mpgrade.judge.points.shares import Placed
from pytest_mpgrade.records import Criterion, Outcome, Status
from pytest_mpgrade.report import grouping
from pytest_mpgrade.report.exports.github import annotation_places, step, summary
from pytest_mpgrade.report.exports.github import payload as payloads
from pytest_mpgrade.report.result_json import ResultFile, SubmissionPart
from support import results
from support.github_actions import Reported, commands, outputs, payload, report
from support.running import variables, wait_until

TOML = """
name = "double"
title = "Double a number"
module = "double.py"
points = 4.1
functions = ["double(x)"]
start_methods = ["fork"]
test = "test_double.py"

[[criteria]]
name = "values"
points = 2.1

[[criteria]]
name = "result"
title = "The result | of <zero>"
points = 2

[limits]
seconds = 2
"""
TESTS = """
import pytest
from pytest_mpgrade import checks

@pytest.mark.criterion("values")
@pytest.mark.parametrize("x", [1, 2, 21])
def test_double(student, x):
    run = student.call("double", x)
    student.check(run, checks.returns_value(2 * x))

@pytest.mark.criterion("result")
def test_zero(student):
    run = student.call("double", 0)
    student.check(run, checks.returns_value(0))
"""
HOSTILE = """
SAID = (
    "::error::pwned ##[error]pwned ##[add-mask]e %0A::notice::x "
    "</pre><script>alert(1)</script> | <!-- mpgrade -->"
)
LINES = SAID + "\\n::error::pwned\\n ::add-mask::cv\\n" + SAID
print(LINES)


def double(x):
    print(LINES)
    raise ValueError(SAID + LINES)  # ::error::pwned ##[error]pwned
"""
ENDINGS = {
    "right": "def double(x):\n    return 2 * x\n",
    "two of three": "def double(x):\n    return 2 * x if x < 3 else x\n",
    "hangs": "import time\n\ndef double(x):\n    time.sleep(3600)\n",
    "no import": "raise ValueError('no')\n",
    "no syntax": "def double(x)\n",
    "hostile": HOSTILE,
}
POINTS = {
    "right": 4.1,
    "two of three": 3.4,
    "hangs": 0.0,
    "no import": 0.0,
    "no syntax": 0.0,
    "hostile": 0.0,
}
UNGRADED = ("no import", "no syntax")
RUNNERS = "values,result2"


class Step:
    """A folder with an assignment and a submission, and what GitHub gives to a step."""

    def __init__(self, place: Path, text: str) -> None:
        self.place, self.workspace = place, place / "work"
        (place / "double").mkdir()
        (place / "double" / "assignment.toml").write_text(TOML)
        (place / "double" / "test_double.py").write_text(TESTS)
        (self.workspace / "src").mkdir(parents=True)
        (self.workspace / "src" / "double.py").write_text(text)
        self.output, self.summary = place / "output", place / "summary"
        self.output.write_text("before=MQ==")
        self.summary.write_text("before us")
        names = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": self.output,
            "GITHUB_WORKSPACE": self.workspace,
        }
        self.variables = variables() | {name: str(value) for name, value in names.items()}
        self.variables["GITHUB_STEP_SUMMARY"] = str(self.summary)
        self.command = [
            sys.executable,
            "-m",
            "pytest_mpgrade",
            "grade",
            ".",
            "--assignment",
            "../double",
        ]
        self.command += [
            "--out",
            "../out",
            "--no-require-isolation",
            "--format",
            "github=../all.json",
        ]

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Grade to the end."""
        return subprocess.run(
            [*self.command, *options],
            cwd=self.workspace,
            env=self.variables,
            capture_output=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )

    def reported(self) -> Reported:
        """Return what the reporter makes of the outputs."""
        found = outputs(self.output.read_text("utf-8"))
        assert found.pop("before") == "MQ=="
        assert list(found) == [*RUNNERS.split(","), "result"]
        written = json.loads((self.place / "all.json").read_text("utf-8"))
        assert written == {
            "runners": RUNNERS,
            "outputs": {name: payload(value) for name, value in found.items()},
        }
        whole = payload(found["result"])
        made = report(RUNNERS, {f"{name.upper()}_RESULTS": value for name, value in found.items()})
        assert sum(test["score"] for test in whole["tests"]) == pytest.approx(
            sum(made.scores), abs=0.005
        )
        return made


def agree(made: Reported) -> None:
    """Hold the table against the notice, runner by runner and in all."""
    assert made.scores == pytest.approx(made.summed, abs=1e-9)
    assert all(score <= most for score, most in zip(made.summed, made.most, strict=True))
    if made.notice:
        assert made.notice["totalPoints"] == pytest.approx(sum(made.scores), abs=1e-9)


@pytest.fixture
def at_github(tmp_path: Path, request: pytest.FixtureRequest) -> Step:
    """Return a step for a submission, by default the right one."""
    return Step(tmp_path, ENDINGS[getattr(request, "param", "right")])


@pytest.mark.parametrize("at_github", ENDINGS, indirect=True, ids=str)
def test_totals_agree(at_github: Step, request: pytest.FixtureRequest) -> None:
    """However a grading ends, the reporter's table and notice show the same points, and the job's
    state fits them.
    """
    ending = request.node.callspec.params["at_github"]
    done = at_github.run()
    made = at_github.reported()
    agree(made)
    assert made.notice == {"totalPoints": pytest.approx(POINTS[ending]), "maxPoints": 4.1}
    assert made.failed == {"right": "", **dict.fromkeys(UNGRADED, "Some tests errored.")}.get(
        ending, "Some tests failed."
    )
    assert done.returncode == {"right": 0, **dict.fromkeys(UNGRADED, 3)}.get(ending, 1), done.stderr
    page = at_github.summary.read_text("utf-8")
    assert page.startswith(f"before us\n\n{step.MARK}## double: ")
    assert page.count(step.MARK) == 1
    assert ("not graded" in page) == (ending in UNGRADED)


@pytest.mark.parametrize("at_github", ["hostile"], indirect=True)
def test_nothing_of_a_student_is_obeyed(at_github: Step) -> None:
    """Of all that is printed GitHub obeys our marks only, at the student's line, also in what the
    reporter prints.
    """
    done = at_github.run()
    found = commands(done.stdout + "\n" + done.stderr)
    assert {each.name for each in found} == {"error"}
    line = next(n for n, text in enumerate(HOSTILE.splitlines(), 1) if "raise " in text)
    assert {(each.properties["file"], each.properties["line"]) for each in found} == {
        ("src/double.py", str(line))
    }
    assert all(each.data.startswith("double(") for each in found)
    assert "pwned" in done.stdout
    assert commands(at_github.reported().printed) == []
    assert elements(at_github.summary.read_text("utf-8")) <= {
        "p",
        "h2",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "pre",
        "strong",
    }


@pytest.mark.parametrize("at_github", ["hangs"], indirect=True)
def test_killed_grader(at_github: Step) -> None:
    """A grader that is killed leaves outputs that give no points, fail the job and say so."""
    options = ("--limit", "seconds=60", "--limit", "patience=60")
    process = subprocess.Popen(
        [*at_github.command, *options],
        cwd=at_github.workspace,
        env=at_github.variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert wait_until(lambda: (at_github.place / "out" / "work" / "pytest.log").exists())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    made = at_github.reported()
    agree(made)
    assert made.notice == {"totalPoints": 0.0, "maxPoints": 4.1}
    assert made.failed == "Some tests errored."
    assert "not graded" in at_github.summary.read_text("utf-8")


@pytest.mark.parametrize(
    ("at_github", "code"),
    [("two of three", 0), ("no import", 0), ("right", 0)],
    indirect=["at_github"],
)
def test_exit_code_need_not_fail_the_step(at_github: Step, code: int) -> None:
    """With `always-0` a result is all that is asked for."""
    assert at_github.run("--exit-code", "always-0").returncode == code


def test_wrong_usage_fails_the_step_all_the_same(at_github: Step) -> None:
    """Where there is no result, the step fails, and what is said of it is no command either."""
    done = at_github.run("--exit-code", "always-0", "--out", "::error::/##[error]")
    assert done.returncode == 2
    assert commands(done.stderr) == []


def test_output_that_cannot_be_written(at_github: Step) -> None:
    """The variable and its file are named."""
    at_github.variables["GITHUB_OUTPUT"] = str(at_github.place / "nowhere" / "output")
    done = at_github.run()
    assert done.returncode == 2
    assert "nowhere/output ($GITHUB_OUTPUT): No such file or directory" in done.stderr


# --- pure


def check(
    number: int = 0, outcome: Outcome = Outcome.FAILED, *, weight: float = 1.0, **more: Any
) -> Placed:
    """Return what the only check of one question of the criterion `all` has found."""
    (one,) = results.placed(
        f"t.py::test_{number}[fork]", results.finding(outcome, **more), weight=weight
    )
    return one


def result(*checks: Placed, points: float = 1.0) -> ResultFile:
    """Return the result with these checks, of a criterion of so many points."""
    return results.result(
        checks, [Criterion(name="all", points=points)], status=Status.GRADED, reason=""
    )


def reported(found: ResultFile, criteria: Sequence[Criterion]) -> Reported:
    """Return what the reporter makes of a result."""
    ids = payloads.runner_ids(criteria).values()
    made = payloads.outputs(found, criteria)
    given = {f"{id.upper()}_RESULTS": encoded(made[id]) for id in ids}
    assert max(map(len, given.values())) < 128 * 1024
    return report(",".join(ids), given)


def encoded(body: payloads.Payload) -> str:
    """Return an output's value."""
    return base64.b64encode(payloads.encoded(body)).decode()


ALL = (Criterion(name="all", points=3.0),)


@pytest.mark.parametrize("most", [1.0, 2.82, 3.0, 100.0])
@pytest.mark.parametrize("parts", [1, 3, 7, 13, 34, 60])
def test_equal_units_are_tests(parts: int, most: float) -> None:
    """Units that weigh the same are a test each; all points together are the maximum to the bit."""
    for passed in range(parts + 1):
        checks = [
            check(number, Outcome.PASSED if number < passed else Outcome.FAILED)
            for number in range(parts)
        ]
        made = reported(result(*checks, points=most), ALL)
        agree(made)
        assert made.summed[0] == pytest.approx(most * passed / parts, abs=1e-6)
    assert made.notice
    assert made.notice["totalPoints"] == made.notice["maxPoints"] == most


@pytest.mark.parametrize(
    "score", [0.0, 0.004, 0.005, 0.25, 1 / 3, 0.37, 0.99, 1.5, 1.7, 1.98, 1.99, 1.999, 2.0]
)
def test_parts_stand_for_points(score: float) -> None:
    """Points given in part are k of n tests, as near as a hundred tests come; nobody gets all who
    lacks a hundredth.
    """
    most = 2.0
    found = result(*(check(number, credit=score / most) for number in range(2)), points=most)
    made = reported(found, ALL)
    agree(made)
    # rounded half up to hundredths: 1.999 is 2 by that
    assert found.score == pytest.approx(score, abs=0.0051)
    assert made.summed[0] == pytest.approx(found.score, abs=0.5 * most / payloads.MOST_TESTS + 0.01)
    assert (made.summed[0] == most) == (found.score == most) == (not made.failed)


def test_exact_parts_are_exact() -> None:
    """Where up to a hundred tests can stand for the points, they do, and their name says what they
    are.
    """
    found = result(check(0, credit=2 / 3, weight=3), check(1, Outcome.PASSED), points=2)
    made = payloads.outputs(found, ALL)["all"]
    assert len(made["tests"]) == 4
    assert made["tests"][0]["name"] == "all: 1.5 of 2 points, part 1 of 4"
    assert [test["status"] for test in made["tests"]] == ["pass"] * 3 + ["fail"]
    assert sum(test["score"] for test in made["tests"]) == 1.5


def test_questions_of_other_weights_are_parts() -> None:
    """Where two of three tests are not two thirds of the points, tests stand for points in place of
    units.
    """
    found = result(check(0, weight=2), check(1, Outcome.PASSED), check(2, Outcome.PASSED), points=4)
    made = reported(found, ALL)
    agree(made)
    assert (found.score, made.summed) == (2.0, (2.0,))
    assert "part 1 of 2" in made.printed


def test_unit_that_another_criterion_takes_is_a_test_with_that_reason() -> None:
    """A unit whose checks have passed, and that is not earned all the same, says why; a failed one
    what failed.
    """
    criteria = (
        Criterion(name="first", points=1),
        Criterion(name="all", points=1, requires=("first",)),
    )
    first = results.outcomes(Outcome.FAILED, criterion="first", test="t.py::first{}")
    found = results.result(
        [*first, check(outcome=Outcome.PASSED), check(1, message="seen", hint="")], criteria
    )
    passed, failed = payloads.outputs(found, criteria)["all"]["tests"]
    assert (passed["status"], passed["score"], failed["status"]) == ("fail", 0.0, "fail")
    assert passed["message"] == "not earned: less than half of the points of 'first'"
    assert failed["message"] == "seen"


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.SKIPPED])
def test_what_was_not_decided_costs_nothing(outcome: Outcome) -> None:
    """A criterion without points is shown with none, in table and notice, and does not fail the
    job.
    """
    made = reported(result(check(outcome=outcome)), ALL)
    agree(made)
    assert (made.scores, made.notice, made.failed) == ((0.0,), None, "")


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.SKIPPED])
def test_right_solution_has_all_points_whatever_was_not_decided(outcome: Outcome) -> None:
    """Table and notice show the assignment's points to the bit, shared by the criteria that were
    decided.
    """
    criteria = tuple(
        Criterion(name=name, points=most) for name, most in (("a", 2.1), ("b", 13.3), ("c", 4.6))
    )
    ended = {
        "a": (outcome,),
        "b": (Outcome.PASSED,) * 7,
        "c": (Outcome.PASSED, outcome, Outcome.PASSED),
    }
    given = [
        each
        for name, ends in ended.items()
        for each in results.outcomes(*ends, criterion=name, test=f"t.py::{name}{{}}")
    ]
    made = reported(results.result(given, criteria, status=Status.GRADED, reason=""), criteria)
    agree(made)
    assert made.notice == {"totalPoints": 20.0, "maxPoints": 20.0}
    assert made.failed == ""


def test_runner_ids() -> None:
    """Every criterion has an id that expressions and variables can have, and no other has it."""
    names = [
        "result",
        "Results!",
        "results",
        "start_methods",
        "startmethods",
        "2nd",
        "é",
        "",
        "startmethods2",
        "c",
    ]
    ids = payloads.runner_ids([Criterion(name=name, points=1) for name in names])
    assert list(ids) == names
    assert len(set(ids.values())) == len(names)
    assert all(re.fullmatch("[a-z][a-z0-9]*", id) for id in ids.values())
    assert payloads.WHOLE not in ids.values()


def test_long_results_fit() -> None:
    """However much there is to say, a payload fits into a variable, and the summary is shown."""
    many = [
        check(n, message="ü" * 5000, hint=f"h{n}", evidence={"lines": ["ü<" * 3000]})
        for n in range(400)
    ]
    for count in (30, 100, 400):
        agree(
            reported(
                result(*many[:count]),
                (Criterion(name="all", title="\U0001f600" * 300, points=1.0),),
            )
        )
    page = summary.render(result(*many), ALL)
    assert len(page.encode()) <= summary.MOST_BYTES
    assert re.search(r"… and \d+ others: see result\.json", page)


def elements(page: str) -> set[str]:
    """Return the HTML elements of a page in Markdown, with the comments as such."""
    found: set[str] = set()

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.add(tag if not attrs or tag in ("th", "td") else f"{tag} {attrs}")

    Parser().feed(
        MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(page)
    )
    return found


@pytest.mark.parametrize(
    "text",
    [
        "</pre><img src=x onerror=alert(1)>",
        "| a | b |\n|---|",
        "```\n\n# head\n\n",
        "[a](http://b) ![c](d) <http://e>",
        "\n\n<!-- mpgrade -->\n",
        "&lt;b&gt; &#60;i&#62;",
        "*a* _b_ ~~c~~ `d`",
        "@all #1 \\",
    ],
)
def test_words_of_a_student_are_only_shown(text: str) -> None:
    """Whatever a file, a message, a hint or a printed line is, the page has the same elements and
    no other.
    """
    bad = check(
        message=text,
        hint=text,
        title=text,
        evidence={"lines": [text], "call": text, "source": {"file": text, "line": 1, "code": text}},
    )
    found = dataclasses.replace(
        result(bad),
        submission=SubmissionPart(id=text, path=text, module=text, sha256="", note=text),
    )
    page = summary.render(found, (Criterion(name="all", title=text, points=1),))
    assert elements(page) == {"h2", "pre", "table", "thead", "tbody", "tr", "th", "td", "strong"}
    assert page.count("<!--") == 0


def test_summary_says_whose_points_others_have() -> None:
    """A criterion that was undecided has no points, one that another one takes says why, and both
    are told.
    """
    criteria = (
        Criterion(name="first", points=3),
        Criterion(name="all", points=1, requires=("first",)),
        Criterion(name="speed", points=1),
    )
    found = [
        *results.outcomes(Outcome.FAILED, criterion="first", test="t.py::first{}"),
        check(outcome=Outcome.PASSED),
        *results.outcomes(Outcome.INCONCLUSIVE, criterion="speed", test="t.py::speed{}"),
    ]
    page = summary.render(results.result(found, criteria), criteria)
    assert "| speed | 1 inconclusive | - |" in page
    assert "not earned: less than half of the points of &#x27;first&#x27;: all" in page
    assert "1 of the points could not be decided here, and was spread over the others" in page
    assert elements(page) <= {
        "p",
        "h2",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "pre",
        "strong",
    }


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.INCONCLUSIVE])
def test_what_was_not_decided_says_why(outcome: Outcome) -> None:
    """A check that the machine or the grader could not decide is explained in the summary too."""
    page = summary.render(result(check(outcome=outcome, message="only 1 core <was> free")), ALL)
    assert f"{outcome}; a person should look:\nonly 1 core &lt;was&gt; free" in page


def test_marks_are_escaped() -> None:
    """A path or a message cannot end its property, nor begin another command."""
    bad = check(
        message="50%\n::error::x", evidence={"source": {"file": "a.py", "line": 7, "code": "x"}}
    )
    (line,) = annotation_places.marks(result(bad), lambda name: f"a,b:c%/::{name}")
    (found,) = commands(line)
    assert found.properties["file"] == "a,b:c%/::a.py"
    assert found.properties["line"] == "7"
    assert found.data == "50% ::error::x (hint: h)"


def test_mark_of_a_hang_is_where_it_waits() -> None:
    """Of a hang the student's own line counts, whatever its stacks hold."""
    stacks = [{"pid": 1, "frames": ["process.py:149 join", "a.py:79 run", "a.py:90 main"]}]
    own = {"file": "a.py", "line": 79, "code": "p.join()"}
    (hang,) = result(check(evidence={"stacks": stacks, "source": own})).checks
    assert grouping.source_place(hang) == ("a.py", 79)
    (bare,) = result(check(evidence={"stacks": stacks})).checks
    assert grouping.source_place(bare) is None


@pytest.mark.parametrize("place", ["", 7, None, ["x"], {"line": "7"}, {"file": "a.py", "line": 0}])
def test_strange_evidence_marks_nothing(place: object) -> None:
    """Evidence of another form is passed over."""
    (strange,) = result(check(evidence={"source": place})).checks
    assert grouping.source_place(strange) is None


def test_files_outside_the_workspace_have_no_mark(tmp_path: Path) -> None:
    """What GitHub does not have it cannot mark; of two files the one nearest to the top is
    meant.
    """
    for name in ("work/a/b/x.py", "work/a/x.py", "work/.git/y.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    inside = step.locate(tmp_path / "work" / "a", {"GITHUB_WORKSPACE": str(tmp_path / "work")})
    assert (inside("x.py"), inside("y.py")) == ("a/x.py", "")
    assert (
        step.locate(tmp_path / "work", {"GITHUB_WORKSPACE": str(tmp_path / "work" / "a")})("y.py")
        == ""
    )
    one = tmp_path / "work" / "a" / "x.py"
    assert step.locate(one, {"GITHUB_WORKSPACE": str(tmp_path / "work")})("x.py") == "a/x.py"
