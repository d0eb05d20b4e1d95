"""Feedback for course systems: each is read as the system's own importer reads it."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import tokenize
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_mpgrade.batch.feedback import FOLDER, SYSTEMS, write_feedback
from pytest_mpgrade.batch.feedback.student import read_students
from pytest_mpgrade.batch.mapping import Mapped, read_mapping, sources_of, write_mapping
from pytest_mpgrade.cli.shared_arguments import FEEDBACK
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Criterion, Status, Submission
from pytest_mpgrade.report.result_json import ResultFile, result_files, write_result
from support.export_formats import HIDDEN_TESTS, HIDDEN_TOML, check_part, gradescope
from support.results import METHODS, result
from support.running import run_command
from support.small_class import RIGHT, SOLUTIONS, TESTS, TOML

CRITERIA = (Criterion(name="all", title="All of it", points=2),)


def result_of(id: str, path: str = "", **more: Any) -> ResultFile:
    """Return the result of a submission that has earned nothing."""
    found = [
        check_part(f"t.py::test_x[{method}]", message="none came", hint="return them", **more)
        for method in METHODS
    ]
    submission = Submission(id=id, path=path or id, module="cv_funcs.py")
    return result(found, CRITERIA, submission=submission)


def written(
    system: str,
    out: Path,
    results: Iterable[ResultFile],
    sources: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Path, str]:
    """Write the feedback on results; return its folder, and the lines about it."""
    for number, each in enumerate(results):
        write_result(each, out / str(number) / "result.json")
    files = result_files(out)
    lines = write_feedback([system], lambda: read_students(files, CRITERIA, sources or {}), out)
    return out / FOLDER / system, "\n".join(lines)


def unpacked(path: Path) -> dict[str, bytes]:
    """Return the files of a zip."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_all_systems_can_be_named() -> None:
    """The command line names the systems that there are."""
    assert set(FEEDBACK) == set(SYSTEMS)


# --- Moodle


def moodle_takes(name: str, participants: set[int]) -> tuple[int, str] | None:
    """Return for whom Moodle takes a file, and under which name, as its importer does
    (mod/assign/feedback/file/importziplib.php).
    """
    if name.rpartition("/")[2][:1] in (".", "~"):
        return None
    parts = f"/{name}".split("/")
    while parts:
        info = parts.pop(0).split("_", 4)
        if len(info) < 4 or not info[1].isdecimal() or int(info[1]) not in participants:
            continue
        if info[2:4] != ["assignsubmission", "file"]:
            continue
        return int(info[1]), "/".join([*info[4:], *parts])
    return None


@pytest.mark.parametrize("kept", [True, False])
def test_moodle_takes_each_page_for_its_participant(tmp_path: Path, kept: bool) -> None:
    """The zip has a page for each participant, by the download's names or by the results' alone."""
    names = {"Jane O'Hara, jr._4711": 4711, "Jürgen_von Groß_4712": 4712, ".. /x_4713": 4713}
    sources = {id: [f"{id}_assignsubmission_file/cv_funcs.py"] for id in names} if kept else {}
    ids = [id for id in names if not kept or "/" not in id]
    folder, said = written("moodle", tmp_path, [result_of(id) for id in ids], sources)
    members = unpacked(folder / "moodle-feedback.zip")
    taken = [moodle_takes(name, set(names.values())) for name in members]
    assert sorted(taken, key=str) == [(names[id], "feedback.html") for id in ids]
    assert all(page.startswith(b"<!DOCTYPE html>") for page in members.values())
    assert "Upload multiple feedback files in a zip" in said


def test_moodle_says_whom_it_cannot_name(tmp_path: Path) -> None:
    """A submission without a participant's number is named, and nothing is guessed."""
    results = [result_of("ada"), result_of("ben_1"), result_of("Bo Li_4712")]
    folder, said = written("moodle", tmp_path, results, {"ben_1": ["ben_1"]})
    assert len(unpacked(folder / "moodle-feedback.zip")) == 1
    assert "nothing for 2 submissions (ada, ben_1)" in said


GOT_BY = {
    "moodle": "Actions, Download all submissions",
    "canvas": "Download Submissions, on the page",
    "gradescope": "Export Submissions",
}


