"""Notebooks as course authors, students and instructors meet them: fixture, result, saved
copies.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from pytest_mpgrade.course import assignment
from pytest_mpgrade.errors import AssignmentError
from pytest_mpgrade.judge.examples.notebooks import cell, executed, printing
from pytest_mpgrade.records import Ending, Notebook
from pytest_mpgrade.report import notebook
from support.running import code_cell, run_command

TOML = """
name = "small"
title = "A small notebook"
module = "small.ipynb"
points = 3
start_methods = ["fork"]
test = "test_small.py"

[[criteria]]
name = "runs"
points = 3

[notebook]
variables = ["answer", "table"]
files = "data"
"""
TESTS = '''
import pytest
from pytest_mpgrade import checks

pytestmark = pytest.mark.criterion("runs")

def test_runs(notebook):
    """It runs."""
    notebook.check(notebook.run(), checks.runs_top_to_bottom())

def test_answer(notebook):
    """The answer is right."""
    assert notebook.value("answer") == {"six": [6, 7.5, True, None, "x"]}, "the answer is wrong"
    assert notebook.value("table").tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert notebook.cell("shown").printed == "1 2\\n"
    with pytest.raises(LookupError, match="tagged other"):
        notebook.cell("other")

def test_again(notebook):
    """It does the same again."""
    notebook.check(notebook.run(), checks.same_again(notebook.run(again=True)))
'''
CELLS = (
    "import numpy as np\ntable = np.eye(2)",
    "answer = {'six': [6, 7.5, True, None, 'x']}",
    "# tags: shown\nprint(open('numbers.txt').read())",
)


@pytest.fixture
def author(tmp_path: Path) -> Path:
    """Return a folder with an author's assignment `small`."""
    course = tmp_path / "small"
    (course / "data").mkdir(parents=True)
    (course / "assignment.toml").write_text(TOML)
    (course / "test_small.py").write_text(TESTS)
    (course / "data" / "numbers.txt").write_text("1 2")
    return course


def hand_in(folder: Path, *sources: str) -> Path:
    """Write a notebook with these code cells."""
    folder.mkdir()
    cells = [code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "small.ipynb")
    return folder


def graded(author: Path, submission: Path) -> Any:
    """Grade with `mpgrade grade`; return the result, with what was printed."""
    words = [
        "grade",
        str(submission),
        "--assignment",
        str(author),
        "--out",
        "out",
        "--no-require-isolation",
    ]
    done = run_command([sys.executable, "-m", "pytest_mpgrade", *words], author.parent)
    found = json.loads((author.parent / "out" / submission.name / "result.json").read_text("utf-8"))
    return {**found, "said": done.stdout + done.stderr}


def test_author_reads_cells_and_variables(author: Path) -> None:
    """The fixture gives variables as plain data, cells by their tags, and a second execution."""
    found = graded(author, hand_in(author.parent / "ada", *CELLS))
    assert [check["outcome"] for check in found["checks"]] == ["passed"] * 3, found["checks"]
    assert found["score"] == 3
    out = author.parent / "out" / "ada"
    assert nbformat.read(out / "small.fork.ipynb", as_version=4).cells[2].outputs[0].text == "1 2\n"
    assert "answer" in (out / "small.fork.html").read_text("utf-8")


