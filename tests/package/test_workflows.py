"""The workflow in each starter: it fits its assignment's rubric, and its steps grade a clone of the
starter.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_mpgrade.course import assignment
from pytest_mpgrade.report.exports.github.payload import WHOLE, runner_ids
from support.github_actions import Reported, commands, outputs, report
from support.running import ROOT, variables

NAMES = [each.name for each in assignment.shipped()]
EACH = pytest.mark.parametrize("name", NAMES)
JOB = "run-autograding-tests"  # the only name that the reporter's own documentation allows
BASH = shutil.which("bash")


def workflow(name: str) -> Path:
    """Return the file that students get."""
    return ROOT / "assignments" / name / "starter" / ".github" / "workflows" / "grade.yml"


def read(name: str) -> dict[str, Any]:
    """Return the workflow of an assignment; `on` is a truth value to YAML 1.1, and a text to
    GitHub.
    """
    found: dict[str, Any] = yaml.safe_load(
        workflow(name).read_text("utf-8").replace("\non:", '\n"on":')
    )
    return found


def steps(name: str) -> dict[str, dict[str, Any]]:
    """Return the steps by their names."""
    return {each["name"]: each for each in read(name)["jobs"][JOB]["steps"]}


@EACH
def test_reporter_is_asked_for_the_rubric(name: str) -> None:
    """Its runners are the assignment's criteria, in their order, and each variable is the output of
    that name.
    """
    *_, last = steps(name).values()
    ids = list(runner_ids(assignment.find_assignment(name).criteria).values())
    assert last["with"]["runners"].split(",") == ids
    assert last["env"] == {
        f"{id.upper()}_RESULTS": f"${{{{ steps.grade.outputs.{id} }}}}" for id in ids
    }


OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize(
    "file", [*map(workflow, NAMES), *OURS], ids=lambda file: file.relative_to(ROOT).as_posix()
)
def test_workflow_is_valid(file: Path) -> None:
    """It fits GitHub's schema of workflows, and actionlint finds nothing in it where that is
    installed.
    """
    schema = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
    ]
    done = subprocess.run(
        [*schema, str(file)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    if lint := shutil.which("actionlint", path=beside):
        done = subprocess.run(
            [lint, str(file)], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@EACH
def test_workflow_asks_for_little(name: str) -> None:
    """It may read the repository and nothing else, ends by itself, and leaves no token where
    student code runs.
    """
    found = read(name)
    (job,) = found["jobs"].values()
    assert found["permissions"] == {"contents": "read"}
    assert job.keys() == {"runs-on", "timeout-minutes", "steps"}
    limits = assignment.find_assignment(name).limits.submission_seconds / 60
    assert limits < steps(name)["Grade"]["timeout-minutes"] < job["timeout-minutes"]
    assert job["steps"][0]["with"] == {"persist-credentials": False}
    assert [each["name"] for each in job["steps"] if "secrets." in str(each)] == [
        "Install the grader and the assignment"
    ]
    # Words from outside go through variables: in a script they would be part of the program.
    assert not [each for each in job["steps"] if "${{" in each.get("run", "")]


class Runner:
    """A clone of a starter, and the steps' files and variables, as on GitHub."""

    def __init__(self, name: str, place: Path) -> None:
        self.name, self.place, self.workspace = name, place, place / "work" / "hw-ada"
        (place / "temp").mkdir()
        shutil.copytree(workflow(name).parents[2], place / "starter")
        git = [
            "git",
            "-c",
            "user.name=ada",
            "-c",
            "user.email=ada@example.org",
            "-c",
            "commit.gpgsign=false",
        ]
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "starter"]):
            subprocess.run([*git, *words], cwd=place / "starter", check=True, timeout=60)
        subprocess.run(
            ["git", "clone", "-q", str(place / "starter"), str(self.workspace)],
            check=True,
            timeout=60,
        )

    def run(self, step: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a step's script as GitHub does, with the interpreter of these tests as the one that
        was set up.
        """
        for file in ("output", "summary"):
            (self.place / f"{step}.{file}").touch()
        given = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": self.workspace,
            "RUNNER_TEMP": self.place / "temp",
            "GITHUB_OUTPUT": self.place / f"{step}.output",
            "GITHUB_STEP_SUMMARY": self.place / f"{step}.summary",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        script = self.place / "script.sh"
        script.write_text(steps(self.name)[step]["run"])
        kept = {key: value for key, value in variables().items() if key != "PYTHONPATH"}
        environment = kept | {key: str(each) for key, each in given.items()} | more
        return subprocess.run(
            ["bash", "-e", str(script)],
            cwd=self.workspace,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )

    def reported(self) -> Reported:
        """Run the reporter's step on what the step `Grade` has put out."""
        found = outputs((self.place / "Grade.output").read_text("utf-8"))
        step = steps(self.name)["Report the points"]
        named = {
            key: re.sub(r"^\$\{\{ steps\.grade\.outputs\.(\w+) \}\}$", r"\1", text)
            for key, text in step["env"].items()
        }
        assert found.keys() == {*named.values(), WHOLE}
        return report(step["with"]["runners"], {key: found[name] for key, name in named.items()})


@EACH
def test_workflows_differ_by_names_alone(name: str) -> None:
    """What is graded with one of them holds for all."""

    def without_names(name: str) -> str:
        text = re.sub(r" +\w+_RESULTS: .*\n", "", workflow(name).read_text("utf-8"))
        return re.sub(r"runners: .*", "runners:", text).replace(name, "NAME")

    assert without_names(name) == without_names("mp_apply")


@pytest.mark.skipif(BASH is None or os.name == "nt", reason="the workflow's steps are for bash")
@pytest.mark.parametrize("name", ["mp_apply", "vectorize", "notebook"])
def test_steps_grade_a_clone_of_the_starter(name: str, tmp_path: Path) -> None:
    """Installed and graded as the workflow says, a starter gets few points, and the totals
    agree.
    """
    runner = Runner(name, tmp_path)
    done = runner.run(
        "Install the grader and the assignment", MPGRADE_INSTALL="pytest-mpgrade[notebook]"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    done = runner.run("Grade")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {each.name for each in commands(done.stdout + done.stderr)} <= {"error"}
    made = runner.reported()
    assert made.failed
    assert made.notice
    assert made.notice["totalPoints"] == pytest.approx(sum(made.scores), abs=1e-6)
    assert made.notice["totalPoints"] < made.notice["maxPoints"] / 2
    assert (tmp_path / "Grade.summary").read_text("utf-8").count("## ") == 1
    clean = subprocess.run(
        ["git", "status", "--porcelain"],
        cwd=runner.workspace,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert clean.stdout == b""


@pytest.mark.skipif(BASH is None or os.name == "nt", reason="the workflow's steps are for bash")
def test_missing_variable_is_named(tmp_path: Path) -> None:
    """Without a place to install from, the step fails with what to do."""
    done = Runner(NAMES[0], tmp_path).run(
        "Install the grader and the assignment", MPGRADE_INSTALL=""
    )
    assert done.returncode == 1
    (said,) = commands(done.stdout)
    assert (said.name, "MPGRADE_INSTALL is not set" in said.data) == ("error", True)
