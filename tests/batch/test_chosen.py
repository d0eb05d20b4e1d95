"""Some submissions of a class are graded again: by a cause, a concern, a question or a name."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from pytest_mpgrade import cli
from support.ours import Ours
from support.small_class import RIGHT, SOLUTIONS, batch, gradebook, hand_in, set_up, words


@pytest.fixture(scope="module")
def graded_once(ours: Ours, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a class of four that has been graded; tests change copies of it."""
    folder = set_up(tmp_path_factory.mktemp("graded"), ["ada", "ben", "chloe"])
    hand_in(folder, "bob", SOLUTIONS["ben"])
    batch(folder, "-j", "4")
    return folder


@pytest.fixture
def four(graded_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the graded class, in which the command runs."""
    folder = shutil.copytree(graded_once, tmp_path / "course")
    monkeypatch.chdir(folder)
    return folder


def number_of(cause: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the number of a cause as `mpgrade causes` prints it."""
    assert cli.main(["causes", "out"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if cause in line]
    return line.split(".")[0]


@pytest.mark.parametrize("by", ["cause", "concern=results", "question=test_double", "student=ben"])
def test_only_these_are_graded_again(
    four: Path, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    """Who is meant is graded again; results of the others stay byte by byte, and all are in the
    gradebook and the mapping.
    """
    options = ["--only", by]
    if by == "cause":
        options = ["--only-cause", number_of("double(21) is not 42", capsys)]
    files = {name: four / "out" / name / "result.json" for name in ("ada", "chloe", "bob", "ben")}
    before = {name: file.read_bytes() for name, file in files.items()}
    for name in ("ben", "bob"):
        hand_in(four, name, RIGHT)
    assert cli.main(words(*options)[3:]) == 3  # chloe still has no grade
    said = capsys.readouterr().out
    again = {"ben"} if by == "student=ben" else {"ben", "bob"}
    assert f"graded again: {len(again)} ({'; '.join(sorted(again))})" in said
    assert {name for name, file in files.items() if file.read_bytes() != before[name]} == again
    grades = {"ada": ("graded", "1"), "chloe": ("ungradable", "0"), "bob": ("graded", "0")}
    assert gradebook(four) == grades | dict.fromkeys(again, ("graded", "1"))
    with Path("out", "mapping.csv").open(encoding="utf-8", newline="") as file:
        found = {row["submission"]: row["what"] for row in csv.DictReader(file)}
    assert found == {name: status for name, (status, _) in gradebook(four).items()}
    told = "kept as they were graded before something has changed: 1 (bob); --resume grades them"
    assert (told in said) == (again == {"ben"})


def test_what_can_be_read_now_is_told(four: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who could not be graded, and has handed in again, is named where only others are graded."""
    hand_in(four, "chloe", RIGHT)
    assert cli.main(words("--only", "student=ada")[3:]) == 3
    assert "something has changed: 1 (chloe); --resume" in capsys.readouterr().out


def test_who_has_no_result_is_told(four: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A submission that is not chosen and was never graded gets no result, and is named."""
    hand_in(four, "eve", RIGHT)
    assert cli.main(words("--only", "student=ada", "--only", "student=ben")[3:]) == 3
    said = capsys.readouterr().out
    assert "graded again: 2 (ada; ben)" in said
    assert "without a result: 1 (eve); --resume grades them" in said
    assert set(gradebook(four)) == {"ada", "ben", "bob", "chloe"}
    assert not Path("out", "eve").exists()


def test_decisions_hold_for_who_is_not_chosen(four: Path) -> None:
    """Points set by hand reach the results that are kept, too."""
    by_hand = "submission,criterion,points,reason,who\nbob,values,0.5,looked at it,K.\n"
    Path("out", "overrides.csv").write_text(by_hand)
    cli.main(words("--only", "student=ada")[3:])
    assert gradebook(four)["bob"] == ("graded", "0.5")
    assert json.loads(Path("out", "bob", "result.json").read_text("utf-8"))["score"] == 0.5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--only-cause 7", "there is no cause 7 (there are 1 to 2; see mpgrade causes out)"),
        ("--only-cause 0", "'0' is not a number from 1 on"),
        ("--only student=adda", "there is no submission 'adda' (did you mean 'ada'?)"),
        ("--only student=x", "there is no submission 'x' (there are: ada, ben, bob, chloe)"),
        ("--only concern=clenup", "there is no concern 'clenup' (did you mean 'cleanup'?)"),
        ("--only concern=cleanup", "no check of the concern 'cleanup' has failed in out (there ar"),
        ("--only question=test_duble", "no question 'test_duble' in out (did you mean 'test_doubl"),
        ("--only studnet=ada", "there is no choice by 'studnet' (did you mean 'student'?)"),
        ("--only student", "student= needs a name"),
        ("--only student=ada --resume", "--resume grades what has changed, and --only what is"),
        ("--only student=ada --slurm-array", "--slurm-array takes what was graded elsewhere"),
    ],
)
def test_wrong_choices(
    four: Path, capsys: pytest.CaptureFixture[str], options: str, said: str
) -> None:
    """A number or name that there is not is one line, with what there is."""
    assert cli.main(words(*options.split())[3:]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    assert said in line


def test_all_wrong_choices_at_once(four: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each wrong choice has a line, and nothing is graded for the sake of the right ones."""
    before = Path("out", "ben", "result.json").read_bytes()
    options = "--only student=ben --only student=bne --only-cause 9 --only question=q"
    assert cli.main(words(*options.split())[3:]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" (")[0] for line in lines] == [
        "mpgrade: there is no submission 'bne'",
        "mpgrade: there is no cause 9",
        "mpgrade: there is no question 'q' in out",
    ]
    assert Path("out", "ben", "result.json").read_bytes() == before


def test_nobody_lost_points(four: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A choice that is right and fits nobody grades nobody."""
    for name in ("ben", "bob", "chloe"):
        shutil.rmtree(Path("out", name))
        shutil.rmtree(Path("class", name))
    assert cli.main(words("--only", "question=test_double")[3:]) == 2
    assert "nobody in out has lost points on the question 'test_double'" in capsys.readouterr().err
    assert cli.main(words("--only-cause", "1")[3:]) == 2
    assert "there is no cause 1 (no check has failed;" in capsys.readouterr().err


def test_results_of_others_lie_beside(four: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A cause of somebody who is not in the class any more chooses nobody."""
    number = number_of("import", capsys)
    shutil.rmtree(Path("class", "chloe"))
    assert cli.main(words("--only-cause", number)[3:]) == 2
    told = f"cause {number} is shared by chloe only, and none of them is handed in"
    assert told in capsys.readouterr().err