@pytest.mark.parametrize("system", GOT_BY)
def test_without_the_download_nothing_is_written(tmp_path: Path, system: str) -> None:
    """Where nobody's name is the system's, the file that is needed is named, and how to get it."""
    folder, said = written(system, tmp_path, [result_of("ada"), result_of("ben")])
    assert not folder.exists()
    assert "nothing was written" in said
    assert GOT_BY[system] in said
    assert "--source" in said


@pytest.mark.parametrize("system", GOT_BY)
def test_a_batch_tells_it_before_it_grades(course: Path, system: str) -> None:
    """A class of plain folders, whose feedback could be for nobody, is refused at once."""
    (course / "plain" / "ada").mkdir(parents=True)
    (course / "plain" / "ada" / "double.py").write_text(RIGHT)
    done = mpgrade(course, "batch", "plain", *GRADE, "--feedback", system)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stdout + done.stderr
    assert GOT_BY[system] in done.stderr
    assert not (course / "out" / "ada").exists()


# --- Canvas


def canvas_takes(name: str) -> tuple[str, ...]:
    """Return the numbers of user and file that Canvas reads from a name, as
    generate_comments_from_files does.
    """
    parts = name.split("_")
    numbers = tuple(part for part in parts if re.fullmatch(r"\d+", part))[:2]
    return () if parts[-1].startswith("link") or name.startswith("._") else numbers


CANVAS = {
    "doejane_101": ("doejane_101_5002_notes.txt", "doejane_101_5003_cv_funcs-2.py"),
    "müllerjörg_102": ("müllerjörg_LATE_102_5004_solution.ipynb",),
    "o_neilpat_103": ("o_neilpat_103_5005_all.zip",),
    "textonly_104": (),
}


@pytest.fixture
def canvas(tmp_path: Path) -> tuple[Path, str]:
    """Return what is written of a Canvas class."""
    return written("canvas", tmp_path, map(result_of, CANVAS), CANVAS)


def test_canvas_takes_each_file_for_its_user(canvas: tuple[Path, str]) -> None:
    """Each file has a name of the download, that of the module where it is there; who has none is
    named.
    """
    folder, said = canvas
    members = unpacked(folder / "canvas-submissions.zip")
    assert set(members) == {
        "doejane_101_5003_cv_funcs-2.py",
        "müllerjörg_LATE_102_5004_solution.ipynb",
        "o_neilpat_103_5005_all.zip",
    }
    assert {canvas_takes(name) for name in members} == {
        ("101", "5003"),
        ("102", "5004"),
        ("103", "5005"),
    }
    assert "nothing for 1 submission (textonly_104)" in said


def test_canvas_gets_files_of_the_kind_that_it_shows(canvas: tuple[Path, str]) -> None:
    """Canvas shows an answer under the name of the file that was handed in: it is valid Python, a
    notebook, an archive.
    """
    members = unpacked(canvas[0] / "canvas-submissions.zip")
    python = members["doejane_101_5003_cv_funcs-2.py"]
    kinds = {token.type for token in tokenize.tokenize(io.BytesIO(python).readline)}
    assert kinds == {tokenize.ENCODING, tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER}
    assert b"#   1. return them" in python
    notebook = json.loads(members["müllerjörg_LATE_102_5004_solution.ipynb"])
    assert [cell["cell_type"] for cell in notebook["cells"]] == ["markdown"]
    assert "return them" in notebook["cells"][0]["source"]
    with zipfile.ZipFile(io.BytesIO(members["o_neilpat_103_5005_all.zip"])) as inner:
        assert b"return them" in inner.read("feedback.html")


def test_canvas_comments_have_the_users(canvas: tuple[Path, str]) -> None:
    """The table has the number of each user, the points, and what to fix first."""
    with (canvas[0] / "comments.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["ID"], row["score"]) for row in rows] == [
        ("101", "0"),
        ("102", "0"),
        ("103", "0"),
        ("104", "0"),
    ]
    assert all(row["comment"].startswith("Fix this first\n  1. return them") for row in rows)


