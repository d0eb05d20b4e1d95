"""`mpgrade new`: what it makes is a whole assignment, that tells right from wrong at once."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_mpgrade import author
from pytest_mpgrade.cli import schemas
from pytest_mpgrade.cli.verify_cases import wrong_cases
from pytest_mpgrade.course import assignment as assignments
from pytest_mpgrade.grade import outline
from pytest_mpgrade.report.exports.github.payload import runner_ids
from pytest_mpgrade.report.terminal.question_table import BEGIN, END, markdown
from support.running import ROOT, run_command

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="what is left is seen on Linux only")


def mpgrade(cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return run_command([sys.executable, "-m", "pytest_mpgrade", *words], cwd, 300)


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of each file in a folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def verdicts(folder: Path, *options: str) -> dict[str, Any]:
    """Verify an assignment, which has to go well; return the journal's lines by their cases."""
    journal = folder.parent / "journal.jsonl"
    done = mpgrade(folder.parent, "verify", str(folder), "--resume", str(journal), *options)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    return {line["case"]: line for line in lines}


@pytest.fixture(scope="module")
def sums(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a new assignment."""
    place = tmp_path_factory.mktemp("course")
    done = mpgrade(place, "new", "sums", "--function", "parallel_sum(values, n_processes=2)")
    assert (done.returncode, done.stderr) == (0, "")
    return place / "sums"


@LINUX
def test_it_can_be_verified_at_once(sums: Path) -> None:
    """The reference has all points, and each wrong solution fails exactly its own concern."""
    found = verdicts(sums)
    reference = found.pop("reference")
    assert (reference["score"], reference["failed"]) == (10.0, [])
    asked = {
        case.name: case.concerns for case in wrong_cases(assignments.find_assignment(str(sums)))
    }
    assert {name: tuple(line["failed"]) for name, line in found.items()} == asked
    assert {*asked.values()} == {
        (each,) for each in ("import", "results", "workers", "cleanup", "start_method")
    }
    assert all(line["score"] <= 7.0 for line in found.values())


RIGHT = {
    "pool": """
import multiprocessing as mp

def parallel_sum(values, n_processes=2):
    pool = mp.Pool(n_processes)
    sums = pool.map(sum, [values[i::n_processes] for i in range(n_processes)])
    pool.close()
    pool.join()
    return sum(sums)
""",
    "executor": """
from concurrent.futures import ProcessPoolExecutor

def parallel_sum(values, n_processes=2):
    with ProcessPoolExecutor(n_processes) as executor:
        return sum(executor.map(sum, [values[i::n_processes] for i in range(n_processes)]))
""",
    "manager": """
import multiprocessing as mp

def work(part, sums):
    sums.append(sum(part))

def parallel_sum(values, n_processes=2):
    with mp.Manager() as manager:
        sums = manager.list()
        parts = [values[i::n_processes] for i in range(n_processes)]
        children = [mp.Process(target=work, args=(part, sums)) for part in parts]
        for child in children:
            child.start()
        for child in children:
            child.join()
        return sum(sums)
""",
    "pipes": """
import multiprocessing as mp

def work(part, end):
    end.send(sum(part))
    end.close()

def parallel_sum(values, n_processes=2):
    total, children = 0, []
    for i in range(n_processes):
        ours, theirs = mp.Pipe(duplex=False)
        children.append((ours, mp.Process(target=work, args=(values[i::n_processes], theirs))))
        children[-1][1].start()
        theirs.close()
    for ours, child in children:
        total += ours.recv()
        ours.close()
        child.join()
        child.close()
    return total
""",
}
"""Right solutions of other designs than the reference's."""


def test_editors_know_its_keys(sums: Path) -> None:
    """Its first line names a schema that lies beside it, as the command prints it."""
    first = (sums / "assignment.toml").read_text("utf-8").partition("\n")[0]
    assert first == "#:schema ./assignment.schema.json"
    assert (sums / "assignment.schema.json").read_text("utf-8") == f"{schemas.text('assignment')}\n"


@LINUX
def test_other_designs_have_all_points(sums: Path, tmp_path: Path) -> None:
    """The tests ask for a behaviour, and not for the design of the reference."""
    for name, text in RIGHT.items():
        (tmp_path / f"{name}.py").write_text(text)
    found = verdicts(sums, "--right", str(tmp_path), "--only", *RIGHT)
    assert {found[f"right: {name}"]["score"] for name in RIGHT} == {10.0}


@LINUX
@pytest.mark.parametrize(
    ("text", "options", "only"),
    [
        ("count_words(paths, n_processes=4)", (), ("reference",)),
        ("squares(numbers)", (), ("reference",)),
        # whose text is the hardest to write
        ("f(n_workers, k, items, sep='\"')", (), ("reference", "never_joins", "cannot_be_spawned")),
        (
            "sizes(rows, jobs=2)",
            ("--example", "([[1, 2], [3], []],)", "--expected", "[2, 1, 0]"),
            ("reference",),
        ),
    ],
)
def test_any_signature_can_be_verified(
    tmp_path: Path, text: str, options: tuple[str, ...], only: tuple[str, ...]
) -> None:
    """Other parameters, defaults and examples give an assignment whose verdicts are right too."""
    done = mpgrade(tmp_path, "new", "other", "--function", text, *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(wrong_cases(assignments.find_assignment(str(tmp_path / "other")))) == 7
    found = verdicts(tmp_path / "other", *(["--only", *only] if only else []))
    assert len(found) == (len(only) or 8)


def test_starter_is_worth_next_to_nothing(sums: Path, tmp_path: Path) -> None:
    """What students begin with is graded, and has the point of its interface alone."""
    out = tmp_path / "out"
    done = mpgrade(
        tmp_path, "grade", str(sums / "starter"), "--assignment", str(sums), "--out", str(out)
    )
    assert done.returncode == 1, done.stdout + done.stderr
    result = json.loads((out / "starter" / "result.json").read_text("utf-8"))
    assert {each["name"]: each["points"] for each in result["criteria"] if each["points"]} == {
        "interface": 1.0
    }


def test_handout_has_the_rubric(sums: Path) -> None:
    """The table in the handout is what `mpgrade rubric --markdown` prints."""
    made = assignments.find_assignment(str(sums))
    text = (sums / "README.md").read_text("utf-8")
    start, end = text.index(BEGIN), text.index(END) + len(END)
    assert text[start:end] == markdown(outline.collect(made), made)


def test_workflow_is_that_of_our_own_starters(sums: Path) -> None:
    """It differs from the one of another assignment by the names of the assignment and of its
    criteria alone.
    """
    ours = (ROOT / "assignments/mp_apply/starter/.github/workflows/grade.yml").read_text("utf-8")
    made = (sums / "starter/.github/workflows/grade.yml").read_text("utf-8")
    ids = [*runner_ids(assignments.find_assignment(str(sums)).criteria).values()]
    rows = "".join(
        f"          {each.upper()}_RESULTS: ${{{{ steps.grade.outputs.{each} }}}}\n" for each in ids
    )
    expected = re.sub(r"( +\w+_RESULTS: .*\n)+", lambda _: rows, ours.replace("mp_apply", "sums"))
    assert made == re.sub(r"runners: .*", f"runners: {','.join(ids)}", expected)


def test_starter_names_the_assignment(sums: Path) -> None:
    """`pytest` in a copy of the starter knows which assignment is meant."""
    ini = configparser.ConfigParser()
    ini.read(sums / "starter" / "pytest.ini", "utf-8")
    assert ini["pytest"]["mpgrade_assignment"] == "sums"


def test_commands_that_come_next_can_be_typed(sums: Path) -> None:
    """What is said at the end fits 80 columns, and names the folder so that each command finds
    it.
    """
    done = mpgrade(sums.parent, "new", "more")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    commands = [line.split() for line in lines if line.startswith("  mpgrade ")]
    assert [words[1] for words in commands] == ["verify", "rubric", "batch", "package"]
    assert all("./more" in words for words in commands)
    for words in (["rubric", "./more", "--markdown"], ["package", "gradescope", "./more"]):
        assert mpgrade(sums.parent, *words).returncode == 0


def test_nothing_is_overwritten(sums: Path) -> None:
    """A second run into the same folder is refused, and changes no file."""
    before = files(sums)
    done = mpgrade(sums.parent, "new", "sums", "--function", "other(values, n_processes=2)")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mpgrade: sums is there already and is not empty: nothing was written\n"
    assert files(sums) == before


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    """`--out` may name a folder that is there and empty, and makes one that is not there; a file
    stays.
    """
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("mine")
    for place in ("empty", "deep/er"):
        assert mpgrade(tmp_path, "new", "sums", "--out", place).returncode == 0
        assert (tmp_path / place / "reference" / "sums.py").is_file()
    assert mpgrade(tmp_path, "new", "sums", "--out", "file").returncode == 2
    assert (tmp_path / "file").read_text() == "mine"


WRONG = [
    (["../up"], "cannot be the name of an assignment"),
    (["class"], "cannot be the name of an assignment"),
    (["queue"], "queue.py would hide a module of that name"),
    (["mp_apply"], "there is an assignment 'mp_apply' already, from mpgrade itself"),
    (["sums", "--function", "f(values"], "expected a function's signature"),
    (["sums", "--function", "f(*values, n_processes=2)"], "expected a function's signature"),
    (["sums", "--function", "f(values, *, n_processes=2)"], "without async, / and *"),
    (["sums", "--function", "async f(values)"], "without async, / and *"),
    (["sums", "--function", "sum(values, n_processes=2)"], "choose another"),
    (["sums", "--function", "f(values, n_processes=None)"], "has to be a number"),
    (["sums", "--function", "f(values, n=len(x))"], "has to be a plain value"),
    (["sums", "--function", "f(n_processes=2)"], "the items that are split"),
    (["sums", "--function", "f(text, n_processes=2)"], "nobody knows what 'text' is"),
    (["sums", "--example", "([],)"], "is a list with items"),
    (["sums", "--example", "(1, 2)"], "a tuple of plain values for values"),
    (["sums", "--example", "__import__('os')"], "a tuple of plain values for values"),
    (["sums", "--expected", "[1"], "--expected has to be a plain value"),
    (["sums", "--expected", "4711"], "no reference that is written for you returns 4711"),
]


@pytest.mark.parametrize(("words", "said"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_what_cannot_be_gets_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    """A bad name, signature or example is told in one line, and nothing is written."""
    done = mpgrade(tmp_path, "new", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert files(tmp_path) == {}


def test_every_template_is_filled_in(sums: Path) -> None:
    """Each template has become a file with nothing left to be filled in, and what is Python can be
    compiled.
    """
    home = Path(author.__file__).with_name("templates")
    made = files(sums)
    assert len(made) == len([*home.rglob("*.tmpl")])
    assert not [name for name, text in made.items() if b"$name" in text or b"$signature" in text]
    for name, text in made.items():
        if name.endswith(".py"):
            compile(text, name, "exec")
