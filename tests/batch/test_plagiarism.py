"""A class laid out for plagiarism checkers: what they read, and nothing that leads elsewhere."""

from __future__ import annotations

import csv
import io
import json
import shlex
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from pytest_mpgrade.batch.plagiarism.program import read_program
from pytest_mpgrade.records import Submission
from pytest_mpgrade.report.result_json import write_result
from support.results import outcomes
from support.results import result as graded
from support.running import run_command
from support.small_class import RIGHT, SOLUTIONS, TESTS, TOML

STARTER = "def double(x):\n    '''Return twice x.'''\n"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a folder with an assignment with a starter, and Blackboard's download of a class."""
    (tmp_path / "double" / "starter").mkdir(parents=True)
    (tmp_path / "double" / "assignment.toml").write_text(TOML)
    (tmp_path / "double" / "test_double.py").write_text(TESTS)
    (tmp_path / "double" / "starter" / "double.py").write_text(STARTER)
    (tmp_path / "double" / "starter" / "pytest.ini").write_text("[pytest]\n")
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for name in ("ada", "ben"):
            stem = f"HW_{name}_attempt_2026-03-02-09-00-00"
            archive.writestr(f"{stem}_double.py", SOLUTIONS[name])
            archive.writestr(f"{stem}_notes, final.py", "x = 1\n")
            archive.writestr(f"{stem}.txt", "comment")
        archive.writestr("HW_eva_attempt_2026-03-02-09-00-00_essay.docx", "no Python")
    return tmp_path


def export(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `mpgrade export` to its end."""
    return run_command([sys.executable, "-m", "pytest_mpgrade", "export", *words], place)


def files_below(folder: Path) -> dict[str, str]:
    """Return the files below a folder by their names."""
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def command_in(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the words of the command that is printed last."""
    return shlex.split(done.stdout.splitlines()[-1])


def test_jplag_has_a_folder_for_each_submission(course: Path) -> None:
    """The root has nothing but submissions, the starter is base code, and the command names
    both.
    """
    done = export(
        course, "class.zip", "--format", "jplag", "--out", "out dir", "--assignment", "double"
    )
    assert done.returncode == 0, done.stderr
    assert files_below(course / "out dir" / "submissions") == {
        "ada/double.py": RIGHT,
        "ada/notes, final.py": "x = 1\n",
        "ben/double.py": SOLUTIONS["ben"],
        "ben/notes, final.py": "x = 1\n",
    }
    assert files_below(course / "out dir" / "base-code") == {"double.py": STARTER}
    assert "nothing for 1 submission (eva)" in done.stdout
    words = command_in(done)
    assert words[:5] == ["java", "-jar", "jplag.jar", "-l", "python3"]
    assert words[words.index("-bc") + 1] == str(Path("out dir", "base-code"))
    assert words[-1] == str(Path("out dir", "submissions"))


def test_dolos_has_a_row_for_each_file(course: Path) -> None:
    """The table in the root of the zip names every file, its student and time, and the one that all
    have.
    """
    done = export(
        course, "class.zip", "--format", "dolos", "--out", "out", "--assignment", "double"
    )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(course / "out" / "submissions.zip") as archive:
        names = set(archive.namelist())
        table = io.StringIO(archive.read("info.csv").decode(), newline="")
        assert archive.read("base-code.py").decode() == STARTER
    rows = list(csv.DictReader(table))
    assert {row["filename"] for row in rows} | {"info.csv"} == names
    assert [row["filename"] for row in rows if row["ignored"] == "true"] == ["base-code.py"]
    ada = next(row for row in rows if row["filename"] == "ada/double.py")
    assert (ada["full_name"], ada["label"]) == ("ada", "")
    assert datetime.fromisoformat(ada["created_at"]).replace(tzinfo=None) == datetime(2026, 3, 2, 9)
    assert command_in(done)[:2] == ["dolos", "run"]
    assert command_in(done)[-1] == str(Path("out", "submissions.zip"))


def test_results_say_where_the_submissions_and_the_starter_are(course: Path) -> None:
    """From the folder of a batch neither the download nor the assignment has to be named."""
    folder = course / "class" / "ada"
    folder.mkdir(parents=True)
    (folder / "double.py").write_text(RIGHT)
    kept = graded(
        outcomes(), submission=Submission(id="ada", path="class/ada"), assignment="double"
    )
    write_result(kept, course / "res" / "ada" / "result.json")
    (course / "res" / "mapping.csv").write_text("submission,source,what,note\nada,ada,graded,\n")
    done = export(course, "res", "--format", "jplag", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert files_below(course / "out") == {
        "submissions/ada/double.py": RIGHT,
        "base-code/double.py": STARTER,
    }
    (folder / "double.py").unlink()
    folder.rmdir()
    done = export(course, "res", "--format", "jplag", "--out", "other")
    assert (done.returncode, "class/ada is not there" in done.stderr) == (2, True)


def test_nothing_is_overwritten(course: Path) -> None:
    """A folder with something in it is refused, and stays as it is."""
    done = export(course, "class.zip", "--format", "jplag", "--out", "double")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "name a new folder" in done.stderr
    assert set(files_below(course / "double")) >= {"assignment.toml", "starter/double.py"}


def test_without_an_assignment_there_is_no_base_code(course: Path) -> None:
    """What all have is unknown then, and that is said."""
    done = export(course, "class.zip", "--format", "jplag", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "-bc" not in command_in(done)
    assert "--assignment" in done.stdout
    assert not (course / "out" / "base-code").exists()


def test_code_of_notebooks_is_compared(tmp_path: Path) -> None:
    """A notebook becomes a module of its code cells; one that cannot be read is named."""
    pytest.importorskip("jupytext")
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# Homework"},
        {
            "cell_type": "code",
            "metadata": {},
            "source": "x = 1",
            "outputs": [],
            "execution_count": 1,
        },
        {
            "cell_type": "code",
            "metadata": {},
            "source": "print(x)",
            "outputs": [],
            "execution_count": 2,
        },
    ]
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (tmp_path / "hw.ipynb").write_text(json.dumps(book))
    (tmp_path / "broken.ipynb").write_text("{")
    program = read_program("ada", tmp_path)
    assert list(program.files) == ["hw.ipynb.py"]
    assert program.files["hw.ipynb.py"].split() == [b"x", b"=", b"1", b"print(x)"]
    (left,) = program.left_out
    assert left.startswith("broken.ipynb is left out: ")


def test_hostile_submissions_lead_nowhere(tmp_path: Path) -> None:
    """Links out of a submission, huge files and strange names are neither followed nor copied as
    they are.
    """
    (tmp_path / "secret.py").write_text("secret = 1\n")
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / "link.py").symlink_to(tmp_path / "secret.py")
    with (folder / "huge.py").open("wb") as file:
        file.truncate(10**9)
    (folder / "a\n:b.py").write_text("y = 1\n")
    (folder / "a -b.py").write_text("z = 1\n")
    program = read_program("../ada", folder)
    assert sorted(program.files) == ["a -b-.py", "a -b.py"]
    assert sorted(program.files.values()) == [b"y = 1\n", b"z = 1\n"]
    assert len(program.left_out) == 2
    assert "/" not in program.folder