def test_wrong_notebook(author: Path) -> None:
    """A failing cell is told, and marked in what is saved; an author's own assert is a finding."""
    found = graded(author, hand_in(author.parent / "ben", *CELLS[:1], "answer = 1 / 0", *CELLS[2:]))
    # That a variable is missing is the notebook's fault: as an error it would count neither way.
    assert [check["outcome"] for check in found["checks"]] == ["failed", "failed", "skipped"]
    assert (found["status"], found["score"], found["undecided"]["points"]) == ("graded", 0.0, 0.0)
    first = found["checks"][0]
    assert (first["concern"], first["outcome"]) == ("notebook", "failed")
    assert (
        first["message"]
        == "code cell 2, line 1 raised ZeroDivisionError: division by zero: answer = 1 / 0"
    )
    saved = nbformat.read(author.parent / "out" / "ben" / "small.fork.ipynb", as_version=4)
    assert "code cell 2 below did not come to its end" in saved.cells[1].source


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'files = "data"',
            'files = "date"',
            "notebook.files: there is no folder 'date' beside assignment.toml",
        ),
        ('"answer"', '"my answer"', "notebook.variables[0]: "),
        ("[notebook]", "[notebook]\ncell_second = 1", "did you mean 'cell_seconds'?"),
        ('"small.ipynb"', '"small.py"', "functions: expected at least one function"),
    ],
)
def test_mistakes_of_authors(author: Path, old: str, new: str, said: str) -> None:
    """Each mistake in the table has its line."""
    (author / "assignment.toml").write_text(TOML.replace(old, new))
    with pytest.raises(AssignmentError) as caught:
        assignment.load_assignment(author)
    assert said in str(caught.value)


def test_interpreter_that_is_not_there(author: Path) -> None:
    """A kernel's interpreter that does not exist is one line."""
    (author / "assignment.toml").write_text(TOML + 'python = "python2.3"\n')
    words = [f"--mpgrade={author}", f"--mpgrade-submission={hand_in(author.parent / 'ada', '1')}"]
    done = run_command([sys.executable, "-m", "pytest", *words], author)
    assert (
        "the notebook's kernel cannot be started: there is no interpreter python2.3" in done.stderr
    )


def test_pytest_collects_no_notebooks(pytester: pytest.Pytester) -> None:
    """A notebook in a folder is nothing that the plugin looks at by itself."""
    hand_in(pytester.path / "books", "1 / 0")
    assert pytester.runpytest_subprocess().ret == pytest.ExitCode.NO_TESTS_COLLECTED


# --- saved copies


def _with_document(run: Notebook) -> Notebook:
    cells = [
        nbformat.v4.new_code_cell(each.source, outputs=list(each.outputs)) for each in run.cells
    ]
    document = json.loads(
        json.dumps(
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Text"), *cells])
        )
    )
    return Notebook(**{**vars(run), "document": document})


def test_marks() -> None:
    """A cell before the failing one says how it ended, and what was not tried has no outputs of
    earlier days.
    """
    run = _with_document(
        executed(
            cell(1, outputs=printing("kept")),
            cell(2, ending=Ending.HUNG, why="proof"),
            cell(3, ending=Ending.NOT_TRIED, outputs=printing("stale")),
        )
    )
    cells = notebook.marked(run)["cells"]
    assert [each["cell_type"] for each in cells] == ["markdown", "code", "markdown", "code", "code"]
    assert "code cell 2 below did not come to its end: hung" in cells[2]["source"]
    assert cells[1]["outputs"]
    assert cells[4]["outputs"] == []


EVIL = (
    "<script>document.title='pwned'</script><img src=x onerror=alert(1)><b"
    " onclick=alert(1)>bold</b>\n\n# Head"
)


def test_pages_are_harmless(tmp_path: Path) -> None:
    """Scripts, handlers and links to images are left out of pages; headings and tables are kept."""
    html = {
        "text/html": f"<table onload='x()'><tr><td>{EVIL}</td></tr></table>",
        "application/javascript": "alert(1)",
    }
    output = nbformat.v4.new_output("display_data", data=html)
    cells = [nbformat.v4.new_markdown_cell(EVIL), nbformat.v4.new_code_cell("1", outputs=[output])]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "evil.ipynb")
    subprocess.run(
        [sys.executable, "-m", "pytest_mpgrade.report.notebook.html", str(tmp_path / "evil.ipynb")],
        check=True,
    )
    page = (tmp_path / "evil.html").read_text("utf-8").partition("<main>")[2]
    assert "<h1" in page
    assert "<td>" in page
    assert "<b>bold</b>" in page
    for bad in ("onclick", "onerror", "onload", "pwned</", "<img", "alert"):
        assert bad not in page, bad
