"""Assignments that lie elsewhere: in folders of MPGRADE_ASSIGNMENTS, and in installed packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mpgrade.course.assignment import kept_from_students, load_assignment
from support.known_verdicts import EXPECTED, HANGS, TESTS, TOML
from support.running import variables

FILES = {
    "assignment.toml": TOML,
    "test_twice.py": TESTS,
    "reference/twice.py": "def twice(x):\n    return 2 * x\n",
    "wrong/expected.toml": EXPECTED,
    "wrong/thrice.py": "def twice(x):\n    return 3 * x\n",
    "wrong/hangs.py": HANGS,
}
"""An assignment with its own reference and wrong solutions."""


def put(folder: Path, title: str = "Twice") -> Path:
    """Write an assignment that is called as its folder is."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = text.replace('"Twice"', f'"{title}"').replace('"twice"\n', f'"{folder.name}"\n', 1)
        file.write_text(text, "utf-8")
    return folder


def install(site: Path, value: str, distribution: str = "course-507") -> Path:
    """Make a folder of installed packages that has a distribution with our entry point, as pip
    writes it.
    """
    info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[mpgrade.assignments]\ncourse = {value}\n")
    return site


def mpgrade(
    cwd: Path, *words: str, site: Path | None = None, folders: tuple[Path, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, where these packages are installed and these folders named."""
    known = variables()
    paths = [known.pop("PYTHONPATH"), *([str(site)] if site else [])]
    places = {"MPGRADE_ASSIGNMENTS": os.pathsep.join(map(str, folders))} if folders else {}
    return subprocess.run(
        [sys.executable, "-m", "pytest_mpgrade", *words],
        cwd=cwd,
        env={**known, "PYTHONPATH": os.pathsep.join(paths), **places},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def listed(done: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    """Return the names below each origin that `mpgrade list` prints."""
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if not line.startswith(" "):
            found[line] = []
        elif " points " in line:
            found[next(reversed(found))].append(line.split()[0])
    return found


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """Return an empty folder to call from."""
    (tmp_path / "away").mkdir()
    return tmp_path / "away"


def test_folders_of_the_variable(away: Path, tmp_path: Path) -> None:
    """Assignments in two folders of MPGRADE_ASSIGNMENTS are listed with these, and graded by name
    in processes of their own.
    """
    one, two = tmp_path / "one", tmp_path / "two"
    put(one / "twice")
    put(two / "again")
    done = mpgrade(away, "list", folders=(one, two))
    assert (done.returncode, done.stderr) == (0, "")
    found = listed(done)
    assert list(found)[:2] == [f"MPGRADE_ASSIGNMENTS: {one}", f"MPGRADE_ASSIGNMENTS: {two}"]
    assert [found[f"MPGRADE_ASSIGNMENTS: {each}"] for each in (one, two)] == [["twice"], ["again"]]
    assert "mp_apply" in found["mpgrade itself"]
    verified = mpgrade(away, "verify", "again", folders=(one, two))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "3 gradings, 0 wrong verdicts" in verified.stdout


def test_user_s_own_pytest_finds_it(away: Path, tmp_path: Path) -> None:
    """The name in a starter's pytest.ini leads to it too, and its reference is the one in its own
    folder.
    """
    put(tmp_path / "one" / "twice")
    (away / "twice.py").write_text("def twice(x):\n    return 2 * x\n")
    (away / "pytest.ini").write_text("[pytest]\nmpgrade_assignment = twice\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=away,
        env={**variables(), "MPGRADE_ASSIGNMENTS": str(tmp_path / "one")},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_installed_package(away: Path, tmp_path: Path) -> None:
    """A package with an entry point brings its assignments: listed, graded by name, and found by
    whoever misspells one.
    """
    site = install(tmp_path / "site", "course507")
    (site / "course507").mkdir()
    (site / "course507" / "__init__.py").write_text("")
    put(site / "course507" / "twice")
    done = mpgrade(away, "list", site=site)
    assert (done.returncode, done.stderr) == (0, "")
    assert listed(done)["the package course-507"] == ["twice"]
    (away / "twice.py").write_text("def twice(x):\n    return 3 * x\n")
    graded = mpgrade(
        away, "grade", ".", "--assignment", "twice", "--out", str(tmp_path / "out"), site=site
    )
    assert graded.returncode == 1, graded.stdout + graded.stderr
    near = mpgrade(away, "rubric", "twise", site=site)
    assert near.returncode == 2
    assert near.stderr.endswith("; did you mean 'twice'?\n")


@pytest.mark.parametrize("kind", ["module", "namespace", "package inside"])
def test_value_of_the_entry_point(away: Path, tmp_path: Path, kind: str) -> None:
    """It may name a plain module beside the folders, a namespace without a file, or a package in
    another.
    """
    site = tmp_path / "site"
    if kind == "module":
        install(site, "course507.where")
        put(site / "course507" / "twice")
        (site / "course507" / "__init__.py").write_text("")
        (site / "course507" / "where.py").write_text("")
    elif kind == "namespace":
        install(site, "course507")
        put(site / "course507" / "twice")
    else:
        install(site, "course507.homework")
        put(site / "course507" / "homework" / "twice")
        (site / "course507" / "__init__.py").write_text("")
        (site / "course507" / "homework" / "__init__.py").write_text("")
    assert listed(mpgrade(away, "list", site=site))["the package course-507"] == ["twice"]


@pytest.mark.parametrize(
    ("text", "why"),
    [("raise RuntimeError('no\\nway')", "RuntimeError: no way"), ("exit(3)", "SystemExit: 3")],
)
def test_package_that_is_broken(away: Path, tmp_path: Path, text: str, why: str) -> None:
    """One that cannot be imported is named with why, on one line; all others go on working."""
    site = install(tmp_path / "site", "course507")
    (site / "course507.py").write_text(f"{text}\n")
    done = mpgrade(away, "list", site=site)
    assert done.returncode == 2
    assert done.stderr == (
        f"mpgrade: the package course-507: course507 cannot be imported: {why}\n"
    )
    assert "mp_apply" in listed(done)["mpgrade itself"]
    assert mpgrade(away, "list", "--packages", "mp_apply", site=site).returncode == 0
    assert why in mpgrade(away, "rubric", "nowhere", site=site).stderr


def test_name_that_is_there_twice(away: Path, tmp_path: Path) -> None:
    """The variable's comes first, then our own, then a package's; which is taken is told."""
    one = tmp_path / "one"
    put(one / "mp_apply", "From the folder")
    site = install(tmp_path / "site", "course507")
    put(site / "course507" / "mp_apply", "From the package")
    put(site / "course507" / "twice", "From the package")
    both = mpgrade(away, "rubric", "mp_apply", site=site, folders=(one,))
    assert "From the folder" in both.stdout
    assert both.stderr == (
        f"mpgrade: mp_apply is taken from MPGRADE_ASSIGNMENTS: {one}; there is one too from"
        " mpgrade itself and the package course-507\n"
    )
    without = mpgrade(away, "rubric", "mp_apply", site=site)
    assert "Apply tasks in parallel with a task queue" in without.stdout
    assert "taken from mpgrade itself" in without.stderr
    assert mpgrade(away, "rubric", "twice", site=site).stderr == ""
    lines = mpgrade(away, "list", site=site, folders=(one,)).stdout.splitlines()
    assert sum("not taken by its name" in line for line in lines) == 2


def test_places_that_are_wrong(away: Path, tmp_path: Path) -> None:
    """A folder that is not there and an assignment with mistakes are told, behind all others."""
    put(tmp_path / "one" / "twice")
    put(tmp_path / "one" / "zero")
    (tmp_path / "one" / "zero" / "assignment.toml").write_text('name = "zero"\n')
    done = mpgrade(away, "list", folders=(tmp_path / "one", tmp_path / "nowhere"))
    assert done.returncode == 2
    assert listed(done)[f"MPGRADE_ASSIGNMENTS: {tmp_path / 'one'}"] == ["twice"]
    assert "zero/assignment.toml" in done.stderr
    assert "nowhere: there is no such folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert mpgrade(away, "rubric", "twice", folders=(tmp_path / "one",)).returncode == 0


def test_name_is_the_one_that_it_gives_itself(away: Path, tmp_path: Path) -> None:
    """An assignment is called by the name in its file, whatever its folder is called."""
    put(tmp_path / "one" / "twice").rename(tmp_path / "one" / "week 3")
    assert mpgrade(away, "rubric", "twice", folders=(tmp_path / "one",)).returncode == 0
    assert mpgrade(away, "rubric", "week 3", folders=(tmp_path / "one",)).returncode == 2


def test_no_submission_sees_a_course(tmp_path: Path) -> None:
    """Hidden are an assignment, its reference, and all assignments and references beside it; other
    folders are not.
    """
    course = tmp_path / "site" / "course507"
    one = put(course / "twice")
    put(course / "next_week")
    (course / "reference" / "next_week").mkdir(parents=True)
    (course / "tools").mkdir()
    hidden = kept_from_students(load_assignment(one))
    assert {*hidden} == {
        str(course / name) for name in ("twice", "twice/reference", "next_week", "reference")
    }


@pytest.mark.parametrize(
    "command",
    [
        ("rubric",),
        ("rubric", "--markdown"),
        ("wrong",),
        ("list", "--packages"),
        ("verify", "--only", "reference"),
        ("package", "classroom50"),
    ],
)
def test_every_command_takes_a_folder(away: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    """An assignment outside of this project is given by its path, wherever one is asked for."""
    folder = put(tmp_path / "far" / "twice")
    word, *options = command
    words = (word, str(folder), *options) if "--only" in options else (*command, str(folder))
    done = mpgrade(away, *words)
    assert done.returncode == 0, done.stdout + done.stderr