def test_comments_are_no_formulas(tmp_path: Path) -> None:
    """A spreadsheet computes nothing of what a submission is named."""
    name = '=HYPERLINK("https://evil.example")'
    folder, _ = written("canvas", tmp_path, [result_of(name)], {name: ["x_101_7_cv_funcs.py"]})
    with (folder / "comments.csv").open(encoding="utf-8", newline="") as file:
        assert [row["submission"][:3] for row in csv.DictReader(file)] == ["'=H"]


# --- nbgrader


def nbgrader_releases(feedback: Path, assignment: str) -> dict[str, tuple[str, str]]:
    """Return for each student and notebook what `nbgrader release_feedback` needs, as it reads
    it.
    """
    found: dict[str, tuple[str, str]] = {}
    for page in feedback.glob(f"*/{assignment}/*.html"):
        match = re.match(rf"{re.escape(str(feedback))}/(.*)/{assignment}/(.*)\.html", str(page))
        assert match is not None
        when, secret = page.with_name("timestamp.txt"), page.with_name("submission_secret.txt")
        found["/".join(match.groups())] = (when.read_text(), secret.read_text())
    return found


def test_nbgrader_can_release_each_page(tmp_path: Path) -> None:
    """There is a page for each notebook, and what nbgrader wants beside it; a link out of a
    submission is not followed.
    """
    submitted = tmp_path / "submitted"
    for student in ("jdoe", "evil"):
        handed = submitted / student / "hw3"
        handed.mkdir(parents=True)
        for name in ("hw3.ipynb", "extra.ipynb", "cv_funcs.py"):
            (handed / name).write_text("{}")
        (handed / "timestamp.txt").write_text("2026-03-02 09:00:00 UTC")
    (submitted / "jdoe" / "hw3" / "submission_secret.txt").write_text("s3cret")
    (submitted / "evil" / "hw3" / "submission_secret.txt").symlink_to(
        "../../jdoe/hw3/submission_secret.txt"
    )
    results = [result_of(name, str(submitted / name / "hw3")) for name in ("jdoe", "evil")]
    sources = {name: [f"submitted/{name}/hw3"] for name in ("jdoe", "evil")}
    folder, said = written("nbgrader", tmp_path / "out", results, sources)
    assert "nothing for 1 submission (evil)" in said
    assert not (folder / "evil" / "hw3" / "submission_secret.txt").exists()
    (folder / "evil" / "hw3" / "submission_secret.txt").write_text("")
    assert set(nbgrader_releases(folder, "hw3")) == {
        f"{student}/{name}" for student in ("jdoe", "evil") for name in ("hw3", "extra")
    }
    assert nbgrader_releases(folder, "hw3")["jdoe/hw3"] == ("2026-03-02 09:00:00 UTC", "s3cret")


def test_nbgrader_without_the_submissions(tmp_path: Path) -> None:
    """From results alone a page is named like the module, below the assignment; a hostile name
    leads nowhere.
    """
    folder, _ = written("nbgrader", tmp_path, [result_of("jdoe"), result_of("../../x")])
    assert (folder / "jdoe" / "x" / "cv_funcs.html").is_file()
    assert len(list(folder.glob("*/x/cv_funcs.html"))) == 2


# --- Gradescope


def show(home: Path, number: int) -> subprocess.CompletedProcess[str]:
    """Run the autograder as Gradescope does, with its folder elsewhere."""
    (home / "submission_metadata.json").write_text(json.dumps({"id": number}))
    script = home / "source" / "run_autograder"
    text = script.read_text("utf-8")
    assert text.startswith("#!/usr/bin/env python3\n")
    moved = text.replace('Path("/autograder")', f"Path({str(home)!r})")
    return run_command([sys.executable, "-I", "-c", moved], home)


