"""`mpgrade starter`: a folder in which a student can begin, or a repository to begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mpgrade import cli
from pytest_mpgrade.course import assignment as assignments


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of each file in a folder, but git's and what Python has compiled."""
    left_out = {".git", "__pycache__"}
    found = (
        path for path in folder.rglob("*") if path.is_file() and left_out.isdisjoint(path.parts)
    )
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize("name", [each.name for each in assignments.shipped()])
def test_students_get_the_starter_and_the_handout(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every file of the starter is there as it is, with its workflow, and the handout beside it
    names no folder that is not there.
    """
    (tmp_path / "hw" / ".git").mkdir(parents=True)
    assert cli.main(["starter", name, "--out", str(tmp_path / "hw")]) == 0
    made = files(tmp_path / "hw")
    handout = made.pop("README.md").decode()
    home = Path(assignments.find_assignment(name).folder)
    assert made == files(home / "starter")
    assert ".github/workflows/grade.yml" in made
    assert handout.partition("\n")[0] == (home / "README.md").read_text("utf-8").partition("\n")[0]
    assert "starter/" not in handout
    assert "Copy this folder somewhere" in handout
    said = capsys.readouterr().out
    assert [each for each in (*made, "README.md") if f"  {each}\n" not in said] == []


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with something in it stays as it is."""
    (tmp_path / "mine.py").write_text("mine = True\n")
    assert cli.main(["starter", "pool", "--out", str(tmp_path)]) == 2
    assert "is not empty: nothing was written" in capsys.readouterr().err
    assert files(tmp_path) == {"mine.py": b"mine = True\n"}