def test_gradescope_shows_each_result(tmp_path: Path) -> None:
    """The autograder runs nothing and shows the result of its submission; without one it shows
    none.
    """
    sources = {"ada": ["submission_123"], "ben": ["assignment_9_export/submission_124"]}
    results = [result_of(id) for id in ("ada", "ben", "eva")]
    folder, said = written("gradescope", tmp_path, results, sources)
    assert "nothing for 1 submission (eva)" in said
    with zipfile.ZipFile(folder / "gradescope-autograder.zip") as archive:
        archive.extractall(tmp_path / "source")
        modes = {each.filename: each.external_attr >> 16 & 0o777 for each in archive.infolist()}
    assert (modes["setup.sh"], modes["run_autograder"]) == (0o755, 0o755)
    assert show(tmp_path, 125).returncode == 1
    assert not (tmp_path / "results").exists()
    assert show(tmp_path, 124).returncode == 0
    text = (tmp_path / "results" / "results.json").read_text("utf-8")
    assert gradescope(text) == (0.0, True)
    assert "return them" in json.loads(text)["output"]


# --- GitHub


def test_github_comments_fit(tmp_path: Path) -> None:
    """Each comment is short enough for GitHub, and names of submissions that differ in case have
    one each.
    """
    evidence = {"lines": ["x" * 9000] * 8}
    many = [
        check_part(f"t.py::test_{number}[fork]", hint=f"hint {number}", evidence=evidence)
        for number in range(60)
    ]
    results = [
        result(many, CRITERIA, submission=Submission(id=id, path=id)) for id in ("ada", "Ada")
    ]
    folder, said = written("github", tmp_path, results)
    pages = [path.read_text("utf-8") for path in folder.iterdir()]
    assert len(pages) == 2
    assert all(10_000 < len(page) <= 65_536 for page in pages)
    assert "gh pr comment" in said


# --- what all have in common


@pytest.mark.parametrize("system", SYSTEMS)
def test_hidden_checks_are_in_no_feedback(tmp_path: Path, system: str) -> None:
    """Nothing that is written for students has a word of a hidden check."""
    hidden = (CRITERIA[0], Criterion(name="secret", title="Secret", points=1, hidden=True))
    found = [
        check_part("t.py::test_x[fork]", hint="return them"),
        check_part("t.py::test_secret[fork]", "secret", message="secret", hint="secret hint"),
    ]
    whole = result(found, hidden, submission=Submission(id="ada_1", path="ada_1"))
    write_result(whole, tmp_path / "ada" / "result.json")
    names = ("ada_1_assignsubmission_file", "ada_1_2_cv_funcs.py", "submission_7")
    students = lambda: read_students(result_files(tmp_path), hidden, {"ada_1": names})  # noqa: E731 - a name
    lines = list(write_feedback([system], students, tmp_path))
    files = [path for path in (tmp_path / FOLDER).rglob("*") if path.is_file()]
    texts = [path.read_bytes() for path in files if path.suffix != ".zip"]
    texts += [data for path in files if path.suffix == ".zip" for data in unpacked(path).values()]
    assert any(b"return them" in text for text in texts)
    assert not [text for text in texts if b"ecret" in text.replace(b"submission_secret", b"")]
    assert "secret" not in " ".join(lines).replace("submission_secret.txt", "")


def test_results_of_another_assignment_are_refused(tmp_path: Path) -> None:
    """A criterion that the assignment lacks might be hidden."""
    write_result(result_of("ada"), tmp_path / "ada" / "result.json")
    with pytest.raises(UsageError, match="another assignment: it has the criterion 'all'"):
        list(read_students(result_files(tmp_path), (Criterion(name="b", points=1),), {}))


def test_an_earlier_feedback_is_replaced(tmp_path: Path) -> None:
    """Who is no longer in the class has no feedback left."""
    folder, _ = written("github", tmp_path, [result_of("ada"), result_of("ben")])
    assert len(list(folder.iterdir())) == 2
    (tmp_path / "1" / "result.json").unlink()
    written("github", tmp_path, [result_of("ada")])
    assert len(list(folder.iterdir())) == 1


def test_what_cannot_be_graded_has_feedback_too(tmp_path: Path) -> None:
    """Why a submission has no grade is what its student needs most."""
    broken = replace(result_of("a_1"), status=Status.UNGRADABLE, reason="no module here")
    folder, _ = written("moodle", tmp_path, [broken])
    (page,) = unpacked(folder / "moodle-feedback.zip").values()
    assert b"no module here" in page


def test_mapping_is_read_back(tmp_path: Path) -> None:
    """The names of a download are kept with the results, those too that need quotes."""
    mapping = [
        Mapped(submission="a, b", source='x "1".py', what="graded", note="late"),
        Mapped(submission="a, b", source="y.py", what="an older attempt"),
        Mapped(submission="a, b", source="z\x1b.py", what="graded"),
    ]
    write_mapping(mapping, tmp_path / "mapping.csv")
    assert sources_of(read_mapping(tmp_path / "mapping.csv")) == {"a, b": ('x "1".py', "z\\x1b.py")}


# --- the commands


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a folder with an assignment that hides a criterion, and Moodle's download of a
    class.
    """
    (tmp_path / "double").mkdir()
    (tmp_path / "double" / "assignment.toml").write_text(HIDDEN_TOML)
    (tmp_path / "double" / "test_double.py").write_text(HIDDEN_TESTS)
    for name, text in (("Jane Doe_4711", RIGHT), ("Bo Li_4712", SOLUTIONS["ben"])):
        folder = tmp_path / "class" / f"{name}_assignsubmission_file"
        folder.mkdir(parents=True)
        (folder / "double.py").write_text(text)
    return tmp_path


def mpgrade(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run mpgrade to its end."""
    return run_command([sys.executable, "-m", "pytest_mpgrade", *words], place)


GRADE = ("--assignment", "double", "--out", "out", "--no-require-isolation")


def test_batch_writes_feedback_and_so_does_the_command_later(course: Path) -> None:
    """A batch writes what was asked for, and `mpgrade feedback` the same from the results alone,
    if it is told what is hidden.
    """
    asked = ("--feedback", "moodle", "--feedback", "github")
    done = mpgrade(course, "batch", "class", *GRADE, *asked)
    assert done.returncode == 0, done.stderr
    assert "feedback for moodle: " in done.stdout
    archive = course / "out" / "feedback" / "moodle" / "moodle-feedback.zip"
    first = unpacked(archive)
    assert len(first) == len(list((course / "out" / "feedback" / "github").iterdir())) == 2
    archive.unlink()
    refused = mpgrade(course / "class", "feedback", "../out", "--for", "moodle")
    assert (refused.returncode, "--assignment" in refused.stderr) == (2, True)
    again = mpgrade(course, "feedback", "out", "--for", "moodle")
    assert (again.returncode, unpacked(archive)) == (0, first)
    (course / "out" / "mapping.csv").unlink()
    archive.unlink()
    words = ("--for", "moodle", "--assignment", "double", "--source", "class")
    assert mpgrade(course, "feedback", "out", *words).returncode == 0
    assert unpacked(archive) == first
    nothing = mpgrade(course, "feedback", "out", "--for", "gradescope")
    assert (nothing.returncode, "nothing was written" in nothing.stdout) == (2, True)


def test_grade_writes_feedback_beside_its_result(course: Path) -> None:
    """The feedback on one submission lies in the folder of its result, so that the next one leaves
    it alone.
    """
    done = mpgrade(
        course, "grade", "class/Bo Li_4712_assignsubmission_file", *GRADE, "--feedback", "github"
    )
    assert done.returncode == 1, done.stderr
    (page,) = (course / "out").glob("*/feedback/github/*.md")
    assert "double(21) is not 42" in page.read_text("utf-8")
    assert "secret" not in page.read_text("utf-8")


def test_feedback_trusts_no_name_alone(tmp_path: Path) -> None:
    """A course's own assignment may have the name of one that comes with mpgrade, and hide other
    things: it has to be named.
    """
    (tmp_path / "mine").mkdir()
    toml = TOML.replace('name = "double"', 'name = "mp_apply"')
    (tmp_path / "mine" / "assignment.toml").write_text(toml)
    (tmp_path / "mine" / "test_double.py").write_text(TESTS)
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "double.py").write_text(RIGHT)
    words = ("--assignment", "./mine", "--out", "out", "--no-require-isolation")
    assert mpgrade(tmp_path, "grade", "ada", *words).returncode == 0
    done = mpgrade(tmp_path, "feedback", "out", "--for", "github")
    assert done.returncode == 2
    assert "has other tests, limits or points" in done.stderr
    assert not (tmp_path / "out" / "feedback").exists()
